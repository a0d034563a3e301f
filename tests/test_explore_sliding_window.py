"""滑动窗口：样本同 Python 逐条相等；窗口不出句子；鼠标、键盘与两种明暗都能用。"""

import random
import re

import pytest
from explore_page import assert_accessible_and_narrow, call_piece, write_page
from playwright.sync_api import expect

from textseq import explore

RULES = explore.spec("sliding_window")["state"]
DEFAULTS = {key: rule["default"] for key, rule in RULES.items()}
TEXT = DEFAULTS["text"]


# ---- 另写一遍，作为对照 ----

def split(text):
    parts = [part.strip() for part in re.split(r"[\n。！？]", text) if part.strip()]
    spaced = any(re.search(r"\s", part) for part in parts)
    return [part.split() if spaced else list(part) for part in parts]


def draw(window, dynamic, seed, n):
    s, drawn = seed * 2654435761 % 2**32, []
    for _ in range(n):
        s ^= s << 13 & 0xFFFFFFFF
        s ^= s >> 17
        s ^= s << 5 & 0xFFFFFFFF
        drawn.append(1 + window * s // 2**32 if dynamic else window)
    return drawn


def sliding_windows(words, reach):
    """reach[t] 是第 t 个词左右各看几个。"""
    for t, center in enumerate(words):
        yield center, [word for s, word in enumerate(words) if 0 < abs(s - t) <= reach[t]]


def samples(state):
    lines = split(state["text"])
    drawn = draw(state["window"], state["dynamic"], state["seed"], sum(map(len, lines)))
    found = []
    for words in lines:
        reach, drawn = drawn[:len(words)], drawn[len(words):]
        for center, contexts in sliding_windows(words, reach):
            if state["model"] == "skipgram":
                found += [([center], context) for context in contexts]
            elif contexts:
                found.append((contexts, center))
    return found


# ---- 逐条相等 ----

def random_state(rng):
    words = ["中华", "女子", "学院", "：", "1", "招", "😀", "<b>", "constructor", '"', "\\", "的"]
    gap, ends = rng.choice([" ", "　", " \t", ""]), "。！？\n"
    lines = [gap.join(rng.choices(words, k=rng.randrange(13))) + rng.choice(ends)
             for _ in range(rng.randrange(5))]
    return {"text": "".join(lines), "model": rng.choice(["skipgram", "cbow"]), "window": rng.randint(1, 5),
            "position": 0, "dynamic": rng.random() < 0.5, "seed": rng.randint(1, 99)}


def test_samples_and_code_equal_python(watched, site):
    folder, address = site
    write_page(folder)
    rng = random.Random(3)
    states = [random_state(rng) for _ in range(150)]
    states += [DEFAULTS | {"model": model, "window": window, "dynamic": dynamic}
               for model in RULES["model"]["choices"] for window in range(1, 6) for dynamic in (False, True)]
    answers = call_piece(watched, address, "sliding_window", states,
                         "sentences", "samples", "formula", "pythonCode")
    for state, [sentences, found, formula, code] in zip(states, answers, strict=True):
        assert sentences == split(state["text"])
        true = samples(state)
        assert [(row["input"], row["label"]) for row in found] == true
        if not state["dynamic"]:  # 不走窗口也数得出总数；算式本身也算得对
            assert sum(value for _, value in formula) == len(true)
            assert [eval(term.replace("×", "*")) for term, _ in formula] == [value for _, value in formula]
        scope = {}
        exec(code, scope)  # 页面给出的代码得到同一批样本
        rows = true if state["model"] == "cbow" else [(center, label) for [center], label in true]
        assert scope["samples"] == rows
        assert code.endswith(f"len(samples)  # {len(true)}")


def test_the_draws_are_even():
    """动态窗口的签：1 到 window 各占一份左右，换一个数就换一批。"""
    for window in (2, 5):
        drawn = draw(window, True, 1, 20_000)
        assert all(abs(drawn.count(r) / 20_000 - 1 / window) < 0.02 for r in range(1, window + 1))
    assert len({tuple(draw(5, True, seed, 19)) for seed in range(1, 100)}) == 99


def test_the_lead_question():
    first = TEXT.split("\n")[0]
    assert len(first.split()) == 11
    assert len(samples(DEFAULTS | {"text": first})) == 38
    assert len(samples(DEFAULTS | {"text": first, "model": "cbow"})) == 11


# ---- 网页里 ----

@pytest.mark.parametrize("scheme", ["file", "http"])
def test_answers_mouse_and_keyboard(watched, site, scheme):
    folder, address = site
    write_page(folder, explore.html("sliding_window"), explore.html("sliding_window", position=10))
    watched.goto(f"{address}/page.html" if scheme == "http" else (folder / "page.html").as_uri())
    piece, other = (watched.locator("[data-explore]").nth(n) for n in range(2))
    note, rows = piece.get_by_role("status").nth(0), piece.locator("tbody tr")
    slots, lit = piece.locator(".slot .word"), piece.locator(".line .context")
    expect(slots).to_have_text(["句外", "句外", "中华", "女子", "学院"])
    expect(rows).to_have_text(["1中华女子", "2中华学院"])

    slider = piece.get_by_role("slider", name="窗口的位置")
    slider.focus()
    watched.keyboard.press("ArrowRight")
    piece.get_by_role("button", name="下一个").click()
    watched.keyboard.press("ArrowRight")  # 停在按钮上，方向键也走
    piece.get_by_role("group", name="句子与窗口").focus()
    watched.keyboard.press("ArrowLeft")
    expect(lit).to_have_text(["中华", "女子", "：", "本科"])
    expect(piece.locator(".line .center")).to_have_text("学院")
    expect(note).to_have_text(
        "第 1 句，中心词“学院”：上下文词 中华 女子 ： 本科 。新得 4 条样本，累计 9 条。")
    expect(rows).to_have_count(9)
    expect(piece.locator("tr.new")).to_have_count(4)

    # 第一句末尾与第二句开头：窗口不过去
    piece.locator(".line .word").nth(10).click()
    expect(slots).to_have_text(["专业", "招", "男生", "句外", "句外"])
    piece.get_by_role("button", name="下一个").click()
    expect(slots).to_have_text(["句外", "句外", "市", "图书馆", "周末"])
    expect(lit).to_have_text(["图书馆", "周末"])
    slider.focus()
    watched.keyboard.press("End")
    expect(rows).to_have_count(64)
    expect(piece.locator(".total")).to_contain_text("2×(10+9) + 2×(7+6) = 64 条")
    assert piece.locator(".samples").evaluate(
        "node => node.scrollTop + node.clientHeight > node.scrollHeight - 2")

    piece.get_by_role("radio", name="Skip-gram").focus()
    watched.keyboard.press("ArrowRight")  # CBOW
    expect(piece.locator(".total")).to_contain_text("11 + 8 = 19 条")
    expect(rows.last).to_have_text("19晚上九点")
    expect(piece.locator(".slot").nth(2)).to_contain_text("标签")
    piece.get_by_role("radio", name="窗口大小 11").check(force=True)
    expect(piece.locator(".slot")).to_have_count(11)
    expect(piece.get_by_text("11 = 2×5+1")).to_be_visible()
    # 同页的另一个不受影响
    expect(other.locator(".slot .word")).to_have_text(["专业", "招", "男生", "句外", "句外"])


def test_dynamic_window_shows_its_draws(watched, site):
    folder, _ = site
    state = {"window": 5, "position": 5, "dynamic": True}
    write_page(folder, explore.html("sliding_window", **state))
    watched.goto((folder / "page.html").as_uri())
    note, again = watched.get_by_role("status").nth(0), watched.get_by_role("button", name="再抽一次")
    seen, fixed = set(), len(samples(DEFAULTS | state | {"dynamic": False}))
    for seed in range(1, 7):
        reach = draw(5, True, seed, 19)[5]
        seen.add(reach)
        expect(note).to_contain_text(f"抽到 {reach}，左右各看 {reach} 个")
        expect(watched.locator(".slot .context")).to_have_count(2 * reach)
        expect(watched.locator(".slot .off")).to_have_text(["没抽到"] * (10 - 2 * reach))
        total = len(samples(DEFAULTS | state | {"seed": seed}))
        expect(watched.locator(".total")).to_have_text(
            f"走完全文共 {total} 条，要看抽签；固定窗口是 {fixed} 条。")
        again.click()
    assert len(seen) > 2
    watched.get_by_label("动态窗口").uncheck()
    expect(again).to_be_hidden()
    expect(watched.locator(".slot .context")).to_have_count(10)


def test_typed_text_stays_text(watched, site):
    folder, _ = site
    write_page(folder, explore.html("sliding_window", position=199))
    watched.goto((folder / "page.html").as_uri())
    text, words = watched.get_by_role("textbox"), watched.locator(".line .word")
    note = watched.get_by_role("status").nth(0)
    expect(watched.locator(".line .center")).to_have_text("点")  # 超过全文，停在最后一个词
    text.fill("人咬狗。<b>😀")  # 没有空格：一个字一个词
    expect(words).to_have_text(["人", "咬", "狗", "<", "b", ">", "😀"])
    text.fill("人咬狗。狗 咬人")  # 有一处空格，全文就按空格切
    expect(words).to_have_text(["人咬狗", "狗", "咬人"])
    text.fill(" 。\n")
    expect(note).to_have_text("还没有词；请在上面写一句。")
    expect(watched.locator(".stage")).to_be_hidden()
    text.fill("狗")
    expect(note).to_have_text("第 1 句，中心词“狗”：这句只有一个词，没有上下文。新得 0 条样本，累计 0 条。")
    expect(watched.locator(".total")).to_contain_text("走完全文共 0 条")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", [
    {"window": 5, "position": 6, "dynamic": True},
    {"window": 5, "position": 3, "model": "cbow", "text": ("很长" * 13 + "的一个词 ") * 6},
])
def test_accessible_and_narrow(watched, site, theme, state):
    folder, _ = site
    write_page(folder, explore.html("sliding_window", **state), theme=theme)
    assert_accessible_and_narrow(
        watched, folder, lambda page: page.get_by_role("button", name="下一个").click())
