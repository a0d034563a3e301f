"""标题分类器：补齐不影响结果，汇总取对了位置，存取、早停、断了接着来。"""

import numpy as np
import pytest
import torch

from textseq.classifier import Classifier, Design, build_vocab, split_units, with_bigrams
from textseq.corpora import Labelled
from textseq.fitting import evaluate, fit

torch.set_num_threads(1)
CLASSES = ("天气", "足球", "考试")
WORDS = {0: "晴雨雪风云暖寒", 1: "射门球队传进守", 2: "题卷分数答学校"}


def toy_titles(n, seed=0):
    rng = np.random.default_rng(seed)
    return [Labelled("".join(rng.choice(list(WORDS[k % 3] + "的了在和"), rng.integers(3, 12))), k % 3)
            for k in range(n)]


TRAIN, DEV = toy_titles(300), toy_titles(60, seed=1)
TITLES = ["晴", "射门进球的球队在传", "中华女子学院：本科层次仅1专业招男生", "Ａ股ＡＢ"]


def toy_model(**design):
    design = Design(**{"embedding_size": 8, "hidden_size": 6, "dropout": 0.0, "unit_dropout": 0.0} | design)
    titles = [title for title, _ in TRAIN]
    return Classifier(build_vocab(titles, design.unit, design.bigrams), CLASSES, design)


def test_units():
    assert split_units("Ａ股 ３连涨") == ["a", "股", "3", "连", "涨"]
    assert "".join(split_units("油价今晚下调", "word")) == "油价今晚下调"
    assert with_bigrams(["本", "科"]) == ["本科", "科$"] and with_bigrams([]) == []


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("pooling", ["last", "max", "mean"])
@pytest.mark.parametrize("cell", ["lstm", "rnn", "gru"])
def test_padding_changes_nothing(cell, pooling, bidirectional):
    model = toy_model(cell=cell, pooling=pooling, bidirectional=bidirectional, bigrams=True)
    together = model.probabilities(TITLES)
    alone = np.concatenate([model.probabilities([title]) for title in TITLES])
    assert np.abs(together - alone).max() < 1e-6
    assert np.allclose(together.sum(axis=1), 1, atol=1e-6)


def test_the_last_state_is_the_last_of_each_direction():
    model = toy_model(pooling="last").eval()
    x = model.encode(TITLES)
    with torch.no_grad():
        pooled = model.pool(model.hidden(x), x)
        for row, title in zip(pooled, TITLES, strict=True):
            _, (h, _) = model.recurrent(model.embedding(model.encode([title])).flatten(2))
            assert torch.allclose(row, torch.cat((h[0, 0], h[1, 0])), atol=1e-6)


def test_the_recurrent_layer_is_the_lstm_of_chapter_02():
    from textseq import lstm
    model = toy_model(bidirectional=False, pooling="last").eval()
    r = model.recurrent
    params = {"W_xh": r.weight_ih_l0.T, "W_hh": r.weight_hh_l0.T, "b_h": r.bias_ih_l0 + r.bias_hh_l0}
    x = model.encode([TITLES[1]])
    with torch.no_grad():
        theirs = model.hidden(x)[0].numpy()
        mine = lstm.forward(model.embedding(x).flatten(2).numpy(), {k: v.numpy() for k, v in params.items()})
    assert np.abs(mine.h[0] - theirs).max() < 1e-5


def test_empty_titles_and_unknown_characters_have_an_answer():
    model = toy_model(bigrams=True)
    for title in ("", "  ", "龘"):
        assert len(model.predict(title)) == 3


def test_it_learns_and_the_best_epoch_is_kept():
    model = toy_model()
    reports = fit(model, TRAIN, DEV, epochs=6, rate=0.02)
    loss, accuracy = evaluate(model, DEV)
    assert accuracy > 0.95 and loss == pytest.approx(min(r.dev_loss for r in reports), abs=1e-6)
    assert [r.epoch for r in reports] == list(range(1, len(reports) + 1))
    assert model.predict("雨雪风云")[0][0] == "天气"


