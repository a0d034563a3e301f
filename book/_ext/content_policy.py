"""内容安全策略（Content-Security-Policy）：每页开头写明，脚本、图、字体、请求只许来自这本书自己。

页里写着的脚本，各按内容的 SHA-256 放行，改一个字就不运行；写在属性里的事件（onclick=）一概不运行，
所以主题的两个按钮由 book.js 接手。互动的模块与后台是页里当场造的，放行 blob: 与 data:；浏览器里的
Python 是 wasm。样式放行写在页里的：表格的对齐、互动的样式表都是。双击打开的书，Chromium 把 'self'
当作 file:，别的浏览器不一定，所以再写一个 file:；从网上打开的页本来就取不到 file:。
"""

import base64
import hashlib
import re
from pathlib import Path

POLICY = {
    "default-src": "'none'",
    "script-src": "'self' file: blob: 'wasm-unsafe-eval'",
    "worker-src": "blob: data:",
    "style-src": "'self' file: 'unsafe-inline'",
    "img-src": "'self' file: data: blob:",
    "font-src": "'self' file:",
    "connect-src": "'self'",
    "form-action": "'self' file:",
    "base-uri": "'none'",
}
INLINE = re.compile(r"<script(?![^>]*\bsrc=)([^>]*)>(.*?)</script>", re.S)
META = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>\n?')
HEAD = re.compile(r"<meta charset=[^>]*>\n?")


def hashes(page):
    """页里会运行的脚本，各一个 'sha256-…'；JSON 只是数据，不用。"""
    scripts = {text for attributes, text in INLINE.findall(page) if "application/json" not in attributes}
    digests = sorted(hashlib.sha256(text.encode()).digest() for text in scripts)
    return [f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests]


def with_policy(page):
    """策略写在 charset 之后、别的一切之前；已有的换掉。没有 <head> 的（转到首页的那一页）写在最前面。"""
    page = META.sub("", page)
    rules = POLICY | {"script-src": " ".join([POLICY["script-src"], *hashes(page)])}
    text = "; ".join(f"{name} {sources}" for name, sources in rules.items())
    meta = f'<meta http-equiv="Content-Security-Policy" content="{text}">\n'
    found = HEAD.search(page)
    return page[:found.end()] + meta + page[found.end():] if found else meta + page


def write(app, error):
    if error is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    for path in folder.rglob("*.html"):
        if "_static" not in path.relative_to(folder).parts:   # 那里的是主题的零件，不是页
            path.write_text(with_policy(path.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app):
    app.connect("build-finished", write, priority=950)   # 等各页都改完
    return {"parallel_read_safe": True, "parallel_write_safe": True}
