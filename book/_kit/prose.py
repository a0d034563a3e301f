"""书里的话拿到别处用：幻灯片、卡片、课堂单共用的 Markdown，表的格子，各章的教案。"""

import re
from pathlib import Path

from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin


def reader(draw_formula, **options):
    """Markdown 的解析器：公式交给 draw_formula(TeX, 是不是单独一行)；链接只留文字，别处没有别的页可跳。"""
    made = MarkdownIt("commonmark", options).enable("table").use(
        dollarmath_plugin, double_inline=True,
        renderer=lambda tex, found: draw_formula(tex, found["display_mode"]))
    made.renderer.rules |= {"link_open": lambda *_: "", "link_close": lambda *_: ""}
    return made


def cells_of(row):
    """表的一行 → 各格的原文；公式里的竖线写作 \\|。"""
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


PLANS = Path(__file__).parents[1] / "teaching"


def plan(number):
    """第几章的教案，原文。"""
    return (PLANS / f"{number}.md").read_text(encoding="utf-8")
