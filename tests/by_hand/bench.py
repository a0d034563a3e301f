"""make bench：textseq 与 gensim 训练词向量，同一份语料、同样的参数、同样的核数，轮流跑，比快慢与好坏。

速度是语料词次每秒：词次 × 轮数 ÷ 从编好号的语料到词向量的墙上时间。gensim 用 corpus_file，
量的是 train 的时间；两边都不算数词频。同一遍里两家紧挨着跑，机器忙闲的影响在比值里抵消大半。
“从头到尾”另算：一行一句、切好词的文本文件，到存好的 .vec，数词频、编号、训练、存盘全算。
好坏是评测集上的等级相关系数与类比题；两家的同号种子毫无关系，所以不配对，比各自的中位数。词对按校验和
分成两半：学习率只看甲半挑，两家用同一张单子，挑的过程也写进记录；乙半没有用来挑过学习率。
最后用 torchrun 比一、二、四、八个进程：快慢，好坏，合并占多少时间。
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
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

ROOT = Path(__file__).parents[2]
PAIRS = load_pairs(ROOT / "data/evaluation/word_pairs_detail.tsv")
HALVES = {name: [p for p in PAIRS if zlib.crc32(f"{p.a} {p.b}".encode()) % 2 == parity]
          for name, parity in (("甲半", 0), ("乙半", 1))}
RELATIONS = load_analogies(ROOT / "data/evaluation/analogies.tsv")
SAME = {"vector_size": 100, "window": 5, "negative": 5, "sample": 1e-3, "epochs": 5, "workers": 2}
ALPHAS = {"Skip-gram": (0.025, 0.05, 0.075, 0.1, 0.15), "CBOW": (0.05, 0.1, 0.2, 0.3, 0.4)}
REPEATS = 5
EARLIER = (2, 3, 4)  # 练到 gensim 练 5 轮的好坏，textseq 要几轮


def score(vectors):
    """两半词对的等级相关系数，类比的命中率。"""
    rho, rate = quality(vectors, HALVES["甲半"], RELATIONS)
    return {"甲半": rho, "乙半": similarity_score(vectors, HALVES["乙半"]).rho, "类比": rate}


def run_textseq(model, corpus, path, seed, alpha, epochs=5):
    start = time.perf_counter()
    fit = train_skipgram if model == "Skip-gram" else train_cbow
    vectors = fit(corpus, seed=seed, alpha=alpha, **SAME | {"epochs": epochs})
    return time.perf_counter() - start, vectors


def run_gensim(model, corpus, path, seed, alpha):
    word2vec = Word2Vec(min_count=5, sg=model == "Skip-gram", seed=seed, alpha=alpha, **SAME)
    word2vec.build_vocab(corpus_file=path)
    start = time.perf_counter()
    word2vec.train(corpus_file=path, total_words=word2vec.corpus_total_words,
                   total_examples=word2vec.corpus_count, epochs=SAME["epochs"])
    seconds = time.perf_counter() - start
    return seconds, WordVectors(word2vec.wv.index_to_key, word2vec.wv.vectors)


def whole_textseq(model, path, target, alpha):
    fit = train_skipgram if model == "Skip-gram" else train_cbow
    fit(corpora.lines(path), alpha=alpha, **SAME).save(target)


def whole_gensim(model, path, target, alpha):
    word2vec = Word2Vec(corpus_file=path, min_count=5, sg=model == "Skip-gram", alpha=alpha, **SAME)
    word2vec.wv.save_word2vec_format(target)


def from_file_to_file(path, chosen):
    """从头到尾的秒数，两家轮流各三遍：{模型: {textseq: [...], gensim: [...]}}。"""
    found = {model: {"textseq": [], "gensim": []} for model in ALPHAS}
    for _ in range(3):
        for model, seconds in found.items():
            for tool, run in (("textseq", whole_textseq), ("gensim", whole_gensim)):
                start = time.perf_counter()
                run(model, path, f"{path}.vec", chosen[model, tool])
                seconds[tool].append(time.perf_counter() - start)
    return found


def choose_alpha(run, model, corpus, path):
    """挑学习率：各训练三遍，取甲半的中位数最高的；种子与正式比的不同。返回挑中的和各个的得分。"""
    scores = {}
    for alpha in ALPHAS[model]:
        try:
            found = [run(model, corpus, path, seed, alpha)[1] for seed in (11, 12, 13)]
        except ValueError as error:  # textseq 训练发散时报错
            print(model, alpha, error, flush=True)
            continue
        scores[alpha] = [score(vectors)["甲半"] for vectors in found]
    return max(scores, key=lambda alpha: np.median(scores[alpha])), scores


def middle(values):
    """中位数，和最小到最大。"""
    return f"{np.median(values):.3g}（{min(values):.3g}–{max(values):.3g}）"


def compare_processes(numbers=(1, 2, 4, 8)):
    """几个进程，Skip-gram，默认的学习率：{进程数: 每个种子一条}；处理器没有这么多时，快慢不作数。"""
    found = {}
    for n in numbers:
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
        start, losses = time.perf_counter(), []
        vectors = train_skipgram(corpus, seed=seed, **SAME | {"workers": 1},
                                 on_progress=lambda p, found=losses: found.append(p.loss))
        seconds = time.perf_counter() - start
        late = losses[len(losses) // 2:] or [float("nan")]  # 只有 0 号进程有
        rows.append({"秒": seconds, "合并秒": sum(merging), "后一半的损失": float(np.mean(late))}
                    | score(vectors))
        merging.clear()
    if dist.get_rank() == 0:
        (ROOT / "build/torchrun.json").write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
        for row in rows:
            print(dist.get_world_size(), "个进程：", {name: round(value, 3) for name, value in row.items()})
    dist.destroy_process_group()


def main():
    torch.set_num_threads(1)
    (ROOT / "build").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/people_daily.txt"
        lines = [" ".join(s.words) + "\n" for s in corpora.people_daily()]
        Path(path).write_text("".join(lines), encoding="utf-8")
        corpus = encode_corpus([line.split() for line in lines])
        words = sum(len(line.split()) for line in lines) * SAME["epochs"]
        compare(corpus, path, words)


def compare(corpus, path, words):
    tools = {"textseq": run_textseq, "gensim": run_gensim}
    chosen, tried = {}, {}
    for model in ALPHAS:
        for tool, run in tools.items():
            chosen[model, tool], scores = choose_alpha(run, model, corpus, path)
            tried[f"{model} {tool}"] = scores
            print(f"{model:<9}  {tool:<8}  alpha：甲半 ", "  ".join(
                f"{alpha}：{middle(rho)}" for alpha, rho in scores.items()), flush=True)
    found = {model: {tool: [] for tool in tools} for model in ALPHAS}
    for repeat in range(REPEATS):
        for model, results in found.items():
            for tool, run in tools.items():
                seconds, vectors = run(model, corpus, path, repeat + 1, chosen[model, tool])
                results[tool].append({"词次每秒": words / seconds} | score(vectors))
                print(f"第 {repeat + 1} 遍  {model:<9}  {tool:<8}", "  ".join(
                    f"{name} {value:,.0f}" if value > 9 else f"{name} {value:.3f}"
                    for name, value in results[tool][-1].items()), flush=True)
    def sooner(model, epochs):
        alpha = chosen[model, "textseq"]
        return [score(run_textseq(model, corpus, path, seed, alpha, epochs)[1]) for seed in (1, 2, 3)]

    early = {model: {epochs: sooner(model, epochs) for epochs in EARLIER} for model in ALPHAS}
    print("\n| 模型 | 量 | textseq | gensim | textseq ÷ gensim |\n|---|---|---|---|---|")
    table = {}
    for model, results in found.items():
        for name in results["gensim"][0]:
            ours, theirs = ([r[name] for r in results[tool]] for tool in tools)
            ratio = ([a / b for a, b in zip(ours, theirs, strict=True)] if name == "词次每秒"
                     else [np.median(ours) / np.median(theirs)])
            table[f"{model} {name}"] = {"textseq": ours, "gensim": theirs, "比": ratio}
            print(f"| {model} | {name} | {middle(ours)} | {middle(theirs)} | {middle(ratio)} |")
    whole = from_file_to_file(path, chosen)
    for model, seconds in whole.items():
        print(f"{model} 从头到尾（秒）：", {tool: middle(s) for tool, s in seconds.items()})
    machine = {"处理器": cpu_name(), "核数": os.cpu_count(), "python": platform.python_version(),
               "torch": torch.__version__, "gensim": gensim_version}
    print(f"\n{machine}")
    target = ROOT / "build/bench.json"
    record = {"机器": machine, "参数": SAME, "试过的 alpha 与甲半": tried,
              "alpha": {f"{model} {tool}": alpha for (model, tool), alpha in chosen.items()}, "结果": table,
              "轮数少些的 textseq": early, "从头到尾的秒数": whole, "torchrun": compare_processes()}
    target.write_text(json.dumps(record, ensure_ascii=False, indent=1), encoding="utf-8")
    print(f"存到 {target.relative_to(ROOT)}")


def cpu_name():
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
                platform.processor())


if __name__ == "__main__":
    work_in_torchrun() if "RANK" in os.environ else main()
