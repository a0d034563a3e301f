"""安装的说法只有一套：README、pyproject、锁定文件、environment.yml 与 Makefile 对得上。"""

import re
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
READMES = ["README.md", "README.en.md"]
GUIDES = [*READMES, "book/setup.md", "book/teaching.md"]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
REQUIREMENTS = [*PROJECT["dependencies"], *(r for extra in EXTRAS.values() for r in extra)]
PYTHON = re.search(r"\d+\.\d+", PROJECT["requires-python"])[0]   # 支持的最低版本


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def locked():
    """锁定文件：包名 → 版本。"""
    lines = (line.split("#")[0].strip() for line in read("requirements.lock").splitlines())
    pins = [re.fullmatch(r"([\w.-]+)==([\w.+!]+)", line) or pytest.fail(f"不是“包==版本”：{line}")
            for line in lines if line]
    return {canonicalize_name(pin[1]): Version(pin[2]) for pin in pins}


def code_blocks(name):
    """页面里的命令块，注释去掉。"""
    blocks = re.findall(r"^```(?:bash|bat)\n(.*?)^```", read(name), re.S | re.M)
    assert blocks, f"{name} 里没有命令"
    return [line.split("  #")[0].strip() for block in blocks for line in block.splitlines() if line]


def install_lines(name):
    """装课程自己的包的各行；pip 装别的（如 CPU 版 torch）不算。"""
    return [line for line in code_blocks(name) if " -m pip " in line and ".[" in line]


def extras_in(text):
    return {e.strip() for group in re.findall(r"\.\[([\w, ]+)\]", text) for e in group.split(",")}


@pytest.mark.parametrize("requirement", REQUIREMENTS)
def test_every_requirement_is_locked_within_its_range(requirement):
    requirement, pins = Requirement(requirement), locked()
    name = canonicalize_name(requirement.name)
    assert name in pins, f"requirements.lock 里没有 {name}"
    assert pins[name] in requirement.specifier, f"锁定 {pins[name]}，pyproject 要 {requirement}"


def test_lock_has_no_local_builds_and_no_torch_gpu_libraries():
    pins = locked()
    assert all(version.local is None for version in pins.values())   # 2.13.0+cpu 只在一处买得到
    assert not [name for name in pins if name.startswith(("nvidia-", "cuda-"))]


def test_python_version_is_the_same_everywhere():
    assert Version(f"{PYTHON}.0") in SpecifierSet(PROJECT["requires-python"])
    python = next(d for d in conda()["dependencies"] if str(d).startswith("python="))
    assert python == f"python={PYTHON}"
    assert f"Python {PYTHON} " in read("Makefile")
    assert str(tuple(map(int, PYTHON.split(".")))) in read("Makefile")   # 版本检查 (3, 11)
    for name in [*READMES, "book/setup.md"]:
        assert f"Python {PYTHON}" in read(name), name


def conda():
    return yaml.safe_load(read("environment.yml"))


def test_conda_installs_only_what_the_notebooks_need():
    environment = conda()
    pip = next(d["pip"] for d in environment["dependencies"] if isinstance(d, dict))
    assert "-c requirements.lock" in pip
    assert extras_in(" ".join(pip)) == {"lab"}
    for name in [*READMES, "book/setup.md"]:
        assert f"conda activate {environment['name']}" in read(name), name


def test_make_lab_installs_only_what_the_notebooks_need():
    rule = re.search(r"lab\.ok:.*?\n\n", read("Makefile"), re.S)[0]
    assert extras_in(rule) == {"lab"} and "lab: $(VENV)/lab.ok\n" in read("Makefile")


def test_make_book_does_not_install_torch():
    book = {canonicalize_name(Requirement(r).name) for r in EXTRAS["book"] + PROJECT["dependencies"]}
    assert "torch" not in book
    rule = re.search(r"book\.ok:.*?\n\n", read("Makefile"), re.S)[0]
    assert extras_in(rule) == {"book"}


