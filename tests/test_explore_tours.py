"""导览：每一步真的动手走一遍，做到了才算做到；猜错的各有各的话；走到哪里记得住，存不了也走得完。"""

import re
from pathlib import Path

import pytest
from accessibility import grave_faults
from explore_page import lay_out, write_page
from playwright.sync_api import expect

from textseq import explore

ROOT = Path(__file__).parents[1]
DATA = {"neighbors": ROOT / "data/neighbors/neighbors.js", "headlines": ROOT / "data/classifier/model.js",
        "reading_gates": ROOT / "data/reading_gates/readers.js"}
OWN_TEXT = ROOT / "data/own_text/own_text.js"  # 按了“用样例”才取，不用先打开
WIDE, PHONE = (1280, 900, "light"), (390, 800, "dark")
ON_THE_PHONE = {"one_step", "reading_gates", "three_gates"}  # 平时手机上只走这几件，全部在 make test-full 里


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


def learn(piece):
    """训练，等它走完。"""
    piece.locator(".go").click()
    expect(piece.locator(".note")).to_contain_text("5 轮走完", timeout=60_000)


def look_up(word):
    def act(piece):
        put("textbox", "查哪个词", word)(piece)
        expect(piece.get_by_role("status").filter(has_text=f"“{word}”").first).to_be_visible()
        expect(piece.locator(".tour")).to_contain_text("看见了")
    return act


def use_sample(piece):
    press("用样例：课程的正文")(piece)
    expect(piece.locator(".excerpt")).to_be_visible()


ACTS = {
    "unrolled_loop": [[press("下一步", 3)], [slide("时间步", 17)], [slide("谱半径", 150)],
                      [slide("输入的大小", 20)], [slide("谱半径", 100)],
                      [put("textbox", "把第一个字换成", "男")], [slide("谱半径", 0)]],
    "three_gates": [
        [press("全记")], [press("全忘")],
        [press("f 全 1"), press("i 全 0"), bar("i，第 0 步", "1")],
        [press("o 全 1")], [press("o 全 0"), bar("o，第 8 步", "1")], [bar("f，第 5 步", "0")],
        [click("[data-gate=f] .when button"), click("[data-gate=f] .when button", 2)]],
    "neighbors": [[press("增加")], [slide("least 滑块", 50)],
                  [click("ol.near li:has-text('减少') button")], [press("摩托车")],
                  [put("textbox", "查哪个词", "人工智能")], [put("textbox", "类比的丙", "法国")]],
    "sliding_window": [[press("下一个", 2)], [choose("CBOW")], [press("下一个", 2)],
                       [choose("窗口大小 11")], [click("[data-key=dynamic] input")]],
    "vector_lab": [[press("走一步")], [press("训练")], [slide("K 滑块", 0), press("训练")],
                   [slide("K 滑块", 1), press("训练")], [press("换个起点"), press("训练")]],
    "one_step": [[press("走一步")], [slide("K 滑块", 0), press("走一步", 4), press("走一步")],
                 [slide("K 滑块", 10), press("走一步")], [press("走一步"), press("撤回")],
                 [slide("学习率", 200), press("走一步", 2), press("走一步")]],
    "own_text": [[use_sample, learn], [look_up("梯度")], [press("换个起点"), learn], [choose("按字")],
                 [look_up("火锅")]],
    "shape_blocks": [[slide("max_L 滑块", 6)], [click("[data-key=padding] label")],
                     [choose("最后一格")],
                     [click("[data-key=batch_first] input")], [click("[data-key=bidirectional] input")],
                     [slide("num_layers 滑块", 3)], [choose("RNN"), choose("GRU")]],
    "headlines": [[press("总决赛MVP奖杯被他拿来装麦片")], [put("textbox", "标题", "MVP奖杯被他拿来装麦片")],
                  [press("招生官只看30秒的奖学金申请信怎么写")], [put("textbox", "标题", "上涨房价北京")],
                  [put("textbox", "标题", "hello world")]],
    "reading_gates": [[slide("读到第几个字", 14)], [choose("轻轻一动（梯度）")], [press("两本书")],
                      [choose("LSTM f")], [choose("0")], [press("引号")]],
}


# ---- 走导览的工具 ----

@pytest.fixture
def book(site):
    """像建好的书那样的文件夹：数据在 _static/。给出写一页、返回网址的函数。"""
    folder, address = site
    lay_out(folder, *DATA.values(), OWN_TEXT)

    def write(*bodies, theme="light"):
        write_page(folder, *bodies, theme=theme, root="./")
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


