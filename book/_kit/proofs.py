"""账本：书里每个量出来的数，是哪一格、哪份记录印出来的。改了正文或输出，运行一次：

    python book/_kit/proofs.py [02 claims …]

仍对得上的留着；新的数，找最像的那一行输出，原地改过的数，只在原来那一格里找；找到的列出来，请人看一眼。
没有印过的记成 missing，由人改：换个数，或写明 from（算式，里面的数都印在 line 里）、
definition（一句为什么它不是量出来的）、test（每次重新算它的那个测试）。
"""

import ast
import functools
import json
import math
import re
import sys
from collections import Counter
from difflib import SequenceMatcher
from typing import NamedTuple

import nbformat
from measured import LEDGERS, MEASURED, PAGES, ROOT, Number, places, printed_in, proof_in, proves, sources
from measured import read as read_number

NEAR = 4          # 前后几格之内算“同一节”
LONG = 150        # 一行长过这么多字，只留数的前后
FAR = 4           # 远一层，少算这么多分
HAND = ("definition", "test")
WAS = "原来是"
KINDS = {"cell": ("cell", "plot"), "code": ("code",), "record": ("record",), "from": ()}
PLAIN = {1, 2, 10, 100}   # 算式里用不着出处的：减一，求平均，百分之几的余下
JOIN = " ⏎ "      # 一个数从两行算来，两行之间
PLOT = re.compile("[线面点格条].*：|字：.{120}")    # 图的文字说明里，一串数的那些行
SKIPPED = re.compile(r"^最小的字 \S+ 磅$")


class Line(NamedTuple):
    """印出来的一行：在哪里（notebook/格，或记录的路径），第几格，是哪一种，话，输出的头一行，里面的数，像什么。"""
    where: str
    cell: int
    kind: str
    text: str
    head: str
    numbers: tuple
    terms: frozenset


def terms(text):
    """拿来比像不像的词：两个相邻的汉字，西文的词，数。"""
    han = {a + b for run in re.findall("[一-鿿]+", text) for a, b in zip(run, run[1:], strict=False)}
    return frozenset(han | set(re.findall(r"[A-Za-z_]\w+|\d[\d.,]*\d|\d", text.lower())))


# --- 印出来的 -----------------------------------------------------------------------------

def make_line(where, cell, kind, text, head=""):
    text = " ".join(text.split())
    words = re.sub(r"\[.*?\]", "", text) if kind == "plot" else text    # 图里的一串数不算话
    return Line(where, cell, kind, text, head, tuple(printed_in(text)), terms(f"{head} {words}"))


@functools.cache
def notebook_lines(name):
    """一章里印出来的每一行；代码的各行也在内，设定就写在那里。"""
    found = []
    for at, cell in enumerate(nbformat.read(ROOT / f"notebooks/{name}.ipynb", as_version=4).cells):
        if cell.cell_type != "code" or {"exercise", "check"} & set(cell.metadata.get("tags", [])):
            continue
        where = f"{name}/{cell.id}"
        for output in cell.outputs:
            data = output.get("data", {})
            shown = [line for line in (output.get("text") or data.get("text/plain", "")).splitlines()
                     if not SKIPPED.match(line)]
            drawn = PLOT if "image/png" in data else re.compile("$^")
            found += [make_line(where, at, "plot" if drawn.match(line) else "cell", line, shown[0])
                      for line in shown]
        found += [make_line(where, at, "code", line) for line in cell.source.splitlines()]
    return [line for line in found if line.numbers]


@functools.cache
def record_lines(path):
    """一份记录的每一行；JSON 写成“键 / 键 = 值”。"""
    text = (ROOT / path).read_text(encoding="utf-8")
    shown = flatten(json.loads(text)) if path.endswith(".json") else text.splitlines()
    kind = "code" if path.endswith(".py") else "record"
    return [line for one in shown if (line := make_line(path, 0, kind, one)).numbers]


