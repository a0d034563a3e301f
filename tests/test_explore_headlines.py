"""标题分类器：网页里的概率、权重同 Python 的模型相等；打开之前不下载，取不到、取坏了说清楚怎么办。"""

import base64
import itertools
import json
import random
import runpy
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from explore_page import assert_accessible_and_narrow, lay_out, write_page
from playwright.sync_api import expect
from serving import Cached, serve

from textseq import corpora, explore
from textseq.classifier import Classifier, Design, build_vocab, split_units

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "data/classifier"
DATA = FOLDER / "model.js"
BUILD = runpy.run_path(str(FOLDER / "build.py"))
HEAD = f"{BUILD['NAME']} = "
SPEC = explore.spec("headlines")
DEFAULT = SPEC["state"]["headline"]["default"]
MODEL = Classifier.load(FOLDER / "model.npz")
HEADLINES = ROOT / "data/headlines"
TITLES = [title for split in ("dev", "test") for title, _ in corpora.headlines(HEADLINES, split)]
AWKWARD = ["", " \t　\n", "ＡＢＣ１２３％．，！", "a\tb\x00c\x1cd\x85e\u2028f\ufeffg\u200bh",
           "é e\u0301 İI ΑΣ ΑΣΑ ß ﬁ", "😀🏀龘𠮷 👨‍👩‍👧 🇨🇳", "<b>$&\\</b> constructor __proto__",
           "１", "学", "楼市" * 30, DEFAULT]


def scores(model, x):
    with torch.inference_mode():
        return model.eval()(x).double().numpy()


def log_odds(z, k):
    others = np.delete(z, k, axis=1)
    return z[:, k] - others.max(1) - np.log(np.exp(others - others.max(1, keepdims=True)).sum(1))


def explain(model, title):
    """对照：概率，每个字换成 <unk>（连同含它的二元组）以后对数几率跌多少，与换掉以后的概率。"""
    units = split_units(title)[:SPEC["longest"]]
    x = model.to_ids(["".join(units)])
    changed = x.repeat(len(units), 1, 1)
    for i in range(len(units)):
        changed[i, i] = 1
        if model.design.bigrams and i:
            changed[i, i - 1, 1] = 1
    z = scores(model, torch.cat((x, changed)))
    odds, p = log_odds(z, z[0].argmax()), np.exp(z) / np.exp(z).sum(1, keepdims=True)
    return units, p[0], odds[0] - odds[1:], p[1:]


def test_examples_are_titles_kept_out_of_training():
    dev = corpora.headlines(HEADLINES, "dev")
    labels = {title: dev.classes[label] for title, label in dev}
    examples = [*SPEC["examples"], *SPEC["hard"]]
    assert all(labels[title] == label for title, label in examples)
    wrong = [title for title, label in SPEC["hard"] if MODEL.predict(title)[0][0] != label]
    right = [title for title, label in SPEC["examples"] if MODEL.predict(title)[0][0] == label]
    assert wrong and len(right) == len(SPEC["examples"])  # “难的”里有认错的，“例子”都认得对


def test_the_book_serves_the_file():
    config = yaml.safe_load((ROOT / "book/_config.yml").read_text(encoding="utf-8"))
    assert DATA.relative_to(ROOT).as_posix() in config["sphinx"]["config"]["html_static_path"]


# ---- 网页里算的数 ----

def read_packed(path):
    return json.loads(path.read_text(encoding="utf-8").removeprefix(HEAD).rstrip(";\n"))


@pytest.fixture
def book(site):
    """像建好的书那样的文件夹：<html> 上写着 content_root，数据在 _static/。"""
    folder, address = site
    lay_out(folder, DATA)

    def write(*bodies, theme="light"):
        write_page(folder, *bodies, theme=theme, root="./")
        return {"http": f"{address}/page.html", "file": (folder / "page.html").as_uri()}
    return folder, write


def call(page, code, value, data=None):
    """在眼前的页面里，以模块 m 和模型 model（网页载入的，或 data）运行一段 JavaScript；file:// 也行。"""
    source = explore.module("headlines")
    return page.evaluate(f"""async ([source, value, data]) => {{
        const m = await import(URL.createObjectURL(new Blob([source], {{ type: "text/javascript" }})));
        data ??= globalThis.textseqHeadlines;
        const model = data && m.unpack(data);
        {code}
    }}""", [source, value, data])


