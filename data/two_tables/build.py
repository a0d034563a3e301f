"""两张表怎样训练、留哪一张、换个种子还剩几成：写成四个 .tsv。单线程约十分钟。

    python data/two_tables/build.py

单精度，所以在别的处理器上，数从第三位起会有出入；tests/test_stored_trainings.py 重算其中几行。
"""

from collections import Counter
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from textseq import corpora
from textseq._files import write_atomically
from textseq.evaluation import (
    load_analogies,
    load_pairs,
    nearest,
    neighbor_overlap,
    quality,
    similarity_score,
)
from textseq.vectors import WordVectors
from textseq.vocab import EncodedCorpus, encode_corpus
from textseq.word2vec_fast import Settings, make_batches, update_tables
from textseq.word2vec_train import PART, train

FOLDER = Path(__file__).parent
PAIRS = load_pairs(FOLDER.parent / "evaluation/word_pairs_detail.tsv")
QUESTIONS = load_analogies(FOLDER.parent / "evaluation/analogies.tsv")
SEEDS, EPOCHS, SIZE = (1, 2, 3), 5, 32
BANDS = {"最常见的": range(300), "第 2,000 名起": range(2000, 2300), "第 10,000 名起": range(10_000, 10_300)}
TRAININGS = {  # 名字：改哪几张表，设定里与默认不同的，不改的那张长几倍（默认 1）或是别的种子学好的
    "两张都改": ("两张", {}),
    "两张都改，1 轮": ("两张", {"epochs": 1}),
    "两张都改，学习率一直 0.05": ("两张", {"min_alpha": 0.05}),
    "两张都改，学习率一直 0.025": ("两张", {"alpha": 0.025, "min_alpha": 0.025}),
    "只改 Embedding，1 轮": ("Embedding", {"epochs": 1}),
    "只改 Context，1 轮": ("Context", {"epochs": 1}),
    "只改 Embedding": ("Embedding", {}),
    "只改 Context": ("Context", {}),
    "只改 Embedding，学习率 0.2": ("Embedding", {"alpha": 0.2}),
    "只改 Context，学习率 0.2": ("Context", {"alpha": 0.2}),
    "只改 Embedding，Context 长三倍": ("Embedding", {}, 3),
    "只改 Embedding，Context 是学好的": ("Embedding", {}, "学好的"),
}
COLUMNS = ("训练", "表", "种子", "rho", "rho减平均", "类比%", "平均余弦", "词频R2")
WATCHED = ("两张都改", "两张都改，学习率一直 0.05")
PER_EPOCH = ("训练", "种子", "轮", "档", "近邻已定%", "同词性%", "与末轮的余弦")
EXAMPLES, SEEN = ("北京", "比赛", "上午", "春节", "医生"), ("词", "次数", "轮", "近邻前三")
BETWEEN = ("种子甲", "种子乙", "余弦", "转后余弦", *(f"{band}相同%" for band in BANDS))


def frozen(which: str, table: np.ndarray):
    """只改一张表的 update_tables：另一张第一步之前换成 table，以后不动。"""
    if which == "两张":
        return update_tables
    started = []

    def update(E, C, *rest):
        fixed = C if which == "Embedding" else E
        if not started:
            fixed.copy_(torch.from_numpy(table))
            started.append(True)
        copies = (E, C.clone()) if which == "Embedding" else (E.clone(), C)
        return update_tables(*copies, *rest)
    return update


