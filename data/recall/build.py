"""循环：重新训练第 01 章引用的全部网络，写成 results.tsv。单线程约十分钟。

    python data/recall/build.py

记住第一个：十个网络叠成一批；逐字写标题：NumPy 的 RNN，三个种子，三种步数。
tests/test_stored_trainings.py 重练其中几行。
"""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from textseq import corpora, rnn, sequences
from textseq._files import write_atomically
from textseq.vocab import Vocab

FOLDER = Path(__file__).parent
S, H = 10, 24                                        # 十个网络，各有一份参数
LENGTHS, SEEDS = (4, 8, 16, 32), (0, 1, 2)
STARTS = ("默认", "正交", "默认，谱半径放到 1")
STEPS, CONTEXT = (500, 1500, 3000), (1, 2, 3, 4, 5, 6, 8)
WRITER = (1500, 0)                                   # 存下权重的那一次：步数，种子
SETTING = ("任务", "设定", "长", "步数", "种子")
COLUMNS = (*SETTING, *(f"数{k}" for k in range(S)))


# 记住第一个

def orthogonal(H: int, rng: np.random.Generator) -> np.ndarray:
    return np.linalg.qr(rng.normal(size=(H, H)))[0]


def make_networks(start: str, rng: np.random.Generator) -> list[torch.Tensor]:
    def uniform(*shape):
        return rng.uniform(-1, 1, shape) * H ** -0.5

    W_xh, W_hh, W_hy = uniform(S, 8, H), uniform(S, H, H), uniform(S, H, 4)
    if start == "正交":
        W_hh = np.array([orthogonal(H, rng) for _ in range(S)])
    elif start != "默认":
        W_hh /= np.abs(np.linalg.eigvals(W_hh)).max(axis=1)[:, None, None]
    arrays = [W_xh, W_hh, np.zeros((S, 1, H)), W_hy, np.zeros((S, 1, 4))]
    return [torch.tensor(a, requires_grad=True) for a in arrays]


