"""互动挂在哪里都能用：JupyterLab 与 VS Code 两种塞 HTML 的办法、各家的深色、真正的 anywidget。"""

import json
import re
from pathlib import Path

import pytest
from explore_page import lay_out, write_page
from playwright.sync_api import expect

from textseq import explore

ROOT = Path(__file__).parents[1]

# ---- 两种塞法 ----

INSERT = {
    # JupyterLab：每个 <script> 原地换成会运行的一份
    "原地": """([container, html]) => {
        container.innerHTML = html;
        for (const old of [...container.getElementsByTagName("script")]) {
            const script = document.createElement("script");
            script.text = old.textContent;
            old.replaceWith(script);
        }
    }""",
    # VS Code：extensions/notebook-renderers 的 domEval，逐个在容器末尾重造，运行完就摘掉，原来的还在
    "末尾": """([container, html]) => {
        container.innerHTML = html;
        for (const old of [...container.getElementsByTagName("script")]) {
            const script = document.createElement("script");
            script.text = old.innerText;
            container.appendChild(script).parentNode.removeChild(script);
        }
    }""",
    # 也是末尾重造，但不摘掉
    "末尾留着": """([container, html]) => {
        container.innerHTML = html;
        for (const old of [...container.getElementsByTagName("script")]) {
            const script = document.createElement("script");
            script.text = old.textContent;
            container.appendChild(script);
        }
    }""",
}


def insert(page, folder, way, *outputs, body=""):
    """一个输出一个容器，先后塞进去。"""
    write_page(folder, *(f'<div class="output" id="output-{n}"></div>' for n in range(len(outputs))), body,
               policy=False)
    page.goto((folder / "page.html").as_uri())
    for n, html in enumerate(outputs):
        container = page.locator(f"#output-{n}").element_handle()
        page.evaluate(INSERT[way], [container, html])


def shape(piece):
    return piece.locator("[data-tensor=x] .shape")


@pytest.mark.parametrize("way", INSERT)
def test_every_piece_mounts_and_works(watched, site, way):
    folder, _ = site
    insert(watched, folder, way, *map(explore.html, explore.names()))
    for name in explore.names():
        piece = watched.locator(f"[data-explore={name}]")
        expect(piece.get_by_role("heading", level=2)).to_have_text(explore.spec(name)["title"])
        expect(piece.get_by_text("运行上面的单元格")).to_have_count(0)
    piece = watched.locator("[data-explore=shape_blocks]")
    piece.get_by_label("batch_first").click()
    expect(shape(piece)).to_have_text("(T, B, D) = (12, 4, 50)")


@pytest.mark.parametrize("way", INSERT)
def test_outputs_in_one_container_find_their_own_hosts(watched, site, way):
    """一个容器里几个互动，有同名的：各挂各的，起始状态不串。"""
    folder, _ = site
    html = (explore.html("shape_blocks", max_L=7) + explore.html("one_step")
            + explore.html("shape_blocks", max_L=3) + "<p>完</p>" + explore.html("shape_blocks", max_L=5))
    insert(watched, folder, way, html, explore.html("shape_blocks", max_L=9))
    pieces = watched.locator("[data-explore=shape_blocks]")
    for n, length in enumerate((7, 3, 5, 9)):
        expect(shape(pieces.nth(n))).to_have_text(f"(B, T, D) = (4, {length}, 50)")
    expect(watched.locator("[data-explore=one_step] tfoot")).to_have_count(1)
    pieces.nth(1).get_by_label("batch_first").click()
    expect(shape(pieces.nth(1))).to_have_text("(T, B, D) = (3, 4, 50)")
    expect(shape(pieces.nth(2))).to_have_text("(B, T, D) = (4, 5, 50)")


@pytest.mark.parametrize("way", INSERT)
def test_a_host_whose_script_is_missing_is_left_alone(watched, site, way):
    """前面有个别的互动，脚本没有跟来（例如只拷了 HTML）：不占它的位置。"""
    folder, _ = site
    bare = explore.html("one_step").partition("<script>")[0]
    insert(watched, folder, way, bare + "<p>隔开</p>" + explore.html("shape_blocks"))
    expect(shape(watched.locator("[data-explore=shape_blocks]"))).to_have_text("(B, T, D) = (4, 12, 50)")
    expect(watched.locator("[data-explore=one_step]")).to_contain_text("运行上面的单元格")


