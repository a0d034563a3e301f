"""word2vec：从语料里取训练对，再算两张表的梯度。只用 NumPy，写给人读；快的训练在 word2vec_fast.py。
第 04–07 章。

一轮的训练对这样来；每一轮换新的随机数，重做后两行：

    ids, sentence = flatten(vocab.encode(words) for words in sentences)
    kept = subsample(ids, keep_probability(vocab.counts), rng)
    centers, contexts = skipgram_pairs(ids[kept], sentence[kept], window, rng)

两张表都是 (V, E)：词向量表 embedding 的第 w 行是 v_w，上下文表 context 的第 w 行是 u_w。

    Skip-gram   中心词 c 猜上下文词 o：       p(o | c) = exp(v_c·u_o) / Σ_w exp(v_c·u_w)
    CBOW        上下文词的平均 v̄ 猜中心词 c：  p(c | v̄) = exp(v̄·u_c) / Σ_w exp(v̄·u_w)

分母要算遍整个词表。负采样只判断真假：h 是 v_c 或 v̄，o 是真的词，k 是抽来的 K 个词，一个样本的
损失是 -log σ(h·u_o) - Σ_k log σ(-h·u_k)。K 不同，损失就不能互相比较。

出处：Mikolov et al., Efficient Estimation of Word Representations in Vector Space, 2013；
降采样、噪声分布与负采样：Mikolov et al., Distributed Representations of Words and Phrases, 2013。
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from textseq.sequences import PAD_ID, draw_reach
from textseq.shapes import check_ids

__all__ = ["LossAndGradients", "cbow_negative", "cbow_softmax", "cbow_windows", "draw_negatives",
           "keep_probability", "noise_distribution", "skipgram_negative", "skipgram_pairs",
           "skipgram_softmax", "subsample"]


class LossAndGradients(NamedTuple):
    """一批样本的平均损失（奈特），和它对两张表的梯度。"""
    loss: float
    dembedding: np.ndarray  # (V, E)，没有查到的行全是 0
    dcontext: np.ndarray    # (V, E)；负采样只查到几行，softmax 用到每一行


def keep_probability(counts: Sequence[int], sample: float = 1e-3) -> np.ndarray:
    """高频词降采样：每个词留下的概率。f 是词频除以总词数，f 比 sample 大得越多，留得越少。

    论文写的是 √(sample / f)；word2vec 的 C 程序和 gensim 再加上 sample / f，这里照它们的。
    形状：(V,) → (V,)。异常：词频不是一串非负的数，或 sample 不大于 0，ValueError。

    >>> keep_probability([900, 90, 10], sample=0.01).round(2)
    array([0.12, 0.44, 1.  ])
    """
    counts = _check_counts(counts)
    if not sample > 0:
        raise ValueError(f"sample 应大于 0，收到 {sample!r}；不想降采样，就不要调用 subsample")
    ratio = np.divide(sample * counts.sum(), counts, out=np.ones_like(counts), where=counts > 0)
    return np.minimum(np.sqrt(ratio) + ratio, 1)


def subsample(ids: np.ndarray, keep: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """按每个词留下的概率抽签，留下的位置为 True。形状：ids (N,)，keep (V,) → (N,)，bool。

    先丢词、后取窗口：剩下的词靠拢了，同样的窗口看得更远。

    >>> ids = np.array([2, 3, 2, 4])
    >>> keep = np.array([1, 1, 0, 1, 1])  # 2 号词一个也不留
    >>> ids[subsample(ids, keep, np.random.default_rng(0))].tolist()
    [3, 4]
    """
    ids = check_ids("ids", ids, len(keep), low=0)
    return rng.random(len(ids)) < np.asarray(keep)[ids]


def noise_distribution(counts: Sequence[int], exponent: float = 0.75) -> np.ndarray:
    """噪声分布：概率与词频的 exponent 次方成正比，词频为 0 的得 0。形状：(V,) → (V,)，和为 1。

    异常：词频不是一串非负的数，ValueError。

    >>> noise_distribution([0, 0, 16, 1]).round(3)  # 词频差 16 倍，抽到的机会只差 8 倍
    array([0.   , 0.   , 0.889, 0.111])
    """
    counts = _check_counts(counts)
    weights = np.power(counts, exponent, out=np.zeros_like(counts), where=counts > 0)
    return weights / weights.sum()


def draw_negatives(noise: np.ndarray, shape: int | tuple[int, ...],
                   rng: np.random.Generator) -> np.ndarray:
    """照噪声分布抽负样本的编号，每一步都重新抽。形状：noise (V,) → shape，通常是 (B, K)。

    >>> noise = noise_distribution([0, 0, 16, 1])
    >>> draw_negatives(noise, (2, 5), np.random.default_rng(0)).tolist()
    [[2, 2, 2, 2, 2], [3, 2, 2, 2, 3]]
    """
    cumulative = np.cumsum(noise)  # 末项有舍入误差，不正好是 1，所以随机数乘上它
    draws = rng.random(shape) * cumulative[-1]
    ascending, ids = np.argsort(draws, axis=None), np.empty(draws.size, dtype=np.int64)
    # 从小到大查，快一倍
    ids[ascending] = np.searchsorted(cumulative, draws.flat[ascending], side="right")
    return ids.reshape(draws.shape)


def skipgram_pairs(ids: np.ndarray, sentence: np.ndarray, window: int,
                   rng: np.random.Generator | None = None) -> tuple[np.ndarray, np.ndarray]:
    """全部训练对：中心词，和它的一个上下文词；从不跨句。给了 rng 就是动态窗口。

    与逐句调用 sequences.sliding_windows 的结果相同，次序也相同，所以训练之前请打乱。
    形状：ids、sentence (N,) → centers (P,)，contexts (P,)。异常：同 cbow_windows。

    >>> ids, sentence = np.array([2, 3, 4, 5]), np.array([0, 0, 0, 1])
    >>> centers, contexts = skipgram_pairs(ids, sentence, window=1)
    >>> list(zip(centers.tolist(), contexts.tolist()))  # 5 号词自成一句，没有邻居
    [(2, 3), (3, 2), (3, 4), (4, 3)]
    """
    contexts, centers = cbow_windows(ids, sentence, window, rng)
    real = contexts != PAD_ID
    return np.repeat(centers, real.sum(axis=1)), contexts[real]


def cbow_windows(ids: np.ndarray, sentence: np.ndarray, window: int,
                 rng: np.random.Generator | None = None) -> tuple[np.ndarray, np.ndarray]:
    """每个中心词的上下文词排成一行，从左到右，空位是 0；没有上下文词的中心词不要。

    形状：ids、sentence (N,) → contexts (M, 2 * window)，centers (M,)，M ≤ N。
    异常：window 不是正整数，编号里有 0，或 sentence 不是从小到大，ValueError。

    >>> contexts, centers = cbow_windows(np.array([2, 3, 4]), np.array([0, 0, 0]), window=2)
    >>> contexts.tolist(), centers.tolist()
    ([[0, 0, 3, 4], [0, 2, 4, 0], [2, 3, 0, 0]], [2, 3, 4])
    """
    ids, sentence = check_ids("ids", ids), np.asarray(sentence)
    if sentence.shape != ids.shape or (sentence[1:] < sentence[:-1]).any():
        raise ValueError(f"sentence 应与 ids 同形 {ids.shape}，并且从小到大，"
                         f"收到 {str(sentence)[:30]}，形状 {sentence.shape}；请用 flatten 得到")
    reach = draw_reach(len(ids), window, rng)
    contexts = np.zeros((len(ids), 2 * window), ids.dtype)
    for d in range(1, window + 1):  # 相距 d 的两个词：要在同一句，还要看得这么远
        same = sentence[d:] == sentence[:-d]
        contexts[d:, window - d] = ids[:-d] * (same & (reach[d:] >= d))
        contexts[:-d, window + d - 1] = ids[d:] * (same & (reach[:-d] >= d))
    some = contexts.any(axis=1)
    return contexts[some], ids[some]


def skipgram_softmax(embedding: np.ndarray, context: np.ndarray,
                     centers: np.ndarray, contexts: np.ndarray) -> LossAndGradients:
    """Skip-gram：由中心词猜上下文词，一对是一个样本。

    形状：两张表 (V, E)；centers、contexts (B,)。异常：形状不合，或编号不在 1…V-1，ValueError。

    >>> tables = np.zeros((4, 3)), np.zeros((4, 3))  # 全是 0：四个词机会一样
    >>> loss, dembedding, dcontext = skipgram_softmax(*tables, np.array([2]), np.array([3]))
    >>> round(loss, 4) == round(float(np.log(4)), 4), dcontext.shape
    (True, (4, 3))
    """
    centers, contexts = _check_batch(embedding, context, centers, contexts)
    loss, dv, dcontext = _guess(embedding[centers], context, contexts)
    return LossAndGradients(loss, _scatter(embedding, centers, dv), dcontext)


def cbow_softmax(embedding: np.ndarray, context: np.ndarray,
                 contexts: np.ndarray, centers: np.ndarray) -> LossAndGradients:
    """CBOW：由上下文词的平均猜中心词，一个窗口是一个样本；contexts 里的 0 是空位，不进平均。

    形状：两张表 (V, E)；contexts (B, 2 * window)，centers (B,)。
    异常：形状不合，编号不在 0…V-1（中心词不在 1…V-1），或某一行全是空位，ValueError。

    >>> tables = np.zeros((4, 3)), np.zeros((4, 3))
    >>> loss, *_ = cbow_softmax(*tables, np.array([[0, 2]]), np.array([3]))
    >>> round(loss, 4) == round(float(np.log(4)), 4)
    True
    """
    centers, contexts = _check_batch(embedding, context, centers, contexts, ndim=2)
    v, share = _average(embedding, contexts)
    loss, dv, dcontext = _guess(v, context, centers)
    return LossAndGradients(loss, _scatter(embedding, contexts, share * dv[:, None]), dcontext)


def skipgram_negative(embedding: np.ndarray, context: np.ndarray, centers: np.ndarray,
                      contexts: np.ndarray, negatives: np.ndarray) -> LossAndGradients:
    """Skip-gram 负采样：由中心词判断上下文词是真，negatives (B, K) 是假；其余同 skipgram_softmax。

    K = 0 时只有真的。抽来的词碰巧就是真的那个，也照样算一个假的；word2vec 的 C 程序会跳过它。

    >>> tables = np.zeros((5, 3)), np.zeros((5, 3))  # 一真两假，每个都是五成把握：3 log 2
    >>> loss, *_ = skipgram_negative(*tables, np.array([2]), np.array([3]), np.array([[4, 1]]))
    >>> round(loss, 4) == round(float(3 * np.log(2)), 4)
    True
    """
    centers, contexts = _check_batch(embedding, context, centers, contexts)
    loss, dv, dcontext = _judge(embedding[centers], context, contexts, negatives)
    return LossAndGradients(loss, _scatter(embedding, centers, dv), dcontext)


def cbow_negative(embedding: np.ndarray, context: np.ndarray, contexts: np.ndarray,
                  centers: np.ndarray, negatives: np.ndarray) -> LossAndGradients:
    """CBOW 负采样：由上下文词的平均判断中心词是真，negatives (B, K) 是假；其余同 cbow_softmax。

    >>> tables = np.zeros((5, 3)), np.zeros((5, 3))
    >>> loss, *_ = cbow_negative(*tables, np.array([[0, 2]]), np.array([3]), np.array([[4, 1]]))
    >>> round(loss, 4) == round(float(3 * np.log(2)), 4)
    True
    """
    centers, contexts = _check_batch(embedding, context, centers, contexts, ndim=2)
    v, share = _average(embedding, contexts)
    loss, dv, dcontext = _judge(v, context, centers, negatives)
    return LossAndGradients(loss, _scatter(embedding, contexts, share * dv[:, None]), dcontext)


def _average(embedding: np.ndarray, contexts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """上下文词的平均 (B, E)，和每格占平均的几分之几 (B, 2 * window, 1)；空位占 0。"""
    real = contexts != PAD_ID
    if not real.any(axis=1).all():
        raise ValueError(f"contexts[{real.any(axis=1).argmin()}] 没有上下文词；请用 cbow_windows 得到")
    share = (real / real.sum(axis=1, keepdims=True)).astype(embedding.dtype)[..., None]
    return (share * embedding[contexts]).sum(axis=1), share


def _scatter(table: np.ndarray, ids: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """每次查表的梯度加回那一行；写成 total[ids] += gradients，重复的词就只加了一次。"""
    total = np.zeros_like(table)
    np.add.at(total, ids, gradients)
    return total


def _guess(v: np.ndarray, context: np.ndarray,
           answers: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """由 v (B, E) 在整个词表里猜 answers (B,)：平均交叉熵，和它对 v、对上下文表的梯度。"""
    rows = np.arange(len(v))
    scores = v @ context.T  # (B, V)
    scores -= scores.max(axis=1, keepdims=True)  # 概率不变，exp 不会溢出
    log_p = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    dscores = np.exp(log_p)
    dscores[rows, answers] -= 1  # 概率减去答案
    dscores /= len(v)  # 损失是平均数
    return float(-log_p[rows, answers].mean()), dscores @ context, dscores.T @ v


def _judge(v: np.ndarray, context: np.ndarray, answers: np.ndarray,
           negatives: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """由 v (B, E) 判断 answers (B,) 是真、negatives (B, K) 是假：返回的三样同 _guess。"""
    negatives = check_ids("negatives", negatives, len(context), ndim=2)
    if len(negatives) != len(v):
        raise ValueError(f"negatives 应为 (B={len(v)}, K)，每个样本一行，收到 {negatives.shape}")
    words = np.column_stack([answers, negatives]).astype(int)  # (B, 1 + K)，第 0 列是真的
    label = np.arange(words.shape[1]) == 0
    u = context[words]  # (B, 1 + K, E)
    scores = np.einsum("be,bke->bk", v, u)
    # log σ(s) 与 log σ(-s)，不会溢出
    log_p, log_q = -np.logaddexp(0, -scores), -np.logaddexp(0, scores)
    dscores = (np.exp(log_p) - label) / len(v)  # 概率减去标签
    dcontext = _scatter(context, words, dscores[..., None] * v[:, None])
    loss = float(-np.where(label, log_p, log_q).sum() / len(v))
    return loss, np.einsum("bk,bke->be", dscores, u), dcontext


def _check_batch(embedding: np.ndarray, context: np.ndarray, centers: np.ndarray,
                 contexts: np.ndarray, ndim: int = 1) -> tuple[np.ndarray, np.ndarray]:
    V = len(embedding)
    if np.ndim(embedding) != 2 or np.shape(embedding) != np.shape(context):
        raise ValueError("embedding 与 context 应同为 (V, E)，"
                         f"收到 {np.shape(embedding)} 与 {np.shape(context)}")
    centers = check_ids("centers", centers, V)
    contexts = check_ids("contexts", contexts, V, low=2 - ndim, ndim=ndim)
    if not 0 < len(centers) == len(contexts):
        raise ValueError("centers 与 contexts 应一样长，至少有一个样本，"
                         f"收到 {len(centers)} 与 {len(contexts)} 个")
    return centers, contexts


def _check_counts(counts: Sequence[int]) -> np.ndarray:
    counts = np.asarray(counts)
    number = counts.ndim == 1 and counts.dtype.kind in "iuf"
    if not number or not (counts >= 0).all() or not counts.any():
        raise ValueError(f"counts 应为一串词频，没有负数，不全是 0，收到 {str(counts)[:30]}；"
                         "请用 Vocab.counts")
    return counts.astype(np.float64)
