"""窗口、墙、降采样与标点：重新训练全部的词向量，写成 results.tsv。单线程约三分钟。

    python data/windows/build.py

单精度，所以在别的处理器上，数从第三位起会有出入；tests/test_stored_trainings.py 重算其中几行。
"""

from collections import Counter
from pathlib import Path

import numpy as np
import torch

from textseq import corpora
from textseq._files import write_atomically
from textseq.evaluation import load_analogies, load_pairs, quality
from textseq.vectors import WordVectors
from textseq.vocab import EncodedCorpus, encode_corpus
from textseq.word2vec_train import train_skipgram

FOLDER = Path(__file__).parent
EVALUATION = FOLDER.parent / "evaluation"
COLUMNS = ("语料", "窗口", "轮次", "sample", "种子", "语法%", "话题%", "rho", "类比%")
SETTINGS = (  # 语料，窗口，轮次，sample；第一个是后面五个的对照，最后三个互相比
    ("按段", 5, 5, 1e-3), ("接成一串", 5, 5, 1e-3), ("按句", 5, 5, 1e-3), ("去标点", 5, 5, 1e-3),
    ("按段", 5, 5, 0), ("按段", 5, 5, 1e-4),
    ("按段", 2, 2, 1e-3), ("按段", 2, 7, 1e-3), ("按段", 10, 2, 1e-3))
SEEDS = (1, 2, 3)
EXAMPLES = ("教师", "天气", "说", "总统", "北京")  # 训练对一样多的两份，各看五个近邻


def read_corpora() -> dict[str, EncodedCorpus]:
    """《人民日报》的四种排法；编号都照各自的词表，只有去标点的那一份词表不同。"""
    sentences = list(corpora.people_daily())
    whole = encode_corpus([s.words for s in sentences])
    ends = np.isin(whole.ids, whole.vocab.encode(list("。！？")))
    line = np.cumsum(np.r_[0, ends[:-1] | (np.diff(whole.sentence) > 0)])  # 第几句
    plain = [[word for word, tag in zip(s.words, s.tags, strict=True) if tag != "w"] for s in sentences]
    return {"按段": whole, "接成一串": whole._replace(sentence=np.zeros_like(whole.sentence)),
            "按句": whole._replace(sentence=line), "去标点": encode_corpus(plain)}


def train(corpus: EncodedCorpus, window: int, epochs: int, sample: float, seed: int) -> WordVectors:
    torch.set_num_threads(1)
    return train_skipgram(corpus, vector_size=50, window=window, epochs=epochs, sample=sample, seed=seed)


class Ruler:
    """第 04 章“窗口 2 与窗口 10”那一节的两把尺子，和两份考卷。

    取 500 个词，各找 10 个近邻（都出现 50 次以上，不是标点）。语法：与它最常见的词性相同的占百分之几；
    话题：与它在同一段、隔 21 到 60 个词处相遇，次数超过碰巧的两倍的占百分之几。
    """

    def __init__(self, corpus: EncodedCorpus):
        ids, paragraph, vocab = corpus
        counts = np.array(vocab.counts)
        seen = Counter(pair for s in corpora.people_daily() for pair in zip(s.words, s.tags, strict=True))
        majority = {}
        for (word, tag), _ in seen.most_common():
            majority.setdefault(word, tag)
        self.tag = np.array(["", "", *(majority[word] for word in vocab.real_words)])
        self.common = np.flatnonzero((counts >= 50) & (self.tag != "w"))
        self.sample = np.sort(np.random.default_rng(0).choice(self.common, 500, replace=False))
        self.words = vocab.words
        row = np.full(len(vocab), -1)
        row[self.sample] = np.arange(500)
        at, met = np.flatnonzero(row[ids] >= 0), np.zeros((500, len(vocab)))
        for d in (*range(-60, -20), *range(21, 61)):
            p = at[(at + d >= 0) & (at + d < len(ids))]
            p = p[paragraph[p] == paragraph[p + d]]
            np.add.at(met, (row[ids[p]], ids[p + d]), 1)
        self.related = met > 2 * met.sum(axis=1, keepdims=True) * counts / counts.sum()
        self.pairs = load_pairs(EVALUATION / "word_pairs_detail.tsv")
        self.questions = load_analogies(EVALUATION / "analogies.tsv")

    def near(self, vectors: WordVectors, rows: np.ndarray, topn: int = 10) -> np.ndarray:
        """各个词在出现 50 次以上的词里的近邻，编号；形状 (n,) → (n, topn)。"""
        a, b = (vectors.unit[[vectors.index(self.words[i]) for i in part]] for part in (rows, self.common))
        cosine = a @ b.T
        cosine[rows[:, None] == self.common] = -1  # 自己不算
        return self.common[np.argsort(-cosine, axis=1, kind="stable")[:, :topn]]

    def measure(self, vectors: WordVectors) -> tuple[float, float, float, float]:
        """语法 %，话题 %，480 对词的等级相关系数，9,422 道类比题的命中率 %。"""
        near = self.near(vectors, self.sample)
        grammar = self.tag[near] == self.tag[self.sample][:, None]
        topic = np.take_along_axis(self.related, near, axis=1)
        rho, rate = quality(vectors, self.pairs, self.questions)
        return 100 * grammar.mean(), 100 * topic.mean(), rho, 100 * rate


def examples(corpus: EncodedCorpus, ruler: Ruler) -> list[tuple[str, ...]]:
    """窗口 2 练 7 轮、窗口 10 练 2 轮，种子 1：（词，窗口，五个近邻）。"""
    rows = np.array([ruler.words.index(word) for word in EXAMPLES])
    near = {w: ruler.near(train(corpus, w, epochs, 1e-3, 1), rows, 5) for w, epochs in ((2, 7), (10, 2))}
    return [(word, str(w), " ".join(ruler.words[i] for i in near[w][k]))
            for k, word in enumerate(EXAMPLES) for w in near]


def main() -> None:
    arranged = read_corpora()
    ruler = Ruler(arranged["按段"])
    shown = [("词", "窗口", "近邻"), *examples(arranged["按段"], ruler)]
    write_atomically(FOLDER / "examples.tsv", "\n".join(map("\t".join, shown)) + "\n")
    lines = ["\t".join(COLUMNS)]
    for name, *setting in SETTINGS:
        for seed in SEEDS:
            numbers = ruler.measure(train(arranged[name], *setting, seed))
            lines.append("\t".join(map(str, (name, *setting, seed, *(f"{x:.3f}" for x in numbers)))))
            print(lines[-1], flush=True)
    write_atomically(FOLDER / "results.tsv", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
