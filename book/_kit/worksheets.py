"""课堂单：一节课一页 A4，先猜、课上记一笔、下课前的纸条。题目从教案与各章里取，不另写一份。

每章第一节课印“先猜一猜”；第二节课印“常见误解”里的说法，让学生先判，课上再对。
"""

import base64
import json
import re
import sys
import tempfile
from dataclasses import dataclass
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book/_ext"))

from cards import misconceptions  # noqa: E402
from formulas import to_mathml  # noqa: E402
from print_font import write_font  # noqa: E402
from prose import PLANS, cells_of, plan, reader  # noqa: E402

MARKDOWN = reader(to_mathml)
SAYINGS = 4  # 第二节课印几条误解
NOTES = 3    # 课上记几笔
STYLE = """
@font-face { font-family: Han; src: url(data:font/ttf;base64,FONT); }
@page { size: A4; margin: 16mm 18mm; }
body { font: 11.5pt/1.55 Han; margin: 0; color: #111; }
section { break-after: page; }
h1 { font-size: 16pt; margin: 0 0 2mm; } h2 { font-size: 12.5pt; margin: 6mm 0 1mm; }
.who, .goal { color: #444; margin: 0 0 1mm; }
p, blockquote { margin: 1mm 0; } blockquote { padding-left: 4mm; border-left: 1mm solid #bbb; }
ol { margin: 0; padding-left: 1.6em; } li { break-inside: avoid; }
.line { border-bottom: .3mm solid #999; height: 8mm; }
"""


@dataclass(frozen=True)
class Lesson:
    """一节课的教案：第几章，题目，学完能做到什么，各行的 (做什么, 问什么)。"""

    chapter: str
    title: str
    goal: str
    rows: list[tuple[str, str]]
    first: bool


def lessons():
    """教案里的各节课，照次序。"""
    for path in sorted(PLANS.glob("*.md")):
        head, *parts = re.split(r"^## (?=第.节：)", plan(path.stem), flags=re.M)
        name = head.splitlines()[0].removeprefix("# ").replace("章教案：", "章 ")
        for k, part in enumerate(parts or [head]):
            title = name + (f"　{part.splitlines()[0]}" if parts else "")
            rows = [tuple(cells_of(row)[1:3]) for row in re.findall(r"^\| \d+–\d+ \|.*$", part, re.M)]
            yield Lesson(path.stem, title, re.search(r"^学完能做到：(.*)$", part, re.M)[1], rows, k == 0)


def notebook(chapter):
    path, = ROOT.glob(f"notebooks/{chapter}_*.ipynb")
    return path


def guesses(chapter):
    """一章的“先猜一猜”：题目前面的话（Markdown），各题。"""
    cells = json.loads(notebook(chapter).read_text(encoding="utf-8"))["cells"]
    text = "".join(cells[0]["source"]).partition("**先猜一猜。**")[2]
    return text.partition("\n1. ")[0], re.findall(r"^\d\. (.*)$", text, re.M)


def questions(lesson):
    """课上要记的几问，从中间几行里匀着取；括号里的答案不印。"""
    asked = [re.sub(r"（[^）]*）", "", ask).strip() for _, ask in lesson.rows[1:-1]]
    asked = [ask for ask in asked if ask.endswith("？") and ask != slip(lesson)]
    step = max(1, len(asked) // NOTES)
    return asked[::step][:NOTES]


def slip(lesson):
    """下课前的纸条：教案里写了就照它，没写就用末一行的问题。"""
    for doing, ask in reversed(lesson.rows):
        if found := re.search(r"纸条(?:上写)?：(.*)$", doing):
            return found[1].strip()
        if ask.endswith("？"):
            return ask
    raise ValueError(f"{lesson.title}：教案里没有可以印成纸条的问题")


def asked(questions, lines=1):
    """一列题，每题留几行写字的地方。"""
    blank = '<div class="line"></div>' * lines
    return "<ol>" + "".join(f"<li>{MARKDOWN.renderInline(q)}{blank}</li>" for q in questions) + "</ol>"


def sheet(lesson):
    """一节课的一页。"""
    if lesson.first:
        lead, asks = guesses(lesson.chapter)
        opening = f"<h2>一、先猜：写下来，不怕错</h2>{MARKDOWN.render(lead)}{asked(asks)}"
    else:
        sayings = [said for said, *_ in misconceptions(notebook(lesson.chapter))][:SAYINGS]
        opening = "<h2>一、先判：对，不对，还是看条件？凭什么？</h2>" + asked(sayings)
    return (f'<section><p class="who">姓名＿＿＿＿＿＿　　班级＿＿＿＿＿＿　　日期＿＿＿＿＿＿</p>'
            f"<h1>{escape(lesson.title)}</h1>"
            f'<p class="goal">学完能做到：{MARKDOWN.renderInline(lesson.goal)}</p>{opening}'
            f"<h2>二、课上记一笔</h2>{asked(questions(lesson), 2)}"
            f"<h2>三、下课前的纸条</h2><p>{MARKDOWN.renderInline(slip(lesson))}</p>"
            + '<div class="line"></div>' * 3 + "</section>")


def document(font):
    """全部课堂单，一页 HTML；font 是中文字体的文件。"""
    body = "".join(map(sheet, lessons()))
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "han.ttf"
        write_font(font, small, re.sub(r"<[^>]+>", "", body) + "0123456789.")
        packed = base64.b64encode(small.read_bytes()).decode()
    return (f'<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>课堂单</title>'
            f"<style>{STYLE.replace('FONT', packed)}</style></head><body>{body}</body></html>")
