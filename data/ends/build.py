"""褒贬写在开头还是结尾：只看 n 个词的朴素贝叶斯，全部评论与四份抽样，写成 results.tsv。约一分半钟。

    python data/ends/build.py

只数数，没有浮点的累加误差，哪台机器上都一位不差；tests/test_stored_trainings.py 重算其中几行。
"""

from pathlib import Path

import numpy as np

from textseq import corpora, text
from textseq._files import write_atomically
from textseq.vocab import Vocab

FOLDER = Path(__file__).parent
COLUMNS = ("评论", "标点", "n", "种子", "开头%", "结尾%")
SAMPLES = ("全部", "抽样 0", "抽样 1", "抽样 2", "抽样 3")
SIZES, SEEDS = (4, 8, 16, 32), (0, 1, 2, 3, 4)


def naive_bayes(rows: list, labels: np.ndarray, train: np.ndarray, test: np.ndarray, V: int) -> float:
    """第 08 章手写的那一个，数得快一些 → 测试准确率 %。"""
    flat = np.concatenate([rows[i] for i in train])
    counts = np.ones((2, V))  # 从 1 数起，没见过的词也不会是零
    np.add.at(counts, (np.repeat(labels[train], [len(rows[i]) for i in train]), flat), 1)
    log_p = np.log(counts / counts.sum(axis=1, keepdims=True))
    prior = np.log(np.bincount(labels[train]) / len(train))
    guess = [np.argmax(prior + log_p[:, rows[i]].sum(axis=1)) for i in test]
    return 100 * np.mean(guess == labels[test])


def chosen(sample: str, total: int) -> np.ndarray:
    """全部的位置，或“抽样 k”抽到的 2,500 个。"""
    if sample == "全部":
        return np.arange(total)
    return np.random.default_rng(int(sample.split()[1])).permutation(total)[:2500]


def compare(tokens: list[list[str]], labels: np.ndarray, punctuation: str) -> list[tuple]:
    """→ [(n, 种子, 开头 %, 结尾 %)]；五分之一作测试。"""
    if punctuation == "去掉":
        tokens = [[w for w in words if any(c.isalnum() for c in w)] for words in tokens]
    vocab = Vocab.build(tokens, min_count=2)
    rows, found = [np.array(vocab.encode(words), dtype=int) for words in tokens], []
    for seed in SEEDS:
        order = np.random.default_rng(seed).permutation(len(rows))
        test, train = order[:len(rows) // 5], order[len(rows) // 5:]
        for n in SIZES:
            found.append((n, seed, *(naive_bayes(part, labels, train, test, len(vocab)) for part in
                                     ([r[:n] for r in rows], [r[-n:] for r in rows]))))
    return found


def main() -> None:
    reviews = list(corpora.reviews())
    tokens = [text.tokenize(r.text) for r in reviews]
    labels, lines = np.array([r.label for r in reviews]), ["\t".join(COLUMNS)]
    for sample in SAMPLES:
        rows = chosen(sample, len(reviews))
        for punctuation in ("留着", "去掉"):
            for n, seed, *scores in compare([tokens[i] for i in rows], labels[rows], punctuation):
                lines.append("\t".join(map(str, (sample, punctuation, n, seed,
                                                 *(f"{x:.2f}" for x in scores)))))
        print(lines[-1], flush=True)
    write_atomically(FOLDER / "results.tsv", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
