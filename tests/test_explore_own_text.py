"""自己的文本：切词、训练同 Python 逐数相等；文本不出这一页；贴什么、开什么都不出错，网页不卡。"""

import gzip
import json
import re
import runpy
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import gensim
import numpy as np
import pytest
import yaml
from explore_page import assert_accessible_and_narrow, lay_out, write_page
from playwright.sync_api import expect

from textseq import corpora, explore
from textseq.vectors import WordVectors
from textseq.word2vec import keep_probability, noise_distribution, skipgram_negative

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data/own_text/own_text.js"
BUILD = SimpleNamespace(**runpy.run_path(str(DATA.parent / "build.py")))
STORED = json.loads(DATA.read_text(encoding="utf-8").removeprefix("textseqOwnText = ").rstrip(";\n"))
WORDS = dict(zip(STORED["words"].split(" "), STORED["counts"], strict=True))


# ---- 对照：抽签、训练另写一遍，一对的梯度用 textseq.word2vec 的 ----

def xorshift32(seed):
    s = seed * 2654435761 % 2**32
    while True:
        s ^= s << 13 & 0xFFFFFFFF
        s ^= s >> 17
        s ^= s << 5 & 0xFFFFFFFF
        yield s / 2**32


def train(ids, counts, vector_size, window, negative, epochs, sample, seed):
    """两张表与每对的损失；课程的编号从 1 起（0 是 <pad>），所以表的前面垫一行 0。"""
    random = xorshift32(seed)
    embedding = np.array([[0.0] * vector_size] + [
        [(next(random) - 0.5) / vector_size for _ in range(vector_size)] for _ in counts])
    context, losses = np.zeros_like(embedding), []
    keep = keep_probability(counts) if sample else None
    cumulative = np.cumsum(np.array(counts) ** 0.75)
    read, total = 0, epochs * sum(map(len, ids))
    for sentence in ids * epochs:
        alpha = 0.05 + (1e-4 - 0.05) * read / total
        kept = [w for w in sentence if keep is None or next(random) < keep[w]]
        for t, center in enumerate(kept):
            reach = 1 + int(next(random) * window)
            for s in range(max(0, t - reach), min(len(kept), t + reach + 1)):
                if s != t:
                    drawn = [np.searchsorted(cumulative, next(random) * cumulative[-1], side="right")
                             for _ in range(negative)]
                    loss, dv, du = skipgram_negative(embedding, context, np.array([center + 1]),
                                                     np.array([kept[s] + 1]), np.array([drawn], int) + 1)
                    embedding, context = embedding - alpha * dv, context - alpha * du
                    losses.append(loss)
        read += len(sentence)
    assert np.allclose(np.diff(cumulative, prepend=0) / cumulative[-1], noise_distribution(counts))
    return embedding[1:], context[1:], losses


RUN = """async ([ids, counts, settings]) => {
    const { learn, newModel, takeLoss } = await import("/explorables/_skipgram.js");
    const model = newModel({ ids, counts, ...settings });
    while (learn(model));
    const pairs = model.pairs;
    return { embedding: [...model.embedding], context: [...model.context], pairs, loss: takeLoss(model) };
}"""


@pytest.mark.parametrize("settings", [
    {"vector_size": 8, "window": 3, "negative": 4, "epochs": 3, "sample": True, "seed": 5},
    {"vector_size": 5, "window": 1, "negative": 1, "epochs": 2, "sample": False, "seed": 99},
], ids=["sample", "plain"])
def test_training_equals_the_library(watched, site, settings):
    folder, address = site
    write_page(folder)
    watched.goto(f"{address}/page.html")
    rng = np.random.default_rng(0)
    ids = [(rng.geometric(0.2, n) - 1).clip(max=11).tolist() for n in rng.integers(5, 25, 60)]
    counts = np.bincount(sum(ids, []), minlength=12).clip(min=1).tolist()
    mine = watched.evaluate(RUN, [ids, counts, settings])
    embedding, context, losses = train(ids, counts, **settings)
    np.testing.assert_allclose(mine["embedding"], embedding.ravel(), rtol=0, atol=1e-9)
    np.testing.assert_allclose(mine["context"], context.ravel(), rtol=0, atol=1e-9)
    assert mine["pairs"] == len(losses) > 200
    assert mine["loss"] == pytest.approx(np.mean(losses), abs=1e-9)


