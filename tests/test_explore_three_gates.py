"""三个门：数与 textseq.lstm 相等；题目只有真解开才算解开；只用键盘也能解开。"""

import numpy as np
import pytest
from explore_page import assert_accessible_and_narrow, call_piece, write_page
from playwright.sync_api import expect

from textseq import explore, lstm

SPEC = explore.spec("three_gates")
T, FLAG = len(SPEC["g"]), SPEC["flag"]
HALF = {gate: [0.5] * T for gate in "fio"}
SOLVED = {"f": [1] * T, "i": [1] + [0] * (T - 1), "o": [int(t == FLAG) for t in range(T)]}


def as_text(gates):
    return {key: value if isinstance(value, str) else " ".join(map(str, value))
            for key, value in gates.items()}


def but(gate, t, value):
    """正解里只改一个数。"""
    return SOLVED | {gate: [value if s == t else v for s, v in enumerate(SOLVED[gate])]}


def call(page, address, states, *functions):
    return call_piece(page, address, "three_gates", [as_text(state) for state in states], *functions)


def test_numbers_equal_lstm(watched, site):
    folder, address = site
    write_page(folder)
    rng = np.random.default_rng(2)
    states = [HALF, SOLVED] + [{gate: rng.random(T).tolist() for gate in "fio"} for _ in range(60)]
    params = lstm.init_params(3, 1, rng)
    x = rng.normal(size=(1, T, 3))  # 门与候选值都固定了，x 与参数不起作用
    for state, [mine, code] in zip(states, call(watched, address, states, "run", "lstmCode"), strict=True):
        clamp = {name: np.reshape(v, (1, T, 1)) for name, v in (state | {"g": SPEC["g"]}).items()}
        true = lstm.forward(x, params, clamp=clamp)
        np.testing.assert_allclose(mine["c"], true.c[0, :, 0], rtol=0, atol=1e-12)
        np.testing.assert_allclose(mine["h"], true.h[0, :, 0], rtol=0, atol=1e-12)
        scope = {}
        exec(code, scope)  # 页面给出的代码算出同一组数
        np.testing.assert_allclose(scope["c"], mine["c"], rtol=0, atol=1e-12)
        np.testing.assert_allclose(scope["h"], mine["h"], rtol=0, atol=1e-12)
        # 每个字在 c 里的那一份：只留它的候选值，别的都改成 0
        only = np.eye(T)[:, None, :, None]  # (T, 1, T, 1)
        each = [lstm.forward(x, params, clamp=clamp | {"g": clamp["g"] * only[s]}).c for s in range(T)]
        shares = np.abs(each)[:, 0, :, 0]  # (T, T)：第 s 个字在 C_t 里的那份的大小
        np.testing.assert_allclose(np.multiply(mine["kept"], SPEC["g"][0]), shares[0], rtol=0, atol=1e-12)
        np.testing.assert_allclose(mine["mixed"], shares[1:].sum(0), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("text", "values"), [
    ("", [0.5] * T),
    (" 1\t0  0.25 ", [1, 0, 0.25] + [0.5] * (T - 3)),
    ("2 -1 x NaN Infinity", [1, 0] + [0.5] * (T - 2)),
    ("1 " * 30, [1] * T),
])
def test_odd_text_is_read(watched, site, text, values):
    folder, address = site
    write_page(folder)
    watched.goto(f"{address}/page.html")
    parsed = watched.evaluate("""async (text) =>
        (await import("/explorables/three_gates.js")).parse(text)""", text)
    assert parsed == values


def test_puzzle_wants_the_real_solution(watched, site):
    folder, address = site
    write_page(folder)
    one = [1] * T
    only_late = [int(t >= FLAG) for t in range(T)]
    solved = [
        SOLVED,
        but("f", 0, 0),  # 第 0 步没有上一步，f 是多少都一样
        but("f", 3, 0.9), but("i", 2, 0.2), but("o", FLAG, 0.95), but("o", 4, 0.1),
        but("f", FLAG + 1, 0), but("i", FLAG + 2, 0.8),  # 旗子以后，c 里是什么都行，只要 o 关着
    ]
    missing = {  # 差一点的，与它们该报的第一个条件
        0: [HALF, but("f", 5, 0), but("f", FLAG, 0.8), but("i", 0, 0.5), SOLVED | {"f": [0.95] * T},
            # 取巧：不记第一个字，到旗子那一步用别的字凑出同样大小的 C
            {"f": [0] * 3 + [1] * 9, "i": [0, 0, 1, 0, 0, 1] + [0] * 6, "o": SOLVED["o"]}],
        1: [SOLVED | {"i": [1, 0.7, 0, 0.2, 0, 1] + [0] * 6},  # 别的字一正一负，合起来几乎是 0
            {"f": one, "i": one, "o": one}, but("i", 1, 1), but("i", FLAG, 0.3)],
        2: [but("o", FLAG, 0.9), but("o", FLAG, 0), SOLVED | {"o": [0] * T}],
        3: [SOLVED | {"o": one}, SOLVED | {"o": only_late}, but("o", FLAG + 1, 1), but("o", 0, 0.2)],
    }
    answers = call(watched, address, solved, "puzzle")
    assert [all(check["done"] for check in checks) for [checks] in answers] == [True] * len(solved)
    for first, states in missing.items():
        for state, [checks] in zip(states, call(watched, address, states, "puzzle"), strict=True):
            assert [check["done"] for check in checks].index(False) == first, state


