"""负采样：抽签对照分布，更新的行一行不多，只有正样本就坍缩，最优解是 PMI - log K，与快速训练的一步相同。

损失与梯度的核对同 softmax，在 test_word2vec.py。
"""

from collections import Counter

import numpy as np
import pytest
import torch

from textseq import sequences, word2vec, word2vec_fast
from textseq.vocab import encode_corpus

TABLES = np.random.default_rng(0).normal(size=(2, 20, 6))


def descend(model, tables, batch, steps, rate):
    """下降 steps 步；batch 是一个函数，每一步给出一批样本。"""
    embedding, context = tables
    for _ in range(steps):
        step = model(embedding, context, *batch())
        embedding, context = embedding - rate * step.dembedding, context - rate * step.dcontext
    return step.loss, np.stack([embedding, context])


# 抽负样本

def test_negatives_follow_the_noise_distribution():
    noise = word2vec.noise_distribution([0, 0, 900, 400, 0, 100, 25, 1, 0])
    drawn = word2vec.draw_negatives(noise, (40_000, 5), np.random.default_rng(0))
    assert drawn.shape == (40_000, 5) and drawn.dtype.kind == "i"
    for column in drawn.T:  # 每一列都是，不只是合起来
        found = np.bincount(column, minlength=9)
        assert (np.abs(found - 40_000 * noise) <= 4 * np.sqrt(40_000 * noise * (1 - noise))).all()
    pairs = Counter(map(tuple, drawn[:, :2].tolist()))
    assert abs(pairs[2, 3] / 40_000 - noise[2] * noise[3]) < 0.01  # 同一行的各个词互不相干


def test_drawing_equals_numpy_choice():
    noise = word2vec.noise_distribution([0, 0, 7, 3, 0, 3, 1])
    mine = word2vec.draw_negatives(noise, (500, 3), np.random.default_rng(1))
    np.testing.assert_array_equal(mine, np.random.default_rng(1).choice(7, (500, 3), p=noise))
    assert word2vec.draw_negatives(noise, (4, 0), np.random.default_rng(1)).shape == (4, 0)


@pytest.mark.parametrize("counts", [[0, 0, 5, 3, 0], [0, 0] + [1] * 49 + [0]])  # 49 个 1/49 加起来不到 1
def test_the_two_ends_of_the_draw_are_words(counts):
    """随机数取到最小的 0 与最大的 1 - 2⁻⁵³，也抽不到概率为 0 的词，更不会超出词表。"""
    class Ends:
        def random(self, shape):
            return np.resize([0, 1 - 2.0 ** -53], shape)

    ends = word2vec.draw_negatives(word2vec.noise_distribution(counts), 2, Ends())
    assert ends.tolist() == [2, len(counts) - 2]


# 损失

def test_the_loss_by_hand():
    """两个样本，三个词一个一个地算；第一个样本抽到了真的词，照样算。"""
    embedding, context = TABLES
    step = word2vec.skipgram_negative(embedding, context, [4, 5], [7, 8], [[7, 9], [2, 2]])

    def log_sigmoid(x):
        return -np.log(1 + np.exp(-x))

    first = log_sigmoid(embedding[4] @ context[7]) + log_sigmoid(-embedding[4] @ context[7])
    first += log_sigmoid(-embedding[4] @ context[9])
    second = log_sigmoid(embedding[5] @ context[8]) + 2 * log_sigmoid(-embedding[5] @ context[2])
    assert step.loss == pytest.approx(-(first + second) / 2, abs=1e-12)


def test_loss_and_gradients_where_sigmoid_is_0_or_1():
    """分数是 ±1000，σ 已经舍入成 0 或 1：判断全对，损失是 0；全错，每次判断的损失就是分数本身。"""
    embedding = np.ones((4, 1))
    context = np.array([0, 0, 1000, -1000.0])[:, None]
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        right = word2vec.skipgram_negative(embedding, context, [1], [2], [[3, 3]])
        wrong = word2vec.skipgram_negative(embedding, context, [1], [3], [[2, 2]])
    assert right.loss == 0 and not right.dembedding.any() and not right.dcontext.any()
    assert wrong.loss == 3000
    assert wrong.dcontext.ravel().tolist() == [0, 0, 2, -1] and wrong.dembedding[1] == 3000


# 更新哪几行

def changed(gradient):
    return set(np.flatnonzero(gradient.any(axis=1)).tolist())


@pytest.mark.parametrize("negatives", [[], [8], [8, 11, 3, 12, 19]])
def test_one_pair_changes_one_row_and_one_plus_k_rows(negatives):
    step = word2vec.skipgram_negative(*TABLES, [4], [7], [negatives])
    assert changed(step.dembedding) == {4} and changed(step.dcontext) == {7, *negatives}
    assert len(changed(step.dcontext)) == 1 + len(negatives)


