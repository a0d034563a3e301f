"""门在读什么：三个网络的前向、梯度、钉住门的测试集成绩，网页与 torch 相等；怎样操作，坏输入，坏文件。"""

import json
import runpy
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from explore_page import assert_accessible_and_narrow, lay_out, write_page
from playwright.sync_api import expect

from textseq import explore
from textseq.sequences import pad_sequences

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "data/reading_gates"
DATA = FOLDER / "readers.js"
BUILD = runpy.run_path(str(FOLDER / "build.py"))
HEAD = f"{BUILD['NAME']} = "
SPEC = explore.spec("reading_gates")
DEFAULT = SPEC["state"]["sentence"]["default"]
EXAMPLES = [text for _, text in SPEC["examples"]]
VOCAB, NETS = BUILD["load"]()
NETS = {kind: net.double() for kind, net in NETS.items()}
CLAMPS = {kind: [{k: int(v) for k, v in clamp.items()} for clamp in clamps]
          for kind, clamps in BUILD["CLAMPS"].items()}
AWKWARD = ["我", "。，！", "《", "》", "《《》", "<b>x</b>", "讀書會", "😀龘", "《" * 60]


@cache
def test_sentences():
    """readers.js 里的测试句，编号。"""
    packed = read_packed()["test"]
    flat = np.frombuffer(BUILD["base64"].b64decode(packed["ids"]), "<u2").astype(int)
    return [list(map(int, row)) for row in np.split(flat, np.cumsum(packed["lengths"])[:-1])]


test_sentences.__test__ = False


def read_packed():
    return json.loads(DATA.read_text(encoding="utf-8").removeprefix(HEAD).rstrip(";\n"))


def ids_of(sentence):
    return VOCAB.encode(list(sentence))


def read(kind, rows, clamp):
    """对照：torch 一批读几句 → 每句各步在里面的概率、末步的门与记忆、下一个字的概率、末步读数的梯度。"""
    net, lengths = NETS[kind], torch.tensor([len(ids) for ids in rows])
    x = net["embedding"](torch.tensor(pad_sequences(rows))).requires_grad_()
    h, trace = BUILD["read"](kind, net, x, clamp)
    each, last = torch.arange(len(rows)), lengths - 1
    scores = net["inside"](h)[..., 0]
    slopes = torch.autograd.grad(scores[each, last].sum(), x)[0]   # 各句互不相干，一次求完
    following = net["next"](h[each, last]).softmax(-1).detach()
    return [{"p": scores[n, :T].sigmoid().detach().numpy(), "next": following[n].numpy(),
             "slopes": slopes[n, :T].numpy(),
             "gates": {name: v[n, T - 1].detach().numpy() for name, v in trace.items()}}
            for n, T in enumerate(lengths)]


@pytest.fixture
def book(site):
    """像建好的书那样的文件夹：<html> 上写着 content_root，数据在 _static/。"""
    folder, address = site
    lay_out(folder, DATA)

    def write(*bodies, theme="light"):
        write_page(folder, *bodies, theme=theme, root="./")
        return {"http": f"{address}/page.html", "file": (folder / "page.html").as_uri()}
    return folder, write


def call(page, write, code, value):
    """载入数据与模块，以 m（互动）、c（_cells.js）、model 运行一段 JavaScript。"""
    page.goto(write('<script src="_static/readers.js"></script>')["http"])
    return json.loads(page.evaluate(f"""async (text) => {{
        const m = await import("/explorables/reading_gates.js");
        const c = await import("/explorables/_cells.js");
        const {{ softmax }} = await import("/explorables/_math.js");
        const model = m.unpack(globalThis.textseqReadingGates);
        const list = (a) => Array.from(a);
        const answer = (value) => {{ {code} }};
        return JSON.stringify(answer(JSON.parse(text)));
    }}""", json.dumps(value)))    # 数很多，逐个交接太慢，写成一段文字


def test_the_book_serves_the_file_and_says_its_size():
    config = yaml.safe_load((ROOT / "book/_config.yml").read_text(encoding="utf-8"))
    assert DATA.relative_to(ROOT).as_posix() in config["sphinx"]["config"]["html_static_path"]
    assert DATA.stat().st_size < 500_000
    assert f"打开（约 {DATA.stat().st_size / 1e6:.1f} MB）" in explore.html("reading_gates")


