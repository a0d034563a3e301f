"""标题分类器：补齐不影响结果，汇总取对了位置，存取、早停、断了接着来。"""

import numpy as np
import pytest
import torch

from textseq._checkpoint import read_checkpoint, save_checkpoint
from textseq.classifier import Classifier, Design, build_vocab, split_units, with_bigrams
from textseq.classifier_fit import fit
from textseq.corpora import Labelled
from textseq.evaluation import title_score

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


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize("pooling", ["last", "max", "mean"])
@pytest.mark.parametrize("cell", ["lstm", "rnn", "gru", "none"])
def test_pooling_is_what_it_says_on_each_unpadded_title(cell, pooling, bidirectional):
    """一条一条地算，没有补齐，直接用 torch 的循环层：最后一步，双向时反向的一头在第 0 步。"""
    model = toy_model(cell=cell, pooling=pooling, bidirectional=bidirectional, bigrams=True).eval()
    with torch.no_grad():
        model.embedding.weight[1:] -= 0.5  # 词向量多半是负的：补齐的 0 混进最大值就看得出
        scores = model(model.to_ids(TITLES))
        for row, title in zip(scores, TITLES, strict=True):
            units = split_units(title)
            h = torch.cat([model.embedding(torch.tensor(model.vocab.encode(column)))
                           for column in (units, with_bigrams(units))], dim=1)
            if cell != "none":
                h = model.recurrent(h)[0]
            ends = torch.cat((h[-1, :6], h[0, 6:])) if bidirectional and cell != "none" else h[-1]
            pooled = {"last": ends, "max": h.max(0).values, "mean": h.mean(0)}[pooling]
            assert torch.allclose(row, model.output(pooled), atol=1e-6)
        wider = torch.nn.functional.pad(model.to_ids(TITLES), (0, 0, 0, 5))  # 整批都没有占满的列
        assert torch.allclose(model(wider), scores, atol=1e-6)


def test_batches_come_back_in_order():
    model, titles = toy_model(), [title for title, _ in TRAIN[:50]]
    small = model.probabilities(titles, batch_size=7)
    assert np.abs(small - model.probabilities(titles)).max() < 1e-6 and np.ptp(small, axis=0).min() > 1e-4
    assert model.probabilities([]).shape == (0, 3)
    for title in TITLES:
        answer = model.predict(title)
        assert [p for _, p in answer] == sorted((p for _, p in answer), reverse=True)
        assert [dict(answer)[name] for name in CLASSES] == model.probabilities([title])[0].tolist()


def test_dropout_is_for_training_only():
    noisy, quiet = toy_model(dropout=0.5, unit_dropout=0.5), toy_model()
    noisy.train()
    assert np.array_equal(noisy.probabilities(TITLES), quiet.probabilities(TITLES))


def test_units_are_dropped_at_the_rate_and_never_the_padding():
    """嵌入层看到的：三成真单位成了 <unk>，补齐的位置还是 0；随后的 dropout 丢四成，留下的放大。"""
    model, seen = toy_model(unit_dropout=0.3, dropout=0.4, cell="none"), []
    x = model.to_ids([title for title, _ in TRAIN])
    model.embedding.register_forward_hook(lambda _, inputs, out: seen.append((inputs[0], out)))
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        h = model.train().hidden(x)
    ids, e = seen[0]
    assert ((ids == 0) == (x == 0)).all() and ((ids == x) | (ids == 1)).all()
    assert (ids != x)[x > 1].float().mean() == pytest.approx(0.3, abs=0.03)
    kept, e = h != 0, e.flatten(2)
    assert kept[e != 0].float().mean() == pytest.approx(0.6, abs=0.03)
    assert torch.allclose(h[kept], e[kept] / 0.6)
    model = toy_model(dropout=0.4, pooling="mean").train()  # 汇总之后再丢一次
    seen.clear()
    model.output.register_forward_hook(lambda _, inputs, out: seen.append(inputs[0]))
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(0)
        model(x)
    assert (seen[0] == 0).float().mean() == pytest.approx(0.4, abs=0.05)


