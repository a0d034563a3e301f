"""今天还用得上吗：LSTM、线性循环、自注意力，同样的任务各自重新训练，写成 results.tsv。单线程约一刻钟。

    python data/today/build.py

两件事：第 02 章“最近的旗”（次序要紧），第 10 章的标题（次序几乎不要紧）。每种网络的学习率先各自挑好，
挑的种子与正式的不同，挑中的不在单子两头。tests/test_stored_trainings.py 重练其中几行。
"""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from textseq import corpora
from textseq._files import write_atomically
from textseq.classifier import Classifier, Design, build_vocab
from textseq.classifier_fit import fit
from textseq.evaluation import title_score
from textseq.vocab import PAD_ID, UNK_ID

FOLDER = Path(__file__).parent
TITLES = FOLDER.parent / "headlines"
COLUMNS = ("任务", "网络", "练长", "考长", "种子", "学习率", "准确率%", "参数", "处理器秒")
FLAG_SIZES = {"LSTM": 8, "线性循环": 16, "自注意力": 8,      # 参数都是六百多个
              "自注意力，64 维": 64}                        # 三万多个：怕是嫌小
FLAG_RATES = (0.001, 0.003, 0.01, 0.03, 0.1)
TITLE_RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
SEEDS, TUNING = (1, 2, 3, 4, 5), (11, 12, 13)
STEPS, BATCH, CLASSES = 1000, 64, 2


# --- 三种读法：(B, T, D) → (B, T, H)，第 t 步只看前 t 个 --------------------------------------

class Lstm(nn.Module):
    def __init__(self, D: int, H: int):
        super().__init__()
        self.layer, self.size = nn.LSTM(D, H, batch_first=True), H

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)[0]


def scan(keep: torch.Tensor, add: torch.Tensor) -> torch.Tensor:
    """h_t = keep_t · h_{t-1} + add_t，所有的 t 一起算：相邻的先并，再隔 2、4、8 步并，log2(T) 轮。"""
    shift = 1
    while shift < add.shape[1]:
        before = F.pad(add[:, :-shift], (0, 0, shift, 0))
        add = add + keep * before
        keep = keep * F.pad(keep[:, :-shift], (0, 0, shift, 0), value=1.0)
        shift *= 2
    return add


class Linear(nn.Module):
    """线性循环：门与候选都只看这一步的输入，不看上一步的状态。出处：Feng et al., 2024（minGRU）。"""

    def __init__(self, D: int, H: int):
        super().__init__()
        self.layer, self.size = nn.Linear(D, 2 * H), H

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate, candidate = self.layer(x).chunk(2, -1)
        z = gate.sigmoid()
        return scan(1 - z, z * candidate)


