"""互动的测试共用：写一张最小的网页，在浏览器里调用互动的纯函数，查无障碍。"""

from accessibility import grave_faults


def write_page(folder, *bodies, theme="light"):
    (folder / "page.html").write_text(
        f'<!doctype html><html lang="zh" data-theme="{theme}"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
        f"<title>互动</title><body><main><h1>互动</h1>{''.join(bodies)}</main></body></html>",
        encoding="utf-8")


def call_piece(page, address, piece, states, *functions):
    """在浏览器里以 ES 模块导入一个互动，对每组状态调用这几个纯函数。"""
    page.goto(f"{address}/page.html")
    return page.evaluate("""async ([piece, states, functions]) => {
        const module = await import(`/explorables/${piece}.js`);
        return states.map((state) => functions.map((name) => module[name](state)));
    }""", [piece, states, list(functions)])


def assert_accessible_and_narrow(page, folder, operate):
    """390 px 宽的屏幕上打开并操作一下：不横向滚动，没有严重的无障碍问题。"""
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto((folder / "page.html").as_uri())
    operate(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert grave_faults(page) == []