def test_makefile_installs_under_the_lock():
    makefile = read("Makefile")
    assert "-c requirements.lock" in re.search(r"^PIP .*", makefile, re.M)[0]
    assert extras_in(makefile) == set(EXTRAS)


@pytest.mark.parametrize("name", READMES)
def test_readme_shows_every_way_to_install(name):
    assert {"make book", "make test"} <= set(code_blocks(name))
    assert extras_in(" ".join(install_lines(name))) == set(EXTRAS)


def test_both_readmes_give_the_same_commands():
    assert code_blocks("README.md") == code_blocks("README.en.md")


@pytest.mark.parametrize("name", GUIDES)
def test_commands_exist(name):
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.M))
    named = set(re.findall(r"(?:^|`)make (?:PYTHON=\S+ )?([a-z]+)\b", read(name), re.M))
    assert named, f"{name} 里一个 make 命令都没有"
    assert named <= targets
    lines = install_lines(name)
    assert lines and extras_in(" ".join(lines)) <= set(EXTRAS)
    assert all("-c requirements.lock" in line for line in lines)


@pytest.mark.parametrize("name", GUIDES)
def test_build_command_is_the_makefiles(name):
    build = re.search(r"jupyter-book (build .*?) --quiet", read("Makefile"))[1]
    for line in code_blocks(name):
        if "jupyter-book build" in line:
            assert line.endswith(build)


@pytest.mark.parametrize("name", READMES)
def test_readme_links_and_modules_exist(name):
    text = read(name)
    paths = re.findall(r"\]\(((?!http)[^)#]+)", text) + re.findall(r"`(textseq/\w+\.py)`", text)
    paths += [f"notebooks/{stem}.ipynb" for stem in re.findall(r"`(\d\d_\w+)`", text)]
    assert len(paths) > 10
    assert not [p for p in paths if not (ROOT / p).exists()]


def test_guides_name_the_pinned_torch():
    torch = locked()["torch"].base_version
    assert set(re.findall(r"torch==([\d.]+\d)", read("book/setup.md"))) == {torch}


def test_no_download_address_is_written_down():
    """镜像的选择留给读者；写死一个地址，它迟早会失效。"""
    domain = re.compile(r"[\w-]+(?:\.[\w-]+)*\.(?:org|com|net|cn|io|edu)\b", re.ASCII)
    names = [*GUIDES, "Makefile", "environment.yml", "pyproject.toml", "requirements.lock"]
    assert {m[0] for name in names for m in domain.finditer(read(name))} == {"pytorch.org"}


def test_every_finished_chapter_is_listed_everywhere():
    """写成的章节：目录、首页的卡片、两份 README、教师页，都要有它；没写成的，都不能有。"""
    chapters = sorted(p.stem for p in (ROOT / "notebooks").glob("[0-9]*.ipynb"))
    assert re.findall(r"file: notebooks/(\w+)", read("book/_toc.yml")) == chapters
    cards = re.findall(r"card\} (\d\d) .*\n:link: \.\./notebooks/(\w+)", read("book/index.md"))
    assert [stem for _, stem in cards] == chapters == [s for n, s in cards if s.startswith(n)]
    plans = re.findall(r"^\| \[第 (\d\d) 章 .*\]\(teaching/(\d\d)\.md\)", read("book/teaching.md"), re.M)
    assert plans == [(c[:2], c[:2]) for c in chapters]
    assert sorted(p.stem for p in (ROOT / "book/teaching").glob("*.md")) == [c[:2] for c in chapters]
    for name in READMES:
        assert set(re.findall(r"`(\d\d_\w+)`", read(name))) == set(chapters)


def fake_folder(path):
    """一个“装好了”的课程文件夹：.venv 里的 Python 是真的，记号文件都在。"""
    (path / ".venv/bin").mkdir(parents=True)
    for name in ("Makefile", "pyproject.toml", "requirements.lock"):
        (path / name).write_bytes((ROOT / name).read_bytes())
    (path / ".venv/bin/python").symlink_to(sys.executable)
    for name in ("book.ok", "lab.ok", "all.ok"):
        (path / ".venv" / name).touch()
    (path / ".venv/path").write_text(f"{path}\n", encoding="utf-8")
    return path