def test_three_networks_and_their_gradients_equal_torch(watched, book):
    """六十多句：测试句、例子与怪句子，不钉；再隔几句各钉一个门。"""
    rows = test_sentences()[::4] + [ids_of(s) for s in EXAMPLES + AWKWARD]
    jobs = [(kind, clamp, rows[n::len(CLAMPS[kind])] if clamp else rows)
            for kind in NETS for n, clamp in enumerate(CLAMPS[kind])]
    assert len(rows) > 60
    answers = call(watched, book[1], """return value.map(([kind, clamp, rows]) => rows.map((ids) => {
        const net = model.nets.find((one) => one.kind === kind);
        const steps = c.readOn(net, ids, clamp);
        const names = [...c.CELLS[kind].gates, "memory"];
        return { p: m.insideOf(net, steps), next: softmax(list(c.nextScores(net, steps.at(-1)))),
            gates: Object.fromEntries(names.map((name) => [name, list(steps.at(-1)[name])])),
            slopes: c.gradients(net, steps, ids.length - 1, clamp).map(list) };
    }));""", jobs)
    for (kind, clamp, part), mine in zip(jobs, answers, strict=True):
        for own, theirs in zip(mine, read(kind, part, clamp), strict=True):
            assert own["gates"].keys() == theirs["gates"].keys()
            for name, values in (own | own["gates"]).items():
                if name == "gates":
                    continue
                wanted = (theirs | theirs["gates"])[name]
                most = np.abs(wanted).max() if name == "slopes" else 1
                np.testing.assert_allclose(values, wanted, rtol=0, atol=1e-5 * most, err_msg=name)


def test_replacing_a_character_equals_python(watched, book):
    """换掉第 s 个字，末步的读数变多少。"""
    rows = [ids_of(s) for s in EXAMPLES]
    jobs = [(kind, clamp, ids) for kind in NETS for clamp in CLAMPS[kind][:2] for ids in rows]
    answers = call(watched, book[1], """return value.map(([kind, clamp, ids]) => {
        const net = model.nets.find((one) => one.kind === kind);
        return m.influence.replace(net, ids, c.readOn(net, ids, clamp), ids.length - 1, clamp);
    });""", jobs)
    for (kind, clamp, ids), mine in zip(jobs, answers, strict=True):
        changed = torch.tensor(ids).repeat(len(ids) + 1, 1)
        changed[range(1, len(ids) + 1), range(len(ids))] = 1
        net = NETS[kind]
        scores = net["inside"](BUILD["read"](kind, net, net["embedding"](changed), clamp)[0])[:, -1, 0]
        np.testing.assert_allclose(mine, (scores[1:] - scores[0]).abs(), rtol=0, atol=1e-5)


def test_distances_and_the_rival_equal_python(watched, book):
    sentences = [*EXAMPLES, *AWKWARD, *("".join(VOCAB.decode(ids)) for ids in test_sentences()[:20])]
    mine = call(watched, book[1], "return value.map((s) => m.distances([...s]));", sentences)
    assert mine == [BUILD["distances"](s) for s in sentences]


def test_the_first_example_divides_the_networks():
    """打开就看得见有的忘、有的没忘；例子里的字三个网络都认得。"""
    assert all(c in VOCAB for text in EXAMPLES for c in text) and EXAMPLES[0] == DEFAULT
    inside = {kind: read(kind, [ids_of(DEFAULT)], {})[0]["p"][14] > 0.5 for kind in NETS}
    assert set(inside.values()) == {True, False}


# ---- 操作 ----

def open_piece(page):
    page.get_by_role("button", name="打开（约").click()
    expect(page.get_by_role("button", name="在测试集上量一遍")).to_be_visible()


def percent(p):
    return "<0.1%" if p < 0.001 else ">99.9%" if p > 0.999 else f"{100 * p:.1f}%"


