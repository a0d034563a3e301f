"""第 10 章的阶梯：各级模型各三个种子，写成 results.tsv。课程的标题约一刻钟，THUCNews 约一小时。

    python data/ladder/build.py                    # 课程自己的标题
    python data/ladder/build.py THUCNews的文件夹    # 真标题；只改写它的那些行

单精度、单线程；在别的处理器上，准确率会差百分之零点几。tests/test_stored_trainings.py 重算其中几行。
"""

import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from textseq import corpora
from textseq._files import write_atomically
from textseq.classifier import Classifier, Design, build_vocab
from textseq.classifier_fit import fit
from textseq.classifier_start import pretrain, start_table
from textseq.evaluation import title_score
from textseq.naive_bayes import count_units, guess_label
from textseq.quantized import load_quantized
from textseq.sequences import pad_sequences
from textseq.text import split_units
from textseq.vocab import PAD_ID, UNK_ID, Vocab

FOLDER = Path(__file__).parent
TITLES = FOLDER.parent / "headlines"
NEIGHBORS = FOLDER.parent / "neighbors/neighbors.js"
COLUMNS = ("数据", "模型", "训练条数", "种子", "dev%", "参数", "处理器秒", "学习率", "轮数")
RATES = (1e-3, 3e-3, 1e-2)
SEEDS = (1, 2, 3)
EPOCHS = 15        # 至多；dev 损失两轮不创新低就停
SIZES = (330, 660, 1320, 2640)


class Rung(NamedTuple):
    """一级：设计，与词向量的起点——随机，标题（先在训练集的标题上训练），人民日报（第 07 章的办法）。"""
    design: Design
    start: str = "随机"
    freeze: bool = False


MEAN = Design(cell="none", pooling="mean", unit_dropout=0.1)
LAST = Design(bidirectional=False, pooling="last", hidden_size=64)
MAX = Design(hidden_size=64)
WORDS = Design(unit="word", hidden_size=64, embedding_size=50)

OWN = {
    "平均，字": Rung(MEAN),
    "平均，字与二字": Rung(replace(MEAN, bigrams=True)),
    "平均，词": Rung(replace(MEAN, unit="word")),
    "RNN，字，末态": Rung(replace(LAST, cell="rnn")),
    "LSTM，字，末态": Rung(LAST),
    "双向 LSTM，字，末态": Rung(replace(LAST, bidirectional=True)),
    "双向 LSTM，字，取最大": Rung(MAX),
    "双向 LSTM，字与二字，取最大": Rung(replace(MAX, bigrams=True)),
    "双向 LSTM，字与二字，标题上的向量": Rung(replace(MAX, bigrams=True), "标题"),
    "双向 LSTM，词，取最大": Rung(WORDS),
    "双向 LSTM，词，人民日报的向量，冻结": Rung(WORDS, "人民日报", True),
    "双向 LSTM，词，人民日报的向量，微调": Rung(WORDS, "人民日报"),
}
LARGE = Design(bigrams=True, dropout=0.5, unit_dropout=0.4)
THUCNEWS = {
    "平均，字与二字": Rung(replace(MEAN, bigrams=True)),
    "平均，字与二字，标题上的向量": Rung(replace(MEAN, bigrams=True), "标题"),
    "双向 LSTM，字，取最大": Rung(replace(LARGE, bigrams=False)),
    "双向 LSTM，字与二字，取最大": Rung(LARGE),
    "双向 LSTM，字与二字，标题上的向量": Rung(LARGE, "标题"),
}
LARGE_RECIPE = {"epochs": 8, "batch_size": 128, "max_norm": 5, "patience": 8, "monitor": "accuracy"}


LINEAR = "逻辑回归，字的一二三元与词"
WEIGHTED = "逻辑回归，用朴素贝叶斯加权"
TOGETHER = "加权的逻辑回归与双向 LSTM，平均"
LINEAR_RECIPE = {"lr": 1e-2, "epochs": 4, "batch_size": 128, "max_norm": 5}
WEIGHTED_RECIPE = LINEAR_RECIPE | {"epochs": 3}
QUICK_RECIPE = {"lr": 5e-3, "epochs": 7, "batch_size": 128, "max_norm": 5, "patience": 7}


@cache
def grams(title: str) -> list[str]:
    """标题里有哪些单位：连着的一个、两个、三个字，句首句尾各当一个字，再加 jieba 的词；各算一次。

    >>> grams("油价")
    ['^', '油', '价', '$', '^ 油', '油 价', '价 $', '^ 油 价', '油 价 $', '/油价']
    """
    row, words = ["^", *split_units(title), "$"], split_units(title, "word")
    runs = [" ".join(row[i:i + n]) for n in (1, 2, 3) for i in range(len(row) - n + 1)]
    return list(dict.fromkeys(runs + [f"/{word}" for word in words]))


