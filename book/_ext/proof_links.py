"""正文里量出来的数点得开：看得到印出它的那一行，跳得到那一格。出处在 book/proofs/，由 _kit/proofs.py 记。

数是一个 <a class="proof">：没有脚本时，就是跳过去的链接；有脚本时，点了先弹出那一行，见 _static/proofs.js。
一个公式里恰好一个数的，整个公式就是链接。（_kit/proofs.py 已叫 proofs，这里不能重名。）
"""

import json
import sys
from html import escape
from itertools import compress
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx.util import logging

sys.path.insert(0, str(Path(__file__).parents[1] / "_kit"))
from measured import PAGES, find, read  # noqa: E402
from proofs import JOIN, PLOT, heading_above, path_of, proof_in, stored  # noqa: E402

logger = logging.getLogger(__name__)
FEWEST = 10     # 数不到这么多的页，不在开头提
PLANS = "book/teaching/"
SKIPPED = (nodes.title, nodes.block_quote, nodes.literal, nodes.literal_block, nodes.reference, nodes.raw,
           nodes.comment, nodes.caption)
NOTE = ('<p class="proofs-note">这一页的 {} 个数都点得开，看得到它从哪里来。'
        '<button type="button" aria-pressed="false" hidden>看数的出处</button></p>')


class proof(nodes.inline):
    """正文里的一个数；refuri 是印出它的那一格，index 是它在这一页的说明里排第几。"""


def visit(writer, node):
    href = f' href="{escape(node["refuri"])}"' if node["refuri"] else ""
    writer.body.append(f'<a class="proof"{href} data-proof="{node["index"]}">')


def depart(writer, node):
    writer.body.append("</a>")


# --- 锚点 ---------------------------------------------------------------------------------

def mark_cells(app, doctree):
    """每个代码格一个锚点；账改了，这一页要重写。"""
    env = app.env
    if env.docname in PAGES:
        env.note_dependency(str(path_of(env.docname)))
    path = Path(env.doc2path(env.docname))
    if path.suffix == ".ipynb":
        cells = nbformat.read(path, as_version=4).cells
        for box in doctree.findall(nodes.container):
            if box.get("nb_element") == "cell_code":
                box["ids"].append(f"cell-{cells[box['cell_index']].id}")


# --- 正文里的数 ---------------------------------------------------------------------------

def is_prose(node):
    while node.parent is not None:
        node = node.parent
        if isinstance(node, SKIPPED) or node.get("nb_element", "").startswith("cell_"):
            return False
        if isinstance(node, (nodes.math, nodes.math_block)) or "sd-card" in node.get("classes", []):
            return False
        if isinstance(node, nodes.section) and node.next_node(nodes.title).astext() == "练习":
            return False
    return True


def numbers(doctree):
    """照读的次序，[(结点, [正则的匹配])]。"""
    wanted = (nodes.Text, nodes.math, nodes.math_block)
    parts = [node for node in doctree.findall(lambda n: isinstance(n, wanted)) if is_prose(node)]
    return [(node, found) for node in parts
            if (found := find(node.astext(), not isinstance(node, nodes.Text)))]


def link_numbers(app, doctree, docname):
    ledger = stored(docname) if docname in PAGES else []
    if app.builder.format != "html" or not ledger:
        return
    found = numbers(doctree)
    written = [match[0] for _, matches in found for match in matches]
    if written != [one["number"] for one in ledger]:
        at = next((k for k, one in enumerate(ledger) if written[k:k + 1] != [one["number"]]), len(ledger))
        logger.warning("%s 的第 %d 个数与账本不同：正文是 %s；请运行 python book/_kit/proofs.py",
                       docname, at + 1, written[at:at + 1])
        return
    shown, entries = [], iter(ledger)
    for node, matches in found:
        links = [made(app.builder, docname, next(entries), shown) for _ in matches]
        kept = [not (docname.startswith(PLANS) and is_name(node.astext(), match)) for match in matches]
        wrap(node, list(compress(matches, kept)), list(compress(links, kept)))
    doctree += nodes.raw("", pack(shown), format="html")
    if (total := len(list(doctree.findall(proof)))) >= FEWEST:
        title = doctree.next_node(nodes.title)
        note = nodes.raw("", NOTE.format(total), format="html")
        title.parent.insert(title.parent.index(title) + 1, note)


def is_name(text, match):
    """数在引号里：教案里引号括着的是节名，整个是一个链接，见 lesson_links。"""
    before = text[:match.start()]
    return before.count("“") > before.count("”")


def wrap(node, matches, links):
    """文字里的数各包一层；公式里只有一个数时，包整个公式。"""
    if isinstance(node, nodes.Text):
        text, pieces, start = str(node), [], 0
        for match, link in zip(matches, links, strict=True):
            link += nodes.Text(match[0])
            pieces += [nodes.Text(text[start:match.start()]), link]
            start = match.end()
        node.parent.replace(node, [piece for piece in [*pieces, nodes.Text(text[start:])] if piece.astext()])
    elif isinstance(node, nodes.math) and len(matches) == 1:
        link, = links
        node.parent.replace(node, link)
        link += node


def made(builder, docname, one, shown):
    """一条出处 → 链接的结点；说明放进 shown，同一句只放一次。"""
    words, uri = describe(one, docname), ""
    if where := one.get("cell") or one.get("code"):
        name, _, cell = where.partition("/")
        if name != "data":
            uri = f"{builder.get_relative_uri(docname, f'notebooks/{name}')}#cell-{cell}"
    if words not in shown:
        shown.append(words)
    return proof(refuri=uri, index=shown.index(words))


def describe(one, docname):
    """一条出处给人看的几句：[在哪里, 那一行, 其中那个数的起止, 算式]。"""
    line = one.get("line", "").replace(JOIN, "\n")
    found = None if "from" in one else proof_in(line, read(one["number"]))
    mark = list(found.span()) if found else [0, 0]
    where = one.get("cell") or one.get("code") or one.get("record") or ""
    if where.startswith("data/"):
        return [f"课程文件夹里的 {where}", line, mark, one.get("from", "")]
    if where:
        name, part = where.partition("/")[0], "代码" if "code" in one else "输出"
        if "cell" in one and (line.startswith("…") or PLOT.match(line)):
            part = "图，画的是这些数"
        chapter = "" if docname == f"notebooks/{name}" else f"第 {name[:2]} 章，"
        return [f"{chapter}“{heading_above(where)}”一节，这一格的{part}", line, mark, one.get("from", "")]
    if "test" in one:
        return ["测试每次重新算它", one["test"], mark, ""]
    if "from" in one:
        return ["算出来的", "", mark, one["from"]]
    return ["不是量出来的", one["definition"], mark, ""]


def pack(shown):
    text = json.dumps(shown, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="proofs">{text}</script>'


def setup(app):
    app.add_node(proof, html=(visit, depart))
    app.connect("doctree-read", mark_cells)
    app.connect("doctree-resolved", link_numbers, priority=400)   # 先于 lesson_links 加链接
    return {"parallel_read_safe": True, "parallel_write_safe": True}
