"""笔记的话那一页：结论只有三种，每一句都写着怎样才会推翻它；引用的数由 test_proofs.py 对到所指的章。"""

import re
from collections import Counter
from pathlib import Path

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


def test_every_row_says_what_would_refute_it():
    assert [claim for claim, *_, rival in ROWS if len(rival) <= 15] == []