def make_batch(n: int, T: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    x = rng.integers(4, 8, size=(S, n, T))           # 4…7 是干扰符号
    x[:, :, 0] -= 4                                  # 0…3 是要记住的
    return torch.tensor(x), torch.tensor(x[:, :, 0])


def scores(params: list[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    """x (S, B, T) → (S, B, 4)。"""
    W_xh, W_hh, b_h, W_hy, b_y = params
    inputs = (W_xh + b_h)[torch.arange(S)[:, None, None], x]     # (S, B, T, H)
    h = torch.zeros(S, x.shape[1], H).double()
    for x_t in inputs.permute(2, 0, 1, 3).contiguous().unbind(0):
        h = torch.tanh(torch.baddbmm(x_t, h, W_hh))
    return torch.baddbmm(b_y, h, W_hy)


def recall(T: int, start: str, steps: int = 200, seed: int = 0) -> np.ndarray:
    """训练之后，十个网络各自在 500 条新序列上的准确率（%）。学习率线性降到零，裁剪到 √10。"""
    torch.set_num_threads(1)
    rng = np.random.default_rng(seed)
    params = make_networks(start, rng)
    adam = torch.optim.Adam(params, fused=True)
    for n in range(steps):
        adam.param_groups[0]["lr"] = 0.005 * (1 - n / steps)
        x, y = make_batch(32, T, rng)
        loss = S * torch.nn.functional.cross_entropy(scores(params, x).flatten(0, 1), y.flatten())
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(params, S ** 0.5)
        adam.step()
    with torch.inference_mode():
        x, y = make_batch(500, T, rng)
        right = scores(params, x).argmax(-1) == y    # (S, B)
    return 100 * right.double().mean(dim=1).numpy()


# 逐字写标题

class Batch(NamedTuple):
    inputs: np.ndarray   # (B, T)
    answers: np.ndarray
    real: np.ndarray


class Heads:
    """标题与短句，怎样挑、怎样切与第 01 章正文相同；数数的三个基线也在这里。"""

    def __init__(self) -> None:
        paragraphs = [s.text for s in corpora.people_daily()]
        han = r"[\u4e00-\u9fff]{6,20}"
        heads = [t for t in dict.fromkeys(paragraphs) if re.fullmatch(han, t)
                 and not t.startswith(("本报", "新华社")) and "记者" not in t]
        rng = np.random.default_rng(0)
        rng.shuffle(heads)
        self.heads = heads
        dev, test, self.train = heads[:200], heads[200:400], heads[400:]
        held_out = {*dev, *test}
        clauses = [c for c in dict.fromkeys(re.findall(han, "\n".join(paragraphs))) if c not in held_out]
        rng.shuffle(clauses)
        self.pool = 4 * self.train + clauses[:20_000]    # 标题重复四遍，不被淹没
        self.vocab = Vocab.build(map(list, self.pool), max_size=1000)
        self.dev, self.test, self.all = map(self.encode, (dev, test, self.pool))
        self.count()

    def encode(self, texts: list[str]) -> Batch:
        rows = [[0, *self.vocab.encode(list(t)), 0] for t in texts]
        ids = sequences.pad_sequences(rows)
        lengths = np.array([[len(row) - 1] for row in rows])
        return Batch(ids[:, :-1], ids[:, 1:], np.arange(ids.shape[1] - 1) < lengths)

    def count(self) -> None:
        """一元；二元加一；二元打折回退（Kneser–Ney）。"""
        V, (inputs, answers, real) = len(self.vocab), self.all
        a, b = inputs[real], answers[real]
        self.unigram = (np.bincount(b, minlength=V) + 1) / (len(b) + V)
        self.counts = counts = np.zeros((V, V))          # a 后面是 b 的次数
        np.add.at(counts, (a, b), 1)
        after = counts.sum(axis=1, keepdims=True)
        self.add_one = (counts + 1) / (after + V)
        kinds_after = (counts > 0).sum(axis=1, keepdims=True)
        kinds_before = (counts > 0).sum(axis=0) + 0.1
        kept = np.maximum(counts - 0.75, 0)
        self.backoff = (kept + 0.75 * kinds_after * kinds_before / kinds_before.sum()) / after


def softmax(z: np.ndarray) -> np.ndarray:
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return z / z.sum(axis=1, keepdims=True)


def nats(p: np.ndarray) -> float:
    return float(-np.log(p).mean())


def predict(P: dict, inputs: np.ndarray, real: np.ndarray) -> tuple:
    """每个真实位置上下一个字的概率 (N, V)，以及前向的结果。"""
    run = rnn.forward(P["E"][inputs], P)
    return softmax(run.h[real] @ P["W_hy"] + P["b_y"]), run


def loss_and_grads(P: dict, batch: Batch) -> tuple[float, dict]:
    p, run = predict(P, batch.inputs, batch.real)
    rows, right = np.arange(len(p)), batch.answers[batch.real]
    loss = nats(p[rows, right])
    p[rows, right] -= 1                              # 概率减答案
    dz = p / len(p)
    dh = np.zeros_like(run.h)
    dh[batch.real] = dz @ P["W_hy"].T
    g = rnn.backward(run, dh)
    dE = np.zeros_like(P["E"])
    np.add.at(dE, batch.inputs, g["dx"])
    return loss, {"E": dE, "W_hy": run.h[batch.real].T @ dz, "b_y": dz.sum(axis=0),
                  "W_xh": g["dW_xh"], "W_hh": g["dW_hh"], "b_h": g["db_h"]}


def train_lm(heads: Heads, steps: int = 500, seed: int = 0, H: int = 128, E: int = 64, batch: int = 48,
             rate: float = 0.008) -> dict:
    """单精度；Adam，学习率线性降到零附近，裁剪到 1。"""
    rng, V = np.random.default_rng(seed), len(heads.vocab)
    P = {"E": 0.3 * rng.normal(size=(V, E)), **rnn.init_params(E, H, rng),
         "W_hy": 0.05 * rng.normal(size=(H, V)), "b_y": np.log(heads.unigram)}
    P = {name: p.astype(np.float32) for name, p in P.items()}
    adam = torch.optim.Adam([torch.from_numpy(p) for p in P.values()], fused=True)
    shared = dict(zip(P, adam.param_groups[0]["params"], strict=True))   # 共用内存：它改了，P 就改了
    for n in range(steps):
        texts = [heads.pool[i] for i in rng.integers(len(heads.pool), size=batch)]
        _, grads = loss_and_grads(P, heads.encode(texts))
        for name, g in grads.items():
            shared[name].grad = torch.from_numpy(g)
        torch.nn.utils.clip_grad_norm_(shared.values(), 1.0)
        adam.param_groups[0]["lr"] = rate * (1 - 0.95 * n / steps)
        adam.step()
    return P


def with_context(P: dict, batch: Batch, n: int) -> np.ndarray:
    """只准看最近 n 个字，从零状态读起：正确的字的概率 (N,)。"""
    p = np.zeros(batch.real.shape)
    for t in range(p.shape[1]):
        recent = batch.inputs[:, max(0, t - n + 1):t + 1]
        h = rnn.forward(P["E"][recent], P).h[:, -1]
        guess = softmax(h @ P["W_hy"] + P["b_y"])
        p[:, t] = guess[np.arange(len(guess)), batch.answers[:, t]]
    return p[batch.real]


def measure_lm(heads: Heads, P: dict) -> tuple[list[float], list[float]]:
    """测试标题上的奈特：RNN、与回退平均（份额在开发集上挑）；见熟的搭配上，只看最近几个字。"""
    def both(batch):
        p = predict(P, batch.inputs, batch.real)[0]
        right = batch.answers[batch.real]
        return p[np.arange(len(p)), right], heads.backoff[batch.inputs[batch.real], right]

    (q_dev, k_dev), (q, k) = both(heads.dev), both(heads.test)
    shares = np.linspace(0, 1, 11)
    share = shares[np.argmin([nats(s * q_dev + (1 - s) * k_dev) for s in shares])]
    often = heads.counts[heads.test.inputs[heads.test.real], heads.test.answers[heads.test.real]] >= 25
    context = [nats(with_context(P, heads.test, n)[often]) for n in CONTEXT]
    return [nats(q), nats(share * q + (1 - share) * k), share], [*context, nats(k[often])]


def plan() -> list[tuple]:
    """记住第一个：起点，长，步数，种子。"""
    rows = [(start, T, 200, 0) for start in STARTS[:2] for T in LENGTHS]
    rows += [(start, 32, 200, seed) for start in STARTS[:2] for seed in SEEDS[1:]]
    rows += [(STARTS[2], 32, 200, seed) for seed in SEEDS]
    return rows + [("默认", 32, 1000, seed) for seed in SEEDS]


def save_writer(P: dict) -> None:
    """第 01 章拿来写标题的一份权重，半精度。"""
    np.savez_compressed(FOLDER / "writer.npz", **{name: p.astype(np.float16) for name, p in P.items()})


def main() -> None:
    rows = []

    def add(setting, values):
        values = [f"{v:.3f}" for v in values]
        rows.append("\t".join([*map(str, setting), *values, *["–"] * (S - len(values))]))
        print(rows[-1], flush=True)

    for start, T, steps, seed in plan():
        add(("记住第一个", start, T, steps, seed), recall(T, start, steps, seed))
    heads = Heads()
    for steps in STEPS:
        for seed in SEEDS:
            P = train_lm(heads, steps, seed)
            if (steps, seed) == WRITER:
                save_writer(P)
            scores, context = measure_lm(heads, P)
            add(("写标题", "RNN，平均，份额", "–", steps, seed), scores)
            add(("写标题", "只看最近几个字，查表", "–", steps, seed), context)
    write_atomically(FOLDER / "results.tsv", "\n".join(["\t".join(COLUMNS), *rows]) + "\n")


if __name__ == "__main__":
    main()
