"""导览：每一步真的动手走一遍，做到了才算做到；猜错的各有各的话；走到哪里记得住，存不了也走得完。"""

import re
from pathlib import Path

import pytest
from explore_page import write_page
from playwright.sync_api import expect

from textseq import explore

ROOT = Path(__file__).parents[1]
DATA = {"neighbors": ROOT / "data/neighbors/neighbors.js", "headlines": ROOT / "data/classifier/model.js"}
WIDE, PHONE = (1280, 900, "light"), (390, 800, "dark")


# ---- 每一步的动作；一步要做几件事的，做完最后一件才算做到 ----

def press(name, times=1):
    def act(piece):
        for _ in range(times):
            piece.get_by_role("button", name=name, exact=True).click()
    return act


def put(role, name, value):
    return lambda piece: piece.get_by_role(role, name=name).fill(str(value))


def slide(name, value):
    return put("slider", name, value)


def choose(name):
    return lambda piece: piece.get_by_role("radio", name=name, exact=True).locator("..").click()


def click(css, n=0):
    return lambda piece: piece.locator(css).nth(n).click()


def bar(name, key):
    return lambda piece: piece.get_by_role("slider", name=name).press(key)


ACTS = {
    "unrolled_loop": [[press("下一步", 3)], [slide("时间步", 17)], [slide("谱半径", 150)], [slide("谱半径", 100)],
                      [slide("谱半径", 0)], [choose("份额")]],
    "three_gates": [
        [press("全记")], [press("全忘")],
        [press("f 全部设为 1"), press("i 全部设为 0"), bar("i，第 0 步", "1")],
        [press("o 全部设为 1")], [press("o 全部设为 0"), bar("o，第 8 步", "1")], [bar("f，第 4 步", "0")]],
    "neighbors": [[press("增加")], [click("ol.near li:has-text('减少') button")], [press("摩托车")],
                  [put("textbox", "查哪个词", "人工智能")], [put("textbox", "类比的丙", "法国")]],
    "sliding_window": [[press("下一个", 2)], [choose("CBOW")], [press("下一个", 2)],
                       [choose("窗口大小 11")], [click("[data-key=dynamic] input")]],
    "vector_lab": [[press("走一步")], [press("训练")], [slide("K 滑块", 0), press("训练")],
                   [slide("K 滑块", 1), press("训练")], [press("换个起点"), press("训练")]],
    "one_step": [[press("走一步")], [slide("K 滑块", 0), press("走一步", 4), press("走一步")],
                 [slide("K 滑块", 10), press("走一步")], [press("走一步"), press("撤回")],
                 [slide("学习率", 200), press("走一步", 2), press("走一步")]],
    "shape_blocks": [[slide("max_L 滑块", 6)], [click("[data-key=padding] label")],
                     [click("[data-key=batch_first] input")], [click("[data-key=bidirectional] input")],
                     [slide("num_layers 滑块", 3)], [choose("GRU")]],
    "headlines": [[press("总决赛MVP奖杯被他拿来装麦片")], [put("textbox", "标题", "MVP奖杯被他拿来装麦片")],
                  [press("招生官只看30秒的奖学金申请信怎么写")], [put("textbox", "标题", "上涨房价北京")],
                  [put("textbox", "标题", "hello world")]],
}


# ---- 走导览的工具 ----

@pytest.fixture
def book(site):
    """像建好的书那样的文件夹：数据在 _static/。给出写一页、返回网址的函数。"""
    folder, address = site
    (folder / "_static").mkdir()
    for data in DATA.values():
        (folder / "_static" / data.name).write_bytes(data.read_bytes())

    def write(*bodies, theme="light"):
        write_page(folder, *bodies, theme=theme)
        page = folder / "page.html"
        page.write_text(page.read_text(encoding="utf-8").replace("<html ", '<html data-content_root="./" '),
                        encoding="utf-8")
        return f"{address}/page.html"
    return write


def tour_of(page, address, name):
    """导览的数据；函数只说有没有。"""
    page.goto(address)
    return page.evaluate("""async (name) => (await import(`/explorables/_tour_${name}.js`)).tour.map((step) =>
        ({ ...step, done: Boolean(step.done), seen: Boolean(step.seen) }))""", name)


