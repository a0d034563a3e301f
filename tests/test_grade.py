"""学生版与批改：从学生版做起，交来什么样的都批得出来，一个人的坏文件不碍着别人。"""

import csv
import json
import re
import sys
from pathlib import Path

import assignments
import grade
import mutants
import nbformat
import pytest
from exercises import chapters, read_exercises
from nbformat.v4 import new_code_cell
from test_notebooks import WRONG

ROOT = Path(__file__).parents[1]
RIGHT = json.loads(Path(__file__).with_name("right_answers.json").read_text(encoding="utf-8"))
SAME = json.loads(mutants.SAME.read_text(encoding="utf-8"))
FIRST, *OTHERS = chapters()
each = pytest.mark.parametrize("path", [    # 别的章每次要导入 torch，几秒一章
    pytest.param(FIRST, id="01"), *(pytest.param(p, id=p.stem[:2], marks=pytest.mark.full) for p in OTHERS)])
COUNT, STEP, CLIP = read_exercises(FIRST)


@pytest.fixture(scope="module")
def blank():
    """第 01 章的学生版，内容是文本。"""
    return nbformat.writes(assignments.student_version(FIRST))


def hand_in(path, blank, *answers, remove=(), add=()):
    """把空白换成 answers 里的代码，存成一份作业；remove 里的标签整格删去，add 里的代码加在最后。"""
    book = nbformat.reads(blank, as_version=4)
    for answer in answers:
        name = re.search(r"def (\w+)", answer)[1]
        cell = next(c for c in book.cells if c.source.startswith(f"def {name}("))
        cell.source = answer
    book.cells = [c for c in book.cells if not set(remove) & set(c.metadata.get("tags", []))]
    book.cells += [new_code_cell(code) for code in add]
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(book, path)


@pytest.mark.parametrize("path", chapters(), ids=lambda path: path.stem[:2])
def test_the_student_version(path):
    book = assignments.student_version(path)
    text = nbformat.writes(book)
    assert "参考答案" not in text and not re.search(r'"outputs": \[\s*\{', text)
    kept = {cell.source for cell in book.cells}
    for exercise in read_exercises(path):
        assert {exercise.stub, exercise.check} <= kept
        assert exercise.solution not in text
    assert [c.id for c in book.cells if c.cell_type == "code"] == [
        c.id for c in nbformat.read(path, as_version=4).cells if c.cell_type == "code"]


def test_a_whole_class(tmp_path, blank, monkeypatch, capsys):
    monkeypatch.setattr(grade, "SECONDS", 3)
    right = COUNT.solution, STEP.solution, CLIP.solution
    name = FIRST.name
    folder = tmp_path / "收来 的"
    hand_in(folder / "全对" / name, blank, *right)
    hand_in(folder / f"{FIRST.stem}_没做.ipynb", blank)
    wrong, hint = WRONG[FIRST.stem][0]
    hand_in(folder / "错一题.ipynb", blank, wrong, *right[1:])
    loop, vanish = "    while True:\n        pass", "    import os\n    os._exit(0)"
    hand_in(folder / "死循环" / name, blank, f"def count_params(D, H, T):\n{loop}", *right[1:])
    hand_in(folder / "没了" / name, blank, right[0], f"def step_back(*args):\n{vanish}", right[2])
    hand_in(folder / "占内存" / name, blank, "def count_params(D, H, T):\n    return np.ones((2, 10**10))")
    hand_in(folder / "出错" / name, blank, "def count_params(D, H, T):\n    x = 1\n    return nothing")
    hand_in(folder / "不合语法" / name, blank, "def count_params(D, H, T):\n    return (", *right[1:])
    hand_in(folder / "删了检查" / name, blank, *right, remove=["check", "setup"])
    hand_in(folder / "抄了一格" / name, blank, *right, add=[wrong, COUNT.solution])
    hand_in(folder / "作弊" / name, blank, COUNT.stub, *right[1:], add=[
        "def check_count_params(f):\n    return '对了'", "print = lambda *a: None"])
    hand_in(folder / "另一格的函数" / name, blank, right[0], right[1], add=[
        "import math\n\ndef total(grads):\n    return math.sqrt(sum((g ** 2).sum() for g in grads.values()))",
        "def clip(grads, limit):\n    norm = total(grads)\n    scale = min(1, limit / norm)\n"
        "    return {n: g * scale for n, g in grads.items()}"])
    (folder / "坏文件.ipynb").write_text("{", encoding="utf-8")
    (folder / "空的.ipynb").write_text("", encoding="utf-8")
    (tmp_path / "成绩/反馈").mkdir(parents=True)
    (tmp_path / "成绩/成绩.csv").write_text("上一次的", encoding="utf-8")
    (tmp_path / "成绩/反馈/退课的人.html").write_text("上一次的", encoding="utf-8")
    grade.grade(folder, tmp_path / "成绩")
    assert "12 / 12" in capsys.readouterr().out       # 坏文件与空的不用判
    with open(tmp_path / "成绩/成绩.csv", encoding="utf-8-sig", newline="") as file:
        head, *rows = csv.reader(file)
    assert head[0] == "姓名" and head[1].startswith("01 练习 1") and len(head) == 6
    marks = {student: "".join(found) for student, *found, _, _ in rows}
    assert marks == {"全对": "111", "没做": "000", "错一题": "011", "死循环": "011", "没了": "101",
                     "占内存": "000", "出错": "000", "不合语法": "011", "删了检查": "111",
                     "抄了一格": "111", "作弊": "011",
                     "另一格的函数": "111", "坏文件": "000", "空的": "000"}
    page = {path.stem: path.read_text(encoding="utf-8") for path in (tmp_path / "成绩/反馈").iterdir()}
    assert set(page) == set(marks)                    # 上一次的不留
    assert hint in page["错一题"] and "走不到头的循环" in page["死循环"] and "进程中途没了" in page["没了"]
    assert "第 3 行出错：return nothing" in page["出错"] and "MemoryError" in page["占内存"]
    assert "不合语法" in page["不合语法"] and "文件读不出来" in page["坏文件"]
    assert hint in (tmp_path / "成绩/汇总.html").read_text(encoding="utf-8")