def flatten(value, keys=""):
    if isinstance(value, dict):
        return [line for key, inner in value.items()
                for line in flatten(inner, f"{keys} / {key}" if keys else key)]
    if isinstance(value, list) and any(isinstance(inner, (dict, list)) for inner in value):
        return [line for at, inner in enumerate(value) for line in flatten(inner, f"{keys} / {at}")]
    return [f"{keys} = {json.dumps(value, ensure_ascii=False)}"]


@functools.cache
def records():
    """data/ 里存下的结果，与做它们的 build.py；语料、词表不是结果。"""
    kinds = ("results.tsv", "between.tsv", "*.json", "build.py")
    found = [path for kind in kinds for path in (ROOT / "data").glob(f"*/{kind}")]
    return sorted(path.relative_to(ROOT).as_posix() for path in found)


@functools.cache
def chapters():
    return [page.partition("/")[2] for page in PAGES if page.startswith("notebooks/")]


@functools.cache
def section_cells(name, anchor):
    """一章里锚点所指的那一节占哪几格。"""
    inside, found = False, set()
    for at, cell in enumerate(nbformat.read(ROOT / f"notebooks/{name}.ipynb", as_version=4).cells):
        slugs = [slug(title) for title in re.findall(r"^#{2,3} (.+)$", cell.source, re.M)
                 ] if cell.cell_type == "markdown" else []
        if slugs:
            inside = anchor in slugs
        if inside:
            found.add(at)
    return frozenset(found)


@functools.cache
def heading_above(where):
    """一格在哪一节：它上面最近的标题，只留文字。"""
    name, _, cell = where.partition("/")
    title = ""
    for one in nbformat.read(ROOT / f"notebooks/{name}.ipynb", as_version=4).cells:
        if one.id == cell:
            return re.sub(r"[`$*\\]", "", title)
        if one.cell_type == "markdown":
            title = (re.findall(r"^#{1,3} (.+)$", one.source, re.M) or [title])[-1]
    raise KeyError(f"{name} 里没有编号是 {cell} 的格")


def slug(title):
    return re.sub(r"[^\w\s-]", "", title.strip().lower()).replace(" ", "-")


# --- 找出处 -------------------------------------------------------------------------------

def tiers(page, place):
    """从近到远，一批一批的行：[(层, [行]), …]。"""
    if page.startswith("notebooks/"):
        own = notebook_lines(page.partition("/")[2])
        yield 0, [line for line in own if abs(line.cell - place.cell) <= NEAR]
        yield 1, [line for line in own if line.cell < place.cell - NEAR]
        yield 2, [line for line in own if line.cell > place.cell + NEAR]
        others = [name for name in chapters() if name != page.partition("/")[2]]
    else:
        link = re.search(r"notebooks/(\w+)(?:\.ipynb)?(?:#([^)\s]+))?", place.block)
        number = re.fullmatch(r"book/teaching/(\d\d)", page)
        named = link[1] if link else next((n for n in chapters() if number and n.startswith(number[1])), None)
        if named:
            cells = section_cells(named, link[2]) if link and link[2] else frozenset()
            yield 0, [line for line in notebook_lines(named) if line.cell in cells]
            yield 1, [line for line in notebook_lines(named) if line.cell not in cells]
        own = [path for path in records() if path.split("/")[1] == page.rpartition("/")[2]]
        yield 2, [line for path in own for line in record_lines(path)]
        others = [name for name in chapters() if name != named]
    named = [path for path in records() if path.split("/")[1] in folders(page)]
    yield 3, [line for path in named for line in record_lines(path)]
    yield 4, [line for name in others for line in notebook_lines(name) if line.kind != "code"]
    yield 5, [line for path in records() for line in record_lines(path)]


@functools.cache
def folders(page):
    """一页提到的 data/ 里的文件夹。"""
    path = ROOT / (f"{page}.ipynb" if page.startswith("notebooks/") else f"{page}.md")
    return frozenset(re.findall(r"data/(\w+)/", path.read_text(encoding="utf-8")))


