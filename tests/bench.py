"""make bench：textseq 与 gensim 训练词向量，同一份语料、同样的参数、同样的核数，轮流跑，比快慢与好坏。

速度是语料词次每秒：词次 × 轮数 ÷ 从编好号的语料到词向量的墙上时间（gensim 是 train 的时间，
两边都不算数词频）。同一遍里两家紧挨着跑，所以机器忙闲的影响在比值里抵消大半。
好坏是评测集上的等级相关系数。词对按校验和分成两半：学习率只看甲半挑，两家用同一张单子；
挑的过程也写进记录。乙半没有用来挑过学习率，但 textseq 自己的几个常数是看着全部词对试出来的。
最后用 torchrun 比一个进程与两个进程：快慢，好坏，合并占多少时间。
"""

import json
import os
import platform
import subprocess
import sys
import time
import zlib
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from gensim import __version__ as gensim_version
from gensim.models import Word2Vec

from textseq import corpora, word2vec_train
from textseq.evaluation import load_analogies, load_pairs, quality, similarity_score
from textseq.vectors import WordVectors
from textseq.vocab import encode_corpus
from textseq.word2vec_train import train_cbow, train_skipgram

ROOT = Path(__file__).parents[1]
PAIRS = load_pairs(ROOT / "data/evaluation/word_pairs_detail.tsv")
HALVES = {name: [p for p in PAIRS if zlib.crc32(f"{p.a} {p.b}".encode()) % 2 == parity]
          for name, parity in (("甲半", 0), ("乙半", 1))}
RELATIONS = load_analogies(ROOT / "data/evaluation/analogies.tsv")
SAME = {"vector_size": 100, "window": 5, "negative": 5, "sample": 1e-3, "epochs": 5, "workers": 2}
ALPHAS = {"Skip-gram": (0.025, 0.05, 0.075, 0.1), "CBOW": (0.025, 0.05, 0.1, 0.2, 0.3)}
REPEATS = 3


def score(vectors):
    """两半词对的等级相关系数，类比的命中率。"""
    rho, rate = quality(vectors, HALVES["甲半"], RELATIONS)
    return {"甲半": rho, "乙半": similarity_score(vectors, HALVES["乙半"]).rho, "类比": rate}


def run_textseq(model, corpus, sentences, seed, alpha):
    start = time.perf_counter()
    fit = train_skipgram if model == "Skip-gram" else train_cbow
    vectors = fit(corpus, seed=seed, alpha=alpha, **SAME)
    return time.perf_counter() - start, vectors


def run_gensim(model, corpus, sentences, seed, alpha):
    word2vec = Word2Vec(min_count=5, sg=model == "Skip-gram", seed=seed, alpha=alpha, **SAME)
    word2vec.build_vocab(sentences)
    start = time.perf_counter()
    word2vec.train(sentences, total_examples=word2vec.corpus_count, epochs=SAME["epochs"])
    seconds = time.perf_counter() - start
    return seconds, WordVectors(word2vec.wv.index_to_key, word2vec.wv.vectors)


def choose_alpha(run, model, corpus, sentences):
    """挑学习率：各训练三遍，取甲半的中位数最高的；种子与正式比的不同。返回挑中的和各个的得分。"""
    scores = {}
    for alpha in ALPHAS[model]:
        try:
            found = [run(model, corpus, sentences, seed, alpha)[1] for seed in (11, 12, 13)]
        except ValueError as error:  # textseq 训练发散时报错
            print(model, alpha, error, flush=True)
            continue
        scores[alpha] = [score(vectors)["甲半"] for vectors in found]
    return max(scores, key=lambda alpha: np.median(scores[alpha])), scores


def middle(values):
    """中位数，和最小到最大。"""
    return f"{np.median(values):.3g}（{min(values):.3g}–{max(values):.3g}）"


