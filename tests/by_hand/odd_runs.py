"""笔记不照次序跑会怎样：同一个内核从头跑两遍，再打乱次序跑一遍；在别的文件夹里跑；一上来就跑中间的一格。

    python tests/by_hand/odd_runs.py 03 07       # 这几章；不写就是十章，半小时

每一格的输出（文字，图的说明；图本身不比）要与第一遍相同，否则列出来；出错的，列出最后一行。
"""

import copy
import random
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
from nbval.plugin import get_sanitize_patterns  # noqa: E402

MEASURED = list(get_sanitize_patterns((ROOT / "tests/measured.cfg").read_text(encoding="utf-8")))


def run(book, order, folder):
    """照 order 跑这几格，返回各格的 (输出, 错误的最后一行)。"""
    cells = [copy.deepcopy(book.cells[k]) for k in order]
    for number, cell in enumerate(cells):
        cell.id = str(number)       # 同一格跑几遍，编号不能一样
    fresh = nbformat.v4.new_notebook(cells=cells, metadata=book.metadata)
    NotebookClient(fresh, timeout=900, allow_errors=True, coalesce_streams=True,
                   resources={"metadata": {"path": str(folder)}}).execute()
    return [(seen(cell), error(cell)) for cell in fresh.cells]


def seen(cell):
    texts = []
    for output in cell.outputs:
        data = output.get("data", {"text/plain": output.get("text", "")})
        texts += [data[key] for key in ("text/html", "text/plain") if key in data]
    text = "\n".join(texts)
    for pattern, new in MEASURED:
        text = re.sub(pattern, new, text)
    return text


def error(cell):
    found = [o for o in cell.outputs if o.output_type == "error"]
    return f"{found[0].ename}: {found[0].evalue.splitlines()[0][:90]}" if found else ""


def chapter(path, rng):
    book = nbformat.read(path, as_version=4)
    code = [k for k, cell in enumerate(book.cells) if cell.cell_type == "code"]
    mixed = rng.sample(code, len(code))
    done = run(book, code + code + mixed, path.parent)
    first = dict(zip(code, done[:len(code)], strict=True))
    for title, order, rows in (("再跑一遍", code, done[len(code):2 * len(code)]),
                               ("打乱再跑", mixed, done[2 * len(code):])):
        yield title, order, rows, first
    with tempfile.TemporaryDirectory() as folder:
        yield "别的文件夹", code, run(book, code, folder), first
    some = rng.sample(code[2:], 8)
    yield "先跑中间的", some, run(book, some, path.parent), first


def main(wanted):
    rng = random.Random(1)
    for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb")):
        if wanted and path.name[:2] not in wanted:
            continue
        for title, order, rows, first in chapter(path, rng):
            errors = Counter(re.sub(r"'\w+'", "…", wrong) for _, wrong in rows if wrong)
            other = [k for k, (text, wrong) in zip(order, rows, strict=True)
                     if not wrong and text != first[k][0]]
            same = len(rows) - len(other) - sum(errors.values())
            print(f"{path.name[:2]} {title}：{len(rows)} 格，同样的 {same}，不一样的 {sorted(other)}，"
                  f"出错 {dict(errors)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