class Linear(Classifier):
    """逻辑回归：每个单位给各类打分，从 0 学起；一条标题的分数加起来，除以单位个数的平方根。"""

    def __init__(self, train: list, classes: tuple) -> None:
        vocab = Vocab.build((grams(title) for title, _ in train), min_count=2)
        super().__init__(vocab, classes, Design(cell="none", embedding_size=len(classes)))
        nn.init.zeros_(self.embedding.weight)
        self.output.weight.requires_grad_(False)  # 词向量就是各类的分数，只用 output 的偏置

    def to_ids(self, titles: list[str]) -> torch.Tensor:
        rows = ([k for k in self.vocab.encode(grams(t)) if k != UNK_ID] or [UNK_ID] for t in titles)
        return torch.from_numpy(pad_sequences(list(rows)))[..., None]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x[..., 0]
        count = (x != PAD_ID).sum(1, keepdim=True)
        return 5 * self.embedding(x).sum(1) / count.sqrt() + self.output.bias


class Weighted(Linear):
    """逻辑回归，每个单位给各类打的分，先乘上朴素贝叶斯的 r；r 数一遍训练集就有，不学。

    r = log P(单位|类) − log P(单位|别的类)，类里、类外的次数各加 0.5；分母里连同两个特殊的词。
    一条标题的分除以它的 r 的平方和的根。
    出处：Wang & Manning, Baselines and Bigrams, 2012；那里是支持向量机，这里是 softmax。
    """

    def __init__(self, train: list, classes: tuple) -> None:
        super().__init__(train, classes)
        n = torch.zeros_like(self.embedding.weight)
        for title, label in train:
            n[self.to_ids([title]).flatten(), label] += 1
        n[[PAD_ID, UNK_ID]] = 0
        here, elsewhere = n + 0.5, n.sum(1, keepdim=True) - n + 0.5
        r = (here / here.sum(0)).log() - (elsewhere / elsewhere.sum(0)).log()
        r[[PAD_ID, UNK_ID]] = 0
        self.register_buffer("r", r)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        r = self.r[x[..., 0]]
        size = r.square().sum(1).sqrt().clamp(min=1e-6)
        return 5 * (r * self.embedding(x[..., 0])).sum(1) / size + self.output.bias


def prepare(rung: Rung, train: list, classes: tuple, seed: int) -> Classifier:
    """还没有训练的分类器，词向量已经放好。"""
    titles = [title for title, _ in train]
    vocab, vectors = build_vocab(titles, rung.design.unit, rung.design.bigrams), None
    if rung.start == "标题":
        vectors = pretrain(vocab, titles, rung.design, seed=seed)
    elif rung.start == "人民日报":
        vectors = start_table(vocab, load_quantized(NEIGHBORS)[0], seed)
    return Classifier(vocab, classes, rung.design, vectors, rung.freeze, seed)


def measure(rung: Rung, train: list, dev: list, classes: tuple, seed: int, **recipe) -> tuple:
    """训练一次 → (dev 损失, dev%, 参数个数, 处理器秒, 轮数)。"""
    start = time.process_time()
    model = prepare(rung, train, classes, seed)
    reports = fit(model, train, dev, seed=seed, **recipe)
    seconds = time.process_time() - start
    loss, accuracy = title_score(model, dev)
    learned = sum(p.numel() for p in model.parameters() if p.requires_grad)
    return loss, 100 * accuracy, learned, seconds, len(reports)


def choose_rate(rung: Rung, train: list, dev: list, classes: tuple) -> float:
    """0 号种子、dev 损失最低的学习率；后面三个种子都用它。"""
    return min(RATES, key=lambda rate: measure(rung, train, dev, classes, 0, lr=rate, max_norm=5,
                                               epochs=EPOCHS)[0])


def measure_bayes(train: list, dev: list, classes: tuple) -> tuple[float, int]:
    """朴素贝叶斯 → (dev%, 单位数 × 类别数)。"""
    model = count_units(train, classes)
    hits = [guess_label(model, title) == label for title, label in dev]
    return 100 * float(np.mean(hits)), model.log_p.size


def baselines(data: str, train: list, dev: list, classes: tuple) -> Iterator[tuple]:
    most, _ = Counter(label for _, label in train).most_common(1)[0]
    accuracy = 100 * float(np.mean([label == most for _, label in dev]))
    yield data, "总猜最多的一类", len(train), "–", accuracy, 0, 0, "–", "–"
    start = time.process_time()
    accuracy, parameters = measure_bayes(train, dev, classes)
    yield data, "朴素贝叶斯", len(train), "–", accuracy, parameters, time.process_time() - start, "–", "–"


def subset(train: list, size: int, seed: int) -> list:
    """各类一样多地抽出 size 条；seed 不同，抽到的不同。"""
    order = np.random.default_rng(seed).permutation(len(train))
    labels = np.array([label for _, label in train])[order]
    rank = np.array([np.sum(labels[:i] == label) for i, label in enumerate(labels)])
    return [train[k] for k in order[np.argsort(rank, kind="stable")[:size]]]


