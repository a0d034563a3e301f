"""十一份样式表合成一份，只留用得着的规则：主题带着整套 Bootstrap 与一千多个图标，390 kB 里九成用不上。
一页要等样式表到齐才画得出来，少取十次，手机上早半秒。

一条规则里的类名，要是在各页的 HTML 和脚本里都没有出现过，就用不着。类名按词找，脚本里拼出来的也在内：
脚本里有的词都算出现过。
"""

import re
from pathlib import Path
from zlib import crc32

# 打印用的那一份另有 media，不合
LINK = re.compile(r'<link (?:rel="stylesheet" type="text/css" )?href="([^"?{]*_static/)([^"?]+\.css)[^"]*"'
                  r'(?: rel="stylesheet")? />\n?')
WORD = re.compile(r"-?[A-Za-z_][\w-]*")   # 头上的短横：终端颜色的类叫 -Color
CLASS = re.compile(r"\.((?:-?[A-Za-z_]|\\.)(?:[\w-]|\\.)*)")
NESTED = ("@media", "@supports", "@layer", "@container")


def rules(css):
    """样式表 → [(选择器或 @ 规则, 花括号里的内容)]；没有花括号的 @import 之类，内容是 None。"""
    css = re.sub(r"/\*(?!!).*?\*/|/\*!.*?\*/", "", css, flags=re.S)
    found, start, at, depth = [], 0, 0, 0
    for brace in re.finditer(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])*\'|url\([^)"\']*\)|[{};]', css):
        mark = brace[0]
        if mark == "{":
            if depth == 0:
                head, at = css[start:brace.start()].strip(), brace.end()
            depth += 1
        elif mark == "}":
            depth -= 1
            if depth == 0:
                found.append((head, css[at:brace.start()]))
                start = brace.end()
        elif mark == ";" and depth == 0:
            found.append((css[start:brace.start()].strip(), None))
            start = brace.end()
    return found


def split_selectors(head):
    """按最外层的逗号分开。"""
    parts, depth = [""], 0
    for letter in head:
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    return parts


def trim(css, words):
    """去掉类名不在 words 里的规则。"""
    kept = []
    for head, body in rules(css):
        if body is None:
            kept.append(f"{head};")
        elif head.startswith(NESTED):
            if inner := trim(body, words):
                kept.append(f"{head}{{{inner}}}")
        elif head.startswith("@"):
            kept.append(f"{head}{{{body}}}")
        else:
            alive = [s for s in split_selectors(head) if is_used(s, words)]
            if alive:
                kept.append(f"{','.join(alive)}{{{body}}}")
    return "".join(kept)


def is_used(selector, words):
    plain = re.sub(r":(?:not|is|where)\([^)]*\)", "", selector)   # 括号里的类名可以没有
    return all(name.replace("\\", "") in words for name in CLASS.findall(plain))


def words_of(folder):
    """各页与脚本里出现过的词；MathJax、浏览器里的 Python、搜索的正文里没有类名，不看。"""
    skipped = {"mathjax", "python", "fontawesome.js", "search_sections.js"}
    files = [p for p in folder.rglob("*")
             if p.suffix in (".html", ".js") and not skipped.intersection(p.relative_to(folder).parts)]
    return set().union(*(WORD.findall(p.read_text(encoding="utf-8", errors="ignore")) for p in files))


def join(folder, names):
    """照次序接成一份，放在 _static/ 里：@import 的就地展开，地址都从 _static/ 算起。"""
    text = "".join((folder / name).read_text(encoding="utf-8") for name in names)
    text = re.sub(r'@import "\.\./([^"]+)";', lambda m: (folder / m[1]).read_text(encoding="utf-8"), text)
    return text.replace('@charset "UTF-8";', "").replace("url(../", "url(")


def write(app, error):
    if error is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir)
    pages = {path: path.read_text(encoding="utf-8") for path in folder.rglob("*.html")}
    linked = {path: tuple(name for _, name in LINK.findall(text)) for path, text in pages.items()}
    names = linked[folder / f"{app.config.root_doc}.html"]
    css = trim(join(folder / "_static", names), words_of(folder))
    (folder / "_static/site.css").write_text(css, encoding="utf-8")
    for path in (path for path in pages if linked[path] == names):
        root = LINK.search(pages[path])[1]
        link = f'<link href="{root}site.css?v={crc32(css.encode()):08x}" rel="stylesheet" />\n'
        first, *rest = LINK.split(pages[path])[::3]     # 每处链接带两个捕获组
        path.write_text(first + link + "".join(rest), encoding="utf-8")


def setup(app):
    app.connect("build-finished", write, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
