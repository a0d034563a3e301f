"""快慢的记录与它的说明：说明里的数，就是记录里的。"""

import json
import re
import runpy
from pathlib import Path
from statistics import median

import numpy as np

from textseq.evaluation import analogy_score, total_hits
from textseq.vectors import WordVectors

FOLDER = Path(__file__).parents[1] / "data/bench"
BY_HAND = Path(__file__).parent / "by_hand"
README = (FOLDER / "README.md").read_text(encoding="utf-8")


def read(name):
    return json.loads((FOLDER / name).read_text(encoding="utf-8"))


def test_the_roofline_section_says_what_was_measured():
    record, bench = read("roofline.json"), read("results.json")
    section = README.partition("## 离上限多远")[2]
    for value in record["峰值"].values():
        assert f" {value} " in section
    room = {}
    for model, found in record["每个中心词，纳秒"].items():
        for name in ("最快也要", "一步", "一步之外的准备"):
            assert f"{found[name]:,} 纳秒" in section, (model, name)
        assert found["最快也要"] < found["一步"]
        prepare = found["一步之外的准备"]
        room[model] = (found["一步"] + prepare) / (found["最快也要"] + prepare)
    skipgram = record["每个中心词，纳秒"]["Skip-gram"]
    assert f"{skipgram['浮点运算']:,} 次" in section and f"{skipgram['查的行']} 行" in section
    for kind in ("矩阵乘法", "查表与累加"):
        assert f"{kind}占 {skipgram['占几成'][kind]:.0%}" in section
    assert f"Skip-gram 也至多再快 {room['Skip-gram']:.1f} 倍，CBOW 至多再快 {room['CBOW']:.1f} 倍" in section
    ratio = {model: median(bench["结果"][f"{model} 词次每秒"]["比"]) * room[model] for model in room}
    assert f"{ratio['Skip-gram']:.1f} 倍与 {ratio['CBOW']:.1f} 倍" in section


def test_the_stages_table_is_the_record():
    record = read("stages.json")
    section = README.partition("## 从头到尾差在哪里")[2]
    for tool, stages in record["秒"].items():
        cells = " | ".join(f"{median(seconds):.2f}" for seconds in stages.values())
        assert f"| {tool} | {cells} |" in section
    ratios = sorted(record["比"])
    assert f"{median(ratios):.2f} 倍（{ratios[0]:.2f} 到 {ratios[-1]:.2f}）" in section
    cutting, ratios = record["切词"], sorted(record["连切词的比"])
    assert f"切，{median(cutting):.1f} 秒（{min(cutting):.1f} 到 {max(cutting):.1f}）" in section
    assert f"{median(ratios):.2f} 倍（{ratios[0]:.2f} 到 {ratios[-1]:.2f}）：切词" in section
    trained = record["秒"]["gensim"]["训练"]
    assert f"五遍从 {min(trained):.1f} 秒到 {max(trained):.1f} 秒" in section


def test_the_frontier_table_is_the_record():
    """“快慢与好坏一起看”那张表：每行是三个种子的中位数；下面的话里的数，表里都有。"""
    groups = {}
    for row in read("frontier.json")["结果"]:
        groups.setdefault((row["模型"], row["工具"], row["负样本"], row["轮数"]), []).append(row)
    assert {len(rows) for rows in groups.values()} == {3}
    section = README.partition("## 快慢与好坏一起看")[2].partition("\n## ")[0]
    table = [line for line in section.splitlines() if re.match(r"\| (Skip-gram|CBOW) ", line)]
    assert len(table) == len(groups)
    for (model, tool, negatives, epochs), rows in groups.items():
        middle = {key: median(row[key] for row in rows) for key in ("处理器秒", "甲半", "乙半", "类比")}
        what = f"{'M' if tool == 'textseq' else 'negative'} = {negatives}，{epochs} 轮"
        assert (f"| {model} | {tool} | {what} | {middle['处理器秒']:.1f} | {middle['甲半']:.3f} | "
                f"{middle['乙半']:.3f} | {100 * middle['类比']:.2f} |") in table
    prose = section.rpartition("|\n")[2]
    printed = set(re.findall(r"\d+\.\d+", "\n".join(table)))
    assert set(re.findall(r"\d+\.\d+", prose)) <= printed


def test_chapter_07_says_how_long_the_same_quality_takes():
    """换 ρ 当尺子，Skip-gram 仍是四成多，CBOW 多两三成到近一倍；8 轮的 CBOW，两家的类比不交错。"""
    def runs(model, tool, negatives, epochs, key):
        return [row[key] for row in read("frontier.json")["结果"] if (
            row["模型"], row["工具"], row["负样本"], row["轮数"]) == (model, tool, negatives, epochs)]

    def share(model, negatives, key):
        seconds, score = ([median(runs(model, "textseq", negatives, n, what)) for n in (3, 5, 8)]
                          for what in ("处理器秒", key))
        goal, theirs = (median(runs(model, "gensim", 5, 5, what)) for what in (key, "处理器秒"))
        return np.interp(goal, np.maximum.accumulate(score), seconds) / theirs

    skipgram, cbow = ({key: share(model, M, key) for key in ("甲半", "乙半", "类比")}
                      for model, M in (("Skip-gram", 60), ("CBOW", 54)))
    assert all(0.4 < x < 0.45 for x in skipgram.values())
    assert 1.2 < cbow["甲半"] < 1.3 and 1.4 < cbow["类比"] < 1.5 and 1.9 < cbow["乙半"] < 2
    assert max(runs("CBOW", "textseq", 54, 8, "类比")) < min(runs("CBOW", "gensim", 5, 8, "类比"))