PROBABILITIES = "return value.map((title) => m.probabilities(model, m.split(title)));"


def test_probabilities_equal_python_on_every_title(watched, book):
    _, write = book
    watched.goto(write('<script src="_static/model.js"></script>')["file"])
    titles = TITLES + AWKWARD
    mine, python = np.array(call(watched, PROBABILITIES, titles)), MODEL.probabilities(titles)
    np.testing.assert_allclose(mine, python, rtol=0, atol=1e-5)
    assert (mine.argmax(1) == python.argmax(1)).all()


def test_weights_equal_python(watched, book):
    _, write = book
    watched.goto(write('<script src="_static/model.js"></script>')["http"])
    titles = [*TITLES[::25], *AWKWARD]
    answers = call(watched, "return value.map((title) => m.explain(model, title));", titles)
    for title, mine in zip(titles, answers, strict=True):
        units, p, weights, after = explain(MODEL, title)
        assert mine["units"] == units and mine["dropped"] == len(split_units(title)) - len(units)
        assert mine["known"] == [unit in MODEL.vocab for unit in units]
        assert mine["winner"] == p.argmax()
        np.testing.assert_allclose(mine["p"], p, rtol=0, atol=1e-5)
        assert len(mine["weights"]) == len(units)
        for each, weight, q, known in zip(mine["weights"], weights, after, mine["known"], strict=True):
            assert each["weight"] == pytest.approx(weight, abs=1e-3) and (known or each["weight"] == 0)
            np.testing.assert_allclose(each["after"], q, rtol=0, atol=1e-5)


def test_numbers_stay_exact_near_certainty(watched, book):
    _, write = book
    watched.goto(write('<script src="_static/model.js"></script>')["http"])
    z = [[60.0, 0.0, -1.0], [800.0, 1.0, 0.0], [-3.0, 2.0, 2.0]]
    mine = call(watched, "return value.map((z) => [m.logOdds(z, 0), m.logOdds(z, 1)]);", z)
    np.testing.assert_allclose(mine, np.stack([log_odds(np.array(z), k) for k in (0, 1)], 1), rtol=1e-12)
    mine = call(watched, "return value.map((await import('/explorables/_math.js')).softmax);", z)
    np.testing.assert_allclose(mine, torch.tensor(z, dtype=torch.float64).softmax(1), rtol=1e-12)


def test_splitting_equals_python(watched, book):
    """奇怪的字符：全角、控制符、组合符、代理对；再加从 Unicode 里随机取的。"""
    _, write = book
    watched.goto(write()["http"])
    rng = random.Random(5)
    letters = [chr(i) for i in range(0x30000) if unicodedata.category(chr(i)) not in ("Cs", "Cn", "Co")]
    odd = [c for c in letters if c.isspace() or c.lower() != c or unicodedata.category(c)[0] in "CZM"]
    odd += "Σσς１Ａｚ％．" * 50
    texts = AWKWARD + ["".join(rng.choices(odd if i % 2 else letters, k=60)) for i in range(1500)]
    mine = call(watched, "return value.map(m.split);", texts)
    assert mine == [split_units(text) for text in texts]


@pytest.mark.parametrize("length", [1, 2, 15, 40])
def test_work_per_key_is_bounded(watched, book, length):
    """按一个键走几步循环层：读过的不重读。

    两个方向各读一遍；换掉第 i 个字，反向走 i+1 步，正向从 i−1 走到底。
    """
    _, write = book
    watched.goto(write('<script src="_static/model.js"></script>')["http"])
    title = "".join(dict.fromkeys("".join(TITLES)))
    title = "".join(unit for unit in split_units(title) if unit in MODEL.vocab)[:length]
    steps, alone = call(watched, """
        const { steps } = m.explain(model, value);
        const before = model.steps;
        m.recognise(model, value); // 只认类，不算权重
        return [steps, model.steps - before];""", title)
    # 二元组都不认识时，右边那一个方向从 i 读起，少走一步
    most = 2 * length + sum(i + 1 + length - max(0, i - 1) for i in range(length))
    assert 2 * length + length * (length + 1) <= steps <= most
    assert most <= length**2 + 4 * length and alone == 2 * length
    assert length < 15 or steps < 0.65 * 2 * length * (length + 1)  # 从头来要这么多步


