"""在这里做：选出来要先运行的代码、运行与出错的说法，以及在真的浏览器里做一题。"""

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import runner
import try_here
from content_policy import with_policy
from exercises import chapters, needed, read_exercises
from playwright.sync_api import expect
from serving import serve
from test_notebooks import WRONG

ROOT = Path(__file__).parents[1]

CHAPTERS = chapters()
NOT_IN_THE_PAGE = ("torch", "matplotlib", "jieba", "tensorboardX", "gensim", "scipy")
each = pytest.mark.parametrize("path", CHAPTERS, ids=lambda path: path.stem[:2])


BARE = f"""
import json, sys
sys.modules |= dict.fromkeys({NOT_IN_THE_PAGE!r})
sys.path[:0] = {[str(ROOT), str(ROOT / "book/_kit")]!r}
import runner
for task in json.load(sys.stdin):
    shown = []
    runner.run(*task, shown.append)
    print(json.dumps("".join(shown)))
"""


def run_bare(tasks, folder):
    """[(before, code, check)] → 各显示什么；像书页里一样，只有 Python、numpy 与 textseq，没有数据文件。"""
    done = subprocess.run([sys.executable, "-c", BARE], input=json.dumps(tasks), cwd=folder,
                          capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def run(code):
    shown = []
    runner.run("", code, "", shown.append)
    return "".join(shown)


def in_the_page(path):
    """这一章能在书页里运行的格。"""
    found = try_here.jobs(path).values()
    return [job for job in found if not try_here.uses_torch(job)]


# --- 随书带的两个文件 ---------------------------------------------------------------------

def test_the_kept_files_are_the_published_ones():
    told = (try_here.PYTHON / "README.md").read_text(encoding="utf-8")
    found = dict(re.findall(r"^\| `([^`]+)` .* (sha\d+-\S+) \|$", told, flags=re.M))
    assert sorted(found) == sorted(p.name for p in try_here.PYTHON.iterdir() if p.suffix in (".tgz", ".whl"))
    for name, digest in found.items():
        content = (try_here.PYTHON / name).read_bytes()
        assert digest in (f"sha256-{hashlib.sha256(content).hexdigest()}",
                          f"sha512-{base64.b64encode(hashlib.sha512(content).digest()).decode()}")


def test_a_book_without_python_says_so(monkeypatch, tmp_path):
    job = in_the_page(CHAPTERS[0])[-1]
    assert "<script" in try_here.block(job)
    monkeypatch.setattr(try_here, "PYTHON", tmp_path / "没有")
    assert "这一份网页没有带浏览器里的 Python，请在 Jupyter 里做。" in try_here.block(job)
    assert try_here.block(job | {"check": ""}) == ""


# --- 要先运行哪些 -------------------------------------------------------------------------

@pytest.mark.parametrize("cells, code, wanted", [
    (["import numpy as np, os\nimport torch"], "np.zeros(3)", "import numpy as np"),
    (["x = 1", "x = 2\ny = 3"], "print(x)", "x = 2"),                                # 最近的一次
    (["a = 1", "def f(b):\n    return a + b"], "f(2)", "a = 1\ndef f(b):\n    return a + b"),
    (["rows = 5"], "def f(rows):\n    return rows", ""),                            # 函数自己的名字
    (["import functools\n@functools.cache\ndef f():\n    return 1"], "f()",
     "import functools\n@functools.cache\ndef f():\n    return 1"),
    (["n = 3"], "[n for n in range(2)]", ""),
    (["n = 3"], "[i * n for i in range(2)]", "n = 3"),
    (["for k in range(3):\n    s = k"], "print(s)", "for k in range(3):\n    s = k"),
])
def test_what_has_to_run_before(cells, code, wanted):
    assert needed(cells, code) == wanted


@each
def test_every_exercise_is_in_the_page_or_says_why(path):
    found = {job["name"]: job for job in try_here.jobs(path).values() if job["check"]}
    assert len(found) == len(read_exercises(path))
    missing = set(found) - {job["name"] for job in in_the_page(path)}
    assert missing == ({"02_gru_step"} if path.stem.startswith("02") else set())
    assert all("要用 torch" in try_here.block(found[name]) for name in missing)


@each
def test_hints_and_outputs_are_those_of_jupyter(path, tmp_path):
    """空白、答案、每个典型的错答，各得 Jupyter 里的那句话；小格印出 notebook 里存着的输出。"""
    jobs = {job["name"][3:]: job for job in in_the_page(path)}
    stored = {cell.source: cell.get("outputs") for cell in nbformat.read(path, as_version=4).cells}
    answers = [(exercise.stub, "还没有") for exercise in read_exercises(path)]
    answers += [(exercise.solution, "对了") for exercise in read_exercises(path)] + WRONG[path.stem]
    tasks = [(jobs.get(re.search(r"def (\w+)", code)[1]), code, hint) for code, hint in answers]
    tasks += [(job, job["code"], "".join(out.get("text") or out["data"]["text/plain"] + "\n"
                                         for out in stored[job["code"]]))
              for job in jobs.values() if not job["check"]]
    tasks = [task for task in tasks if task[0]]   # 要 torch 的一题不在书页里
    shown = run_bare([(job["before"], code, job["check"]) for job, code, _ in tasks], tmp_path)
    assert [(code, text) for (job, code, wanted), text in zip(tasks, shown, strict=True)
            if (wanted not in text if job["check"] else wanted != text)] == []


def test_the_counts_told_on_the_set_up_page():
    told = (ROOT / "book/setup.md").read_text(encoding="utf-8")
    here = [job for path in CHAPTERS for job in in_the_page(path)]
    checked = sum(1 for job in here if job["check"])
    assert f"30 道练习里，{checked} 道下面" in told and f"{len(here) - checked} 段小代码" in told
    assert sum(len(read_exercises(path)) for path in CHAPTERS) == 30
    assert f"约 {try_here.packed_python()[1]['megabytes']} MB" in told


# --- 运行一格 -----------------------------------------------------------------------------

@pytest.mark.parametrize("code, shown", [
    ("1 + 1", "2\n"),
    ("x = 3\nx", "3\n"),
    ("None", ""),
    ("print('甲')\nprint('乙')", "甲\n乙\n"),
    ("def f(x):\n    return x / 0\nprint(1)\nf(2)",
     "1\n第 2 行出错：return x / 0\nZeroDivisionError: division by zero\n"),
    ("x = 1\nif x\n    pass", "第 2 行写得不合语法：if x\nSyntaxError: expected ':'\n"),
    ("import torchx", "第 1 行出错：import torchx\nModuleNotFoundError: No module named 'torchx'\n"
     "书页里只有 Python 自带的模块、numpy 和 textseq；要用别的，请在自己的电脑上做\n"),
    ("open('没有.txt')", "第 1 行出错：open('没有.txt')\nFileNotFoundError: "
     "[Errno 2] No such file or directory: '没有.txt'\n"
     "书页里没有课程的数据文件；要用它，请在自己的电脑上做\n"),
    ("raise OSError(29, 'I/O error')", "第 1 行出错：raise OSError(29, 'I/O error')\nOSError: "
     "[Errno 29] I/O error\n书页里不能用 input()；把要输入的直接写在代码里\n"),
    ("exit(3)", "第 1 行出错：exit(3)\nSystemExit: 3\n不用 exit()，代码走完就停\n"),
])
def test_what_is_shown(code, shown):
    assert run(code) == shown


def test_a_long_output_is_cut_but_an_error_is_still_seen():
    shown = run("print('甲' * 1_000_000)\nprint('乙')\n1 / 0")
    assert len(shown) < 21_000
    assert "乙" not in shown and "输出超过 20,000 个字" in shown
    assert shown.endswith("第 3 行出错：1 / 0\nZeroDivisionError: division by zero\n")


def test_a_fresh_space_each_time():
    run("left = 1")
    assert "NameError" in run("left")


# --- 浏览器 -------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """一页，各章能运行的格都在上面；Python 与建好的书里的一样。"""
    folder = tmp_path_factory.mktemp("在 这里")
    parts, about = try_here.packed_python()
    try_here.write_parts(folder / "python")
    assert len(list(folder.glob("python/*.js"))) == len(parts) == about["parts"]
    shutil.copy(ROOT / "book/_static/try_here.js", folder)
    cells = "".join(f'<div class="cell"><div class="cell_input">书上的代码</div>{try_here.block(job)}</div>'
                    for path in CHAPTERS for job in in_the_page(path))
    (folder / "page.html").write_text(with_policy(
        f'<!doctype html><html lang="zh-CN"><meta charset="utf-8"><link rel="icon" href="data:,">{cells}'
        f"<script>const PYTHON = {json.dumps(about)};</script><script src='try_here.js'></script>"),
        encoding="utf-8")
    return folder


@pytest.fixture(params=[pytest.param("http", marks=pytest.mark.full), "file"])   # 启动一次 Python 要好几秒
def address(built, request):
    """双击打开的，或本机网站的。"""
    if request.param == "file":
        yield f"{built.as_uri()}/page.html"
    else:
        with serve(built) as url:
            yield f"{url}/page.html"


class Cell:
    """页上的一格。"""

    def __init__(self, page, name):
        self.here = page.locator(f'.try-here[data-name="{name}"]')
        self.here.locator(".try-open").click()
        self.output, self.status = self.here.locator(".try-output"), self.here.locator(".try-status")
        self.box = self.here.get_by_role("textbox")

    def press(self, name):
        self.here.get_by_role("button", name=name, exact=True).click()

    def enter(self, code, button):
        self.box.fill(code)
        self.press(button)


def shows(locator, text):
    expect(locator).to_contain_text(text, timeout=120_000)


LOOP = "print('开始')\nwhile True:\n    pass"


def test_one_exercise_of_each_chapter(watched, address):
    """错答得它的提示，答案得“对了”；然后是停不下来的、出错的，页面都还在。"""
    watched.clock.install()
    watched.goto(address)
    for path in CHAPTERS:
        wrong, hint = WRONG[path.stem][0]
        name = re.match(r"def (\w+)", wrong)[1]
        solution = next(exercise.solution for exercise in read_exercises(path) if exercise.name == name)
        cell = Cell(watched, f"{path.stem[:2]}_{name}")
        cell.press("检查")
        shows(cell.output, "还没有")
        cell.enter(wrong, "检查")
        shows(cell.output, hint)
        cell.enter(solution, "检查")
        shows(cell.output, "对了")
    for code, shown in [("import torch", "在自己的电脑上做"), ("open('没有.txt')", "没有课程的数据文件"),
                        ("input()", "书页里不能用 input()"), ("1 / 0", "ZeroDivisionError"),
                        ("def f():\n    return f()\nf()", "RecursionError"),
                        ("print('甲' * 2_000_000)", "后面的不显示了"),
                        ("import urllib.request as u\nu.urlopen('http://127.0.0.1:9/')", "第 2 行出错")]:
        cell.enter(code, "运行")
        shows(cell.output, shown)
    cell.enter(LOOP, "运行")
    shows(cell.output, "开始")
    watched.clock.fast_forward(21_000)
    shows(cell.status, "过了 20 秒还没有完")
    expect(cell.box).to_have_value(LOOP)


@pytest.mark.full   # 启动两次 Python，每次好几秒
@pytest.mark.parametrize("address", ["http"], indirect=True)
def test_stopping_and_starting_again(watched, address):
    watched.goto(address)
    cell, other = Cell(watched, "01_count_params"), Cell(watched, "01_clip")
    cell.enter(LOOP, "运行")
    shows(cell.output, "开始")
    other.press("运行")
    shows(other.status, "另一段代码还在运行")
    cell.press("停")
    shows(cell.status, "停下了。你写的还在")
    cell.enter("print('又能用了')", "运行")
    shows(cell.output, "又能用了")


@pytest.mark.parametrize("address", ["http"], indirect=True)
def test_the_work_is_kept_reset_and_saved(watched, address):
    watched.goto(address)
    cell = Cell(watched, "01_count_params")
    stub = cell.box.input_value()
    cell.box.fill("def count_params(D, H, T):\n    return 1  # 我的")
    watched.reload()
    cell = Cell(watched, "01_count_params")
    expect(cell.box).to_have_value("def count_params(D, H, T):\n    return 1  # 我的")
    with watched.expect_download() as download:
        cell.press("存成文件")
    assert download.value.suggested_filename == "01_count_params.py"
    assert Path(download.value.path()).read_text(encoding="utf-8").endswith("# 我的\n")
    cell.press("还原")
    expect(cell.box).to_have_value(stub)
    watched.reload()
    expect(Cell(watched, "01_count_params").box).to_have_value(stub)


@pytest.mark.parametrize("address", ["http"], indirect=True)
def test_the_keyboard_indents_and_can_leave(watched, address):
    watched.goto(address)
    cell = Cell(watched, "01_count_params")
    cell.box.fill("")
    for key in ["d", ":", "Enter", "1", "Enter", "Tab", "2"]:
        cell.box.press(key)
    expect(cell.box).to_have_value("d:\n    1\n        2")
    cell.box.press("Escape")
    cell.box.press("Tab")
    expect(cell.here.get_by_role("button", name="运行")).to_be_focused()


NO_MODULES = """window.Worker = class {
  constructor() { setTimeout(() => this.onerror({})); }
  postMessage() {}
  terminate() {}
}"""
FORBIDDEN = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('不许'); } })"