@pytest.mark.parametrize("negatives", [[], [8], [8, 11, 3, 12, 19]])
def test_one_window_changes_its_rows_and_one_plus_k_rows(negatives):
    step = word2vec.cbow_negative(*TABLES, [[0, 5, 9, 5, 0, 14]], [7], [negatives])
    assert changed(step.dembedding) == {5, 9, 14} and changed(step.dcontext) == {7, *negatives}
    np.testing.assert_allclose(step.dembedding[[5, 14]], step.dembedding[[9, 9]] * [[2], [1]])


def test_a_negative_equal_to_the_true_word_counts():
    """正负各一次，推力是 σ(s) - 1 与 σ(s) 之和；负样本重复几次，就推几次。"""
    embedding, context = TABLES
    p = 1 / (1 + np.exp(-embedding[4] @ context[7]))
    step = word2vec.skipgram_negative(embedding, context, [4], [7], [[7, 7]])
    np.testing.assert_allclose(step.dcontext[7], (3 * p - 1) * embedding[4], atol=1e-14)
    np.testing.assert_allclose(step.dembedding[4], (3 * p - 1) * context[7], atol=1e-14)


# 只有正样本，就坍缩

@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("model", "samples"), [(word2vec.skipgram_negative, word2vec.skipgram_pairs),
                                                (word2vec.cbow_negative, word2vec.cbow_windows)])
def test_only_positives_collapse_and_negatives_rescue(model, samples, seed):
    """两组词，每句的词有六分之五出自同一组：只有正样本，所有的词挤到一个方向，分不出组来。

    两组要有来往；从不相邻的两组各自坍缩，方向不同。
    """
    rng = np.random.default_rng(seed)
    group = (np.arange(40)[:, None] % 2) ^ (rng.random((40, 8)) < 1 / 6)
    ids, sentence = sequences.flatten(2 + 6 * group + rng.integers(6, size=(40, 8)))
    batch = samples(ids, sentence, 2)
    noise = word2vec.noise_distribution(np.bincount(ids, minlength=14))
    start = 0.01 * rng.normal(size=(2, 14, 5))

    def train(K, tables, steps):
        def fresh():  # 每一步重新抽
            return *batch, word2vec.draw_negatives(noise, (len(batch[0]), K), rng)

        return descend(model, tables, fresh, steps, rate=1)

    def scores(tables):
        return tables[0, 2:] @ tables[1, 2:].T

    def cosines(tables):
        """不同的词两两的余弦：平均，和组内比两组之间高多少。"""
        unit = tables[0, 2:] / np.linalg.norm(tables[0, 2:], axis=1, keepdims=True)
        cosine, same = unit @ unit.T, np.arange(12)[:, None] // 6 == np.arange(12) // 6
        different = ~np.eye(12, dtype=bool)
        return cosine[different].mean(), cosine[same & different].mean() - cosine[~same].mean()

    loss, ones = train(0, start, 200)
    later_loss, later = train(0, ones, 200)
    assert abs(cosines(start)[0]) < 0.2 and loss > 3 * later_loss
    assert (scores(later) > scores(ones)).all() and (scores(ones) > scores(start) + 1).all()
    assert cosines(later)[0] > 0.99 and abs(cosines(later)[1]) < 0.02
    _, rescued = train(5, start, 400)
    assert cosines(rescued)[0] < 0.8 and cosines(rescued)[1] > 0.25
    assert scores(rescued).mean() < 0


# 最优解

@pytest.mark.parametrize("K", [1, 2, 5])
@pytest.mark.parametrize("uniform", [False, True])
def test_the_optimum_is_pmi_minus_log_k(K, uniform):
    """E 够大时，v·u = log p(o | c) / q(o) - log K，q 是噪声分布；q 取上下文词的频率，就是 PMI - log K。

    不抽签：每一对重复 P 次，每个噪声词各配一次，频率分毫不差。
    出处：Levy & Goldberg, Neural Word Embedding as Implicit Matrix Factorization, 2014。
    """
    ids, sentence = sequences.flatten([[2, 3, 2, 4, 4], [3, 4, 3, 3], [2, 2, 3]])
    centers, contexts = word2vec.skipgram_pairs(ids, sentence, 1)
    P = len(centers)  # 18
    noise = np.resize([2, 3, 4], P) if uniform else contexts
    rolled = np.stack([np.roll(noise, -k) for k in range(K)], axis=1)  # (P, K)，每一列都是全部噪声词
    batch = np.repeat(centers, P), np.repeat(contexts, P), np.tile(rolled, (P, 1))
    loss, (v, u) = descend(word2vec.skipgram_negative, TABLES[:, :5], lambda: batch, steps=500, rate=1)

    joint = np.zeros((5, 5))
    np.add.at(joint, (centers, contexts), 1 / P)
    joint, q = joint[2:, 2:], np.bincount(noise, minlength=5)[2:] / P
    p = joint.sum(axis=1, keepdims=True)
    best = np.log(joint / (p * q)) - np.log(K)
    np.testing.assert_allclose(v[2:] @ u[2:].T, best, atol=1e-8)
    expected = joint * np.logaddexp(0, -best) + K * p * q * np.logaddexp(0, best)
    assert loss == pytest.approx(expected.sum(), abs=1e-10)


