"""维数、轮次与质量：重新训练全部的词向量，写成 results.tsv。单线程约四分钟。

    python data/dimensions/build.py

单精度，所以在别的处理器上，数从第三位起会有出入；tests/test_stored_trainings.py 重算其中几行。
"""

from pathlib import Path

import numpy as np
import torch

from textseq import corpora
from textseq._files import write_atomically
from textseq.evaluation import load_analogies, load_pairs, neighbor_overlap, quality
from textseq.vectors import WordVectors
from textseq.vocab import EncodedCorpus, encode_corpus
from textseq.word2vec_train import train_skipgram

FOLDER = Path(__file__).parent
PAIRS = load_pairs(FOLDER.parent / "evaluation/word_pairs_detail.tsv")
QUESTIONS = load_analogies(FOLDER.parent / "evaluation/analogies.tsv")
DIMS, EPOCHS, SEEDS = (10, 30, 100, 300), (5, 10), (1, 2, 3)
COLUMNS = ("轮次", "维数", "种子", "rho", "类比%", "少见词稳", "常见词稳")
RARE, COMMON = (5, 9), (200, 10**9)  # 词频的范围，两端都算


def read_corpus() -> EncodedCorpus:
    """《人民日报》，与课程的词向量同一份语料、同一张词表。"""
    return encode_corpus([sentence.words for sentence in corpora.people_daily()])


def train(corpus: EncodedCorpus, epochs: int, vector_size: int, seed: int) -> WordVectors:
    """常见词多丢一些（sample=1e-4），训练就快三成；其余都是默认值。"""
    torch.set_num_threads(1)
    return train_skipgram(corpus, vector_size=vector_size, epochs=epochs, sample=1e-4, seed=seed)


def percent(vectors: WordVectors) -> tuple[float, float]:
    """480 对词的等级相关系数，和 9,422 道类比题的命中率（%）。"""
    rho, rate = quality(vectors, PAIRS, QUESTIONS)
    return rho, 100 * rate


def overlap(a: WordVectors, b: WordVectors, counts: np.ndarray, band: tuple[int, int]) -> float:
    """词频在 band 里的词抽 300 个：各自的十个近邻，a 与 b 里相同的平均几个。"""
    inside = np.flatnonzero((counts >= band[0]) & (counts <= band[1]))
    rows = np.random.default_rng(0).permutation(inside)[:300]
    return 10 * neighbor_overlap(a, b, rows)


def main() -> None:
    corpus = read_corpus()
    counts = np.array(corpus.vocab.real_counts)
    lines = ["\t".join(COLUMNS)]
    for epochs in EPOCHS:
        for size in DIMS:
            trained = [train(corpus, epochs, size, seed) for seed in SEEDS]
            for k, (seed, vectors) in enumerate(zip(SEEDS, trained, strict=True)):
                following = trained[(k + 1) % len(trained)]  # 与下一个种子比，最后一个与第一个比
                numbers = *percent(vectors), *(overlap(vectors, following, counts, band)
                                               for band in (RARE, COMMON))
                lines.append("\t".join(map(str, (epochs, size, seed, *(f"{x:.3f}" for x in numbers)))))
                print(lines[-1], flush=True)
    write_atomically(FOLDER / "results.tsv", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