def snapshots(corpus: EncodedCorpus, name: str, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """按 TRAININGS 里的一种训练，返回起点与各轮之后的两张表（去掉空位与生词两行）。"""
    torch.set_num_threads(1)
    which, changes, length = (*TRAININGS[name], 1)[:3]
    s = Settings(**{"vector_size": SIZE, "epochs": EPOCHS, "seed": seed} | changes)
    if length == "学好的":  # 下一个种子两张都改，学出的 Context
        learned = train("skipgram", corpus, replace(s, seed=seed % len(SEEDS) + 1))
        table = learned.context
    else:
        table = length * np.random.default_rng(0).normal(size=(len(corpus.vocab), SIZE)) / SIZE ** 0.5
    step, tables, kept, parts = frozen(which, table), [], [], [0]

    def keep() -> None:
        kept.append(tuple(t.numpy().copy() for t in tables))

    def update(E, C, *rest):
        if not tables:
            tables[:] = E, C
            keep()
        return step(E, C, *rest)

    def batches(*arguments):  # 每份语料叫一次；一轮的头一份之前，上一轮刚完
        if tables and parts[0] % -(-len(corpus.ids) // PART) == 0:
            keep()
        parts[0] += 1
        return make_batches(*arguments)

    with mock.patch("textseq.word2vec_train.update_tables", update), \
            mock.patch("textseq.word2vec_train.make_batches", batches):
        kept.append(tuple(train("skipgram", corpus, s)))
    return [(E[2:], C[2:]) for E, C in kept]


def measure(corpus: EncodedCorpus, table: np.ndarray) -> tuple[float, ...]:
    """等级相关系数，减去平均向量之后的，类比 %，两两余弦的平均，由方向猜词频的对数的 R²。"""
    words = corpus.vocab.real_words
    vectors, centred = (WordVectors(words, t.astype(np.float32)) for t in (table, table - table.mean(axis=0)))
    rho, rate = quality(vectors, PAIRS, QUESTIONS)
    unit = vectors.unit.astype(float)
    x, y = np.c_[unit, np.ones(len(unit))], np.log(corpus.vocab.counts[2:])
    error = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return (rho, similarity_score(centred, PAIRS).rho, 100 * rate, float((unit.mean(axis=0) ** 2).sum()),
            1 - float((error ** 2).mean() / y.var()))


def kinds(name: str, E: np.ndarray, C: np.ndarray) -> dict[str, np.ndarray]:
    """要打分的表：两张都改的三种留法；只改一张的，留改过的那张。"""
    if name == "两张都改":
        return {"Embedding": E, "Context": C, "(E + C) / 2": (E + C) / 2}
    return {"Context": C} if "只改 Context" in name else {"Embedding": E}


def majority(corpus: EncodedCorpus) -> np.ndarray:
    """每个词最常用的词性，取大类（标注的第一个字母）。"""
    seen = Counter((w, t[0]) for s in corpora.people_daily() for w, t in zip(*s, strict=True))
    best = {w: t for (w, t), _ in reversed(seen.most_common())}
    return np.array([best[w] for w in corpus.vocab.real_words])


def watch(corpus: EncodedCorpus, tables: list[np.ndarray]) -> list[tuple]:
    """各轮的词向量表 → (轮, 档, 最终的近邻前十已有几成, 近邻前十里同词性的, 与末轮同一个词的余弦)。"""
    tag, rows = majority(corpus), []
    every = [WordVectors(corpus.vocab.real_words, t) for t in tables]
    for epoch, vectors in enumerate(every):
        for band, words in BANDS.items():
            near = nearest(vectors, list(words))
            rows.append((epoch, band, 100 * neighbor_overlap(vectors, every[-1], list(words)),
                         100 * (tag[near] == tag[words][:, None]).mean(),
                         float((vectors.unit[words] * every[-1].unit[words]).sum(axis=1).mean())))
    return rows


def examples(corpus: EncodedCorpus, tables: list[np.ndarray]) -> list[tuple]:
    """五个词在各轮的近邻前三。"""
    every = [WordVectors(corpus.vocab.real_words, t) for t in tables]
    return [(word, corpus.vocab.counts[corpus.vocab.words.index(word)], epoch,
             " ".join(w for w, _ in vectors.most_similar(word, topn=3)))
            for word in EXAMPLES for epoch, vectors in enumerate(every)]


def between(corpus: EncodedCorpus, a: np.ndarray, b: np.ndarray, n: int = 5000) -> tuple[float, ...]:
    """两次训练：最常见的 n 个词，同一个词的余弦；把一张表整个转一下再比；各档近邻前十相同的 %。"""
    a, b = (WordVectors(corpus.vocab.real_words, t) for t in (a, b))
    U, _, Vt = np.linalg.svd(a.unit[:n].T @ b.unit[:n])
    cosines = (float((x[:n] * b.unit[:n]).sum(axis=1).mean()) for x in (a.unit, a.unit @ (U @ Vt)))
    return *cosines, *(100 * neighbor_overlap(a, b, list(words)) for words in BANDS.values())


def main() -> None:
    corpus = encode_corpus([s.words for s in corpora.people_daily()])
    files = {"results": [COLUMNS], "epochs": [PER_EPOCH], "between": [BETWEEN], "examples": [SEEN]}
    last = {}
    for name in TRAININGS:
        for seed in SEEDS:
            tables = snapshots(corpus, name, seed)
            files["results"] += [(name, kind, seed, *measure(corpus, t))
                                 for kind, t in kinds(name, *tables[-1]).items()]
            print(*files["results"][-1], flush=True)
            if name in WATCHED:
                files["epochs"] += [(name, seed, *row) for row in watch(corpus, [E for E, _ in tables])]
            if name == "两张都改" and seed == 1:
                files["examples"] += examples(corpus, [E for E, _ in tables])
            last.setdefault(name, {})[seed] = tables[-1][0]
    files["between"] += [(i, j, *between(corpus, last["两张都改"][i], last["两张都改"][j]))
                         for i, j in combinations(SEEDS, 2)]
    for name, rows in files.items():
        lines = ("\t".join(f"{x:.3f}" if isinstance(x, float) else str(x) for x in row) for row in rows)
        write_atomically(FOLDER / f"{name}.tsv", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
