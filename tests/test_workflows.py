"""公共托管站上的工作流：这里跑不了，至少写得对，与 .ci/run、Makefile、pyproject.toml 说的是一回事。"""

import re
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version
from test_environment import EXTRAS, PROJECT, PYTHON, REQUIREMENTS, ROOT, extras_in, read

FOLDER = ".github/workflows"
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text(encoding="utf-8"))
             for path in sorted((ROOT / FOLDER).glob("*.yml"))}
JOBS = {f"{name}.{job}": body for name, flow in WORKFLOWS.items() for job, body in flow["jobs"].items()}
STEPS = [pytest.param(step, id=f"{job}.{k}") for job, body in JOBS.items()
         for k, step in enumerate(body.get("steps", []))]


def supported():
    """分类里写的 Python 版本，从低到高。"""
    return [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", c)]


@pytest.mark.parametrize("step", STEPS)
def test_every_step_is_pinned_or_names_what_exists(step):
    assert ("uses" in step) != ("run" in step), step
    if "uses" in step:
        assert re.fullmatch(r"actions/[\w-]+@v\d+\.\d+\.\d+", step["uses"])
        return
    command = step["run"]
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.M))
    assert set(re.findall(r"\bmake ([a-z-]+)", command)) <= targets
    assert extras_in(command) <= set(EXTRAS)
    named = re.findall(r"(?:bash |-c )([\w./-]+)", command)
    assert not [path for path in named if not (ROOT / path).is_file()], command
    if "pytest" in command:
        marks = re.search(r'-m "(.*?)"', command)[1]
        assert set(marks.split()) <= {"module", "full", "and", "not"}


@pytest.mark.parametrize("job", JOBS)
def test_jobs_depend_on_jobs_that_exist(job):
    body, flow = JOBS[job], job.partition(".")[0]
    assert {body["needs"]} <= set(WORKFLOWS[flow]["jobs"]) if "needs" in body else True
    if "uses" in body:
        assert (ROOT / body["uses"]).is_file() and "workflow_call" in WORKFLOWS["test"][True]
    else:
        assert body["runs-on"] and body["steps"]


def test_linux_runs_what_ci_runs():
    whole = JOBS["test.whole"]
    assert whole["steps"][-1]["run"] == "bash .ci/run" and f"python:{PYTHON}-" in whole["container"]
    assert "make test" in read(".ci/run")


def test_other_systems_run_every_python_that_is_supported():
    matrix = JOBS["test.modules"]["strategy"]["matrix"]
    assert matrix["python"] == supported() and supported()[0] == PYTHON
    assert all(Version(f"{v}.0") in SpecifierSet(PROJECT["requires-python"]) for v in supported())
    assert {name.partition("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}


def test_the_oldest_versions_are_the_lower_bounds():
    """oldest.txt 一行一个 包==下限，正好是 pyproject 里写 >= 的那些。"""
    lines = [line for line in read("tests/oldest.txt").splitlines() if not line.startswith("#")]
    oldest = {canonicalize_name(r.name): next(iter(r.specifier)).version for r in map(Requirement, lines)}
    bounds = {canonicalize_name(r.name): bound.version for r in map(Requirement, REQUIREMENTS)
              for bound in r.specifier if bound.operator == ">="}
    assert oldest.keys() == bounds.keys()
    for name, version in oldest.items():
        assert Version(version) in SpecifierSet(f"=={bounds[name]}.*"), name
    python = next(s for s in JOBS["test.oldest"]["steps"] if "with" in s)["with"]["python-version"]
    assert python == PYTHON


def test_publishing_does_what_contributing_says():
    recipe = read("CONTRIBUTING.md").partition("## 发布")[2]
    build = JOBS["publish.build"]["steps"]
    assert "make release" in [step.get("run") for step in build] and "`make release`" in recipe
    places = {step["with"]["path"] for step in build if "with" in step}
    assert places == {"build/_build/html", "build/release"} and all(f"`{p}/`" in recipe for p in places)
    assert JOBS["publish.build"]["needs"] == "test" and JOBS["publish.test"]["uses"].endswith("test.yml")
    assert Path(JOBS["publish.test"]["uses"]).name in recipe or "publish.yml" in recipe