def test_two_flags_want_real_forgetting(watched, site):
    """第二题：每面旗只说最新的那个字。f 在读到新字的那一步要是 0；不忘、不记、说错时候，都有一条做不到。"""
    folder, address = site
    write_page(folder)
    [[first, flag], [second, late]] = SPEC["two"]["say"]
    right = {"level": "two", "f": [int(t != second) for t in range(T)],
             "i": [int(t in (first, second)) for t in range(T)],
             "o": [int(t in (flag, late)) for t in range(T)]}
    others = [right | {"f": [1] * T},                                  # 不忘：旧的掺进来，说的也不对
              right | {"f": [int(t > second) for t in range(T)]},      # 忘得太早
              right | {"i": SOLVED["i"]}, right | {"o": [1] * T}]
    wanted = [[], [4, 5], [0, 2], [3, 5], [6]]
    answers = call(watched, address, [right, *others], "puzzle", "run")
    params = lstm.init_params(1, 1, np.random.default_rng(0))
    for state, missing, [checks, mine] in zip([right, *others], wanted, answers, strict=True):
        assert [n for n, check in enumerate(checks) if not check["done"]] == missing
        gates = {gate: state[gate] for gate in "fio"} | {"g": SPEC["g"]}
        clamp = {name: np.reshape(values, (1, T, 1)).astype(float) for name, values in gates.items()}
        true = lstm.forward(np.zeros((1, T, 1)), params, clamp=clamp).h[0, :, 0]
        np.testing.assert_allclose(mine["h"], true, rtol=0, atol=1e-12)
        said = [abs(true[t] - np.tanh(SPEC["g"][at])) < 0.05 for at, t in SPEC["two"]["say"]]
        assert said == [checks[2]["done"], checks[5]["done"]]


def test_the_second_puzzle_is_drawn(watched, site):
    folder, _ = site
    write_page(folder, explore.html("three_gates"))
    watched.goto((folder / "page.html").as_uri())
    watched.get_by_text("两面旗", exact=True).click()
    expect(watched.locator(".tokens").first.locator(".flag")).to_have_text(["旗", "旗"])
    expect(watched.get_by_label("题目的条件").locator("li")).to_have_count(7)
    expect(watched.get_by_role("slider", name="f，第 5 步“招”")).to_be_visible()


KINDS = ("key", "flag", "wipe", "other")
BEST, TIED, OPEN = "0101 1000 0100", "0111 1000 0100", "1111 1000 0100"  # 正解；f = 1 − i；f 全开


def call_rules(page, address, seed, tables):
    """抽出来的句子，与各张表在上面考得怎样。"""
    page.goto(f"{address}/page.html")
    return page.evaluate("""async ([seed, tables]) => {
        const { drawn, tried } = await import("/explorables/_rules.js");
        return [drawn(seed), tables.map((table) => tried({ table, seed }))];
    }""", [seed, tables])


def right_steps(table, line):
    """按题目逐字判：每一步说得对不对。h 由 textseq.lstm 算，该说什么在这里另写一遍。"""
    gates = dict(zip("fio", table.split(), strict=True))
    clamp = {gate: [int(marks[KINDS.index(kind)]) for kind in line["kinds"]] for gate, marks in gates.items()}
    clamp = {name: np.reshape(v, (1, T, 1)).astype(float) for name, v in (clamp | {"g": line["g"]}).items()}
    params = lstm.init_params(1, 1, np.random.default_rng(0))
    said = lstm.forward(np.zeros((1, T, 1)), params, clamp=clamp).h[0, :, 0]
    memory, right = 0, []
    for kind, g, h in zip(line["kinds"], line["g"], said, strict=True):
        memory = {"key": g, "wipe": 0}.get(kind, memory)
        aim = np.tanh(memory) if kind == "flag" else 0
        right.append(abs(h - aim) < (0.05 if aim else 0.1))
    return right