def assert_shown(page, sentence, t, gate="none", value=1):
    """三块里的字、影响、判断，门的高度，就是 Python 算的。"""
    inside = [d >= 0 for d in BUILD["distances"](sentence)]
    for kind in NETS:
        clamp = {gate[-1]: value} if gate.startswith(kind) else {}
        p = read(kind, [ids_of(sentence)], clamp)[0]["p"]
        felt = np.linalg.norm(read(kind, [ids_of(sentence)[:t + 1]], clamp)[0]["slopes"], axis=1)
        shares = [str(round(100 * v)) for v in felt / (felt.max() or 1)] + ["·"] * (len(sentence) - t - 1)
        block = page.get_by_role("region", name=kind)
        cells = block.get_by_role("listitem")
        expect(cells).to_have_text([c + share for c, share in zip(sentence, shares, strict=True)])
        right = "对" if (p[t] > 0.5) == inside[t] else "错"
        expect(block.locator(".verdict")).to_have_text(f"{percent(p[t])} 在里面，{right}")
        heights = cells.evaluate_all("(all) => all.map((li) => Number(li.style.getPropertyValue('--p')))")
        np.testing.assert_allclose(heights, p, rtol=0, atol=1e-5)
        wrong = cells.evaluate_all("(all) => all.map((li) => Boolean(li.querySelector('.wrong')))")
        assert wrong == ((p > 0.5) != inside).tolist()
        expect(block.locator(".now")).to_have_count(1)
        assert (block.locator("u").count() > 0) == bool(clamp)  # 钉住时，虚线画着没钉的概率


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_reading_with_the_keyboard(watched, book, scheme):
    requests = []
    watched.on("request", lambda request: request.url.startswith("blob:") or requests.append(request.url))
    watched.goto(book[1](explore.html("reading_gates", influence="gradient"))[scheme])
    expect(watched.get_by_role("textbox")).to_have_count(0)
    assert len(requests) == 1  # 只有网页自己
    watched.get_by_role("button", name="打开").focus()
    watched.keyboard.press("Enter")
    box = watched.get_by_role("textbox", name="句子，可以改")
    expect(box).to_be_focused()
    assert [url.rpartition("/")[2] for url in requests[1:]] == ["readers.js"]
    assert_shown(watched, DEFAULT, 14)
    slider = watched.get_by_role("slider", name="读到第几个字")
    slider.focus()
    watched.keyboard.press("ArrowLeft")
    assert_shown(watched, DEFAULT, 13)
    expect(slider).to_have_attribute("aria-valuetext", f"第 14 个字，{DEFAULT[13]}")
    watched.get_by_role("region", name="GRU").get_by_role("listitem").nth(3).click()  # 点字也行
    assert_shown(watched, DEFAULT, 3)
    watched.get_by_role("button", name="下一个字").press("ArrowRight")
    assert_shown(watched, DEFAULT, 4)
    for name, text in SPEC["examples"]:
        watched.get_by_role("button", name=name, exact=True).press("Enter")
        expect(box).to_have_value(text)
        assert_shown(watched, text, 4)
    box.press("Control+a")
    watched.keyboard.type("看《边城》")
    assert_shown(watched, "看《边城》", 4)
    slider.fill("3")
    watched.get_by_role("radio", name="换掉这个字").check(force=True)  # 换掉，靠的就是《
    for kind in NETS:
        first = watched.get_by_role("region", name=kind).get_by_role("listitem")
        expect(first.nth(1)).to_have_text("《100")


def test_a_clamped_gate_and_the_test_set(watched, book):
    """钉住门：图跟着变；在测试集上量一遍，与 own.tsv 里的数相等。"""
    piece = explore.html("reading_gates", influence="gradient", gate="LSTM f", value="0")
    watched.goto(book[1](piece)["http"])
    open_piece(watched)
    assert_shown(watched, DEFAULT, 14, "LSTM f", 0)
    watched.get_by_role("button", name="在测试集上量一遍").press("Enter")
    expect(watched.get_by_role("status").filter(has_text="训练没见过")).to_be_visible(timeout=30_000)
    rows = [row.split("\t") for row in watched.locator("table").last.locator("tbody tr").all_inner_texts()]
    wanted = stored_rows("LSTM f", 0)
    assert [row[0] for row in rows] == [name for name, *_ in wanted]
    for (_, *mine), (_, *stored) in zip(rows, wanted, strict=True):  # 网页写一位小数，记录里是两位
        np.testing.assert_allclose(list(map(float, mine)), stored, rtol=0, atol=0.0501)
    for name in ("GRU z", "1"):
        watched.get_by_role("radio", name=name, exact=True).check(force=True)
    expect(watched.locator("table")).to_have_count(1)  # 只剩折起来的那张：旧的成绩收走了
    assert_shown(watched, DEFAULT, 14, "GRU z", 1)


def stored_rows(gate, value):
    """网页里该量出的各行：不用网络的，三个网络，钉住的那个再来一行。"""
    _, *lines = (line.split("\t") for line in (FOLDER / "own.tsv").read_text(encoding="utf-8").splitlines())
    names = {("看最近 10 个字", "–"): "只看最近 10 个字", **{(kind, "不钉"): kind for kind in NETS},
             (gate[:-2], f"{gate[-1]} = {value}"): f"{gate[:-2]} {gate[-1]} = {value}"}
    return [[names[row[0], row[1]], *map(float, row[2:])] for row in lines if (row[0], row[1]) in names]


