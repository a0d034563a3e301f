"""在这里做：练习，以及带 live 标签的 NumPy 小格，在书页里就能改、能运行，不用安装。

每个这样的格后面放一小段 JSON：这一格的代码（code）、要先运行的（before）、检查（check）。浏览器里的
Python 连同 numpy 与 textseq 装成 _static/python/0.js、1.js ……，读者点了按钮才取；双击打开的一份
也能用，所以是脚本，不是要 fetch 的文件。运行的部分在 _static/try_here.js 与 _kit/runner.py。
"""

import base64
import functools
import gzip
import io
import json
import sys
import tarfile
import zipfile
from html import escape
from pathlib import Path

import nbformat
from docutils import nodes

from textseq import __file__ as module_file

KIT = Path(__file__).parents[1] / "_kit"
sys.path.insert(0, str(KIT))
from exercises import globals_used, needed, read_exercises, tags  # noqa: E402

PYTHON = Path(__file__).parents[1] / "_pyodide"
FROM_PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip",
                "pyodide-lock.json")
PART = 1_000_000   # 一个 .js 里 base64 的字符数：网慢的人看得见进度


def jobs(notebook):
    """notebook 里能在书页里运行的格，或说明为什么不能的练习：下标 → {name, code, before, check}。"""
    cells = nbformat.read(notebook, as_version=4).cells
    exercises = {exercise.stub: exercise for exercise in read_exercises(notebook)}
    found, before = {}, []
    for index, cell in enumerate(cells):
        if "live" in tags(cell):
            found[index] = {"name": f"{notebook.stem[:2]}_{cell.id}", "code": cell.source,
                            "before": needed(before, cell.source), "check": ""}
        elif "exercise" in tags(cell):
            exercise = exercises[cell.source]
            found[index] = {"name": f"{notebook.stem[:2]}_{exercise.name}", "code": cell.source,
                            "before": exercise.before, "check": exercise.check}
        if cell.cell_type == "code":
            before.append(cell.source)
    return found


# --- 放进书页 -----------------------------------------------------------------------------

def block(job):
    """格后面的那一段 HTML。要用 torch 的练习，和没有带 Python 的书，只说一句话。"""
    if not PYTHON.is_dir():
        return note("这一份网页没有带浏览器里的 Python，请在 Jupyter 里做") if job["check"] else ""
    if uses_torch(job):
        return note("这一题的检查要用 torch，书页里没有，请在 Jupyter 里做")
    packed = json.dumps(job, ensure_ascii=False).replace("<", "\\u003c")
    return (f'<div class="try-here" data-name="{escape(job["name"])}">'
            f'<script type="application/json">{packed}</script></div>')


def uses_torch(job):
    return "torch" in globals_used(f"{job['before']}\n{job['check']}")


def note(sentence):
    return f'<p class="try-here-note">{sentence}。</p>'


def add_blocks(app, doctree):
    page = Path(app.env.doc2path(app.env.docname))
    if page.suffix != ".ipynb":
        return
    found = jobs(page)
    for cell in doctree.findall(lambda node: node.get("nb_element") == "cell_code"
                                if isinstance(node, nodes.container) else False):
        if cell["cell_index"] in found:
            cell.insert(1, nodes.raw("", block(found[cell["cell_index"]]), format="html"))


def add_script(app, pagename, templatename, context, doctree):
    if pagename.startswith("notebooks/") and PYTHON.is_dir():
        app.add_js_file(None, body=f"const PYTHON = {json.dumps(packed_python()[1])};")
        app.add_js_file("try_here.js", loading_method="defer")


# --- 浏览器里的 Python --------------------------------------------------------------------

def zip_module():
    """textseq 的 .py，一个 zip；时间戳写死，所以每次相同。"""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(Path(module_file).parent.glob("*.py")):
            entry = zipfile.ZipInfo(f"textseq/{path.name}", (2026, 1, 1, 0, 0, 0))
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def python_files():
    """名字 → 内容：Pyodide、numpy、textseq、runner.py。"""
    [pyodide], [numpy] = PYTHON.glob("pyodide-*.tgz"), PYTHON.glob("numpy-*.whl")
    with tarfile.open(pyodide) as archive:
        files = {name: archive.extractfile(f"package/{name}").read() for name in FROM_PYODIDE}
    lock = json.loads(files.pop("pyodide-lock.json"))
    return files | {
        "lock.json": json.dumps({"info": lock["info"], "packages": {}}).encode(),   # 别的包都不在这里
        "numpy.whl": numpy.read_bytes(),
        "textseq.zip": zip_module(),
        "runner.py": (KIT / "runner.py").read_bytes(),
    }


@functools.cache
def packed_python():
    """(各段, 浏览器要知道的数)：各段接起来是 base64，解开是 gzip，再解开是各文件首尾相接。"""
    files = python_files()
    packed = base64.b64encode(gzip.compress(b"".join(files.values()), mtime=0)).decode()
    parts = [packed[start:start + PART] for start in range(0, len(packed), PART)]
    return parts, {"parts": len(parts), "megabytes": round(len(packed) * 0.75 / 1e6),
                   "files": {name: len(content) for name, content in files.items()}}


def write_parts(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for number, part in enumerate(packed_python()[0]):
        (folder / f"{number}.js").write_text(f'pythonPart({number}, "{part}");\n')


def write(app, error):
    if error is None and app.builder.format == "html" and PYTHON.is_dir():
        write_parts(Path(app.outdir, "_static/python"))


def setup(app):
    app.connect("doctree-read", add_blocks)
    app.connect("html-page-context", add_script)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
