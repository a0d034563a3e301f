"""互动：HTML 的性质，静态网页里的操作，以及与 torch、textseq 逐数相等。"""

import itertools
import random
from pathlib import Path

import pytest
from explore_page import assert_accessible_and_narrow, call_piece, write_page
from playwright.sync_api import expect

from textseq import explore
from textseq.sequences import pad_sequences
from textseq.vocab import Vocab

FOLDER = Path(explore.__file__).parent / "explorables"
DEFAULTS = {key: rule["default"] for key, rule in explore.spec("shape_blocks")["state"].items()}


# ---- HTML ----

def test_same_arguments_same_html():
    html = explore.html("shape_blocks", max_L=8, num_layers=2)
    assert html == explore.html("shape_blocks", num_layers=2, max_L=8)
    assert html == explore.show("shape_blocks", max_L=8, num_layers=2)._repr_html_()
    assert html != explore.html("shape_blocks")
    assert repr(explore.show("shape_blocks")) == "互动：形状积木"


@pytest.mark.parametrize("name", explore.names())
def test_every_piece_has_a_fallback_and_names_no_other_host(name):
    html = explore.html(name)
    assert f"互动：{explore.spec(name)['title']}。运行上面的单元格" in html
    assert "http" not in html.replace("http://www.w3.org/2000/svg", "")


def test_text_cannot_end_the_script():
    html = explore.html("shape_blocks", sentences="</script><script>alert(1)</script> <!-- ]]>")
    assert html.count("</script") == html.count("<script") == 1
    assert "<!--" not in html


@pytest.mark.parametrize(("name", "state", "message"), [
    ("shapes", {}, "没有名叫 'shapes' 的互动；现有：headlines、neighbors、one_step、own_text、reading_gates"),
    ("../explore", {}, "没有名叫"),
    ("_kit", {}, "没有名叫"),
    ("shape_blocks", {"max_l": 8}, "没有状态 'max_l'；可以设定的有：sentences、batch_size、max_L"),
    ("shape_blocks", {"max_L": 25}, "max_L 应为 1 到 24 的整数，收到 '25'；不写就用默认值 12"),
    ("shape_blocks", {"max_L": True}, "max_L 应为 1 到 24 的整数"),
    ("shape_blocks", {"num_layers": 1.0}, "num_layers 应为 1 到 4 的整数"),
    ("shape_blocks", {"cell": "lstm"}, "cell 应为 'RNN'、'GRU'、'LSTM' 之一，收到 'lstm'"),
    ("shape_blocks", {"padding": ["post"]}, "padding 应为 'pre'、'post' 之一"),
    ("shape_blocks", {"batch_first": 1}, "batch_first 应为 True 或 False，收到 '1'"),
    ("shape_blocks", {"sentences": ["中华"]}, "sentences 应为不超过 4000 个字符的文本"),
    ("shape_blocks", {"sentences": "字" * 4001}, "sentences 应为不超过 4000 个字符的文本"),
])
def test_bad_arguments_say_what_to_do(name, state, message):
    with pytest.raises(ValueError, match=message.replace(".", r"\.")):
        explore.show(name, **state)


# ---- 静态网页 ----

