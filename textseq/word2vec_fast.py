"""word2vec 快速训练的一步：准备一批训练数据，更新两张表。第 07 章。

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

from textseq.shapes import check_integer
from textseq.word2vec import draw_negatives

__all__ = ["BLOCK", "MAX_BLOCKS", "Batch", "Settings", "check_device", "make_batches",
           "neighbour_masks", "shared_negatives", "step_size", "update_tables", "window_weights"]

BLOCK = 16       # 一段有几个中心词
MAX_BLOCKS = 24  # 一步至多更新几段
CROWD = 8        # 最常见的词在一步里更新的次数 × alpha 至多这么大，各词平均至多五分之一；是试出来的


@dataclass(frozen=True)
class Settings:
    """训练的设定，名字与 gensim 相同。

    alpha 是起始学习率，线性降到 min_alpha；sample=0 不降采样；negative=0 只有正样本。
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
    """一段共用几个负样本：每个平均只当十几对（CBOW 是五对）训练对的负样本，再少，一步就走过头了。

    >>> shared_negatives("skipgram", Settings()), shared_negatives("cbow", Settings())
    (30, 15)
    """
    return s.negative * (s.window + 1 if model == "skipgram" else 3)


def step_size(model: str, counts: np.ndarray, noise: np.ndarray, s: Settings) -> tuple[int, float]:
    """一步更新几段，和学习率再乘多少。

    同一个词在一步里的几十次更新，都是照着更新之前的向量算的，次数太多，加起来就走过头了。
    先减少段数，一段还嫌多（词表很小），再减小学习率。

    >>> counts, noise = np.array([0, 0, 5, 4, 3]), np.array([0, 0, 0.4, 0.3, 0.3])
    >>> step_size("skipgram", counts, noise, Settings())[0]                # 只有三个词：一步一段
    1
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
                   s: Settings) -> tuple[torch.Tensor | None, torch.Tensor]:
    """各个中心词左右各取几个词 → share 与 weight（见 Batch）；width 是窗口两侧留的格数。

    形状：left、right (N, S) → share (N, S, W) 或 None，weight (N, S, R)。

    >>> left = right = torch.ones((1, BLOCK), dtype=torch.long)
    >>> share, weight = window_weights("skipgram", left, right, 1, Settings(window=1))
    >>> weight[0, 0, :4].tolist(), weight[0, 0, 18:].sum().item()   # 左右各一个真的，每个配五个假的
    ([1.0, 0.0, 1.0, 0.0], 10.0)
    """
    dtype, M = getattr(torch, s.dtype), shared_negatives(model, s)
    row = torch.arange(BLOCK) * (width + 1)
    near, right_half = (F.embedding(row + n, mask) for n, mask in
                        zip((left, right), neighbour_masks(width, dtype), strict=True))
    near += right_half
    count = (left + right).to(dtype)[..., None]
    if model == "skipgram":
        share, positives, how_many = None, near, count
    else:
        share, how_many = near / count.clamp(min=1), (count > 0).to(dtype)
        positives = how_many * torch.eye(BLOCK, dtype=dtype)
    negatives = how_many * (s.negative / max(M, 1))
    return share, torch.cat((positives, negatives.expand(-1, -1, M)), 2)


def make_batches(model: str, ids: np.ndarray, sentence: np.ndarray, keep: np.ndarray,
                 noise: np.ndarray, rng: np.random.Generator, s: Settings,
                 blocks: int = MAX_BLOCKS) -> list[Batch]:
    """一段语料 → 一步一步的训练数据：降采样，切段，打乱，动态窗口，抽负样本。

    形状：ids、sentence (n,) 是编号与第几句；keep、noise (V,) 是留下的概率与噪声分布。

    >>> ids, sentence = np.array([2, 3, 4]), np.zeros(3, int)
    >>> batch, = make_batches("skipgram", ids, sentence, np.ones(5), np.ones(5) / 5,
    ...                       np.random.default_rng(0), Settings(window=1))
    >>> batch.inputs[0, :3].tolist(), batch.rows[0, :5].tolist()           # 0 是空位
    ([2, 3, 4], [0, 2, 3, 4, 0])
    """
    S, M = BLOCK, shared_negatives(model, s)
    kept = rng.random(len(ids)) < keep[ids]
    ids, sentence = ids[kept], sentence[kept]
    if not len(ids):
        return []
    n = -(-len(ids) // S)
    order = rng.permutation(n)  # 同一篇文章翻来覆去用的几个词不要挤在一步里，所以各段打乱
    reach = rng.integers(1, s.window, (n, S), endpoint=True)
    left, right = (np.minimum(np.pad(many, (0, n * S - len(ids))).reshape(n, S)[order], reach)
                   for many in _words_beside(sentence))
    width = min(s.window, int(max(left.max(), right.max(), 1)))  # 句子都比窗口短，就不留那么多格
    share, weight = window_weights(model, torch.from_numpy(left), torch.from_numpy(right), width, s)

    padded = np.pad(ids.astype(np.int64), (width, n * S - len(ids) + width))
    words = torch.from_numpy(padded).unfold(0, S + 2 * width, S)[torch.from_numpy(order)]
    centers = words[:, width:-width]
    negatives = torch.from_numpy(draw_negatives(noise, (n, M), rng))
    inputs, positives = (centers, words) if model == "skipgram" else (words, centers)
    label = (torch.arange(weight.shape[2]) < positives.shape[1]).to(weight.dtype)
    batch = Batch(inputs, share, torch.cat((positives, negatives), 1),
                  label.expand(n, 1, -1), weight)
    parts = [[None] * -(-n // blocks) if a is None else a.to(s.device).split(blocks) for a in batch]
    return [Batch(*part) for part in zip(*parts, strict=True)]


def _words_beside(sentence: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """每个词在自己那一句里，前面、后面各还有几个词。形状：(n,) → 两个 (n,)。"""
    starts = np.flatnonzero(np.diff(sentence, prepend=-1))
    lengths = np.diff(starts, append=len(sentence))
    before = np.arange(len(sentence)) - np.repeat(starts, lengths)
    return before, np.repeat(lengths, lengths) - 1 - before


def update_tables(E: torch.Tensor, C: torch.Tensor, batch: Batch, alpha: float) -> torch.Tensor:
    """一步：改两张表里用到的行，返回误差（目标减去概率）(N, S, R)。

    >>> E, C = torch.zeros(5, 2), torch.zeros(5, 2)
    >>> ids, sentence = np.array([2, 3, 4]), np.zeros(3, int)
    >>> batch, = make_batches("skipgram", ids, sentence, np.ones(5), np.ones(5) / 5,
    ...                       np.random.default_rng(0), Settings(window=1))
    >>> update_tables(E, C, batch, 0.1)[0, 0, :3].tolist()                 # 概率都是一半
    [0.5, 0.5, 0.5]
    """
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