@pytest.mark.parametrize("way", INSERT)
def test_running_the_cell_again_mounts_again(watched, site, way):
    folder, _ = site
    insert(watched, folder, way, explore.html("shape_blocks", max_L=7))
    piece = watched.locator("[data-explore=shape_blocks]")
    expect(shape(piece)).to_have_text("(B, T, D) = (4, 7, 50)")
    watched.evaluate(INSERT[way], [watched.locator("#output-0").element_handle(),
                                   explore.html("shape_blocks", max_L=8)])
    expect(shape(piece)).to_have_text("(B, T, D) = (4, 8, 50)")


# ---- 明暗 ----

LIGHT, DARK = "rgb(255, 255, 255)", "rgb(23, 27, 32)"


@pytest.mark.parametrize(("attributes", "paper"), [
    ({}, LIGHT),
    ({"class": "vscode-light"}, LIGHT),
    ({"class": "vscode-dark"}, DARK),
    ({"class": "vscode-high-contrast"}, DARK),
    ({"class": "vscode-high-contrast-light vscode-high-contrast"}, LIGHT),
    ({"data-jp-theme-light": "true"}, LIGHT),
    ({"data-jp-theme-light": "false"}, DARK),
])
def test_the_palette_follows_the_host(watched, site, attributes, paper):
    folder, _ = site
    write_page(folder, explore.html("one_step"))
    watched.goto((folder / "page.html").as_uri())
    form = watched.locator("[data-explore] form")
    expect(form).to_be_visible()
    watched.evaluate("""(attributes) => {
        for (const [key, value] of Object.entries(attributes)) document.body.setAttribute(key, value);
    }""", attributes)
    expect(form).to_have_css("background-color", paper)
    expect(form).to_have_css("color-scheme", "light" if paper == LIGHT else "dark")


# ---- anywidget ----

# 在页面的脚本之前运行：数还没收走的观察者、计时器、挂在 window 与 document 上的监听；
# Playwright 自己也用它们，所以只数从 Blob 模块里调用的
COUNT = """
globalThis.left = { observers: new Set(), timers: new Set(), listeners: new Set(), seen: 0 };
const note = (set, item) => {
    if (!new Error().stack.includes("blob:")) return;
    left.seen++;
    set.add(item);
};
for (const name of ["IntersectionObserver", "ResizeObserver", "MutationObserver"]) {
    const Plain = globalThis[name];
    globalThis[name] = class extends Plain {
        observe(...args) { note(left.observers, this); super.observe(...args); }
        disconnect() { left.observers.delete(this); super.disconnect(); }
    };
}
const pairs = [["setTimeout", "clearTimeout"], ["requestAnimationFrame", "cancelAnimationFrame"]];
for (const [set, clear] of pairs) {
    const [plainSet, plainClear] = [globalThis[set], globalThis[clear]];
    globalThis[set] = (run, ...rest) => {
        const id = plainSet((...args) => { left.timers.delete(`${set} ${id}`); run(...args); }, ...rest);
        note(left.timers, `${set} ${id}`);
        return id;
    };
    globalThis[clear] = (id) => { left.timers.delete(`${set} ${id}`); plainClear(id); };
}
const plainInterval = globalThis.setInterval;
globalThis.setInterval = (...args) => { note(left.timers, "setInterval"); return plainInterval(...args); };
for (const target of [window, document]) {
    const [add, remove] = [target.addEventListener.bind(target), target.removeEventListener.bind(target)];
    target.addEventListener = (...args) => { note(left.listeners, args[1]); add(...args); };
    target.removeEventListener = (...args) => { left.listeners.delete(args[1]); remove(...args); };
}
"""