def shape(piece, tensor):
    return piece.locator(f"[data-tensor={tensor}] .shape")


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_answers_mouse_and_keyboard(watched, site, scheme):
    folder, address = site
    write_page(folder, explore.html("shape_blocks"), explore.html("shape_blocks", max_L=7),
               explore.html("shape_blocks"))
    watched.goto(f"{address}/page.html" if scheme == "http" else (folder / "page.html").as_uri())
    first, second, third = (watched.locator("[data-explore]").nth(i) for i in range(3))
    expect(shape(first, "x")).to_have_text("(B, T, D) = (4, 12, 50)")
    expect(shape(second, "x")).to_have_text("(B, T, D) = (4, 7, 50)")

    first.get_by_label("batch_first").click()
    expect(shape(first, "x")).to_have_text("(T, B, D) = (12, 4, 50)")
    expect(shape(first, "out")).to_have_text("(T, B, 2H) = (12, 4, 128)")
    expect(shape(first, "h_n")).to_have_text("(层×方向, B, H) = (2, 4, 64)")
    expect(first.get_by_role("status").nth(1)).to_contain_text("没变的是 h_n、c_n。")

    first.get_by_role("spinbutton", name="num_layers").focus()
    watched.keyboard.press("ArrowUp")
    expect(shape(first, "h_n")).to_have_text("(层×方向, B, H) = (4, 4, 64)")
    first.get_by_role("slider", name="batch_size").focus()
    watched.keyboard.press("ArrowRight")
    expect(first.get_by_role("status").nth(0)).to_contain_text("只有 4 句，从 ids[4] 起又从第一句排起。")
    first.get_by_role("radio", name="LSTM").focus()
    watched.keyboard.press("ArrowLeft")
    expect(first.get_by_role("status").nth(1)).to_contain_text("没有 c_n 了")
    expect(first.locator("[data-tensor]")).to_have_count(3)

    # 同页的另外两个不受影响，连同名的单选钮也不
    expect(shape(second, "x")).to_have_text("(B, T, D) = (4, 7, 50)")
    expect(third.get_by_role("radio", name="LSTM")).to_be_checked()
    expect(shape(third, "c_n")).to_have_text("(层×方向, B, H) = (2, 4, 64)")


def test_out_of_range_is_brought_back_and_said(watched, site):
    folder, _ = site
    write_page(folder, explore.html("shape_blocks"))
    watched.goto((folder / "page.html").as_uri())
    box, note = watched.get_by_role("spinbutton", name="max_L"), watched.get_by_role("status").nth(0)
    for typed, kept in (("999", "24"), ("0", "1"), ("", "1"), ("7.6", "8")):
        box.fill(typed)
        box.press("Tab")
        expect(box).to_have_value(kept)
        expect(note).to_have_text(f"max_L 只能是 1 到 24 的整数，已改成 {kept}。")
    expect(shape(watched, "x")).to_have_text("(B, T, D) = (4, 8, 50)")


def test_typed_sentences_stay_text(watched, site):
    folder, _ = site
    write_page(folder, explore.html("shape_blocks", batch_size=2, max_L=3, truncating="pre"))
    watched.goto((folder / "page.html").as_uri())
    text = watched.get_by_role("textbox")
    text.fill("\n 甲  乙\t丙 丁 \n<img src=x onerror=alert(1)> 😀\n\n")
    rows = watched.locator("tbody tr")
    expect(rows.nth(0)).to_have_text("ids[0]甲乙3丙4丁5")
    expect(rows.nth(0).locator("del")).to_have_text("甲")
    expect(rows.nth(1)).to_have_text("ids[1]<imgsrc=x7onerror=alert(1)>8😀9")
    text.fill(" \n")
    expect(watched.get_by_role("status").nth(0)).to_contain_text("还没有句子")
    expect(watched.locator("td.pad")).to_have_count(6)


def test_code_is_copied_or_selected(watched, site):
    folder, _ = site
    write_page(folder, explore.html("shape_blocks"))
    watched.goto((folder / "page.html").as_uri())
    watched.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button, code = watched.get_by_role("button", name="复制代码"), watched.locator("pre")
    button.click()
    expect(watched.get_by_text("已复制")).to_be_visible()
    assert watched.evaluate("navigator.clipboard.readText()") == code.text_content()
    watched.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(); }")
    button.click()
    expect(watched.get_by_text("已选中，请按 Ctrl+C")).to_be_visible()
    assert "nn.LSTM" in watched.evaluate("getSelection().toString()")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible_and_narrow(watched, site, theme):
    folder, _ = site
    write_page(folder, explore.html("shape_blocks", batch_first=False), theme=theme)
    assert_accessible_and_narrow(watched, folder, lambda page: page.get_by_label("batch_first").check())


# ---- 与 torch、textseq 逐数相等 ----