def test_weights_do_not_depend_on_what_was_read_before(watched, book):
    """换一条标题再换回来，数还是那些数：记着的状态不会串。"""
    _, write = book
    watched.goto(write('<script src="_static/model.js"></script>')["http"])
    titles = [DEFAULT, *TITLES[:20], DEFAULT[::-1], DEFAULT]
    answers = call(watched, """return value.map((title) => m.explain(model, title))
        .concat(value.map((title) => m.explain(m.unpack(textseqHeadlines), title)));""", titles)
    assert answers[:len(titles)] == answers[len(titles):]


@pytest.mark.parametrize("cell, bidirectional", [("lstm", True), ("lstm", False), ("none", False)])
def test_every_design_equals_python(watched, book, tmp_path, cell, bidirectional):
    _, write = book
    watched.goto(write()["http"])
    titles = TITLES[::60] + AWKWARD
    for seed, (bigrams, pooling) in enumerate(itertools.product([True, False], ["max", "mean", "last"])):
        design = Design(bigrams=bigrams, cell=cell, bidirectional=bidirectional, pooling=pooling,
                        embedding_size=7, hidden_size=5)
        vocab = build_vocab(TITLES, bigrams=bigrams, min_count=20)
        model = Classifier(vocab, list("甲乙丙"), design, seed=seed)
        for weight in model.state_dict().values():  # 放大，偏置也不是 0：门不会都停在 0.5
            weight *= 6
        BUILD["round_weights"](model)
        BUILD["pack"](model, tmp_path / "small.js", "")
        mine = call(watched, PROBABILITIES, titles, read_packed(tmp_path / "small.js"))
        python = model.probabilities(titles)
        np.testing.assert_allclose(mine, python, rtol=0, atol=1e-5, err_msg=f"{bigrams} {pooling}")
        assert np.ptp(python, 0).max() > 0.2  # 各条标题的概率真的不同


# ---- 操作 ----

def open_piece(piece):
    piece.get_by_role("button", name="打开（约").click()
    expect(piece.get_by_role("list", name="各类的概率").get_by_role("listitem")).to_have_count(10)


def percent(p):
    return "<0.1%" if p < 0.001 else ">99.9%" if p > 0.999 else f"{p:.1%}"


def sign(x, digits=1):
    return f"{'−' if x < 0 and float(f'{x:.{digits}f}') else '+'}{abs(x):.{digits}f}"


