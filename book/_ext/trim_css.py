"""主题的样式表只留用得着的规则：它带着整套 Bootstrap 与一千多个图标，390 kB 里九成用不上。

一条规则里的类名，要是在各页的 HTML 和脚本里都没有出现过，就用不着。类名按词找，脚本里拼出来的也在内：
脚本里有的词都算出现过。
"""

import re
from pathlib import Path

SHEETS = ("styles/pydata-sphinx-theme.css", "styles/sphinx-book-theme.css", "sphinx-design.min.css")
WORD = re.compile(r"[A-Za-z_][\w-]*")
CLASS = re.compile(r"\.((?:[A-Za-z_]|\\.)(?:[\w-]|\\.)*)")
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
    plain = re.sub(r":not\([^)]*\)", "", selector)      # :not(.x) 里的类名可以没有
    return all(name.replace("\\", "") in words for name in CLASS.findall(plain))


def words_of(folder):
    """各页与脚本里出现过的词；MathJax、浏览器里的 Python、搜索的正文里没有类名，不看。"""
    skipped = {"mathjax", "python", "fontawesome.js", "search_sections.js"}
    files = [p for p in folder.rglob("*")
             if p.suffix in (".html", ".js") and not skipped.intersection(p.relative_to(folder).parts)]
    return set().union(*(WORD.findall(p.read_text(encoding="utf-8", errors="ignore")) for p in files))


def write(app, error):
    if error is None and app.builder.format == "html":
        words = words_of(Path(app.outdir))
        for name in SHEETS:
            sheet = Path(app.outdir, "_static", name)
            sheet.write_text(trim(sheet.read_text(encoding="utf-8"), words), encoding="utf-8")


def setup(app):
    app.connect("build-finished", write, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
