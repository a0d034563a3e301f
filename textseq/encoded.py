"""编好号的语料：训练词向量只要一串编号，和每个词在第几句。放得进内存就放内存，放不下就放磁盘。"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from textseq.vocab import Vocab
from textseq.word2vec import flatten

_TOGETHER = 1_000  # 写磁盘时一次处理多少句


class Encoded(NamedTuple):
    """ids (N,) 是编号，sentence (N,) 是每个词在第几句，都是 int32；vocab 是词表。"""
    ids: np.ndarray
    sentence: np.ndarray
    vocab: Vocab


def encode(sentences: Iterable[Sequence[str]], min_count: int = 5,
           folder: str | Path | None = None) -> Encoded:
    """数词频、建词表、编号；出现不到 min_count 次的词丢掉。

    sentences 要遍历两遍：列表，或每次 for 都从头来的语料。给了 folder，编号就写到那个文件夹里，
    训练时一段一段地读，占的内存与语料多长无关，只与词表有关。
    异常：只能遍历一遍的生成器 TypeError；没有一个词够 min_count 次 ValueError。
    """
    if iter(sentences) is sentences:
        raise TypeError(f"sentences 只能遍历一遍（{type(sentences).__name__}），而数词频、编号要各走一遍；"
                        "请先 list(sentences)，或用 corpora 里的语料")
    vocab = Vocab.build(sentences, min_count=min_count)
    if len(vocab) == 2:
        raise ValueError(f"没有一个词出现过 {min_count} 次；请减小 min_count，或检查句子是否切好了词")
    if folder is None:
        return Encoded(*flatten(vocab.encode(words) for words in sentences), vocab)
    paths = [Path(folder) / name for name in ("ids.int32", "sentence.int32")]
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    rest, done = iter(sentences), 0
    with paths[0].open("wb") as ids_file, paths[1].open("wb") as sentence_file:
        while part := list(islice(rest, _TOGETHER)):
            ids, sentence = flatten(vocab.encode(words) for words in part)
            ids.tofile(ids_file)
            (sentence + np.int32(done)).tofile(sentence_file)
            done += len(part)
    return Encoded(*(np.memmap(path, np.int32, mode="r") for path in paths), vocab)
