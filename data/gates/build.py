"""门：重新训练第 02 章引用的全部网络，写成 results.tsv。单线程约十分钟。

    python data/gates/build.py

五个网络叠成一批一起训练；tests/test_stored_trainings.py 重练其中几行。
"""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import nn

from textseq import corpora, lstm, sequences
from textseq._files import write_atomically
from textseq.vocab import Vocab

FOLDER = Path(__file__).parent
S, K = 5, 2                                     # 五个网络一起训练；两种动物
SIZES = {"RNN": (24, 1), "LSTM": (11, 4)}       # H，权重里并排几段
SEEDS, LENGTHS = (0, 1, 2), (10, 20, 40, 80)
SETTING = ("任务", "网络", "设定", "练长", "步数", "考长", "种子")
COLUMNS = (*SETTING, *(f"网络{k}" for k in range(S)))
# 训练时就钉死的门，只在测试时钉死的门：名字 → 各门的值
CLAMPS = {"原样": {}, "f = 1": {"f": 1.0}, "f = 0": {"f": 0.0}, "i = 1": {"i": 1.0}, "o = 1": {"o": 1.0},
          "f = i = o = 1": {"f": 1.0, "i": 1.0, "o": 1.0}}
TESTED = {name: CLAMPS[name] for name in ("f = 1", "f = 0", "i = 1", "o = 1")}
TESTED |= {"i = 0": {"i": 0.0}, "o = 0": {"o": 0.0}}
MARKS = ("《", "》", "里面", "外面")


# 玩具任务：编号 (S, n, T)，答案 (S, n)；带旗的符号编号加 K