def assert_shown(piece, title):
    """屏幕上的十个概率、每个字与权重，就是 Python 算的。"""
    units, p, weights, _ = explain(MODEL, title)
    rows = [f"{name}{percent(q)}" for name, q in zip(MODEL.classes, p, strict=True)]
    expect(piece.get_by_role("list", name="各类的概率").get_by_role("listitem")).to_have_text(rows)
    cells = [f"{unit}{sign(w)}" for unit, w in zip(units, weights, strict=True)]
    expect(piece.get_by_role("list", name="每个字的权重").get_by_role("listitem")).to_have_text(cells)
    expect(piece.locator(".winner")).to_contain_text(MODEL.classes[p.argmax()])


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_answers_mouse_and_keyboard(watched, book, scheme):
    _, write = book
    requests = []
    watched.on("request", lambda request: request.url.startswith("blob:") or requests.append(request.url))
    hard, label = SPEC["hard"][0]
    watched.goto(write(explore.html("headlines"), explore.html("headlines", headline=hard))[scheme])
    piece, other = (watched.locator("[data-explore]").nth(n) for n in range(2))
    expect(piece.get_by_role("button", name="打开")).to_be_visible()
    expect(piece.get_by_role("textbox")).to_have_count(0)
    assert len(requests) == 1  # 只有网页自己
    piece.get_by_role("button", name="打开").focus()
    watched.keyboard.press("Enter")
    box = piece.get_by_role("textbox", name="标题，可以改")
    expect(box).to_be_focused()  # 打开之后接着就能打字
    assert_shown(piece, DEFAULT)
    open_piece(other)  # 同一页的第二个不再取
    assert [url.rpartition("/")[2] for url in requests[1:]] == ["model.js"]
    assert_shown(other, hard)

    box.press("Control+a")
    watched.keyboard.type("ＣＢＡ总决赛 今晚７点开打")
    assert_shown(piece, "cba总决赛今晚7点开打")
    watched.keyboard.press("Tab")
    watched.keyboard.press("Enter")  # 第一个例子
    title, expected = SPEC["examples"][0]
    expect(box).to_have_value(title)
    assert_shown(piece, title)
    expect(piece.get_by_role("status").filter(has_text=f"这条标题是按“{expected}”写的，模型认对了。")).to_be_visible()
    assert_shown(other, hard)
    for title, label in SPEC["hard"]:
        other.get_by_role("button", name=title).click()
        units, p, weights, after = explain(MODEL, title)
        first, second = np.argsort(-p, kind="stable")[:2]
        name, i = MODEL.classes[first], weights.argmax()
        said = (f"最像“{name}”，{percent(p[first])}；其次“{MODEL.classes[second]}”，{percent(p[second])}。"
                + ("最高的也不到一半，模型拿不准。" if p[first] < 0.5 else "")
                + f"换掉“{units[i]}”，“{name}”跌得最多，剩 {percent(after[i, first])}"
                + ("。" if (then := after[i].argmax()) == first else f"，改口“{MODEL.classes[then]}”。")
                + f"这条标题是按“{label}”写的，模型{'认对了' if label == name else '认错了'}。")
        expect(other.get_by_role("status").filter(has_text="最像")).to_have_text(said)


def test_bars_shades_and_the_table_of_numbers(watched, book):
    _, write = book
    watched.goto(write(explore.html("headlines"))["file"])
    open_piece(watched)
    watched.get_by_text("逐字的数", exact=True).click()
    units, p, weights, after = explain(MODEL, DEFAULT)
    k = p.argmax()
    rows = [f"{unit}{sign(w, 2)}{percent(q[k])}{MODEL.classes[q.argmax()]}"
            for unit, w, q in zip(units, weights, after, strict=True)]
    expect(watched.locator("tbody tr")).to_have_text(rows)
    bars = watched.locator(".classes i").evaluate_all(
        "(bars) => bars.map((bar) => bar.style.getPropertyValue('--p'))")
    np.testing.assert_allclose(list(map(float, bars)), p, rtol=0, atol=1e-5)
    shades = watched.locator(".units li").evaluate_all("""(cells) => cells.map(({ style, title }) =>
        [style.getPropertyValue("--colour"), style.getPropertyValue("--strength"), title])""")
    assert min(weights) < 0 < max(weights)
    for unit, w, q, (colour, strength, text) in zip(units, weights, after, shades, strict=True):
        assert abs(w) < 1e-3 or colour == f"var(--{'T' if w < 0 else 'B'})"
        assert float(strength) == pytest.approx(min(1, abs(w) / 3), abs=1e-3)
        assert text == f"{unit}：权重 {sign(w, 2)}，换掉后“{MODEL.classes[k]}”{percent(q[k])}"


def test_strange_titles_are_explained(watched, book):
    _, write = book
    watched.goto(write(explore.html("headlines"))["file"])
    open_piece(watched)
    status, box = watched.get_by_role("status"), watched.get_by_role("textbox")
    classes = watched.get_by_role("list", name="各类的概率")
    box.fill("")
    expect(status.filter(has_text="请写一条标题，或点上面的例子。")).to_have_text("请写一条标题，或点上面的例子。")
    expect(classes).to_have_count(0)
    box.fill(" 　\t")
    expect(status.filter(has_text="只有空白，没有字可看；")).to_be_visible()
    expect(classes).to_have_count(0)
    box.fill("<b>龘😀e\u0301龘的楼市")
    expect(status.filter(has_text="模型不认识")).to_have_text(
        "模型不认识“<”、“>”、“龘”、“😀”、“U+0301”：训练的标题里少见，当作 <unk>，权重是 0。")
    expect(watched.locator(".unknown")).to_have_text(
        ["<+0.0", ">+0.0", "龘+0.0", "😀+0.0", "U+0301+0.0", "龘+0.0"])
    box.fill("楼市" * 20)
    expect(status.filter(has_text="模型不认识")).to_have_count(0)
    expect(status.filter(has_text="标题太长")).to_have_count(0)
    box.fill("楼市" * 20 + "跌")
    expect(status.filter(has_text="标题太长，只看前 40 个字，后面的没有看。")).to_be_visible()
    assert_shown(watched, "楼市" * 20)
    box.fill("字" * 300)  # 放不下的不收
    expect(box).to_have_value("字" * 200)