def digits(number):
    return len(re.sub(r"[^\d]|e.*", "", number.written).lstrip("0"))


@functools.cache
def rarity():
    """一个词有多少见：见过它的行越少，对上了越说明问题。"""
    lines = [line for name in chapters() for line in notebook_lines(name)]
    lines += [line for path in records() for line in record_lines(path)]
    counts = Counter(term for line in lines for term in line.terms)
    return {term: math.log(len(lines) / count) for term, count in counts.items()}


def likeness(line, place, number):
    """这一行像不像在说这个数：话里的词对上多少（近的算三倍）；数的写法不同、要取整、在图或代码里，减分。"""
    found = [printed for printed in line.numbers if proves(printed, number)]
    bare = place.unit and not MEASURED.search(place.written)
    if not found or bare and place.unit not in line.text + line.head:
        return None
    weights = rarity()
    near, far = (terms(text.replace(place.written, "")) & line.terms for text in (place.clause, place.block))
    exact = any(abs(abs(printed.value) - abs(number.value)) <= 1e-9 * abs(number.value) for printed in found)
    whole = "万" in place.written or bool(place.unit)
    return (3 * math.fsum(map(weights.get, near)) + math.fsum(map(weights.get, far)) + 6 * whole
            - (0 if exact else 10 if digits(number) < 3 else 3) - {"plot": 10, "code": 4}.get(line.kind, 0))


def propose(page, place, where=None):
    """最像的那一行；没有就是 None。数短的，碰巧相同的多，话要更像；只带单位的整数，单位也要在。
    where 写了的，只在那一格（那份记录）里找。"""
    number = read_number(place.written)
    best, least = None, {1: 10, 2: -4 if "." in place.written else 4, 3: -8}.get(digits(number), -20)
    for tier, lines in tiers(page, place):
        if best and tier > 2:
            break
        for line in lines:
            if where is not None and line.where != where:
                continue
            score = likeness(line, place, number)
            if score is not None and score - FAR * tier >= (least if tier < 3 else max(least, 12)):
                best = max(best or (-99,), (score - FAR * tier, -abs(line.cell - place.cell), line),
                           key=lambda one: one[:2])
    return best and best[2]


