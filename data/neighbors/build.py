"""训练课程的词向量，打包成 neighbors.js，并改写说明里的表。在两个核上约半分钟。

    python data/neighbors/build.py

双精度、单线程。换一个处理器，训练会把最末几位的差别放大，做出的文件略有不同，近邻大都相同；
改动了训练的代码，近邻会换掉一多半，要重做，并重跑用到它的第 03、04 章。
"""

from pathlib import Path

import numpy as np
import torch

from textseq import corpora
from textseq._files import rewrite_table
from textseq.evaluation import neighbor_overlap
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


def main() -> None:
    vectors, corpus = train()
    path = FOLDER / "neighbors.js"
    save_quantized(path, vectors, corpus.vocab.real_counts, ABOUT)
    packed, counts = load_quantized(path)
    same = neighbor_overlap(vectors, packed, np.arange(0, len(vectors), len(vectors) // 500))
    rows = [("词向量", ABOUT), ("词数", f"{len(packed):,}"), ("最少见的词出现", f"{counts[-1]} 次"),
            ("文件大小", f"{path.stat().st_size / 1e6:.2f} MB"),
            ("量化前后，前十个近邻相同的", f"{same:.1%}")]
    print(rewrite_table(FOLDER / "README.md", rows))


if __name__ == "__main__":
    main()
