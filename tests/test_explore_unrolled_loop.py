"""展开的圈：h 与影响同 textseq.rnn、rnn.influence 逐数相等；鼠标、键盘与两种明暗都能用。"""

import random

import numpy as np
import pytest
from explore_page import assert_accessible_and_narrow, call_piece, write_page
from playwright.sync_api import expect

from textseq import explore, rnn

SPEC = explore.spec("unrolled_loop")
SENTENCE = SPEC["state"]["sentence"]["default"]


def by_the_library(sentence, rho, size=1):
    """按说明书的公式，用 textseq 算一遍：(T, H) 的 h 与 (T, T) 的影响。"""
    H = len(SPEC["weights"]["b_h"])
    x = size * np.sin(np.outer([ord(char) for char in sentence], np.sqrt([2, 3, 5, 7])))[None]
    params = {name: np.array(value) for name, value in SPEC["weights"].items()}
    params["W_hh"] = rho * (np.roll(np.eye(H), 1, axis=1) - 1 / 3)
    run = rnn.forward(x, params)
    return run.h[0], rnn.influence(run, rnn.backward)


def call(page, address, states, *functions):
    return call_piece(page, address, "unrolled_loop", states, *functions)


def random_sentence(rng):
    alphabet = SENTENCE + "今年第一场雪，abc XYZ 0\"'\\<>&😀𠮷\u3000é"
    return "".join(rng.choices(alphabet, k=rng.randint(1, 20)))


def test_numbers_equal_the_library(watched, site):
    folder, address = site
    write_page(folder)
    rng = random.Random(1)
    states = [{"sentence": random_sentence(rng), "rho_percent": rng.randint(0, 150)} for _ in range(80)]
    states += [{"sentence": SENTENCE, "rho_percent": rho} for rho in (0, 50, 100, 150)]
    for n, state in enumerate(states):
        state |= {"t": rng.randrange(len(state["sentence"])),
                  "size_percent": rng.choice([100, 5 * rng.randint(1, 20)]),
                  "other": ["", "男", "😀", '"'][n % 4]}
    for state, [mine, code] in zip(states, call(watched, address, states, "run", "numpyCode"), strict=True):
        rho, size = state["rho_percent"] / 100, state["size_percent"] / 100
        h, influence = by_the_library(state["sentence"], rho, size)
        np.testing.assert_allclose(mine["h"], h, rtol=0, atol=1e-12)
        t = state["t"]
        np.testing.assert_allclose(mine["influence"], influence[t, :t + 1], rtol=1e-9, atol=1e-15)
        scope = {}
        exec(code, scope)  # 页面给出的代码算出同一组数
        np.testing.assert_array_equal(scope["h"], h)
        np.testing.assert_array_equal(scope["influence"], influence[t])
        assert ("gap" in scope) == ("gap" in mine and mine["gap"] is not None) == bool(state["other"])
        if state["other"]:  # 第一个字换掉，再跑一遍
            gap = by_the_library(state["other"] + state["sentence"][1:], rho, size)[0] - h
            np.testing.assert_allclose(mine["gap"], gap, rtol=0, atol=1e-12)
            np.testing.assert_array_equal(scope["gap"], gap)


def test_spectral_radius_is_exact(watched, site):
    folder, address = site
    write_page(folder)
    watched.goto(f"{address}/page.html")
    for rho in (0.5, 1, 1.5):
        W_hh = np.array(watched.evaluate("""async (rho) =>
            (await import("/explorables/unrolled_loop.js")).recurrent(rho)""", rho))
        np.testing.assert_allclose(np.abs(np.linalg.eigvals(W_hh)), rho, rtol=1e-12)
        np.testing.assert_allclose(W_hh @ W_hh.T, rho**2 * np.eye(len(W_hh)), atol=1e-12)
        assert np.abs(W_hh - W_hh.T).max() > 0.1  # 不对称，用反了转置就会被上面的测试发现


def test_the_lead_question_has_a_clear_answer():
    """默认的句子：ρ 从 0.5 到 1.5，第一个字对最后的 h 的影响从百万分之一升到超过最后一个字自己。"""
    first = {rho: by_the_library(SENTENCE, rho)[1][-1] for rho in (0.5, 1, 1.5)}
    assert first[0.5][0] < 1e-6
    assert 1e-3 < first[1][0] / first[1][-1] < 0.1  # 谱半径是 1 也会淡：tanh 的斜率小于 1
    assert first[1.5][0] > first[1.5][-1]


@pytest.mark.parametrize("rho, pace", [(0.5, 0.43), (1, 0.81), (1.3, 1.01)])
def test_the_pace_quoted_in_the_chapter(rho, pace):
    """第 01 章引的三个数：看最后一步，每远一步平均乘多少。"""
    first, *_, own = by_the_library(SENTENCE, rho)[1][-1]
    assert round((first / own) ** (1 / (len(SENTENCE) - 1)), 2) == pace