# ---- 不卡 ----

BUSY = """() => new Promise((done) => setTimeout(() => {
    const start = performance.now();
    while (performance.now() - start < 100);
    done();
}))"""


@contextmanager
def light_on_the_main_thread(page):
    """主线程上没有一件事占处理器 200 毫秒。按处理器时间算，机器忙不忙都一样；先占 100 毫秒，看它真记得下。"""
    browser = page.context.browser
    browser.start_tracing(page=page, categories=["toplevel", "disabled-by-default-devtools.timeline"])
    page.evaluate(BUSY)
    try:
        yield
    finally:
        events = json.loads(browser.stop_tracing())["traceEvents"]
    main = {(event["pid"], event["tid"]) for event in events
            if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"}
    longest = max(event.get("tdur", 0) / 1000 for event in events      # 开始、停止记录时正在做的那件没有 tdur
                  if event["name"] == "RunTask" and (event["pid"], event["tid"]) in main)
    assert 20 < longest < 200


# ---- 切词 ----

def segment(page, texts, how, own=""):
    return page.evaluate("""async ([data, texts, how, own]) => {
        const { openDictionary, sentencesOf } = await import("/explorables/_segment.js");
        const dictionary = how === "word" ? openDictionary(data, own) : null;
        return texts.map((text) => sentencesOf(text, how, dictionary));
    }""", [STORED if how == "word" else None, texts, how, own])


def test_cutting_equals_python(watched, site):
    """留着没有数进词典的段，前 200 段：与 data/own_text/build.py 里的那三十行切得一样。"""
    folder, address = site
    write_page(folder)
    watched.goto(f"{address}/page.html")
    held = [s.text for s in islice(corpora.people_daily(), 0, 2000, 10)]
    total = sum(WORDS.values())
    for text, sentences in zip(held, segment(watched, held, "word"), strict=True):
        wanted = [w.lower() for w in BUILD.segment(text, WORDS, total) if re.search(r"[^\W_]", w)]
        assert sum(sentences, []) == wanted


@pytest.mark.full
def test_the_dictionary_is_counted_from_the_corpus():
    assert BUILD.dictionary(BUILD.split_corpus()[0]) == WORDS


def test_three_ways_of_cutting(watched, site):
    folder, address = site
    write_page(folder)
    watched.goto(f"{address}/page.html")
    text = "ＮＢＡ季后赛，<b>今天</b>开打！Skip-gram 3.5% 😀\n\n繁體字也行。"
    assert segment(watched, [text], "char") == [
        [["nba", "季", "后", "赛", "b", "今", "天", "b", "开", "打"], ["skip-gram", "3.5"],
         ["繁", "體", "字", "也", "行"]]]
    assert segment(watched, ["负采样 很 好 。 ， constructor\n甲  乙"], "blank") == [
        [["负采样", "很", "好"], ["constructor"], ["甲", "乙"]]]
    assert segment(watched, ["今天讲负采样"], "word") != segment(watched, ["今天讲负采样"], "word", "负采样")
    assert segment(watched, ["今天讲负采样"], "word", "负采样") == [[["今天", "讲", "负采样"]]]
    name = "双向长短期记忆网络"  # 比词典里最长的词还长
    assert segment(watched, [f"今天讲{name}"], "word", name) == [[["今天", "讲", name]]]
    [long] = segment(watched, ["长" * 2500], "char")
    assert [len(words) for words in long] == [1000, 1000, 500]


def test_the_data_is_small_and_served():
    config = yaml.safe_load((ROOT / "book/_config.yml").read_text(encoding="utf-8"))
    assert str(DATA.relative_to(ROOT).as_posix()) in config["sphinx"]["config"]["html_static_path"]
    assert 250_000 < len(gzip.compress(DATA.read_bytes())) < 300_000  # 图里写着 0.3 MB
    assert len(STORED["sample"]) > 60_000 and max(map(len, WORDS)) == BUILD.LONGEST
    assert not re.search(r"</|https?:|\$", STORED["sample"])


def test_the_table_of_neighbours_is_the_record():
    """说明里的表就是 results.tsv；见得多的词，近邻剩得多。"""
    readme = (DATA.parent / "README.md").read_text(encoding="utf-8")
    _, *rows = [row.split("\t") for row in
                (DATA.parent / "results.tsv").read_text(encoding="utf-8").splitlines()]
    short, whole = ([row for row in rows if row[0] == size] for size in ("20000", "80000"))
    for one, two in zip(short, whole, strict=True):
        times = one[1].replace(" 以上", " 次以上") if "以上" in one[1] else f"{one[1]} 次"
        assert f"| {times} | {one[3]} | {two[3]} |" in readme
    for part in (short, whole):
        kept = [float(row[3]) for row in part]
        assert max(kept[:2]) < min(kept[3:]) - 1


# ---- 网页里 ----

@pytest.fixture
def book(site):
    """像建好的书那样的文件夹：数据在 _static/。给出写一页、返回网址的函数。"""
    folder, address = site
    lay_out(folder, DATA)

    def write(scheme="http", theme="light", **state):
        write_page(folder, explore.html("own_text", **state), theme=theme, root="./")
        return f"{address}/page.html" if scheme == "http" else (folder / "page.html").as_uri()
    return write


QUICK = {"epochs": 1, "vector_size": 10, "negative": 2, "window": 2}
LONG = "".join(f"第{i % 7}只小猫和小狗在路上走，今天下{chr(0x4e00 + i % 20)}，昨天下雨，火车很快。\n"
               for i in range(250))


def parts(page):
    return (page.locator(".note"), page.locator(".go"), page.get_by_role("textbox", name="文本"),
            page.locator(".excerpt"))


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def use_sample(page):
    page.get_by_role("button", name="用样例").click()
    expect(page.locator(".excerpt")).to_contain_text("样例（课程的正文）")


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_sample_trains_and_downloads(watched, book, scheme, tmp_path):
    """用样例，按词：训练，查词，停下，接着，存成两个库都读得出的文件；主线程不卡。"""
    address = book(scheme, **QUICK | {"epochs": 50})
    requests = []
    watched.on("request", lambda request: requests.append(request.url))
    watched.goto(address)
    note, go, *_ = parts(watched)
    use_sample(watched)
    with light_on_the_main_thread(watched):
        go.click()
        expect(note).to_contain_text("训练中：不同的词 ")
        press(watched, "停")
        expect(note).to_contain_text("可以接着训练")
        expect(go).to_have_text("接着训练")
        before = watched.locator("progress").evaluate("(bar) => bar.value")
        watched.wait_for_timeout(300)
        assert watched.locator("progress").evaluate("(bar) => bar.value") == before < 1
        go.click()
        expect(go).to_have_text("停")
        watched.get_by_role("slider", name="epochs").fill("2")  # 训练着改设定：说一声，不打断
        expect(watched.locator(".old")).to_contain_text("还是照旧的训练的")
        press(watched, "从头来")
        expect(note).to_contain_text("2 轮走完：用了", timeout=60_000)
        expect(watched.locator(".plane .word")).to_have_count(30)
        watched.get_by_role("textbox", name="查哪个词").fill("梯度")
        expect(watched.get_by_role("list", name="近邻").get_by_role("listitem")).to_have_count(10)
        shown = watched.get_by_role("list", name="近邻").get_by_role("listitem").all_inner_texts()
    with watched.expect_download() as download:
        press(watched, "下载 vectors.txt")
    path = tmp_path / "vectors.txt"
    download.value.save_as(path)
    vectors, same = WordVectors.load(path), gensim.models.KeyedVectors.load_word2vec_format(str(path))
    assert vectors.words == same.index_to_key and vectors.vector_size == 10
    for row, (word, cosine) in zip(shown, vectors.most_similar("梯度", topn=10), strict=True):
        assert row.split()[:2] == [word, f"{cosine:.3f}".replace("-", "−")]
    assert {url.rpartition("/")[2] for url in requests if not url.startswith("blob:")} <= {
        "page.html", "own_text.js"}


def test_settings_that_make_it_stale_are_said(watched, book):
    watched.goto(book(**QUICK, min_count=2))
    note, go, box, _ = parts(watched)
    old = watched.locator(".old")
    box.fill(LONG)
    go.click()
    expect(note).to_contain_text("1 轮走完")
    expect(old).to_be_empty()
    watched.get_by_role("textbox", name="查哪个词").fill("猫")
    expect(old).to_be_empty()
    watched.get_by_role("slider", name="epochs").fill("2")
    expect(old).to_contain_text("还是照旧的训练的")
    press(watched, "从头来")
    expect(note).to_contain_text("2 轮走完")
    expect(old).to_be_empty()
    press(watched, "换个起点")
    expect(old).to_contain_text("还是照旧的训练的")
    go.click()
    expect(old).to_be_empty()
    expect(note).to_contain_text("2 轮走完")
    for _ in range(3):  # 训练着又从头来，不乱
        press(watched, "从头来")
    expect(note).to_contain_text("2 轮走完")


@pytest.mark.parametrize(("text", "said"), [
    ("", "还没有文本"), ("  \n　", "还没有文本"),
    ("字", "没有训练，文本太短"), ("。，！" * 900, "没有训练，文本太短"),
    ("<b>粗</b><script>alert(1)</script>" * 9, "没有训练，文本太短"),
    ("甲" * 6000, "没有训练，不同的词太少：至少出现 1 次的词有 1 个，一共 6,000 词次；要有 30 个词"),
])
def test_too_little_is_refused_kindly(watched, book, text, said):
    watched.goto(book(min_count=1))
    note, go, box, excerpt = parts(watched)
    box.fill(text)
    go.click()
    expect(note).to_contain_text(said)
    expect(go).to_have_text("训练")
    expect(watched.locator(".plane")).to_be_hidden()
    if "<b>" in text:
        expect(watched.locator("form b", has_text="粗")).to_have_count(0)


PASTE = """([box, times]) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", huge.repeat(times));
    box.dispatchEvent(new ClipboardEvent("paste", { clipboardData, cancelable: true }));
}"""


def test_a_megabyte_is_pasted_and_the_page_stays_alive(watched, book):
    """贴一兆、再贴太长的：不进打字的框，主线程没有久的任务；太长的只用开头一百万个字符。"""
    watched.goto(book(**QUICK | {"epochs": 9}, sample=False))
    note, go, box, excerpt = parts(watched)
    with light_on_the_main_thread(watched):
        watched.evaluate("(text) => { globalThis.huge = text; }", LONG * 50)
        for times, said in ((1, "共 3"), (4, "只用开头的一百万个字符")):
            watched.evaluate(PASTE, [box.element_handle(), times])
            expect(excerpt).to_contain_text("贴进来的文本，开头是：")
            expect(watched.get_by_role("status").filter(has_text=said)).to_have_count(1)
            if times == 1:
                go.click()
                expect(note).to_contain_text("训练中：", timeout=20_000)
                expect(watched.locator(".bar")).to_contain_text("还要约")
                press(watched, "停")
                expect(note).to_contain_text("可以接着训练")
                press(watched, "换一份")
                expect(box).to_be_focused()


FILES = {
    "好.txt": (LONG.encode(), "文件“好.txt”"),
    "老.txt": (LONG.encode("gbk"), "文件“老.txt”"),
    "宽.txt": (LONG.encode("utf-16"), "文件“宽.txt”"),
    "图.png": (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256)) * 40, "不像文本文件"),
    "包.docx": (b"PK\x03\x04\x14\0\x06\0" + np.random.default_rng(0).bytes(5000), "不像文本文件"),
    "空.txt": (b"", "里没有字"),
}