@pytest.mark.parametrize("address", ["http"], indirect=True)
@pytest.mark.parametrize("before, code, said", [
    (FORBIDDEN, "x = 1", "浏览器不让存"),
    ("Storage.prototype.setItem = () => { throw new DOMException('满了', 'QuotaExceededError'); }", "x = 1",
     "浏览器不让存"),
    ("delete window.Worker", "运行", "这个浏览器太旧"),
    ("delete window.DecompressionStream", "运行", "这个浏览器太旧"),
    (NO_MODULES, "运行", "这个浏览器开不了"),
])
def test_a_browser_that_cannot(watched, address, before, code, said):
    watched.add_init_script(before)
    watched.goto(address)
    cell = Cell(watched, "01_count_params")
    if code == "运行":
        cell.press("运行")
    else:
        cell.box.fill(code)
    shows(cell.status, said)


@pytest.mark.parametrize("address", ["http"], indirect=True)
def test_a_broken_connection_is_taken_up_again(page, address):
    broken = []
    page.route("**/python/3.js", lambda route: route.abort() if not broken else route.continue_())
    page.goto(address)
    cell = Cell(page, "01_count_params")
    asked = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    cell.press("运行")
    shows(cell.status, "取到第 4 段")
    broken.append("好了")
    cell.press("运行")
    shows(cell.status, "正在启动 Python")
    assert asked.count("2.js") == 1 and asked.count("3.js") == 2
