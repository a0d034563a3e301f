"""快慢与好坏的边界：负样本合用得多些、少些，轮数多些、少些，各要多少处理器时间，换来多好的词向量。

    python tests/by_hand/bench_frontier.py          # 写成 build/frontier.json，约四十分钟

textseq 改 SHARED（一组合用几个负样本 M），gensim 改 negative；另外两家都改轮数。一个工人，种子 1、2、3，
两家轮流；学习率是 bench.py 挑出来的。横轴是训练的处理器秒，机器忙闲对它的影响比对墙上时间小。
"""

import json
import time

import torch
from bench import ROOT, SAME, cpu_name, score
from gensim.models import Word2Vec

from textseq import corpora, word2vec_fast
from textseq.vectors import WordVectors
from textseq.vocab import encode_corpus
from textseq.word2vec_fast import Settings, shared_negatives
from textseq.word2vec_train import train_cbow, train_skipgram

ALPHA = {"Skip-gram": {"textseq": 0.1, "gensim": 0.1}, "CBOW": {"textseq": 0.3, "gensim": 0.1}}
KEYS = {"Skip-gram": "skipgram", "CBOW": "cbow"}
SHARED = {"Skip-gram": (64, 32, 16, 8), "CBOW": (24, 12, 6, 3)}  # 中间偏左的一个是课程用的
NEGATIVE = (2, 5, 10)
EPOCHS = (3, 5, 8)


def textseq(model, corpus, seed, shared, epochs):
    word2vec_fast.SHARED[KEYS[model]] = shared
    fit = train_skipgram if model == "Skip-gram" else train_cbow
    settings = SAME | {"workers": 1, "epochs": epochs}
    start = time.process_time()
    vectors = fit(corpus, seed=seed, alpha=ALPHA[model]["textseq"], **settings)
    return time.process_time() - start, vectors, shared_negatives(KEYS[model], Settings())


def gensim(model, sentences, seed, negative, epochs):
    word2vec = Word2Vec(min_count=5, sg=model == "Skip-gram", seed=seed, alpha=ALPHA[model]["gensim"],
                        **SAME | {"workers": 1, "negative": negative, "epochs": epochs})
    word2vec.build_vocab(sentences)
    start = time.process_time()
    word2vec.train(sentences, total_examples=word2vec.corpus_count, epochs=epochs)
    seconds = time.process_time() - start
    return seconds, WordVectors(word2vec.wv.index_to_key, word2vec.wv.vectors), negative


def settings(model):
    """要跑的各格：(哪一家, 第几档, 轮数)；改轮数时别的照课程的，改别的时五轮。"""
    usual = word2vec_fast.SHARED[KEYS[model]]
    ours = [("textseq", shared, 5) for shared in SHARED[model]]
    ours += [("textseq", usual, epochs) for epochs in EPOCHS if epochs != 5]
    theirs = [("gensim", negative, 5) for negative in NEGATIVE]
    return ours + theirs + [("gensim", 5, epochs) for epochs in EPOCHS if epochs != 5]


def main():
    torch.set_num_threads(1)
    (ROOT / "build").mkdir(exist_ok=True)
    sentences = [s.words for s in corpora.people_daily()]
    corpus, rows = encode_corpus(sentences), []
    grid = {model: settings(model) for model in KEYS}
    for seed in (1, 2, 3):
        for model, points in grid.items():
            for tool, value, epochs in points:
                run = textseq if tool == "textseq" else gensim
                source = corpus if tool == "textseq" else sentences
                seconds, vectors, negatives = run(model, source, seed, value, epochs)
                rows.append({"模型": model, "工具": tool, "负样本": negatives, "轮数": epochs, "种子": seed,
                             "处理器秒": round(seconds, 2)}
                            | {name: round(float(v), 4) for name, v in score(vectors).items()})
                print(rows[-1], flush=True)
    record = {"处理器": cpu_name(), "torch": torch.__version__, "参数": SAME | {"workers": 1}, "alpha": ALPHA,
              "结果": rows}
    (ROOT / "build/frontier.json").write_text(json.dumps(record, ensure_ascii=False, indent=1),
                                              encoding="utf-8")


if __name__ == "__main__":
    main()