def test_what_is_no_headline_is_answered_with_caution(watched, book):
    """乱打的有一句提醒；真的标题很少误报。"""
    _, write = book
    watched.goto(write(explore.html("headlines"))["file"])
    open_piece(watched)
    caution = watched.get_by_role("status").filter(has_text="概率别当真")
    for title, shown in [("asdf qwer", 1), ("1234567", 1), ("啊啊啊啊啊", 1), ("首付20万住进三环", 0)]:
        watched.get_by_role("textbox").fill(title)
        expect(caution).to_have_count(shown)
    units = [split_units(title) for part in ("train", "dev")
             for title, _ in corpora.headlines(HEADLINES, part)]
    said = call(watched, "return value.map((units) => m.warning(model, units));", units)
    assert not any("两成" in text for text in said)
    assert sum("没有一对" in text for text in said[-500:]) == 6


def test_half_typed_pinyin_is_not_judged(watched, book):
    _, write = book
    watched.goto(write(explore.html("headlines"))["file"])
    open_piece(watched)
    watched.get_by_role("textbox").evaluate("""(box) => {
        box.value = "lou'shi";
        box.dispatchEvent(new InputEvent("input", { isComposing: true }));
    }""")
    assert_shown(watched, DEFAULT)
    watched.get_by_role("textbox").evaluate("""(box) => {
        box.value = "楼市";
        box.dispatchEvent(new CompositionEvent("compositionend"));
    }""")
    assert_shown(watched, "楼市")


# ---- 取不到、取坏了 ----

AGAIN = "请检查网络后再按一次；若是自己建的书，请重新运行 make book。"


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_a_missing_file_is_explained(page, book, scheme):
    """取不到时说清楚；文件有了，再按一次就好。"""
    folder, write = book
    data = folder / "_static/model.js"
    data.unlink()
    page.goto(write(explore.html("headlines"))[scheme])
    page.get_by_role("button", name="打开").click()
    expect(page.get_by_role("status").first).to_have_text(f"没有取到模型（./_static/model.js）。{AGAIN}")
    data.write_bytes(DATA.read_bytes())
    open_piece(page)
    expect(page.locator(".failed")).to_have_count(0)


def damage(payload, kind):
    """改坏一处，每处都不同：缺一张表、少几个数、少一个词……"""
    tables = payload["tables"]
    if kind == "缺表":
        del tables["output"]
    elif kind == "少数":
        tables["forward"]["whole"] = tables["forward"]["whole"][:-4]
    elif kind == "少词":
        payload["units"] = payload["units"].rpartition(" ")[0]
    elif kind == "不是 base64":
        tables["output"]["step"] = "？"
    elif kind == "步长不是数":
        tables["output"]["step"] = base64.b64encode(np.full(10, np.nan, "<f4").tobytes()).decode()
    elif kind == "另一种汇总":
        payload["pooling"] = "toString"
    elif kind == "循环层对不上":  # 每张表自己是完整的，接不起来
        tables["forward"] = tables["output"] | {"shape": [10, 129]}
    elif kind == "输出层对不上":
        del tables["backward"]
    elif kind == "没有来历":
        del payload["about"]
    elif kind == "类别少一个":
        payload["classes"].pop()
    else:
        payload.clear()


