"""附录“断了接着来，几台机器一起训练”：页上的数重新算过，或与存下的记录相同。"""

import json
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from textseq import corpora, word2vec_train
from textseq.vocab import FIRST, encode_corpus
from textseq.word2vec_fast import Settings

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "book/distributed.md").read_text(encoding="utf-8")


def merge():
    """页上的那个函数。"""
    scope = {"np": np}
    exec(re.search(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)[1], scope)
    return scope["merge"]


def test_merging_averages_only_over_the_processes_that_changed_a_row():
    before = np.zeros((3, 2))
    one, two = before.copy(), before.copy()
    one[0], two[0], one[1] = 2, 4, 6
    assert merge()(before, [one, two]).tolist() == [[3, 3], [6, 6], [0, 0]]


def test_one_leg_leaves_a_fifth_of_the_words_to_one_process():
    torch.set_num_threads(1)
    corpus = encode_corpus([s.words for s in corpora.people_daily()])
    s = Settings(vector_size=8, epochs=1)
    start = word2vec_train.train("skipgram", corpus._replace(ids=corpus.ids[:250_000],
                                 sentence=corpus.sentence[:250_000]), s)
    half = word2vec_train.LEG * word2vec_train.PART // 2
    changed = []
    for first in (0, half):
        E, C = (torch.from_numpy(table.copy()) for table in start)
        train_part = word2vec_train._part_trainer("skipgram", corpus, s, E, C)
        for at in range(first, first + half, word2vec_train.PART):
            train_part((0, at))
        changed.append((E.numpy() != start.embedding).any(axis=1)[FIRST:])
    lone = changed[0] ^ changed[1]
    counts = np.array(corpus.vocab.real_counts)
    printed = re.search(r"各训练 (\S+) 个词次，有 (\d+)% 的词只有一个", PAGE)
    assert printed[1] == f"{half:,}" and abs(100 * lone.mean() - int(printed[2])) < 1
    share = float(re.search(r"只占词次的 ([\d.]+)%", PAGE)[1])
    assert abs(100 * counts[lone].sum() / counts.sum() - share) < 0.3


@pytest.mark.parametrize("processes", ["1", "2", "4", "8"])
def test_the_table_is_the_stored_record(processes):
    record = json.loads((ROOT / "data/bench/results.json").read_text(encoding="utf-8"))
    trials = record["torchrun"][processes]
    a, b, hits = ((min(x), max(x)) for x in ([t[k] for t in trials] for k in ("甲半", "乙半", "类比")))
    row = "| {} 个进程 | [{:.3f}, {:.3f}] | [{:.3f}, {:.3f}] | [{:.1f}%, {:.1f}%] | ".format(
        processes, *a, *b, *(100 * x for x in hits))
    slow = f"{np.median([t['秒'] for t in trials]):.1f} 秒" if int(processes) <= 2 else "没有量"  # 只有两个核
    assert row + slow in PAGE
    assert len(trials) == (5 if int(processes) <= 2 else 3)
    if processes == "2":
        assert f"其中合并 {np.median([t['合并秒'] for t in trials]):.2f} 秒" in PAGE


@pytest.mark.parametrize("V, E", [(14_992, 100), (1_000_000, 300)])
def test_the_traffic_is_worked_out(V, E):
    one = 2 * V * E * 4 / 1e6
    sent = 2 * 7 / 8 * one
    assert (f"| {V:,} 个词 × {E} 维 | {one:,.0f} MB | {sent:,.0f} MB | {sent * 8 / 1e4:.2f} 秒 |") in PAGE


def test_the_limited_network_is_the_stored_record():
    record = json.loads((ROOT / "data/bench/network.json").read_text(encoding="utf-8"))["结果"]
    found = {(row["机器"], row["Mbit每秒"]): row for row in record}
    for n in (2, 4):
        alone = found[n, None]["量到的秒"]
        row = f"| {n} 台 | {alone:.3f} 秒 |"
        for rate in (1000, 100):
            expected, measured = (found[n, rate][key] for key in ("推算的秒", "量到的秒"))
            traffic = 2 * (n - 1) / n * 2 * 14_992 * 101 * 4
            assert abs(expected - traffic * 8 / (rate * 1e6)) < 0.001
            assert abs((expected + alone) / measured - 1) < 0.2   # 推算加计算，差不到两成
            row += f" {expected:.3f}，{measured:.3f} 秒 |"
        assert row in PAGE
