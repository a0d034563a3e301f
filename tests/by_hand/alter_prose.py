"""正文里的数随手改一个，测试会不会红：python tests/by_hand/alter_prose.py [改几个] [种子]

在全书的正文里随机挑数，换成位数相同的别的数，问 test_proofs.py 的那个函数。“跑过命令”一列：作者没有看清，
照着提示又运行了一次 book/_kit/proofs.py，改过的数在别处碰巧找得到出处的，就漏过去了。
"""

import random
import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "book/_kit"), str(ROOT / "tests")]

from measured import PAGES, UNITS, sources  # noqa: E402
from proofs import bring_up_to_date, stored  # noqa: E402
from test_proofs import faults  # noqa: E402

# 与 measured.py 互不相干的一套写法：漏了哪一种，这里看得出来
HIDDEN = re.compile(r"^```.*?^```$|`[^`\n]*`|\]\([^)]*\)|^[>#].*?$|:::.*?$|<[^>]+>|https?:\S+", re.S | re.M)
KINDS = {
    "小数、千分位": re.compile(r"(?<![\w.,^{])\d[\d,]*(?:\.\d+|(?<=,\d{3}))(?![\w.]*[a-zA-Z.])", re.A),
    "几次方": re.compile(r"(?<![\w.,])[\d.]+e-\d+", re.A),
    "百分数": re.compile(r"(?<![\w.,])[\d.,]+(?=%)", re.A),
    "公式里的小数与几次方": re.compile(r"\d+\.\d+|(?<=10\^\{-)\d+(?:\.\d+)?", re.A),
    "带单位的整数": re.compile(rf"(?<![\w.,–-])\d+(?= ?(?:{UNITS}))", re.A),
    "其余的整数（步数、个数、第几章）": re.compile(r"(?<![\w.,–-])\d+(?![\w.,%]| ?千)", re.A),
}


def spots(text):
    """一段 Markdown 里可改的地方：[(哪一种, 起, 止)]；代码、标题、引文、链接里的不改。"""
    shown = HIDDEN.sub(lambda m: " " * len(m[0]), text)
    formulas = [m.span() for m in re.finditer(r"\$[^$]+\$", shown)]
    found = {}
    for kind, pattern in KINDS.items():
        for match in pattern.finditer(shown):
            inside = any(a < match.start() < b for a, b in formulas)
            if inside == kind.startswith("公式") and not any(a < match.end() and match.start() < b
                                                             for a, b in found):
                found[match.span()] = kind
    return [(kind, *span) for span, kind in found.items()]


def before_exercises(text, skipping):
    """“练习”一节空着，别的照旧，位置不变；→ 文字，末了在不在“练习”里。"""
    lines = []
    for line in text.splitlines(keepends=True):
        skipping = line.strip() == "## 练习" if line.startswith("## ") else skipping
        lines.append(" " * len(line) if skipping else line)
    return "".join(lines), skipping


def every_spot(texts):
    """[(哪一种, 页, 第几段, 起, 止)]"""
    found = []
    for page, parts in texts.items():
        skipping = False
        for at, (_, text) in enumerate(parts):
            shown, skipping = before_exercises(text, skipping)
            found += [(kind, page, at, start, end) for kind, start, end in spots(shown)]
    return found


def another(number, rng):
    """位数相同的另一个数。"""
    while True:
        new = "".join(rng.choice("0123456789") if c.isdigit() else c for c in number)
        if new != number and not (new[0] == "0" and number[0] != "0"):
            return new


def altered(texts, at, start, end, new):
    return [(cell, text[:start] + new + text[end:] if k == at else text)
            for k, (cell, text) in enumerate(texts)]


def survives(page, texts):
    """再运行一次命令，改过的数有没有在别处找到出处。"""
    made, fresh = bring_up_to_date(page, stored(page), texts)
    return not any("missing" in one for one in made)


def main(tries=200, seed=1):
    rng = random.Random(seed)
    texts = {page: sources(page) for page in PAGES}
    every = every_spot(texts)
    tried, caught, passed = Counter(), Counter(), Counter()
    for kind in KINDS:
        mine = [spot for spot in every if spot[0] == kind]
        for _, page, at, start, end in rng.sample(mine, min(len(mine), tries // len(KINDS))):
            new = altered(texts[page], at, start, end, another(texts[page][at][1][start:end], rng))
            tried[kind] += 1
            caught[kind] += bool(faults(page, new))
            passed[kind] += bool(faults(page, new)) and survives(page, new)
    print("| 改的是 | 全书共有 | 试了 | 变红 | 跑过命令仍变红 |\n|---|---|---|---|---|")
    for kind in KINDS:
        total = sum(spot[0] == kind for spot in every)
        print(f"| {kind} | {total} | {tried[kind]} | {caught[kind]} | {caught[kind] - passed[kind]} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