def test_the_columns_of_encode():
    model = toy_model(bigrams=True)
    x = model.to_ids(["晴雨", "雨", " "])
    assert x.shape == (3, 2, 2) and x.dtype == torch.int64
    assert x[0, :, 0].tolist() == model.vocab.encode(["晴", "雨"])
    assert x[0, :, 1].tolist() == model.vocab.encode(["晴雨", "雨$"]) and x[1, 1].tolist() == [0, 0]
    assert x[2].tolist() == [[1, 1], [0, 0]]
    assert toy_model().to_ids(["晴雨"]).shape == (1, 2, 1)
    vocab = build_vocab(["晴雨雪", "晴雨"], bigrams=True)
    assert vocab.words[2:] == ["晴", "雨", "晴雨"] and "雪" in build_vocab(["雪"], min_count=1)


def test_the_start_comes_from_the_seed():
    first, again, other = (Classifier(toy_model().vocab, CLASSES, seed=seed) for seed in (1, 1, 2))
    assert torch.equal(first.embedding.weight, again.embedding.weight)
    assert torch.equal(first.output.weight, again.output.weight)
    assert not torch.equal(first.embedding.weight, other.embedding.weight)
    assert not torch.equal(first.recurrent.weight_hh_l0, other.recurrent.weight_hh_l0)
    assert first.embedding.weight[1:].std().item() == pytest.approx(0.1, rel=0.1)
    assert not first.embedding.weight[0].any()


def test_the_recurrent_layer_is_the_lstm_of_chapter_02():
    from textseq import lstm
    model = toy_model(bidirectional=False, pooling="last").eval()
    r = model.recurrent
    params = {"W_xh": r.weight_ih_l0.T, "W_hh": r.weight_hh_l0.T, "b_h": r.bias_ih_l0 + r.bias_hh_l0}
    x = model.to_ids([TITLES[1]])
    with torch.no_grad():
        theirs = model.hidden(x)[0].numpy()
        mine = lstm.forward(model.embedding(x).flatten(2).numpy(), {k: v.numpy() for k, v in params.items()})
    assert np.abs(mine.h[0] - theirs).max() < 1e-5


def test_empty_titles_and_unknown_characters_have_an_answer():
    model = toy_model(bigrams=True)
    answers = [model.predict(title) for title in ("", "  ", "\u3000", "龘")]
    assert len(answers[0]) == 3 and answers[0] == answers[1] == answers[2]
    assert model.predict("晴" * 3000)[0][1] > 1 / 3


def test_it_learns_and_the_best_epoch_is_kept():
    model = toy_model()
    reports = fit(model, TRAIN, DEV, epochs=6, lr=0.02)
    loss, accuracy = title_score(model, DEV)
    assert accuracy > 0.95 and loss == pytest.approx(min(r.dev_loss for r in reports), abs=1e-6)
    assert [r.epoch for r in reports] == list(range(1, len(reports) + 1))
    assert model.predict("雨雪风云")[0][0] == "天气"


def test_frozen_vectors_do_not_move():
    vocab = build_vocab([title for title, _ in TRAIN])
    table = np.random.default_rng(0).normal(size=(len(vocab), 8)).astype(np.float32)
    model = Classifier(vocab, CLASSES, Design(embedding_size=8, hidden_size=6), vectors=table, freeze=True)
    fit(model, TRAIN[:60], DEV, epochs=1)
    assert np.array_equal(model.embedding.weight.numpy()[1:], table[1:])
    free = Classifier(vocab, CLASSES, Design(embedding_size=8, hidden_size=6), vectors=table)
    assert np.array_equal(free.embedding.weight.detach().numpy()[1:], table[1:])
    assert not free.embedding.weight[0].any()  # <pad> 那一行不管给的是什么
    fit(free, TRAIN[:60], DEV, epochs=1)
    assert not np.array_equal(free.embedding.weight.detach().numpy()[1:], table[1:])
    with pytest.raises(ValueError, match=r"vectors 的形状应为 \(V, E\) = .*收到 \(3, 8\)"):
        Classifier(vocab, CLASSES, Design(embedding_size=8), vectors=table[:3])


