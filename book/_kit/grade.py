"""批改收来的 notebook：一张表（姓名 × 练习），每人一页反馈，每题最常见的提示。

    make grade FOLDER=收来的作业

文件叫 张三/01_rnn_recurrence.ipynb、01_rnn_recurrence_张三.ipynb 或 张三.ipynb 都认得。每道练习取学生最后一次
写的那个函数，连同它用到的、学生自己写的别的函数；检查用书里的，不用学生交来的。学生的代码在另一个进程里
运行，每题至多 20 秒；读不出的文件、停不下来的代码，只影响它自己。
"""

import argparse
import ast
import csv
import functools
import html
import io
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import nbformat
from exercises import chapters, needed, read_exercises

from textseq._files import write_atomically

SECONDS = 20          # 一道练习至多这么久
LATE = 75             # 到时间了，工人用这个数退出
MEMORY = 8 * 2**30    # 学生的进程至多占这么多地址空间（Linux）
ROOT = Path(__file__).parents[2]
RIGHT, EMPTY = "对了", "没有做"
RESULTS = "成绩.csv"


class Answer(NamedTuple):
    """一个学生的一道练习：交来的代码，和批改的话；以“对了”开头就是对。"""
    student: str
    exercise: str
    code: str
    verdict: str

    @property
    def right(self):
        return self.verdict.startswith(RIGHT)


@functools.cache
def course():
    """章 → (各格的编号, 它的练习)。"""
    return {chapter.stem: ({cell.id for cell in nbformat.read(chapter, as_version=4).cells},
                           read_exercises(chapter)) for chapter in chapters()}


# --- 收来的文件 ---------------------------------------------------------------------------

def student_of(path, folder):
    """文件的路径 → 学生的名字。"""
    stem = path.stem
    for chapter in course():
        stem = stem.removeprefix(chapter)
    stem = stem.strip("_- ()（）")
    parents = path.relative_to(folder).parts[:-1]
    return parents[0] if parents else stem or path.stem


def code_cells(path):
    """能读成语法的代码格；读不出文件就报 ValueError。"""
    try:
        cells = nbformat.read(path, as_version=4).cells
        sources = [cell.source for cell in cells if cell.cell_type == "code"]
    except Exception as error:  # noqa: BLE001  交来的文件什么样都有
        raise ValueError(f"文件读不出来（{type(error).__name__}），请他重新交") from error
    return [source for source in sources if parses(source)]


def parses(source):
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return False
    return True


def defined(source):
    return {s.name for s in ast.parse(source).body if isinstance(s, ast.FunctionDef)}


def why_missing(path, name):
    """没有找到这道题的函数：没有做，还是写了但那一格不合语法。"""
    cells = nbformat.read(path, as_version=4).cells
    broken = any(f"def {name}(" in c.source and not parses(c.source) for c in cells if c.cell_type == "code")
    return "那一格不合语法，运行不了" if broken else EMPTY


def chapter_of(path):
    """交来的是哪一章：格的编号、文件名、写了哪些练习的函数，合起来最像的；都不沾边报 ValueError。"""
    names = set().union(*map(defined, code_cells(path)))
    ids = {cell.get("id") for cell in nbformat.read(path, as_version=4).cells}

    def likeness(chapter):
        own, exercises = course()[chapter]
        return (len(own & ids) + len({e.name for e in exercises} & names)
                + 100 * path.stem.startswith(chapter))

    best = max(course(), key=likeness)
    if not likeness(best):
        raise ValueError("认不出是哪一章的作业")
    return best


def tasks_of(path, chapter):
    """交来的一份 → {练习: (先运行的, 学生别处写的函数, 学生的答案, 检查, 参考答案)}；没有的不在里面。"""
    sources = code_cells(path)
    found = {}
    for exercise in course()[chapter][1]:
        places = [i for i, source in enumerate(sources) if exercise.name in defined(source)]
        if places:
            code = sources[places[-1]]
            helpers = needed([s for i, s in enumerate(sources) if i != places[-1]], code)
            found[exercise.name] = exercise.before, helpers, code, exercise.check, exercise.solution
    return found


# --- 运行 ---------------------------------------------------------------------------------

def judge_all(tasks):
    """[给工人的一题] → 每题一句话；停不下来或进程死了，从下一题接着来。"""
    verdicts = []
    while len(verdicts) < len(tasks):
        verdicts += judge_some(tasks[len(verdicts):])
    return verdicts


def judge_some(tasks):
    """在一个新的进程里依次判；做到哪里算哪里，至少一题。"""
    worker = [sys.executable, Path(__file__).with_name("judge.py"), "判.jsonl", SECONDS, MEMORY, LATE]
    with tempfile.TemporaryDirectory() as folder:
        try:
            code = subprocess.run(list(map(str, worker)), input=json.dumps(tasks), text=True, cwd=folder,
                                  timeout=SECONDS * len(tasks) + 30, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL,
                                  env=os.environ | {"PYTHONPATH": str(ROOT)}).returncode
        except subprocess.TimeoutExpired:
            code = LATE
        done = Path(folder, "判.jsonl")
        lines = done.read_text(encoding="utf-8").splitlines() if done.exists() else []
    verdicts = [json.loads(line) for line in lines]
    why = (f"过了 {SECONDS} 秒还没有完：多半是个走不到头的循环" if code == LATE
           else "进程中途没了：多半是内存不够")
    return verdicts if len(verdicts) == len(tasks) else [*verdicts, why]


def read_file(path):
    """一份 notebook → (章, 各题给工人的)；读不出来、认不出来，ValueError。"""
    chapter = chapter_of(path)
    return chapter, tasks_of(path, chapter)


