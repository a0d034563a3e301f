"""从文本到 .vec，时间花在哪一段：数词频与编号、训练、存盘；textseq 与 gensim 轮流各五遍，轮流在先。约五分钟。

    python tests/by_hand/bench_stages.py            # 写成 build/stages.json

一行一句、切好词的《人民日报》，Skip-gram，参数与 make bench 相同。gensim 的 corpus_file 每一轮都重新读
文件，它编号的时间算在训练里。没有切词的文本，两家都要先用 jieba 切，另量五遍。
"""

import json
import tempfile
import time
from importlib.metadata import version
from pathlib import Path

import numpy as np
from bench import ROOT, SAME, cpu_name
from gensim.models import Word2Vec

from textseq import corpora, text
from textseq.vocab import encode_corpus
from textseq.word2vec_train import train_skipgram

ALPHA = 0.1
STAGES = ("数词频、编号", "训练", "存盘")


def clock(*stages):
    """一段接一段地做，前一段的结果交给后一段；返回各段的秒数。"""
    seconds, found = [], None
    for stage in stages:
        start = time.perf_counter()
        found = stage(found)
        seconds.append(time.perf_counter() - start)
    return seconds


def textseq(path):
    return clock(lambda _: encode_corpus(corpora.lines(path)),
                 lambda corpus: train_skipgram(corpus, alpha=ALPHA, **SAME),
                 lambda vectors: vectors.save(f"{path}.vec"))


def gensim(path):
    def count(_):
        model = Word2Vec(min_count=5, sg=1, alpha=ALPHA, **SAME)
        model.build_vocab(corpus_file=path)
        return model

    def learn(model):
        model.train(corpus_file=path, total_words=model.corpus_total_words,
                    total_examples=model.corpus_count, epochs=SAME["epochs"])
        return model

    return clock(count, learn, lambda model: model.wv.save_word2vec_format(f"{path}.vec"))


def cut(path):
    """没有切词的文本切好，写成一行一句：秒数。"""
    lines = ["".join(sentence.words) for sentence in corpora.people_daily()]
    start = time.perf_counter()
    Path(path).write_text("".join(" ".join(text.tokenize(line)) + "\n" for line in lines), encoding="utf-8")
    return round(time.perf_counter() - start, 2)


def main():
    (ROOT / "build").mkdir(exist_ok=True)
    rows = {"textseq": [], "gensim": []}
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "corpus.txt"))
        Path(path).write_text("".join(" ".join(s.words) + "\n" for s in corpora.people_daily()),
                              encoding="utf-8")
        text.tokenize("词典先装好")
        cutting = [cut(f"{folder}/cut.txt") for _ in range(5)]
        print("切词", cutting, flush=True)
        tools = [("textseq", textseq), ("gensim", gensim)]
        for repeat in range(5):
            for name, run in tools[::1 if repeat % 2 == 0 else -1]:
                rows[name].append(run(path))
                print(name, [round(x, 2) for x in rows[name][-1]], flush=True)
    record = {"处理器": cpu_name(), "版本": {name: version(name) for name in ("torch", "gensim", "jieba")},
              "参数": SAME | {"alpha": ALPHA}, "切词": cutting,
              "秒": {name: {stage: [round(row[k], 2) for row in runs] for k, stage in enumerate(STAGES)}
                    for name, runs in rows.items()},
              "比": [round(sum(b) / sum(a), 3) for a, b in zip(*rows.values(), strict=True)],
              "连切词的比": [round((sum(b) + c) / (sum(a) + c), 3)
                        for a, b, c in zip(*rows.values(), cutting, strict=True)]}
    (ROOT / "build/stages.json").write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n",
                                            encoding="utf-8")
    print("从头到尾，gensim ÷ textseq：", np.median(record["比"]), record["比"])


if __name__ == "__main__":
    main()