def call(page, address, states, *functions):
    return call_piece(page, address, "shape_blocks", [DEFAULTS | state for state in states], *functions)


def test_shapes_parameters_and_code_equal_torch(watched, site):
    import torch  # 只有这里用它，别的测试不必等它加载
    folder, address = site
    write_page(folder)
    sizes = [(4, 12, 50, 64), (1, 1, 1, 1), (5, 3, 7, 2)]
    states = [
        {"cell": cell, "num_layers": layers, "bidirectional": both, "batch_first": first,
         "batch_size": b, "max_L": t, "feature_size": d, "hidden_size": h}
        for cell, layers, both, first, (b, t, d, h) in itertools.product(
            ("RNN", "GRU", "LSTM"), (1, 3), (True, False), (True, False), sizes)]
    results = call(watched, address, states, "shapes", "parameters", "torchCode", "batch")
    assert len(results) == 72
    for state, (shapes, parameters, code, batch) in zip(states, results, strict=True):
        rnn = getattr(torch.nn, state["cell"])(
            state["feature_size"], state["hidden_size"], state["num_layers"],
            batch_first=state["batch_first"], bidirectional=state["bidirectional"])
        b, t, d = state["batch_size"], state["max_L"], state["feature_size"]
        x = torch.zeros((b, t, d) if state["batch_first"] else (t, b, d))
        out, last = rnn(x)
        true = {"x": x, "out": out}
        true |= dict(zip(("h_n", "c_n"), last if state["cell"] == "LSTM" else (last,), strict=False))
        assert {k: tuple(n for _, n in v) for k, v in shapes.items()} == {
            k: tuple(v.shape) for k, v in true.items()}
        assert sum(parameters) == sum(p.numel() for p in rnn.parameters())
        run_code(code, {k: tuple(v.shape) for k, v in true.items()}, batch, sum(parameters))


def run_code(code, shapes, batch, parameters):
    """页面给出的代码真能运行，行尾注释写的形状就是真形状。"""
    scope = {}
    exec(code, scope)
    assert scope["ids"].tolist() == [row["ids"] for row in batch["rows"]]
    for name, true in shapes.items():
        line = next(x for x in code.splitlines() if x.startswith((f"{name} = ", f"{name}.shape")))
        assert tuple(scope[name].shape) == true
        assert line.endswith(f" = ({', '.join(map(str, true))})")
    assert code.endswith(f"# {parameters}")


def test_the_last_state_is_read_where_the_table_says(watched, site):
    """标着“前向读”的那一步以前，动哪一步读出来的都跟着动，以后的都不动；反向的反过来。梯度说了算。"""
    import torch
    folder, address = site
    write_page(folder)
    states = [{"read": read, "bidirectional": both, "batch_first": first, "padding": padding, "max_L": 9,
               "feature_size": 3, "hidden_size": 2, "cell": cell}
              for read, both, first, padding, cell in itertools.product(
                  ("last", "real", "h_n"), (True, False), (True, False), ("pre", "post"), ("LSTM", "GRU"))]
    answers = call(watched, address, states, "batch", "torchCode")
    places = watched.evaluate("""async ([states, batches]) => {
        const { readAt } = await import("/explorables/shape_blocks.js");
        return states.map((state, n) => batches[n].rows.map((row) => readAt(state, row)));
    }""", [[DEFAULTS | state for state in states], [batch for batch, _ in answers]])
    for state, (_, code), rows in zip(states, answers, places, strict=True):
        scope = {}
        exec(code, scope)
        x, read, H, T = scope["x"], scope["read"], 2, state["max_L"]
        assert tuple(read.shape) == (4, H * (1 + state["bidirectional"]))
        for b, place in enumerate(rows):
            halves = {"forward": (slice(0, H), lambda t, at: t <= at),
                      "backward": (slice(H, None), lambda t, at: t >= at)}
            for way, at in place.items():
                part, reached = halves[way]
                [slope] = torch.autograd.grad(read[b, part].sum(), x, retain_graph=True)
                moves = (slope if state["batch_first"] else slope.transpose(0, 1))[b].abs().sum(-1) > 0
                assert moves.tolist() == [reached(t, at) for t in range(T)], (state, way)


