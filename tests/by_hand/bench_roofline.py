"""训练词向量的一步，时间花在哪里，离这台机器的上限有多远。一个线程，约一分钟。

    python tests/by_hand/bench_roofline.py          # 写成 build/roofline.json

上限有两条：矩阵乘法的峰值（大方阵量出来的）；照语料的次序查一行、累加一行各要多久（表有 6 MB，
缓存放不下，多半时间在等内存）。“最快也要”是这一步的乘加次数 ÷ 前者，加上查的、改的行数 × 后者；
只要还用这些乘法、这张大表，就快不过它。
"""

import json
import time
from collections import Counter

import numpy as np
import torch
from bench import ROOT, cpu_name
from torch.profiler import ProfilerActivity, profile

from textseq import corpora
from textseq.vocab import encode_corpus
from textseq.word2vec import keep_probability, noise_distribution
from textseq.word2vec_fast import BLOCK, GROUP, Settings, make_batches, step_size, update_tables

KINDS = {"矩阵乘法": ("bmm", "baddbmm"),
         "查表与累加": ("embedding", "index_select", "index_add", "scatter_add"),
         "逐个算的": ("sigmoid", "mul", "neg", "sum", "take", "copy")}
WORDS = 50_000
ROWS = 2_000       # 量查表与累加时，一次多少行；一步大致如此


def best(run, repeats=15):
    """几遍里最快的一遍，秒。"""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return min(times)


def peaks(corpus):
    """(十亿次浮点运算每秒, 查一行的纳秒, 累加一行的纳秒)。"""
    a = torch.randn(1024, 1024)
    table, rows = torch.randn(len(corpus.vocab), 100), torch.randn(ROWS, 100)
    parts = torch.from_numpy(corpus.ids[:50 * ROWS].astype(np.int64)).split(ROWS)

    def read():
        for ids in parts:
            torch.nn.functional.embedding(ids, table)

    def add():
        for ids in parts:
            table.index_add_(0, ids, rows)

    with torch.inference_mode():
        flops = 2 * 1024 ** 3 / best(lambda: a @ a)
        return flops / 1e9, *(1e9 * best(run) / (ROWS * len(parts)) for run in (read, add))


def work(batch, E):
    """一步的 (浮点运算次数, 查的也是改的行数)，照 Batch 的形状数。"""
    n, S = batch.near.shape[:2]
    W = batch.positives.shape[1] if batch.share is None else batch.inputs.shape[1]
    N, M = batch.negatives.shape
    flops = 3 * 2 * n * S * W * E if batch.share is None else (2 * 2 * n * S * W * E + 3 * 2 * n * S * E)
    flops += 3 * 2 * N * GROUP * BLOCK * M * E
    return flops, batch.inputs.numel() + batch.positives.numel() + batch.negatives.numel()


def measure(model, corpus, limits):
    """一种模型的 {每个中心词几纳秒，其中各类占几成，最快也要几纳秒}。"""
    s, rng = Settings(workers=1), np.random.default_rng(1)
    counts = np.array(corpus.vocab.counts)
    noise, keep = noise_distribution(counts), keep_probability(counts, s.sample)
    groups, pace = step_size(model, counts * keep, noise, s)
    made = [corpus.ids[:WORDS], corpus.sentence[:WORDS], keep, noise]
    prepare = best(lambda: make_batches(model, *made, np.random.default_rng(1), s, groups), 3)
    batches = make_batches(model, *made, rng, s, groups)
    tables = [torch.randn(len(counts), s.vector_size) / 10 for _ in range(2)]

    @torch.inference_mode()
    def train():
        for batch in batches:
            update_tables(*tables, batch, 0.01, pace)

    centers = sum(batch.near.shape[0] * BLOCK for batch in batches)
    seconds = best(train, 15)
    with profile(activities=[ProfilerActivity.CPU]) as trace:
        train()
    spent = Counter()
    for event in trace.key_averages():
        name = event.key.removeprefix("aten::").rstrip("_")
        kind = next((kind for kind, names in KINDS.items() if name in names), "其余")
        spent[kind] += event.self_cpu_time_total
    parts = (work(batch, s.vector_size) for batch in batches)
    flops, rows = (sum(column) for column in zip(*parts, strict=True))
    floor = flops / limits[0] + rows * (limits[1] + limits[2])
    return {"一步之外的准备": round(1e9 * prepare / centers), "一步": round(1e9 * seconds / centers),
            "占几成": {kind: round(us / sum(spent.values()), 2) for kind, us in spent.most_common()},
            "浮点运算": round(flops / centers), "查的行": round(rows / centers, 2),
            "最快也要": round(floor / centers), "其中矩阵乘法": round(flops / limits[0] / centers)}


def main():
    torch.set_num_threads(1)
    corpus = encode_corpus([sentence.words for sentence in corpora.people_daily()])
    limits = peaks(corpus)
    names = ("矩阵乘法 GFLOPS", "查一行的纳秒", "累加一行的纳秒")
    found = {"处理器": cpu_name(), "torch": torch.__version__,
             "峰值": dict(zip(names, (round(x, 1) for x in limits), strict=True)),
             "每个中心词，纳秒": {name: measure(model, corpus, limits)
                            for name, model in (("Skip-gram", "skipgram"), ("CBOW", "cbow"))}}
    text = json.dumps(found, ensure_ascii=False, indent=1)
    print(text)
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/roofline.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