def test_rules_are_judged_by_the_lstm(watched, site):
    """第三题：两百句没见过的，每张表对几句，与 textseq.lstm 走一遍数出来的相同。"""
    folder, address = site
    write_page(folder)
    rng = np.random.default_rng(3)
    tables = [BEST, TIED, OPEN, *("".join(row) for row in rng.choice(list("01"), (2, 12)))]
    tables = [" ".join((t.replace(" ", "")[:4], t.replace(" ", "")[4:8], t.replace(" ", "")[8:]))
              for t in tables]
    for seed in (1, 7):
        lines, results = call_rules(watched, address, seed, tables)
        assert len(lines["unseen"]) == 200 and {len(line["kinds"]) for line in lines["unseen"]} == {T}
        for table, result in zip(tables, results, strict=True):
            assert result["right"] == sum(all(right_steps(table, line)) for line in lines["unseen"]), table
            assert result["slips"] == right_steps(table, lines["shown"]).count(False), table
        silent = sum(all(right_steps("0000 0000 0000", line)) for line in lines["unseen"])
        assert results[0]["silent"] == silent and results[0]["right"] == 200


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.full)])
def test_only_separate_gates_follow_the_rule(watched, site, seed):
    """4096 张表里只有两张句句全对（擦了以后 c 是 0，o 开不开一样）；f = 1 − i 的最好也差得远。"""
    folder, address = site
    write_page(folder)
    tables = [f"{n:012b}" for n in range(4096)]
    _, results = call_rules(watched, address, seed, tables)
    scores = dict(zip(tables, (result["right"] for result in results), strict=True))
    assert [t for t, score in scores.items() if score == 200] == ["010110000100", "010110000110"]
    tied = [t for t in tables if all(a != b for a, b in zip(t[:4], t[4:8], strict=True))]
    assert len(tied) == 256
    assert max(scores[t] for t in tied) == results[0]["tied"] == scores[TIED.replace(" ", "")] < 150


def test_the_rule_is_tried_on_unseen_sentences(watched, site):
    """眼前这句全对，没见过的错一大半：说出来；换一句就看得见；只用键盘改开关，解得开。"""
    folder, _ = site
    write_page(folder, explore.html("three_gates", level="rule", table=OPEN))
    watched.goto((folder / "page.html").as_uri())
    checks = watched.get_by_label("题目的条件").locator("li")
    expect(checks).to_have_text(["做到了眼前这句，12 步都对错 0 步",
                                 "还没有没见过的 200 句（种子 1），句句全对对 57 句"])
    expect(watched.get_by_role("status").filter(has_text="没见过的却错了 143 句")).to_be_visible()
    expect(watched.get_by_text("一声不出，对 56 句")).to_be_visible()
    bar = watched.get_by_role("slider", name="f，第 3 步“擦”")
    bar.press("0")  # 柱子由表定，改不动
    expect(bar).to_have_attribute("aria-valuenow", "1")
    watched.get_by_role("button", name="换一句").click()
    expect(checks.nth(0)).to_have_text("还没有眼前这句，12 步都对错 4 步")
    watched.get_by_role("button", name="提示").click()
    expect(watched.get_by_role("status").filter(has_text="旧的该由哪个门清掉")).to_be_visible()
    gate = watched.get_by_role("group", name="f 读到什么时开")
    for name in ("要记的字", "擦"):
        gate.get_by_role("button", name=name).press("Space")
        expect(gate.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "false")
    expect(watched.get_by_role("status").filter(has_text="解开了：表里没有一处写着第几步")).to_be_visible()


def test_valves_follow_the_bars(watched, site):
    """阀开多少与柱子同高：横管上的缝是 f，管的粗细是 c。"""
    folder, _ = site
    write_page(folder, explore.html("three_gates", **as_text(but("f", 3, 0.25))))
    watched.goto((folder / "page.html").as_uri())
    heights = watched.locator(".valves rect[height][x='322']").evaluate_all(
        "nodes => nodes.map((node) => Number(node.getAttribute('height')))")
    assert heights == [15, 15]  # 半宽 20，关去四分之三
    flows = [float(watched.locator(f".valves rect[x='{x}']").first.get_attribute("height"))
             for x in (250, 350)]
    assert flows[1] == pytest.approx(flows[0] / 4)