def broken(kind):
    """几种坏文件：登录页、只下载了一半、别的数据，或改坏一处。"""
    text, payload = DATA.read_text(encoding="utf-8"), read_packed(DATA)
    if kind == "登录页":
        return "<!doctype html>请登录"
    if kind == "半个":
        return text[: len(text) // 2]
    if kind == "别的":
        return f"{HEAD}[1, 2];"
    damage(payload, kind)
    return f"{HEAD}{json.dumps(payload, ensure_ascii=False)};"


@pytest.mark.parametrize("kind", [
    "登录页", "半个", "别的", "缺表", "少数", "少词", "不是 base64", "步长不是数", "另一种汇总",
    "循环层对不上", "输出层对不上", "没有来历", "类别少一个", "空"])
def test_a_broken_file_is_explained(page, book, kind):
    """坏文件：一句中文；文件换好，再按一次就好，网页不用重新打开。"""
    folder, write = book
    (folder / "_static/model.js").write_text(broken(kind), encoding="utf-8")
    page.goto(write(explore.html("headlines"))["file"])
    page.get_by_role("button", name="打开").click()
    what = "没有取到模型" if kind in ("登录页", "半个") else "取到的不是完整的模型"
    expect(page.get_by_role("status").first).to_have_text(f"{what}（./_static/model.js）。{AGAIN}")
    (folder / "_static/model.js").write_bytes(DATA.read_bytes())
    open_piece(page)
    expect(page.locator(".failed")).to_have_count(0)


def test_a_broken_file_kept_by_the_browser_is_fetched_again(page, book):
    """服务器说可以存一小时：坏文件存在浏览器里，换好以后再按，也不用那一份。"""
    folder, write = book
    (folder / "_static/model.js").write_text(broken("缺表"), encoding="utf-8")
    write(explore.html("headlines"))
    with serve(folder, Cached) as address:
        page.goto(f"{address}/page.html")
        page.get_by_role("button", name="打开").click()
        expect(page.get_by_role("status").first).to_contain_text("取到的不是完整的模型")
        (folder / "_static/model.js").write_bytes(DATA.read_bytes())
        open_piece(page)


def test_a_page_that_knows_no_place(watched, site):
    folder, _ = site
    write_page(folder, explore.html("headlines"))
    watched.goto((folder / "page.html").as_uri())
    watched.get_by_role("button", name="打开").click()
    expect(watched.get_by_role("status").first).to_have_text(
        "没有取到模型。这里不知道数据文件在哪里；请在网页版里打开本页，或用 make lab 打开 notebook。")


def test_the_address_follows_jupyterlab(watched, book):
    """JupyterLab 不一定在网址的根上，例如 JupyterHub、Binder。"""
    _, write = book
    config = '<script id="jupyter-config-data" type="application/json">{"baseUrl": "/user/a/"}</script>'
    watched.goto(write(config)["http"])
    url = call(watched, "return (await import('/explorables/_data.js')).place(document, m.file.path).url;", 0)
    assert url == f"/user/a/files/{DATA.relative_to(ROOT).as_posix()}"


# ---- 谁都能用 ----

CONTRAST = """(cells) => Math.min(...cells.map((cell) => {
    const light = (text) => {
        const [r, g, b] = text.match(/[\\d.]+/g).map((v) => v / (text.startsWith("rgb") ? 255 : 1))
            .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    const style = getComputedStyle(cell);
    const [a, b] = [light(style.color), light(style.backgroundColor)];
    return Math.max(a, b) / Math.min(a, b);
}))"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible_and_narrow(watched, book, theme):
    folder, write = book
    write(explore.html("headlines", headline="龘" + DEFAULT), theme=theme)

    def operate(page):
        open_piece(page)
        page.get_by_text("逐字的数", exact=True).click()
        cells = page.get_by_role("list", name="每个字的权重").get_by_role("listitem")
        assert cells.evaluate_all(CONTRAST) > 4.5
        for colour in "BT":  # 颜色最深时也看得清
            cells.evaluate_all(f"""(cells) => cells.forEach((cell) =>
                cell.setAttribute("style", "--strength: 1; --colour: var(--{colour})"))""")
            assert cells.evaluate_all(CONTRAST) > 4.5
    assert_accessible_and_narrow(watched, folder, operate)
