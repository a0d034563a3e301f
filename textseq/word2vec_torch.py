"""word2vec 的快速训练：负采样的 Skip-gram 与 CBOW，把一批训练对写成几次矩阵乘法。

    vectors = train_skipgram(sentences, vector_size=100, window=5, negative=5)

语料接成一串，每 16 个中心词一段，连同两侧的词取出来：16 个中心词与 16 + 2·window 个词两两求
点积，得到一张分数表，真邻居是表里的一条带子，带子以外权重为 0。再并排放上这一段共用的 16 个
负样本，一步就只剩三次矩阵乘法。参数的名字与 gensim 相同。
出处：Mikolov et al., Distributed Representations of Words and Phrases, 2013；共用负样本：
Ji et al., Parallelizing Word2Vec in Shared and Distributed Memory, 2016；多线程同改一张表：
Niu et al., Hogwild!, 2011。
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch.nn import functional as F

from textseq.vectors import WordVectors
from textseq.vocab import Vocab
from textseq.word2vec import flatten, keep_probability, noise_distribution

BLOCK = 16       # 一段有几个中心词，也是这一段共用的负样本个数
STEP = 16        # 一步至多更新几段
CROWD = 64       # 一个词在一步里平均至多更新几次，再多就会走过头；最常见的词放宽到 2.5 倍
CHUNK = 50_000   # 一次准备多少词次的训练数据


class Encoded(NamedTuple):
    """编好号的语料：ids (N,)，sentence (N,) 是每个词在第几句，vocab 是词表。"""
    ids: np.ndarray
    sentence: np.ndarray
    vocab: Vocab


class Tables(NamedTuple):
    """训练好的两张表，都是 (V, E)。"""
    embedding: np.ndarray
    context: np.ndarray


class Progress(NamedTuple):
    """训练到哪里了：words 是读过的词次，total 是全部轮次的词次，loss 是每个正样本的损失（奈特）。"""
    words: int
    total: int
    loss: float


@dataclass(frozen=True)
class Settings:
    """训练的设定，名字与 gensim 相同。

    alpha 是起始学习率，线性降到 min_alpha；sample=0 不降采样；negative=0 只有正样本。
    threads=1 时结果逐位可重复；多个线程同时改两张表，更快，但每次略有不同。
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
    threads: int = 1
    dtype: str = "float32"
    device: str = "cpu"


def encode(sentences: Iterable[Sequence[str]], min_count: int = 5) -> Encoded:
    """数词频、建词表、编号；出现不到 min_count 次的词丢掉。sentences 要能遍历两遍。"""
    vocab = Vocab.build(sentences, min_count=min_count)
    return Encoded(*flatten(vocab.encode(words) for words in sentences), vocab)


def train_skipgram(sentences: Iterable[Sequence[str]] | Encoded, min_count: int = 5,
                   **settings) -> WordVectors:
    """用 Skip-gram 训练词向量。sentences 是切好词的句子，或 encode 的结果；settings 见 Settings。"""
    return _train_vectors("skipgram", sentences, min_count, settings)


def train_cbow(sentences: Iterable[Sequence[str]] | Encoded, min_count: int = 5,
               **settings) -> WordVectors:
    """用 CBOW 训练词向量，参数同 train_skipgram。

    平均数的梯度要平分给各个上下文词，所以 alpha 的默认值是 Skip-gram 的四倍。
    """
    return _train_vectors("cbow", sentences, min_count, {"alpha": 0.2} | settings)


def _train_vectors(model: str, sentences, min_count: int, settings: dict) -> WordVectors:
    corpus = sentences if isinstance(sentences, Encoded) else encode(sentences, min_count)
    tables = train(model, corpus, Settings(**settings))
    return WordVectors(corpus.vocab.words[2:], tables.embedding[2:])


def train(model: str, corpus: Encoded, s: Settings,
          on_progress: Callable[[Progress], None] = lambda progress: None) -> Tables:
    """训练两张表：embedding 从很小的随机数开始，context 从 0 开始，与 word2vec 的 C 程序相同。"""
    V = len(corpus.vocab)
    start = np.random.default_rng(s.seed).uniform(-0.5, 0.5, (V, s.vector_size)) / s.vector_size
    E = torch.tensor(start, dtype=getattr(torch, s.dtype), device=s.device)
    C = torch.zeros_like(E)
    keep = keep_probability(corpus.vocab.counts, s.sample) if s.sample else np.ones(V)
    noise = np.cumsum(noise_distribution(corpus.vocab.counts, s.ns_exponent))
    blocks, damping = _step_size(np.asarray(corpus.vocab.counts) * keep, noise, s)
    total = s.epochs * len(corpus.ids)
    tasks = [(epoch, start) for epoch in range(s.epochs) for start in range(0, len(corpus.ids), CHUNK)]

    @torch.inference_mode()
    def run(task: int) -> None:
        epoch, start = tasks[task]
        part = slice(start, min(start + CHUNK, len(corpus.ids)))
        rng = np.random.default_rng((s.seed, epoch, start))  # 从哪里接着训练，随机数都一样
        batches = _batches(model, corpus.ids[part], corpus.sentence[part], keep, noise, rng, s, blocks)
        for i, batch in enumerate(batches):
            alpha = s.alpha + (s.min_alpha - s.alpha) * (task + i / len(batches)) / len(tasks)
            error = _step(E, C, batch, alpha * damping)
        if not batches:  # 降采样把这一份全丢了
            return
        right = (1 - error.abs()).clamp(min=1e-7)  # 判断对的概率；取对数之前不让它到 0
        loss = -(batch.weight * right.log()).sum() / batch.weight[..., :-BLOCK].sum()
        if not loss < 2 * (1 + s.negative) * np.log(2):  # 抛硬币的两倍；NaN 也在内
            raise ValueError(f"训练发散了：第 {epoch + 1} 轮，每个正样本的损失是 {loss:.3g} 奈特，"
                             f"比乱猜还差一倍；请把 alpha 从 {s.alpha} 减半再试")
        on_progress(Progress(epoch * len(corpus.ids) + part.stop, total, float(loss)))

    threads = min(s.threads, len(corpus.ids) // CHUNK)  # 小语料一个线程就够，多了反而互相踩
    if threads <= 1:
        for task in range(len(tasks)):
            run(task)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(run, range(len(tasks))))
    return Tables(E.cpu().numpy(), C.cpu().numpy())


