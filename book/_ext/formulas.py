"""公式由本站提供，只放在有公式的页上，公式后的标点不落到下一行行首。

MathJax 只取用得着的部件（约 0.75 MB），不整包复制（24 MB）；不取菜单部件，它的文字全是英文。
读屏软件读 assistive-mml 给出的 MathML。
"""

from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.fileutil import copy_asset

# 包名带连字符，不能 import，只取它的位置
SOURCE = Path(find_spec("sphinx-mathjax-offline").submodule_search_locations[0], "static/mathjax")
PARTS = [
    "startup.js",
    "core.js",
    "input/tex.js",
    "input/tex/extensions",
    "output/chtml.js",
    "output/chtml/fonts",
    "a11y/assistive-mml.js",
]

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


def configure(app, config):
    config.mathjax_path = "mathjax/startup.js"
    mathjax = config.mathjax3_config or {}
    mathjax["loader"] = {"load": ["input/tex", "output/chtml", "a11y/assistive-mml"]}
    mathjax["startup"] = {"typeset": False}   # book.js 分批排
    config.mathjax3_config = mathjax


def drop_where_unused(app, pagename, templatename, context, doctree):
    """Sphinx 把下级页的公式也算在目录页头上；正文没有公式的页不必载入。"""
    if 'class="math ' not in context.get("body", ""):
        context["script_files"][:] = [
            script
            for script in context["script_files"]
            if "MathJax" not in script.attributes.get("body", "")
            and "mathjax/" not in str(script.filename)
        ]


def copy_parts(app, exception):
    if exception is None and app.builder.format == "html":
        for part in PARTS:
            target = Path(app.outdir, "_static/mathjax", part)
            folder = target if (SOURCE / part).is_dir() else target.parent
            copy_asset(str(SOURCE / part), str(folder))


def setup(app):
    app.add_post_transform(KeepPunctuation)
    app.connect("config-inited", configure)
    app.connect("html-page-context", drop_where_unused, priority=900)
    app.connect("build-finished", copy_parts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
