"""近义词：网页里的近邻同 Python 在量化矩阵上算的相等；打开之前不下载，取不到时说清楚怎么办。"""

import json
import random
import unicodedata
from pathlib import Path

import numpy as np
import pytest
import yaml
from explore_page import assert_accessible_and_narrow, lay_out, write_page
from playwright.sync_api import expect
from serving import Cached, serve

from textseq import explore
from textseq.quantized import load_quantized, save_quantized
from textseq.vectors import WordVectors

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data/neighbors/neighbors.js"
SPEC = explore.spec("neighbors")
VECTORS, COUNTS = load_quantized(DATA)
WORDS, ROWS = VECTORS.words, VECTORS.matrix
INDEX = {word: i for i, word in enumerate(WORDS)}
UNIT = ROWS / np.linalg.norm(ROWS.astype(float), axis=1, keepdims=True)


def fold(word):
    return unicodedata.normalize("NFKC", word.strip()).lower()


def nearest(plus, minus=(), topn=10, least=0):
    """对照：量化矩阵上的 most_similar。"""
    query = UNIT[list(plus)].sum(0) - UNIT[list(minus)].sum(0)
    cosine = UNIT @ (query / np.linalg.norm(query))
    order = [i for i in np.argsort(-cosine, kind="stable")
             if i not in {*plus, *minus} and COUNTS[i] >= least][:topn]
    return order, cosine[order]


def test_the_words_named_in_the_piece_are_in_the_file():
    defaults = {SPEC["state"][key]["default"] for key in ("word", "a", "b", "c")}
    named = {*SPEC["common"], *SPEC["rare"], *sum(SPEC["analogies"], []), *defaults}
    assert named <= set(WORDS)
    assert max(COUNTS[INDEX[word]] for word in SPEC["rare"]) < SPEC["few"]
    assert min(COUNTS[INDEX[word]] for word in SPEC["common"]) > 2 * SPEC["few"]


def test_the_lead_question_is_answered_yes():
    assert INDEX["减少"] in nearest([INDEX["增加"]])[0]


def test_the_book_serves_the_file():
    config = yaml.safe_load((ROOT / "book/_config.yml").read_text(encoding="utf-8"))
    assert str(DATA.relative_to(ROOT).as_posix()) in config["sphinx"]["config"]["html_static_path"]


# ---- 网页里 ----

@pytest.fixture
def book(site):
    """像建好的书那样的文件夹：<html> 上写着 content_root，数据在 _static/。"""
    folder, address = site
    lay_out(folder, DATA)

    def write(*bodies, theme="light"):
        write_page(folder, *bodies, theme=theme, root="./")
    return folder, address, write


def open_piece(piece):
    piece.get_by_role("button", name="打开（约 1 MB）").click()
    expect(piece.get_by_role("list", name="近邻").get_by_role("listitem")).to_have_count(10)


def test_numbers_equal_python(watched, book):
    folder, address, write = book
    write('<script src="_static/neighbors.js"></script>')
    watched.goto(f"{address}/page.html")
    rng = random.Random(7)
    queries = [[[rng.randrange(len(WORDS))], []] for _ in range(150)]
    queries += [[rng.sample(range(len(WORDS)), 2), [rng.randrange(len(WORDS))]] for _ in range(100)]
    for i in rng.sample(range(len(WORDS)), 20):  # 减去的词本来会排在最前，照样不算
        queries.append([[int(n) for n in nearest([i], topn=6)[0]], [i]])
    answers = watched.evaluate("""async (queries) => {
        const { unpack } = await import("/explorables/neighbors.js");
        const { nearest } = await import("/explorables/_vectors.js");
        const data = unpack(textseqNeighbors);
        return queries.map(([plus, minus], n) => nearest(data, plus, minus, 10, n % 3 ? 0 : 50));
    }""", queries)
    for n, ((plus, minus), mine) in enumerate(zip(queries, answers, strict=True)):
        ids, cosines = nearest(plus, minus, least=0 if n % 3 else 50)
        assert [i for i, _ in mine] == ids
        np.testing.assert_allclose([c for _, c in mine], cosines, rtol=0, atol=1e-12)


def test_finding_and_suggesting(watched, book):
    folder, address, write = book
    write('<script src="_static/neighbors.js"></script>')
    watched.goto(f"{address}/page.html")
    typed = ["图书", "滑雪课", "增", "40%", " 北京 ", "constructor", "", "　", "😀", "\\", "女子学院"]
    answers = watched.evaluate("""async (typed) => {
        const { unpack } = await import("/explorables/neighbors.js");
        const { find, suggest } = await import("/explorables/_near.js");
        const data = unpack(textseqNeighbors);
        return typed.map((word) => [find(data, word) ?? -1, suggest(data, word)]);
    }""", typed)

    def rank(word, key):
        return (0 if word.startswith(key) else 1 if key in word else 2 if word in key else 9,
                -len(word) if word in key and key not in word else 0)

    for word, [found, offered] in zip(typed, answers, strict=True):
        key = fold(word)
        same = [i for i, other in enumerate(WORDS) if fold(other) == key]
        assert found == INDEX.get(word.strip(), same[0] if same else -1)
        kin = [(rank(fold(w), key), i) for i, w in enumerate(WORDS) if key and rank(fold(w), key)[0] < 9]
        assert offered == [WORDS[i] for _, i in sorted(kin)[:8]]
    assert WORDS[answers[3][0]] == "４０％" and "图书馆" in answers[0][1] and answers[1][1][0] == "滑雪"


