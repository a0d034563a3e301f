"""词向量实验台：训练同 textseq.word2vec 逐步相等；三群分得开，K=0 坍缩；动画只在按了之后走，看不见就停。"""

import re

import numpy as np
import pytest
from explore_page import assert_accessible_and_narrow, write_page
from playwright.sync_api import expect

from textseq import explore
from textseq.word2vec import cbow_negative, noise_distribution, skipgram_negative

SPEC = explore.spec("vector_lab")
DEFAULTS = {key: rule["default"] for key, rule in SPEC["state"].items()}
E = SPEC["E"]
MODELS = {"skipgram": skipgram_negative, "cbow": cbow_negative}


# ---- 对照：样本与抽签另写一遍，每一步用 textseq.word2vec 的 ----

def mulberry32(a):
    while True:
        a = (a + 0x6D2B79F5) % 2**32
        t = (a ^ a >> 15) * (a | 1) % 2**32
        t ^= (t + (t ^ t >> 7) * (t | 61)) % 2**32
        yield (t ^ t >> 14) / 2**32


def train(state, steps):
    """走 steps 步；给出词、样本、两张表、每一步的损失。"""
    lines = [line.split() for line in state["corpus"].split("\n")]
    words = list(dict.fromkeys(word for line in lines for word in line))
    samples = []
    for line in lines:
        ids = [words.index(word) for word in line]
        for t, center in enumerate(ids):
            near = [w for s, w in enumerate(ids) if 0 < abs(s - t) <= state["window"]]
            if state["model"] == "skipgram":
                samples += [([center], w) for w in near]
            elif near:
                samples.append((near, center))
    random = mulberry32(state["seed"])
    # 课程的编号从 1 起（0 是 <pad>），所以表的前面垫一行 0
    embedding = np.array([[0.0] * E] + [[(next(random) - 0.5) / E for _ in range(E)] for _ in words])
    context, rate, negative = np.zeros_like(embedding), float(state["rate"]), MODELS[state["model"]]
    cumulative = np.cumsum(counts(lines, words) ** 0.75)
    order, losses = list(range(len(samples))), []
    for step in range(steps):
        if step % len(samples) == 0:
            for i in range(len(samples) - 1, 0, -1):
                j = int(next(random) * (i + 1))
                order[i], order[j] = order[j], order[i]
        inputs, output = samples[order[step % len(samples)]]
        drawn = [np.searchsorted(cumulative, next(random) * cumulative[-1], side="right")
                 for _ in range(state["K"])]
        inputs = np.array(inputs if state["model"] == "skipgram" else [inputs])
        loss, dembedding, dcontext = negative(embedding, context, inputs + 1, np.array([output]) + 1,
                                              np.array([drawn], int) + 1)
        embedding, context = embedding - rate * dembedding, context - rate * dcontext
        losses.append(loss)
    return words, samples, embedding[1:], context[1:], losses


def counts(lines, words):
    return np.array([sum(line.count(word) for line in lines) for word in words])


def mean_cosine(embedding):
    unit = embedding / np.linalg.norm(embedding, axis=1, keepdims=True)
    return (unit @ unit.T)[~np.eye(len(unit), dtype=bool)].mean()


def homes(corpus):
    """每个词只在第几段出现；几段都有的是 −1。"""
    parts = [set(part.split()) for part in re.split(r"\n\s*\n", corpus) if part.strip()]
    words = list(dict.fromkeys(corpus.split()))
    found = [[p for p, part in enumerate(parts) if word in part] for word in words]
    return [list_[0] if len(list_) == 1 else -1 for list_ in found]


RUN = """async ([state, steps]) => {
    const { advance, cosines, create, scores } = await import("/explorables/vector_lab.js");
    const { plane, unit } = await import("/explorables/_vectors.js");
    const lab = create(state);
    const losses = [];
    for (let i = 0; i < steps; i++) losses.push(advance(lab).loss);
    const { words, homes, samples, embedding, context, history } = lab;
    return { words, homes, samples, embedding, context, losses, history,
             cosines: cosines(lab), scores: scores(lab), points: plane(embedding.map(unit)).points };
}"""


def run(page, state, steps):
    return page.evaluate(RUN, [DEFAULTS | state, steps])


def on_page(page, site):
    folder, address = site
    write_page(folder)
    page.goto(f"{address}/page.html")


# ---- 逐数相等 ----

STATES = [{"model": model, "K": K, "window": window, "seed": 7 * K + window, "rate": rate}
          for model in ("skipgram", "cbow") for K, window, rate in
          ((0, 3, "0.1"), (1, 1, "0.3"), (5, 3, "0.1"), (10, 5, "0.03"), (2, 2, "0.1"))]
STATES.append({"corpus": "甲 乙 甲 constructor\n单\n\n 甲　丙\t<b>😀 \n\n\n乙 甲", "K": 3})


