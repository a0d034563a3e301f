"""起始词向量：照词表排好，量到 0.3，不看标签，种子相同结果相同。"""

import numpy as np
import pytest

from textseq import classifier_start
from textseq.classifier import Classifier, Design, build_vocab
from textseq.classifier_start import pretrain, start_table
from textseq.vectors import WordVectors
from textseq.vocab import Vocab

TITLES = [f"{a}今晚{b}" for a in ("油价", "股市", "楼市", "球队") for b in ("下调", "上涨", "大跌", "夺冠")]
DESIGN = Design(bigrams=True, embedding_size=8)


@pytest.fixture(scope="module")
def vocab():
    return build_vocab(TITLES, bigrams=True)


def test_start_table_follows_the_vocab_and_keeps_directions():
    vectors = WordVectors(["乙", "甲", "别的"], np.array([[3., 0], [0, 4], [5, 0]]))
    table = start_table(Vocab(["甲", "乙", "没有"], [3, 2, 2]), vectors)
    assert table.shape == (5, 2) and table.dtype == np.float32
    rms = np.sqrt(50 / 6)
    np.testing.assert_allclose(table[2:4], 0.3 * np.array([[0, 4], [3, 0]]) / rms, rtol=1e-6)
    assert np.abs(table[[0, 1, 4]]).min() > 0        # <pad>、<unk> 和缺的词是随机数；<pad> 由模型清零


def test_start_table_is_seeded():
    vectors = WordVectors(["甲"], np.array([[3., 1]]))
    a, again, b = (start_table(Vocab(["甲", "没有"], [2, 2]), vectors, seed) for seed in (1, 1, 2))
    assert (a == again).all() and (a[2] == b[2]).all() and (a[3] != b[3]).all()


def test_pretrain_interleaves_units_and_bigrams(vocab, monkeypatch):
    seen = {}
    fake = WordVectors(["今"], np.ones((1, 8)))
    monkeypatch.setattr(classifier_start, "train_skipgram",
                        lambda rows, **how: seen.update(how, rows=rows) or fake)
    pretrain(vocab, ["油价今"], DESIGN, seed=5)
    assert seen["rows"] == [["油", "油价", "价", "价今", "今", "今$"]]
    assert (seen["vector_size"], seen["seed"], seen["min_count"]) == (8, 5, 2)
    pretrain(vocab, ["油价今"], Design(embedding_size=8))
    assert seen["rows"] == [["油", "价", "今"]]


def test_pretrained_table_starts_the_classifier(vocab):
    a, again, other = (pretrain(vocab, TITLES, DESIGN, epochs=2, seed=seed) for seed in (1, 1, 2))
    assert a.shape == (len(vocab), 8) and a.dtype == np.float32 and np.isfinite(a).all()
    assert (a == again).all() and (a != other).any()
    assert np.sqrt((a[2:] ** 2).mean()) == pytest.approx(0.3, rel=1e-3)
    model = Classifier(vocab, ("甲", "乙"), DESIGN, vectors=a)
    weight = model.embedding.weight.detach().numpy()
    assert (weight[1:] == a[1:]).all() and not weight[0].any()


def test_nothing_to_pretrain():
    assert not pretrain(Vocab([], []), ["油价"], DESIGN).any()
    with pytest.raises(ValueError, match="没有一个词出现过 2 次"):
        pretrain(Vocab(["油"], [1]), ["油价"], DESIGN)
