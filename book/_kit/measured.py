"""书里的数：哪些是量出来的，一个印出来的数取整之后是不是它。出处的账本（proofs.py）与书页（proof_links.py）共用。

量出来的数：带小数点、百分号、千分位、10 的几次方、万亿的，或后面跟着 UNITS 里的单位的；公式里的也算。
标题、代码、链接、引文、“练习”一节里的不算。
"""

import functools
import re
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import nbformat
from markdown_it.renderer import RendererHTML
from myst_parser.config.main import MdParserConfig
from myst_parser.parsers.mdit import create_md_parser

ROOT = Path(__file__).parents[2]
LEDGERS = ROOT / "book/proofs"
PAGES = [*(f"notebooks/{path.stem}" for path in sorted((ROOT / "notebooks").glob("[0-9]*.ipynb"))),
         "book/index", "book/claims", "book/gradients", "book/today", "book/distributed", "book/teaching",
         *(f"book/teaching/{number:02}" for number in range(1, 11))]

UNITS = "毫秒|秒|MB|GB|KB|kB|倍|词次|条|对|种|句|个参数|奈特"
PLAIN = r"(?:\d{1,3}(?:(?:,|\{,\})\d{3})+|\d+)(?:\.\d+)?"
POWER_OF_TEN = rf"(?:{PLAIN} ?\\times ?)?10\^\{{?-?\d+(?:\.\d+)?\}}?"
SUFFIX = r"(?:e[+-]?\d+)?(?: ?\\?[%‰亿]| ?万(?: ?\d 千)?)?"
SIGN = r"(?:(?<![\d)\]}])[-−])?"
NUMBER = re.compile(rf"(?<![A-Za-z0-9_.^]){SIGN}(?:{POWER_OF_TEN}|{PLAIN}{SUFFIX})(?!\d|\.\d)", re.ASCII)
POWER = re.compile(r"(?:(\S+) ?x ?)?10\^([-\d.]+)")
MEASURED = re.compile(r"[.,e%‰万亿^]")
FORMULAS = {"math_inline", "math_inline_double", "math_block", "math_block_label", "amsmath"}
STOPS = "，。；：？｜"
GAP = SimpleNamespace(type="gap", content="｜", attrs=None)   # 表的两格之间
WITH_UNIT = re.compile(rf" ?(?:{UNITS})")
SCALES = {"%": 1, "‰": 0.1, "万": 1e4, "亿": 1e8}


class Number(NamedTuple):
    """一个数：原样，值（百分数是百分点），末位的大小，带不带百分号；10 的几次方，另记那个几次。"""
    written: str
    value: float
    step: float
    percent: bool = False
    power: str = ""


def read(written):
    """一串字 → Number。"""
    plain = re.sub(r"[,{}\\]|times", lambda m: "x" if m[0] == "times" else "", written.replace("−", "-"))
    if power := POWER.fullmatch(plain):
        base, exponent = power[1] or "1", float(power[2])
        step = 10 ** (exponent - decimals(base))
        return Number(written, float(base) * 10 ** exponent, step, power="" if power[1] else power[2])
    plain = re.sub(r"(\d) ?万 ?(\d) 千", r"\1.\2万", plain)
    scale = SCALES.get(plain[-1], 1)
    body, _, exponent = plain.rstrip("%‰万亿 ").partition("e")
    scale *= 10.0 ** int(exponent or 0)
    return Number(written, float(body) * scale, scale * 10.0 ** -decimals(body), plain[-1] in "%‰")


def decimals(text):
    return len(text.partition(".")[2])


def find(text, formula=False):
    """一段话里量出来的数：[正则的匹配, …]。"""
    return [m for m in NUMBER.finditer(text)
            if MEASURED.search(m[0]) or not formula and WITH_UNIT.match(text, m.end())]