def test_the_address_follows_jupyterlab(watched, book):
    """JupyterLab 不一定在网址的根上，例如 JupyterHub、Binder。"""
    _, address, write = book
    write('<script id="jupyter-config-data" type="application/json">{"baseUrl": "/user/a/"}</script>')
    watched.goto(f"{address}/page.html")
    url = watched.evaluate("""async () => {
        const { place } = await import("/explorables/_data.js");
        const { file } = await import("/explorables/neighbors.js");
        return place(document, file.path).url;
    }""")
    assert url == f"/user/a/files/{DATA.relative_to(ROOT).as_posix()}"


def test_two_forms_of_one_word(watched, book):
    """照原样有的，就是它；没有的，不计较全角与大小写，取常见的那个。"""
    folder, address, write = book
    few = folder / "few.js"
    save_quantized(few, WordVectors(["Ｂ", "ｂ", "的", "Ａ", "A"], ROWS[:5]), range(5), "")
    write('<script src="few.js"></script>')
    watched.goto(f"{address}/page.html")
    found = watched.evaluate("""async (typed) => {
        const { unpack } = await import("/explorables/neighbors.js");
        const { find } = await import("/explorables/_near.js");
        return typed.map((word) => find(unpack(textseqNeighbors), word) ?? -1);
    }""", ["Ｂ", "ｂ", "b", "B", "a", "A", "Ａ", "c"])
    assert found == [0, 1, 0, 0, 3, 4, 3, -1]


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_answers_mouse_and_keyboard(watched, book, scheme):
    folder, address, write = book
    write(explore.html("neighbors"), explore.html("neighbors", word="宁静"))
    requests = []
    watched.on("request", lambda request: request.url.startswith("blob:") or requests.append(request.url))
    watched.goto(f"{address}/page.html" if scheme == "http" else (folder / "page.html").as_uri())
    piece, other = (watched.locator("[data-explore]").nth(n) for n in range(2))
    expect(piece.get_by_role("button", name="打开")).to_be_visible()
    expect(piece.get_by_role("textbox")).to_have_count(0)
    assert len(requests) == 1  # 只有网页自己
    piece.get_by_role("button", name="打开").focus()
    watched.keyboard.press("Enter")
    near, status = piece.get_by_role("list", name="近邻").get_by_role("listitem"), piece.get_by_role("status")
    expect(near).to_have_count(10)
    word = piece.get_by_role("textbox", name="查哪个词")
    expect(word).to_be_focused()  # 打开之后接着就能打字
    open_piece(other)  # 同一页的第二个不再取
    assert [url.rpartition("/")[2] for url in requests[1:]] == ["neighbors.js"]
    expect(other.get_by_text("次：上下文太少，向量没有学准")).to_be_visible()

    ids, cosines = nearest([INDEX["增加"]])
    rows = [f"{WORDS[i]}{c:.3f}{COUNTS[i]} 次" for i, c in zip(ids, cosines, strict=True)]
    expect(near).to_have_text(rows)
    word.press("Control+a")
    watched.keyboard.type("40%")
    expect(status.filter(has_text=f"“４０％”在语料里出现 {COUNTS[INDEX['４０％']]} 次")).to_be_visible()
    piece.get_by_role("button", name="北京", exact=True).click()
    expect(word).to_have_value("北京")
    first = WORDS[nearest([INDEX["北京"]])[0][0]]
    near.first.get_by_role("button").click()  # 点近邻接着查
    expect(word).to_have_value(first)
    expect(other.get_by_role("textbox", name="查哪个词")).to_have_value("宁静")

    answers = piece.get_by_role("list", name="类比的答案").get_by_role("listitem")
    for a, b, c in SPEC["analogies"][::-1]:
        piece.get_by_role("button", name=f"{a}：{b} = {c}：？").click()
        ids, _ = nearest([INDEX[b], INDEX[c]], [INDEX[a]], 5)
        expect(answers.get_by_role("button")).to_have_text([WORDS[i] for i in ids])
        expect(status.filter(has_text=f"“{b} − {a} + {c}”")).to_be_visible()