# anywidget 那样的 model（Backbone 的语义），一份 Blob 导入模块；widget、model、el 留在页面上
ANYWIDGET = """async ([source, state]) => {
    globalThis.model = {
        state, saved: 0, listeners: [],
        get(key) { return this.state[key]; },
        set(key, value) {
            if (this.state[key] === value) return;
            this.state[key] = value;
            for (const name of [`change:${key}`, "change"]) {
                for (const [event, run] of [...this.listeners]) if (event === name) run();
            }
        },
        on(event, run) { this.listeners.push([event, run]); },
        off(event, run) {
            this.listeners = this.listeners.filter(([e, r]) => e !== event || (run && r !== run));
        },
        save_changes() { this.saved++; },
    };
    const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    globalThis.widget = (await import(url)).default;
    URL.revokeObjectURL(url);
    globalThis.el = document.querySelector("#view");
}"""

REMAINS = """() => ({
    listeners: model.listeners.length, observers: left.observers.size, timers: [...left.timers],
    global: left.listeners.size, nodes: el.childNodes.length,
    styles: document.head.querySelectorAll("style").length,
})"""
NOTHING = {"listeners": 0, "observers": 0, "timers": [], "global": 0, "nodes": 0, "styles": 0}


def open_widget(page, folder, name, **state):
    """像 anywidget 那样载入互动，还没有 render；取数据的互动也找得到数据。"""
    lay_out(folder, *(ROOT / path for path in (
        "data/neighbors/neighbors.js", "data/classifier/model.js", "data/reading_gates/readers.js",
        "data/own_text/own_text.js")))
    write_page(folder, '<div id="view"></div>', root="./", policy=False)
    file = folder / "page.html"
    page.add_init_script(COUNT)
    page.goto(file.as_uri())
    defaults = {key: rule["default"] for key, rule in explore.spec(name)["state"].items()}
    page.evaluate(ANYWIDGET, [explore.module(name), defaults | state])


def render(page):
    page.evaluate("async () => { globalThis.cleanup = await widget.render({ model, el }); }")


def clean_up(page):
    return page.evaluate(f"() => {{ cleanup(); return ({REMAINS})(); }}")


# 每个互动做一件会改状态、会排计时器的事
ACT = {
    "headlines": lambda view: (view.get_by_role("button", name="打开").click(),
                               view.get_by_role("textbox").fill("楼市")),
    "neighbors": lambda view: (view.get_by_role("button", name="打开").click(),
                               view.get_by_role("button", name="北京", exact=True).click()),
    "one_step": lambda view: view.get_by_role("button", name="重抽负样本").click(),
    "reading_gates": lambda view: (view.get_by_role("button", name="打开").click(),
                                   view.get_by_role("textbox").fill("看《边城》")),
    "own_text": lambda view: (view.get_by_role("textbox", name="文本").fill("甲乙丙丁" * 600),
                              view.get_by_role("button", name="换个起点").click(),
                              view.locator(".go").click()),
    "shape_blocks": lambda view: view.get_by_label("batch_first").click(),
    "sliding_window": lambda view: view.get_by_role("button", name="下一个").click(),
    "three_gates": lambda view: view.get_by_role("button", name="全记").click(),
    "unrolled_loop": lambda view: view.get_by_role("button", name="上一步").click(),
    "vector_lab": lambda view: (view.get_by_role("button", name="换个起点").click(),
                                view.get_by_role("button", name="训练").click()),
}


@pytest.mark.parametrize("widget", explore.names())
def test_a_true_anywidget_leaves_nothing_behind(watched, site, widget):
    folder, _ = site
    open_widget(watched, folder, widget)
    view = watched.locator("#view")
    assert watched.evaluate(REMAINS) == NOTHING
    texts = []
    for _ in range(2):  # 拆掉以后再 render 一遍，照样能用
        render(watched)
        before = watched.evaluate("model.saved")
        assert watched.evaluate("model.listeners.length") > 0
        ACT[widget](view)
        assert watched.evaluate("model.saved") > before
        texts.append(view.get_by_role("heading").all_text_contents())
        assert clean_up(watched) == NOTHING
    # 真的数得到
    assert (watched.evaluate("left.seen") > 0) == (widget in ("headlines", "own_text", "vector_lab"))
    assert texts[0] == texts[1] and texts[0][0] == explore.spec(widget)["title"]
    watched.evaluate("(keys) => keys.forEach((key) => model.set(key, model.get(key)))",
                     list(explore.spec(widget)["state"]))
    watched.wait_for_timeout(100)
    assert watched.evaluate(REMAINS) == NOTHING


