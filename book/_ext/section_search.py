"""站内搜索：全书每一节的文字写进 _static/search_sections.js，由 _static/search.js 在浏览器里逐节打分。

Sphinx 自己的搜索只找得到页；一章两万像素高，读者要的是那一节。文字随页面一起带着，
所以双击打开的一份也能搜，也有摘要。
"""

import json
from pathlib import Path

from docutils import nodes

GLOSSARY = Path(__file__).parents[1] / "glossary.md"
HIDDEN = {"cell_output", "tag_hide-input", "tag_hide-cell", "tag_remove-cell", "tag_remove-input"}


def aliases(meaning):
    return [name for name in meaning.partition("又叫")[2].strip().split("、") if name]


def glossary_terms(path=GLOSSARY):
    """术语表的各行：[(中文, English, 一句话, [别名, …]), …]；别名写在句末：“……；又叫甲、乙”。"""
    lines = path.read_text(encoding="utf-8").splitlines()
    rows = ([cell.strip() for cell in line.strip("| ").split("|")] for line in lines if line.startswith("|"))
    return [(chinese, english, meaning, aliases(meaning)) for chinese, english, meaning in rows
            if chinese != "中文" and not set(chinese) <= set(":- ")]


def own_text(section):
    """一节自己的 (文字, 代码)，各是一串；下级的节、输出、收起的代码不算。"""
    found = {True: [], False: []}

    def walk(node, in_code):
        if isinstance(node, nodes.Text):
            found[in_code].append(str(node))
        elif not isinstance(node, (nodes.section, nodes.raw, nodes.comment, nodes.math_block)):
            if not HIDDEN.intersection(node.get("classes", [])):
                for child in node.children:
                    walk(child, in_code or isinstance(node, nodes.literal_block))
                if not isinstance(node, nodes.Inline):   # 段、格、项之间断开
                    found[in_code].append(" ")

    for child in section.children:
        if not isinstance(child, nodes.title):
            walk(child, False)
    return tuple(" ".join("".join(found[code]).split()) for code in (False, True))


def sections(env):
    """[(页的编号, 锚点, 节名, 文字, 代码), …]；一页的第一节锚点为空，从页首读起。"""
    for number, page in enumerate(pages(env)):
        for section in env.get_doctree(page).findall(nodes.section):
            is_page = isinstance(section.parent, nodes.document)
            title = section.next_node(nodes.title)
            yield number, "" if is_page else section["ids"][0], title.astext(), *own_text(section)


def pages(env):
    """书里的各页，按目录的次序；术语表不在内，它的每个词另列在 terms 里。"""
    from_toc = [str(page) for page in env.toctree_includes.get(env.config.root_doc, [])]
    return [env.config.root_doc, *(page for page in from_toc if page != "book/glossary")]


def turn_off_sphinx_search(app):
    app.builder.search = False


def add_page(app):
    yield "search", {}, "search.html"


def write(app, error):
    if error is None and app.builder.format == "html":
        book = {
            "pages": [[page, app.env.titles[page].astext()] for page in pages(app.env)],
            "sections": list(sections(app.env)),
            "terms": glossary_terms(),
        }
        data = json.dumps(book, ensure_ascii=False, separators=(",", ":")).replace("</", "<\\/")
        Path(app.outdir, "_static/search_sections.js").write_text(f"const BOOK = {data};\n", encoding="utf-8")


def setup(app):
    app.connect("builder-inited", turn_off_sphinx_search)
    app.connect("html-collect-pages", add_page)
    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
