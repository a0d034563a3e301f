"""真标题：加权的逻辑回归，与谁概率平均才更好；写成 partners.tsv。两个核约半小时。

    python data/ladder/partners.py THUCNews的文件夹

回答“是不是随便两个模型平均都会高”：搭档有另一个种子的自己、不加权的逻辑回归、词向量平均、双向 LSTM；
再有双向 LSTM 与不加权的、与另一个种子的自己。
词向量平均与双向 LSTM 都从标题上的向量起步，看着 dev 取最好的一轮。
"""

import sys
from pathlib import Path

import numpy as np
import torch

import build
from textseq import corpora
from textseq._files import write_atomically
from textseq.classifier_fit import fit

MEAN, LSTM = "平均，字与二字，标题上的向量", "双向 LSTM，字与二字，标题上的向量"
COLUMNS = ("种子", "一个", "另一个", "dev%", "只有一个对", "只有另一个对")


def probabilities(name, train, dev, classes, seed):
    """训练一级，给 dev 打分：(N, C)。"""
    if name in build.UNSEEN:
        model = build.UNSEEN[name][0](train, classes, seed)
    else:
        rung = build.THUCNEWS[name]
        model = build.prepare(rung, train, classes, seed)
        fit(model, train, dev, seed=seed, lr=build.large_rate(rung), **build.LARGE_RECIPE)
    return model.probabilities([title for title, _ in dev])


def main(folder):
    torch.set_num_threads(2)
    source = corpora.headlines(folder)
    train, dev, classes = list(source), list(corpora.headlines(folder, "dev")), source.classes
    labels = np.array([label for _, label in dev])
    names = (build.WEIGHTED, build.LINEAR, MEAN, LSTM)
    p = {(name, seed): probabilities(name, train, dev, classes, seed)
         for name in names for seed in build.SEEDS}
    lines = ["\t".join(COLUMNS)]
    for seed in build.SEEDS:
        after = build.SEEDS[seed % len(build.SEEDS)]
        pairs = [(names[0], name, after if name == names[0] else seed) for name in names]
        for one, other, its_seed in (*pairs, (build.LINEAR, LSTM, seed), (LSTM, LSTM, after)):
            a, b = p[one, seed], p[other, its_seed]
            right, alone, also = ((x.argmax(1) == labels) for x in (a + b, a, b))
            lines.append("\t".join(map(str, (seed, one, other, f"{100 * right.mean():.2f}",
                                             (alone & ~also).sum(), (also & ~alone).sum()))))
    write_atomically(Path(__file__).parent / "partners.tsv", "\n".join(lines) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