def proves(printed, number):
    """printed 取整到 number 的那一位，正好是它。number 写了正负号，就连号也要一样。"""
    if number.power and proves(printed, read(number.power)):
        return True      # 印的是对数
    scales = [1]
    if number.percent and not printed.percent and "." in printed.written:
        scales.append(100)   # 印的是 0.521，写的是 52.1%
    if printed.percent and not number.percent:
        return False
    signed = number.written[0] in "-−"
    for scale in scales:
        value = printed.value * scale
        far = abs((value if signed else abs(value)) - number.value)
        coarse = printed.step * scale > number.step * 1.000001
        if far <= (1e-9 * abs(number.value) if coarse else number.step * 0.500001):
            return True
    return False


def printed_in(line):
    """一行输出里的全部数。"""
    return [read(match[0]) for match in NUMBER.finditer(line)]


def proof_in(line, number):
    """line 里头一个证得了 number 的数，是正则的匹配；没有就是 None。"""
    return next((match for match in NUMBER.finditer(line) if proves(read(match[0]), number)), None)


# --- 一页的话 -----------------------------------------------------------------------------

class Place(NamedTuple):
    """正文里的一个数：原样，单位，左右几个字，那一句，那一段，在 notebook 的第几格（书页是 0）。"""
    written: str
    unit: str
    near: str
    clause: str
    block: str
    cell: int


@functools.cache
def parser():
    config = MdParserConfig(enable_extensions={"amsmath", "attrs_inline", "colon_fence", "deflist",
                                               "dollarmath", "tasklist"})
    return create_md_parser(config, RendererHTML)


def blocks(source, skipping=False):
    """Markdown → [一段的行内记号, …]，与“现在在不在练习一节”；标题、引文、练习不要。表的一行算一段。"""
    found, inside, row = [], [], None
    for token in parser().parse(source):
        if token.type in ("heading_open", "blockquote_open"):
            inside.append(token.tag)
        elif token.type in ("heading_close", "blockquote_close"):
            inside.pop()
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            found.append(row)
            row = None
        elif token.type == "inline" and inside[-1:] == ["h2"]:
            skipping = token.content.strip() == "练习"
        elif token.type == "inline" and not inside and not skipping:
            if row is None:
                found.append(token.children)
            else:
                row += [*token.children, GAP]
        elif token.type in FORMULAS and not inside and not skipping:
            found.append([token])
    return [block for block in found if block], skipping


def pieces(tokens):
    """一段里的 [(文字, 是哪一种)]：text、math，与不找数的 other（代码、链接里的字）。"""
    found, linked = [], 0
    for token in tokens:
        linked += {"link_open": 1, "link_close": -1}.get(token.type, 0)
        kind = "math" if token.type in FORMULAS else token.type
        found.append((token.content or " ", "other" if linked or kind not in ("text", "math") else kind))
    return found


def places_in(block, cell):
    shown = "".join(text for text, _ in pieces(block))
    whole = " ".join(token.content + " ".join((token.attrs or {}).values()) for token in block)
    found, before = [], 0
    for text, kind in pieces(block):
        for match in find(text, kind == "math") if kind != "other" else []:
            start, end = before + match.start(), before + match.end()
            near = f"{shown[max(0, start - 8):start]}〔〕{shown[end:end + 8]}"
            first = max(shown.rfind(mark, 0, start) for mark in STOPS) + 1
            last = min(at if (at := shown.find(mark, end)) >= 0 else len(shown) for mark in STOPS)
            unit = WITH_UNIT.match(text, match.end())
            found.append(Place(match[0], unit[0].strip() if unit else "", " ".join(near.split()),
                               shown[first:last], whole, cell))
        before += len(text)
    return found


def sources(page):
    """一页的 [(第几格, Markdown)]。"""
    if page.startswith("notebooks/"):
        cells = nbformat.read(ROOT / f"{page}.ipynb", as_version=4).cells
        return [(at, cell.source) for at, cell in enumerate(cells) if cell.cell_type == "markdown"]
    return [(0, (ROOT / f"{page}.md").read_text(encoding="utf-8"))]


def places(texts):
    """[(第几格, Markdown)] → 量出来的数，照读的次序。"""
    found, skipping = [], False
    for cell, source in texts:
        parts, skipping = blocks(source, skipping)
        found += [place for block in parts for place in places_in(block, cell)]
    return found
