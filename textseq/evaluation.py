"""评分都在这里：词向量的相似度与类比（第 03–07 章），分词（第 08 章），标题分类（第 09、10 章）。

只用 NumPy。

词对与类比的数据都是文本，列之间是 TAB，# 开头的行是注释：
    词对：词一、词二、分数，后面可以再有词性、关系、频率三列，更多的列不读；
    类比：“: 类别”开一类，以下每行“甲<TAB>乙”。一类里任取两对就是一题：甲之于乙，如丙之于丁。
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import permutations
from pathlib import Path
from typing import NamedTuple

import numpy as np

from textseq._files import read_lines
from textseq.corpora import Labelled, check_labels
from textseq.vectors import WordVectors

__all__ = ["Hits", "Pair", "Quality", "Similarity", "TitleScore", "analogy_score", "load_analogies",
           "load_pairs", "nearest", "neighbor_overlap", "quality", "segmentation_score",
           "similarity_score", "spearman", "title_score", "total_hits"]


class Pair(NamedTuple):
    """一对词和人打的分数；文件里没有的列是空的。"""
    a: str
    b: str
    score: float
    pos: str = ""       # 词性
    relation: str = ""  # 关系
    band: str = ""      # 频率


class Similarity(NamedTuple):
    """rho 是等级相关系数，-1 到 1；total 对里有 used 对的两个词都有向量，只算这些。"""
    rho: float
    used: int
    total: int


class Hits(NamedTuple):
    """total 道题里有 used 道的四个词都有向量，其中答对 hits 道。"""
    hits: int
    used: int
    total: int

    @property
    def rate(self) -> float:
        """命中率 hits / used，0 到 1；一道也没法答时是 NaN。

        >>> Hits(hits=3, used=4, total=10).rate
        0.75
        """
        return self.hits / self.used if self.used else np.nan


class Quality(NamedTuple):
    """词向量的两份考卷：rho 是词对的等级相关系数，rate 是类比的命中率（0 到 1）。"""
    rho: float
    rate: float


class TitleScore(NamedTuple):
    """loss 是平均损失，单位奈特；accuracy 是准确率，0 到 1。"""
    loss: float
    accuracy: float


def load_pairs(path: str | Path) -> list[Pair]:
    """读词对。异常：某行不合格式，ValueError，带文件名与行号。

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "pairs.tsv")
    ...     _ = path.write_text("# 词对\\n猫\\t狗\\t7.5\\n", encoding="utf-8")
    ...     load_pairs(path)
    [Pair(a='猫', b='狗', score=7.5, pos='', relation='', band='')]
    """
    pairs = []
    for place, line, (a, *rest) in _rows(path):
        if not (a and len(rest) >= 2 and rest[0] and re.fullmatch(r"-?\d+(\.\d+)?", rest[1])):
            raise ValueError(f"{place}：应为“词一<TAB>词二<TAB>分数”，收到 {line[:40]!r}")
        pairs.append(Pair(a, rest[0], float(rest[1]), *rest[2:5]))
    return pairs


def load_analogies(path: str | Path) -> dict[str, list[tuple[str, str]]]:
    """读类比。异常：某行不合格式，ValueError，带文件名与行号。

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "analogies.tsv")
    ...     _ = path.write_text(": 国家\\n中国\\t北京\\n日本\\t东京\\n", encoding="utf-8")
    ...     load_analogies(path)
    {'国家': [('中国', '北京'), ('日本', '东京')]}
    """
    relations: dict[str, list[tuple[str, str]]] = {}
    for place, line, pair in _rows(path):
        if line.startswith(":") and (name := line[1:].strip()) and name not in relations:
            pairs = relations[name] = []
        elif relations and len(pair) == 2 and all(pair) and pair not in pairs:
            pairs.append(pair)
        else:
            raise ValueError(f"{place}：应为新的“: 类别”，或这一类里新的“甲<TAB>乙”，"
                             f"收到 {line[:40]!r}")
    return relations


def spearman(x: Sequence[float], y: Sequence[float]) -> float:
    """等级相关系数：各自换成名次（并列的取平均），再算相关系数，-1 到 1。

    不足两个数，或有一边全是同一个数时，没有名次可比，返回 NaN。
    异常：两边不一样长，或有 NaN，ValueError。出处：Spearman, 1904。

    >>> round(spearman([1, 2, 3], [10, 100, 1000]), 6), round(spearman([1, 2, 3], [9, 4, 1]), 6)
    (1.0, -1.0)
    """
    x, y = np.asarray(x, float), np.asarray(y, float)
    if x.ndim != 1 or x.shape != y.shape or np.isnan(x).any() or np.isnan(y).any():
        raise ValueError(f"应为两个一样长、没有 NaN 的序列，收到的形状是 {x.shape} 与 {y.shape}")
    if len(set(x)) < 2 or len(set(y)) < 2:
        return np.nan
    ranks = []
    for values in (x, y):
        _, where, counts = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(counts) - (counts - 1) / 2)[where])  # [5, 2, 5] → [2.5, 1, 2.5]
    return float(np.corrcoef(*ranks)[0, 1])


def similarity_score(vectors: WordVectors, pairs: Sequence[Pair]) -> Similarity:
    """余弦与分数的等级相关系数，只算两个词都有向量的那些对。

    >>> vectors = WordVectors(["猫", "狗", "车"], [[1, 0], [0.8, 0.6], [0, 1]])
    >>> pairs = [Pair("猫", "狗", 9), Pair("猫", "车", 1), Pair("猫", "鱼", 5)]
    >>> score = similarity_score(vectors, pairs)
    >>> round(score.rho, 6), score.used, score.total
    (1.0, 2, 3)
    """
    used = [p for p in pairs if p.a in vectors and p.b in vectors]
    rho = spearman([vectors.similarity(p.a, p.b) for p in used], [p.score for p in used])
    return Similarity(rho, len(used), len(pairs))


def analogy_score(vectors: WordVectors, relations: Mapping[str, Sequence[tuple[str, str]]],
                  topn: int = 1) -> dict[str, Hits]:
    """每类答对多少题：most_similar([乙, 丙], [甲], topn) 里有丁就算对。

    缺词的题不答。丁恰是甲、乙、丙之一的题不可能答对，与 gensim 一样算错。

    >>> words = ["男人", "女人", "国王", "女王"]  # 第一维是性别，第二维是王位
    >>> vectors = WordVectors(words, [[1, 0], [-1, 0], [1, 2], [-1, 2]])
    >>> analogy_score(vectors, {"性别": [("男人", "女人"), ("国王", "女王"), ("爸爸", "妈妈")]})
    {'性别': Hits(hits=2, used=2, total=6)}
    """
    scores = {}
    for name, pairs in relations.items():
        known = [(vectors.index(a), vectors.index(b)) for a, b in pairs
                 if a in vectors and b in vectors]
        # 一类只做一次矩阵乘法：与“乙 + 丙 - 甲”的点积，就是与三个词的余弦相加减
        rows = np.array(known, int).reshape(-1)
        cosine = (vectors.unit[rows] @ vectors.unit.T).reshape(-1, 2, len(vectors))  # (P, 2, V)
        hits = 0
        for i, j in permutations(range(len(known)), 2):
            (a, b), (c, d) = known[i], known[j]
            score = cosine[i, 1] + cosine[j, 0] - cosine[i, 0]
            score[[a, b, c]] = -np.inf
            # 排在丁前面的：余弦更大的，和并列而在词表里更靠前的
            ahead = np.count_nonzero(score > score[d]) + np.count_nonzero(score[:d] == score[d])
            if d not in (a, b, c) and ahead < topn:
                hits += 1
        scores[name] = Hits(hits, len(known) * (len(known) - 1), len(pairs) * (len(pairs) - 1))
    return scores


def total_hits(scores: Mapping[str, Hits]) -> Hits:
    """各类合起来；题多的类份量大。

    >>> total_hits({"国家": Hits(1, 2, 6), "亲属": Hits(3, 4, 12)})
    Hits(hits=4, used=6, total=18)
    """
    return Hits(*map(sum, zip(*scores.values(), strict=True)))


def quality(vectors: WordVectors, pairs: Sequence[Pair],
            relations: Mapping[str, Sequence[tuple[str, str]]]) -> Quality:
    """词向量好不好：词对与类比两份考卷一起算。

    >>> words = ["男人", "女人", "国王", "女王"]
    >>> vectors = WordVectors(words, [[1, 0], [-1, 0], [1, 2], [-1, 2]])
    >>> pairs = [Pair("国王", "女王", 8), Pair("男人", "女人", 2)]
    >>> score = quality(vectors, pairs, {"性别": [("男人", "女人"), ("国王", "女王")]})
    >>> round(score.rho, 6), score.rate
    (1.0, 1.0)
    """
    return Quality(similarity_score(vectors, pairs).rho,
                   total_hits(analogy_score(vectors, relations)).rate)


def nearest(vectors: WordVectors, rows: Sequence[int], topn: int = 10) -> np.ndarray:
    """词表里第 rows 个词各自的 topn 个近邻，由近到远，自己不算；并列的照词表次序。

    形状：(Q,) → (Q, topn) 的编号。一次矩阵乘法，比逐个 most_similar 快。

    >>> vectors = WordVectors(["猫", "狗", "车"], [[1, 0], [0.8, 0.6], [0, 1]])
    >>> nearest(vectors, [0, 2], topn=2).tolist()
    [[1, 2], [1, 0]]
    """
    cosine = vectors.unit[rows] @ vectors.unit.T
    cosine[np.arange(len(rows)), rows] = -np.inf
    return np.argsort(-cosine, axis=1, kind="stable")[:, :topn]


def neighbor_overlap(a: WordVectors, b: WordVectors, rows: Sequence[int], topn: int = 10) -> float:
    """同样的词，前 topn 个近邻里相同的平均占多少（0 到 1）；次序不管。

    异常：两份词向量的词不同，或词太少，不够 topn 个近邻，ValueError。

    >>> a = WordVectors(["猫", "狗", "车"], [[1, 0], [0.8, 0.6], [0, 1]])
    >>> b = WordVectors(["猫", "狗", "车"], [[1, 0], [0, 1], [0.8, 0.6]])
    >>> neighbor_overlap(a, a, [0, 1, 2], topn=1), neighbor_overlap(a, b, [0], topn=1)
    (1.0, 0.0)
    """
    if a.words != b.words:
        raise ValueError(f"两份词向量的词应相同，次序也相同，收到 {len(a)} 个与 {len(b)} 个；"
                         "请用同一张词表训练")
    if topn >= len(a):
        raise ValueError(f"topn={topn}，而除了自己只有 {len(a) - 1} 个词；请减小 topn")
    pairs = zip(nearest(a, rows, topn), nearest(b, rows, topn), strict=True)
    return float(np.mean([len(np.intersect1d(*pair)) / topn for pair in pairs]))


def segmentation_score(gold: Iterable[set], predicted: Iterable[set]) -> dict[str, float]:
    """比较人工与程序的区间集合，得到 precision、recall、f1（0 到 1，全部句子合并计数）。

    gold、predicted 逐句给出区间集合（word_spans 或 find_spans），两边起止都相同才算对。
    异常：句数不同，或一个区间都没有，ValueError。
    出处：Sproat & Emerson, The First International Chinese Word Segmentation Bakeoff, 2003。

    >>> from textseq.text import word_spans
    >>> gold, mine = ["乒乓球拍", "卖", "完", "了"], ["乒乓球", "拍卖", "完", "了"]
    >>> segmentation_score([word_spans(gold)], [word_spans(mine)])
    {'precision': 0.5, 'recall': 0.5, 'f1': 0.5}
    """
    right = n_gold = n_predicted = 0
    for g, p in zip(gold, predicted, strict=True):
        right += len(g & p)
        n_gold += len(g)
        n_predicted += len(p)
    if not n_gold or not n_predicted:
        raise ValueError("没有可以评分的词：有一边是空的；请检查语料是否读对了")
    precision, recall = right / n_predicted, right / n_gold
    f1 = 2 * precision * recall / (precision + recall) if right else 0.0
    return {"precision": precision, "recall": recall, "f1": f1}


def title_score(model, titles: Iterable[Labelled]) -> TitleScore:
    """标题分类器在带标签的标题上：平均损失与准确率。

    model 是 classifier.Classifier，或有 classes 与 probabilities(标题) → (N, C) 的任何东西。
    对的那一类概率不到 1e-9，也按 1e-9 算。
    异常：一条也没有，或类别编号不在模型的类别里，ValueError。

    >>> class Guess:
    ...     classes = ("财经", "体育")
    ...     def probabilities(self, titles):
    ...         return np.array([[0.75, 0.25]] * len(titles))
    >>> score = title_score(Guess(), [("油价下调", 0), ("主队取胜", 1)])
    >>> round(score.loss, 3), score.accuracy
    (0.837, 0.5)
    """
    texts, labels = zip(*check_labels("titles", titles, model.classes), strict=True)
    p, labels = model.probabilities(texts), np.array(labels)
    right = p[np.arange(len(p)), labels]
    loss, accuracy = -np.log(right.clip(1e-9)).mean(), (p.argmax(1) == labels).mean()
    return TitleScore(float(loss), float(accuracy))


def _rows(path: str | Path) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """逐行给出 (位置, 原文, 各列)，跳过注释与空行。"""
    for number, line in read_lines(path):
        if line.strip() and not line.startswith("#"):
            yield f"{path} 第 {number} 行", line, tuple(column.strip() for column in line.split("\t"))