def test_files_are_opened_or_refused(watched, book):
    watched.goto(book())
    *_, excerpt = parts(watched)
    for name, (content, said) in FILES.items():
        with watched.expect_file_chooser() as chooser:
            press(watched, "打开文件")
        chooser.value.set_files({"name": name, "mimeType": "", "buffer": content})
        if said.startswith("文件"):
            expect(excerpt).to_contain_text(f"{said}，开头是：第0只小猫")
            press(watched, "换一份")
        else:
            expect(watched.locator(".failed")).to_contain_text(f"“{name}”{said}")


def test_advice(watched, book):
    """太短、切好了没有、繁体，各有一句。"""
    watched.goto(book())
    *_, box, _ = parts(watched)

    def told(text, way):
        watched.get_by_text(way, exact=True).click()
        box.fill(text)
        return watched.locator(".excerpt ~ p[role=status], .field ~ p[role=status]").first.inner_text()

    assert told("今天 天气 很 好", "按字") == (
        "共 6 字。太短，近邻多半靠不住，最好两万字以上。词与词之间好像已经有空格，可以选“已切好”。")
    assert "请选“按字”或“按词”" in told("今天天气很好", "已切好")
    assert "词典是简体的" in told("這個國家的歷史還沒有說完", "按词")
    assert "词典是简体的" not in told("这个国家的历史还没有说完", "按词")


