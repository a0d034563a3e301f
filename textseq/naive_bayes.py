"""朴素贝叶斯：数一数每个字、每两个相邻的字在各类里出现几次，标题分类的基线。只用 NumPy。第 10 章。

    P(类 | 标题) ∝ P(类) × Π P(单位 | 类)

单位是字与相邻两个字；“朴素”在于当作各单位互不相干。不训练，数一遍就好。
出处：Maron, Automatic Indexing: An Experimental Inquiry, 1961。
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from textseq.corpora import Labelled, check_labels
from textseq.text import split_units, with_bigrams

__all__ = ["NaiveBayes", "count_units", "guess_label", "units"]


class NaiveBayes(NamedTuple):
    """数出来的模型：index 单位 → 编号，log_p (V, C) 是 log P(单位|类)，log_prior (C,) 是 log P(类)。"""
    index: dict[str, int]
    log_p: np.ndarray
    log_prior: np.ndarray


def units(title: str) -> list[str]:
    """一个一个的字，再加相邻两个字。

    >>> units("学RNN")
    ['学', 'r', 'n', 'n', '学r', 'rn', 'nn']
    """
    row = split_units(title)
    return row + with_bigrams(row)[:-1]  # 最后一个是句尾的记号，不要


def count_units(titles: Sequence[Labelled], classes: Sequence[str],
                smooth: float = 0.5) -> NaiveBayes:
    """数各单位在各类里的次数，各加 smooth：没有见过的也不是绝不可能。

    异常：一条也没有，或类别编号越界，ValueError。

    >>> model = count_units([("油价下调", 0), ("油价上涨", 0), ("主队取胜", 1)], ["财经", "体育"])
    >>> np.exp(model.log_prior).round(2).tolist()
    [0.67, 0.33]
    """
    titles = check_labels("titles", titles, classes)
    index = {}
    for title, _ in titles:
        for unit in units(title):
            index.setdefault(unit, len(index))
    n = np.full((len(index), len(classes)), smooth)
    for title, label in titles:
        np.add.at(n[:, label], [index[unit] for unit in units(title)], 1)
    prior = np.bincount([label for _, label in titles], minlength=len(classes)) / len(titles)
    return NaiveBayes(index, np.log(n / n.sum(axis=0)), np.log(prior.clip(1e-9)))


def guess_label(model: NaiveBayes, title: str) -> int:
    """最像的一类的编号；没有见过的单位不算。

    >>> model = count_units([("油价下调", 0), ("油价上涨", 0), ("主队取胜", 1)], ["财经", "体育"])
    >>> guess_label(model, "客队取胜"), guess_label(model, "猫")
    (1, 0)
    """
    known = [model.index[unit] for unit in units(title) if unit in model.index]
    return int((model.log_prior + model.log_p[known].sum(axis=0)).argmax())
