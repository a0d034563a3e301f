"""标题分类器的起始词向量：不看标签，先用 Skip-gram 在这些标题上训练一遍，或取自己训练好的。第 10 章。

    vocab = build_vocab(titles, bigrams=True)
    model = Classifier(vocab, classes, design, vectors=pretrain(vocab, titles, design))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from textseq.classifier import Design, split_units, with_bigrams
from textseq.vectors import WordVectors
from textseq.vocab import PAD, Vocab
from textseq.word2vec_train import NothingTrained, train_skipgram

__all__ = ["pretrain", "start_table"]

SCALE = 0.3  # 起始词向量各维的均方根，是试出来的：太小，循环层收不到什么；太大，各个门一开始就饱和


def pretrain(vocab: Vocab, titles: Iterable[str], design: Design, *, epochs: int = 20,
             window: int = 12, seed: int = 1, on_progress: Callable | None = None,
             checkpoint: str | Path | None = None) -> np.ndarray:
    """在标题上训练字（词）与二元组的向量，返回 (V, E) 的 float32 表；一个线程最快。

    on_progress、checkpoint 同 word2vec_train.train。
    一条标题当作一句；用二元组时，字与二元组交错排成“本 本科 科 科$”，在同一张表里彼此预测。
    标题太少、一步也训练不了时，就是随机的表。
    异常：词表里有词，标题里却没有一个出现过两次，ValueError。

    >>> from textseq.classifier import build_vocab
    >>> titles = ["油价今晚下调", "油价明晚上调"] * 9
    >>> pretrain(build_vocab(titles), titles, Design(embedding_size=4), epochs=1).shape
    (10, 4)
    """
    if not vocab.real_words:  # 只有 <pad> 与 <unk>，没有可训练的
        return np.zeros((len(vocab), design.embedding_size), dtype=np.float32)
    rows = [split_units(title, design.unit) for title in titles]
    if design.bigrams:
        rows = [[unit for pair in zip(row, with_bigrams(row), strict=True) for unit in pair]
                for row in rows]
    try:
        trained = train_skipgram(rows, min_count=2, vector_size=design.embedding_size,
                                 window=window, epochs=epochs, seed=seed, on_progress=on_progress,
                                 checkpoint=checkpoint)
    except NothingTrained:  # 只有几条标题：就从随机数开始
        trained = WordVectors([PAD], np.ones((1, design.embedding_size)))
    return start_table(vocab, trained, seed)


def start_table(vocab: Vocab, vectors: WordVectors, seed: int = 1) -> np.ndarray:
    """词向量 → 照词表排好的 (V, E) 表，float32；缺的词随机取。各维的均方根调到 0.3。

    >>> vectors = WordVectors(["油"], np.ones((1, 4)))
    >>> start_table(Vocab(["油", "价"], [3, 2]), vectors)[2].round(2)      # “油”的那一行
    array([0.3, 0.3, 0.3, 0.3], dtype=float32)
    """
    table = np.random.default_rng(seed).normal(size=(len(vocab), vectors.vector_size))
    size = np.sqrt((vectors.matrix ** 2).mean())
    for i, word in enumerate(vocab.words):
        if word in vectors:
            table[i] = vectors[word] / size
    return (SCALE * table).astype(np.float32)
