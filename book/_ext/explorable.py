"""`{explorable} 名字` 指令：把一个互动图放进书页，与 notebook 里的是同一段 HTML。"""

from docutils import nodes
from docutils.parsers.rst import Directive

from textseq import explore


class ExplorableDirective(Directive):
    required_arguments = 1

    def run(self):
        return [nodes.raw("", explore.html(self.arguments[0]), format="html")]


def setup(app):
    app.add_directive("explorable", ExplorableDirective)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