def tap(button):
    """导览自己的按钮按了许多遍：不等它站稳，快一些；真按的在后面几个测试里。"""
    button.dispatch_event("click")


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
            assert step["act"] and step["at"] and step["show"] and step["done"] and step["seen"], name
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

SIZES = [pytest.param(name, size, id=f"{name}-{'wide' if size == WIDE else 'phone'}",
                      marks=[pytest.mark.full] if size == PHONE and name not in ON_THE_PHONE else [])
         for name in explore.names() for size in (WIDE, PHONE)]


@pytest.mark.parametrize("name, size", SIZES)
def test_every_tour_is_walked(watched, book, name, size):
    """宽屏全猜错，手机全猜对；动手之前没做到，最后一下之后才做到，说的话里有数、有对那个选项的话。"""
    width, height, theme = size
    address = book(explore.html(name), theme=theme)
    *steps, end = tour_of(watched, address, name)
    watched.set_viewport_size({"width": width, "height": height})
    watched.emulate_media(reduced_motion="reduce")  # 实验台不放动画，一下走完
    piece, tour, said = open_tour(watched, name)
    for n, (step, acts) in enumerate(zip(steps, ACTS[name], strict=True)):
        assert f"第 {n + 1} 步，共 {len(steps) + 1} 步" in said.text_content()
        sentence = ""
        if "ask" in step:
            assert step["ask"] in said.text_content() and piece.locator(".pointed").count() == 0
            wanted = size == PHONE
            label, sentence = next(option for option in step["options"] if is_right(option) == wanted)
            tap(tour.get_by_role("button", name=label, exact=True))
        for act in acts:
            assert f"动手 {step['act']}" in said.text_content().replace("各项都替你摆好了。", "")
            assert piece.locator(".pointed").count()
            act(piece)
        seen = said.text_content()
        assert "看见了" in seen and sentence in seen and not re.search("NaN|undefined|null", seen)
        assert piece.locator(".pointed").first.is_visible()
        tap(tour.get_by_role("button", name="下一步", exact=True))
    expect(said).to_contain_text(end["say"])
    assert watched.evaluate("document.documentElement.scrollWidth") <= width
    tour.get_by_role("button", name="走完了").click()
    expect(piece.get_by_role("button", name="带我走一遍")).to_be_focused()


def walk_to(tour, name, steps, piece):
    """走完前几步，停在第 steps + 1 步的开头。"""
    for acts in ACTS[name][:steps]:
        choices = tour.locator(".chips").first.get_by_role("button")
        if choices.count():
            choices.first.click()
        for act in acts:
            act(piece)
        tour.get_by_role("button", name="下一步", exact=True).click()


def test_a_reload_goes_on_where_it_was_left(watched, book):
    """记得走到第几步；两件各记各的；接着走时这一步重新摆好，从头再来回到第 1 步。"""
    address = book(explore.html("three_gates"), explore.html("one_step"))
    watched.goto(address)
    piece, tour, said = open_tour(watched, "three_gates")
    walk_to(tour, "three_gates", 2, piece)
    watched.reload()
    expect(watched.get_by_role("button", name="带我走一遍：6 步")).to_have_count(1)
    watched.get_by_role("button", name="接着走：第 3 步，共 8 步").click()
    expect(said).to_contain_text("第 3 步，共 8 步 动手 各项都替你摆好了。")
    expect(piece.get_by_role("slider", name="f，第 0 步")).to_have_attribute("aria-valuenow", "0")
    tour.get_by_role("button", name="从头再来").click()
    expect(said).to_contain_text("第 1 步，共 8 步")
    tour.get_by_role("button", name="收起").click()
    expect(piece.get_by_role("button", name="带我走一遍：8 步")).to_be_focused()
    expect(tour).to_be_hidden()
    expect(piece.locator(".pointed")).to_have_count(0)


@pytest.mark.parametrize("broken", ["localStorage.setItem('textseq/导览/滑动窗口', '九十九')",
    "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('禁止') } })"],
    ids=["strange", "forbidden"])
def test_storage_that_fails_breaks_nothing(watched, book, broken):
    address = book(explore.html("sliding_window"))
    watched.add_init_script(broken)
    watched.goto(address)
    piece, tour, said = open_tour(watched, "sliding_window")
    walk_to(tour, "sliding_window", 1, piece)
    expect(said).to_contain_text("第 2 步，共 6 步 先猜")
    tour.get_by_role("button", name="收起").click()
    piece.get_by_role("button", name="接着走：第 2 步，共 6 步").click()  # 这一页里还记得


