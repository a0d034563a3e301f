"""建书扩展里不必建书就能查的部分。"""

import re
import struct
import subprocess
import zipfile
from pathlib import Path
from types import SimpleNamespace

import course_zip
import figure_alt
import formulas
import one_stylesheet
import pytest
import stacked_table
import theme_zh
from docutils import nodes, utils
from section_search import glossary_terms, own_text


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
    formulas.keep_punctuation(sentence)
    box = sentence[0]
    assert (box[1] if isinstance(box, nodes.inline) else None) == kept
    assert sentence[1] == rest


@pytest.mark.parametrize("tex, has, said", [
    (r"\sigma(-x)", "<mi>σ</mi>", ""), (r"\begin{aligned}a&=b\\c&=d\end{aligned}", "<mtable", ""),
    (r"\nosuch{a}<b", "<code>\\nosuch{a}&lt;b</code>", "换不成 MathML"),
])
def test_a_formula_becomes_mathml(tex, has, said, caplog):
    written = formulas.mathml(nodes.math_block(tex, tex))
    assert has in written and (said in caplog.text if said else not caplog.text)


def test_stylesheets_are_joined(tmp_path):
    (tmp_path / "styles").mkdir()
    for name, css in (("basic.css", "p{x:1}"), ("styles/a.css", '@import "../basic.css";a{u:url(../f.woff)}'),
                      ("b.css", '@charset "UTF-8";b{u:url(g.svg)}')):
        (tmp_path / name).write_text(css, "utf-8")
    joined = one_stylesheet.join(tmp_path, ("styles/a.css", "b.css"))
    assert joined == "p{x:1}a{u:url(f.woff)}b{u:url(g.svg)}"


def test_glossary_rows_are_read(tmp_path):
    page = tmp_path / "glossary.md"
    page.write_text("# 术语\n\n| 中文 | English | 一句话 |\n|:--|---|---|\n"
                    "| 轮 | epoch | 一遍；又叫回、趟 |\n| 门 | gate | 开关 |\n", "utf-8")
    assert glossary_terms(page) == [
        ("轮", "epoch", "一遍；又叫回、趟", ["回", "趟"]), ("门", "gate", "开关", [])]


def test_a_section_owns_only_what_it_shows():
    """下级的节、输出、收起的代码不算；代码与文字分开。"""
    deeper = nodes.section("", nodes.title("", "下一级"), nodes.paragraph("", "别处的话"))
    cells = [nodes.container("", nodes.literal_block(text, text), classes=[name])
             for text, name in (("x = 1", "cell_input"), ("1", "cell_output"), ("秘密", "tag_hide-input"))]
    section = nodes.section("", nodes.title("", "节名"), nodes.paragraph("", "一段"), *cells, deeper)
    assert own_text(section) == ("一段", "x = 1")


@pytest.mark.parametrize("last, classes", [("怎样才会推翻它", ["stacked"]), ("接着问", [])])
def test_only_tables_of_sentences_are_stacked(last, classes):
    doctree = utils.new_document("page")
    entries = [nodes.entry("", nodes.paragraph("", name)) for name in ("原话", last)]
    table = nodes.table("", nodes.tgroup("", nodes.thead("", nodes.row("", *entries))))
    doctree += table
    stacked_table.stack(None, doctree)
    assert table["classes"] == classes


@pytest.mark.parametrize("git", ["管着", "没有文件夹", "没有程序"])
def test_the_zip_holds_the_course_and_nothing_else(tmp_path, monkeypatch, git):
    """有 git 时收它管着的；没有时收全部，虚拟环境、建好的书、缓存、记录除外。两次的字节相同。"""
    root = tmp_path / "课程 1"
    for name in ("Makefile", "data/词.txt", ".venv/bin/python", "build/x.html", "notebooks/logs_09/e",
                 "textseq/__pycache__/a.pyc", ".ruff_cache/x", ".ci/run", "随手写的.txt"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name, "utf-8")
    (root / "Makefile").chmod(0o755)
    wanted = {"textseq/Makefile", "textseq/data/词.txt", "textseq/.ci/run"}
    if git != "没有文件夹":
        subprocess.run(["git", "init", "-q", root], check=True)
        subprocess.run(["git", "-C", root, "add", "Makefile", "data", ".ci"], check=True)
    if git != "管着":
        wanted.add("textseq/随手写的.txt")
    if git == "没有程序":
        monkeypatch.setenv("PATH", "")
    for name in ("1.zip", "2.zip"):
        course_zip.write_zip(tmp_path / name, root)
    with zipfile.ZipFile(tmp_path / "1.zip") as archive:
        assert set(archive.namelist()) == wanted
        assert archive.read("textseq/data/词.txt").decode() == "data/词.txt"
        assert archive.getinfo("textseq/Makefile").external_attr >> 16 == 0o755
    assert (tmp_path / "1.zip").read_bytes() == (tmp_path / "2.zip").read_bytes()


@pytest.mark.parametrize("css, kept", [
    (".a{x:1}.b{x:2}", ".a{x:1}"),
    (".a,.b{x:1}", ".a{x:1}"),
    (".a .b{x:1}", ""),
    (".a:not(.b){x:1}", ".a:not(.b){x:1}"),
    ("@media print{.b{x:1}}.a{y:2}", ".a{y:2}"),
    ("@media print{.a{x:1}.b{x:1}}", "@media print{.a{x:1}}"),
    ("@font-face{font-family:X;src:url(a.b)}", "@font-face{font-family:X;src:url(a.b)}"),
    ("@keyframes b{from{x:1}to{x:2}}", "@keyframes b{from{x:1}to{x:2}}"),
    ('@import "x.css";.a{x:1}', '@import "x.css";.a{x:1}'),
    ('.a{content:"}.b{"}', '.a{content:"}.b{"}'),
    (".a\\:hover{x:1}p{y:1}", "p{y:1}"),
    ("/* .b{} */.a{x:1}", ".a{x:1}"),
    (".a:is(.b,p){x:1}", ".a:is(.b,p){x:1}"),
])
def test_rules_for_absent_classes_are_dropped(css, kept):
    assert one_stylesheet.trim(css, {"a", "p"}) == kept


@pytest.mark.parametrize("base, picture", [
    ("", None), ("https://example.org/书/", "https://example.org/书/_static/preview.png")])
def test_the_preview_picture_needs_the_sites_address(base, picture):
    """转发的卡片要写全网址：说了发布在哪里才有；图就在那里，大小是各处都收的 1200×630。"""
    doctree = utils.new_document("page")
    doctree += nodes.paragraph("", "笔记里的每一句话，都跑一遍：从定义写起，手写，对照，测量。")
    app = SimpleNamespace(config=SimpleNamespace(html_baseurl=base),
                          env=SimpleNamespace(titles={"a": nodes.title("", "序列与词")}))
    context = {"metatags": ""}
    theme_zh.describe_page(app, "a", "page.html", context, doctree)
    assert re.findall('og:image" content="([^"]*)"', context["metatags"]) == ([picture] if picture else [])
    head = (Path(__file__).parents[1] / "book/_static/preview.png").read_bytes()[:24]
    assert struct.unpack(">II", head[16:]) == (1200, 630)