def test_no_worker_is_said(watched, book):
    watched.add_init_script(
        "globalThis.Worker = class { constructor() { throw new DOMException('不许'); } };")
    watched.goto(book())
    note, go, box, _ = parts(watched)
    box.fill(LONG)
    go.click()
    expect(note).to_contain_text("后台的训练没有做成：浏览器不让网页造 Worker")
    expect(go).to_have_text("训练")


def test_no_dictionary_is_said(page, book, site):
    """取不到词典：说清楚，还可以改成按字。"""
    folder, _ = site
    address = book("file", **QUICK)
    (folder / "_static" / DATA.name).rename(folder / "elsewhere.js")
    page.goto(address)
    note, go, box, _ = parts(page)
    box.fill(LONG)
    go.click()
    expect(note).to_contain_text("没有取到词典与样例（./_static/own_text.js）")
    expect(note).to_contain_text("不用词典也能训练：选“按字”。")
    page.get_by_text("按字", exact=True).click()
    go.click()
    expect(note).to_contain_text("1 轮走完")


def test_keyboard_only(watched, book):
    """不碰鼠标：用样例，训练，查近邻里的词，停下；换了行，焦点还在列表里。"""
    watched.goto(book(**QUICK | {"epochs": 50}))
    note, go, *_ = parts(watched)
    watched.get_by_role("button", name="用样例").press("Enter")
    expect(watched.locator(".excerpt")).to_contain_text("样例（课程的正文）")
    go.press("Enter")
    expect(note).to_contain_text("训练中：")
    first = watched.get_by_role("list", name="近邻").get_by_role("button").first
    first.focus()
    word = first.inner_text()
    watched.wait_for_timeout(400)
    expect(first).to_be_focused()  # 训练着，正要点的一行不换掉
    assert first.inner_text() == word
    watched.keyboard.press("Enter")
    expect(watched.get_by_role("textbox", name="查哪个词")).to_have_value(word)
    expect(watched.get_by_role("status").filter(has_text=f"“{word}”出现")).to_have_count(1)
    go.press("Enter")
    expect(note).to_contain_text("可以接着训练")
    first.focus()
    word = first.inner_text()
    watched.keyboard.press("Enter")
    expect(watched.get_by_role("status").filter(has_text=f"“{word}”出现")).to_have_count(1)
    expect(first).not_to_have_text(word)
    expect(first).to_be_focused()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible_and_narrow(watched, book, site, theme):
    folder, _ = site
    book("file", theme, **QUICK)

    def operate(page):
        note, go, *_ = parts(page)
        use_sample(page)
        go.click()
        expect(note).to_contain_text("1 轮走完", timeout=60_000)
        page.get_by_text("别的设定").click()
        page.get_by_text("在 Python 里读它").click()
        page.get_by_role("textbox", name="查哪个词").fill("<b>火锅</b>" + "长" * 10)

    assert_accessible_and_narrow(watched, folder, operate)
    expect(watched.get_by_role("status").filter(has_text="词表里没有“<b>火锅</b>")).to_have_count(1)
