"""末态诊所：四种读法、几种 max_L、几种补救，各训练几遍，写成 results.tsv。单线程约五分钟。

    python data/readings/build.py                    # 短评与课程的标题
    python data/readings/build.py THUCNews的文件夹    # 手上有 THUCNews 的话，再加四种设定，多几分钟

单精度，所以在别的处理器上，数从第三位起会有出入；tests/test_stored_trainings.py 重算其中几行。
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from textseq import corpora, sequences, text
from textseq._files import write_atomically
from textseq.vocab import Vocab

FOLDER = Path(__file__).parent
COLUMNS = ("数据", "读法", "补在", "max_L", "轮次", "遗忘门偏置", "种子",
           "准确率%", "再补32格后%", "分数最大变化")
NAIVE, LAST = "直接取末位", "最后一个真词"
READINGS = (NAIVE, LAST, "平均池化", "最大池化")
SETTINGS = (  # 数据，读法，补在，max_L，轮次，遗忘门偏置（加在 torch 默认的起点上）
    *(("短评", read, "后", max_L, 3, 0) for read in READINGS for max_L in (16, 32, 64)),
    *(("短评", NAIVE, "后", max_L, 3, 0) for max_L in (20, 24)),
    *(("短评", NAIVE, "后", 32, epochs, 0) for epochs in (10, 30)),
    *(("短评", NAIVE, "后", 32, epochs, bias) for epochs, bias in ((3, 2), (10, 2), (10, 5))),
    *(("短评", NAIVE, "前", max_L, 3, 0) for max_L in (16, 64)),
    *(("标题", read, "后", max_L, 10, 0) for read in READINGS[:2] for max_L in (32, 64)),
    *(("标题", read, "后", 32, 30, 0) for read in READINGS[:2]))
THUCNEWS = tuple(("THUCNews", read, "后", max_L, 3, 0) for read in READINGS[:2] for max_L in (32, 64))
SEEDS = (0, 1, 2, 3, 4)


class Data(NamedTuple):
    """编号与类别，一条一对；V 是词表大小，C 是类数。"""
    train: list[tuple[list[int], int]]
    test: list[tuple[list[int], int]]
    V: int
    C: int


def encoded(train: list, test: list, C: int) -> Data:
    """[(词, 类)] → Data，词表只看训练集，只出现一次的词不要。"""
    vocab = Vocab.build([words for words, _ in train], min_count=2)
    return Data(*([(vocab.encode(words), label) for words, label in part] for part in (train, test)),
                len(vocab), C)


def reviews() -> Data:
    """短评：差评、好评各半，字数两两相同，各 4 到 16 个词；1,600 条训练，1,000 条测试。"""
    found, rng = list(corpora.reviews()), np.random.default_rng(8)
    pools = {n: ([], []) for n in range(6, 33)}  # 字数 → (差评, 好评)
    for i in rng.permutation(len(found)):
        if (n := len(found[i].text)) in pools:
            pools[n][found[i].label].append(text.tokenize(found[i].text))
    pairs = [pair for pool in pools.values() for pair in zip(*pool, strict=False)
             if all(4 <= len(words) <= 16 for words in pair)]
    rows = [(words, label) for i in rng.permutation(len(pairs))[:1300]
            for label, words in enumerate(pairs[i])]
    return encoded(rows[:1600], rows[1600:], 2)


def titles(folder: Path) -> Data:
    """标题：按字切，开发集当测试集。"""
    source = corpora.headlines(folder)
    train, dev = ([(list(title), label) for title, label in corpora.headlines(folder, name)]
                  for name in ("train", "dev"))
    return encoded(train, dev, len(source.classes))


def collate(max_L: int, where: str = "后") -> Callable:
    """→ DataLoader 的 collate_fn：一批 (编号, 类) → 补齐的矩阵 (B, max_L) 与类 (B,)。"""
    side = "post" if where == "后" else "pre"

    def pad(batch):
        rows, labels = zip(*batch, strict=True)
        x = sequences.pad_sequences([r[:max_L] for r in rows], max_L, padding=side)
        return torch.from_numpy(x), torch.tensor(labels)
    return pad


class Reader(nn.Module):
    """词嵌入、单向 LSTM、读法、全连接层，与第 08 章的相同，只多一个遗忘门偏置。"""

    def __init__(self, read: str, V: int, C: int = 2, bias: float = 0):
        super().__init__()
        self.read = read
        self.embedding = nn.Embedding(V, 16, padding_idx=0)
        self.embedding.weight.data *= 0.3
        self.lstm = nn.LSTM(16, 16, batch_first=True)
        self.lstm.bias_hh_l0.data[16:32] += bias  # 次序 i、f、g、o
        self.output = nn.Linear(16, C)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        out, _ = self.lstm(self.embedding(ids))
        mask = ids != 0
        n = mask.sum(dim=1)
        state = {NAIVE: lambda: out[:, -1],
                 LAST: lambda: out[range(len(out)), n - 1],
                 "平均池化": lambda: (out * mask[:, :, None]).sum(1) / n[:, None],
                 "最大池化": lambda: out.where(mask[:, :, None], -torch.inf).amax(1)}[self.read]()
        return self.output(state)


def train(data: Data, read: str, where: str, max_L: int, epochs: int, bias: float, seed: int) -> Reader:
    torch.manual_seed(seed)
    model = Reader(read, data.V, data.C, bias)
    batches = DataLoader(data.train, batch_size=100, shuffle=True, collate_fn=collate(max_L, where))
    adam = torch.optim.Adam(model.parameters(), lr=0.02, fused=True)
    for _ in range(epochs):
        for ids, labels in batches:
            loss = nn.functional.cross_entropy(model(ids), labels)
            adam.zero_grad()
            loss.backward()
            adam.step()
    return model


@torch.inference_mode()
def measure(model: Reader, data: Data, where: str, max_L: int) -> tuple[float, float, float]:
    """准确率 %；再补 32 个 PAD 之后的准确率 %；两次的分数最多差多少。"""
    # 先截到 max_L，再补：两次的内容一样，只差 PAD
    test = [(ids[:max_L], label) for ids, label in data.test]
    short, long = (model(collate(L, where)(test)[0]) for L in (max_L, max_L + 32))
    y = torch.tensor([label for _, label in test])
    right = [100 * (scores.argmax(1) == y).double().mean().item() for scores in (short, long)]
    return *right, (short - long).abs().max().item()


def main(thucnews: str | None = None) -> None:
    torch.set_num_threads(1)
    datas = {"短评": reviews(), "标题": titles(FOLDER.parent / "headlines")}
    if thucnews:
        datas["THUCNews"] = titles(Path(thucnews))
    lines = ["\t".join(COLUMNS)]
    for name, read, where, max_L, epochs, bias in (*SETTINGS, *(THUCNEWS if thucnews else ())):
        for seed in SEEDS if name != "THUCNews" else SEEDS[:3]:
            model = train(datas[name], read, where, max_L, epochs, bias, seed)
            accuracy, longer, change = measure(model, datas[name], where, max_L)
            row = name, read, where, max_L, epochs, bias, seed
            lines.append("\t".join((*map(str, row), f"{accuracy:.1f}", f"{longer:.1f}", f"{change:.3f}")))
            print(lines[-1], flush=True)
    write_atomically(FOLDER / "results.tsv", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
