"""建书扩展里不必建书就能查的部分。"""

import sys
from pathlib import Path

import pytest
from docutils import nodes, utils

sys.path.insert(0, str(Path(__file__).parents[1] / "book/_ext"))
import figure_alt  # noqa: E402
import stacked_table  # noqa: E402
from formulas import keep_punctuation  # noqa: E402
from search_zh import GlossarySearch, glossary_terms  # noqa: E402


@pytest.mark.parametrize(
    "text, alt", [("图：句长分布\n<Axes>", "句长分布"), ("<Figure size 640x480>", None), ("", None)]
)
def test_alt_comes_from_the_output(caplog, text, alt):
    """有“图：…”的输出得到替代文字，没有的记一条警告（-W 使它成为错误）。"""
    image = nodes.image(uri="figure.png")
    bundle = nodes.container(nb_element="mime_bundle")
    bundle += nodes.container("", image, mime_type="image/png")
    bundle += nodes.container("", nodes.literal_block(text, text), mime_type="text/plain")
    doctree = utils.new_document("page")
    doctree += bundle
    figure_alt.set_alt(None, doctree)
    assert image.get("alt") == alt
    assert ("图缺少替代文字" in caplog.text) == (alt is None)


@pytest.mark.parametrize(
    "after, kept, rest", [("。下一句", "。", "下一句"), ("）", "）", ""), (" 是隐状态", None, " 是隐状态")]
)
def test_punctuation_stays_with_its_formula(after, kept, rest):
    sentence = nodes.paragraph("", "", nodes.math("", "h_t"), nodes.Text(after))
    keep_punctuation(sentence)
    box = sentence[0]
    assert (box[1] if isinstance(box, nodes.inline) else None) == kept
    assert sentence[1] == rest


def test_glossary_rows_are_read(tmp_path):
    page = tmp_path / "glossary.md"
    page.write_text("# 术语\n\n| 中文 | English | 一句话 |\n|:--|---|---|\n| 轮 | epoch | 一遍 |\n", "utf-8")
    assert glossary_terms(page) == [("轮", "epoch")]


def test_index_keeps_terms_whole(capfd):
    """术语不被拆散，单字只收术语，jieba 不出声。"""
    search = GlossarySearch({})
    assert {"词向量", "Embedding"} <= set(search.split("词向量 Embedding"))
    assert [w for w in ("的", "，", "……", "词向量", "x") if search.word_filter(w)] == ["词向量"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("last, classes", [("怎样才会推翻它", ["stacked"]), ("接着问", [])])
def test_only_tables_of_sentences_are_stacked(last, classes):
    doctree = utils.new_document("page")
    entries = [nodes.entry("", nodes.paragraph("", name)) for name in ("原话", last)]
    table = nodes.table("", nodes.tgroup("", nodes.thead("", nodes.row("", *entries))))
    doctree += table
    stacked_table.stack(None, doctree)
    assert table["classes"] == classes
