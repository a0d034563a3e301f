"""与 HogBatch（Intel 的 pWord2Vec，C++）比：同一份语料、同样的参数、一个线程，轮流跑。

    python tests/by_hand/bench_hogbatch.py 编译好的 pWord2Vec      # 写成 build/hogbatch.json，约六分钟

HogBatch 已停止维护，课程不带它的代码，也不依赖它；怎样编译见 data/bench/README.md。它只有 Skip-gram。
速度是语料词次每秒：词次 × 轮数 ÷ 训练的秒数。textseq 量的是从编好号的语料到词向量；HogBatch 取它自己报的
训练速度，数词频与读文件不算。好坏与挑学习率的办法同 bench.py，只是每档学习率各试一遍。
"""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from bench import ALPHAS, REPEATS, ROOT, SAME, cpu_name, middle, run_textseq, score

from textseq import corpora
from textseq.vectors import WordVectors
from textseq.vocab import encode_corpus

SAME["workers"] = 1


def run_hogbatch(program, path, alpha):
    """训练一次 → (训练的秒数, 词向量)。它没有种子。"""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "vectors.txt")
        options = {"train": path, "output": target, "size": 100, "window": 5, "negative": 5, "sample": 1e-3,
                   "iter": SAME["epochs"], "min-count": 5, "threads": 1, "alpha": alpha, "binary": 0,
                   "debug": 2}
        command = [program, *(str(part) for name, value in options.items() for part in (f"-{name}", value))]
        done = subprocess.run(command, capture_output=True, text=True, check=True,
                              env=os.environ | {"MKL_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"})
        words = int(re.search(r"Words in train file: (\d+)", done.stdout)[1]) * SAME["epochs"]
        rate = 1000 * float(re.findall(r"Words/sec: ([\d.]+)k", done.stdout)[-1])
        return words / rate, WordVectors.load(target)


def main(program):
    torch.set_num_threads(1)
    sentences = [s.words for s in corpora.people_daily()]
    corpus, words = encode_corpus(sentences), SAME["epochs"] * sum(map(len, sentences))
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/people_daily.txt"
        Path(path).write_text("".join(" ".join(s) + "\n" for s in sentences), encoding="utf-8")
        tools = {
            "textseq": lambda seed, alpha: run_textseq("Skip-gram", corpus, path, seed, alpha),
            "HogBatch": lambda seed, alpha: run_hogbatch(program, path, alpha),
        }
        tried = {tool: {alpha: score(run(11, alpha)[1])["甲半"] for alpha in ALPHAS["Skip-gram"]}
                 for tool, run in tools.items()}
        best = {tool: max(scores, key=scores.get) for tool, scores in tried.items()}
        print("甲半：", tried, flush=True)
        found = {tool: [] for tool in tools}
        for seed in range(1, REPEATS + 1):
            for tool, run in tools.items():
                seconds, vectors = run(seed, best[tool])
                found[tool].append({"词次每秒": words / seconds} | score(vectors))
                print(seed, tool, found[tool][-1], flush=True)
    speeds = {tool: np.array([row["词次每秒"] for row in rows]) for tool, rows in found.items()}
    print("textseq ÷ HogBatch：", middle(speeds["textseq"] / speeds["HogBatch"]))
    for name in ("甲半", "乙半", "类比"):
        print(name, {tool: middle([row[name] for row in rows]) for tool, rows in found.items()})
    machine = {"处理器": cpu_name(), "核数": os.cpu_count(), "torch": torch.__version__}
    record = {"机器": machine, "参数": SAME, "试过的 alpha 与甲半": tried, "alpha": best, "结果": found}
    target = ROOT / "build/hogbatch.json"
    target.write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main(os.path.abspath(sys.argv[1]))
