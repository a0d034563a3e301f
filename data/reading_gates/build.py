"""门在读什么：三种循环网络读《人民日报》，一边猜下一个字，一边记着书名号开没开。约半小时，单线程。

    python data/reading_gates/build.py

写成 results.tsv（每种网络三个种子）、readers.js（种子 1 的三个网络，权重取整，和网页里量的句子）与 own.tsv
（那三个网络在网页里该量出的数）。记录里的数都是取整以后的权重量的，网页里、Python 里用的是同一组数。
"""

import base64
import json
import re
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from textseq import corpora
from textseq._files import write_atomically
from textseq.quantized import pack_table, round_blocks, split_into, write_script
from textseq.sequences import pad_sequences
from textseq.vocab import Vocab

FOLDER = Path(__file__).parent
NAME = "textseqReadingGates"                     # 网页里的全局变量
KINDS, SEEDS, SHIPPED = ("RNN", "GRU", "LSTM"), (1, 2, 3), 1
V, E, H = 1200, 24, 48
STEPS, BATCH, RATES = 1000, 48, (0.01, 0.02, 0.04)
GATES = {"RNN": "", "GRU": "rz", "LSTM": "ifo"}
CLAMPS = {kind: [{}, *({g: v} for g in GATES[kind] for v in (0.0, 1.0))] for kind in KINDS}
BINS = {"里面 1–5": (1, 5), "里面 6–10": (6, 10), "里面 11–20": (11, 20), "外面": (-1, -1)}
LONG = {"拉长 1–10": (1, 10), "拉长 11–20": (11, 20), "拉长 21–40": (21, 40)}
WINDOWS = (5, 10, 20)                            # 最简单的对手：只看最近几个字里有没有《
OWN_BINS = {name: BINS[name] for name in ("里面 1–5", "里面 6–10", "外面")} | {"全部": (-1, 99)}
OWN_COLUMNS = ("网络", "钉住", *OWN_BINS, *LONG)
COLUMNS = ("网络", "种子", "学习率", "参数", "钉住", *BINS, "全部", *LONG, "下一个字")


# 数据：一句一句的字，书名号成对