class Attention(nn.Module):
    """一层自注意力加前馈，各带残差与层归一化，位置用正弦；只看前面。出处：Vaswani et al., 2017。"""

    def __init__(self, D: int, H: int):
        super().__init__()
        self.enter = nn.Identity() if D == H else nn.Linear(D, H)
        self.layer = nn.TransformerEncoderLayer(H, max(1, H // 16), 2 * H, dropout=0.0, batch_first=True,
                                                norm_first=True)
        self.size, self.first = H, 0               # 第一个位置从几数起

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        T = x.shape[1]
        mask = nn.Transformer.generate_square_subsequent_mask(T, dtype=x.dtype)
        where = positions(T, self.size, self.first)
        return self.layer(self.enter(x) + where, src_mask=mask, is_causal=True)


def positions(T: int, D: int, first: int = 0) -> torch.Tensor:
    """正弦的位置向量，第 first 个起，(T, D)。"""
    angle = torch.arange(first, first + T)[:, None] / 10000 ** (torch.arange(0, D, 2) / D)
    return torch.stack((angle.sin(), angle.cos()), -1).flatten(1)


READERS = {"LSTM": Lstm, "线性循环": Linear, "自注意力": Attention}


def best_rate(scores: dict[float, float]) -> float:
    """分数最高的学习率；几个并列，取中间的一个。"""
    best = [rate for rate, score in scores.items() if score == max(scores.values())]
    return best[len(best) // 2]


# --- 最近的旗 -----------------------------------------------------------------------------

def latest(T: int, n: int, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """第一个总插旗，以后每个以 0.15 的机会插旗；答最近一面旗下的符号。编号 (n, T)，答案 (n,)。"""
    ids = torch.randint(CLASSES, (n, T), generator=rng)
    flag = torch.rand(n, T, generator=rng) < 0.15
    flag[:, 0] = True
    last = (flag * torch.arange(T)).argmax(1, keepdim=True)
    return ids + CLASSES * flag, ids.gather(1, last)[:, 0]


class Flags(nn.Module):
    def __init__(self, kind: str):
        super().__init__()
        H = FLAG_SIZES[kind]
        self.embedding = nn.Embedding(2 * CLASSES, H)
        self.reader = READERS[kind.partition("，")[0]](H, H)
        self.output = nn.Linear(H, CLASSES)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.output(self.reader(self.embedding(ids))[:, -1])


def train_flags(kind: str, T: int, rate: float, seed: int) -> tuple[Flags, float]:
    """训练一个网络；返回它和处理器秒。学习率线性降到零，梯度裁到 1。"""
    torch.manual_seed(seed)
    rng, model = torch.Generator().manual_seed(seed), Flags(kind)
    adam = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    start = time.process_time()
    for step in range(STEPS):
        ids, answer = latest(T, BATCH, rng)
        adam.zero_grad()
        F.cross_entropy(model(ids), answer).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        adam.param_groups[0]["lr"] = rate * (1 - step / STEPS)
        adam.step()
    return model, time.process_time() - start


@torch.inference_mode()
def flag_score(model: Flags, T: int | str) -> float:
    """400 条新序列上的准确率（%）；T 是 "20 挪 60"，就考 20 个符号、位置从 60 数起。"""
    model.eval()
    if isinstance(T, str):
        T, model.reader.first = map(int, T.split(" 挪 "))
    ids, answer = latest(T, 400, torch.Generator().manual_seed(9))
    return 100 * float((model(ids).argmax(1) == answer).double().mean())


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def flag_rows() -> Iterator[tuple]:
    for kind in FLAG_SIZES:
        moved = ("20 挪 60",) if "注意" in kind else ()
        for T, others in ((20, (20, 80, *moved)), (80, (80,)))[:1 if "64" in kind else 2]:
            tried = {rate: np.mean([flag_score(train_flags(kind, T, rate, seed)[0], T) for seed in TUNING])
                     for rate in FLAG_RATES}
            rate = best_rate(tried)
            print(kind, T, {rate: round(score, 1) for rate, score in tried.items()}, flush=True)
            for seed in SEEDS:
                model, seconds = train_flags(kind, T, rate, seed)
                for other in others:
                    score = flag_score(model, other)
                    yield "最近的旗", kind, T, other, seed, rate, score, count(model), seconds


# --- 标题 ---------------------------------------------------------------------------------

class Titles(Classifier):
    """第 10 章的分类器，字，沿时间取最大，只从左往右读；循环层换成 kind，“没有”就只取词向量的最大。"""

    def __init__(self, kind: str, vocab, classes, seed: int):
        super().__init__(vocab, classes, Design(cell="none", pooling="max"), seed=seed)
        torch.manual_seed(seed)
        self.reader = READERS[kind](64, 64) if kind in READERS else None

    def hidden(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            stay = torch.rand(x.shape) >= self.design.unit_dropout
            x = x.where(stay | (x == PAD_ID), UNK_ID)
        e = F.dropout(self.embedding(x).flatten(2), self.design.dropout, self.training)
        return self.reader(e) if self.reader else e     # 补齐都在右边，左边的看不见它


def train_titles(kind: str, data: tuple, rate: float, seed: int) -> tuple[float, float, int, float]:
    """训练一次 → (dev 损失, dev 准确率%, 循环层的参数, 处理器秒)。"""
    train, dev, classes = data
    model = Titles(kind, build_vocab(title for title, _ in train), classes, seed)
    start = time.process_time()
    fit(model, train, dev, lr=rate, epochs=15, seed=seed)
    seconds = time.process_time() - start
    loss, accuracy = title_score(model, dev)
    return loss, 100 * accuracy, count(model.reader) if model.reader else 0, seconds


def title_rows() -> Iterator[tuple]:
    source = corpora.headlines(TITLES)
    data = list(source), list(corpora.headlines(TITLES, "dev")), source.classes
    for kind in ("没有", *READERS):
        tried = {rate: np.mean([train_titles(kind, data, rate, seed)[0] for seed in TUNING[:1]])
                 for rate in TITLE_RATES}
        rate = best_rate({rate: -loss for rate, loss in tried.items()})
        print(kind, {rate: round(loss, 3) for rate, loss in tried.items()}, flush=True)
        for seed in SEEDS:
            _, accuracy, parameters, seconds = train_titles(kind, data, rate, seed)
            yield "标题", kind, "–", "–", seed, rate, accuracy, parameters, seconds


def main() -> None:
    torch.set_num_threads(1)
    lines = ["\t".join(COLUMNS)]
    for rows in (flag_rows(), title_rows()):
        for *start, accuracy, parameters, seconds in rows:
            lines.append("\t".join(map(str, (*start, f"{accuracy:.2f}", parameters, f"{seconds:.1f}"))))
            print(lines[-1], flush=True)
    write_atomically(FOLDER / "results.tsv", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
