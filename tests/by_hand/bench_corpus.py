"""语料多大，词向量多好：人民日报的八分之一到全部，再加上 pip 带来的评论。约五分钟。

    python tests/by_hand/bench_corpus.py            # 写成 build/corpus.json

textseq 与 gensim 各三个种子，Skip-gram，参数与 make bench 相同，都是 5 轮。句子随机抽，去掉重复的；
评论用 jieba 切。词表随语料变，考题只留最小的那几份都认得的词，所以各行是同一份考卷。学习率：人民日报是
make bench 挑的 0.1；加上评论，textseq 用 0.1 会发散，那一行两家都减半。
"""

import json
import tempfile
from pathlib import Path

import numpy as np
from bench import PAIRS, RELATIONS, ROOT, SAME, cpu_name, run_gensim, run_textseq

from textseq import corpora, text
from textseq.evaluation import quality
from textseq.vocab import encode_corpus

SEEDS = (1, 2, 3)
PARTS = {8: 0.1, 4: 0.1, 2: 0.1, 1: 0.1, 0: 0.05}   # 人民日报的几分之一：学习率；0 是全部再加评论


def corpus_of(part, seed, news, reviews):
    """人民日报的 1/part，抽哪些由种子定；part 是 0 时，全部再加评论。"""
    if part == 0:
        return news + reviews
    order = np.random.default_rng(seed).permutation(len(news))
    return [news[k] for k in order[:len(news) // part]]


def main():
    news = list(dict.fromkeys(s.words for s in corpora.people_daily()))
    reviews = list(dict.fromkeys(tuple(text.tokenize(review)) for review, _ in corpora.reviews()))
    known = [set(encode_corpus(corpus_of(max(PARTS), seed, news, reviews)).vocab.words) for seed in SEEDS]
    known = set.intersection(*known)
    pairs = [p for p in PAIRS if {p.a, p.b} <= known]
    relations = {name: kept for name, rows in RELATIONS.items()
                 if len(kept := [row for row in rows if set(row) <= known]) > 1}
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for part, alpha in PARTS.items():
            for seed in SEEDS:
                sentences, path = corpus_of(part, seed, news, reviews), f"{folder}/corpus.txt"
                lines = "".join(" ".join(words) + "\n" for words in sentences)
                Path(path).write_text(lines, encoding="utf-8")
                corpus = encode_corpus(sentences)
                for tool, run in (("textseq", run_textseq), ("gensim", run_gensim)):
                    rho, rate = quality(run("Skip-gram", corpus, path, seed, alpha)[1], pairs, relations)
                    rows.append({"份": part, "alpha": alpha, "种子": seed, "工具": tool,
                                 "词次": sum(map(len, sentences)), "V": len(corpus.vocab),
                                 "rho": round(rho, 4), "类比": round(rate, 4)})
                    print(rows[-1], flush=True)
    questions = sum(len(kept) * (len(kept) - 1) for kept in relations.values())
    record = {"处理器": cpu_name(), "参数": SAME, "词对": len(pairs), "类比题": questions,
              "结果": rows}
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/corpus.json").write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n",
                                            encoding="utf-8")


if __name__ == "__main__":
    main()