def excerpt(text, number):
    """太长的行，只留证得了它的那个数的前后，两头在空格处断。"""
    if len(text) <= LONG:
        return text
    at = proof_in(text, number).start()
    start = text.rfind(" ", 0, max(at - LONG // 2, 0)) + 1
    end = text.find(" ", at + LONG // 2)
    return f"{'… ' if start else ''}{text[start:end if end > 0 else None]}{' …' if end > 0 else ''}"


def entry(page, place, old=None):
    """一个新的数 → 账本的一条。old 是原地改过之前的那一条：新数只在它的出处里找。"""
    found = {"number": place.written, "near": place.near}
    origin = {kind: old[kind] for kind in ("cell", "code", "record") if kind in old} if old else {}
    where = next(iter(origin.values()), "") if old else None
    line = propose(page, place, where)
    if line is None and old:
        return found | {"missing": f"{WAS} {old['number']}，出自{where or '人写的'}，那里没有印过新的数；"
                                   "正文真没有错，就删去这一条再运行"} | origin
    if line is None:
        return found | {"missing": "哪一格、哪份记录都没有印过它"}
    kind = "cell" if line.kind == "plot" else line.kind
    return found | {kind: line.where, "line": excerpt(line.text, read_number(place.written))}


# --- 账本 ---------------------------------------------------------------------------------

def lines_at(where):
    """出处所指的那一格（那份记录）里的各行。"""
    if where.startswith("data/"):
        return record_lines(where) if (ROOT / where).is_file() else []
    name, _, cell = where.partition("/")
    return [line for line in notebook_lines(name) if line.where == where] if name in chapters() else []


def holds(one):
    """一条出处现在还成立吗：那几行还在那里，取整后正好是这个数；写了算式的，算式里的数都在那几行里。"""
    if any(one.get(kind) for kind in HAND) or "missing" in one:
        return "missing" not in one
    kind = next((kind for kind in KINDS if kind in one), None)
    texts = [part.removeprefix("… ").removesuffix(" …") for part in one.get("line", "").split(JOIN) if part]
    there = lines_at(one[kind]) if kind else []
    if not all(any(text in line.text and line.kind in KINDS[kind] for line in there) for text in texts):
        return False
    number = read_number(one["number"])
    if "from" in one:
        return follows(one["from"], texts, number)
    return any(proof_in(text, number) for text in texts)


def follows(sum_, texts, number):
    """算式 sum_ 得出 number 吗；有出处的，里面的数（PLAIN 除外）都要印在 texts 里。"""
    printed = {abs(found.value) for text in texts for found in printed_in(text)}
    used = {abs(ast.literal_eval(found)) for found in re.findall(r"\d[\d.]*", sum_)}
    if not re.fullmatch(r"[\d.+\-*/() ]+", sum_) or texts and not used - PLAIN <= printed:
        return False
    return proves(Number(sum_, eval(compile(ast.parse(sum_, mode="eval"), "", "eval")), 0.0), number)


def path_of(page):
    return LEDGERS / f"{page.partition('/')[2].replace('/', '_')}.json"


def stored(page):
    path = path_of(page)
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []


def carried(old, new):
    """旧账里同一个数的那一条 → {新的次序: 旧的一条}；改了别处的话，次序仍对得上。另给原地改了数的。"""
    steps = SequenceMatcher(None, [one["number"] for one in old], [place.written for place in new],
                            autojunk=False).get_opcodes()
    same = {b + k: old[a + k] for kind, a, a_end, b, _ in steps if kind == "equal" for k in range(a_end - a)}
    spare = {(one["number"], one["near"]): one for one in old}   # 整段搬了家
    same |= {at: spare[place.written, place.near] for at, place in enumerate(new)
             if at not in same and (place.written, place.near) in spare}
    pairs = [(b + k, old[a + k]) for kind, a, a_end, b, b_end in steps
             if kind == "replace" and a_end - a == b_end - b for k in range(b_end - b)]
    return same, {at: one for at, one in pairs if beside(one["near"]) & beside(new[at].near)}


def beside(near):
    """一个数左边、右边的几个字，数字不算。"""
    left, right = re.sub(r"[\d.,%]", "", near).split("〔〕")
    return {("左", left), ("右", right)} - {("左", ""), ("右", "")}


def bring_up_to_date(page, old, texts):
    """一页的新账：(各条, 新找的各条)。"""
    new = places(texts)
    kept, changed = carried(old, new)
    made, fresh = [], []
    for at, place in enumerate(new):
        waiting = kept.get(at, {}).get("missing", "").startswith(WAS)    # 等人来看，不自己到别处找
        if at in kept and (waiting or holds(kept[at])):
            made.append(kept[at] | {"near": place.near})
        else:
            made.append(entry(page, place, changed.get(at)))
            fresh.append(made[-1])
    return made, fresh


def written(entries):
    return "[\n" + ",\n".join(json.dumps(one, ensure_ascii=False) for one in entries) + "\n]\n"


def main(chosen):
    LEDGERS.mkdir(exist_ok=True)
    missing = 0
    for page in PAGES:
        if chosen and not any(name in page for name in chosen):
            continue
        entries, fresh = bring_up_to_date(page, stored(page), sources(page))
        path = path_of(page)
        path.write_text(written(entries), encoding="utf-8") if entries else path.unlink(missing_ok=True)
        print(f"{page}：{len(entries)} 个数，{len(fresh)} 个新找的")
        for one in fresh:
            print(f"  {one['number']}　{one['near']}\n    ← {one.get('line') or one['missing']}")
        missing += sum("missing" in one for one in entries)
    if missing:
        sys.exit(f"{missing} 个数没有出处：改正它，或在 book/proofs/ 里写明 definition 或 test")


if __name__ == "__main__":
    main(sys.argv[1:])
