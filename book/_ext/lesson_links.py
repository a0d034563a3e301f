"""教案里，引号里的节名、互动图的名字，做成链接，跳到那一章的那一节；各章开头“只有二十分钟”那一句也是。

节名可以只写开头，如“展开”指“展开：同一个网络用了许多次”；在本章的节名里要独一无二。
"""

import re

from docutils import nodes

from textseq import explore

PLANS = "book/teaching/"
PIECES = "book/explorables"
SHORT = "只有二十分钟"


def headings(env, page):
    """一页里各节的 {标题: 锚点}，不含页名。"""
    sections = env.get_doctree(page).findall(nodes.section)
    return {section.next_node(nodes.title).astext(): section["ids"][0] for section in sections
            if not isinstance(section.parent, nodes.document)}


def piece_headings(env):
    """互动图那一页的 {互动图的名字: 它那一节的锚点}。"""
    sections = [node for node in env.get_doctree(PIECES).findall(nodes.section)
                if not isinstance(node.parent, nodes.document)]
    return {explore.spec(name)["title"]: section["ids"][0] for section in sections for name in explore.names()
            if any(f'"name": "{name}"' in raw.astext() for raw in section.findall(nodes.raw))}


def find(name, found):
    """name 指的那一节的锚点；没有、或不止一节像它，返回 None。"""
    name = name.replace("‘", "“").replace("’", "”")
    if name in found:
        return found[name]
    alike = [anchor for title, anchor in found.items() if title.startswith(name)]
    return alike[0] if len(alike) == 1 and len(name) > 1 else None


def link_names(app, doctree, docname):
    if docname.startswith("notebooks/"):
        place = [(docname, headings(app.env, docname))]
        short = next(p for p in doctree.findall(nodes.paragraph) if p.astext().startswith(SHORT))
        for text in list(short.findall(nodes.Text)):
            replace(app.builder, docname, text, place)
    if not docname.startswith(PLANS):
        return
    env, number = app.env, docname.removeprefix(PLANS)
    page = next(page for page in env.found_docs if page.startswith(f"notebooks/{number}_"))
    places = [(page, headings(env, page)), (PIECES, piece_headings(env))]
    for text in [t for entry in doctree.findall(nodes.entry) for t in entry.findall(nodes.Text)]:
        replace(app.builder, docname, text, places)


def replace(builder, docname, text, places):
    """一段文字里的“节名”换成链接。"""
    if isinstance(text.parent, (nodes.reference, nodes.literal, nodes.math)):
        return
    made = []
    for part in re.split(r"(“[^“”]+”)", str(text)):
        target = next(((page, anchor) for page, found in places
                       if part.startswith("“") and (anchor := find(part[1:-1], found))), None)
        if target:
            uri = f"{builder.get_relative_uri(docname, target[0])}#{target[1]}"
            made.append(nodes.reference(part, part, refuri=uri, internal=True))
        elif part:
            made.append(nodes.Text(part))
    if any(isinstance(node, nodes.reference) for node in made):
        text.parent.replace(text, made)


def setup(app):
    app.connect("doctree-resolved", link_names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