def flagged(T: int, n: int, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """前半段里有一面旗，答旗下的符号。"""
    ids = torch.randint(K, (S, n, T), generator=rng)
    where = torch.randint(T // 2, (S, n, 1), generator=rng)
    answer = ids.gather(2, where)[..., 0]
    return ids.scatter_add(2, where, torch.full_like(where, K)), answer


def first(T: int, n: int, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """旗总在第一个。"""
    ids = torch.randint(K, (S, n, T), generator=rng)
    answer = ids[..., 0].clone()
    ids[..., 0] += K
    return ids, answer


def latest(T: int, n: int, rng: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """第一个总插旗，以后每个以 0.15 的机会插旗；答最近一面旗下的符号。"""
    ids = torch.randint(K, (S, n, T), generator=rng)
    flag = torch.rand(S, n, T, generator=rng) < 0.15
    flag[..., 0] = True
    last = (flag * torch.arange(T)).argmax(-1, keepdim=True)
    return ids + K * flag, ids.gather(2, last)[..., 0]


TASKS = {"一面旗": flagged, "开头": first, "最近的旗": latest}
# 设定的名字 → (怎样起步，钉死哪个门，学习率，线性降到零并裁剪到 1)
HOW = {"正交": ({"orthogonal": True}, {}, 5e-3, False),
       "正交，裁剪": ({"orthogonal": True}, {}, 2e-3, True),
       **{f"偏置 {b}": ({"forget_bias": float(b)}, {}, 5e-3, False) for b in (0, 1, 2, 5)},
       "偏置 5，其余随机": ({"forget_bias": 5.0, "torch_biases": True}, {}, 5e-3, False),
       "偏置 5，f = 1": ({}, {"f": 1.0}, 5e-3, False),
       "f = i = o = 1": ({}, {"f": 1.0, "i": 1.0, "o": 1.0}, 5e-3, False),
       "偏置 1，裁剪": ({"forget_bias": 1.0}, {}, 1e-2, True),
       "f = 1，裁剪": ({}, {"f": 1.0}, 1e-2, True),
       "正交，降": ({"orthogonal": True}, {}, 5e-3, True),
       **{f"正交，学习率 {rate}": ({"orthogonal": True}, {}, rate, False)
          for rate in (0.0002, 0.0005, 0.001, 0.002, 0.01, 0.02)},
       **{f"偏置 5，学习率 {rate}": ({"forget_bias": 5.0}, {}, rate, False) for rate in (0.002, 0.01)}}


def start(kind: str, rng: torch.Generator, forget_bias: float = 0.0,
          orthogonal: bool = False, torch_biases: bool = False) -> dict[str, torch.Tensor]:
    H, n = SIZES[kind]

    def uniform(*shape):
        return (2 * torch.rand(S, *shape, generator=rng, dtype=torch.double) - 1) / H ** 0.5

    P = {"W_xh": uniform(2 * K, n * H), "W_hh": uniform(H, n * H), "b_h": torch.zeros(S, 1, n * H).double(),
         "W_hy": uniform(H, K), "b_y": torch.zeros(S, 1, K).double()}
    if torch_biases:                            # torch 的两份偏置各取 ±1/√H 之间的均匀分布
        P["b_h"] = uniform(1, n * H) + uniform(1, n * H)
    if kind == "LSTM":
        P["b_h"][..., H:2 * H] += forget_bias
    if orthogonal:
        P["W_hh"] = torch.linalg.qr(torch.randn(S, H, H, generator=rng, dtype=torch.double))[0]
    return {name: p.requires_grad_() for name, p in P.items()}


def scores(kind: str, P: dict, ids: torch.Tensor, clamp: dict) -> torch.Tensor:
    """读完整条序列，给两种动物打分：ids (S, B, T) → (S, B, K)。tanh(a) = 2σ(2a) - 1，四段一次算完。"""
    H, n = SIZES[kind]
    scale = torch.ones(n * H, dtype=torch.double)
    scale[2 * H:3 * H] = 2
    a = ((P["W_xh"] + P["b_h"]) * scale)[torch.arange(S)[:, None, None], ids]    # (S, B, T, nH)
    W_hh = P["W_hh"] * scale
    h = c = a.new_zeros(*ids.shape[:2], H)
    for a_t in a.permute(2, 0, 1, 3).contiguous():
        a_t = torch.baddbmm(a_t, h, W_hh)
        if kind == "RNN":
            h = a_t.tanh()
        else:
            i, f, g, o = a_t.sigmoid().chunk(4, dim=-1)
            i, f, o = (clamp.get(name, gate) for name, gate in (("i", i), ("f", f), ("o", o)))
            c = f * c + i * (2 * g - 1)
            h = o * c.tanh()
    return torch.baddbmm(P["b_y"], h, P["W_hy"])


def train(task: str, kind: str, how: str, T: int, steps: int, seed: int) -> Callable[[int], np.ndarray]:
    """训练五个网络；返回的函数收一个长度，给出五个测试准确率（%）。"""
    torch.set_num_threads(1)
    begin, clamp, rate, careful = HOW[how]
    rng = torch.Generator().manual_seed(seed)
    P = start(kind, rng, **begin)
    adam = torch.optim.Adam(P.values(), lr=rate, fused=True)
    for n in range(steps):
        ids, answer = TASKS[task](T, 16, rng)
        logits = scores(kind, P, ids, clamp).flatten(0, 1)
        adam.zero_grad()
        (S * nn.functional.cross_entropy(logits, answer.flatten())).backward()
        if careful:
            adam.param_groups[0]["lr"] = rate * (1 - n / steps)
            for s in range(S):
                clip_one(P, s)
        adam.step()

    def accuracy(length: int) -> np.ndarray:
        with torch.inference_mode():
            ids, answer = TASKS[task](length, 400, torch.Generator().manual_seed(9))
            right = scores(kind, P, ids, clamp).argmax(-1) == answer
        return 100 * right.double().mean(1).numpy()
    return accuracy


def clip_one(P: dict, s: int) -> None:
    """第 s 个网络的梯度裁剪到 1。"""
    norm = sum(p.grad[s].square().sum() for p in P.values()).sqrt()
    for p in P.values():
        p.grad[s] *= min(1.0, 1 / norm.item())


# 书名号：逐字判断在不在《》里面

class Titles:
    """带书名号的句子；前 200 句测试，其余训练。与第 02 章正文的切法相同。"""

    def __init__(self) -> None:
        pieces = [piece for paragraph in corpora.people_daily()
                  for piece in re.split(r"(?<=[。！？；])", paragraph.text)]
        paired = [s for s in pieces if 0 < s.count("《") == s.count("》")]
        sentences = list(dict.fromkeys(s for s in paired if len(s) <= 60))
        np.random.default_rng(0).shuffle(sentences)
        self.vocab = Vocab.build(map(list, sentences[200:]), min_count=5)
        self.test, self.train = self.encode(sentences[:200]), self.encode(sentences[200:])

    def encode(self, rows: list[str]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """编号、在不在里面、是不是真字，都是 (B, T)。"""
        ids = sequences.pad_sequences([self.vocab.encode(list(s)) for s in rows])
        inside = np.zeros_like(ids)
        for row, s in zip(inside, rows, strict=True):
            row[:len(s)] = np.cumsum([(c == "《") - (c == "》") for c in s]) > 0
        return torch.tensor(ids), torch.tensor(inside), torch.tensor(ids > 0)


def read_titles(net: nn.ModuleDict, ids: torch.Tensor, clamp: dict) -> torch.Tensor:
    """每个字在里面的分数 (B, T)；钉死门时一步一步算，其余与 nn.LSTM 相同。"""
    x, cell = net["E"](ids), net["cell"]
    if not clamp:
        return net["out"](cell(x)[0])[..., 0]
    a = x @ cell.weight_ih_l0.T + cell.bias_ih_l0 + cell.bias_hh_l0
    h = c = a.new_zeros(len(ids), cell.hidden_size)
    states = []
    for a_t in a.unbind(1):
        i, f, g, o = (a_t + h @ cell.weight_hh_l0.T).chunk(4, dim=1)
        i, f, o = (clamp.get(name, gate.sigmoid()) for name, gate in (("i", i), ("f", f), ("o", o)))
        c = f * c + i * g.tanh()
        h = o * c.tanh()
        states.append(h)
    return net["out"](torch.stack(states, 1))[..., 0]


def make_tagger(kind: str, seed: int, V: int) -> nn.ModuleDict:
    torch.manual_seed(seed)
    H = {"LSTM": 4, "RNN": 10}[kind]                    # 参数差不多
    cell = getattr(nn, kind)(8, H, batch_first=True)
    net = nn.ModuleDict({"E": nn.Embedding(V, 8), "cell": cell, "out": nn.Linear(H, 1)})
    if kind == "LSTM":
        with torch.no_grad():
            cell.bias_ih_l0[H:2 * H] += 1
    return net


def train_tagger(titles: Titles, kind: str, clamp: dict, seed: int, steps: int = 200) -> nn.ModuleDict:
    torch.set_num_threads(1)
    net = make_tagger(kind, seed, len(titles.vocab))
    adam = torch.optim.Adam(net.parameters(), lr=0.02)
    ids, inside, real = titles.train
    for _ in range(steps):
        rows = torch.randint(len(ids), (32,))
        cut = rows, slice(int(real[rows].sum(1).max()))      # 裁掉全空的列
        logits = read_titles(net, ids[cut], clamp)[real[cut]]
        loss = nn.functional.binary_cross_entropy_with_logits(logits, inside[cut][real[cut]].float())
        adam.zero_grad()
        loss.backward()
        adam.step()
    return net


def f1(titles: Titles, net: nn.ModuleDict, clamp: dict) -> float:
    ids, inside, real = titles.test
    with torch.inference_mode():
        guess = (read_titles(net, ids, clamp) > 0) & real
    return 200 * int((guess & (inside > 0)).sum()) / int(guess.sum() + inside.sum())


def forget_means(titles: Titles, net: nn.ModuleDict) -> list[float]:
    """与“在里面”相关最强的一格细胞，遗忘门在《、》、里面、外面的平均。"""
    cell, (ids, inside, real) = net["cell"], (a.numpy() for a in titles.test)
    params = {"W_xh": cell.weight_ih_l0.T, "W_hh": cell.weight_hh_l0.T,
              "b_h": cell.bias_ih_l0 + cell.bias_hh_l0}
    params = {name: p.detach().numpy() for name, p in params.items()}
    run = lstm.forward(net["E"].weight.detach().numpy()[ids], params)
    related = np.corrcoef(run.c[real].T, inside[real])[-1, :-1]
    f = run.f[..., int(np.argmax(np.abs(related)))]
    at = [ids == titles.vocab.encode([mark])[0] for mark in MARKS[:2]]
    plain = real & ~at[0] & ~at[1]
    return [f[group].mean() for group in (*at, plain & (inside > 0), plain & (inside == 0))]


# 全部的设定

def plan() -> list[tuple]:
    """玩具任务的设定：任务，网络，设定，练长，步数，考哪些长度。"""
    race = [("一面旗", kind, how, T, 200, (T,)) for kind, how in (("RNN", "正交"), ("LSTM", "偏置 5"))
            for T in LENGTHS]
    longer = [("一面旗", "RNN", "正交，裁剪", 40, 1000, (40,)),
              *(("一面旗", "LSTM", how, 40, 200, (40,)) for how in ("偏置 5，f = 1", "f = i = o = 1",
                                                              "偏置 5，其余随机"))]
    bias = [(task, "LSTM", f"偏置 {b}", 40, 200, (40,)) for task in ("开头", "一面旗") for b in (0, 1, 2)]
    easy = [("开头", "RNN", "正交", 40, 200, (40,)), ("开头", "LSTM", "偏置 5", 40, 200, (40,))]
    forget = [("最近的旗", kind, how, 20, steps, (20, 80))
              for kind, how in (("LSTM", "偏置 1，裁剪"), ("LSTM", "f = 1，裁剪"), ("RNN", "正交，降"))
              for steps in (200, 400)]
    forget += [("最近的旗", "LSTM", "f = 1，裁剪", 20, 2000, (20, 80))]     # 多练五倍，补得回来吗
    rates = [("一面旗", "RNN" if how.startswith("正交") else "LSTM", how, 40, 200, (40,))
             for how in HOW if "学习率" in how]              # 换学习率，次序变不变
    return race + longer + bias + easy + forget + rates


def main() -> None:
    titles, rows, nets = Titles(), [], {}

    def add(setting, values):
        rows.append("\t".join([*map(str, setting), *(f"{v:.2f}" for v in values)]))
        print(rows[-1], flush=True)

    for name, clamp in CLAMPS.items():
        nets[name] = [train_tagger(titles, "LSTM", clamp, s) for s in range(S)]
        add(("书名号", "LSTM", f"一直 {name}", "–", 200, "–", "–"),
            [f1(titles, net, clamp) for net in nets[name]])
    for name, clamp in TESTED.items():
        add(("书名号", "LSTM", f"只在测试时 {name}", "–", 200, "–", "–"),
            [f1(titles, net, clamp) for net in nets["原样"]])
    for place, values in zip(MARKS, zip(*(forget_means(titles, net) for net in nets["原样"]), strict=True),
                             strict=True):
        add(("书名号", "LSTM", f"遗忘门，{place}", "–", 200, "–", "–"), values)
    add(("书名号", "RNN", "没有门", "–", 200, "–", "–"),
        [f1(titles, train_tagger(titles, "RNN", {}, s), {}) for s in range(S)])
    for task, kind, how, T, steps, tested in plan():
        for seed in SEEDS:
            accuracy = train(task, kind, how, T, steps, seed)
            for length in tested:
                add((task, kind, how, T, steps, length, seed), accuracy(length))
    write_atomically(FOLDER / "results.tsv", "\n".join(["\t".join(COLUMNS), *rows]) + "\n")


if __name__ == "__main__":
    main()
