"""`{explorable} 名字` 指令：把一个互动图放进书页，与 notebook 里的是同一段 HTML；写了 :later:，走近才画。"""

from docutils import nodes
from docutils.parsers.rst import Directive, directives

from textseq import explore


class ExplorableDirective(Directive):
    required_arguments = 1
    option_spec = {"later": directives.flag}

    def run(self):
        html = explore.html(self.arguments[0])
        return [nodes.raw("", f"<div data-later>{html}</div>" if "later" in self.options else html,
                          format="html")]


def setup(app):
    app.add_directive("explorable", ExplorableDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