def test_read_marks_follow_the_choice(watched, site):
    folder, _ = site
    write_page(folder, explore.html("shape_blocks"))
    watched.goto((folder / "page.html").as_uri())
    note, marks = watched.get_by_role("status").nth(0), watched.locator(".batch em")
    expect(marks).to_have_count(0)
    choice = watched.get_by_role("group", name="read 末态读哪一格")
    choice.get_by_text("最后一格").click()
    expect(note).to_contain_text("前向：3 句读过真词，又读了 PAD 才停；反向：4 句还没读到句首。")
    expect(watched.locator(".batch td.pad em")).to_have_count(6)
    choice.get_by_text("最后一个真词").click()
    expect(note).to_contain_text("前向：每句都停在最后一个真词；反向：4 句还没读到句首。")
    choice.get_by_text("h_n").click()
    expect(note).to_contain_text("前向：3 句读过真词，又读了 PAD 才停；反向：每句都读到了句首。")


KNOBS = ("batch_size", "max_L", "feature_size", "hidden_size", "num_layers", "cell", "bidirectional",
         "batch_first")
ANSWERS = {  # 每道题从默认的旋钮起，动这几个就解开；换成后面的，还差这几条
    "one": ({"bidirectional": False}, [({}, ["out", "h_n", "c_n"]),
                                       ({"hidden_size": 32}, ["h_n", "c_n"])]),
    "two": ({"batch_size": 8, "max_L": 6, "batch_first": False},
            [({"batch_size": 6, "max_L": 8}, ["h_n", "c_n"]), ({"batch_size": 8, "max_L": 6}, ["x", "out"])]),
    "three": ({"num_layers": 2, "hidden_size": 32, "cell": "GRU"},
              [({"num_layers": 4, "hidden_size": 32, "bidirectional": False, "cell": "GRU"}, ["out"]),
               ({"num_layers": 4, "hidden_size": 32, "cell": "RNN"}, ["h_n"]),
               ({"num_layers": 2, "hidden_size": 32}, ["c_n"])]),
    "four": ({"cell": "GRU"}, [({"cell": "RNN"}, ["参数"]), ({"cell": "RNN", "feature_size": 282}, ["x"])]),
}


def torch_shapes(torch, s):
    """torch 算出的各个形状与参数个数。"""
    rnn = getattr(torch.nn, s["cell"])(*(s[key] for key in KNOBS[2:5]), batch_first=s["batch_first"],
                                       bidirectional=s["bidirectional"])
    B, T, D = (s[key] for key in KNOBS[:3])
    x = torch.zeros((B, T, D) if s["batch_first"] else (T, B, D))
    out, last = rnn(x)
    last = last if s["cell"] == "LSTM" else (last, None)
    found = dict(zip(("x", "out", "h_n", "c_n"), (x, out, *last), strict=True))
    return {name: tensor if tensor is None else list(tensor.shape) for name, tensor in found.items()} | {
        "parameters": sum(p.numel() for p in rnn.parameters())}


def test_puzzles_are_solved_only_by_what_torch_gives(watched, site):
    """要的形状就是 torch 在答案那组旋钮上给的；常见的错路差哪几条，torch 说了算，页面认得出走岔的那几条。"""
    import torch
    folder, address = site
    write_page(folder)
    puzzles = explore.spec("shape_blocks")["puzzles"]
    assert ANSWERS.keys() == puzzles.keys()
    states = [{"puzzle": name} | knobs for name, (answer, wrong) in ANSWERS.items()
              for knobs in (answer, *(change for change, _ in wrong))]
    for state, [checks, said] in zip(states, call(watched, address, states, "puzzleChecks", "trapped"),
                                     strict=True):
        wanted, given = puzzles[state["puzzle"]], torch_shapes(torch, DEFAULTS | state)
        missing = [name for name in given if name in wanted and wanted[name] != given[name]]
        assert [not check["done"] for check in checks] == [
            name in missing for name in ("x", "out", "h_n", "c_n", "parameters") if name in wanted]
        knobs = {key: value for key, value in state.items() if key != "puzzle"}
        answer, wrong = ANSWERS[state["puzzle"]]
        short = ["参数" if name == "parameters" else name for name in missing]
        assert short == ([] if knobs == answer else dict((str(k), v) for k, v in wrong)[str(knobs)])
        assert bool(said) == any(trap.items() <= (DEFAULTS | state).items() for trap, _ in wanted["traps"])