def compare_processes():
    """一个进程与两个进程，Skip-gram，默认的学习率：{进程数: 每个种子一条}。"""
    found = {}
    for n in (1, 2):
        command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(n), __file__]
        subprocess.run(command, check=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
        found[str(n)] = json.loads((ROOT / "build/torchrun.json").read_text(encoding="utf-8"))
    return found


def work_in_torchrun():
    """torchrun 的一个进程：训练几个种子，0 号进程把快慢、好坏和合并的时间写成文件。"""
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    corpus = encode_corpus([s.words for s in corpora.people_daily()])
    merging, merge = [], word2vec_train._merge

    def timed(*tables):
        dist.barrier()  # 等齐了再计时，只量合并本身
        start = time.perf_counter()
        merge(*tables)
        merging.append(time.perf_counter() - start)

    word2vec_train._merge, rows = timed, []
    for seed in range(1, REPEATS + 1):
        start = time.perf_counter()
        vectors = train_skipgram(corpus, seed=seed, **SAME | {"workers": 1})
        rows.append({"秒": time.perf_counter() - start, "合并秒": sum(merging)} | score(vectors))
        merging.clear()
    if dist.get_rank() == 0:
        (ROOT / "build/torchrun.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        for row in rows:
            print(dist.get_world_size(), "个进程：", {name: round(value, 3) for name, value in row.items()})
    dist.destroy_process_group()


def main():
    torch.set_num_threads(1)
    (ROOT / "build").mkdir(exist_ok=True)
    sentences = [list(s.words) for s in corpora.people_daily()]
    corpus = encode_corpus(sentences)
    words = sum(map(len, sentences)) * SAME["epochs"]
    tools = {"textseq": run_textseq, "gensim": run_gensim}
    chosen, tried = {}, {}
    for model in ALPHAS:
        for tool, run in tools.items():
            chosen[model, tool], scores = choose_alpha(run, model, corpus, sentences)
            tried[f"{model} {tool}"] = scores
            print(f"{model:<9}  {tool:<8}  alpha：甲半 ", "  ".join(
                f"{alpha}：{middle(rho)}" for alpha, rho in scores.items()), flush=True)
    found = {model: {tool: [] for tool in tools} for model in ALPHAS}
    for repeat in range(REPEATS):
        for model, results in found.items():
            for tool, run in tools.items():
                seconds, vectors = run(model, corpus, sentences, repeat + 1, chosen[model, tool])
                results[tool].append({"词次每秒": words / seconds} | score(vectors))
                print(f"第 {repeat + 1} 遍  {model:<9}  {tool:<8}", "  ".join(
                    f"{name} {value:,.0f}" if value > 9 else f"{name} {value:.3f}"
                    for name, value in results[tool][-1].items()), flush=True)
    machine = {"处理器": cpu_name(), "核数": os.cpu_count(), "python": platform.python_version(),
               "torch": torch.__version__, "gensim": gensim_version}
    print("\n| 模型 | 量 | textseq | gensim | textseq ÷ gensim |\n|---|---|---|---|---|")
    table = {}
    for model, results in found.items():
        for name in results["gensim"][0]:
            ours, theirs = ([r[name] for r in results[tool]] for tool in tools)
            ratio = [a / b for a, b in zip(ours, theirs, strict=True)]
            table[f"{model} {name}"] = {"textseq": ours, "gensim": theirs, "比": ratio}
            print(f"| {model} | {name} | {middle(ours)} | {middle(theirs)} | {middle(ratio)} |")
    print(f"\n{machine}")
    target = ROOT / "build/bench.json"
    record = {"机器": machine, "参数": SAME, "试过的 alpha 与甲半": tried,
              "alpha": {f"{model} {tool}": alpha for (model, tool), alpha in chosen.items()}, "结果": table,
              "torchrun": compare_processes()}
    target.write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")
    print(f"存到 {target.relative_to(ROOT)}")


def cpu_name():
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
                platform.processor())


if __name__ == "__main__":
    work_in_torchrun() if "RANK" in os.environ else main()
