"""第 08 章那张“全部 112 万词”的分词成绩表：逐格重算。

每行要把整份语料切一遍，太久，都在 make test-full 里。
"""

import re
from pathlib import Path

import nbformat
import pytest

from textseq import corpora, text
from textseq.evaluation import segmentation_score

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "08_rnn_input_shapes.ipynb"
SETTINGS = {
    "精确模式，开 HMM": {},
    "精确模式，关 HMM": {"hmm": False},
    "全模式": {"mode": "full"},
    "搜索引擎模式": {"mode": "search"},
    "先变半角，开 HMM": {"prepare": text.clean},
    "先变半角，关 HMM": {"prepare": text.clean, "hmm": False},
}


def table_on_the_page():
    """{切法: (精确率, 召回率, F1)}，单位 %。"""
    cell = next(c for c in nbformat.read(NOTEBOOK, as_version=4).cells
                if "full-corpus" in c.metadata.get("tags", []))
    rows = re.findall(r"^\| (\S.*?) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", cell.source, flags=re.MULTILINE)
    return {name: tuple(map(float, numbers)) for name, *numbers in rows}


@pytest.fixture(scope="module")
def corpus():
    return list(corpora.people_daily())


@pytest.mark.full
@pytest.mark.parametrize("name", SETTINGS)
def test_the_table_is_what_the_whole_corpus_gives(corpus, name):
    options = dict(SETTINGS[name])
    prepare = options.pop("prepare", str)
    scores = segmentation_score((text.word_spans(s.words) for s in corpus),
                                     (text.find_spans(prepare(s.text), **options) for s in corpus))
    assert tuple(round(100 * value, 2) for value in scores.values()) == table_on_the_page()[name]


def test_the_table_has_no_other_rows():
    assert set(table_on_the_page()) == set(SETTINGS)


@pytest.mark.parametrize("gold, predicted", [([], []), ([{(0, 1)}], [set()]), ([set()], [{(0, 1)}])])
def test_nothing_to_score_is_an_error(gold, predicted):
    """两边都空、只有一边空，都说清楚，不除以零。"""
    with pytest.raises(ValueError, match="没有可以评分的词"):
        segmentation_score(gold, predicted)
