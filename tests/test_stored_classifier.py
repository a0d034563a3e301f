"""data/classifier：npz 与 js 是同一个模型，说明里的数属实，取整取得对。"""

import runpy
from pathlib import Path

import numpy as np
import pytest

from textseq import corpora, explore
from textseq.classifier import Classifier, Design, build_vocab
from textseq.evaluation import title_score

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "data/classifier"
DATA = FOLDER / "model.js"
BUILD = runpy.run_path(str(FOLDER / "build.py"))


def test_the_two_files_hold_the_same_model_and_the_numbers_about_it_are_true(tmp_path):
    model = Classifier.load(FOLDER / "model.npz")
    accuracy = title_score(model, corpora.headlines(ROOT / "data/headlines", "dev"))[1]
    about = BUILD["describe"](model, accuracy)
    BUILD["pack"](model, tmp_path / "model.js", about)
    assert (tmp_path / "model.js").read_bytes() == DATA.read_bytes()
    assert accuracy > 0.76  # 按字的词向量取平均，是 76.6%
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert f"| 模型 | {about} |\n" in readme
    for path, most in ((DATA, 1.0), (FOLDER / "model.npz", 1.5)):
        assert path.stat().st_size < most * 1e6
        assert f"| `{path.name}` | {path.stat().st_size / 1e6:.2f} MB |\n" in readme
    assert f"打开（约 {DATA.stat().st_size / 1e6:.1f} MB）" in explore.html("headlines")


@pytest.mark.parametrize("bidirectional", [True, False])
def test_rounding_hardly_changes_the_answers(bidirectional):
    titles = ["一二三四", "四三二一", "二", "三三一四二"]
    design = Design(bigrams=True, bidirectional=bidirectional, embedding_size=9, hidden_size=6)
    model = Classifier(build_vocab(titles, bigrams=True, min_count=1), ["甲", "乙"], design)
    for weight in model.state_dict().values():
        weight *= 3
    before = model.probabilities(titles)
    BUILD["round_weights"](model)
    after = model.probabilities(titles)
    assert 0 < np.abs(before - after).max() < 0.01 < np.ptp(before, 0).max()
    BUILD["round_weights"](model)  # 再取整一次，一个数也不变
    assert (model.probabilities(titles) == after).all()


@pytest.mark.parametrize("design", [Design(unit="word"), Design(cell="gru"), Design(cell="rnn")])
def test_designs_that_the_page_does_not_know(design):
    with pytest.raises(ValueError, match="网页里只会按字、LSTM 或没有循环层的模型，收到 unit="):
        BUILD["tables"](Classifier(build_vocab(["一二"]), ["甲", "乙"], design))
