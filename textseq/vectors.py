"""词向量：近邻、类比；存取 word2vec 的文本格式与二进制格式。只用 NumPy。

第一行是“词数 维数”；后面在文本里每行一个词和 E 个数，在二进制里是词、空格、E 个 float32（小端），
接着就是下一个词。同一串字节可以两种读法都合法，所以 load 不猜，由 binary= 说明。
出处：Mikolov 等的 word2vec.c，2013；写出的字节与 gensim 4.4 相同。
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np

from textseq._files import write_atomically

Query = str | np.ndarray  # 一个词，或一个 (E,) 的向量
_HEADER = re.compile(rb"\s*([1-9]\d{0,11})\s+([1-9]\d{0,11})\s*")
_NUMBERS = re.compile(rb"\s*(?:[-+]?(?:\d++\.?\d*+|\.\d++)(?:[eE][-+]?\d++)?\s++)*+")  # ++ 不回溯
_UNSAFE = re.compile(r"\s|[\ud800-\udfff]")  # 空白，和写不成 UTF-8 的半个字符


class WordVectors:
    """词与向量：words[i] 的向量是 matrix 的第 i 行，次序照给的（通常按词频从高到低）。

    形状：matrix (V, E)，复制成 float32，从此不可改动。
    异常：词重复、形状不合、有 NaN 或无穷大，ValueError；词不是字符串，TypeError。
    """

    def __init__(self, words: Iterable[str], matrix: np.ndarray):
        self.words = list(words)
        self.matrix = np.array(matrix, np.float32)
        self.matrix.flags.writeable = False  # 改了它，算好的单位向量就过时了
        V, shape = len(self.words), self.matrix.shape
        if len(shape) != 2 or shape[0] != V or 0 in shape:
            raise ValueError(f"matrix 的形状应为 (V={V}, E)，至少一个词、一维，收到 {shape}；每个词一行")
        if odd := [w for w in self.words if not isinstance(w, str)]:
            raise TypeError(f"词应为字符串，收到 {odd[0]!r}；编号请先用 vocab.decode 换成词")
        if (bad := np.flatnonzero(~np.isfinite(self.matrix).all(axis=1))).size:
            raise ValueError(f"词 {self.words[bad[0]]!r} 的向量里有 NaN 或无穷大；训练时请减小学习率")
        self._index = {word: i for i, word in enumerate(self.words)}
        if repeated := [w for i, w in enumerate(self.words) if self._index[w] != i]:
            raise ValueError(f"词 {repeated[0]!r} 出现了不止一次；请先去重")
        self.vector_size = shape[1]  # E

    @cached_property
    def unit(self) -> np.ndarray:
        """单位向量 (V, E)，第一次用到时算好：两行的点积就是余弦。全 0 的行仍是 0，与谁的余弦都是 0。"""
        return _to_unit(self.matrix)

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._index

    def __getitem__(self, word: str) -> np.ndarray:
        """词 → 向量 (E,)。异常：没有这个词，KeyError。"""
        return self.matrix[self.index(word)]

    def __repr__(self) -> str:
        return f"WordVectors(V={len(self)}, E={self.vector_size}，例如 {self.words[:3]})"

    def index(self, word: str) -> int:
        """词 → 行号。异常：没有这个词，KeyError，并列出写法相近的词。"""
        if word not in self._index:
            near = [w for w in self.words if w in str(word) or str(word) in w]
            near = sorted(near, key=lambda w: abs(len(w) - len(str(word))))[:5]
            raise KeyError(f"没有 {word!r} 的向量：它在训练语料里不足 min_count 次，或分词切成了别的样子；"
                           f"写法相近的词：{'、'.join(near) or '无'}")
        return self._index[word]

    def similarity(self, a: str, b: str) -> float:
        """两个词的余弦，-1 到 1。异常：没有这个词，KeyError。"""
        return float(self.unit[self.index(a)] @ self.unit[self.index(b)])

    def most_similar(self, positive: Query | Sequence[Query], negative: Query | Sequence[Query] = (),
                     topn: int = 10) -> list[tuple[str, float]]:
        """离 positive 近、离 negative 远的 topn 个词与余弦；给出的词自己不算，并列的照词表次序。

        词先化成单位向量再相加减，长的向量不会多占份量；给的若是 (E,) 的向量，照原样加减。
        异常：没有这个词，KeyError；一个词也没给，或向量的形状不合，ValueError。
        出处：3CosAdd，Levy & Goldberg, 2014；结果与 gensim 的 most_similar 相同。
        """
        plus, minus = ([q] if isinstance(q, str) or getattr(q, "ndim", 0) == 1 else list(q)
                       for q in (positive, negative))
        if not plus + minus or topn < 1:
            raise ValueError(f"至少给一个词，topn 至少为 1；收到 {len(plus + minus)} 个词，topn={topn}")
        target = sum(map(self._direction, plus)) - sum(map(self._direction, minus))
        cosine = self.unit @ _to_unit(target)
        given = {self._index[item] for item in plus + minus if isinstance(item, str)}
        order = np.argsort(-cosine, kind="stable")[:topn + len(given)]
        return [(self.words[i], float(cosine[i])) for i in order if i not in given][:topn]

    def analogy(self, a: Query, b: Query, c: Query, topn: int = 1) -> list[tuple[str, float]]:
        """a 之于 b，如 c 之于谁？即 most_similar([b, c], [a], topn)。"""
        return self.most_similar([b, c], [a], topn)

    def save(self, path: str | Path, binary: bool = False) -> None:
        """存成 word2vec 格式，读回来一位不差。

        异常：词是空的或含有空白（全角空格也算，许多程序照它切开），ValueError，原有的文件不动。
        """
        if bad := [w for w in self.words if not w or _UNSAFE.search(w)]:
            raise ValueError(f"词 {bad[0][:20]!r} 是空的，或含有空白或残缺的字符，"
                             "存成 word2vec 格式后读不回来；请先换掉或去掉这样的词")
        rows = zip(self.words, self.matrix.astype("<f4", copy=False), strict=True)
        body = (b"".join(w.encode() + b" " + row.tobytes() for w, row in rows) if binary else
                "".join(f"{w} {' '.join(map(str, row))}\n" for w, row in rows).encode())
        write_atomically(path, f"{len(self)} {self.vector_size}\n".encode() + body)

    @classmethod
    def load(cls, path: str | Path, binary: bool = False) -> WordVectors:
        """读 word2vec 格式：全部读对了才返回，决不少读一个词。

        异常：找不到文件，FileNotFoundError；不合格式，ValueError，带文件名和行号（二进制：第几个词）。
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"{path} 不存在，或者是文件夹；当前文件夹是 {Path.cwd().name}/")
        places: dict[str, str] = {}  # 词 → 在文件里的位置
        matrix = []  # 读到一行添一行，不照表头预先占内存
        with open(path, "rb") as file, np.errstate(over="ignore"):
            header = file.readline(64).removeprefix(b"\xef\xbb\xbf")  # Windows 的记事本会加 BOM
            if not (match := _HEADER.fullmatch(header)):
                raise ValueError(f"{path} 第 1 行：应为“词数 维数”，收到 {str(header, errors='replace')!r}；"
                                 "没有这一行的（如 GloVe）请补上，压缩的请先解压")
            try:
                for place, raw, row in (_binary if binary else _text)(file, *map(int, match.groups())):
                    word = _decode(raw, place)
                    if not word or word in places:
                        raise ValueError(f"{place}：" + (f"词 {word[:20]!r} 已经在{places[word]}出现过"
                                                        if word else "缺了词"))
                    if not np.isfinite(row).all():
                        raise ValueError(f"{place}：词 {word[:20]!r} 的向量里有 NaN 或无穷大")
                    places[word] = place
                    matrix.append(row)
            except ValueError as error:
                raise ValueError(f"{path} {error}") from None
        return cls(places, np.stack(matrix))

    def _direction(self, item: Query) -> np.ndarray:
        if isinstance(item, str):
            return self.unit[self.index(item)]
        if np.shape(item) != (self.vector_size,):
            raise ValueError(f"向量的形状应为 (E={self.vector_size},)，收到 {np.shape(item)}；多个请放进列表")
        return np.asarray(item)


