"""输出守得住吗：把存着的输出一处一处地改，看 nbval 会不会红。

    python tests/by_hand/alter_outputs.py 60      # 每种改 60 处，种子 1；十章各运行一遍，再核对十处，几分钟

每章只运行一遍，留下新算的输出，再用 nbval 的比较（连同 comparing.py 添的）去比改过的与新算的。
最后挑十处写进笔记的副本，让真的 pytest --nbval 跑一遍，两边要说得一样。
"""

import copy
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, namedtuple
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = ["--nbval", "-p", "no:cacheprovider", "-q", "-n0", "--override-ini", "addopts="]
CELL = re.compile(r"(?<=>)[^<>]*\w[^<>]*(?=</t[hd]>)")

Place = namedtuple("Place", "item output key")      # 哪一格，第几个输出，哪一种格式
Change = namedtuple("Change", "kind place before after outputs caught")


def replace_one(pattern, new):
    """一种改法：随机挑一处合 pattern 的，换成 new(原来的, rng)。"""
    def change(text, rng):
        found = rng.choice(list(re.finditer(pattern, text)))
        return text[:found.start()] + new(found[0], rng) + text[found.end():]
    return change


def other_digit(number, rng):
    """一个数里换掉一个数字。"""
    at = rng.choice([i for i, c in enumerate(number) if c.isdecimal()])
    return number[:at] + rng.choice([d for d in "0123456789" if d != number[at]]) + number[at + 1:]


def other_cell(words, rng):
    return other_digit(words, rng) if re.search(r"[0-9]", words) else words + "改"


def other_state(html, rng):
    """互动图的起始状态，换掉一个值。"""
    start = html.index('"state": ') + len('"state": ')
    state, end = json.JSONDecoder().raw_decode(html, start)
    key = rng.choice(sorted(state))
    value = state[key]
    state[key] = not value if isinstance(value, bool) else value + (1 if isinstance(value, int) else "改")
    return html[:start] + json.dumps(state, ensure_ascii=False).replace("<", "\\u003c") + html[end:]


CHANGES = {
    "数": replace_one(r"[0-9][0-9,]*(?:\.[0-9]+)?", other_digit),
    "词": replace_one(r"[A-Za-z\u4e00-\u9fff]{2,}", lambda word, rng: word[1:] + word[0] + "改"),
    "表里一格": replace_one(CELL.pattern, other_cell),
    "图的说明": replace_one(r"[0-9][0-9,]*(?:\.[0-9]+)?", other_digit),
    "互动的状态": other_state,
}


def kinds(output, key, text):
    """这一段文字能怎样改。"""
    if key == "text/html":
        return ["互动的状态"] if "data-explore" in text else ["表里一格"] if CELL.search(text) else []
    numbers = ["图的说明" if "image/png" in output.get("data", {}) else "数"]
    return numbers * bool(re.search("[0-9]", text)) + ["词"] * bool(
        key == "text" and re.search(r"[A-Za-z\u4e00-\u9fff]{2}", text))


def places(items):
    """种类 → 各处；图不在内。"""
    found = {kind: [] for kind in CHANGES}
    for item in items:
        for n, output in enumerate(item.cell.outputs):
            texts = output.data if "data" in output else {"text": output.text}
            for key, text in texts.items():
                for kind in kinds(output, key, text) if key != "image/png" else []:
                    found[kind].append(Place(item, n, key))
    return found


def is_caught(item, outputs):
    return item.options["check"] and not item.compare_outputs(item.test_outputs, outputs)


def alter(kind, place, rng):
    outputs = copy.deepcopy(place.item.cell.outputs)
    holder = outputs[place.output].get("data", outputs[place.output])
    before = holder[place.key]
    holder[place.key] = after = CHANGES[kind](before, rng)
    return Change(kind, place, before, after, outputs, is_caught(place.item, outputs))


def exchange(items, rng):
    """同一章的两张图对调；说明不动。"""
    one, two = rng.sample([Place(item, n, "image/png") for item in items for n, output in
                           enumerate(item.cell.outputs) if "image/png" in output.get("data", {})], 2)
    outputs = copy.deepcopy(one.item.cell.outputs)
    other = two.item.cell.outputs[two.output].data["image/png"]
    before, outputs[one.output].data["image/png"] = outputs[one.output].data["image/png"], other
    return Change("两张图对调", one, before, other, outputs, is_caught(one.item, outputs))