def _step_size(counts: np.ndarray, noise: np.ndarray, s: Settings) -> tuple[int, float]:
    """一步更新几段，和学习率再乘多少。

    同一个词在一步里的几十次更新，都是照着更新之前的向量算的，次数太多，加起来就走过头了。
    先减少段数，一段还嫌多（词表很小），再减小学习率。
    """
    p = counts / counts.sum()
    updates = BLOCK * (s.window + 1) * (p + s.negative * np.diff(noise, prepend=0))  # 一段里每个词几次
    crowd = max((p * updates).sum(), updates.max() / 2.5)
    return int(np.clip(CROWD / crowd, 1, STEP)), min(1.0, CROWD / crowd)


class Batch(NamedTuple):
    """一步的训练数据，N 段，每段 S = BLOCK 个中心词，W = S + 2·window 个词。"""
    inputs: torch.Tensor         # 查词向量表的编号：Skip-gram 是中心词 (N, S)，CBOW 是所有词 (N, W)
    share: torch.Tensor | None   # CBOW 取平均时各占几分之几 (N, S, W)；Skip-gram 不用
    rows: torch.Tensor           # 查上下文表的编号：正样本在前，S 个负样本在后 (N, R)
    weight: torch.Tensor         # 每个分数算几个样本 (N, S, R)；不是一对的，权重是 0


def _batches(model: str, ids: np.ndarray, sentence: np.ndarray, keep: np.ndarray, noise: np.ndarray,
             rng: np.random.Generator, s: Settings, blocks: int = STEP) -> list[Batch]:
    """一份语料 → 一步一步的训练数据：降采样，切段，打乱，动态窗口，抽负样本。"""
    S, W = BLOCK, BLOCK + 2 * s.window
    kept = rng.random(len(ids)) < keep[ids]
    ids, sentence = ids[kept], sentence[kept]
    if not len(ids):
        return []
    n = -(-len(ids) // S)
    padding = (s.window, n * S - len(ids) + s.window)
    # 同一篇文章翻来覆去用的几个词不要挤在一步里，所以各段打乱
    order = torch.from_numpy(rng.permutation(n))
    words = torch.from_numpy(np.pad(ids.astype(np.int64), padding)).unfold(0, W, S)[order]
    sentence = torch.from_numpy(np.pad(sentence, padding, constant_values=-1)).unfold(0, W, S)[order]
    reach = torch.from_numpy(rng.integers(1, s.window, (n, S, 1), endpoint=True))
    negatives = torch.from_numpy(np.searchsorted(noise, rng.random((n, S)) * noise[-1], side="right"))

    centers, middle = words[:, s.window:-s.window], sentence[:, s.window:-s.window, None]
    distance = (torch.arange(W) - s.window - torch.arange(S)[:, None]).abs()
    near = (distance > 0) & (distance <= reach) & (middle == sentence[:, None]) & (middle >= 0)
    near = near.to(getattr(torch, s.dtype))                                       # (n, S, W)
    count = near.sum(2, keepdim=True)
    if model == "skipgram":
        inputs, share, positives, weight = centers, None, words, near
    else:
        inputs, share, positives = words, near / count.clamp(min=1), centers
        weight = torch.eye(S, dtype=near.dtype) * (count > 0)
    pairs = weight.sum(2, keepdim=True)
    batch = Batch(inputs, share, torch.cat((positives, negatives), 1),
                  torch.cat((weight, (pairs * (s.negative / S)).expand(-1, -1, S)), 2))
    parts = [[None] * -(-n // blocks) if a is None else a.to(s.device).split(blocks) for a in batch]
    return [Batch(*part) for part in zip(*parts, strict=True)]


def _step(E: torch.Tensor, C: torch.Tensor, batch: Batch, alpha: float) -> torch.Tensor:
    """一步：改两张表里用到的行，返回误差（标签减去概率）(N, S, R)。"""
    inputs, share, rows, weight = batch
    x, u = F.embedding(inputs, E), F.embedding(rows, C)                           # (N, ·, E)
    h = x if share is None else share @ x                                         # (N, S, E)
    error = torch.sigmoid(h @ u.mT).neg_()
    error[..., :-BLOCK] += 1
    g = alpha * weight * error
    dh = g @ u
    dx = dh if share is None else share.mT @ dh
    C.index_add_(0, rows.flatten(), (g.mT @ h).flatten(0, 1))
    E.index_add_(0, inputs.flatten(), dx.flatten(0, 1))
    return error