def test_save_and_load(tmp_path):
    model = toy_model(bigrams=True, pooling="mean")
    model.save(tmp_path / "model.npz")
    back = Classifier.load(tmp_path / "model.npz")
    assert back.design == model.design and back.classes == CLASSES
    assert (back.vocab.words, back.vocab.counts) == (model.vocab.words, model.vocab.counts)
    assert np.array_equal(back.probabilities(TITLES), model.probabilities(TITLES))
    data = (tmp_path / "model.npz").read_bytes()
    for cut, message in ((0, "不是 textseq 存下的"), (100, "不完整"), (len(data) // 2, "不完整")):
        (tmp_path / "cut.npz").write_bytes(data[:cut])
        with pytest.raises(ValueError, match=f"cut.npz {message}"):
            Classifier.load(tmp_path / "cut.npz")
    with pytest.raises(FileNotFoundError, match="请先训练"):
        Classifier.load(tmp_path / "没有.npz")


def test_another_vocabulary_is_refused(tmp_path):
    model = toy_model()
    model.save(tmp_path / "model.npz")
    arrays, done, setting = read_checkpoint(tmp_path / "model.npz")
    swapped = str(arrays["vocab"]).replace("雨", "驴")
    save_checkpoint(tmp_path / "swapped.npz", arrays | {"vocab": np.array(swapped)}, done, setting)
    with pytest.raises(ValueError, match="swapped.npz 的词表与指纹不合"):
        Classifier.load(tmp_path / "swapped.npz")
    missing = {name: array for name, array in arrays.items() if name != "output.bias"}
    for name, part, note, message in (
            ("检查点", {"E": np.eye(3)}, {"model": "cbow"}, "是训练途中的检查点，不是模型"),
            ("缺", missing, setting, "不是完整的分类器"),
            ("形状", arrays | {"output.bias": np.ones(5)}, setting, "不是完整的分类器")):
        save_checkpoint(tmp_path / f"{name}.npz", part, 1, note)
        with pytest.raises(ValueError, match=f"{name}.npz {message}"):
            Classifier.load(tmp_path / f"{name}.npz")


@pytest.mark.parametrize("wrong", [{"unit": "字"}, {"cell": "transformer"}, {"pooling": "first"}])
def test_bad_designs_are_refused(wrong):
    (name, value), = wrong.items()
    with pytest.raises(ValueError, match=f"{name} 应为 .* 之一，收到 {value!r}"):
        Design(**wrong)


def test_asking_leaves_the_model_as_it_was():
    """问一下概率，不会把正在训练的模型悄悄换到评估的状态。"""
    model = toy_model()
    for training in (True, False):
        model.train(training)
        model.probabilities(["晴"])
        model.predict("晴")
        assert model.training is training


def test_frozen_vectors_stay_frozen_after_loading(tmp_path):
    model = toy_model()
    frozen = Classifier(model.vocab, model.classes, model.design, freeze=True)
    for one in (model, frozen):
        one.save(tmp_path / "m.npz")
        loaded = Classifier.load(tmp_path / "m.npz")
        assert loaded.embedding.weight.requires_grad is (one is model)


@pytest.mark.parametrize(("titles", "message"), [
    ("油价下调", "应为标题的列表，收到字符串 '油价下调'；一条标题请用 predict"),
    ([None], "标题应为字符串，收到 None"), (["晴", 3.5], "收到 3.5"),
])
def test_what_is_not_a_list_of_titles_is_refused(titles, message):
    with pytest.raises(TypeError, match=message):
        toy_model().probabilities(titles)


def test_numpy_integers_are_integers():
    design = Design(hidden_size=np.int64(8), embedding_size=np.int32(4))
    assert design == Design(hidden_size=8, embedding_size=4) and type(design.hidden_size) is int


def test_a_model_of_another_version_is_named(tmp_path):
    """别的版本存下的模型、训练途中的检查点：说是什么，不说“指纹不合”。"""
    model = toy_model()
    model.save(tmp_path / "m.npz")
    arrays, done, setting = read_checkpoint(tmp_path / "m.npz")
    save_checkpoint(tmp_path / "old.npz", arrays, done, setting | {"format": 1})
    with pytest.raises(ValueError, match="old.npz 是别的版本存下的（格式 1，这里是 2）；请重新训练"):
        Classifier.load(tmp_path / "old.npz")
