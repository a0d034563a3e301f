"""word2vec 快速训练的一步：准备一批训练数据，更新两张表。第 07 章。

语料接成一串，每 16 个中心词一段，连同两侧的词取出来：16 个中心词与 16 + 2·window 个词两两求
点积，得到一张分数表，真邻居是表里的一条带子，带子以外权重为 0。每四段再合用一组负样本。
一步就只剩六次矩阵乘法（CBOW 八次）。
出处：Mikolov et al., Distributed Representations of Words and Phrases, 2013；共用负样本：
Ji et al., Parallelizing Word2Vec in Shared and Distributed Memory, 2016；等距抽样：
Madow & Madow, On the Theory of Systematic Sampling, 1944。
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from textseq.shapes import check_integer

__all__ = ["BLOCK", "GROUP", "STEP", "Batch", "Settings", "check_device", "make_batches",
           "neighbour_masks", "shared_negatives", "spread_negatives", "step_size", "update_tables",
           "window_weights"]

BLOCK = 16    # 一段有几个中心词
GROUP = 4     # 几段合用一组负样本
STEP = 8      # 一步至多更新几组
CROWD = 3     # 一个词在一步里更新的次数 × alpha 至多这么大，再多就缩小它的步子；是试出来的
SHARED = {"skipgram": 32, "cbow": 6}  # 一个负样本平均给几对真邻居当陪衬；是试出来的


@dataclass(frozen=True)
class Settings:
    """训练的设定，名字与 gensim 相同。

    alpha 是起始学习率，线性降到 min_alpha，大到一步会走过头时，步子不再随它变大（见 step_size）；
    sample=0 不降采样；negative=0 只有正样本。
    workers=1 时结果逐位可重复；多个工人同时改两张表，更快，但每次略有不同。
    异常：值不合理，或没有这个计算设备，ValueError。

    >>> Settings(window=3).window
    3
    """
    vector_size: int = 100
    window: int = 5
    negative: int = 5
    alpha: float = 0.05
    min_alpha: float = 1e-4
    sample: float = 1e-3
    ns_exponent: float = 0.75
    epochs: int = 5
    seed: int = 1
    workers: int = 1
    dtype: str = "float32"
    device: str = "cpu"

    def __post_init__(self) -> None:
        for name in ("vector_size", "window", "epochs", "workers", "negative", "seed"):
            least = 0 if name in ("negative", "seed") else 1
            object.__setattr__(self, name, check_integer(name, getattr(self, name), least))
        if not (self.alpha >= self.min_alpha >= 0 and self.sample >= 0):
            raise ValueError("应有 alpha ≥ min_alpha ≥ 0，sample ≥ 0，收到 "
                             f"alpha={self.alpha}，min_alpha={self.min_alpha}，sample={self.sample}")
        if self.dtype not in ("float32", "float64"):
            raise ValueError(f"dtype 应为 'float32' 或 'float64'，收到 {self.dtype!r}")
        check_device(self.device)


def check_device(name: str) -> None:
    """这台机器上有没有这个计算设备。异常：没有，或名字不对，ValueError。

    >>> check_device("cpu")
    """
    try:
        kind = torch.device(name).type
    except (RuntimeError, TypeError):
        raise ValueError(f"device 应为 'cpu'、'cuda' 或 'mps'，收到 {name!r}") from None
    ready = {"cpu": lambda: True, "cuda": torch.cuda.is_available,
             "mps": torch.backends.mps.is_available}
    if kind not in ready or not ready[kind]():
        raise ValueError(f"device={name!r} 在这台机器上用不了：没有这种设备，或装的是 CPU 版的 torch；"
                         "请改用 device='cpu'")


def shared_negatives(model: str, s: Settings) -> int:
    """一组共用几个负样本：太少，词向量就差；再多，只是更慢（data/choices）。

    >>> shared_negatives("skipgram", Settings()), shared_negatives("cbow", Settings())
    (60, 54)
    """
    return -(-_pairs(model, s) * GROUP * s.negative // SHARED[model])


def _pairs(model: str, s: Settings) -> int:
    """一段平均有几对真邻居；CBOW 的一对是一个窗口与它的中心词。"""
    return BLOCK * (s.window + 1 if model == "skipgram" else 1)


def step_size(model: str, counts: np.ndarray, noise: np.ndarray,
              s: Settings) -> tuple[int, torch.Tensor]:
    """一步更新几组，和每个词的步子再乘多少：两行，词向量表与上下文表，(2, V)。

    同一个词在一步里的几十次更新，都是照着更新之前的向量算的，次数太多，加起来就走过头了。
    各词平均都嫌多（词表很小），就减少组数；还有哪个词的次数 × alpha 超过 CROWD，步子照比例缩小，
    词表大时只有十几个常见词要缩。

    >>> counts, noise = np.array([0, 0, 5000, 4, 3]), np.array([0, 0, 0.5, 0.3, 0.2])
    >>> groups, pace = step_size("skipgram", counts, noise, Settings())
    >>> groups, pace[0].tolist()[3:]                   # 只有三个词：一步一组；少见的词照原样走
    (1, [1.0, 1.0])
    """
    p, K, pairs = counts / counts.sum(), s.negative, _pairs(model, s)
    group = GROUP * pairs * s.workers  # 几个工人同时各走一步，次数加在一起
    average = group * (1 + K) * (p ** 2).sum()  # 一组里，随便一个词次要更新几次
    groups = int(np.clip(2 * CROWD / (s.alpha * average), 1, STEP))
    once = np.array([[(1 + K) * pairs / BLOCK], [SHARED[model]]])  # 出现一次，就挤着更新这么多次
    updates = np.maximum(group * groups * np.stack(((1 + K) * p, p + K * noise)), once)
    pace = CROWD / np.maximum(s.alpha * updates, CROWD)
    return groups, torch.tensor(pace, dtype=getattr(torch, s.dtype), device=s.device)


def spread_negatives(noise: np.ndarray, n: int, M: int, rng: np.random.Generator) -> np.ndarray:
    """照噪声分布抽 n 组负样本，每组 M 个，隔相等的一段概率取一个，只有起点是随机的。

    每个词平均被抽到的次数与 draw_negatives 相同；一组里常见的、少见的各占多少却几乎不变，
    也少有重复，所以同样多的负样本，一步一步的出入小些。形状：noise (V,) → (n, M)。

    >>> noise = np.array([0, 0, 0.5, 0.25, 0.25])
    >>> spread_negatives(noise, 2, 4, np.random.default_rng(0)).tolist()
    [[2, 2, 3, 4], [2, 2, 3, 4]]
    """
    cumulative = np.cumsum(noise)
    draws = (np.arange(M) + rng.random((n, 1))) * (cumulative[-1] / max(M, 1))
    return np.searchsorted(cumulative, draws, side="right").clip(max=len(noise) - 1)


class Batch(NamedTuple):
    """一步的训练数据，N 组，n = N·GROUP 段，每段 S = BLOCK 个中心词，W = S + 2·window 个词。"""
    inputs: torch.Tensor         # 查词向量表的编号：Skip-gram 是中心词 (n, S)，CBOW 是所有词 (n, W)
    share: torch.Tensor | None   # CBOW 取平均时各占几分之几 (n, S, W)；Skip-gram 不用
    positives: torch.Tensor      # 查上下文表的编号：Skip-gram 是所有词 (n, W)，CBOW 是中心词 (n, S)
    near: torch.Tensor           # 是真的一对，1；不是一对的，0；Skip-gram (n, S, W)，CBOW (n, S, 1)
    negatives: torch.Tensor      # 查上下文表的编号：每组共用的负样本 (N, M)
    weight: torch.Tensor         # 每个中心词与一个负样本的分数，算几个样本 (N, GROUP·S, 1)


@lru_cache(maxsize=2)
def neighbour_masks(window: int, dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    """段里第几个中心词、左边（右边）取几个词 → 这一段的 W 个词里取哪几个，取的是 1。

    左右分开，两张表相加就是窗口；样子不多，事先算好，用的时候查。
    形状：→ 两个 (S · (window + 1), W)，第 s · (window + 1) + n 行是第 s 个中心词取 n 个词。

    >>> left, right = neighbour_masks(1, torch.float32)
    >>> left[3].int().tolist()[:4], right[3].int().tolist()[:4]    # 第 1 个中心词，左右各取一个
    ([0, 1, 0, 0], [0, 0, 0, 1])
    """
    offset = torch.arange(BLOCK + 2 * window) - window - torch.arange(BLOCK)[:, None, None]
    many = torch.arange(window + 1)[:, None]
    left, right = (offset >= -many) & (offset < 0), (offset <= many) & (offset > 0)
    return left.to(dtype).flatten(0, 1), right.to(dtype).flatten(0, 1)


def window_weights(model: str, left: torch.Tensor, right: torch.Tensor, width: int,
                   s: Settings) -> tuple[torch.Tensor | None, torch.Tensor, torch.Tensor]:
    """各个中心词左右各取几个词 → share、near 与 weight（见 Batch）；width 是窗口两侧留的格数。

    形状：left、right (n, S) → share (n, S, W) 或 None，near (n, S, W 或 1)，weight (N, GROUP·S, 1)。

    >>> left = right = torch.ones((GROUP, BLOCK), dtype=torch.long)
    >>> share, near, weight = window_weights("skipgram", left, right, 1, Settings(window=1))
    >>> near[0, 0, :4].tolist()          # 左右各一个真的
    [1.0, 0.0, 1.0, 0.0]
    >>> round(weight[0, 0].item() * shared_negatives("skipgram", Settings(window=1)))  # 各配五个假的
    10
    """
    dtype, M = getattr(torch, s.dtype), shared_negatives(model, s)
    row = torch.arange(BLOCK) * (width + 1)
    near, right_half = (F.embedding(row + n, mask) for n, mask in
                        zip((left, right), neighbour_masks(width, dtype), strict=True))
    near += right_half
    share, many = None, (left + right).to(dtype)[..., None]
    if model == "cbow":  # 一个窗口只是一对：平均数，与中心词
        share, many = near / many.clamp(min=1), (many > 0).to(dtype)
        near = many
    return share, near, (many * (s.negative / max(M, 1))).view(-1, GROUP * BLOCK, 1)


def make_batches(model: str, ids: np.ndarray, sentence: np.ndarray, keep: np.ndarray,
                 noise: np.ndarray, rng: np.random.Generator, s: Settings,
                 groups: int = STEP) -> list[Batch]:
    """一段语料 → 一步一步的训练数据：降采样，切段，打乱，动态窗口，抽负样本；一步 groups 组。

    形状：ids、sentence (n,) 是编号与第几句；keep、noise (V,) 是留下的概率与噪声分布。

    >>> ids, sentence = np.array([2, 3, 4]), np.zeros(3, int)
    >>> batch, = make_batches("skipgram", ids, sentence, np.ones(5), np.ones(5) / 5,
    ...                       np.random.default_rng(0), Settings(window=1))
    >>> block = batch.inputs[:, 0].tolist().index(2)     # 只有一段有词，段的次序打乱了
    >>> batch.inputs[block, :4].tolist(), batch.positives[block, :5].tolist()     # 0 是空位
    ([2, 3, 4, 0], [0, 2, 3, 4, 0])
    """
    S, M = BLOCK, shared_negatives(model, s)
    kept = rng.random(len(ids)) < keep[ids]
    ids, sentence = ids[kept], sentence[kept]
    if not len(ids):
        return []
    n = -(-len(ids) // (S * GROUP)) * GROUP
    order = rng.permutation(n)  # 同一篇文章翻来覆去用的几个词不要挤在一步里，所以各段打乱
    reach = rng.integers(1, s.window, (n, S), endpoint=True)
    left, right = (np.minimum(np.pad(many, (0, n * S - len(ids))).reshape(n, S)[order], reach)
                   for many in _words_beside(sentence))
    width = min(s.window, int(max(left.max(), right.max(), 1)))  # 句子都比窗口短，就不留那么多格
    share, near, weight = window_weights(model, torch.from_numpy(left), torch.from_numpy(right),
                                         width, s)

    padded = np.pad(ids.astype(np.int64), (width, n * S - len(ids) + width))
    words = torch.from_numpy(padded).unfold(0, S + 2 * width, S)[torch.from_numpy(order)]
    centers = words[:, width:-width].contiguous()
    inputs, positives = (centers, words) if model == "skipgram" else (words, centers)
    negatives = torch.from_numpy(spread_negatives(noise, n // GROUP, M, rng))
    batch = Batch(inputs, share, positives, near, negatives, weight)
    parts = [[None] * -(-n // (groups * GROUP)) if a is None else
             a.to(s.device).split(groups * GROUP * len(a) // n) for a in batch]
    return [Batch(*part) for part in zip(*parts, strict=True)]


def _words_beside(sentence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """每个词在自己那一句里，前面、后面各还有几个词。形状：(n,) → 两个 (n,)。"""
    starts = np.flatnonzero(np.diff(sentence, prepend=-1))
    lengths = np.diff(starts, append=len(sentence))
    before = np.arange(len(sentence)) - np.repeat(starts, lengths)
    return before, np.repeat(lengths, lengths) - 1 - before


def update_tables(E: torch.Tensor, C: torch.Tensor, batch: Batch, alpha: float,
                  pace: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """一步：改两张表里用到的行，返回答错的概率：真的当成假的 (n, S, W 或 1)，假的当成真的 (N, GROUP·S, M)。

    pace (2, V) 是每个词的步子再乘多少，见 step_size。

    >>> E, C = torch.zeros(5, 2), torch.ones(5, 2)
    >>> ids, sentence = np.array([2, 3, 4]), np.zeros(3, int)
    >>> batch, = make_batches("skipgram", ids, sentence, np.ones(5), np.ones(5) / 5,
    ...                       np.random.default_rng(0), Settings(window=1, negative=0))
    >>> wrong, fooled = update_tables(E, C, batch, 0.1, torch.ones(2, 5))
    >>> E[:, 0].tolist()                           # 中间的词有两个邻居，概率都是一半，走两个半步
    [0.0, 0.0, 0.05000000074505806, 0.10000000149011612, 0.05000000074505806]
    """
    inputs, share, positives, near, negatives, weight = batch
    skipgram = share is None
    x, u, v = (F.embedding(ids, table) for ids, table in (
        (inputs, E), (positives, C), (negatives, C)))
    h = x if skipgram else share @ x  # (n, S, E)
    crowd = h.view(len(negatives), -1, h.shape[2])  # 一组 GROUP·S 个中心词
    scores = h @ u.mT if skipgram else (h * u).sum(2, keepdim=True)
    wrong, fooled = torch.sigmoid(-scores), torch.sigmoid(crowd @ v.mT)
    good, bad = near * wrong, -weight * fooled  # 目标减去概率
    dh = good @ u if skipgram else good * u
    dh = torch.baddbmm(dh.view_as(crowd), bad, v).view_as(h)
    dx = dh if skipgram else share.mT @ dh
    du = good.mT @ h if skipgram else good * h
    for_E, for_C = alpha * pace
    for table, ids, change, rate in (
            (E, inputs, dx, for_E), (C, positives, du, for_C),
            (C, negatives, bad.mT @ crowd, for_C)):
        change *= rate.take(ids)[..., None]
        table.index_add_(0, ids.flatten(), change.flatten(0, 1))
    return wrong, fooled
