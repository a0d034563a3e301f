"""互动的测试共用：写一张最小的网页，在浏览器里调用互动的纯函数，查无障碍。"""

import shutil

from accessibility import grave_faults
from content_policy import with_policy


def write_page(folder, *bodies, theme="light", root=None, policy=True):
    """写 page.html。root 写在 <html> 上，建好的书的各页都有；policy 是书里的内容安全策略，别的宿主没有。"""
    content_root = "" if root is None else f' data-content_root="{root}"'
    page = (f'<!doctype html><html lang="zh" data-theme="{theme}"{content_root}><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">'
            f"<title>互动</title><body><main><h1>互动</h1>{''.join(bodies)}</main></body></html>")
    (folder / "page.html").write_text(with_policy(page) if policy else page, encoding="utf-8")


def lay_out(folder, *data):
    """像建好的书那样，数据放在 _static/。"""
    (folder / "_static").mkdir(exist_ok=True)
    for file in data:
        shutil.copy(file, folder / "_static")


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