# 快速训练

@pytest.mark.parametrize("K", [0, 5, 16])
@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_a_fast_step_is_the_same_step(model, K):
    """快速训练的一组共用 M 个负样本，每个乘上 K / M：梯度是没有负样本与有 M 个的加权平均。"""
    corpus = encode_corpus([[f"词{i * j % 7}" for j in range(1, 4 + i % 9)] for i in range(30)], 1)
    V, settings = len(corpus.vocab), word2vec_fast.Settings(window=3, negative=K, dtype="float64")
    noise = word2vec.noise_distribution(corpus.vocab.counts)
    fast = word2vec_fast.make_batches(model, corpus.ids, corpus.sentence, np.ones(V), noise,
                                      np.random.default_rng(2), settings)[0]
    tables = TABLES[:, :V]
    after = torch.from_numpy(tables.copy())
    word2vec_fast.update_tables(*after, fast, 0.1, torch.ones(2, V, dtype=torch.float64))

    inputs, share, positives, near, negatives, _ = (None if a is None else a.numpy() for a in fast)
    M = negatives.shape[1]
    block, s, r = np.nonzero(near)  # 每个正样本：第几段，第几个中心词，这一段的第几个正样本
    given = inputs[block, s] if model == "skipgram" else inputs[block] * (share[block, s] > 0)
    batch = given, positives[block, r if model == "skipgram" else s], negatives[block // word2vec_fast.GROUP]
    full = getattr(word2vec, f"{model}_negative")
    none, every = (full(*tables, *batch[:2], batch[2][:, :n]) for n in (0, M))
    for change, a, b in zip(after.numpy() - tables, none[1:], every[1:], strict=True):
        np.testing.assert_allclose(change, -0.1 * len(s) * (a + K / max(M, 1) * (b - a)), atol=1e-12)
        assert np.abs(change).max() > 0.01


# 报错

@pytest.mark.parametrize(("negatives", "message"), [
    ([[2], [3], [4]], r"negatives 应为 \(B=2, K\)，每个样本一行，收到 \(3, 1\)"),
    ([3, 4], r"negatives 应为 2 维的整数数组，收到 int64，形状 \(2,\)"),
    ([[3.0], [4.0]], "negatives 应为 2 维的整数数组，收到 float64"),
    ([[3], [0]], "negatives 里的编号 0.*0 是 <pad>，不是词"),
    ([[3], [20]], r"negatives 里的编号 20 不在 1…19 之内；这些编号.*另一个词表"),
    ([[3], [-1]], "negatives 里的编号 -1 不在 1…19"),
])
def test_bad_negatives_are_answered_in_chinese(negatives, message):
    for model, given in ((word2vec.skipgram_negative, [4, 5]), (word2vec.cbow_negative, [[4, 0], [5, 6]])):
        with pytest.raises(ValueError, match=message):
            model(*TABLES, given, [7, 8], negatives)


def test_the_known_words_are_checked_as_for_softmax():
    for call, message in (
            (lambda: word2vec.skipgram_negative(*TABLES, [4], [0], [[2]]), "contexts 里的编号 0"),
            (lambda: word2vec.skipgram_negative(TABLES[0], TABLES[1, :9], [4], [5], [[2]]), "应同为"),
            (lambda: word2vec.cbow_negative(*TABLES, [[0, 0]], [4], [[2]]), r"contexts\[0\] 没有上下文词"),
            (lambda: word2vec.cbow_negative(*TABLES, [[2, 3]], [0], [[2]]), "centers 里的编号 0")):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("dtype", [np.uint64, np.uint8, np.int32])
def test_any_integers_will_do(dtype):
    expected = word2vec.skipgram_negative(*TABLES, [4], [7], [[8, 9]])
    negatives = np.array([[8, 9]], dtype)
    mixed = word2vec.skipgram_negative(*TABLES, np.array([4], np.int8), np.array([7]), negatives)
    np.testing.assert_array_equal(mixed.dcontext, expected.dcontext)
