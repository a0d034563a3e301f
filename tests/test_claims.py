"""笔记的话那一页：结论只有三种，引用的数都在所指章节的输出里，每一句都写着怎样才会推翻它。"""

import re
from collections import Counter
from pathlib import Path

import pytest
from test_notebooks import FOLDER, printed_numbers

PAGE = (Path(__file__).parents[1] / "book" / "claims.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| \[(.+?)\]\(\.\./notebooks/(\w+)\.ipynb#\S+\) \| (.+?) \| (.+?) \| (.+?) \|$", PAGE,
                  flags=re.MULTILINE)
HEAD = "| 原话 | 结论 | 决定它的数 | 怎样才会推翻它 |"


def test_the_page_has_its_rows():
    lines = re.findall(r"^\|(?:[^|]*\|){4}$", PAGE, flags=re.MULTILINE)
    assert len(ROWS) == len(lines) - 2 * PAGE.count(HEAD) > 0  # 每张表有两行表头


def test_the_tally_is_counted():
    verdicts = Counter(row[2] for row in ROWS)
    assert set(verdicts) == {"成立", "需要修正", "不成立"}
    tally = "、".join(f"{name} {verdicts[name]} 行" for name in ("成立", "需要修正", "不成立"))
    assert f"一共 {len(ROWS)} 行：{tally}。" in PAGE


@pytest.mark.parametrize("claim, chapter, verdict, reason, rival", ROWS, ids=[row[0][:12] for row in ROWS])
def test_the_numbers_are_in_the_chapter(claim, chapter, verdict, reason, rival):
    printed = printed_numbers(FOLDER / f"{chapter}.ipynb")
    assert len(rival) > 15, "没有写怎样才会推翻它"
    for number in re.findall(r"\d[\d,]*\.\d+|\d[\d,]*(?=%)|\d{1,3}(?:,\d{3})+|\de-\d+", reason + rival):
        digits = len(number.partition(".")[2]) if "e" not in number else 12
        value = float(number.replace(",", ""))
        assert any(round(abs(p), digits) == value for p in printed), f"{number} 不在 {chapter} 的输出里"
