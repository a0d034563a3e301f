"""好坏差多少才算差：make bench 的那几种设定各训练五遍，词对、类比题与五遍训练一起重抽一千次，看比值晃多少。
约五分钟。

    python tests/by_hand/bench_intervals.py            # 写成 build/intervals.json

五个种子只说训练的运气；考题换一批会怎样，要把考题也重抽（自助法：有放回地抽一样多），训练也重抽。词对一对一对地抽；
类比题共用词对，一题一题地抽会把区间抽窄，所以抽的是题里的头一对，它引出的题一起进出。每抽一次，
两家在同样的题上各取抽中的五遍的中位数，记下 textseq ÷ gensim；区间是中间的 95%。
出处：Efron, Bootstrap Methods: Another Look at the Jackknife, 1979。
"""

import json
import tempfile
from pathlib import Path

import numpy as np
from bench import HALVES, RELATIONS, REPEATS, ROOT, SAME, cpu_name, run_gensim, run_textseq

from textseq import corpora
from textseq.evaluation import spearman
from textseq.vocab import encode_corpus

DRAWS = 1000


def cosines(vectors, pairs):
    """(对数,) 余弦；缺词的对是 NaN。"""
    return np.array([vectors.similarity(p.a, p.b) if p.a in vectors and p.b in vectors else np.nan
                     for p in pairs])


def hits_by_first_pair(vectors):
    """每一类的每一对当题里的头一对：答对几题，答了几题。形状 (对数, 2)。"""
    rows = []
    for pairs in RELATIONS.values():
        known = np.array([(vectors.index(a), vectors.index(b)) for a, b in pairs
                          if a in vectors and b in vectors])
        cosine = vectors.unit[known] @ vectors.unit.T                       # (对数, 2, V)
        for i in range(len(known)):
            score = cosine[i, 1] - cosine[i, 0] + cosine[:, 0]              # (题, V)
            score[:, known[i]] = -np.inf
            score[np.arange(len(known)), known[:, 0]] = -np.inf
            right = score.argmax(1) == known[:, 1]
            rows.append((right.sum() - right[i], len(known) - 1))
    return np.array(rows)


def interval(ours, theirs, measure, n, rng):
    """考题与训练都重抽 DRAWS 次，两家各自的中位数之比 → (2.5%, 中位, 97.5%)。"""
    ratios = []
    for _ in range(DRAWS):
        drawn = rng.integers(n, size=n)
        a, b = (np.median([measure(runs[k], drawn) for k in rng.integers(len(runs), size=len(runs))])
                for runs in (ours, theirs))
        ratios.append(a / b)
    return np.percentile(ratios, [2.5, 50, 97.5]).round(3).tolist()


def main():
    stored = json.loads((ROOT / "data/bench/results.json").read_text(encoding="utf-8"))
    rng, found = np.random.default_rng(0), {}
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/people_daily.txt"
        lines = [" ".join(s.words) + "\n" for s in corpora.people_daily()]
        Path(path).write_text("".join(lines), encoding="utf-8")
        corpus = encode_corpus([line.split() for line in lines])
        for model in ("Skip-gram", "CBOW"):
            runs = {tool: [run(model, corpus, path, seed, stored["alpha"][f"{model} {tool}"])[1]
                           for seed in range(1, REPEATS + 1)]
                    for tool, run in (("textseq", run_textseq), ("gensim", run_gensim))}
            for half, pairs in HALVES.items():
                human = np.array([p.score for p in pairs])
                both = [[cosines(v, pairs) for v in runs[tool]] for tool in runs]
                keep = ~np.isnan(both[0][0])
                assert all((np.isnan(run) != keep).all() for runs_ in both for run in runs_)    # 同一张词表

                def rho(run, drawn, human=human[keep], keep=keep):
                    return spearman(run[keep][drawn], human[drawn])

                found[f"{model} {half}"] = interval(*both, rho, int(keep.sum()), rng)
            both = [[hits_by_first_pair(v) for v in runs[tool]] for tool in runs]
            assert len({tuple(run[:, 1]) for runs_ in both for run in runs_}) == 1
            found[f"{model} 类比"] = interval(*both, lambda run, drawn: np.divide(*run[drawn].sum(0)),
                                            len(both[0][0]), rng)
            print({name: row for name, row in found.items() if name.startswith(model)}, flush=True)
    record = {"处理器": cpu_name(), "参数": SAME, "重抽": DRAWS, "textseq ÷ gensim": found}
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/intervals.json").write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n",
                                               encoding="utf-8")


if __name__ == "__main__":
    main()
