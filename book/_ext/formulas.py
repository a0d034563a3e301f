"""公式在建书时换成 MathML，浏览器自己排：页面不为公式运行脚本，读屏软件直接读。

字体在 _static/math_font/。排不了 MathML 的浏览器（如 Chrome 108 及更早的），
由 book.js 载入 MathJax 代排，只取用得着的部件，不整包复制（24 MB）。公式后的标点不落到下一行行首。
"""

from html import escape
from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.fileutil import copy_asset

logger = logging.getLogger(__name__)
converter = LatexToMathML()

# 包名带连字符，不能 import，只取它的位置
SOURCE = Path(find_spec("sphinx-mathjax-offline").submodule_search_locations[0], "static/mathjax")
PARTS = ["startup.js", "core.js", "input/mml.js", "output/chtml.js", "output/chtml/fonts"]

CLOSING = tuple("，。、；：？！）》”")


def keep_punctuation(tree):
    """把行内公式和紧跟的标点放进一个不折行的盒子：浏览器不知道公式后面不该断行。"""
    for formula in list(tree.findall(nodes.math)):
        after = formula.next_node(descend=False, siblings=True)
        if isinstance(after, nodes.Text) and after.startswith(CLOSING):
            parent, at = formula.parent, formula.parent.index(formula)
            box = nodes.inline("", "", formula, nodes.Text(after[0]), classes=["keep"])
            parent[at:at + 2] = [box, nodes.Text(after[1:])]


class KeepPunctuation(SphinxPostTransform):
    default_priority = 900

    def run(self, **kwargs):
        keep_punctuation(self.document)


def to_mathml(tex, block):
    """TeX → MathML；block 是单独一行的。写法不认识 LatexError。"""
    written = converter.convert_with_local_state(tex, displaystyle=block)
    return written.replace(' accent="true"', "")       # 有它，浏览器把帽子和横线压到字母上


def mathml(formula):
    """一个公式结点的 MathML；写法不认识时记一条警告，公式照 TeX 原样放着。"""
    tex = formula.astext()
    try:
        return to_mathml(tex, isinstance(formula, nodes.math_block))
    except LatexError as error:
        logger.warning("公式 %s 换不成 MathML：%s", tex, error, location=formula)
        return f"<code>{escape(tex)}</code>"


def write_inline(writer, formula):
    writer.body.append(f'<span class="math">{mathml(formula)}</span>')
    raise nodes.SkipNode


def write_block(writer, formula):
    writer.body.append(f'<div class="math">{mathml(formula)}</div>\n')
    raise nodes.SkipNode


def copy_parts(app, exception):
    if exception is None and app.builder.format == "html":
        for part in PARTS:
            target = Path(app.outdir, "_static/mathjax", part)
            folder = target if (SOURCE / part).is_dir() else target.parent
            copy_asset(str(SOURCE / part), str(folder))


def setup(app):
    app.add_post_transform(KeepPunctuation)
    app.add_html_math_renderer("mathml", (write_inline, None), (write_block, None))
    app.connect("build-finished", copy_parts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
