"""Anki 卡片：术语表一词一张，各章的常见误解一句一张，自测一题一张。都从书里取，不另写一份。

公式写成 \\( \\)，Anki 自己会排；链接只留文字，卡片里没有别的页可跳。
"""

import json
import re
import tempfile
from html import escape
from pathlib import Path

import genanki
from prose import cells_of, reader
from quiz import read_quizzes
from section_search import glossary_terms

ROOT = Path(__file__).parents[2]
CSS = (".card { font: 22px/1.6 system-ui, 'PingFang SC', 'Microsoft YaHei', 'Noto Sans CJK SC', sans-serif;"
       " max-width: 34em; margin: auto; } .more { color: #566270; font-size: 18px; }")
# 编号写死：再导入新的一版，旧卡片的进度还在
MODEL = genanki.Model(1980100701, "序列与词", css=CSS,
                      fields=[{"name": "问"}, {"name": "答"}],
                      templates=[{"name": "卡片", "qfmt": "{{问}}",
                                  "afmt": "{{FrontSide}}<hr id=answer>{{答}}"}])
LETTERS = "甲乙丙丁"


MARKDOWN = reader(lambda tex, _: rf"\({escape(tex)}\)", html=False)


def html(text):
    """一句 Markdown → HTML；公式原样留给 Anki。"""
    return MARKDOWN.renderInline(text)


def glossary_cards():
    for chinese, english, meaning, _ in glossary_terms():
        yield "术语", html(chinese), f"<b>{html(english)}</b><br>{html(meaning)}", "术语"


def misconceptions(notebook):
    """一章“常见误解”那张表的各行：[(话, 结论, 决定它的那次运行), …]。"""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    text = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    text = re.search(r"^## 常见误解\n(.*?)(?=^## )", text, re.S | re.M)[1]
    return [tuple(cells_of(line)[:3]) for line in text.splitlines() if line.startswith("| ")][1:]


def misconception_cards():
    for notebook in sorted(ROOT.glob("notebooks/[0-9]*.ipynb")):
        for saying, verdict, run in misconceptions(notebook):
            front = f"“{html(saying)}”<br><span class=more>成立吗？哪一次运行能决定？</span>"
            yield "误解", front, f"<b>{html(verdict)}</b><br>{html(run)}", f"第{notebook.name[:2]}章"


def explain(letter, option):
    head = f"<b>{letter}　对。</b>" if option["right"] else f"{letter}　不对。"
    return head + html(option["why"])


def quiz_cards():
    for chapter, questions in read_quizzes().items():
        for question in questions:
            options = list(zip(LETTERS, question["options"], strict=False))
            asked = (f"{letter}　{html(option['text'])}" for letter, option in options)
            front = "<br>".join([html(question["question"]), *asked])
            yield "自测", front, "<br>".join(explain(*pair) for pair in options), f"第{chapter}章"


def package():
    """三副牌，牌名带着书名。"""
    decks = {}
    for name, front, back, tag in (*glossary_cards(), *misconception_cards(), *quiz_cards()):
        deck = decks.setdefault(name, genanki.Deck(1980100710 + len(decks), f"序列与词::{name}"))
        guid = genanki.guid_for(tag, front)
        deck.add_note(genanki.Note(MODEL, [front, back], tags=[tag], guid=guid))
    return genanki.Package(list(decks.values()))


def write(target):
    """写成 .apkg；先写临时文件，再改名。"""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder, target.name)
        package().write_to_file(made)
        made.replace(target)
