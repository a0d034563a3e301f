"""手机上放不下的文字表，一行叠成一块：每格前面写一个短名（表头收起）。

只管最后一列是“怎样才会推翻它”的表（笔记的话、各章的常见误解），四列都是句子；数字的表照旧左右滚动。
样式在 book.css 的 .stacked。
"""

from docutils import nodes

LAST = "怎样才会推翻它"


def stack(app, doctree):
    for table in doctree.findall(nodes.table):
        head = next(table.findall(nodes.thead), None)
        names = [entry.astext() for entry in head.findall(nodes.entry)] if head else []
        if names and names[-1] == LAST:
            table["classes"].append("stacked")


def setup(app):
    app.connect("doctree-read", stack)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
