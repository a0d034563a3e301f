"""附录“今天还用得上吗”：表里的数就是 data/today 存下的；一次算完的循环与逐步算的相同。"""

import re
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "book/today.md").read_text(encoding="utf-8")
FOLDER = ROOT / "data/today"
build = SimpleNamespace(**runpy.run_path(str(FOLDER / "build.py")))


def stored():
    """{(任务, 网络, 练长, 考长): [(种子, 学习率, 准确率, 参数, 秒)]}"""
    header, *rows = (line.split("\t") for line in
                     (FOLDER / "results.tsv").read_text(encoding="utf-8").splitlines())
    assert tuple(header) == build.COLUMNS
    found = {}
    for *key, seed, rate, accuracy, parameters, seconds in rows:
        found.setdefault(tuple(key), []).append((int(seed), float(rate), float(accuracy), int(parameters),
                                                 float(seconds)))
    return found


def span(rows):
    scores = [accuracy for _, _, accuracy, *_ in rows]
    low, middle, high = min(scores), np.median(scores), max(scores)
    return f"{middle:.1f} [{low:.1f}, {high:.1f}]" if low < high else f"{middle:.1f}"


def test_every_training_is_there_once():
    found = stored()
    assert all([row[0] for row in rows] == list(build.SEEDS) for rows in found.values())
    flags = [("最近的旗", kind, T, other) for kind in build.FLAG_SIZES
             for T, others in (("20", ("20", "80", "20 挪 60")), ("80", ("80",)))[:1 if "64" in kind else 2]
             for other in others if "注意" in kind or "挪" not in other]
    assert list(found) == [*flags, *(("标题", kind, "–", "–") for kind in ("没有", *build.READERS))]


def test_rates_are_not_at_the_end_of_the_list():
    """除非并列：并列时取中间的一个。"""
    for (task, *_), rows in stored().items():
        rates = build.FLAG_RATES if task == "最近的旗" else build.TITLE_RATES
        assert rows[0][1] in rates[1:-1]


def test_the_tables_of_the_page():
    found = stored()
    for kind in build.FLAG_SIZES:
        lengths = (("20", "20"), ("20", "20 挪 60"), ("20", "80"), ("80", "80"))
        cells = [span(found[key]) if (key := ("最近的旗", kind, *pair)) in found
                 else "–" if "挪" in pair[1] else "没有练" for pair in lengths]
        count = found["最近的旗", kind, "20", "20"][0][3]
        assert f"| {kind} | {count:,} | {' | '.join(cells)} |" in PAGE
    for kind in ("没有", *build.READERS):
        rows = found["标题", kind, "–", "–"]
        assert f"| {kind} | {rows[0][3]:,} | {span(rows)} |" in PAGE


def test_the_seconds_on_one_core():
    """存下的处理器秒；随机器变，页上写的是整数。"""
    found = stored()
    lstm, linear, attention = (round(np.mean([row[-1] for row in found["标题", kind, "–", "–"]]))
                               for kind in build.READERS)
    assert f"LSTM 约 {lstm} 秒，线性循环 {linear} 秒，自注意力 {attention} 秒" in PAGE


def test_the_costs_of_one_more_step():
    """表里的公式与数：从各层真有的权重数出来。"""
    lstm, linear, attention = (build.READERS[kind](64, 64) for kind in build.READERS)
    matrices = {name: sum(p.numel() for p in layer.parameters() if p.ndim == 2)
                for name, layer in (("LSTM", lstm), ("线性循环", linear), ("自注意力", attention))}
    assert matrices == {"LSTM": 4 * 64 * 128, "线性循环": 2 * 64 * 64, "自注意力": 32_768}
    for n in (30, 10_000):
        assert f"{32_768 + 2 * 64 * n:,} 次，{2 * 64 * n:,} 个" in PAGE
    assert "32,768 次，128 个" in PAGE and "8,192 次，64 个" in PAGE


def test_all_steps_at_once_equal_one_after_another():
    rng = torch.Generator().manual_seed(0)
    keep = torch.rand(3, 80, 5, generator=rng, dtype=torch.double)
    add = torch.randn(3, 80, 5, generator=rng, dtype=torch.double)
    h, steps = torch.zeros(3, 5, dtype=torch.double), []
    for t in range(80):
        h = keep[:, t] * h + add[:, t]
        steps.append(h)
    assert (build.scan(keep, add) - torch.stack(steps, 1)).abs().max() < 1e-12
    assert re.search(r"80 步只要 (\d+) 轮", PAGE)[1] == str(int(np.ceil(np.log2(80))))


@pytest.mark.parametrize("kind", build.READERS)
def test_nobody_looks_ahead(kind):
    layer = build.READERS[kind](64, 64).eval()
    x = torch.randn(1, 12, 64, generator=torch.Generator().manual_seed(1))
    y = x.clone()
    y[:, 7:] += 1
    same = (layer(x) - layer(y)).abs().amax(2)[0]
    assert same[:7].max() < 1e-5 < same[7:].min()


@pytest.mark.full
@pytest.mark.parametrize("kind", ["LSTM", "线性循环"])
def test_a_training_again(kind):
    seed, rate, accuracy, *_ = stored()["最近的旗", kind, "20", "20"][0]
    model, _ = build.train_flags(kind, 20, rate, seed)
    assert abs(build.flag_score(model, 20) - accuracy) <= 1


@pytest.mark.full
@pytest.mark.parametrize("kind", ["没有", *build.READERS])
def test_a_title_reader_again(kind):
    source = build.corpora.headlines(build.TITLES)
    data = list(source), list(build.corpora.headlines(build.TITLES, "dev")), source.classes
    seed, rate, accuracy, *_ = stored()["标题", kind, "–", "–"][0]
    assert abs(build.train_titles(kind, data, rate, seed)[1] - accuracy) <= 3
