"""训练词向量的快慢与内存：语料长了、词多了、维数高了、负样本多了，怎样变。每一格开一个新进程，一轮，约四十分钟。

    python tests/by_hand/bench_growth.py            # 写成 build/growth.json

语料变长，是把人民日报重复几遍；词变多，是照齐夫定律抽出来的编号。“私有内存”是训练途中各次报告里最大的
RssAnon，不含映射进来的语料文件；“最高”是 ru_maxrss，含语料文件；两样都只算父进程，不算工人。快慢随机器
忙闲变，所以每一格与平常的轮流各跑五遍，各取最快的一遍来比；语料十倍以上的只跑一遍。抽出来的编号与人民日报
不是一种语料，V 的各格只好互相比。
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from bench import ROOT, cpu_name

from textseq import corpora
from textseq.vocab import FIRST, EncodedCorpus, Vocab, encode_corpus
from textseq.word2vec_fast import Settings
from textseq.word2vec_train import train

USUAL = {"语料": 1, "V": 0, "维数": 100, "K": 5, "工人": 1}
ROWS = {"语料": (1, 3, 10, 30), "V": (10_000, 50_000, 100_000, 500_000),
        "维数": (50, 100, 200, 300), "K": (5, 10, 20), "工人": (1, 2)}
TOKENS = 2_000_000  # 抽出来的语料有多少词次


def people_daily(times, folder):
    """人民日报重复 times 遍，写成文件再读：长语料就是这样训练的。"""
    path = Path(folder) / "corpus.txt"
    text = "".join(" ".join(s.words) + "\n" for s in corpora.people_daily())
    with path.open("w", encoding="utf-8") as file:
        for _ in range(times):
            file.write(text)
    return encode_corpus(corpora.lines(path), folder=folder)


def zipf(V):
    """V 个词，词频照 1/名次；二十个词一句。"""
    share = 1 / np.arange(1, V + 1)
    counts = np.maximum(np.round(TOKENS * share / share.sum()), 1).astype(int)
    ids = np.random.default_rng(0).permutation(np.repeat(np.arange(V) + FIRST, counts))
    vocab = Vocab([f"词{k}" for k in range(V)], counts.tolist())
    return EncodedCorpus(ids.astype(np.int32), (np.arange(len(ids)) // 20).astype(np.int32), vocab)


def private():
    """现在的私有内存，MB。"""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("RssAnon"):
            return int(line.split()[1]) / 1024


def one(point):
    """一格：多少词次，每秒多少，内存到多高。"""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        corpus = zipf(point["V"]) if point["V"] else people_daily(point["语料"], folder)
        seen, start = [], time.perf_counter()
        settings = Settings(vector_size=point["维数"], negative=point["K"], workers=point["工人"], epochs=1)
        train("skipgram", corpus, settings, on_progress=lambda _: seen.append(private()))
        seconds = time.perf_counter() - start
        return {"词次": len(corpus.ids), "私有内存MB": round(max(seen)),
                "最高MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
                "词次每秒": round(len(corpus.ids) / seconds)}


def run(point):
    """在新进程里跑一格。"""
    done = subprocess.run([sys.executable, __file__, json.dumps(point)], check=True,
                          capture_output=True, text=True)
    return json.loads(done.stdout)


def main():
    (ROOT / "build").mkdir(exist_ok=True)
    found = {name: {} for name in ROWS}
    for name, values in ROWS.items():
        for value in values:
            pairs = [(run(USUAL), run(USUAL | {name: value}))
                     for _ in range(1 if name == "语料" and value >= 10 else 5)]
            usual, row = (max(runs, key=lambda row: row["词次每秒"]) for runs in zip(*pairs, strict=True))
            found[name][str(value)] = row | {"是平常的几倍": round(row["词次每秒"] / usual["词次每秒"], 2)}
            print(name, value, found[name][str(value)], flush=True)
    record = {"处理器": cpu_name(), "torch": torch.__version__, "平常": USUAL, "结果": found}
    (ROOT / "build/growth.json").write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n",
                                            encoding="utf-8")


if __name__ == "__main__":
    print(json.dumps(one(json.loads(sys.argv[1])))) if len(sys.argv) > 1 else main()