def test_early_stopping():
    wrong = [Labelled(title, (label + 1) % 3) for title, label in DEV]  # 越学越错的 dev
    assert len(fit(toy_model(), TRAIN, wrong, epochs=20, rate=0.02, patience=2)) <= 5


def test_frozen_vectors_do_not_move():
    vocab = build_vocab([title for title, _ in TRAIN])
    table = np.random.default_rng(0).normal(size=(len(vocab), 8)).astype(np.float32)
    model = Classifier(vocab, CLASSES, Design(embedding_size=8, hidden_size=6), vectors=table, freeze=True)
    fit(model, TRAIN[:60], DEV, epochs=1)
    assert np.array_equal(model.embedding.weight.numpy()[1:], table[1:])
    with pytest.raises(ValueError, match=r"vectors 的形状应为 \(V, E\) = .*收到 \(3, 8\)"):
        Classifier(vocab, CLASSES, Design(embedding_size=8), vectors=table[:3])


@pytest.mark.parametrize("stop_after", [1, 2])
def test_resuming_gives_the_unbroken_result_bit_for_bit(tmp_path, stop_after):
    settings = {"epochs": 4, "rate": 0.01, "patience": 9}
    whole = toy_model(dropout=0.3, unit_dropout=0.2)
    reports = fit(whole, TRAIN, DEV, **settings)

    def power_cut(model, report):
        if report.epoch == stop_after:
            raise KeyboardInterrupt

    path = tmp_path / "half.npz"
    with pytest.raises(KeyboardInterrupt):
        fit(toy_model(dropout=0.3, unit_dropout=0.2), TRAIN, DEV, checkpoint=path,
            on_epoch=power_cut, **settings)
    resumed = toy_model(dropout=0.3, unit_dropout=0.2)
    again = fit(resumed, TRAIN, DEV, checkpoint=path, **settings)
    assert [r[:5] for r in again] == [r[:5] for r in reports]
    assert all(torch.equal(a, b) for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(),
                                                 strict=True))
    with pytest.raises(ValueError, match="half.npz 是用另一套设定存下的：标题 当时是"):
        fit(toy_model(dropout=0.3, unit_dropout=0.2), TRAIN[1:], DEV, checkpoint=path, **settings)


def test_save_and_load(tmp_path):
    model = toy_model(bigrams=True, pooling="mean")
    model.save(tmp_path / "model.npz")
    back = Classifier.load(tmp_path / "model.npz")
    assert back.design == model.design and back.classes == CLASSES
    assert np.array_equal(back.probabilities(TITLES), model.probabilities(TITLES))
    data = (tmp_path / "model.npz").read_bytes()
    for cut in (0, 100, len(data) // 2):
        (tmp_path / "cut.npz").write_bytes(data[:cut])
        with pytest.raises(ValueError, match="cut.npz 不是完整的"):
            Classifier.load(tmp_path / "cut.npz")
    with pytest.raises(FileNotFoundError, match="请先训练"):
        Classifier.load(tmp_path / "没有.npz")


def test_another_vocabulary_is_refused(tmp_path):
    from textseq.checkpoint import read_checkpoint, save_checkpoint
    model = toy_model()
    model.save(tmp_path / "model.npz")
    arrays, done, setting = read_checkpoint(tmp_path / "model.npz")
    swapped = str(arrays["vocab"]).replace("雨", "驴")
    save_checkpoint(tmp_path / "swapped.npz", arrays | {"vocab": np.array(swapped)}, done, setting)
    with pytest.raises(ValueError, match="swapped.npz 的词表与指纹不合"):
        Classifier.load(tmp_path / "swapped.npz")


@pytest.mark.parametrize("wrong", [{"unit": "字"}, {"cell": "transformer"}, {"pooling": "first"}])
def test_bad_designs_are_refused(wrong):
    (name, value), = wrong.items()
    with pytest.raises(ValueError, match=f"{name} 应为 .* 之一，收到 {value!r}"):
        Design(**wrong)