def test_the_memory_table_is_the_record():
    """“要多少内存，快慢怎样变”那张表与下面的差；语料三十倍，私有内存多不到 50 MB。"""
    found = read("growth.json")["结果"]
    section = README.partition("## 要多少内存，快慢怎样变")[2].partition("\n## ")[0]
    for name, rows in found.items():
        for value, row in rows.items():
            assert (f"| {name} {int(value):,} | {row['词次']:,} | {row['词次每秒']:,} | "
                    f"{row['是平常的几倍']:.2f} | {row['私有内存MB']} | {row['最高MB']} |") in section
    more = found["语料"]["30"]["私有内存MB"] - found["语料"]["1"]["私有内存MB"]
    assert more < 50 and f"私有内存只多 {more} MB" in section
    assert f"一共 {found['V']['500000']['私有内存MB']} MB" in section


def test_every_anchor_names_its_source_and_date():
    """别人的数：每行六样都写全，说明里有；课程作者量的只有一行，第 08、10 章读它。"""
    header, *rows = (line.split("\t") for line in
                     (FOLDER / "anchors.tsv").read_text(encoding="utf-8").splitlines())
    assert header == ["工具", "量", "数", "条件", "出处", "读到的日期"]
    for row in rows:
        assert len(row) == len(header) and all(row), row
        assert float(row[2]) > 0 and re.fullmatch(r"20\d\d-\d\d", row[-1]), row
    assert sum("课程作者" in row[4] for row in rows) == 1
    section = README.partition("## 别人的数")[2].partition("\n## ")[0]
    for tool, _, number, *_ in rows:
        assert tool.partition("，")[0] in section and number in section.replace(",", ""), (tool, number)


def test_the_intervals_table_is_the_record():
    """区间那张表是记录；下面与第 07 章的话：六个都跨过 1。"""
    record = read("intervals.json")["textseq ÷ gensim"]
    section = README.partition("## 考题换一批会怎样")[2].partition("\n## ")[0]
    for name, row in record.items():
        assert f"| {name} | {' | '.join(f'{x:.3f}' for x in row)} |" in section
        low, middle, high = row
        assert low < middle < high and low < 1 < high, name
    assert len(record) == 6
    chapter = (FOLDER.parents[1] / "notebooks/07_word2vec_training.ipynb").read_text(encoding="utf-8")
    for model in ("Skip-gram", "CBOW"):
        low, _, high = record[f"{model} 类比"]
        assert f"{model} {low:.3f} 到 {high:.3f}" in chapter


def test_intervals_are_counted_as_the_score_is(monkeypatch):
    """头一对引出的题，答对几题、答了几题，合起来就是 analogy_score 的；五遍都一样的两家，比值就是 1。"""
    monkeypatch.syspath_prepend(BY_HAND)
    script = runpy.run_path(str(BY_HAND / "bench_intervals.py"))
    rng = np.random.default_rng(0)
    words = sorted({word for pairs in script["RELATIONS"].values() for pair in pairs for word in pair})
    vectors = WordVectors(words, rng.normal(size=(len(words), 8)))
    hits = script["hits_by_first_pair"](vectors).sum(axis=0)
    total = total_hits(analogy_score(vectors, script["RELATIONS"]))
    assert tuple(hits) == (total.hits, total.used)
    runs = [rng.normal(size=50)] * 5
    assert script["interval"](runs, runs, lambda run, drawn: run[drawn].mean(), 50, rng) == [1, 1, 1]


def test_the_corpus_table_is_the_record():
    record = read("corpus.json")
    section = README.partition("## 语料多大")[2].partition("\n## ")[0]
    assert f"{record['词对']} 对词，{record['类比题']:,} 道类比题" in section
    lines = [line for line in section.splitlines() if re.match(r"\|.*\d", line)]
    for part, line in zip((8, 4, 2, 1, 0), lines, strict=True):
        rows = [row for row in record["结果"] if row["份"] == part]
        assert {(row["工具"], row["种子"]) for row in rows} == {(tool, seed) for tool in ("textseq", "gensim")
                                                               for seed in (1, 2, 3)}
        assert {row["alpha"] for row in rows} == {0.05 if part == 0 else 0.1}
        for key, scale, form in (("rho", 1, ".3f"), ("类比", 100, ".1f")):
            for tool in ("textseq", "gensim"):
                values = [scale * row[key] for row in rows if row["工具"] == tool]
                assert f" {median(values):{form}}（{min(values):{form}}–{max(values):{form}}） |" in line
