"""word2vec 的快速训练：负采样的 Skip-gram 与 CBOW，把一批训练对写成几次矩阵乘法。

    vectors = train_skipgram(sentences, vector_size=100, window=5, negative=5)

语料接成一串，每 16 个中心词一段，连同两侧的词取出来：段内的 16 个中心词与 16 + 2·window
个词两两求点积，得到一张分数表，真邻居是表里的一条带子，带子以外权重为 0。再并排放上这一段
共用的负样本，一步就只剩三次矩阵乘法。参数的名字与 gensim 相同。
出处：Mikolov et al., Distributed Representations of Words and Phrases, 2013；一段共用负样本：
Ji et al., Parallelizing Word2Vec in Shared and Distributed Memory, 2016。
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch

from textseq.vectors import WordVectors
from textseq.vocab import Vocab
from textseq.word2vec import flatten, keep_probability, noise_distribution

BLOCK = 16       # 一段有几个中心词，也是这一段共用的负样本个数
STEP = 8         # 一步更新几段
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
    """训练到哪里了：words 是已经读过的词次，total 是全部轮次的词次，loss 是每个正样本的损失（奈特）。"""
    words: int
    total: int
    loss: float


@dataclass(frozen=True)
class Settings:
    """训练的设定，名字与 gensim 相同。

    alpha 是起始学习率，线性降到 min_alpha；sample=0 不降采样；negative=0 只有正样本。
    threads=1 时结果逐位可重复；更多线程同时改两张表（Hogwild），更快，但每次略有不同。
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
    """数词频、建词表、编号；出现不到 min_count 次的词丢掉。sentences 要能反复遍历。"""
    vocab = Vocab.build(sentences, min_count=min_count)
    return Encoded(*flatten(vocab.encode(words) for words in sentences), vocab)


def train_skipgram(sentences: Iterable[Sequence[str]] | Encoded, min_count: int = 5,
                   **settings) -> WordVectors:
    """用 Skip-gram 训练词向量；settings 见 Settings。"""
    corpus = sentences if isinstance(sentences, Encoded) else encode(sentences, min_count)
    tables = train("skipgram", corpus, Settings(**settings))
    return WordVectors(corpus.vocab.words[2:], tables.embedding[2:])


def train_cbow(sentences: Iterable[Sequence[str]] | Encoded, min_count: int = 5,
               **settings) -> WordVectors:
    """用 CBOW 训练词向量；settings 见 Settings。"""
    corpus = sentences if isinstance(sentences, Encoded) else encode(sentences, min_count)
    tables = train("cbow", corpus, Settings(**settings))
    return WordVectors(corpus.vocab.words[2:], tables.embedding[2:])


def train(model: str, corpus: Encoded, s: Settings,
          on_progress: Callable[[Progress], None] = lambda progress: None) -> Tables:
    """训练两张表：embedding 从很小的随机数开始，context 从 0 开始，与 word2vec 的 C 程序相同。"""
    V = len(corpus.vocab)
    dtype = getattr(torch, s.dtype)
    start = np.random.default_rng(s.seed).uniform(-0.5, 0.5, (V, s.vector_size)) / s.vector_size
    E = torch.tensor(start, dtype=dtype, device=s.device)
    C = torch.zeros_like(E)
    keep = keep_probability(corpus.vocab.counts, s.sample) if s.sample else np.ones(V)
    noise = np.cumsum(noise_distribution(corpus.vocab.counts, s.ns_exponent))
    chunks = range(0, len(corpus.ids), CHUNK)
    tasks = [(epoch, start) for epoch in range(s.epochs) for start in chunks]

    def run(task: int) -> None:
        epoch, start = tasks[task]
        rng = np.random.default_rng((s.seed, epoch, start))  # 从哪里接着训练，随机数都一样
        part = slice(start, start + CHUNK)
        steps = _steps(corpus.ids[part], corpus.sentence[part], keep, noise, rng, s)
        for i, arrays in enumerate(steps):
            alpha = s.alpha + (s.min_alpha - s.alpha) * (task + i / len(steps)) / len(tasks)
            arrays = [a.to(s.device) for a in arrays]
            loss = _step(model, E, C, *arrays, s.negative, alpha)
        on_progress(Progress(epoch * len(corpus.ids) + min(part.stop, len(corpus.ids)),
                             s.epochs * len(corpus.ids), float(loss)))

    with torch.inference_mode():
        if s.threads == 1:
            for task in range(len(tasks)):
                run(task)
        else:
            with ThreadPoolExecutor(s.threads) as pool:
                list(pool.map(torch.inference_mode()(run), range(len(tasks))))
    return Tables(E.cpu().numpy(), C.cpu().numpy())


def _steps(ids, sentence, keep, noise, rng, s) -> list[tuple[torch.Tensor, ...]]:
    """一份语料 → 一步一步的 words (N, S + 2·window)、sentence（同形）、reach (N, S)、negatives (N, S)。"""
    kept = rng.random(len(ids)) < keep[ids]
    ids, sentence = ids[kept], sentence[kept]
    blocks = -(-len(ids) // BLOCK)
    padding = (s.window, blocks * BLOCK - len(ids) + s.window)
    words, sentence = (torch.from_numpy(np.pad(a, padding, constant_values=fill))
                       .unfold(0, BLOCK + 2 * s.window, BLOCK) for a, fill in ((ids, 0), (sentence, -1)))
    reach = rng.integers(1, s.window, (blocks, BLOCK), endpoint=True)
    negatives = np.searchsorted(noise, rng.random((blocks, BLOCK)) * noise[-1], side="right")
    shuffled = torch.from_numpy(rng.permutation(blocks))  # 同一篇文章翻来覆去用的词，不要挤在一步里
    tensors = (torch.as_tensor(a)[shuffled].split(STEP) for a in (words, sentence, reach, negatives))
    return list(zip(*tensors, strict=True))


def _step(model, E, C, words, sentence, reach, negatives, K, alpha) -> torch.Tensor:
    """一步：更新用到的行，返回每个正样本的损失。S = BLOCK，W = S + 2·window。"""
    S, window = BLOCK, (words.shape[1] - BLOCK) // 2
    middle = slice(window, window + S)
    centers = words[:, middle]                                                    # (N, S)
    distance = (torch.arange(S + 2 * window) - window - torch.arange(S)[:, None]).abs().to(words.device)
    near = (distance > 0) & (distance <= reach[..., None]) & (sentence[:, None] == sentence[:, middle, None])
    near = near & (sentence[:, middle, None] >= 0)
    near = near.to(E.dtype)                                                       # (N, S, W)
    count = near.sum(2, keepdim=True)
    if model == "skipgram":
        h, targets, weight = E[centers], words, near
    else:
        mean = near / count.clamp(min=1)
        h, targets, weight = mean @ E[words], centers, torch.eye(S, dtype=E.dtype) * (count > 0)
    positives = weight.sum(2, keepdim=True)
    weight = torch.cat((weight, (positives * (K / S)).expand(-1, -1, S)), 2)
    rows = torch.cat((targets, negatives), 1)
    u = C[rows]
    error = (h @ u.mT).sigmoid_().neg_()                                          # 标签减去概率
    error[..., :targets.shape[1]] += 1
    g = alpha * weight * error
    dh = g @ u
    C.index_add_(0, rows.flatten(), (g.mT @ h).flatten(0, 1))
    if model == "skipgram":
        E.index_add_(0, centers.flatten(), dh.flatten(0, 1))
    else:
        E.index_add_(0, words.flatten(), (mean.mT @ dh).flatten(0, 1))
    return -(weight * torch.log1p(-error.abs())).sum() / positives.sum()