@pytest.mark.parametrize("n", range(len(STATES)))
def test_training_equals_the_library(watched, site, n):
    on_page(watched, site)
    state, steps = DEFAULTS | STATES[n], 1200
    mine = run(watched, state, steps)
    words, samples, embedding, context, losses = train(state, steps)
    assert mine["words"] == words and mine["homes"] == homes(state["corpus"])
    assert [(s["inputs"], s["output"]) for s in mine["samples"]] == samples
    np.testing.assert_allclose(mine["embedding"], embedding, rtol=0, atol=1e-9)
    np.testing.assert_allclose(mine["context"], context, rtol=0, atol=1e-9)
    np.testing.assert_allclose(mine["losses"], losses, rtol=0, atol=1e-9)
    # 每轮的平均损失与读数
    size = len(samples)
    rounds = [np.mean(losses[i:i + size]) for i in range(0, steps - size + 1, size)]
    np.testing.assert_allclose([point["loss"] for point in mine["history"]], rounds, rtol=0, atol=1e-9)
    assert mine["cosines"]["all"] == pytest.approx(mean_cosine(embedding), abs=1e-9)
    hidden = np.array([embedding[inputs].mean(axis=0) for inputs, _ in samples])
    sigma = 1 / (1 + np.exp(-hidden @ context.T))
    noise = noise_distribution(counts([line.split() for line in state["corpus"].split("\n")], words))
    assert mine["scores"]["real"] == pytest.approx(
        np.mean([row[output] for row, (_, output) in zip(sigma, samples, strict=True)]), abs=1e-9)
    assert mine["scores"]["random"] == pytest.approx((sigma @ noise).mean(), abs=1e-9)
    # 平面是真的 PCA：两个方向上的方差等于前两个奇异值的平方
    unit = embedding / np.linalg.norm(embedding, axis=1, keepdims=True)
    true = np.linalg.svd(unit - unit.mean(axis=0), compute_uv=False)[:2] ** 2
    np.testing.assert_allclose((np.array(mine["points"]) ** 2).sum(), true.sum(), rtol=1e-6)


def test_groups_come_apart_and_zero_negatives_collapse(watched, site):
    """头一道题的答案，换五个起点都成立。"""
    on_page(watched, site)
    group = np.array(homes(DEFAULTS["corpus"]))
    own, same = group >= 0, group[:, None] == group
    same = same & own & own[:, None] & ~np.eye(len(group), dtype=bool)
    cross = own & own[:, None] & (group[:, None] != group)
    for seed in range(1, 6):
        for K in (5, 0):
            found = run(watched, {"seed": seed, "K": K}, 204 * 60)
            cosines, scores = found["cosines"], found["scores"]
            unit = np.array(found["embedding"])
            unit /= np.linalg.norm(unit, axis=1, keepdims=True)
            assert cosines["same"] == pytest.approx((unit @ unit.T)[same].mean(), abs=1e-9)
            assert cosines["cross"] == pytest.approx((unit @ unit.T)[cross].mean(), abs=1e-9)
            if K:
                assert cosines["same"] > cosines["cross"] + 0.3 and cosines["all"] < 0.4
                assert scores["real"] > 1.5 * scores["random"]
            else:
                assert cosines["all"] > 0.96 and scores["random"] > 0.98 and found["losses"][-1] < 0.01


# ---- 网页里 ----

def parts(piece):
    return piece.get_by_role("status"), piece.get_by_role("button", name=re.compile("^(训练|停)$"))


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_steps_rounds_and_restart(watched, site, scheme):
    folder, address = site
    write_page(folder, explore.html("vector_lab"), explore.html("vector_lab", model="cbow", K=0))
    watched.goto(f"{address}/page.html" if scheme == "http" else (folder / "page.html").as_uri())
    piece, other = (watched.locator("[data-explore]").nth(n) for n in range(2))
    (note, go), (other_note, _) = parts(piece), parts(other)
    fresh = "还没训练：20 个词，每轮 204 条样本，K=5；各词方向随机，上下文表全是 0，所以分数都是 0.50。"
    expect(note).to_have_text(fresh)
    expect(go).to_have_text("训练")

    *_, losses = train(DEFAULTS, 206)
    for n in range(2):
        piece.get_by_role("button", name="走一步").press("Enter")
        expect(note).to_have_text(
            re.compile(rf"^第 {n + 1} 步：.+ → .+，负样本：.+；损失 {losses[n]:.2f} 奈特。$"))
    piece.get_by_role("button", name="走一轮").click()  # 补完这一轮
    expect(note).to_contain_text("走完 1 轮：平均余弦 ")
    expect(piece.locator(".curve b").nth(0)).to_have_text(f"{np.mean(losses[:204]):.2f}")
    for _ in range(11):
        other.get_by_role("button", name="走一轮").click()
    expect(other_note).to_contain_text("走完 11 轮：")
    expect(note).to_contain_text("走完 1 轮：")  # 同页的两个互不影响

    box = piece.get_by_role("spinbutton", name="K 每个正样本配几个负样本")
    box.fill("0")
    expect(note).to_contain_text("还没训练：20 个词，每轮 204 条样本，K=0")
    piece.get_by_role("button", name="走一步").click()
    expect(note).to_contain_text("负样本：没有；损失 0.69 奈特。")
    box.fill("11")
    box.press("Tab")
    expect(note).to_have_text("K 只能是 0 到 10 的整数，已改成 10。")
    piece.get_by_role("radio", name="CBOW").check(force=True)
    expect(note).to_contain_text("每轮 58 条样本，K=10")
    where = piece.locator(".word").first
    before = where.get_attribute("style")
    piece.get_by_role("button", name="换个起点").click()
    assert where.get_attribute("style") != before


