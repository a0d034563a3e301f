"""tables：文字对齐，HTML 的结构，不合的行。"""

from html.parser import HTMLParser

import pytest

from textseq.tables import as_table

SCORES = as_table(["", "Skip-gram", "CBOW"],
               [["ρ 全部", "0.55 [0.54, 0.56]", "0.4"], ["类比 %", "8.29 [7.64, 8.96]", ""]])


class Reader(HTMLParser):
    """读成 [(标签, 属性, 字)]。"""

    def __init__(self, html):
        super().__init__()
        self.found = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append([tag, dict(attrs), ""])

    def handle_data(self, data):
        if self.found and data.strip():
            self.found[-1][2] += data


def cells(shown):
    return [cell for cell in Reader(shown._repr_html_()).found if cell[0] in ("th", "td")]


def test_numbers_line_up_on_the_right_and_han_takes_two_columns():
    assert str(SCORES).splitlines() == [
        "                Skip-gram  CBOW",
        "ρ 全部  0.55 [0.54, 0.56]   0.4",
        "类比 %  8.29 [7.64, 8.96]"]


def test_words_line_up_on_the_left():
    shown = as_table(["K", "抽到的"], [[2, "招 本科"], [10, "<pad>"]], note="负样本")
    assert str(shown).splitlines() == ["负样本", " K  抽到的", " 2  招 本科", "10  <pad>"]


@pytest.mark.parametrize("cell, right", [
    ("-0.5", True), ("+3%", True), ("−1", True), ("12 秒", True), ("0.55 [0.54, 0.56]", True),
    ("≈1.2", True), ("≈-0.02", True), ("甲", False), ("[1, 2]", False), ("-", False), ("1 真 5 假", True)])
def test_a_column_of_numbers_is_one_where_every_cell_begins_with_a_number(cell, right):
    found = cells(as_table(["", "甲"], [["行", cell]]))
    assert [attributes.get("class") for _, attributes, _ in found[1::2]] == ["number" if right else None] * 2


def test_one_word_makes_it_a_column_of_words_and_an_empty_cell_does_not():
    assert str(as_table(["名", "值"], [["甲", "1"], ["乙", "不变"]])).splitlines()[1] == "甲  1"
    assert str(as_table(["名", "数值"], [["甲", "1"], ["乙", ""]])).splitlines()[1] == "甲     1"


def test_the_html_names_its_rows_and_columns():
    found = cells(SCORES)
    assert [(tag, attributes.get("scope")) for tag, attributes, _ in found] == [
        ("td", None), ("th", "col"), ("th", "col"),                  # 左上角没有字，不是标题
        ("th", "row"), ("td", None), ("td", None), ("th", "row"), ("td", None), ("td", None)]
    assert [words for *_, words in found[1:6]] == [
        "Skip-gram", "CBOW", "ρ 全部", "0.55 [0.54,\u00a00.56]", "0.4"]
    html = SCORES._repr_html_()
    assert html.startswith('<table class="result">') and html.endswith("</table>")
    assert "style" not in html and "caption" not in html


@pytest.mark.parametrize("cell, unbroken", [
    ("0.55 [0.54, 0.56]", "0.55 [0.54,_0.56]"), ("第 03 章，5 轮", "第 03_章，5_轮"), ("类比 %", "类比_%"),
    ("K = 10", "K_=_10"), ("0.50 ±0.01", "0.50 ±0.01"), ("招 本科 1 层次", "招 本科 1_层次")])
def test_a_number_keeps_its_unit_when_a_cell_wraps(cell, unbroken):
    *_, (_, _, words) = cells(as_table(["名", "值"], [["甲", cell]]))
    assert words == unbroken.replace("_", "\u00a0")


def test_the_html_escapes_what_it_is_given():
    html = as_table(["<i>", "值"], [["<b>粗</b>", '"&"']], note="<script>")._repr_html_()
    assert [tag for tag, *_ in Reader(html).found] == [
        "table", "caption", "thead", "tr", "th", "th", "tbody", "tr", "th", "td"]
    assert "&lt;b&gt;粗&lt;/b&gt;" in html and "<caption>&lt;script&gt;</caption>" in html


def test_a_row_of_another_length_is_named():
    with pytest.raises(ValueError, match="第 2 行有 1 格，应与列名一样是 2 格.*收到 \\('乙',\\)"):
        as_table(["名", "值"], [["甲", "1"], ["乙"]])


def test_rows_may_come_one_by_one():
    assert as_table(("名", "值"), (row for row in [("甲", 1)])) == as_table(["名", "值"], [["甲", "1"]])
    assert str(as_table(["名", "值"], [])) == "名  值"