def test_every_clamp_judges_as_python_does(watched, book):
    """各种钉法，40 句里每个字的判断逐个相同；全部测试句由上面的按钮与 own.tsv 对过几种。"""
    rows = test_sentences()[:40]
    jobs = [(kind, clamp) for kind in NETS for clamp in CLAMPS[kind]]
    answers = call(watched, book[1], """return value.jobs.map(([kind, clamp]) => value.rows.map((ids) =>
        m.judge(model.nets.find((net) => net.kind === kind), { ids }, clamp)));""",
                   {"jobs": jobs, "rows": rows})
    texts = ["".join(c if len(c) == 1 else "\0" for c in VOCAB.decode(ids)) for ids in rows]
    for (kind, clamp), mine in zip(jobs, answers, strict=True):
        said = BUILD["guess"](kind, NETS[kind], VOCAB, texts, clamp)
        assert sum(mine, []) == said.tolist(), (kind, clamp)


# ---- 坏输入 ----

def test_bad_input_gets_a_sensible_answer(watched, book):
    watched.goto(book[1](explore.html("reading_gates", influence="gradient"))["http"])
    open_piece(watched)
    box, status = watched.get_by_role("textbox"), watched.get_by_role("status")
    answer, notes = (watched.locator(name) for name in (".answer", ".notes"))
    for empty in ("", " 　\n", "\x00\x07"):
        box.fill(empty)
        expect(answer).to_have_text("没有字可读；请写一句话，或点上面的例子。")
        expect(watched.get_by_role("region")).to_have_count(0)
    for text in ("我", "。，！", "讀書會", "<b>x</b>", "😀龘e\u0301"):
        box.fill(text)
        expect(watched.get_by_role("region", name="LSTM").get_by_role("listitem")).to_have_count(len(text))
        expect(notes).to_contain_text("这句没有《")
        unknown = list(dict.fromkeys(c for c in text if c not in VOCAB))
        expect(watched.locator("[aria-label=LSTM] .unknown")).to_have_count(sum(c in unknown for c in text))
        shown = "、".join(f"“{'U+0301' if c == chr(0x301) else c}”" for c in unknown)
        if unknown:
            expect(notes).to_contain_text(f"网络不认识{shown}，")
    box.evaluate("""(box) => {
        box.value = "《春天" + "长".repeat(1e6);
        box.dispatchEvent(new InputEvent("input"));
    }""")
    expect(status.filter(has_text="句子太长，只读前 60 个字，后面的没有读。")).to_be_visible()
    assert_shown(watched, "《春天" + "长" * 57, 14)
    box.fill("看《边城》")
    expect(notes).to_have_text("")


# ---- 取坏了 ----

def damage(payload, kind):
    net = payload["nets"]["GRU"]
    if kind == "少一个网络":
        del payload["nets"]["LSTM"]
    elif kind == "循环层是别家的":
        net["cell"] = payload["nets"]["LSTM"]["cell"]
    elif kind == "少字":
        payload["units"] = payload["units"][:-1]
    elif kind == "没有这一格":
        net["unit"] = 999
    elif kind == "测试句少一截":
        payload["test"]["lengths"].pop()
    elif kind == "没有来历":
        del payload["about"]


@pytest.mark.parametrize("kind", ["少一个网络", "循环层是别家的", "少字", "没有这一格", "测试句少一截",
                                  "没有来历"])
def test_a_broken_file_is_explained(page, book, kind):
    folder, write = book
    payload = read_packed()
    damage(payload, kind)
    data = folder / "_static/readers.js"
    data.write_text(f"{HEAD}{json.dumps(payload, ensure_ascii=False)};", encoding="utf-8")
    page.goto(write(explore.html("reading_gates"))["file"])
    page.get_by_role("button", name="打开").click()
    expect(page.get_by_role("status").first).to_have_text(
        "取到的不是完整的三个网络（./_static/readers.js）。"
        "请检查网络后再按一次；若是自己建的书，请重新运行 make book。")
    data.write_bytes(DATA.read_bytes())
    open_piece(page)


# ---- 谁都能用 ----

@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible_and_narrow(watched, book, theme):
    folder, write = book
    write(explore.html("reading_gates", sentence=EXAMPLES[3] + "龘", gate="LSTM f"), theme=theme)

    def operate(page):
        open_piece(page)
        page.get_by_text("逐字的数", exact=True).click()
    assert_accessible_and_narrow(watched, folder, operate)
