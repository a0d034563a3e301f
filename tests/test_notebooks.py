"""notebook 的卫生，以及它的练习：存下的输出、轴名、图、答案与提示。

输出的每个数由 nbval 重新算过（pytest --nbval），这里管 nbval 不管的事。
"""

import base64
import json
import re
import struct
import unicodedata
from pathlib import Path

import nbformat
import pytest
from exercises import read_exercises

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("[0-9]*.ipynb"))
PHONE = 352  # 390 px 宽的手机上，图有这么宽（px）；test_site 量过
PIXELS_PER_POINT = 130 / 72  # figures.use_style 定的 dpi
SMALLEST = re.compile(r"最小的字 (\S+) 磅")
HEADINGS = ["先猜一猜", "常见误解", "小结", "练习", "延伸阅读", "这一章的代价"]

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)


def cells(path, kind):
    return [c for c in nbformat.read(path, as_version=4).cells if c.cell_type == kind]


def outputs(path):
    return [o for cell in cells(path, "code") for o in cell.outputs]


def columns(line):
    """显示宽度：汉字占两列。"""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


def longest_run_of_code(path):
    kinds = "".join(c.cell_type[0] for c in nbformat.read(path, as_version=4).cells)
    return max(map(len, re.findall("c+", kinds)))


def test_there_are_notebooks():
    assert NOTEBOOKS


@each
def test_file_is_normalised(path):
    raw = json.loads(path.read_text(encoding="utf-8"))
    nbformat.validate(raw)
    assert raw["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"}}
    assert all(set(c["metadata"]) <= {"tags"} for c in raw["cells"])


@each
def test_executed_in_order_with_clean_outputs(path):
    counts = [c.execution_count for c in cells(path, "code")]
    assert counts == list(range(1, len(counts) + 1)), "请运行 make notebooks"
    assert not [o for o in outputs(path) if o.output_type == "error" or o.get("name") == "stderr"]
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"/root/|/tmp/|/home/|/Users/|C:\\\\Users|site-packages", text), "输出里有本机的路径"


@each
def test_cells_are_short_and_outputs_too(path):
    for cell in cells(path, "code"):
        folded = "check" in cell.metadata.get("tags", [])  # 检查格是收起来的
        assert cell.source.count("\n") < (30 if folded else 25), f"代码行数太多：{cell.source[:40]}"
        if not folded:
            wide = [line for line in cell.source.splitlines() if columns(line) > 82]
            assert wide == [], "网页上一行放不下，请折行"
        for output in cell.outputs:
            assert output.get("text", "").count("\n") <= 40, f"输出超过 40 行：{cell.source[:40]}"
    assert longest_run_of_code(path) <= 2


@each
def test_every_figure_has_a_claim_axis_names_and_modest_size(path):
    for output in outputs(path):
        if "image/png" in output.get("data", {}):
            first, *rest = output.data["text/plain"].splitlines()
            assert re.fullmatch(r"图：.*[\u4e00-\u9fff].*", first), f"图没有中文标题：{first}"
            assert "横轴 —" not in rest[0] and "纵轴 —" not in rest[0], f"图没有轴名：{first}"
            assert len(output.data["image/png"]) < 240_000


@each
def test_figures_can_be_read_on_a_phone(path):
    """手机上图缩到屏幕宽，最小的字也不小于 10 px。"""
    for output in outputs(path):
        if png := output.get("data", {}).get("image/png"):
            width, = struct.unpack(">I", base64.b64decode(png)[16:20])
            points = float(SMALLEST.search(output.data["text/plain"])[1])
            pixels = points * PIXELS_PER_POINT * PHONE / max(width, PHONE)
            assert pixels >= 10, f"字在手机上只有 {pixels:.1f} px：{output.data['text/plain'][:40]}"


@each
def test_chapter_has_all_its_parts(path):
    prose = "\n".join(c.source for c in cells(path, "markdown"))
    assert [h for h in HEADINGS if h not in prose] == []