def test_unknown_words_get_suggestions(watched, book):
    folder, _, write = book
    write(explore.html("neighbors", word="图书"))
    watched.goto((folder / "page.html").as_uri())
    watched.get_by_role("button", name="打开").click()
    status, near = watched.get_by_role("status"), watched.get_by_role("list", name="近邻")
    expect(status.filter(has_text="“图书”在语料里出现")).to_be_visible()
    word = watched.get_by_role("textbox", name="查哪个词")
    word.fill("<b>滑雪课")
    why = f"这里没有“<b>滑雪课”：它在语料里没有出现，或者太少见，没有排进前 {len(WORDS)} 个词。"
    expect(status.filter(has_text=why)).to_be_visible()
    expect(near.get_by_role("listitem")).to_have_count(0)
    watched.get_by_role("button", name="滑雪", exact=True).click()
    expect(near.get_by_role("listitem")).to_have_count(10)
    word.fill(" ")
    expect(status.filter(has_text="请写一个词，或点上面的词。")).to_be_visible()
    watched.get_by_role("textbox", name="类比的丙").fill("电影节目")
    expect(status.filter(has_text="这里没有“电影节目”。")).to_be_visible()
    watched.get_by_role("button", name="电影", exact=True).click()
    expect(watched.get_by_role("list", name="类比的答案").get_by_role("listitem")).to_have_count(5)
    watched.get_by_role("textbox", name="类比的甲").fill("")
    expect(status.filter(has_text="三个格子都要写上词。")).to_be_visible()


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_a_missing_file_is_explained(page, book, scheme):
    """取不到时说清楚；文件有了，再按一次就好。"""
    folder, address, write = book
    write(explore.html("neighbors"))
    data = folder / "_static/neighbors.js"
    data.rename(folder / "away.js")
    page.goto(f"{address}/page.html" if scheme == "http" else (folder / "page.html").as_uri())
    page.get_by_role("button", name="打开").click()
    expect(page.get_by_role("status").first).to_have_text(
        "没有取到词向量（./_static/neighbors.js）。"
        "请检查网络后再按一次；若是自己建的书，请重新运行 make book。")
    (folder / "away.js").rename(data)
    open_piece(page)
    expect(page.locator(".failed")).to_have_count(0)


AGAIN = "请检查网络后再按一次；若是自己建的书，请重新运行 make book。"
HEAD = "textseqNeighbors = "


def broken(kind):
    """几种坏文件：登录页、只下载了一半、别的数据，或少了一样。"""
    text = DATA.read_text(encoding="utf-8")
    payload = json.loads(text.removeprefix(HEAD).rstrip(";\n"))
    if kind == "登录页":
        return "<!doctype html>请登录"
    if kind == "半个":
        return text[: len(text) // 2]
    if kind == "别的":
        return f"{HEAD}7;"
    if kind.startswith("缺 "):
        del payload[kind.removeprefix("缺 ")]
    elif kind == "少数":
        payload["rows"] = payload["rows"][:-4]
    elif kind == "少词":
        payload["words"] = payload["words"].rpartition(" ")[0]
    elif kind == "少次数":
        payload["counts"].pop()
    elif kind == "次数不是数":
        payload["counts"][5] = "很多"
    else:
        payload["vector_size"] = 0
    return f"{HEAD}{json.dumps(payload, ensure_ascii=False)};"


@pytest.mark.parametrize("kind", [
    "登录页", "半个", "别的", "缺 about", "缺 vector_size", "缺 words", "缺 counts", "缺 rows",
    "少数", "少词", "少次数", "次数不是数", "每个词 0 个数"])
def test_a_broken_file_is_explained(page, book, kind):
    """坏文件：一句中文；文件换好，再按一次就好，网页不用重新打开。"""
    folder, _, write = book
    write(explore.html("neighbors"))
    (folder / "_static/neighbors.js").write_text(broken(kind), encoding="utf-8")
    page.goto((folder / "page.html").as_uri())
    page.get_by_role("button", name="打开").click()
    what = "没有取到词向量" if kind in ("登录页", "半个") else "取到的不是完整的词向量"
    expect(page.get_by_role("status").first).to_have_text(f"{what}（./_static/neighbors.js）。{AGAIN}")
    (folder / "_static/neighbors.js").write_bytes(DATA.read_bytes())
    open_piece(page)
    expect(page.locator(".failed")).to_have_count(0)


def test_a_broken_file_kept_by_the_browser_is_fetched_again(page, book):
    """服务器说可以存一小时：坏文件存在浏览器里，换好以后再按，也不用那一份。"""
    folder, _, write = book
    write(explore.html("neighbors"))
    (folder / "_static/neighbors.js").write_text(broken("少次数"), encoding="utf-8")
    with serve(folder, Cached) as address:
        page.goto(f"{address}/page.html")
        page.get_by_role("button", name="打开").click()
        expect(page.get_by_role("status").first).to_contain_text("取到的不是完整的词向量")
        (folder / "_static/neighbors.js").write_bytes(DATA.read_bytes())
        open_piece(page)


def test_a_page_that_knows_no_place(watched, site):
    folder, _ = site
    write_page(folder, explore.html("neighbors"))
    watched.goto((folder / "page.html").as_uri())
    watched.get_by_role("button", name="打开").click()
    expect(watched.get_by_role("status").first).to_have_text(
        "没有取到词向量。这里不知道数据文件在哪里；请在网页版里打开本页，或用 make lab 打开 notebook。")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_accessible_and_narrow(watched, book, theme):
    folder, _, write = book
    write(explore.html("neighbors", word="宁静", c="滑雪课"), theme=theme)
    assert_accessible_and_narrow(watched, folder, open_piece)