def test_collapse_is_said(watched, site):
    folder, _ = site
    write_page(folder, explore.html("vector_lab", K=0))
    watched.emulate_media(reduced_motion="reduce")  # 不要动画：按一下走完 50 轮
    watched.goto((folder / "page.html").as_uri())
    note, go = parts(watched)
    go.click()
    expect(note).to_contain_text("走完 50 轮：平均余弦 0.98")
    expect(note).to_contain_text("坍缩了。")
    expect(go).to_have_text("训练")
    spread = watched.locator(".word").evaluate_all(
        "nodes => nodes.map((node) => { const box = node.getBoundingClientRect(); return [box.x, box.y]; })")
    width = watched.locator(".plane").bounding_box()["width"]
    assert np.ptp(spread, axis=0).max() < 0.3 * width  # 挤成一团
    watched.get_by_role("button", name="重来").click()
    expect(note).to_contain_text("还没训练")
    watched.get_by_role("spinbutton", name="K ").fill("5")
    go.click()
    expect(note).to_contain_text("走完 50 轮")
    expect(note).not_to_contain_text("坍缩")


def test_animation_runs_only_when_asked_and_seen(watched, site):
    folder, _ = site
    write_page(folder, explore.html("vector_lab"), '<div style="height: 3000px"></div>')
    watched.goto((folder / "page.html").as_uri())
    note, go = parts(watched)
    word = watched.locator(".word").first

    def where():
        return word.get_attribute("style")

    still = where()
    watched.wait_for_timeout(300)
    assert where() == still  # 不按不动
    go.focus()
    watched.keyboard.press("Space")
    expect(go).to_have_text("停")
    expect(note).to_have_text("训练中，最多再走 300 轮。")
    watched.wait_for_function("([node, old]) => node.getAttribute('style') !== old",
                              arg=[word.element_handle(), still])
    watched.evaluate("scrollTo(0, 3000)")
    watched.wait_for_timeout(300)
    hidden = where()
    watched.wait_for_timeout(300)
    assert where() == hidden  # 滚出画面就停住
    watched.evaluate("scrollTo(0, 0)")
    watched.wait_for_function("([node, old]) => node.getAttribute('style') !== old",
                              arg=[word.element_handle(), hidden])
    watched.keyboard.press("Space")
    expect(go).to_have_text("训练")
    expect(note).to_contain_text(re.compile(r"^走完 \d+ 轮：平均余弦"))
    stopped = where()
    watched.wait_for_timeout(200)
    assert where() == stopped
    go.click()
    expect(go).to_have_text("停")
    watched.get_by_role("slider", name="window 滑块").press("ArrowRight")  # 改一项：停下，从头来
    expect(go).to_have_text("训练")
    expect(note).to_contain_text("还没训练")
    stopped = where()
    watched.wait_for_timeout(200)
    assert where() == stopped


def test_typed_corpus_stays_text(watched, site):
    folder, _ = site
    write_page(folder, explore.html("vector_lab"))
    watched.goto((folder / "page.html").as_uri())
    text, (note, go) = watched.get_by_role("textbox", name="corpus"), parts(watched)
    text.fill("<b>甲</b> 乙 😀\n\n丙 乙")
    expect(watched.locator(".word")).to_have_text(["<b>甲</b>", "乙", "😀", "丙"])
    expect(watched.locator(".key span")).to_have_text(["几段都有的词", "第 1 段的词", "第 2 段的词"])
    watched.get_by_role("button", name="走一轮").click()
    expect(note).to_contain_text("走完 1 轮")
    go.click()  # 正训练着，语料忽然空了，也不出错
    for empty in ("", " \n\n ", "甲", "甲\n乙", "甲 甲"):
        text.fill(empty)
        expect(note).to_have_text("还没有样本；请在语料里写一句话，至少两个不同的词。")
        expect(watched.locator(".plane")).to_be_hidden()
        expect(go).to_be_disabled()
        expect(go).to_have_text("训练")
        watched.wait_for_timeout(50)
    text.fill("甲 乙")
    expect(go).to_be_enabled()
    for _ in range(3):
        watched.get_by_role("button", name="走一轮").click()
    expect(note).to_contain_text(re.compile("^走完 3 轮：平均余弦 [−0-9.]+；"))  # 没有几群可分，就不提


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("state", [{}, {"corpus": ("很长" * 20 + "的词 ") * 3 + "短 词", "K": 0}])
def test_accessible_and_narrow(watched, site, theme, state):
    folder, _ = site
    write_page(folder, explore.html("vector_lab", **state), theme=theme)
    assert_accessible_and_narrow(
        watched, folder, lambda page: page.get_by_role("button", name="走一轮").click())
