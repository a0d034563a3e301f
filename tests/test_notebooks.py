"""notebook 的卫生，以及它的练习：存下的输出、轴名、图、答案与提示。

输出的每个数由 nbval 重新算过（pytest --nbval），正文里的数由 test_proofs.py 对到输出，这里管其余的事。
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
PHONE = 351  # 390 px 宽的手机上，图有这么宽（px）；test_site 量过
PIXELS_PER_POINT = 130 / 72  # figures.use_style 定的 dpi
SMALLEST = re.compile(r"最小的字 (\S+) 磅")
HEADINGS = ["只有二十分钟", "先猜一猜", "常见误解", "小结", "练习", "延伸阅读", "这一章的代价"]

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


def minutes_of_sections(path):
    """节名 → 读完约几分钟：一分钟三百字，十来行露着的代码；一张图半分钟，互动图两分钟。开头名字是空的。"""
    minutes, name = {"": 0.0}, ""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            for part in re.split(r"^(?=## )", cell.source, flags=re.M):
                name = part.split("\n")[0][3:] if part.startswith("## ") else name
                seen = re.sub(r"<details.*?</details>|\$[^$]*\$|\s", "", part, flags=re.S)
                minutes[name] = minutes.get(name, 0) + len(seen) / 300
        else:
            shown = 0 if "hide-input" in cell.metadata.get("tags", []) else cell.source.count("\n") + 1
            pictures = sum("image/png" in output.get("data", {}) for output in cell.outputs)
            minutes[name] += shown / 12 + pictures / 2 + 2 * ("explore.show" in cell.source)
    return minutes


@each
def test_the_short_way_names_sections_and_takes_twenty_minutes(path):
    minutes = minutes_of_sections(path)
    opening = cells(path, "markdown")[0].source
    names = re.findall("“(.*?)”", re.search(r"^\*\*只有二十分钟\*\*：.*", opening, re.M)[0])
    found = [[title for title in minutes if title == name or title.startswith(name)] for name in names]
    assert all(name in titles or len(titles) == 1 for name, titles in zip(names, found, strict=True)), found
    titles = [name if name in titles else titles[0] for name, titles in zip(names, found, strict=True)]
    assert titles == [title for title in minutes if title in titles]        # 照书里的次序，不重复
    assert 15 <= sum(minutes[title] for title in ["", *titles]) <= 22


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
