"""一步更新：每个数同 textseq.word2vec 相等；变的正好是 1 行与查到的那几行；撤回、重来、键盘都能用。"""

import re

import numpy as np
import pytest
from explore_page import assert_accessible_and_narrow, call_piece, write_page
from playwright.sync_api import expect

from textseq import explore
from textseq.word2vec import skipgram_negative

SPEC = explore.spec("one_step")
DEFAULTS = {key: rule["default"] for key, rule in SPEC["state"].items()}
WORDS = list(SPEC["state"]["center"]["choices"])
V, E = len(WORDS), 3


# ---- 对照：抽签另写一遍，一步用 textseq.word2vec 的 ----

def draw(seed, n):
    s, drawn = seed * 2654435761 % 2**32, []
    for _ in range(n):
        s ^= s << 13 & 0xFFFFFFFF
        s ^= s >> 17
        s ^= s << 5 & 0xFFFFFFFF
        drawn.append(V * s // 2**32)
    return drawn


def tables():
    return np.array(SPEC["embedding"]), np.array(SPEC["context"])


def gradient(tables, center, outputs):
    """损失与两张表的梯度。课程的编号从 1 起（0 是 <pad>），所以表的前面垫一行 0，给出时再去掉。"""
    padded = [np.vstack([np.zeros(E), table]) for table in tables]
    ids = np.array([outputs]) + 1
    loss, *slopes = skipgram_negative(*padded, np.array([center + 1]), ids[:, 0], ids[:, 1:])
    return loss, [slope[1:] for slope in slopes]


def walk(steps):
    """一步一步走；给出每一步之前、之后的两张表。"""
    now = tables()
    for center, outputs, rate in steps:
        _, slopes = gradient(now, center, outputs)
        before, now = now, [table - rate * slope for table, slope in zip(now, slopes, strict=True)]
        yield before, now


def used(state):
    """中心词、真邻居与负样本、学习率；选的不是邻居，就取离它最近的邻居，一样近取左边的。"""
    center, wanted = WORDS.index(state["center"]), WORDS.index(state["context"])
    near = [w for w in (center - 1, center + 1) if 0 <= w < V]
    context = min(near, key=lambda w: abs(w - wanted))
    return center, [context, *draw(state["seed"], state["K"])], state["rate_percent"] / 100


def as_batch(step):
    return dict(zip(("center", "outputs", "rate"), step, strict=True))


def random_state(rng):
    return {"center": str(rng.choice(WORDS)), "context": str(rng.choice(WORDS)), "K": int(rng.integers(11)),
            "rate_percent": int(rng.integers(1, 41)) * 5, "seed": int(rng.integers(1, 100))}


# ---- 逐数相等 ----

def test_steps_and_code_equal_the_library(watched, site):
    folder, address = site
    write_page(folder)
    rng = np.random.default_rng(5)
    walks = [[random_state(rng) for _ in range(rng.integers(1, 13))] for _ in range(60)]
    flat = [state for states in walks for state in states]
    steps = [used(state) for state in flat]
    assert [batch for [batch] in call_piece(watched, address, "one_step", flat, "batch")] == [
        as_batch(step) for step in steps]
    runs = [[steps.pop(0) for _ in states] for states in walks]
    answers = call_piece(watched, address, "one_step", [[as_batch(s) for s in run] for run in runs],
                         "replay", "numpyCode")
    for run, [mine, code] in zip(runs, answers, strict=True):
        *_, (_, true) = walk(run)
        scope = {}
        exec(code, scope)  # 页面给出的代码走出同一组数
        for name, table in zip(("embedding", "context"), true, strict=True):
            np.testing.assert_allclose(mine[name], table, rtol=0, atol=1e-12)
            np.testing.assert_allclose(scope[name], table, rtol=0, atol=1e-12)
        assert scope["words"] == WORDS


def test_every_number_of_one_step(watched, site):
    folder, address = site
    write_page(folder)
    watched.goto(f"{address}/page.html")
    rng = np.random.default_rng(6)
    for n in range(40):
        step = used(random_state(rng) | {"K": n % 11})
        center, outputs, rate = step
        start = rng.normal(size=(2, V, E)) * (100 if n == 39 else 1)  # 分数极大也不溢出
        result = watched.evaluate("""async ([tables, used]) =>
            (await import("/explorables/one_step.js")).step(tables, used)""",
            [dict(zip(("embedding", "context"), start.tolist(), strict=True)), as_batch(step)])
        z = start[1][outputs] @ start[0][center]
        sigma = 1 / (1 + np.exp(-z.clip(-700, 700)))
        target = (np.arange(len(outputs)) == 0) * 1.0
        for key, true in {"z": z, "p": sigma, "target": target, "error": target - sigma,
                          "loss": np.logaddexp(0, np.where(target == 1, -z, z))}.items():
            np.testing.assert_allclose([pair[key] for pair in result["pairs"]], true, rtol=1e-9, atol=1e-9)
        loss, (dembedding, dcontext) = gradient(start, center, outputs)
        assert sum(pair["loss"] for pair in result["pairs"]) == pytest.approx(loss, rel=1e-9)
        np.testing.assert_allclose(result["dv"], -rate * dembedding[center], rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(result["du"], -rate * dcontext, rtol=1e-9, atol=1e-9)
        if n < 39:
            assert result["changed"] == {"embedding": [center], "context": sorted(set(outputs))}


def test_the_draws_are_even_and_the_first_batch_is_plain():
    """各词机会均等；默认的那一批，抽到五个也各不相同、都不是真邻居，先看最干净的一步。"""
    drawn = draw(1, 40_000)
    assert all(abs(drawn.count(w) / 40_000 - 1 / V) < 0.01 for w in range(V))
    center, outputs, _ = used(DEFAULTS | {"K": 5})
    assert len(set(outputs)) == 6 and not {center - 1, center, center + 1} & set(outputs[1:])


# ---- 网页里 ----

def shown(piece, table):
    cells = piece.locator(f"[data-table={table}] td")
    return np.reshape(cells.evaluate_all("nodes => nodes.map((td) => Number(td.title))"), (V, E))


def lit(piece, table):
    return [WORDS.index(re.match("中华|女子|学院|本科|层次|专业|招|男生", text)[0]) for text in
            piece.locator(f"[data-table={table}] tr.lit th").all_text_contents()]


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_step_undo_and_restart(watched, site, scheme):
    folder, address = site
    write_page(folder, explore.html("one_step", K=5), explore.html("one_step", center="男生", K=0))
    watched.goto(f"{address}/page.html" if scheme == "http" else (folder / "page.html").as_uri())
    piece, other = (watched.locator("[data-explore]").nth(n) for n in range(2))
    note = piece.get_by_role("status").nth(1)
    go, undo, again, restart = (piece.get_by_role("button", name=name)
                                for name in ("走一步", "撤回", "重抽负样本", "重来"))
    steps = [used(DEFAULTS | {"K": 5, "seed": 18 + n}) for n in range(3)]
    expect(note).to_contain_text(
        "第 1 步，还没走：中心词“学院”，真邻居“女子”，负样本 中华、招、层次、男生、专业。损失 ")
    assert lit(piece, "embedding") == lit(piece, "context") == []
    undo.click()
    expect(note).to_have_text("已经退到起点，没有可撤的步子。")

    for n, (before, true) in enumerate(walk(steps)):
        center, outputs, _ = steps[n]
        go.focus()
        watched.keyboard.press("Enter")
        rows = sorted(set(outputs))
        losses = [f"{gradient(side, center, outputs)[0]:.3f}" for side in (before, true)]
        expect(note).to_contain_text(
            f"第 {n + 1} 步走完：词向量表变了 1 行（学院），上下文表变了 {len(rows)} 行（"
            + "、".join(WORDS[w] for w in rows)
            + f"），一共 {1 + len(rows)} 行。损失 {losses[0]} → {losses[1]} 奈特。")
        assert lit(piece, "embedding") == [center] and lit(piece, "context") == rows
        for name, table in zip(("embedding", "context"), true, strict=True):
            np.testing.assert_allclose(shown(piece, name), table, rtol=0, atol=1e-9)
        assert piece.locator("tfoot td").all_text_contents() == [losses[0], "", losses[1]]
    undo.click()
    np.testing.assert_allclose(shown(piece, "context"), before[1], rtol=0, atol=1e-9)
    expect(note).to_contain_text("第 3 步，还没走")
    again.click()  # 换一批，还没走
    expect(note).to_contain_text("第 3 步，还没走")
    restart.click()
    np.testing.assert_allclose(shown(piece, "embedding"), tables()[0], rtol=0, atol=0)
    expect(note).to_contain_text("负样本 中华、招、层次、男生、专业。")

    # 同页的另一个不受影响；没有负样本也走得动
    expect(other.get_by_role("status").nth(1)).to_contain_text("中心词“男生”，真邻居“招”，没有负样本。")
    other.get_by_role("button", name="走一步").click()
    expect(other.get_by_role("status").nth(1)).to_contain_text("上下文表变了 1 行（招），一共 2 行。")


def test_repeats_and_true_neighbours_are_said(watched, site):
    folder, _ = site
    write_page(folder, explore.html("one_step", K=10))
    watched.goto((folder / "page.html").as_uri())
    note, context = watched.get_by_role("status").nth(1), watched.locator("[data-table=context]")
    seen = set()
    for seed in range(18, 27):
        drawn = used(DEFAULTS | {"K": 10, "seed": seed})[1][1:]
        counts = {w: drawn.count(w) for w in set(drawn)}
        for w, count in counts.items():
            times = f"负样本 ×{count}" if count > 1 else "负样本"
            role = {1: f"真邻居，又是{times}", 3: f"{times}，其实相邻"}.get(w, times)
            expect(context.locator("th").nth(w)).to_have_text(WORDS[w] + role)
            expect(watched.locator("table.pairs tbody th", has_text=WORDS[w])).to_have_count(count + (w == 1))
        for word, text in ((1, "“女子”既是真邻居又是负样本"), (3, "抽到的“本科”其实也与“学院”相邻")):
            seen |= {(word, word in counts)}
            if word in counts:
                expect(note).to_contain_text(text)
            else:
                expect(note).not_to_contain_text(text)
        expect(note).to_contain_text("负样本有重复，重复的各加一次。")  # 8 个词抽 10 次，总有重复
        watched.get_by_role("button", name="重抽负样本").click()
    assert len(seen) == 4


def test_context_stays_a_neighbour(watched, site):
    folder, _ = site
    write_page(folder, explore.html("one_step"))
    watched.goto((folder / "page.html").as_uri())
    note = watched.get_by_role("status").nth(1)
    center, context = (watched.get_by_role("group", name=name)
                       for name in ("center 中心词", "context 上下文词"))
    center.get_by_role("radio", name="学院").focus()
    for _ in range(2):
        watched.keyboard.press("ArrowRight")
    expect(note).to_contain_text("中心词“层次”，真邻居“本科”")  # 女子不挨着层次，换成最近的
    expect(context.get_by_role("radio", name="本科")).to_be_checked()
    expect(context.locator("input:not(:disabled)")).to_have_count(2)
    context.get_by_role("radio", name="本科").focus()
    watched.keyboard.press("ArrowRight")  # 中间的都不挨着，跳过去
    expect(note).to_contain_text("真邻居“专业”")
    box = watched.get_by_role("spinbutton", name="K 负样本个数")
    box.fill("12")
    box.press("Tab")
    expect(watched.get_by_role("status").nth(0)).to_have_text("K 只能是 0 到 10 的整数，已改成 10。")
    expect(watched.locator("table.pairs tbody tr")).to_have_count(11)
    slider = watched.get_by_role("slider", name="学习率")
    slider.focus()
    watched.keyboard.press("ArrowLeft")
    expect(slider).to_have_attribute("aria-valuetext", "0.45")
    expect(watched.locator("pre")).to_contain_text(", 0.45)]")


@pytest.mark.parametrize("width", [664, 350])
def test_numbers_stay_on_one_line(watched, site, width):
    """书页的正文允许从字中间断行，这条规矩会传进互动图；数不能断成两截。"""
    folder, _ = site
    write_page(folder, explore.html("one_step", K=10))
    watched.goto((folder / "page.html").as_uri())
    watched.add_style_tag(content=f"body {{ width: {width}px; margin: 0; overflow-wrap: break-word; }}")
    for _ in range(2):
        lines = watched.locator(".tables td").evaluate_all("""cells => cells.map((cell) => {
            const text = document.createRange();
            text.selectNodeContents(cell.firstChild);
            return text.getClientRects().length; })""")
        assert len(lines) == 2 * V * E and set(lines) == {1}
        watched.get_by_role("button", name="走一步").click()


def test_walking_too_far_is_said(watched, site):
    folder, _ = site
    write_page(folder, explore.html("one_step", K=10, rate_percent=200))
    watched.goto((folder / "page.html").as_uri())
    note, step = watched.get_by_role("status").nth(1), watched.get_by_role("button", name="走一步")
    expect(note).not_to_contain_text("走过头")
    for _ in range(20):
        step.click()
    expect(note).to_contain_text("损失越走越大：学习率太大，走过头了。")
    assert max(map(len, watched.locator(".tables td").all_inner_texts())) <= 20  # 数与它变了多少，各一行


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("K", [5, 10])
def test_accessible_and_narrow(watched, site, theme, K):
    folder, _ = site
    write_page(folder, explore.html("one_step", K=K), theme=theme)
    assert_accessible_and_narrow(
        watched, folder, lambda page: page.get_by_role("button", name="走一步").click())
