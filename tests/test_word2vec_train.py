"""快速训练：一步与逐对相加的定义相同，训练对与滑动窗口相同，同一个种子逐位相同。"""

import inspect
import subprocess
import sys
from collections import Counter
from dataclasses import fields

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from textseq import word2vec_fast, word2vec_train
from textseq.sequences import sliding_windows
from textseq.vocab import EncodedCorpus, encode_corpus
from textseq.word2vec import draw_negatives, noise_distribution
from textseq.word2vec_fast import (
    BLOCK,
    GROUP,
    STEP,
    Batch,
    Settings,
    make_batches,
    spread_negatives,
    step_size,
    update_tables,
)
from textseq.word2vec_train import NothingTrained, train, train_cbow, train_skipgram

MODELS = ["skipgram", "cbow"]
SENTENCES = [[f"词{(i * j) % 7}" for j in range(1, 4 + i % 9)] for i in range(60)]


def batches(model, corpus, seed=0, **settings):
    V = len(corpus.vocab)
    noise = np.arange(V) / (V - 1)
    return make_batches(model, corpus.ids, corpus.sentence, np.ones(V), noise,
                        np.random.default_rng(seed), Settings(**settings))


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def every_score(batch):
    """一步的分数，一个一个地给：(第几段，第几个中心词，查上下文表的编号，目标，算几个样本)。"""
    for n, s, r in zip(*np.nonzero(batch.near.numpy()), strict=True):
        yield n, s, int(batch.positives[n, r if batch.share is None else s]), 1, float(batch.near[n, s, r])
    for n in range(len(batch.near)):
        for s in range(BLOCK):
            weight = float(batch.weight[n // GROUP, n % GROUP * BLOCK + s, 0])
            for w in batch.negatives[n // GROUP]:
                yield n, s, int(w), 0, weight


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("K", [0, 1, 5])
def test_a_step_adds_up_every_pair(model, K):
    corpus = encode_corpus(SENTENCES, min_count=1)
    rng = np.random.default_rng(3)
    embedding, context = rng.normal(size=(2, len(corpus.vocab), 6))
    pace = rng.uniform(0.5, 1, (2, len(corpus.vocab)))
    batch = batches(model, corpus, negative=K, window=2, dtype="float64")[0]
    E, C = torch.from_numpy(embedding.copy()), torch.from_numpy(context.copy())
    update_tables(E, C, batch, 0.1, torch.from_numpy(pace))

    dE, dC = np.zeros_like(embedding), np.zeros_like(context)
    inputs, share = batch.inputs.numpy(), batch.share
    for n, s, w, label, weight in every_score(batch):
        shares = {s: 1.0} if share is None else {
            i: float(share[n, s, i]) for i in np.flatnonzero(share[n, s])}
        h = sum((part * embedding[inputs[n, i]] for i, part in shares.items()), np.zeros(6))
        move = 0.1 * weight * (label - sigmoid(h @ context[w]))
        dC[w] += pace[1, w] * move * h
        for i, part in shares.items():
            dE[inputs[n, i]] += pace[0, inputs[n, i]] * part * move * context[w]
    assert np.abs(E.numpy() - embedding - dE).max() < 1e-12
    assert np.abs(C.numpy() - context - dC).max() < 1e-12
    assert np.abs(dE).max() > 0.01


def test_the_step_follows_the_gradient_of_the_loss():
    corpus = encode_corpus(SENTENCES, min_count=1)
    rng, V = np.random.default_rng(4), len(corpus.vocab)
    for model in MODELS:
        batch = batches(model, corpus, window=3, dtype="float64")[0]
        E, C = (torch.from_numpy(t).requires_grad_() for t in rng.normal(size=(2, V, 5)))
        x = E[batch.inputs]
        h = x if batch.share is None else batch.share @ x
        u = C[batch.positives]
        true = h @ u.mT if model == "skipgram" else torch.einsum("nse,nse->ns", h, u)[..., None]
        loss = (batch.near * F.softplus(-true)).sum()
        for n in range(len(h)):  # 每一段与自己那一组的负样本
            weight = batch.weight[n // GROUP].view(GROUP, BLOCK, 1)[n % GROUP]
            loss = loss + (weight * F.softplus(h[n] @ C[batch.negatives[n // GROUP]].T)).sum()
        loss.backward()
        before = E.detach().clone(), C.detach().clone()
        with torch.no_grad():
            update_tables(E, C, batch, 1.0, torch.ones(2, V, dtype=torch.float64))
        for table, old in zip((E, C), before, strict=True):
            assert (table.detach() - old + table.grad).abs().max() < 1e-10


class FullReach:
    """动态窗口总是抽到最大的随机数。"""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def __getattr__(self, name):
        return getattr(self.rng, name)

    def integers(self, low, high, size, endpoint):
        return np.full(size, high)


@pytest.mark.parametrize("window", [1, 3])
def test_positive_pairs_are_those_of_the_sliding_window(window):
    corpus = encode_corpus(SENTENCES, min_count=1)
    V = len(corpus.vocab)
    got = Counter()
    for batch in make_batches("skipgram", corpus.ids, corpus.sentence, np.ones(V),
                              np.arange(V) / (V - 1), FullReach(0), Settings(window=window)):
        for n, s, r in zip(*np.nonzero(batch.near.numpy()), strict=True):
            got[int(batch.inputs[n, s]), int(batch.positives[n, r])] += 1
    wanted = Counter()
    for words in SENTENCES:
        for center, contexts in sliding_windows(corpus.vocab.encode(words), window):
            wanted.update((center, c) for c in contexts)
    assert got == wanted


def test_cbow_averages_the_same_neighbours():
    corpus = encode_corpus(SENTENCES, min_count=1)
    skipgram, cbow = (batches(m, corpus, seed=5, window=2) for m in MODELS)
    for a, b in zip(skipgram, cbow, strict=True):
        count = a.near.sum(2, keepdim=True)
        assert torch.equal(b.share, a.near / count.clamp(min=1))
        assert torch.equal(b.near, (count > 0).float())
        assert (b.positives.flatten() == a.inputs.flatten()).all()


@pytest.mark.parametrize("K", [0, 1, 5, 20])
def test_negatives_weigh_k_times_the_positives(K):
    for model in MODELS:
        for batch in batches(model, encode_corpus(SENTENCES, min_count=1), negative=K):
            positive = batch.near.sum(2).view(len(batch.negatives), -1)
            negative = batch.weight[..., 0] * batch.negatives.shape[1]
            assert positive.sum() > 0 and torch.allclose(negative, K * positive)


def test_negatives_follow_the_noise_distribution():
    corpus = encode_corpus([["多"] * 60 + ["少"] * 30 + ["稀"] * 10] * 300, min_count=1)
    V = len(corpus.vocab)
    noise = np.array([0, 0, 0.5, 0.3, 0.2])
    drawn = make_batches("skipgram", corpus.ids, corpus.sentence, np.ones(V), noise,
                                    np.random.default_rng(1), Settings())
    ids = torch.cat([b.negatives.flatten() for b in drawn]).numpy()
    assert np.abs(np.bincount(ids, minlength=V) / len(ids) - [0, 0, 0.5, 0.3, 0.2]).max() < 0.01


def test_spread_negatives_follow_the_noise_but_vary_less():
    """平均被抽到的次数照旧；一组里几个，出入比独立地抽小得多；很少重复。"""
    noise, M = noise_distribution([0, 0, *range(1, 400)][::-1][:-2] + [0, 0])[::-1].copy(), 40
    spread = spread_negatives(noise, 20_000, M, np.random.default_rng(0))
    alone = draw_negatives(noise, (20_000, M), np.random.default_rng(0))
    V = len(noise)
    for drawn in (spread, alone):
        assert np.abs(np.bincount(drawn.flat, minlength=V) / drawn.size - noise).max() < 3e-4
    half = V // 2
    assert (spread < half).sum(axis=1).std() < 0.5 < 2 < (alone < half).sum(axis=1).std()
    assert all(len(set(row)) == M for row in spread[:200])


def test_frequent_words_take_shorter_steps():
    """平均更新次数 × alpha 不超过 CROWD；少见的词不受影响，学习率小时谁也不受影响。"""
    counts = np.array([0, 0, 50_000, 5_000, *[5] * 20_000])
    noise = noise_distribution(counts)
    for model in MODELS:
        groups, pace = step_size(model, counts, noise, Settings(alpha=0.05))
        pace = pace.numpy()
        assert (pace[:, 4:] == 1).all() and pace.max() == 1 and (pace[:, 2] < pace[:, 3]).all()
        assert (pace[:, 2] < 0.9).all()
        assert (step_size(model, counts, noise, Settings(alpha=0.05, workers=2))[1].numpy() <= pace).all()
        groups, pace = step_size(model, counts, noise, Settings(alpha=1e-4))
        assert groups == STEP and (pace == 1).all()


@pytest.mark.parametrize("model", MODELS)
def test_one_thread_is_bit_for_bit_reproducible(model, monkeypatch):
    monkeypatch.setattr(word2vec_train, "PART", 100)
    corpus = encode_corpus(SENTENCES, min_count=1)
    first, again, other = (train(model, corpus, Settings(vector_size=8, epochs=3, seed=seed, sample=0))
                           for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again, strict=True))
    assert not np.array_equal(first.embedding, other.embedding)


@pytest.mark.parametrize("fit", [train_skipgram, train_cbow])
@pytest.mark.parametrize("workers, chunk", [(1, 50_000), (2, 3_000)])
def test_words_with_the_same_neighbours_come_together(fit, workers, chunk, monkeypatch):
    monkeypatch.setattr(word2vec_train, "PART", chunk)
    rng = np.random.default_rng(0)
    groups = [[f"{g}{i}" for i in range(20)] for g in "甲乙丙"]
    sentences = [rng.choice(groups[i % 3], 8).tolist() for i in range(3000)]
    vectors = fit(sentences, vector_size=10, epochs=10, sample=0, workers=workers)
    for group in groups:
        assert {w for w, _ in vectors.most_similar(group[0], topn=19)} == set(group[1:])


def test_rare_words_are_dropped_before_the_windows_are_made():
    sentences = [["甲", "罕", "乙"]] * 5 + [["甲", "乙"]] * 5
    corpus = encode_corpus(sentences, min_count=6)
    assert isinstance(corpus, EncodedCorpus) and corpus.vocab.words[2:] == ["甲", "乙"]
    assert set(np.unique(corpus.ids)) == {2, 3}


def test_progress_reports_words_and_loss(monkeypatch):
    monkeypatch.setattr(word2vec_train, "PART", 30)
    monkeypatch.setattr(word2vec_train, "LEG", 1)
    corpus = encode_corpus(SENTENCES, min_count=1)
    seen = []
    train("skipgram", corpus, Settings(epochs=2, sample=0), seen.append)
    assert len(seen) > 1 and [p.words for p in seen] == sorted(p.words for p in seen)
    assert seen[-1].words == seen[-1].total == 2 * len(corpus.ids)
    assert abs(seen[0].loss - 6 * np.log(2)) < 0.5  # 一开始每个判断都是抛硬币：1 个正样本加 5 个负样本


def test_batch_is_documented_in_order():
    assert Batch._fields == ("inputs", "share", "positives", "near", "negatives", "weight")


@pytest.mark.parametrize("fit", [train_skipgram, train_cbow])
def test_divergence_is_an_error_and_never_a_vector(fit, monkeypatch):
    monkeypatch.setattr(word2vec_fast, "CROWD", 1e9)  # 不缩步子，学习率太大就发散
    sentences = [[f"词{i}" for i in row] for row in np.random.default_rng(2).integers(2000, size=(1000, 20))]
    with pytest.raises(ValueError, match="训练发散了：第 1 轮.*请把 alpha 从 50 减半"):
        fit(sentences, min_count=1, alpha=50)


@pytest.mark.parametrize("alpha", [0.05, 0.1, 0.5])
def test_twenty_negatives_do_not_make_it_diverge(alpha):
    """共用的负样本随 K 与窗口增加，步子随 K 缩小；一段只共用 16 个的时候，这里第 1 轮就发散。"""
    sentences = [[f"词{i}" for i in row] for row in np.random.default_rng(3).integers(3000, size=(3000, 20))]
    vectors = train_skipgram(sentences, vector_size=20, negative=20, sample=0, window=10, alpha=alpha,
                             epochs=3)
    assert np.linalg.norm(vectors.matrix, axis=1).max() < 5


@pytest.mark.parametrize("words", [3, 18, 100])
def test_small_vocabularies_take_smaller_steps(words):
    rng = np.random.default_rng(1)
    sentences = [[f"词{i}" for i in rng.integers(words, size=8)] for _ in range(2000)]
    for fit in (train_skipgram, train_cbow):
        assert np.abs(fit(sentences, vector_size=10, sample=0).matrix).max() < 5


@pytest.mark.parametrize("fit", [train_skipgram, train_cbow])
def test_very_frequent_words_do_not_make_it_diverge(fit):
    rng = np.random.default_rng(2)
    sentences = [[f"词{i}" for i in rng.zipf(1.4, 20) if i < 2000] for _ in range(3000)]
    assert np.linalg.norm(fit(sentences, vector_size=20, sample=0).matrix, axis=1).max() < 10


@pytest.mark.parametrize("model", MODELS)
def test_a_window_wider_than_any_sentence_costs_nothing(model):
    """句子都只有几个词，窗口再宽，也不留那么多空格；训练对与窄窗口一样全。"""
    corpus = encode_corpus(SENTENCES, min_count=1)
    longest = max(map(len, SENTENCES))
    for batch in batches(model, corpus, window=1000, dtype="float64"):
        assert batch.near.shape[1] == BLOCK and batch.inputs.shape[1] <= BLOCK + 2 * longest


@pytest.mark.linux
def test_a_very_wide_window_fits_in_memory():
    """窗口的掩码随批做，不随窗口的立方长：窗口 300，一份语料不到 1 GB（原来要 15 GB）。"""
    code = ("import resource, numpy as np; from textseq.word2vec_fast import Settings, make_batches;"
            "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
            "ids = np.random.default_rng(0).integers(2, 900, 50_000).astype(np.int32);"
            "make_batches('skipgram', ids, np.zeros_like(ids), np.ones(900), np.ones(900) / 900,"
            " np.random.default_rng(0), Settings(window=300));"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 2**20  # KB


@pytest.mark.parametrize("fit", [train_skipgram, train_cbow])
def test_the_signature_shows_every_argument(fit):
    shown = inspect.signature(fit).parameters
    assert list(shown)[:2] == ["sentences", "min_count"]
    assert {f.name for f in fields(Settings)} | {"on_progress", "checkpoint"} <= shown.keys()
    assert shown["alpha"].default == (0.05 if fit is train_skipgram else 0.2)
    for name in ("vector_size", "window", "negative", "epochs", "alpha", "workers"):
        assert name in train_skipgram.__doc__


@pytest.mark.parametrize(("name", "hint"), [
    ("size", "vector_size"), ("iter", "epochs"), ("sg", "两个函数"), ("vectorsize", "是不是 vector_size"),
    ("epoch", "是不是 epochs"), ("lr", "alpha"),
])
def test_a_wrong_name_is_answered_in_chinese(name, hint):
    with pytest.raises(TypeError, match=f"train_cbow 没有 {name} 这个参数；.*{hint}.*可用的有：min_count"):
        train_cbow(SENTENCES, **{name: 5})


def test_numpy_integers_are_integers():
    settings = Settings(vector_size=np.int64(5), window=np.int32(2), epochs=np.uint8(3))
    assert settings == Settings(vector_size=5, window=2, epochs=3) and type(settings.vector_size) is int
    with pytest.raises(ValueError, match="window 应为不小于 1 的整数，收到 True"):
        Settings(window=True)


@pytest.mark.parametrize(("sentences", "message"), [
    ([["词"]] * 50, "没有一对邻居：50 个词次，每句都只剩一个词"),
    ([["好"] * 3] * 5, "一步也没有训练.*sample=0"),
])
def test_nothing_to_train_is_an_error_not_a_random_vector(sentences, message):
    with pytest.raises(NothingTrained, match=message):
        train_skipgram(sentences, min_count=1)
    assert len(train_skipgram([["好", "坏"]] * 5, min_count=1, sample=0, epochs=1)) == 2


def test_a_device_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for name, message in (("cuda", "在这台机器上用不了"), ("cuda:1", "用不了"), ("gpu", "应为 'cpu'"),
                          ("meta", "用不了")):
        with pytest.raises(ValueError, match=f"device.*{message}"):
            Settings(device=name)


def test_tables_too_large_for_the_shared_memory(monkeypatch):
    def refuse(self):
        raise RuntimeError("unable to allocate shared memory(shm)")

    monkeypatch.setattr(torch.Tensor, "share_memory_", refuse)
    with pytest.raises(ValueError, match=r"共享内存放不下两张表.*workers=1.*--shm-size"):
        train_skipgram(SENTENCES, min_count=1, workers=2)


def test_the_device_may_change_when_training_goes_on(tmp_path):
    """设备不是设定：用显卡存下的检查点，可以在 CPU 上做完。"""
    corpus = encode_corpus(SENTENCES, min_count=1)
    first = word2vec_train._setting("cbow", corpus, Settings(device="cpu"), 1)
    assert "device" not in first and first["window"] == 5