class Data:
    """照语料的先后切：前七成训练，一成开发，后两成测试；测试的句子与训练的不在同一天。"""

    def __init__(self) -> None:
        paragraphs = [p.text for p in corpora.people_daily()]
        a, b = int(0.7 * len(paragraphs)), int(0.8 * len(paragraphs))
        parts = [sentences(part) for part in (paragraphs[:a], paragraphs[a:b], paragraphs[b:])]
        seen, self.with_titles, self.plain = set(), [], []
        for part in parts:
            fresh = [s for s in dict.fromkeys(part) if s not in seen]
            seen.update(fresh)
            self.with_titles.append([s for s in fresh if "《" in s])
            self.plain.append([s for s in fresh if "《" not in s])
        self.vocab = Vocab.build(map(list, self.with_titles[0] + self.plain[0]), max_size=V)
        self.test = self.with_titles[2]
        # 拉长的测试：书名号里塞进 40 个别处的字，不合上，只问还记不记得
        long = [s for s in self.plain[2] if len(s) >= 40]
        self.long = [f"我读了《{s[:40]}" for s in long[:200]]

    def batch(self, rng: np.random.Generator) -> list[str]:
        """一半带书名号，一半不带。"""
        return [group[i] for group in (self.with_titles[0], self.plain[0])
                for i in rng.integers(len(group), size=BATCH // 2)]


def own_sentences() -> tuple[list[str], list[str]]:
    """网页里量的两套：课程自己写的标题里带书名号的；书名号里接上别的标题的 40 个字，不合上。

    《人民日报》的句子不随课程发，所以换成自己的。
    """
    lines = [line for part in ("train", "dev", "test") for line in
             (FOLDER.parent / f"headlines/{part}.txt").read_text(encoding="utf-8").splitlines()]
    titles = sentences(list(dict.fromkeys(line.split("\t")[0] for line in lines)))
    rest = "".join(t for t in titles if "《" not in t)
    long = [f"我读了《{rest[40 * k:40 * k + 40]}" for k in range(200)]
    return [t for t in titles if "《" in t], long


def sentences(paragraphs: list[str]) -> list[str]:
    """切成句；4 到 80 字，书名号成对、不套着。"""
    pieces = [s for p in paragraphs for s in re.split(r"(?<=[。！？；])", p)]
    fine = r"[^《》]*(《[^《》]+》[^《》]*)*"
    return [s for s in pieces if 4 <= len(s) <= 80 and re.fullmatch(fine, s)]


def distances(sentence: str) -> list[int]:
    """每个字是《之后的第几个，《自己是 0；外面（》也算）是 -1。

    >>> distances("看《边城》。")
    [-1, 0, 1, 2, -1, -1]
    """
    found, d = [], -1
    for c in sentence:
        d = 0 if c == "《" else -1 if c == "》" or d < 0 else d + 1
        found.append(d)
    return found


def encode(vocab: Vocab, rows: list[str]) -> tuple[torch.Tensor, ...]:
    """编号、在不在里面、下一个字（句末没有，记 0）、是不是真字，都是 (B, T)。"""
    ids = pad_sequences([vocab.encode(list(s)) for s in rows])
    inside = pad_sequences([[int(d >= 0) for d in distances(s)] for s in rows])
    after = np.pad(ids[:, 1:], ((0, 0), (0, 1)))
    return tuple(map(torch.tensor, (ids, inside, after, ids > 0)))


# 网络：字向量，一层循环，两个头

def make(kind: str, seed: int) -> nn.ModuleDict:
    """RNN 用正交矩阵起步，LSTM 的遗忘门偏置加 1：各取第 01、02 章量出来的好起点。"""
    torch.manual_seed(seed)
    cell = getattr(nn, kind)(E, H, batch_first=True)
    with torch.no_grad():
        if kind == "RNN":
            nn.init.orthogonal_(cell.weight_hh_l0)
        if kind == "LSTM":
            cell.bias_ih_l0[H:2 * H] += 1
    return nn.ModuleDict({"embedding": nn.Embedding(V + 2, E), "cell": cell,
                          "inside": nn.Linear(H, 1), "next": nn.Linear(H, V + 2)})


def losses(net: nn.ModuleDict, batch: tuple[torch.Tensor, ...]) -> tuple[torch.Tensor, torch.Tensor]:
    """两个头的损失（奈特）：在不在里面，下一个字。"""
    ids, inside, after, real = batch
    h = net["cell"](net["embedding"](ids))[0]
    bit = nn.functional.binary_cross_entropy_with_logits(net["inside"](h)[..., 0][real],
                                                         inside[real].float())
    goes_on = after > 0
    return bit, nn.functional.cross_entropy(net["next"](h[goes_on]), after[goes_on])


def train(data: Data, kind: str, seed: int, rate: float, steps: int = STEPS) -> nn.ModuleDict:
    """Adam，学习率线性降到零，梯度裁剪到 1；练完把权重取整。"""
    torch.set_num_threads(1)
    net, rng = make(kind, seed), np.random.default_rng(seed)
    adam = torch.optim.Adam(net.parameters(), fused=True)
    for n in range(steps):
        adam.param_groups[0]["lr"] = rate * (1 - n / steps)
        loss = sum(losses(net, encode(data.vocab, data.batch(rng))))
        adam.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        adam.step()
    return net.requires_grad_(False)


# 取整、读、量

def tables(net: nn.ModuleDict) -> dict[str, list[np.ndarray]]:
    """权重分成四张表，每张由几块左右拼成；与网络共用内存。"""
    cell = net["cell"]
    weights = {"embedding": [net["embedding"].weight],
               "cell": [cell.weight_ih_l0, cell.weight_hh_l0, cell.bias_ih_l0, cell.bias_hh_l0],
               **{head: [net[head].weight, net[head].bias] for head in ("inside", "next")}}
    return {name: [weight.data.numpy() for weight in parts] for name, parts in weights.items()}


def round_weights(net: nn.ModuleDict) -> nn.ModuleDict:
    """权重换成取整以后的：每行各自缩放，最大的是 127。"""
    for blocks in tables(net).values():
        round_blocks(blocks)
    return net


def read(kind: str, net: nn.ModuleDict, x: torch.Tensor, clamp: dict) -> tuple[torch.Tensor, dict]:
    """一步一步读字向量 x (B, T, E)，clamp 钉住几个门。
    返回 h (B, T, H)，与各个门、记忆（LSTM 是 c，别的是 h）。"""
    W_x, W_h, b_x, b_h = net["cell"].parameters()
    h = c = x.new_zeros(len(x), H)
    steps = []
    for x_t in x.unbind(1):
        a, r = x_t @ W_x.T + b_x, h @ W_h.T + b_h
        if kind == "RNN":
            gates, h = {}, torch.tanh(a + r)
        elif kind == "GRU":
            gates = clamped("rz", (a + r)[:, :2 * H], clamp)
            n = torch.tanh(a[:, 2 * H:] + gates["r"] * r[:, 2 * H:])
            h = (1 - gates["z"]) * n + gates["z"] * h
        else:
            i, f, g, o = (a + r).chunk(4, 1)
            gates = clamped("ifo", torch.cat((i, f, o), 1), clamp)
            c = gates["f"] * c + gates["i"] * g.tanh()
            h = gates["o"] * c.tanh()
        steps.append({**gates, "memory": c if kind == "LSTM" else h, "h": h})
    trace = {name: torch.stack([step[name] for step in steps], 1) for name in steps[0]}
    return trace.pop("h"), trace


def clamped(names: str, sums: torch.Tensor, clamp: dict) -> dict[str, torch.Tensor]:
    """门：名字 → (B, H)，钉住的换成定值。"""
    gates = zip(names, sums.sigmoid().chunk(len(names), 1), strict=True)
    return {name: torch.full_like(gate, clamp[name]) if name in clamp else gate for name, gate in gates}


def clamp_name(clamp: dict) -> str:
    return "，".join(f"{gate} = {value:.0f}" for gate, value in clamp.items()) or "不钉"


def guess(kind: str, net: nn.ModuleDict, vocab: Vocab, rows: list[str], clamp: dict) -> np.ndarray:
    """每个真字判在里面没有，句子首尾相接，一维。"""
    ids, _, _, real = encode(vocab, rows)
    h, _ = read(kind, net, net["embedding"](ids), clamp)
    return (net["inside"](h)[..., 0] > 0)[real].numpy()


def by_distance(rows: list[str], said: np.ndarray, bins: dict) -> list[float]:
    """各段距离上答对的（%）。"""
    d = np.concatenate([distances(s) for s in rows])
    right = said == (d >= 0)
    return [100 * right[(lo <= d) & (d <= hi)].mean() for lo, hi in bins.values()]


def measure(data: Data, kind: str, net: nn.ModuleDict, clamp: dict) -> list[float]:
    """测试句各段与全部的准确率，拉长的各段（%），下一个字的损失（奈特，钉住时也算）。"""
    said = guess(kind, net, data.vocab, data.test, clamp)
    ids, _, after, _ = encode(data.vocab, data.test)
    h, _ = read(kind, net, net["embedding"](ids), clamp)
    goes_on = after > 0
    nats = nn.functional.cross_entropy(net["next"](h[goes_on]), after[goes_on]).item()
    return [*by_distance(data.test, said, {**BINS, "全部": (-1, 99)}),
            *by_distance(data.long, guess(kind, net, data.vocab, data.long, clamp), LONG), nats]


def own_rows(vocab: Vocab, nets: dict[str, nn.ModuleDict]) -> list[list[str]]:
    """own.tsv：网页里“量一遍”该量出的数。"""
    test, long = own_sentences()

    def scores(say) -> list[str]:
        values = [*by_distance(test, say(test), OWN_BINS), *by_distance(long, say(long), LONG)]
        return [f"{v:.2f}" for v in values]

    rows = [["看最近 10 个字", "–", *scores(lambda rows: look_back(rows, 10))]]
    for kind, net in nets.items():
        rows += [[kind, clamp_name(clamp), *scores(partial(guess, kind, net, vocab, clamp=clamp))]
                 for clamp in CLAMPS[kind]]
    return rows


# 最简单的对手

def look_back(rows: list[str], k: int) -> np.ndarray:
    """只看最近 k 个字（连这一个）：最后一个书名号是《，就说在里面。k = 0 总说外面。"""
    recent = [s[max(0, t - k + 1):t + 1] if k else "" for s in rows for t in range(len(s))]
    return np.array([r.rfind("《") > r.rfind("》") for r in recent])


def counting(data: Data) -> tuple[float, float]:
    """数出来的下一个字，测试句上的损失（奈特）：不看前文；看前一个字，打折回退。"""
    size = len(data.vocab)
    counts = np.zeros((size, size))
    for s in data.with_titles[0] + data.plain[0]:
        row = data.vocab.encode(list(s))
        np.add.at(counts, (row[:-1], row[1:]), 1)
    single = (counts.sum(0) + 1) / (counts.sum() + size)
    total = counts.sum(1, keepdims=True) + 1e-9
    share = 0.75 * (counts > 0).sum(1, keepdims=True) / total
    double = np.where(total < 1, single, np.maximum(counts - 0.75, 0) / total + share * single)
    pairs = [pair for s in data.test for row in [data.vocab.encode(list(s))]
             for pair in zip(row[:-1], row[1:], strict=True)]
    a, b = np.array(pairs).T
    return float(-np.log(single[b]).mean()), float(-np.log(double[a, b]).mean())


# 打包与全部的训练

def busiest_unit(data: Data, kind: str, net: nn.ModuleDict) -> int:
    """开发集上，记忆与“在里面”相关最强的一格。"""
    ids, inside, _, real = encode(data.vocab, data.with_titles[1])
    memory = read(kind, net, net["embedding"](ids), {})[1]["memory"][real]
    related = np.corrcoef(memory.T.numpy(), inside[real].numpy())[-1, :-1]
    return int(np.argmax(np.abs(related)))


def pack(data: Data, nets: dict[str, nn.ModuleDict]) -> None:
    packed = {}
    for kind, net in nets.items():
        packed[kind] = {"unit": busiest_unit(data, kind, net)}
        packed[kind] |= {name: pack_table(np.column_stack(blocks)) for name, blocks in tables(net).items()}
    about = f"《人民日报》1998 年 1 月前七成的句子，每种练 {STEPS:,} 步，H = {H}"
    test, long = (pack_sentences(data.vocab, rows) for rows in own_sentences())
    payload = {"about": about, "units": "".join(data.vocab.real_words), "nets": packed,
               "test": test, "long": long}
    write_script(FOLDER / "readers.js", NAME, payload)
    table = "\n".join("\t".join(row) for row in [OWN_COLUMNS, *own_rows(data.vocab, nets)])
    write_atomically(FOLDER / "own.tsv", table + "\n")


def pack_sentences(vocab: Vocab, sentences: list[str]) -> dict:
    rows = [vocab.encode(list(s)) for s in sentences]
    return {"ids": base64.b64encode(np.concatenate(rows).astype("<u2").tobytes()).decode(),
            "lengths": list(map(len, rows))}


def load() -> tuple[Vocab, dict[str, nn.ModuleDict]]:
    """读回 readers.js：词表（词频不知道，记 0），三个取整过的网络。"""
    line = (FOLDER / "readers.js").read_text(encoding="utf-8")
    payload = json.loads(line.removeprefix(f"{NAME} = ").rstrip(";\n"))
    nets = {kind: make(kind, 0).requires_grad_(False) for kind in payload["nets"]}
    for kind, net in nets.items():
        for name, blocks in tables(net).items():
            packed = payload["nets"][kind][name]
            step, whole = (np.frombuffer(base64.b64decode(packed[key]), dtype).reshape(-1, columns)
                           for key, dtype, columns in (("step", "<f4", 1),
                                                       ("whole", np.int8, packed["shape"][1])))
            split_into(blocks, whole * step)
    return Vocab(payload["units"], [0] * len(payload["units"])), nets


def dev_loss(data: Data, net: nn.ModuleDict) -> float:
    return sum(loss.item() for loss in losses(net, encode(data.vocab, data.with_titles[1])))


def main() -> None:
    data, lines, rates, first, tries = Data(), ["\t".join(COLUMNS)], {}, {}, ["网络\t学习率\t开发集损失"]

    def add(setting: tuple, values: Iterable[object]) -> None:
        cells = [f"{v:.2f}" if isinstance(v, float) else str(v) for v in values]
        lines.append("\t".join([*map(str, setting), *cells]))
        print(lines[-1], flush=True)
        write_atomically(FOLDER / "results.tsv", "\n".join(lines) + "\n")

    for k in (0, *WINDOWS):
        scores = by_distance(data.test, look_back(data.test, k), {**BINS, "全部": (-1, 99)})
        long = by_distance(data.long, look_back(data.long, k), LONG)
        add((f"看最近 {k} 个字" if k else "总说外面", *"––––"), [*scores, *long, "–"])
    for name, nats in zip(("不看前文", "看前一个字"), counting(data), strict=True):
        add((name, *"––––"), [*"–" * (len(BINS) + 1 + len(LONG)), nats])
    for kind in KINDS:                           # 学习率各自挑：开发集上两份损失之和最小
        nets = {rate: train(data, kind, SHIPPED, rate) for rate in RATES}
        tried = {rate: dev_loss(data, net) for rate, net in nets.items()}
        tries += [f"{kind}\t{rate}\t{loss:.3f}" for rate, loss in tried.items()]
        print(tries[-len(RATES):], flush=True)
        rates[kind] = min(tried, key=tried.get)
        first[kind] = round_weights(nets[rates[kind]])
    write_atomically(FOLDER / "rates.tsv", "\n".join(tries) + "\n")
    pack(data, first)
    for kind in KINDS:
        for seed in SEEDS:
            net = first[kind] if seed == SHIPPED else round_weights(train(data, kind, seed, rates[kind]))
            size = sum(p.numel() for p in net["cell"].parameters())
            for clamp in CLAMPS[kind]:
                add((kind, seed, rates[kind], size, clamp_name(clamp)), measure(data, kind, net, clamp))


if __name__ == "__main__":
    main()
