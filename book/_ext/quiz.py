"""各章末尾的“自测”：读出题目，供自测页、卡片与测试用；`{quiz} 01` 指令把一章的五道题放进页里。

每个选项是一个折叠块，点开就说对不对、为什么：不用脚本，JupyterLab、打印、读屏、双击打开都行。
"""

import json
import re
from functools import cache
from html import unescape
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from docutils.statemachine import StringList

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SECTION = re.compile(r"^## 自测\n\n.*?\n\n(\*\*1\.\*\* .*?)(?=^## |\Z)", re.M | re.S)
QUESTION = re.compile(r"^\*\*\d\.\*\* (.*)", re.M)
OPTION = re.compile(r'<details class="quiz quiz-(right|wrong)"><summary>[甲乙丙丁]　(.*)</summary>\n\n'
                    r"\*\*(对|不对)。\*\* (.*)\n\n</details>")


@cache
def quiz_texts():
    """章号 → 那一章五道题的 Markdown。"""
    found = {}
    for path in sorted(NOTEBOOKS.glob("[0-9]*.ipynb")):
        *_, last = json.loads(path.read_text(encoding="utf-8"))["cells"]
        found[path.stem[:2]] = SECTION.search("".join(last["source"]))[1]
    return found


def read_quizzes():
    """章号 → [{"question": 题, "options": [{"text": 选项, "right": 对不对, "why": 理由}, …]}, …]。"""
    return {chapter: [parse(part) for part in re.split(r"^(?=\*\*\d\.)", text, flags=re.M) if part]
            for chapter, text in quiz_texts().items()}


def parse(part):
    options = [{"text": unescape(re.sub("</?code>", "`", text)), "right": mark == "right", "why": why}
               for mark, text, word, why in OPTION.findall(part) if (mark == "right") == (word == "对")]
    return {"question": QUESTION.search(part)[1], "options": options}


class Quiz(Directive):
    required_arguments = 1

    def run(self):
        env = self.state.document.settings.env
        for path in NOTEBOOKS.glob(f"{self.arguments[0]}_*.ipynb"):
            env.note_dependency(str(path))                    # 题改了，这一页重建
        box = nodes.container()
        lines = StringList(quiz_texts()[self.arguments[0]].splitlines(), source=str(NOTEBOOKS))
        self.state.nested_parse(lines, 0, box)
        return box.children


def setup(app):
    app.add_directive("quiz", Quiz)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