@each
def test_every_guess_is_answered_at_the_end(path):
    """“先猜一猜”有几题，小结开头折叠着的答案就有几条。"""
    first, *rest = [c.source for c in cells(path, "markdown")]
    asked = re.findall(r"^\d\. ", first.partition("**先猜一猜。**")[2], re.M)
    answers, = re.findall(r'^## 小结\n\n<details class="answers">\n(.*?)</details>', "\n".join(rest),
                          re.M | re.S)
    assert len(re.findall(r"^\d\. ", answers, re.M)) == len(asked) >= 3


def printed_numbers(path):
    """全部输出里的数，图的文字说明也算。"""
    found = []
    for output in outputs(path):
        text = output.get("text", "") + SMALLEST.sub("", output.get("data", {}).get("text/plain", ""))
        found += [float(n.replace(",", "")) for n in re.findall(r"-?\d[\d,]*\.?\d*(?:e[+-]\d+)?", text)
                  if n.strip(",")]
    return found


@each
def test_numbers_in_the_prose_are_numbers_in_the_outputs(path):
    """正文里带百分号、小数点或千分位的数，都要能在某个输出里找到（按正文的位数取整）。"""
    printed = printed_numbers(path)
    code = "\n".join(c.source for c in cells(path, "code")).replace("_", "")
    stale = []
    for cell in cells(path, "markdown"):
        if "full-corpus" in cell.metadata.get("tags", []):
            continue  # 由 test_segmentation.py 重算全部语料来核对
        prose = re.sub(r"```.*?```|`[^`]*`|\$[^$]*\$|\]\([^)]*\)|^>.*?$", " ", cell.source,
                       flags=re.DOTALL | re.MULTILINE)
        for number in re.findall(r"(?<![\w.,])\d[\d,]*(?:\.\d+|(?<=,\d{3})|(?=%))", prose):
            digits = len(number.partition(".")[2])
            value = float(number.replace(",", ""))
            if not any(round(abs(p), digits) == value for p in printed) and str(value) not in code:
                stale.append(f"{number}：{prose.strip()[:50]}")
    assert stale == []


def run_check(path, check, answer, capsys):
    namespace = {}
    setup = next(c for c in cells(path, "code") if "setup" in c.metadata.get("tags", []))
    for source in (setup.source, answer, check):
        exec(source, namespace)  # noqa: S102  练习自己的代码
    return capsys.readouterr().out.strip()


@each
def test_three_to_five_exercises(path):
    prose = "\n".join(c.source for c in cells(path, "markdown"))
    assert 3 <= len(re.findall(r"^### 练习 \d", prose, flags=re.MULTILINE)) <= 5
    assert len(read_exercises(path)) >= 2


@each
def test_stubs_get_a_first_hint_and_solutions_pass(path, capsys):
    for exercise in read_exercises(path):
        assert run_check(path, exercise.check, exercise.stub, capsys).startswith("还没有")
        assert run_check(path, exercise.check, exercise.solution, capsys).startswith("对了")


WRONG = json.loads((Path(__file__).parent / "wrong_answers.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name, answer, hint", [
    pytest.param(name, answer, hint, id=f"{name[:2]}-{hint}")
    for name, answers in WRONG.items() for answer, hint in answers])
def test_each_typical_wrong_answer_gets_its_own_hint(name, answer, hint, capsys):
    path = FOLDER / f"{name}.ipynb"
    function = re.match(r"def (\w+)", answer)[1]
    check = next(exercise.check for exercise in read_exercises(path) if exercise.name == function)
    assert hint in run_check(path, check, answer, capsys)


@each
def test_every_hint_is_triggered_by_some_wrong_answer(path):
    checks = "\n".join(exercise.check for exercise in read_exercises(path))
    hints = re.findall(r'return f?"([^"{]{4,})', checks)
    covered = [hint for _, hint in WRONG[path.stem]]
    silent = [h for h in hints if not h.startswith(("还没有", "对了")) and not any(c in h for c in covered)]
    assert silent == []