def test_solved_with_the_keyboard_alone(watched, site):
    folder, _ = site
    write_page(folder, explore.html("three_gates"))
    watched.goto((folder / "page.html").as_uri())
    press, done = watched.keyboard.press, watched.locator("li.done")

    def tab_to(name):
        for _ in range(30):
            press("Tab")
            if watched.evaluate("""() => document.querySelector(".textseq-explore").shadowRoot.activeElement
                    ?.getAttribute("aria-label")""") == name:
                return
        pytest.fail(f"Tab 走不到 {name}")

    expect(done).to_have_count(0)
    tab_to("f 全 1")
    press("Enter")
    tab_to("i 全 0")
    press("Space")
    tab_to("i，第 0 步“中”")
    for _ in range(12):  # 多按也不超过 1
        press("ArrowUp")
    expect(watched.get_by_role("slider", name="i，第 0 步")).to_have_attribute("aria-valuenow", "1")
    expect(done).to_have_count(2)  # 记住了，也没掺进别的；o 却每一步都开着一半
    tab_to("o 全 0")
    press("Enter")
    tab_to("o，第 0 步“中”")
    for _ in range(FLAG):
        press("ArrowRight")
    for _ in range(9):
        press("ArrowUp")
    expect(done).to_have_count(3)
    expect(watched.get_by_text("解开了：")).to_have_count(0)
    press("ArrowUp")
    expect(done).to_have_count(4)
    expect(watched.get_by_role("status").filter(has_text="解开了：“中”在 c 里走了 8 步")).to_be_visible()
    expect(watched.get_by_role("status").nth(1)).to_have_text(
        "第 8 步“旗”：c = 1.00 × 0.90 + 0.00 × −0.70 = 0.90，h = 1.00 × tanh(0.90) = 0.72")
    press("0")
    expect(watched.get_by_text("解开了：")).to_have_count(0)


def test_hints_follow_what_is_missing(watched, site):
    folder, _ = site
    write_page(folder, explore.html("three_gates"), explore.html("three_gates", **as_text(SOLVED)),
               explore.html("three_gates", **as_text(SOLVED | {"o": [1] * T})))
    watched.goto((folder / "page.html").as_uri())
    pieces = [watched.locator("[data-explore]").nth(n) for n in range(3)]
    for piece, hint in zip(pieces, ("要先写进 c", "已经解开了", "哪个门只管出声"), strict=True):
        piece.get_by_role("button", name="提示").click()
        expect(piece.get_by_role("status").filter(has_text=hint)).to_be_visible()
    expect(pieces[1].get_by_text("解开了：")).to_be_visible()


def test_bars_are_drawn_with_the_mouse_and_presets(watched, site):
    folder, _ = site
    write_page(folder, explore.html("three_gates"))
    watched.goto((folder / "page.html").as_uri())
    bars = watched.get_by_role("group", name="遗忘门").get_by_role("slider")
    first, third = bars.nth(0).bounding_box(), bars.nth(2).bounding_box()
    watched.mouse.move(first["x"] + 5, first["y"] + 0.2 * first["height"])
    watched.mouse.down()
    watched.mouse.move(third["x"] + 5, first["y"] + 0.2 * first["height"])  # 一下跨过第 1 步
    watched.mouse.move(third["x"] + 5, third["y"] - 20)  # 划出格子，到顶为止
    watched.mouse.up()
    watched.mouse.move(third["x"] + 5, third["y"] + third["height"])  # 松开以后不再跟着走
    now = [float(bars.nth(t).get_attribute("aria-valuenow")) for t in range(4)]
    assert now == [pytest.approx(0.8, abs=0.06), now[0], 1, 0.5]
    watched.get_by_role("button", name="全忘").click()
    expect(bars.nth(2)).to_have_attribute("aria-valuenow", "0")
    spoken = watched.get_by_text("“中”还在，可是别的字也全写进来了，分不出来。")
    expect(spoken).to_have_count(0)
    watched.get_by_role("button", name="全记").click()
    expect(spoken).to_be_visible()
    total = f"{sum(SPEC['g'][:FLAG + 1]):.2f}".replace("-", "−")  # 全记的 c 是所有候选值之和
    watched.get_by_text("看数字").click()
    expect(watched.locator("tbody tr").nth(FLAG).locator("td").nth(5)).to_have_text(total)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible_and_narrow(watched, site, theme):
    folder, _ = site
    write_page(folder, explore.html("three_gates", **as_text(SOLVED)), theme=theme)
    assert_accessible_and_narrow(watched, folder, lambda page: page.get_by_text("看数字").click())