def test_no_other_knobs_solve_a_puzzle(watched, site):
    """每道题的答案只有一个；第三道要的形状分不出 RNN 与 GRU，有两个。"""
    folder, address = site
    write_page(folder)
    counts = {}
    for name, goal in explore.spec("shape_blocks")["puzzles"].items():
        T, B, D = *sorted(goal["x"][:2], reverse=True), goal["x"][2]
        states = [{"puzzle": name} | dict(zip(KNOBS, knobs, strict=True)) for knobs in itertools.product(
            {B, T} & set(range(1, 9)), {B, T}, {D}, {16, 32, 64, 128}, (1, 2, 3, 4), ("RNN", "GRU", "LSTM"),
            (True, False), (True, False))]
        answers = call(watched, address, states, "puzzleChecks")
        counts[name] = sum(all(check["done"] for check in checks) for [checks] in answers)
    assert counts == {"one": 1, "two": 1, "three": 2, "four": 1}


def test_a_puzzle_is_solved_with_the_keyboard(watched, site):
    folder, _ = site
    write_page(folder, explore.html("shape_blocks"))
    watched.goto((folder / "page.html").as_uri())
    box = watched.locator(".puzzle")
    expect(box).to_be_hidden()
    watched.get_by_role("radio", name="不解题").focus()
    watched.keyboard.press("ArrowRight")
    expect(box.locator("li.done")).to_have_count(1)
    watched.keyboard.press("Tab")
    watched.keyboard.press("Enter")
    expect(box.get_by_role("status").nth(0)).to_contain_text("H 乘方向数")
    watched.get_by_role("spinbutton", name="hidden_size").fill("32")
    expect(box.locator("li").nth(2)).to_have_text("还没有h_n 是 (1, 4, 64)现在 (2, 4, 32)")
    expect(box.get_by_role("status").nth(1)).to_contain_text("那是前向的 32 接上反向的 32")
    watched.get_by_role("spinbutton", name="hidden_size").fill("64")
    watched.get_by_label("bidirectional").press("Space")
    expect(box.get_by_role("status").nth(1)).to_contain_text("解开了：")
    expect(box.locator("li.done")).to_have_count(4)


def test_batches_equal_the_library(watched, site):
    folder, address = site
    write_page(folder)
    rng = random.Random(8)
    words = ["中华", "女子", "学院", "：", "1", "<pad>", "<unk>", "😀", "constructor", "<b>"]
    states = [
        {"sentences": "\n".join("　".join(rng.choices(words, k=rng.randrange(9)))
                                for _ in range(rng.randrange(1, 7))),
         "batch_size": rng.randint(1, 8), "max_L": rng.randint(1, 10),
         "truncating": rng.choice(["pre", "post"]), "padding": rng.choice(["pre", "post"])}
        for _ in range(200)]
    for state, [batch] in zip(states, call(watched, address, states, "batch"), strict=True):
        lines = [line.split() for line in state["sentences"].split("\n") if line.split()]
        vocab = Vocab.build(lines)
        chosen = [vocab.encode(lines[i % len(lines)]) if lines else []
                  for i in range(state["batch_size"])]
        true = pad_sequences(chosen, state["max_L"], padding=state["padding"],
                             truncating=state["truncating"])
        assert [row["ids"] for row in batch["rows"]] == true.tolist()
        assert batch["vocabulary"] == len(vocab)
