"""word2vec 快速训练的一步：准备一批训练数据，更新两张表。

语料接成一串，每 16 个中心词一段，连同两侧的词取出来：16 个中心词与 16 + 2·window 个词两两求
点积，得到一张分数表，真邻居是表里的一条带子，带子以外权重为 0。再并排放上这一段共用的
负样本，一步就只剩三次矩阵乘法（CBOW 五次）。
出处：Mikolov et al., Distributed Representations of Words and Phrases, 2013；共用负样本：
Ji et al., Parallelizing Word2Vec in Shared and Distributed Memory, 2016。
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from textseq.word2vec import draw_negatives

BLOCK = 16       # 一段有几个中心词
MAX_BLOCKS = 24  # 一步至多更新几段
CROWD = 8        # 最常见的词在一步里更新的次数 × alpha 至多这么大，各词平均至多五分之一；是试出来的


@dataclass(frozen=True)
class Settings:
    """训练的设定，名字与 gensim 相同。

    alpha 是起始学习率，线性降到 min_alpha；sample=0 不降采样；negative=0 只有正样本。
    workers=1 时结果逐位可重复；多个工人同时改两张表，更快，但每次略有不同。
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
            value, least = getattr(self, name), 0 if name in ("negative", "seed") else 1
            if not isinstance(value, int) or value < least:
                raise ValueError(f"{name} 应为不小于 {least} 的整数，收到 {value!r}")
        if not (self.alpha >= self.min_alpha >= 0 and self.sample >= 0):
            raise ValueError("应有 alpha ≥ min_alpha ≥ 0，sample ≥ 0，收到 "
                             f"alpha={self.alpha}，min_alpha={self.min_alpha}，sample={self.sample}")
        if self.dtype not in ("float32", "float64"):
            raise ValueError(f"dtype 应为 'float32' 或 'float64'，收到 {self.dtype!r}")


def shared_negatives(model: str, s: Settings) -> int:
    """一段共用几个负样本：每个平均只当十几对（CBOW 是五对）训练对的负样本，再少，一步就走过头了。"""
    return s.negative * (s.window + 1 if model == "skipgram" else 3)


def step_size(model: str, counts: np.ndarray, noise: np.ndarray, s: Settings) -> tuple[int, float]:
    """一步更新几段，和学习率再乘多少。

    同一个词在一步里的几十次更新，都是照着更新之前的向量算的，次数太多，加起来就走过头了。
    先减少段数，一段还嫌多（词表很小），再减小学习率。
    """
    p, K = counts / counts.sum(), s.negative
    pairs = BLOCK * (s.window + 1 if model == "skipgram" else 1)
    updates = pairs * np.maximum(p + K * noise, (1 + K) * p)  # 一段里，每个词的两行各更新几次，取多的
    most = CROWD / (s.alpha * max(updates.max(), 5 * (p * updates).sum()))  # 至多几段
    return int(np.clip(most, 1, MAX_BLOCKS)), min(1.0, most)


class Batch(NamedTuple):
    """一步的训练数据，N 段，每段 S = BLOCK 个中心词，W = S + 2·window 个词。"""
    inputs: torch.Tensor         # 查词向量表的编号：Skip-gram 是中心词 (N, S)，CBOW 是所有词 (N, W)
    share: torch.Tensor | None   # CBOW 取平均时各占几分之几 (N, S, W)；Skip-gram 不用
    rows: torch.Tensor           # 查上下文表的编号：正样本在前，共用的负样本在后 (N, R)
    label: torch.Tensor          # 目标：正样本 1，负样本 0 (N, 1, R)
    weight: torch.Tensor         # 每个分数算几个样本 (N, S, R)；不是一对的，权重是 0