class Alterer:
    """pytest 的插件：各格都跑过了，趁内核的输出还在，改了再比。"""

    def __init__(self, n, seed):
        self.n, self.rng, self.done = n, random.Random(seed), []

    def pytest_sessionfinish(self, session):
        items = [item for item in session.items if item.test_outputs is not None
                 and not is_caught(item, copy.deepcopy(item.cell.outputs))]     # 还没改就红的不算
        for kind, found in places(items).items():
            self.done += [alter(kind, self.rng.choice(found), self.rng) for _ in range(self.n)]
        chapters = sorted({item.path for item in items})
        for _ in range(self.n):
            path = self.rng.choice(chapters)
            self.done.append(exchange([item for item in items if item.path == path], self.rng))


def reason(change):
    """没被发现的，为什么。"""
    item = change.place.item
    if change.kind == "两张图对调" and "≈" in str(item.cell.outputs[change.place.output].data["text/plain"]):
        return "图上画的是现量的数"
    same = item.sanitize(change.before) == item.sanitize(change.after)
    return "≈ 后面是现量的数" if same else "说不出"


def pick(changes):
    """漏得最多的一章，挑十格，一格一处：没发现的与发现的各一半。"""
    missed = Counter(c.place.item.path for c in changes if not c.caught)
    chapter = missed.most_common(1)[0][0] if missed else changes[0].place.item.path
    ordered = sorted((c for c in changes if c.place.item.path == chapter), key=lambda c: not c.caught)
    by_cell = {c.place.item.cell_num: c for c in ordered}               # 没发现的在后，盖过发现的
    numbers = sorted(by_cell, key=lambda number: by_cell[number].caught)
    return chapter, {number: by_cell[number] for number in numbers[:5] + numbers[5:][-5:]}


def red_cells(chapter, chosen):
    """改过的写进副本，真的跑一遍 pytest --nbval，红了哪几格。"""
    book = json.loads(chapter.read_text(encoding="utf-8"))
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    for number, change in chosen.items():
        code[number]["outputs"] = change.outputs
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in ("textseq", "tests", "data", "notebooks"):
            shutil.copytree(ROOT / name, folder / name)
        for name in ("pyproject.toml", "conftest.py"):
            shutil.copy2(ROOT / name, folder)
        (folder / "notebooks" / chapter.name).write_text(json.dumps(book), encoding="utf-8")
        done = subprocess.run([sys.executable, "-m", "pytest", *COMMAND, f"notebooks/{chapter.name}"],
                              cwd=folder, capture_output=True, text=True)
    return {int(n) for n in re.findall(r"^FAILED .*::Cell (\d+)", done.stdout, re.M)}


def main(n=60, seed=1):
    alterer = Alterer(n, seed)
    red = pytest.main([*COMMAND, str(ROOT / "notebooks")], plugins=[alterer])
    print("\n| 改什么 | 改几处 | 发现 | 没发现 |\n|---|---|---|---|")
    for kind in [*CHANGES, "两张图对调", "一共"]:
        tried = [c for c in alterer.done if kind in (c.kind, "一共")]
        caught = sum(c.caught for c in tried)
        print(f"| {kind} | {len(tried)} | {caught} | {len(tried) - caught} |")
    survivors = Counter((c.place.item.path.stem[:2], reason(c)) for c in alterer.done if not c.caught)
    for (chapter, why), times in sorted(survivors.items()):
        print(f"没发现：第 {chapter} 章 {times} 处，{why}")
    chapter, chosen = pick(alterer.done)
    found, said = red_cells(chapter, chosen), {number for number, c in chosen.items() if c.caught}
    print(f"核对：{chapter.stem} 改 {len(chosen)} 格，这里说 {len(said)} 格会红，"
          f"真的 pytest 红了 {len(found)} 格，说法不同的 {len(found ^ said)} 格")
    if red:
        sys.exit("有还没改就红的格，见上；它们没有算在内")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