def test_narrow_indices_stay_on_one_line(watched, site):
    """390 px 宽：两位数的时间步不折行，柱子的底边在同一条线上。"""
    folder, _ = site
    write_page(folder, explore.html("unrolled_loop"))
    watched.set_viewport_size({"width": 390, "height": 900})
    watched.goto((folder / "page.html").as_uri())
    bars = watched.locator(".bar")
    expect(bars).to_have_count(len(SENTENCE))  # 互动是异步装上的，先等它出现
    bottoms = bars.evaluate_all("bars => bars.map((bar) => Math.round(bar.getBoundingClientRect().bottom))")
    assert len(set(bottoms)) == 1


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_answers_mouse_and_keyboard(watched, site, scheme):
    folder, address = site
    write_page(folder, explore.html("unrolled_loop", t=19), explore.html("unrolled_loop", t=3))
    watched.goto(f"{address}/page.html" if scheme == "http" else (folder / "page.html").as_uri())
    piece, other = (watched.locator("[data-explore]").nth(n) for n in range(2))
    note = piece.get_by_role("status").nth(0)
    time, rho = piece.get_by_role("slider", name="时间步"), piece.get_by_role("slider", name="谱半径")
    last = len(SENTENCE) - 1
    expect(note).to_contain_text(f"第 0 步的“中”对 h_{last} 的影响")
    expect(piece.locator(".step.now .char")).to_have_text(SENTENCE[-1])
    expect(piece.locator(".step.later")).to_have_count(0)
    expect(other.locator(".step.now .char")).to_have_text(SENTENCE[3])
    expect(other.locator(".step.later")).to_have_count(last - 3)

    time.focus()
    watched.keyboard.press("ArrowLeft")
    expect(time).to_have_attribute("aria-valuetext", f"t = {last - 1}，{SENTENCE[-2]}")
    piece.get_by_role("button", name="上一步").click()
    watched.keyboard.press("ArrowLeft")  # 停在按钮上，方向键也走
    piece.get_by_role("group", name="展开的图").focus()
    watched.keyboard.press("ArrowLeft")
    expect(note).to_contain_text(f"h_{last - 4} 的影响")
    piece.get_by_role("button", name="下一步").click()
    expect(note).to_contain_text(f"h_{last - 3} 的影响")
    piece.locator(".step").nth(2).click()
    expect(note).to_contain_text("h_2 的影响")

    rho.focus()
    watched.keyboard.press("End")
    expect(rho).to_have_attribute("aria-valuetext", "ρ = 1.50")
    influence = by_the_library(SENTENCE, 1.5)[1]
    piece.get_by_text("看数字").click()
    for s in range(3):
        shown = piece.locator("tbody tr").nth(s).locator("td").last
        assert float(shown.text_content()) == pytest.approx(influence[2, s], rel=0.01)
    watched.keyboard.press("Home")
    expect(other.locator(".step.now .char")).to_have_text(SENTENCE[3])  # 同页的另一个不受影响


def test_scales_without_memory(watched, site):
    """ρ = 0：圈断了，除了现在这个字，谁也没有影响；两种刻度都照实画。"""
    folder, _ = site
    write_page(folder, explore.html("unrolled_loop", rho_percent=0, t=19))
    watched.goto((folder / "page.html").as_uri())
    expect(watched.get_by_role("status").nth(0)).to_contain_text("= 0，占全部 18 个字的 0%。")
    expect(watched.locator(".bar i")).to_have_count(1)
    watched.get_by_role("radio", name="份额").focus()
    watched.keyboard.press("Space")
    assert watched.locator(".bar i").get_attribute("style") == "height: 100%"


def test_typed_sentences_stay_text(watched, site):
    folder, _ = site
    write_page(folder, explore.html("unrolled_loop", t=19))
    watched.goto((folder / "page.html").as_uri())
    text, chars = watched.get_by_role("textbox", name="句子"), watched.locator(".char")
    text.fill("<b>😀 \"x")
    expect(chars).to_have_text(["<", "b", ">", "😀", "␣", '"', "x"])
    expect(watched.locator(".step.now .char")).to_have_text("x")
    text.fill("")
    expect(watched.get_by_role("status").nth(0)).to_have_text("还没有字；请在上面写一句。")
    expect(watched.locator(".unrolled")).to_be_hidden()
    text.fill("狗")
    expect(watched.get_by_role("status").nth(0)).to_contain_text("占全部 1 个字的 100%。")
    text.fill("人咬狗")
    expect(watched.locator(".step.now .char")).to_have_text("狗")


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_it_plays_to_the_end_and_stops(watched, site, motion):
    """播放一步一步走到头；不要动画的，一下到头。到头再按，从头走起。"""
    folder, _ = site
    write_page(folder, explore.html("unrolled_loop", sentence="人咬狗"))
    watched.emulate_media(reduced_motion=motion)
    watched.goto((folder / "page.html").as_uri())
    now, play = watched.locator(".step.now .char"), watched.locator("button.play")
    expect(now).to_have_text("人")
    play.click()
    expect(play).to_have_accessible_name("停" if motion == "no-preference" else "播放")
    expect(now).to_have_text("狗")
    expect(play).to_have_accessible_name("播放")
    play.click()
    expect(now).to_have_text("人" if motion == "no-preference" else "狗")


def test_the_difference_is_a_strip_of_its_own(watched, site):
    folder, _ = site
    write_page(folder, explore.html("unrolled_loop", t=19))
    watched.goto((folder / "page.html").as_uri())
    note, strips = watched.get_by_role("status").nth(0), watched.locator(".strip")
    expect(strips).to_have_count(len(SENTENCE))
    watched.get_by_role("textbox", name="把第一个字换成").fill("<")
    expect(strips).to_have_count(2 * len(SENTENCE))
    gap = by_the_library("<" + SENTENCE[1:], 0.5)[0] - by_the_library(SENTENCE, 0.5)[0]
    expect(note).to_contain_text(f"把它换成“<”：h_0 差 {np.linalg.norm(gap[0]):.2f}，h_17 差 ")
    watched.get_by_role("textbox", name="把第一个字换成").fill("")
    expect(strips).to_have_count(len(SENTENCE))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible_and_narrow(watched, site, theme):
    folder, _ = site
    write_page(folder, explore.html("unrolled_loop", sentence="一" * 20, t=9), theme=theme)
    assert_accessible_and_narrow(watched, folder, lambda page: page.get_by_text("看数字").click())