@lru_cache(maxsize=2)  # 一次训练只用一份；窗口很宽时一份有几十 MB，不多留
def window_weights(model: str, s: Settings) -> tuple[torch.Tensor | None, torch.Tensor]:
    """窗口的每一种样子，share 与 weight 各是哪一行：(S, w+1, w+1, W) 与 (S, w+1, w+1, R)。

    前三维是段里第几个中心词，左边取几个词，右边取几个词；样子不多，事先算好，用的时候查。
    """
    S, w = BLOCK, s.window
    offset = torch.arange(S + 2 * w) - w - torch.arange(S)[:, None, None, None]
    left, right = torch.arange(w + 1)[:, None, None], torch.arange(w + 1)[:, None]
    near = (offset >= -left) & (offset <= right) & (offset != 0)
    near = near.to(getattr(torch, s.dtype))
    count = near.sum(3, keepdim=True)
    if model == "skipgram":
        share, positives = None, near
    else:
        share = near / count.clamp(min=1)
        positives = torch.eye(S, dtype=near.dtype)[:, None, None] * (count > 0)
    M = shared_negatives(model, s)
    negatives = positives.sum(3, keepdim=True) * (s.negative / max(M, 1))
    return share, torch.cat((positives, negatives.expand(-1, -1, -1, M)), 3)


def make_batches(model: str, ids: np.ndarray, sentence: np.ndarray, keep: np.ndarray, noise: np.ndarray,
                 rng: np.random.Generator, s: Settings, blocks: int = MAX_BLOCKS) -> list[Batch]:
    """一段语料 → 一步一步的训练数据：降采样，切段，打乱，动态窗口，抽负样本。"""
    S, W, M = BLOCK, BLOCK + 2 * s.window, shared_negatives(model, s)
    kept = rng.random(len(ids)) < keep[ids]
    ids, sentence = ids[kept], sentence[kept]
    if not len(ids):
        return []
    n = -(-len(ids) // S)
    order = rng.permutation(n)  # 同一篇文章翻来覆去用的几个词不要挤在一步里，所以各段打乱
    reach = rng.integers(1, s.window, (n, S), endpoint=True)
    starts = np.flatnonzero(np.diff(sentence, prepend=-1))
    lengths = np.diff(starts, append=len(ids))
    before = np.arange(len(ids)) - np.repeat(starts, lengths)  # 同一句里，前面还有几个词
    after = np.repeat(lengths, lengths) - 1 - before
    left, right = (np.minimum(np.pad(many, (0, n * S - len(ids))).reshape(n, S)[order], reach)
                   for many in (before, after))
    shape = torch.from_numpy((np.arange(S) * (s.window + 1) + left) * (s.window + 1) + right)
    share, weight = (table if table is None else F.embedding(shape, table.flatten(0, 2))
                     for table in window_weights(model, s))

    padded = np.pad(ids.astype(np.int64), (s.window, n * S - len(ids) + s.window))
    words = torch.from_numpy(padded).unfold(0, W, S)[torch.from_numpy(order)]
    centers = words[:, s.window:-s.window]
    negatives = torch.from_numpy(draw_negatives(noise, (n, M), rng))
    inputs, positives = (centers, words) if model == "skipgram" else (words, centers)
    label = (torch.arange(weight.shape[2]) < positives.shape[1]).to(weight.dtype)
    batch = Batch(inputs, share, torch.cat((positives, negatives), 1), label.expand(n, 1, -1), weight)
    parts = [[None] * -(-n // blocks) if a is None else a.to(s.device).split(blocks) for a in batch]
    return [Batch(*part) for part in zip(*parts, strict=True)]


def update_tables(E: torch.Tensor, C: torch.Tensor, batch: Batch, alpha: float) -> torch.Tensor:
    """一步：改两张表里用到的行，返回误差（目标减去概率）(N, S, R)。"""
    inputs, share, rows, label, weight = batch
    x, u = F.embedding(inputs, E), F.embedding(rows, C)  # (N, ·, E)
    h = x if share is None else share @ x  # (N, S, E)
    error = label - torch.sigmoid(h @ u.mT)
    g = alpha * weight * error
    dh = g @ u
    dx = dh if share is None else share.mT @ dh
    C.index_add_(0, rows.flatten(), (g.mT @ h).flatten(0, 1))
    E.index_add_(0, inputs.flatten(), dx.flatten(0, 1))
    return error