def test_what_is_already_done_is_set_back_first(watched, book):
    """打开导览时已经做到了：先摆回去，说一声，再请他做；跳过、上一步都行。"""
    address = book(explore.html("shape_blocks", max_L=6))
    watched.goto(address)
    piece, tour, said = open_tour(watched, "shape_blocks")
    expect(said).to_contain_text("先猜 各项都替你摆好了。")
    expect(piece.get_by_role("slider", name="max_L")).to_have_value("12")
    tour.get_by_role("button", name="也被截短").click()
    expect(said).to_contain_text("动手")
    tour.get_by_role("button", name="跳过这步").click()
    expect(said).to_contain_text("第 2 步，共 8 步 动手 把")  # 本来就摆好了，不必说
    tour.get_by_role("button", name="上一步").click()
    expect(said).to_contain_text("第 1 步，共 8 步")
    expect(tour.get_by_role("button", name="跳过这步")).to_be_focused()  # 第 1 步没有上一步，焦点不丢
    slide("max_L 滑块", 6)(piece)  # 还没猜就先动手：猜了再说
    expect(said).to_contain_text("先猜")
    tour.get_by_role("button", name="也被截短").click()
    expect(said).to_contain_text("看见了")
    expect(tour.get_by_role("button", name="下一步", exact=True)).to_be_focused()


def test_keyboard_only(watched, book):
    """不碰鼠标走完前两步：Tab 到选项，指给我看就跳到控件，Esc 回到导览。"""
    address = book(explore.html("unrolled_loop"))
    watched.goto(address)
    piece = watched.locator("[data-explore=unrolled_loop]")
    piece.get_by_role("button", name="带我走一遍").focus()
    keys = watched.keyboard
    keys.press("Enter")
    tour = piece.get_by_role("group", name="导览")
    expect(tour).to_be_focused()
    assert tour.evaluate("""node =>
        node.getRootNode().getElementById(node.getAttribute("aria-describedby")).role""") == "status"
    keys.press("Tab")
    keys.press("Enter")  # 第一个选项
    for _ in range(5):
        keys.press("Tab")
        if tour.get_by_role("button", name="指给我看").evaluate("node => node.matches(':focus')"):
            break
    keys.press("Enter")
    expect(piece.get_by_role("button", name="上一步", exact=True).last).to_be_focused()
    keys.press("Tab")  # 滑块
    for _ in range(3):
        keys.press("ArrowRight")
    expect(tour.get_by_role("status")).to_contain_text("看见了")
    keys.press("Escape")
    expect(tour.get_by_role("button", name="下一步", exact=True)).to_be_focused()
    keys.press("Enter")
    expect(tour.get_by_role("status")).to_contain_text("第 2 步，共 8 步 先猜")
    keys.press("Escape")
    expect(tour.get_by_role("button", name="和刚读到时差不多")).to_be_focused()


def test_typed_markup_stays_text(watched, book):
    address = book(explore.html("neighbors"), explore.html("unrolled_loop"))
    watched.goto(address)
    piece, tour, said = open_tour(watched, "unrolled_loop")
    walk_to(tour, "unrolled_loop", 1, piece)
    tour.get_by_role("button", name="几乎不剩").click()
    piece.get_by_role("textbox", name="句子").fill("狗<b>x</b>")
    slide("时间步", 8)(piece)
    expect(said).to_contain_text("“>”自己的是")
    piece, tour, said = open_tour(watched, "neighbors")
    put("textbox", "查哪个词", "<b>x</b>")(piece)
    assert piece.locator("b", has_text="x").count() == 0


def test_panel_stays_in_sight_and_is_accessible(watched, book):
    """面板贴着屏幕上边，只占一小块；打开着也没有严重的无障碍问题。"""
    address = book(explore.html("shape_blocks"), theme="dark")
    watched.set_viewport_size({"width": 390, "height": 800})
    watched.goto(address)
    piece, tour, said = open_tour(watched, "shape_blocks")
    for _ in range(3):
        tour.get_by_role("button", name="跳过这步").click()
    tour.get_by_role("button", name="都变").click()
    tour.get_by_role("button", name="指给我看").click()
    panel, control = tour.bounding_box(), piece.locator(".pointed").bounding_box()
    assert 0 <= panel["y"] < 2 and panel["height"] < 240
    assert panel["y"] + panel["height"] < control["y"] and control["y"] + control["height"] < 800
    assert grave_faults(watched) == []