def own_rows() -> Iterator[tuple]:
    source = corpora.headlines(TITLES)
    train, dev, classes = list(source), list(corpora.headlines(TITLES, "dev")), source.classes
    yield from baselines("课程", train, dev, classes)
    for name, rung in OWN.items():
        rate = choose_rate(rung, train, dev, classes)
        for seed in SEEDS:
            _, *numbers, epochs = measure(rung, train, dev, classes, seed, lr=rate, max_norm=5, epochs=EPOCHS)
            yield "课程", name, len(train), seed, *numbers, rate, epochs
        for size in SIZES if name in ("平均，字与二字", "双向 LSTM，字与二字，取最大") else ():
            for seed in SEEDS:
                _, *numbers, epochs = measure(rung, subset(train, size, seed), dev, classes, seed,
                                              lr=rate, max_norm=5, epochs=2 * EPOCHS)
                yield "课程", name, size, seed, *numbers, rate, epochs
    for size in SIZES:
        for seed in SEEDS:
            accuracy, parameters = measure_bayes(subset(train, size, seed), dev, classes)
            yield "课程", "朴素贝叶斯", size, seed, accuracy, parameters, 0, "–", "–"


class Together(NamedTuple):
    """几个模型，概率平均，各占一样的份量。"""
    models: tuple[Classifier, ...]
    classes: tuple[str, ...]

    def parameters(self) -> Iterator[nn.Parameter]:
        return (p for model in self.models for p in model.parameters())

    def probabilities(self, titles: list[str]) -> np.ndarray:
        return np.mean([model.probabilities(titles) for model in self.models], axis=0)


def fit_linear(train: list, classes: tuple, seed: int, kind: type[Linear] = Linear,
               recipe: dict = LINEAR_RECIPE) -> Linear:
    """轮数事先定好；fit 看着的是训练集的一角，dev 只用来算分。"""
    model = kind(train, classes)
    fit(model, train, train[:1000], seed=seed, **recipe)
    return model


fit_weighted = partial(fit_linear, kind=Weighted, recipe=WEIGHTED_RECIPE)


def fit_together(train: list, classes: tuple, seed: int) -> Together:
    """fit_weighted，再加最后一级的双向 LSTM，少练几轮，也不看 dev。"""
    titles = [title for title, _ in train]
    vocab = build_vocab(titles, bigrams=True)
    lstm = Classifier(vocab, classes, LARGE, pretrain(vocab, titles, LARGE, epochs=15, seed=seed), seed=seed)
    fit(lstm, train, train[:1000], seed=seed, **QUICK_RECIPE)
    return Together((fit_weighted(train, classes, seed), lstm), classes)


UNSEEN = {LINEAR: (fit_linear, LINEAR_RECIPE), WEIGHTED: (fit_weighted, WEIGHTED_RECIPE),
          TOGETHER: (fit_together, QUICK_RECIPE)}


def unseen_rows(name: str, train: list, held: list, classes: tuple) -> Iterator[tuple]:
    """不看 held 的一级，三个种子：学习率与轮数是在训练集里留出一部分挑的；LARGE 的大小、丢弃率不是。"""
    fit_one, recipe = UNSEEN[name]
    for seed in SEEDS:
        grams.cache_clear()
        start = time.process_time()
        model = fit_one(train, classes, seed)
        seconds = time.process_time() - start
        learned = sum(p.numel() for p in model.parameters() if p.requires_grad)
        yield ("THUCNews", name, len(train), seed, 100 * title_score(model, held).accuracy, learned,
               seconds, recipe["lr"], recipe["epochs"])


def large_rate(rung: Rung) -> float:
    return 1e-2 if rung.design.cell == "none" else 3e-3


def real_rows(folder: str) -> Iterator[tuple]:
    source = corpora.headlines(folder)
    train, dev, classes = list(source), list(corpora.headlines(folder, "dev")), source.classes
    yield from baselines("THUCNews", train, dev, classes)
    yield from unseen_rows(LINEAR, train, dev, classes)
    yield from unseen_rows(WEIGHTED, train, dev, classes)
    for name, rung in THUCNEWS.items():
        rate = large_rate(rung)
        for seed in SEEDS:
            _, *numbers, epochs = measure(rung, train, dev, classes, seed, lr=rate, **LARGE_RECIPE)
            yield "THUCNews", name, len(train), seed, *numbers, rate, epochs
    yield from unseen_rows(TOGETHER, train, dev, classes)


def main(folder: str | None = None) -> None:
    """重算一份数据的各行；另一份的照旧。"""
    torch.set_num_threads(1)
    table, data = FOLDER / "results.tsv", "THUCNews" if folder else "课程"
    new = []
    for *start, accuracy, parameters, seconds, rate, epochs in real_rows(folder) if folder else own_rows():
        new.append("\t".join(map(str, (*start, f"{accuracy:.2f}", parameters, f"{seconds:.1f}", rate,
                                       epochs))))
        print(new[-1], flush=True)
    lines = table.read_text(encoding="utf-8").splitlines()[1:] if table.exists() else []
    lines = [line for line in lines if not line.startswith(data)]
    lines = new + lines if data == "课程" else lines + new
    write_atomically(table, "\n".join(["\t".join(COLUMNS), *lines]) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