def test_two_views_of_one_model_follow_each_other(watched, site):
    """anywidget 的一个 model 可以有几个 view；Python 那边改了状态，控件也跟着变。"""
    folder, _ = site
    open_widget(watched, folder, "shape_blocks")
    watched.evaluate("""async () => {
        for (let n = 0; n < 2; n++) el.append(document.createElement("div"));
        globalThis.cleanups = [];
        for (const view of el.children) cleanups.push(await widget.render({ model, el: view }));
    }""")
    first, second = (watched.locator("#view > div").nth(n) for n in range(2))
    first.get_by_label("batch_first").click()
    expect(shape(second)).to_have_text("(T, B, D) = (12, 4, 50)")
    expect(second.get_by_label("batch_first")).not_to_be_checked()
    watched.evaluate("() => { model.set('cell', 'GRU'); model.set('sentences', '甲 乙'); }")
    expect(first.get_by_role("radio", name="GRU")).to_be_checked()
    expect(second.get_by_role("textbox")).to_have_value("甲 乙")
    half = watched.evaluate("() => { cleanups[0](); return model.listeners.length; }")
    second.get_by_label("batch_first").click()
    expect(shape(second)).to_have_text("(B, T, D) = (4, 12, 50)")
    assert half > 0 and watched.evaluate("() => { cleanups[1](); return model.listeners.length; }") == 0


@pytest.mark.parametrize("name", ["headlines", "neighbors"])
def test_cleaned_up_while_the_data_is_loading(watched, site, name):
    folder, _ = site
    open_widget(watched, folder, name)
    render(watched)
    watched.evaluate("""() => {
        el.querySelector(".textseq-explore").shadowRoot.querySelector(".open button").click();
        cleanup();
    }""")
    watched.wait_for_function(f"globalThis.textseq{name.capitalize()}")
    watched.wait_for_timeout(200)
    assert watched.evaluate(REMAINS) == NOTHING
    assert watched.evaluate("document.head.querySelectorAll('script').length") == 0
    assert watched.evaluate("left.seen") == 0  # 迟到的数据不再动手算


def test_cleaned_up_while_the_weights_are_computed(watched, site):
    """标题分类器的权重分几段算；算到一半拆掉，后面的几段不再算。"""
    folder, _ = site
    open_widget(watched, folder, "headlines", headline="楼市" * 20)
    render(watched)
    watched.get_by_role("button", name="打开").click()
    expect(watched.locator(".units li")).to_have_count(40)
    remains = watched.evaluate(f"""() => {{
        model.set("headline", "股市".repeat(20));
        const waiting = left.timers.size;
        cleanup();
        return [waiting, ({REMAINS})()];
    }}""")
    assert remains == [1, NOTHING]


@pytest.mark.parametrize("name", explore.names())
def test_the_module_stands_alone(name):
    """一份文本，不再 import 别的文件；HTML 里用的就是它。"""
    text = explore.module(name)
    assert not re.search(r"^\s*import\b|\bfrom ['\"]\.|import\(", text, re.M)
    assert text.count("export default") == 1
    assert json.dumps(text, ensure_ascii=False).replace("<", "\\u003c") in explore.html(name)
    assert explore.module(name) == text
    for css in ("_palette", "_base", name):
        content = (Path(explore.__file__).parent / f"explorables/{css}.css").read_text(encoding="utf-8")
        assert json.dumps(content, ensure_ascii=False).strip("\"") in text


def test_unknown_modules_are_refused():
    with pytest.raises(ValueError, match="没有名叫 '_kit' 的互动"):
        explore.module("_kit")
