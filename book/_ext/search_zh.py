"""中文全文搜索：索引与查询都认得术语表里的词。

建索引时，jieba 以 book/glossary.md 的术语为用户词，切出的词才不会把“词向量”拆散；
查询时，split_query.js 用索引里已有的词切分读者输入的汉字（浏览器自己不会分词）。
"""

import re
from pathlib import Path

import jieba
from sphinx.search.zh import SearchChinese

HERE = Path(__file__).parent
GLOSSARY = HERE.parent / "glossary.md"
SPLITTER = HERE / "split_query.js"
HAN = re.compile(r"[\u4e00-\u9fff]+")


def glossary_terms(path=GLOSSARY):
    """术语表各行的前两格：[(中文, English), …]；表头和分隔行除外。"""
    rows = (
        [cell.strip() for cell in line.strip().strip("|").split("|")]
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    )
    return [
        (row[0], row[1])
        for row in rows
        if len(row) >= 3 and row[0] != "中文" and not set(row[0]) <= set(":- ")
    ]


class GlossarySearch(SearchChinese):
    """Sphinx 的中文搜索，加上术语表的词和能切汉字的查询。"""

    js_splitter_code = SPLITTER.read_text(encoding="utf-8")
    # 不取词干：Sphinx 建索引与查询用的是两种算法，decay 这样的词会对不上
    js_stemmer_code = "var Stemmer = function () { this.stemWord = (word) => word; };"

    def init(self, options):
        super().init(options)
        jieba.setLogLevel(60)  # 不让词典的载入时间混进建书的输出
        self.terms = {word for term, _ in glossary_terms() for word in HAN.findall(term)}
        for word in self.terms:
            jieba.add_word(word)

    def stem(self, word):
        return word.lower()

    def word_filter(self, word):
        # 单个汉字只收术语（如“门”）；其余单字和标点只会撑大索引
        return word in self.terms or (len(word) > 1 and word.replace("_", "").isalnum())


def setup(app):
    app.add_search_language(GlossarySearch)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