@each
def test_answers_and_typical_mistakes(path, tmp_path):
    """每章：参考答案全对，空白与典型的错答都不对，话与书里的相同。"""
    exercises = {e.name: e for e in read_exercises(path)}
    tasks, wanted = [], []
    for e in exercises.values():
        tasks += [(e.before, "", code, e.check, e.solution) for code in (e.solution, e.stub)]
        wanted += ["对了", "还没有"]
    for answer, hint in WRONG[path.stem]:
        e = exercises[re.match(r"def (\w+)", answer)[1]]
        tasks.append((e.before, "", answer, e.check, e.solution))
        wanted.append(hint)
    assert [(said, want) for said, want in zip(grade.judge_all(tasks), wanted, strict=True)
            if want not in said] == []


@each
def test_other_right_answers_are_accepted(path):
    """循环、einsum、就地改、torch，写法不同，对的都收。"""
    exercises = {e.name: e for e in read_exercises(path)}
    answers = [(exercises[re.match(r"def (\w+)", code)[1]], code) for code in RIGHT[path.stem]]
    assert {e.name for e, _ in answers} == set(exercises)
    said = grade.judge_all([(e.before, "", code, e.check, e.solution) for e, code in answers])
    assert [(code, text) for (_, code), text in zip(answers, said, strict=True)
            if not text.startswith("对了")] == []


@pytest.mark.parametrize("exercise", [
    pytest.param(e, id=e.name, marks=[] if path == FIRST else pytest.mark.full)
    for path in chapters() for e in read_exercises(path)])
def test_every_broken_solution_is_refused(exercise):
    """程序改坏的答案：至少十份，除了列明等价的，一份也不放过；列明的都还在。"""
    made, passed = mutants.attack(exercise)
    same = SAME.get(exercise.name, {})
    assert made - len(passed) >= 10
    assert sorted(set(passed)) == sorted(same)


def test_the_table_of_the_teachers_page():
    """改坏了几份、等价的几份，页上写的就是；拒绝的由上一个测试守着。"""
    rows, total = [], [0, 0]
    for path in chapters():
        exercises = read_exercises(path)
        made = sum(len(mutants.mutants(e.solution, e.name)) for e in exercises)
        same = sum(len(SAME.get(e.name, {})) for e in exercises)
        rows.append(f"| {path.stem[:2]} | {made} | {made - same} | {same} | 0 |")
        total = [total[0] + made, total[1] + same]
    rows.append(f"| 合计 | {total[0]} | {total[0] - total[1]} | {total[1]} | 0 |")
    page = (ROOT / "book/teaching.md").read_text(encoding="utf-8")
    assert "\n".join(rows) in page
    assert f"反过来，{sum(map(len, RIGHT.values()))} 份写法不同的正确答案" in page


@pytest.mark.full
def test_most_hints_say_what_is_wrong():
    """被拒绝的，八成以上说得出差在哪里或错在哪一行；几份，页上写的就是。"""
    refused, vague = 0, 0
    for exercise in (exercise for path in chapters() for exercise in read_exercises(path)):
        verdicts = mutants.verdicts_of(exercise, mutants.mutants(exercise.solution, exercise.name))
        refused += sum(not verdict.startswith("对了") for verdict in verdicts)
        vague += sum(map(mutants.is_vague, verdicts))
    assert vague <= 0.2 * refused
    page = (ROOT / "book/teaching.md").read_text(encoding="utf-8")
    assert f"拒绝的 {refused} 份里，{refused - vague} 份" in page


def test_the_chapter_is_recognised(tmp_path):
    """文件改了名也认得；第 01 章里恰好有个与第 03 章练习同名的函数，不会弄错。"""
    for path in chapters():
        nbformat.write(assignments.student_version(path), tmp_path / "作业.ipynb")
        assert grade.chapter_of(tmp_path / "作业.ipynb") == path.stem
    nbformat.write(nbformat.v4.new_notebook(), tmp_path / "空.ipynb")
    with pytest.raises(ValueError, match="认不出"):
        grade.chapter_of(tmp_path / "空.ipynb")


@pytest.mark.parametrize("argument, said", [
    ("没有", "没有文件夹"), (".", "没有 .ipynb 文件"),
])
def test_a_wrong_folder(argument, said, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["grade.py", argument])
    with pytest.raises(SystemExit, match=said):
        grade.main()


def test_other_results_are_not_overwritten(tmp_path, blank):
    hand_in(tmp_path / "收/甲.ipynb", blank)
    (tmp_path / "别的").mkdir()
    (tmp_path / "别的/照片.txt").write_text("勿动", encoding="utf-8")
    with pytest.raises(SystemExit, match="不是批改的结果"):
        grade.grade(tmp_path / "收", tmp_path / "别的")