def open_tour(page, name):
    piece = page.locator(f"[data-explore={name}]")
    piece.get_by_role("button", name=re.compile("带我走一遍|接着走")).click()
    tour = piece.get_by_role("group", name="导览")
    if name in DATA:
        expect(tour.get_by_role("status")).to_contain_text("先按“打开”")
        piece.get_by_role("button", name=re.compile("^打开")).click()
        expect(tour.get_by_role("status")).not_to_contain_text("先按“打开”")
    return piece, tour, tour.get_by_role("status")


def is_right(option):
    return option[1].startswith("对")


# ---- 写得对不对 ----

def test_tours_are_well_formed(watched, book):
    """五到八步，至少猜两次；每个选项有自己的话，正好一个对；没有两句一样；末一步指路。"""
    address = book()
    spoken = []
    for name in explore.names():
        *steps, end = tour_of(watched, address, name)
        assert 5 <= len(steps) + 1 <= 8 and len(steps) == len(ACTS[name]), name
        assert sum("ask" in step for step in steps) >= 2, name
        assert end.keys() == {"say", "done", "seen"} and re.search(r"第 \d\d 章“", end["say"]), name
        for step in steps:
            assert step["act"] and step["at"] and step["done"] and step["seen"], name
            options = step.get("options", [])
            assert ("ask" in step) == (len(options) in (2, 3)), name
            assert sum(map(is_right, options)) == bool(options), name
            assert set(step.get("start", {})) <= set(explore.spec(name)["state"]), name
            spoken += [step["act"], *([step["ask"]] if options else []), *(said for _, said in options)]
            assert len({label for label, _ in options}) == len(options), name
        spoken.append(end["say"])
    assert all(text.endswith(("。", "？")) for text in spoken)
    assert [text for text in set(spoken) if spoken.count(text) > 1 and len(text) > 12] == []


def test_chapters_pointed_to_exist(watched, book):
    address = book()
    for name in explore.names():
        say = tour_of(watched, address, name)[-1]["say"]
        for chapter, titles in re.findall(r"第 (\d\d) 章((?:[与、]?“[^”]+”)+)", say):
            [path] = (ROOT / "notebooks").glob(f"{chapter}_*.ipynb")
            text = path.read_text(encoding="utf-8")
            for title in re.findall("“([^”]+)”", titles):
                assert re.search(f'"#+ [^"]*{re.escape(title)}', text), (name, title)


# ---- 走得通不通 ----

@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("name", explore.names())
def test_every_tour_is_walked(watched, book, name, size):
    """宽屏全猜错，手机全猜对；动手之前没做到，最后一下之后才做到，说的话里有数、有对那个选项的话。"""
    width, height, theme = size
    address = book(explore.html(name), theme=theme)
    *steps, end = tour_of(watched, address, name)
    watched.set_viewport_size({"width": width, "height": height})
    watched.emulate_media(reduced_motion="reduce")  # 实验台不放动画，一下走完
    piece, tour, said = open_tour(watched, name)
    for n, (step, acts) in enumerate(zip(steps, ACTS[name], strict=True)):
        expect(said).to_contain_text(f"第 {n + 1} 步，共 {len(ACTS[name]) + 1} 步")
        sentence = ""
        if "ask" in step:
            expect(said).to_contain_text(step["ask"])
            expect(piece.locator(".pointed")).to_have_count(0)
            label, sentence = next(option for option in step["options"] if is_right(option) == (size == PHONE))
            tour.get_by_role("button", name=label, exact=True).click()
        for act in acts:
            expect(said).to_contain_text("动手")
            expect(said).to_contain_text(step["act"])
            expect(piece.locator(".pointed").first).to_be_attached()
            act(piece)
        expect(said).to_contain_text("看见了")
        expect(said).to_contain_text(sentence)
        expect(said).not_to_contain_text(re.compile("NaN|undefined|null"))
        print(name, n + 1, said.inner_text())
        expect(piece.locator(".pointed")).to_have_count(0)
        tour.get_by_role("button", name="下一步", exact=True).click()
    expect(said).to_contain_text(end["say"])
    assert watched.evaluate("document.documentElement.scrollWidth") <= width
    tour.get_by_role("button", name="走完了").click()
    expect(piece.get_by_role("button", name="带我走一遍")).to_be_focused()