def answers_of(path, student, chapter, tasks, verdicts):
    """各题的 Answer，没有做的也在内。"""
    answers = [Answer(student, name, f"{task[1]}\n{task[2]}".strip(), verdict)
               for (name, task), verdict in zip(tasks.items(), verdicts, strict=True)]
    missing = [e.name for e in course()[chapter][1] if e.name not in tasks]
    return answers + [Answer(student, name, "", why_missing(path, name)) for name in missing]


# --- 表与反馈 -----------------------------------------------------------------------------

PAGE = """<!doctype html><html lang="zh-CN"><meta charset="utf-8"><title>{title}</title>
<style>
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 16px/1.7 system-ui, sans-serif; }}
table {{ border-collapse: collapse; }} td, th {{ border: 1px solid #ccc; padding: .2rem .6rem; }}
pre {{ background: #f5f4ef; padding: .6rem; overflow-x: auto; }} .right {{ color: #1a7f37; }}
.wrong {{ color: #8a4b0f; }}
</style>
<h1>{title}</h1>
{body}
"""


def titles():
    """练习的名字 → “01 练习 2：往回走一步”。"""
    return {e.name: f"{chapter[:2]} {e.title}"
            for chapter, (_, exercises) in course().items() for e in exercises}


def table(answers):
    """一行一个学生：姓名，各题 1 或 0，合计，读不出的文件；列只有交来的那几章的练习。"""
    order = [name for name in titles() if any(a.exercise == name for a in answers)]
    rows = [["姓名", *(titles()[name] for name in order), "合计", "备注"]]
    for student in sorted({a.student for a in answers}):
        mine = [a for a in answers if a.student == student]
        marks = [int(any(a.right for a in mine if a.exercise == name)) for name in order]
        rows.append([student, *marks, sum(marks), "；".join(a.verdict for a in mine if not a.exercise)])
    return rows


def feedback(student, answers):
    parts = []
    for answer in answers:
        mark = "right" if answer.right else "wrong"
        parts.append(f"<h2>{html.escape(titles().get(answer.exercise, '文件'))}</h2>"
                     f'<p class="{mark}">{html.escape(answer.verdict)}</p>'
                     + (f"<pre>{html.escape(answer.code)}</pre>" if answer.code else ""))
    return PAGE.format(title=html.escape(f"{student}：反馈"), body="\n".join(parts))


def summary(rows, answers):
    head, *body = rows
    cells = "".join(f"<tr>{''.join(f'<td>{html.escape(str(c))}</td>' for c in row)}</tr>" for row in body)
    parts = [f"<table><tr>{''.join(f'<th>{html.escape(c)}</th>' for c in head)}</tr>{cells}</table>"]
    for name, title in titles().items():
        said = Counter(a.verdict for a in answers if a.exercise == name and not a.right)
        if said:
            items = "".join(f"<li>{n} 人：{html.escape(text)}</li>" for text, n in said.most_common())
            parts.append(f"<h2>{html.escape(title)}</h2><ul>{items}</ul>")
    return PAGE.format(title="批改汇总", body="\n".join(parts))


def file_name(student):
    return "".join("_" if c in '\\/:*?"<>|' else c for c in student)


def write_all(answers, target):
    """成绩.csv（Excel 打得开）、汇总.html、反馈/姓名.html；上一次的反馈先删去，免得留着别人的。"""
    rows, pages = table(answers), target / "反馈"
    pages.mkdir(parents=True, exist_ok=True)
    for old in pages.glob("*.html"):
        old.unlink()
    for student in {a.student for a in answers}:
        mine = [a for a in answers if a.student == student]
        write_atomically(pages / f"{file_name(student)}.html", feedback(student, mine))
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows(rows)
    write_atomically(target / RESULTS, "\ufeff" + lines.getvalue())
    write_atomically(target / "汇总.html", summary(rows, answers))


def grade(folder, target):
    files = sorted(p for p in folder.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts)
    if not files:
        sys.exit(f"{folder} 里没有 .ipynb 文件；请写收来的作业所在的文件夹")
    if target.exists() and any(target.iterdir()) and not (target / RESULTS).exists():
        sys.exit(f"{target} 已经在了，里面不是批改的结果；为免盖掉它，请换一个 -o")
    answers, waiting = [], []
    with ThreadPoolExecutor(os.cpu_count()) as pool:     # 线程只管等各自的进程；读文件、解析都在这里
        for path in files:
            student = student_of(path, folder)
            try:
                chapter, tasks = read_file(path)
            except ValueError as error:
                answers.append(Answer(student, "", "", f"{path.name}：{error}"))
                continue
            judged = pool.submit(judge_all, list(tasks.values()))
            waiting.append((judged, path, student, chapter, tasks))
        for number, (judged, path, *rest) in enumerate(waiting, 1):
            answers += answers_of(path, *rest, judged.result())
            print(f"{number} / {len(waiting)}　{path.relative_to(folder)}", flush=True)
    write_all(answers, target)
    print(f"成绩在 {target / RESULTS}，汇总在 {target / '汇总.html'}")


def main():
    parser = argparse.ArgumentParser(description="批改收来的 notebook", add_help=False)
    parser.add_argument("-h", "--help", action="help", help="显示这些说明")
    parser.add_argument("folder", type=Path, help="收来的作业所在的文件夹")
    parser.add_argument("-o", type=Path, default=Path("build/成绩"), help="结果写到哪里（默认 build/成绩）")
    options = parser.parse_args()
    if not options.folder.is_dir():
        sys.exit(f"没有文件夹 {options.folder}；请写收来的作业所在的文件夹")
    grade(options.folder, options.o)


if __name__ == "__main__":
    main()
