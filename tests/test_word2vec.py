"""word2vec 的参考实现：训练对对照逐句的滑动窗口，概率对照 gensim，梯度对照 torch 与有限差分。

只与负采样有关的，在 test_word2vec_negative.py。
"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F

from textseq import gradcheck, sequences, word2vec
from textseq.sequences import sliding_windows

SHAPE = {"V": 9, "E": 4, "B": 7, "window": 3, "K": 10}  # 各不相同，轴弄错就会露馅；只用 4 个词，必有重复
SQUARE = {"V": 5, "E": 5, "B": 5, "window": 2, "K": 4}  # 方阵：转置不会报错，只会算错
SOFTMAX = {"Skip-gram": word2vec.skipgram_softmax, "CBOW": word2vec.cbow_softmax}
NEGATIVE = {"Skip-gram 负采样": word2vec.skipgram_negative, "CBOW 负采样": word2vec.cbow_negative}
MODELS = SOFTMAX | NEGATIVE
COUNTS = [0, 0, 9000, 4000, 700, 250, 40, 9, 1]
few = settings(max_examples=25)
SENTENCES = st.lists(st.lists(st.integers(2, 6), max_size=8), max_size=5)
SEEDS = st.none() | st.integers(0, 99)


def make_rng(seed):
    return None if seed is None else np.random.default_rng(seed)


# 训练对

@given(SENTENCES, st.integers(1, 9), SEEDS)
def test_pairs_are_those_of_the_sliding_windows(sentences, window, seed):
    """同一串随机数，逐句滑动与整批计算，词对和次序都相同；CBOW 的每行去掉空位也相同。"""
    rng = make_rng(seed)
    windows = [w for s in sentences for w in sliding_windows(s, window, rng) if w[1]]
    ids, sentence = sequences.flatten(sentences)
    pairs = word2vec.skipgram_pairs(ids, sentence, window, make_rng(seed))
    assert np.stack(pairs, axis=1).tolist() == [[c, o] for c, context in windows for o in context]
    contexts, centers = word2vec.cbow_windows(ids, sentence, window, make_rng(seed))
    assert contexts.shape == (len(windows), 2 * window)
    assert [(c, row[row > 0].tolist()) for c, row in zip(centers, contexts, strict=True)] == windows
    assert {a.dtype for a in (ids, sentence, *pairs, contexts, centers)} == {np.dtype(np.int32)}


@given(st.lists(st.integers(0, 7), min_size=1, max_size=6), st.integers(1, 9), SEEDS)
def test_pairs_never_cross_a_sentence(lengths, window, seed):
    """每个位置一个独有的编号，编号本身就说明它在哪一句。"""
    sentence = np.repeat(np.arange(len(lengths)), lengths)
    ids = np.arange(2, 2 + len(sentence))
    centers, contexts = word2vec.skipgram_pairs(ids, sentence, window, make_rng(seed))
    np.testing.assert_array_equal(sentence[centers - 2], sentence[contexts - 2])
    assert (np.abs(centers - contexts) <= window).all() and (centers != contexts).all()
    if seed is None:
        assert len(centers) == sum(2 * (n - d) for n in lengths for d in range(1, min(window, n - 1) + 1))


def test_columns_of_cbow_windows_are_positions():
    contexts, centers = word2vec.cbow_windows([5, 6, 7, 8, 9], [0, 0, 0, 1, 2], 2)
    assert contexts.tolist() == [[0, 0, 6, 7], [0, 5, 7, 0], [5, 6, 0, 0]] and centers.tolist() == [5, 6, 7]


def test_number_of_dynamic_pairs_against_the_exact_expectation():
    """一个方向上相距 d 的一对，取到的概率是 (window - d + 1) / window。"""
    lengths, window, rounds = [1, 2, 3, 8, 20], 5, 400
    ids, sentence = sequences.flatten([[2] * n for n in lengths])
    rng = np.random.default_rng(0)
    found = [len(word2vec.skipgram_pairs(ids, sentence, window, rng)[0]) for _ in range(rounds)]
    expected = sum(2 * (n - d) * (window - d + 1) / window
                   for n in lengths for d in range(1, min(window, n - 1) + 1))
    assert abs(np.mean(found) - expected) < 4 * np.std(found) / rounds ** 0.5
    assert np.std(found) / rounds ** 0.5 < expected / 200  # 误差条够短，差百分之二就看得出


def test_flatten_numbers_the_sentences_and_drops_pad_and_unk():
    ids, sentence = sequences.flatten(iter([[5, 1, 2], [], [0, 1], np.array([3, 0])]))
    assert ids.tolist() == [5, 2, 3] and sentence.tolist() == [0, 0, 3]
    assert [a.shape for a in sequences.flatten([])] == [(0,), (0,)]


# 降采样与噪声分布

def test_keep_probability_by_hand():
    counts = [0, 0, 4, 16, 80]  # 总共 100；sample 取 0.04
    keep = word2vec.keep_probability(counts, sample=0.04)
    np.testing.assert_allclose(keep, [1, 1, 1, 0.5 + 0.25, 0.05 ** 0.5 + 0.05])
    paper = np.sqrt(0.04 / 0.16)
    assert keep[3] > paper == 0.5  # 比论文的公式留得多


def gensim_model(**arguments):
    from gensim.models import Word2Vec
    model = Word2Vec(min_count=1, vector_size=2, **arguments)
    model.build_vocab_from_freq({f"词{i}": n for i, n in enumerate(COUNTS) if n})
    return model


@pytest.mark.parametrize("sample", [1e-1, 1e-3, 1e-5])
def test_keep_probability_equals_gensim(sample):
    model = gensim_model(sample=sample)
    theirs = [model.wv.get_vecattr(f"词{i}", "sample_int") / 2 ** 32 for i, n in enumerate(COUNTS) if n]
    np.testing.assert_allclose(word2vec.keep_probability(COUNTS, sample)[2:], theirs, atol=1e-9)


@pytest.mark.parametrize("exponent", [0.75, 1.0, 0.5])
def test_noise_distribution_equals_gensim(exponent):
    model = gensim_model(ns_exponent=exponent)
    mine = np.cumsum(word2vec.noise_distribution(COUNTS, exponent)[2:])
    np.testing.assert_allclose(mine, model.cum_table / model.cum_table[-1], atol=1e-9)


def test_noise_distribution_by_hand():
    counts = [0, 0, 81, 16, 1]
    np.testing.assert_allclose(word2vec.noise_distribution(counts), np.array([0, 0, 27, 8, 1]) / 36)
    np.testing.assert_allclose(word2vec.noise_distribution(counts, 1), np.array([0, 0, 81, 16, 1]) / 98)
    np.testing.assert_allclose(word2vec.noise_distribution(counts, 0), np.array([0, 0, 1, 1, 1]) / 3)


def test_subsampling_keeps_the_expected_fraction_of_each_word():
    rng = np.random.default_rng(0)
    ids = rng.permutation(np.repeat([2, 3, 4, 5], 20_000))
    keep = np.array([1, 1, 0, 0.1, 0.6, 1])
    kept = word2vec.subsample(ids, keep, rng)
    assert kept.dtype == bool and kept.shape == ids.shape
    counts = np.bincount(ids[kept], minlength=6)[2:]
    assert (np.abs(counts - 20_000 * keep[2:]) <= 4 * np.sqrt(20_000 * keep[2:] * (1 - keep[2:]))).all()


def test_subsampling_treats_every_occurrence_by_itself():
    """同一个词的前后两次出现互不相干，位置也不影响机会；换一颗种子就换一批。"""
    ids, keep = np.full(40_000, 2), np.array([1, 1, 0.3])
    kept = word2vec.subsample(ids, keep, np.random.default_rng(1))
    both = (kept[1:] & kept[:-1]).mean()
    assert abs(both - 0.09) < 0.01 and abs(kept[:20_000].mean() - kept[20_000:].mean()) < 0.02
    np.testing.assert_array_equal(kept, word2vec.subsample(ids, keep, np.random.default_rng(1)))
    assert (kept != word2vec.subsample(ids, keep, np.random.default_rng(2))).any()


# 损失与梯度

def make_problem(model, V, E, B, window, K, seed=0):
    """两张随机的表，和一批只用到少数几个词的样本：同一批里、同一个窗口里都有重复的词。

    样本是（已知的词，要猜的词），负采样再加（负样本），与函数的参数次序相同。
    """
    rng = np.random.default_rng(seed)
    tables = {"embedding": rng.normal(size=(V, E)), "context": rng.normal(size=(V, E))}
    few_words = rng.choice(np.arange(1, V), min(4, V - 1), replace=False)
    answers = rng.choice(few_words, B)
    if model.startswith("Skip-gram"):
        given, answers = answers, rng.choice(few_words, B)
    else:
        given = rng.choice(few_words, (B, 2 * window)) * (rng.random((B, 2 * window)) < 0.7)
        given[:, window] = given[:, 0] = few_words[0]  # 每行至少一个词，并且重复
    if model in SOFTMAX:
        return tables, (given, answers)
    negatives = rng.choice(few_words, (B, K))
    negatives[:, :2] = answers[:, None]  # 抽到了真的词，还抽到两次
    return tables, (given, answers, negatives)


def run(model, tables, batch):
    return MODELS[model](tables["embedding"], tables["context"], *batch)


def gradients(model, tables, batch):
    step = run(model, tables, batch)
    return {"dembedding": step.dembedding, "dcontext": step.dcontext}


def slopes(model, tables, batch):
    found = gradcheck.finite_differences(lambda a: run(model, a, batch).loss, tables)
    return {f"d{name}": g for name, g in found.items()}


def torch_answer(model, tables, batch):
    """torch 自己的查表、平均（padding_idx 不算在内）、交叉熵与二元交叉熵。"""
    leaf = {name: torch.tensor(a, requires_grad=True) for name, a in tables.items()}
    given, answers, *negatives = map(torch.tensor, batch)
    v = (F.embedding(given, leaf["embedding"]) if given.ndim == 1
         else F.embedding_bag(given, leaf["embedding"], mode="mean", padding_idx=0))
    scores = v @ leaf["context"].T
    if model in SOFTMAX:
        loss = F.cross_entropy(scores, answers)
    else:  # 每个样本先对整个词表打分，再挑出 1 + K 个
        chosen = scores.gather(1, torch.hstack([answers[:, None], *negatives]))
        label = torch.zeros_like(chosen).index_fill(1, torch.tensor(0), 1)
        loss = F.binary_cross_entropy_with_logits(chosen, label, reduction="sum") / len(answers)
    loss.backward()
    return loss.item(), {f"d{name}": a.grad.numpy() for name, a in leaf.items()}


def assert_right(model, shape, seed=0):
    tables, batch = make_problem(model, **shape, seed=seed)
    mine = gradients(model, tables, batch)
    loss, by_torch = torch_answer(model, tables, batch)
    assert abs(run(model, tables, batch).loss - loss) < 1e-10
    assert gradcheck.largest(gradcheck.compare(mine, by_torch)) < 1e-12
    assert gradcheck.largest(gradcheck.compare(mine, slopes(model, tables, batch))) < 1e-8


all_models = pytest.mark.parametrize("model", MODELS)


@all_models
@pytest.mark.parametrize("shape", [SHAPE, SQUARE, {"V": 2, "E": 1, "B": 1, "window": 1, "K": 0}])
@pytest.mark.parametrize("seed", range(3))
def test_both_gradients(model, shape, seed):
    assert_right(model, shape, seed)


@all_models
@few
@given(shape=st.fixed_dictionaries({"V": st.integers(2, 7), "E": st.integers(1, 5), "B": st.integers(1, 8),
                                    "window": st.integers(1, 3), "K": st.integers(0, 4)}),
       seed=st.integers(0, 999))
def test_both_gradients_for_any_shape(model, shape, seed):
    assert_right(model, shape, seed)


@all_models
def test_a_batch_is_the_mean_of_its_samples(model):
    """第 b 个样本重复 times[b] 次，等于给它一个随机的上游梯度：整批是各个样本的加权平均。"""
    tables, batch = make_problem(model, **SHAPE)
    times = np.random.default_rng(5).integers(1, 6, SHAPE["B"])
    whole = run(model, tables, [np.repeat(a, times, axis=0) for a in batch])
    single = [run(model, tables, [a[[b]] for a in batch]) for b in range(SHAPE["B"])]
    for mine, parts in zip(whole, zip(*single, strict=True), strict=True):
        mean = sum(n * p for n, p in zip(times, parts, strict=True)) / times.sum()
        np.testing.assert_allclose(mine, mean, atol=1e-14)


@all_models
def test_only_the_rows_looked_up_get_a_gradient(model):
    tables, (given, *others) = make_problem(model, **SHAPE)
    step = run(model, tables, (given, *others))
    assert set(np.flatnonzero(step.dembedding.any(axis=1))) == set(given[given > 0])
    assert step.dembedding[0].tolist() == [0] * SHAPE["E"]  # 正好是 0，不是很小
    used = set(range(SHAPE["V"])) if model in SOFTMAX else {i for ids in others for i in ids.flat}
    assert set(np.flatnonzero(step.dcontext.any(axis=1))) == used  # softmax 的分母用到每一行


@pytest.mark.parametrize("kind", [SOFTMAX, NEGATIVE], ids=["softmax", "负采样"])
def test_skipgram_is_cbow_with_a_single_context_word(kind):
    skipgram, cbow = kind
    tables, (centers, *others) = make_problem(skipgram, **SHAPE)
    one = run(skipgram, tables, (centers, *others))
    two = run(cbow, tables, (np.stack([centers, 0 * centers], axis=1), *others))
    for a, b in zip(one, two, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-15)


def test_cbow_averages_the_words_and_never_the_padding():
    tables, _ = make_problem("CBOW", **SHAPE)
    tables["embedding"][0] = 1e6  # <pad> 的行不论是什么
    step = word2vec.cbow_softmax(**tables, contexts=[[0, 3, 5, 0, 3]], centers=[2])
    mean = (2 * tables["embedding"][3] + tables["embedding"][5]) / 3
    scores = tables["context"] @ mean
    assert step.loss == pytest.approx(np.log(np.exp(scores).sum()) - scores[2])
    np.testing.assert_allclose(step.dembedding[3], 2 * step.dembedding[5])


@all_models
def test_huge_scores_do_not_overflow(model):
    tables, batch = make_problem(model, **SHAPE)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        step = MODELS[model](tables["embedding"] * 1e3, tables["context"] * 1e3, *batch)
    assert np.isfinite(step.loss) and np.isfinite(step.dembedding).all() and np.isfinite(step.dcontext).all()
    zeros = np.zeros((9, 4))
    guessing = np.log(9) if model in SOFTMAX else 11 * np.log(2)  # 全靠瞎猜：log V 奈特，或 1 + K 次抛硬币
    assert MODELS[model](zeros, zeros, *batch).loss == pytest.approx(guessing)


@all_models
def test_keeps_dtype_and_leaves_arguments_alone(model):
    tables, batch = make_problem(model, **SHAPE)
    tables = {name: a.astype(np.float32) for name, a in tables.items()}
    before = [a.copy() for a in (*tables.values(), *batch)]
    step = run(model, tables, batch)
    assert type(step.loss) is float and step.dembedding.dtype == step.dcontext.dtype == np.float32
    for a, b in zip((*tables.values(), *batch), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_training_reaches_the_frequencies_of_the_corpus():
    """E 够大时，最好的 p(o | c) 就是语料里数出来的频率，损失降到条件熵。"""
    ids, sentence = sequences.flatten([[2, 3, 2, 4, 4], [3, 4, 3, 3], [2, 2, 3]])
    centers, contexts = word2vec.skipgram_pairs(ids, sentence, 1)
    counts = np.zeros((5, 5))
    np.add.at(counts, (centers, contexts), 1)
    p = counts[2:] / counts[2:].sum(axis=1, keepdims=True)
    entropy = -np.log(p[centers - 2, contexts]).mean()
    embedding, context = np.random.default_rng(0).normal(size=(2, 5, 5))
    for _ in range(3000):
        step = word2vec.skipgram_softmax(embedding, context, centers, contexts)
        embedding, context = embedding - 0.3 * step.dembedding, context - 0.3 * step.dcontext
    assert entropy <= step.loss < entropy + 0.002
    scores = np.exp(embedding[2:] @ context.T)
    np.testing.assert_allclose(scores / scores.sum(axis=1, keepdims=True), p, atol=0.01)


# 报错

TABLE = np.ones((6, 3))


@pytest.mark.parametrize(("call", "message"), [
    (lambda w: w.keep_probability([0, 0]), "counts 应为一串词频，没有负数，不全是 0"),
    (lambda w: w.keep_probability([0, 0, -3]), "没有负数.*Vocab.counts"),
    (lambda w: w.noise_distribution([[1, 2]]), "counts 应为一串词频"),
    (lambda w: w.noise_distribution(["词"]), "counts 应为一串词频"),
    (lambda w: w.keep_probability([0, 0, 3], 0), "sample 应大于 0，收到 0；不想降采样"),
    (lambda w: w.subsample([2, 5], [1, 1, 1], None), "ids 里的编号 5 不在 0…2 之内；这些编号.*另一个词表"),
    (lambda w: w.subsample([-1], [1, 1, 1], None), "编号 -1 不在 0…2 之内"),
    (lambda w: sequences.flatten([[2], ["词"]]), "第 2 条应为一串整数编号.*Vocab.encode"),
    (lambda w: sequences.flatten([2, 3]), "第 1 条应为一串整数编号，收到 '2'"),
    (lambda w: sequences.flatten([[2, -1]]), "编号 -1 不在 0…"),
    (lambda w: w.skipgram_pairs([2, 3], [0, 0], 0), "window 应为不小于 1 的整数，收到 0"),
    (lambda w: w.skipgram_pairs([2, 0], [0, 0], 1), "ids 里的编号 0 不在 1….*0 是 <pad>，不是词"),
    (lambda w: w.skipgram_pairs([[2, 3]], [[0, 0]], 1), r"ids 应为 1 维的整数数组，收到.*形状 \(1, 2\)"),
    (lambda w: w.skipgram_pairs([2.0, 3.0], [0, 0], 1), "收到 float64"),
    (lambda w: w.skipgram_pairs([2, 3], [0], 1), r"sentence 应与 ids 同形 \(2,\).*形状 \(1,\)；请用 flatten"),
    (lambda w: w.cbow_windows([2, 3, 4], [0, 1, 0], 1), "从小到大，收到 .0 1 0."),
    (lambda w: w.skipgram_softmax(TABLE, TABLE[:5], [2], [3]), r"\(V, E\)，收到 \(6, 3\) 与 \(5, 3\)"),
    (lambda w: w.skipgram_softmax(TABLE[0], TABLE[0], [2], [3]), r"收到 \(3,\) 与 \(3,\)"),
    (lambda w: w.skipgram_softmax(TABLE, TABLE, [2, 3], [3]), "应一样长，至少有一个样本，收到 2 与 1 个"),
    (lambda w: w.skipgram_softmax(TABLE, TABLE, [], []), "收到 0 与 0 个"),
    (lambda w: w.skipgram_softmax(TABLE, TABLE, [2], [6]), "contexts 里的编号 6 不在 1…5 之内"),
    (lambda w: w.skipgram_softmax(TABLE, TABLE, [-1], [2]), "centers 里的编号 -1 不在 1…5 之内"),
    (lambda w: w.skipgram_softmax(TABLE, TABLE, [2], [0]), "contexts 里的编号 0.*0 是 <pad>"),
    (lambda w: w.skipgram_softmax(TABLE, TABLE, [2], [[3]]), r"contexts 应为 1 维.*形状 \(1, 1\)"),
    (lambda w: w.cbow_softmax(TABLE, TABLE, [2, 3], [4]), r"contexts 应为 2 维的整数数组"),
    (lambda w: w.cbow_softmax(TABLE, TABLE, [[2, 0], [0, 0]], [4, 4]), r"contexts\[1\] 没有上下文词"),
    (lambda w: w.cbow_softmax(TABLE, TABLE, [[2, 3]], [0]), "centers 里的编号 0 不在 1…5"),
    (lambda w: w.cbow_softmax(TABLE, TABLE, [[2, -3]], [4]), "contexts 里的编号 -3 不在 0…5"),
])
def test_bad_input_is_answered_in_chinese(call, message):
    with pytest.raises(ValueError, match=message):
        call(word2vec)