def make(folder, *arguments):
    return subprocess.run(["make", "-C", str(folder), *arguments], capture_output=True, text=True)


def test_a_moved_folder_is_explained(tmp_path):
    folder = fake_folder(tmp_path / "课 程[1]")
    assert make(folder, "here").returncode == 0
    moved = folder.rename(tmp_path / "搬了家")
    done = make(moved, "book")
    assert done.returncode != 0 and "改过名或搬过家" in done.stdout and "rm -rf .venv" in done.stdout


def test_a_port_in_use_is_explained(tmp_path):
    folder = fake_folder(tmp_path / "课程")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = make(folder, "-o", "book", "serve", f"PORT={port}")
    assert done.returncode != 0 and f"端口 {port} 正被别的程序占用" in done.stdout
    assert "Traceback" not in done.stderr


def test_line_endings_are_the_same_on_every_system():
    """clone 时换成 CRLF，会让逐字节的比较与 .ci/run 出错。"""
    assert "* text=auto eol=lf" in (ROOT / ".gitattributes").read_text(encoding="utf-8")


def test_the_version_is_the_same_everywhere():
    assert yaml.safe_load(read("CITATION.cff"))["version"] == PROJECT["version"]
    assert re.search(r"^## ([\d.]+)", read("CHANGELOG.md"), re.M)[1] == PROJECT["version"]
    assert f'__version__ = "{PROJECT["version"]}"' in read("textseq/__init__.py")


def test_what_contributing_names_exists():
    """写给接着做的人的那一页，提到的文件、make 的目标都在。"""
    text = read("CONTRIBUTING.md")
    for name in re.findall(r"`((?:book|data|tests|notebooks|textseq)/[\w./]*)`", text):
        assert name == "data/名字/build.py" or (ROOT / name).exists(), name
    for name in re.findall(r"test_\w+\.py", text):
        assert (ROOT / "tests" / name).is_file(), name
    targets = set(re.findall(r"^([a-z-]+):", read("Makefile"), re.M))
    assert set(re.findall(r"make ([a-z-]+)", text)) <= targets


KIT = re.findall(r"book/_kit/(\w+)\.py", read("Makefile")) + ["proofs"]


@pytest.mark.linux
def test_the_commands_of_the_kit_start_on_their_own():
    """make 里的命令单独开一个进程；测试的 pythonpath 比它宽，缺了路径看不出来。

    各分出一个进程来引入，互不相干；大家都要用的包先引入一次，不必每个进程各等几秒。
    """
    code = f"""
import os, sys, numpy, nbclient, nbformat
sys.path.insert(0, {str(ROOT / 'book/_kit')!r})
for name in {sorted(set(KIT))}:
    if not os.fork():
        __import__(name)
        os._exit(0)
    if os.wait()[1]:
        sys.exit(name)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-400:]


def earlier(pairs, chapter):
    """学 chapter 之前要学过的各章，连同它们要学过的。"""
    return {first for first, then in pairs if then == chapter}.union(
        *(earlier(pairs, first) for first, then in pairs if then == chapter))


def test_the_picture_of_the_order_says_what_the_table_says():
    arrows = re.findall(r'<path id="(\d\d)-(\d\d)"', read("book/_static/needs.svg"))
    rows = re.findall(r"^\| ([\d、]+) \| ([^|]*) \|[^|]*\|$", read("book/teaching.md"), re.M)
    needs = [(first, then) for chapters, needed in rows for then in chapters.split("、")
             for first in (re.findall(r"\d\d", needed) or [f"{int(then) - 1:02}"] * ("前一章" in needed))]
    assert {then for _, then in needs} == {f"{n:02}" for n in range(1, 11)} - {"01", "03"}
    for chapter in (f"{n:02}" for n in range(1, 11)):
        assert earlier(arrows, chapter) == earlier(needs, chapter), chapter