def _to_unit(rows: np.ndarray) -> np.ndarray:
    wide = rows.astype(np.float64)  # float32 的平方会溢出
    length = np.linalg.norm(wide, axis=-1, keepdims=True)
    return (wide / np.where(length > 0, length, 1)).astype(np.float32)


def _text(file: BinaryIO, V: int, E: int) -> Iterator[tuple[str, bytes, np.ndarray]]:
    number = 1
    for number, line in enumerate(file, start=2):
        place = f"第 {number} 行"
        if number > V + 1:
            raise ValueError(f"{place}：表头说有 {V} 个词，这一行是多出来的")
        if not line.endswith(b"\n"):  # 断在最后一个数中间时，别处看不出来
            raise ValueError(f"{place}：这一行不完整；文件没有下载完整，或要用 binary=True 读")
        word, _, numbers = line.partition(b" ")
        if rest := numbers[_NUMBERS.match(numbers).end():].split():
            raise ValueError(f"{place}：{str(rest[0][:20], errors='replace')!r} 不是有限的数；"
                             "词里有空格，或要用 binary=True 读")
        row = np.array([float(x) for x in numbers.split()], np.float32)
        if len(row) != E:
            raise ValueError(f"{place}：词后应有 {E} 个数，这里有 {len(row)} 个，表头只能有一行；"
                             f"收到 {str(line[:40], errors='replace')!r}")
        yield place, word, row
    if number < V + 1:
        raise ValueError(f"第 1 行：表头说有 {V} 个词，正文只有 {number - 1} 行；文件没有下载完整")


def _binary(file: BinaryIO, V: int, E: int) -> Iterator[tuple[str, bytes, np.ndarray]]:
    header, data, start = file.tell(), file.read(), 0
    for number in range(1, V + 1):
        place = f"第 {number} 个词（第 {header + start + 1} 字节起）"
        space = data.find(b" ", start)
        end = space + 1 + 4 * E
        if space < 0 or end > len(data):
            raise ValueError(f"{place}：不完整，应有 {E} 维；文件没有下载完整，或不该用 binary=True")
        # word2vec.c 在每个向量之后换行，gensim 不换
        yield place, data[start:space].lstrip(b"\n"), np.frombuffer(data, "<f4", E, space + 1)
        start = end
    if rest := data[start:].strip(b"\n"):
        raise ValueError(f"第 {header + start + 1} 字节起：表头说有 {V} 个词，后面还多出 {len(rest)} 个字节；"
                         "表头错了，或不该用 binary=True")


def _decode(raw: bytes, place: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        guess = raw.decode("gb18030", errors="replace")[:20]
        raise ValueError(f"{place}：词 {raw[:20]!r} 不是合法的 UTF-8；如果它是 {guess!r}，"
                         "文件就是 GBK 编码，请用编辑器另存为 UTF-8") from None
