"""模型、学习率、负样本：重新训练全部的词向量，写成 results.tsv。单线程约二十分钟。

    python data/choices/build.py

单精度，所以在别的处理器上，数从第三位起会有出入；tests/test_stored_trainings.py 重算其中两行。
"""

import time
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from textseq import corpora, word2vec_fast
from textseq._files import write_atomically
from textseq.evaluation import load_analogies, load_pairs, quality, similarity_score
from textseq.vectors import WordVectors
from textseq.vocab import EncodedCorpus, encode_corpus
from textseq.word2vec_train import train_cbow, train_skipgram

FOLDER = Path(__file__).parent
PAIRS = load_pairs(FOLDER.parent / "evaluation/word_pairs_detail.tsv")
QUESTIONS = load_analogies(FOLDER.parent / "evaluation/analogies.tsv")
BANDS = {"全部": PAIRS} | {band: [p for p in PAIRS if p.band == band] for band in ("常见", "中等", "少见")}
SETTING, SEEDS = ("模型", "alpha", "K", "指数", "陪衬", "种子"), (1, 2, 3)
COLUMNS = (*SETTING, "rho全部", "rho常见", "rho中等", "rho少见", "类比%", "平均余弦", "rho全部减平均",
           "CPU秒")
TRAIN = {"Skip-gram": train_skipgram, "CBOW": train_cbow}
RATES = {"Skip-gram": (0.05, 0.1, 0.15), "CBOW": (0.1, 0.2, 0.3, 0.4)}
NEGATIVES, EXPONENTS = (1, 2, 5, 10, 20), (0, 0.5, 0.75, 1)
SHARED = {"Skip-gram": (128, 64, 32, 16), "CBOW": (24, 12, 6, 3)}  # 一个负样本给几对真邻居当陪衬
BEST = {"Skip-gram": 0.1, "CBOW": 0.3}
USUAL = {"Skip-gram": 32, "CBOW": 6}


def settings() -> list[tuple]:
    """全部的设定，不重复：模型，alpha，K，指数，陪衬。"""
    rates = [(m, alpha, 5, 0.75, USUAL[m]) for m in RATES for alpha in RATES[m]]
    negatives = [("Skip-gram", 0.1, K, 0.75, 32) for K in NEGATIVES]
    exponents = [("Skip-gram", 0.1, 5, a, 32) for a in EXPONENTS]
    shared = [(m, BEST[m], 5, 0.75, n) for m in SHARED for n in SHARED[m]]
    return list(dict.fromkeys(rates + negatives + exponents + shared))


def read_corpus() -> EncodedCorpus:
    return encode_corpus([sentence.words for sentence in corpora.people_daily()])


def train(corpus: EncodedCorpus, model: str, alpha: float, K: int, exponent: float, shared: int,
          seed: int) -> WordVectors:
    """100 维，窗口 5，5 轮，sample=1e-3。"""
    torch.set_num_threads(1)
    with mock.patch.dict(word2vec_fast.SHARED, {"skipgram": shared, "cbow": shared}):
        return TRAIN[model](corpus, vector_size=100, alpha=alpha, negative=K, ns_exponent=exponent, seed=seed)


def measure(vectors: WordVectors) -> list[float]:
    """各档的等级相关系数，类比 %，两两余弦的平均，减去平均向量后的等级相关系数。"""
    centred = WordVectors(vectors.words, vectors.matrix - vectors.matrix.mean(axis=0))
    rho, rate = quality(vectors, PAIRS, QUESTIONS)
    return [rho, *(similarity_score(vectors, BANDS[b]).rho for b in ("常见", "中等", "少见")),
            100 * rate, float((vectors.unit.mean(axis=0, dtype=float) ** 2).sum()),
            similarity_score(centred, PAIRS).rho]


def ppmi(corpus: EncodedCorpus, size: int = 100, window: int = 5) -> WordVectors:
    """不训练，只数数：窗口里的同现次数 → 正的逐点互信息 → 奇异值分解，取 size 列。"""
    counts = together(corpus, window)
    row, column = counts.sum(axis=1, keepdims=True), counts.sum(axis=0) ** 0.75
    with np.errstate(divide="ignore", invalid="ignore"):
        information = np.log(counts * column.sum() / (row * column))
    positive = torch.from_numpy(np.nan_to_num(information, nan=0, neginf=0).clip(min=0).astype(np.float32))
    torch.manual_seed(0)
    U, S, _ = torch.svd_lowrank(positive, q=size + 20, niter=4)
    return WordVectors(corpus.vocab.real_words, (U * S.sqrt())[:, :size].numpy())


def together(corpus: EncodedCorpus, window: int) -> np.ndarray:
    """两两同现的次数，近的多算：相距 d 的算 (window + 1 - d) / window 次，正是动态窗口的机会。"""
    V = len(corpus.vocab)
    table = np.zeros(V * V, np.float32)
    for d in range(1, window + 1):
        same = corpus.sentence[d:] == corpus.sentence[:-d]
        a, b = corpus.ids[:-d][same].astype(np.int64), corpus.ids[d:][same].astype(np.int64)
        for left, right in ((a, b), (b, a)):
            cells, times = np.unique(left * V + right, return_counts=True)
            table[cells] += times * np.float32((window + 1 - d) / window)
    return table.reshape(V, V)[2:, 2:]


def main() -> None:
    corpus = read_corpus()
    start = time.process_time()
    vectors = ppmi(corpus)
    seconds = time.process_time() - start
    rows = [("数数", "–", "–", "–", "–", "–", *measure(vectors), seconds)]
    print(*rows[-1], flush=True)
    for setting in settings():
        for seed in SEEDS:
            start = time.process_time()
            vectors = train(corpus, *setting, seed)
            seconds = time.process_time() - start
            rows.append((*setting, seed, *measure(vectors), seconds))
            print(*rows[-1], flush=True)
    lines = ["\t".join(COLUMNS)] + ["\t".join(f"{x:.3f}" if i >= len(SETTING) else str(x)
                                            for i, x in enumerate(row)) for row in rows]
    write_atomically(FOLDER / "results.tsv", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
