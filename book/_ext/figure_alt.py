"""给 notebook 里的每幅图一段中文替代文字。

图的输出旁边存有一行 `图：<标题>`（由 textseq.figures 写下）；标题就是替代文字。
没有这一行的图会引起建书警告，测试以 -W 建书，于是漏写的图过不了测试。
"""

from docutils import nodes
from sphinx.util import logging

PREFIX = "图："
logger = logging.getLogger(__name__)


def outputs_with_image(doctree):
    """逐个给出含图的输出：(图节点, 同一输出的纯文本)。"""
    for bundle in doctree.findall(nodes.container):
        if bundle.get("nb_element") != "mime_bundle":
            continue
        parts = {part["mime_type"]: part for part in bundle.children}
        for image in (i for part in parts.values() for i in part.findall(nodes.image)):
            text = parts.get("text/plain")
            yield image, text.astext() if text is not None else ""


def set_alt(app, doctree):
    for image, text in outputs_with_image(doctree):
        first, _, _ = text.strip().partition("\n")
        if first.startswith(PREFIX) and first != PREFIX:
            image["alt"] = first.removeprefix(PREFIX)
        else:
            logger.warning("图缺少替代文字：输出的纯文本应以“%s”开头，收到 %r",
                           PREFIX, first, location=image)


def setup(app):
    app.connect("doctree-read", set_alt)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
