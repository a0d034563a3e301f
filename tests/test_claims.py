"""笔记的话那一页：结论只有三种，引用的数都在所指章节的输出里。"""

import re
from pathlib import Path

import pytest
from test_notebooks import FOLDER, printed_numbers

PAGE = (Path(__file__).parents[1] / "book" / "claims.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| \[(.+?)\]\(\.\./notebooks/(\w+)\) \| (.+?) \| (.+?) \|$", PAGE, flags=re.MULTILINE)


def test_the_page_has_its_rows():
    lines = re.findall(r"^\|(?:[^|]*\|){3}$", PAGE, flags=re.MULTILINE)
    heads = PAGE.count("| 原话 | 结论 | 决定它的数 |")
    assert len(ROWS) == len(lines) - 2 * heads > 0  # 每张表有两行表头


@pytest.mark.parametrize("claim, chapter, verdict, reason", ROWS, ids=[row[0][:12] for row in ROWS])
def test_the_numbers_are_in_the_chapter(claim, chapter, verdict, reason):
    assert verdict in ("成立", "需要修正", "不成立")
    printed = printed_numbers(FOLDER / f"{chapter}.ipynb")
    for number in re.findall(r"\d[\d,]*\.\d+|\d[\d,]*(?=%)|\d{1,3}(?:,\d{3})+|\de-\d+", reason):
        digits = len(number.partition(".")[2]) if "e" not in number else 12
        value = float(number.replace(",", ""))
        assert any(round(abs(p), digits) == value for p in printed), f"{number} 不在 {chapter} 的输出里"
