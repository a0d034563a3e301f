"""`{quiz} 01` 指令：一章的五道自测题，题在 data/quizzes/quizzes.json。

每个选项是一个折叠块，点开就说对不对、为什么；不用脚本，打印、读屏、双击打开都行。
"""

import json
import re
from html import escape
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

QUIZZES = Path(__file__).parents[2] / "data/quizzes/quizzes.json"


def read_quizzes():
    return json.loads(QUIZZES.read_text(encoding="utf-8"))


def plain(text):
    """选项的一行：只有文字与代码，没有公式。"""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))


class Quiz(Directive):
    required_arguments = 1

    def run(self):
        self.state.document.settings.env.note_dependency(str(QUIZZES))   # 题改了，这一页重建
        found = []
        for number, question in enumerate(read_quizzes()[self.arguments[0]], 1):
            found += self.parse(f"**{number}.** {question['question']}")
            for letter, option in zip("甲乙丙丁", question["options"], strict=False):
                mark, word = ("right", "对") if option["right"] else ("wrong", "不对")
                summary = f"<summary>{letter}　{plain(option['text'])}</summary>"
                head = f'<details class="quiz quiz-{mark}">{summary}'
                found += [nodes.raw("", head, format="html"),
                          *self.parse(f"**{word}。** {option['why']}"),
                          nodes.raw("", "</details>", format="html")]
        return found

    def parse(self, text):
        box = nodes.container()
        self.state.nested_parse(StringList([text], source=str(QUIZZES)), 0, box)
        return box.children


def setup(app):
    app.add_directive("quiz", Quiz)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
