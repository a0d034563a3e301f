"""训练课程的词向量，打包成 neighbors.js，并改写说明里的表。在两个核上约半分钟。

    python data/neighbors/build.py

双精度、单线程。换一个处理器，训练会把最末几位的差别放大，做出的文件略有不同，近邻大都相同；
改动了训练的代码，近邻会换掉一多半，要重做，并重跑用到它的第 03、04 章。
"""

import re
from pathlib import Path

import numpy as np
import torch

from textseq import corpora
from textseq._files import write_atomically
from textseq.quantized import load_quantized, save_quantized
from textseq.vectors import WordVectors
from textseq.vocab import EncodedCorpus, encode_corpus
from textseq.word2vec_train import train_skipgram

FOLDER = Path(__file__).parent
ABOUT = "《人民日报》1998 年 1 月，Skip-gram，50 维，窗口 5，负样本 5 个，10 轮"


def train() -> tuple[WordVectors, EncodedCorpus]:
    """课程的词向量，与训练它的语料。"""
    torch.set_num_threads(1)
    corpus = encode_corpus([sentence.words for sentence in corpora.people_daily()])
    return train_skipgram(corpus, vector_size=50, epochs=10, dtype="float64"), corpus


def top(vectors: WordVectors, queries: np.ndarray, topn: int = 10) -> np.ndarray:
    """余弦最大的 topn 个词的编号，自己不算。形状：(Q,) → (Q, topn)。"""
    cosine = vectors.unit[queries] @ vectors.unit.T
    cosine[np.arange(len(queries)), queries] = -np.inf
    return np.argsort(-cosine, axis=1, kind="stable")[:, :topn]


def overlap(a: WordVectors, b: WordVectors, queries: np.ndarray) -> float:
    """同样的词，前十个近邻里相同的平均占多少（0 到 1）。"""
    pairs = zip(top(a, queries), top(b, queries), strict=True)
    return float(np.mean([len(np.intersect1d(*pair)) / 10 for pair in pairs]))


def main() -> None:
    vectors, corpus = train()
    path = FOLDER / "neighbors.js"
    save_quantized(path, vectors, corpus.vocab.counts[2:], ABOUT)
    packed, counts = load_quantized(path)
    same = overlap(vectors, packed, np.arange(0, len(vectors), len(vectors) // 500))
    table = f"""| 项目 | 数 |
|---|---|
| 词向量 | {ABOUT} |
| 词数 | {len(packed):,} |
| 最少见的词出现 | {counts[-1]} 次 |
| 文件大小 | {path.stat().st_size / 1e6:.2f} MB |
| 量化前后，前十个近邻相同的 | {same:.1%} |
"""
    readme = FOLDER / "README.md"
    text = readme.read_text(encoding="utf-8")
    write_atomically(readme, re.sub(r"\| 项目 \|.*?\n(?=\n)", lambda _: table, text, flags=re.S))
    print(table)


if __name__ == "__main__":
    main()
