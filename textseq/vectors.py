"""词向量：近邻、类比；存取 word2vec 的文本格式与二进制格式。只用 NumPy。第 03、05–07、10 章。

第一行是“词数 维数”；后面在文本里每行一个词和 E 个数，在二进制里是词、空格、E 个 float32（小端），
接着就是下一个词。出处：Mikolov 等的 word2vec.c，2013；写出的字节与 gensim 4.4 相同。
"""

from __future__ import annotations

import os
import re
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np

from textseq._files import is_utf8, sniff_encoding, write_atomically
from textseq._words import WordList
from textseq.shapes import check_integer

__all__ = ["Query", "WordVectors"]

Query = str | np.ndarray  # 一个词，或一个 (E,) 的向量
Record = tuple[str, bytes, np.ndarray]  # 在文件里的位置，词，向量
_HEADER = re.compile(rb"\s*([1-9]\d{0,11})\s+([1-9]\d{0,11})\s*")
_NUMBERS = re.compile(rb"\s*(?:[-+]?(?:\d++\.?\d*+|\.\d++)(?:[eE][-+]?\d++)?\s++)*+")  # ++ 不回溯
_UNSAFE = re.compile(r"\s|[\ud800-\udfff]")  # 空白，和写不成 UTF-8 的半个字符
_CONTROL = re.compile(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")  # 文本里没有的字节
_BLOCK = 1 << 16  # 一次算这么多个数，一次读这么多字节


class WordVectors(WordList):
    """词与向量：words[i] 的向量是 matrix 的第 i 行，次序照给的（通常按词频从高到低）。

    形状：matrix (V, E)，复制成 float32，从此不可改动。copy=False 不复制已经是 float32 的数组，
    省一份内存：数组就交给词向量了，调用者不要再改它。
    异常：词重复、形状不合、有 NaN 或无穷大，ValueError；词不是字符串，TypeError。

    与 vocab.Vocab 用法一样：len(v)、word in v、v.index(word)、v.words[i]、for word in v；
    v[word] 是这个词的向量。

    >>> vectors = WordVectors(["猫", "狗", "车"], [[1, 0], [0.8, 0.6], [0, 1]])
    >>> list(vectors), vectors.index("狗"), vectors["狗"].tolist()
    (['猫', '狗', '车'], 1, [0.800000011920929, 0.6000000238418579])
    """

    _missing = "没有 {!r} 的向量"

    def __init__(self, words: Iterable[str], matrix: np.ndarray, *, copy: bool = True):
        super().__init__(words)
        self.matrix = (np.array if copy else np.asarray)(matrix, np.float32)
        if not copy:
            self.matrix = self.matrix.view()  # 下一行只锁住这一个视图，不动调用者手里的
        self.matrix.flags.writeable = False  # 改了它，算好的单位向量就过时了
        V, shape = len(self.words), self.matrix.shape
        if len(shape) != 2 or shape[0] != V or 0 in shape:
            raise ValueError(f"matrix 的形状应为 (V={V}, E)，至少一个词、一维，收到 {shape}；"
                             "每个词一行")
        if odd := [w for w in self.words if not isinstance(w, str)]:
            raise TypeError(f"词应为字符串，收到 {odd[0]!r}；编号请先用 vocab.decode 换成词")
        for start, block in _blocks(self.matrix):
            if (bad := np.flatnonzero(~np.isfinite(block).all(axis=1))).size:
                raise ValueError(f"词 {self.words[start + bad[0]]!r} 的向量里有 NaN 或无穷大；"
                                 "训练时请减小学习率")
        self.vector_size = shape[1]  # E

    @cached_property
    def unit(self) -> np.ndarray:
        """单位向量 (V, E)，第一次用到时算好：两行的点积就是余弦。

        全 0 的行仍是 0，与谁的余弦都是 0。一段一段地算，不另占一份双精度的内存。

        >>> WordVectors(["猫", "零"], [[3, 4], [0, 0]]).unit.tolist()
        [[0.6000000238418579, 0.800000011920929], [0.0, 0.0]]
        """
        unit = np.empty_like(self.matrix)
        for start, block in _blocks(self.matrix):
            unit[start:start + len(block)] = _to_unit(block)
        return unit

    def __getitem__(self, word: str) -> np.ndarray:
        """词 → 向量 (E,)。异常：没有这个词，KeyError。"""
        return self.matrix[self.index(word)]

    def __repr__(self) -> str:
        return f"WordVectors(V={len(self)}, E={self.vector_size}，例如 {self.words[:3]})"

    def similarity(self, a: str, b: str) -> float:
        """两个词的余弦，-1 到 1。异常：没有这个词，KeyError。

        >>> vectors = WordVectors(["猫", "狗", "车"], [[1, 0], [0.8, 0.6], [0, 1]])
        >>> round(vectors.similarity("猫", "狗"), 3)
        0.8
        """
        return float(self.unit[self.index(a)] @ self.unit[self.index(b)])

    def most_similar(self, positive: Query | Sequence[Query],
                     negative: Query | Sequence[Query] = (),
                     topn: int = 10) -> list[tuple[str, float]]:
        """离 positive 近、离 negative 远的 topn 个词与余弦；给出的词自己不算，并列的照词表次序。

        词先化成单位向量再相加减，长的向量不会多占份量；给的若是 (E,) 的向量，照原样加减。
        异常：没有这个词，KeyError；一个词也没给，或向量的形状不合，ValueError。
        出处：3CosAdd，Levy & Goldberg, 2014；结果与 gensim 的 most_similar 相同。

        >>> vectors = WordVectors(["猫", "狗", "车"], [[1, 0], [0.8, 0.6], [0, 1]])
        >>> [(word, round(cosine, 3)) for word, cosine in vectors.most_similar("猫")]
        [('狗', 0.8), ('车', 0.0)]
        """
        plus, minus = ([q] if isinstance(q, str) or getattr(q, "ndim", 0) == 1 else list(q)
                       for q in (positive, negative))
        if not plus + minus or topn < 1:
            raise ValueError(f"至少给一个词，topn 至少为 1；收到 {len(plus + minus)} 个词，"
                             f"topn={topn}")
        target = sum(map(self._direction, plus)) - sum(map(self._direction, minus))
        cosine = self.unit @ _to_unit(target)
        given = {self._index[item] for item in plus + minus if isinstance(item, str)}
        order = np.argsort(-cosine, kind="stable")[:topn + len(given)]
        return [(self.words[i], float(cosine[i])) for i in order if i not in given][:topn]

    def analogy(self, a: Query, b: Query, c: Query, topn: int = 1) -> list[tuple[str, float]]:
        """a 之于 b，如 c 之于谁？即 most_similar([b, c], [a], topn)。

        >>> words = ["男人", "女人", "国王", "女王"]  # 第一维是性别，第二维是王位
        >>> vectors = WordVectors(words, [[1, 0], [-1, 0], [1, 2], [-1, 2]])
        >>> vectors.analogy("男人", "国王", "女人")[0][0]
        '女王'
        """
        return self.most_similar([b, c], [a], topn)

    def save(self, path: str | Path, binary: bool = False) -> None:
        """存成 word2vec 格式，读回来一位不差；一行一行地写，不另占内存。

        异常：词是空的或含有空白（全角空格也算，许多程序照它切开），ValueError，原有的文件不动。

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     WordVectors(["猫", "狗"], [[1, 0], [0.8, 0.6]]).save(f"{folder}/a.vec")
        ...     print(Path(f"{folder}/a.vec").read_text(encoding="utf-8"), end="")
        2 2
        猫 1.0 0.0
        狗 0.8 0.6
        """
        if bad := [w for w in self.words if not w or _UNSAFE.search(w)]:
            raise ValueError(f"词 {bad[0][:20]!r} 是空的，或含有空白或残缺的字符，"
                             "存成 word2vec 格式后读不回来；请先换掉或去掉这样的词")
        write_atomically(path, self._lines(binary))

    def _lines(self, binary: bool) -> Iterator[bytes]:
        """要存的文件，一个词一段。"""
        yield f"{len(self)} {self.vector_size}\n".encode()
        for word, row in zip(self.words, self.matrix, strict=True):
            if binary:
                yield word.encode() + b" " + row.astype("<f4", copy=False).tobytes()
            else:
                yield f"{word} {' '.join(map(str, row))}\n".encode()

    @classmethod
    def load(cls, path: str | Path, binary: bool | None = None, *, limit: int | None = None,
             on_duplicate: str = "error", on_broken: str = "error") -> WordVectors:
        """读 word2vec 格式：全部读对了才返回，决不悄悄少读一个词。

        binary 不给就自己认：正文第一行合乎文本的格式，就是文本；同一串字节碰巧两种读法都合法时
        （只有很短的文件会），也当作文本，二进制的请写明 binary=True。
        limit 只读前几个词，后面的不看：公开的词向量有上百万个词，常用的在前面。
        on_duplicate 遇到重复的词："error" 报错，"first" 只留第一个。
        on_broken 遇到断在半个字里的词（word2vec.c 把太长的词切断，fastText 发布的文件里也有）：
        "error" 报错，"skip" 跳过。留下与跳过了几个，用警告说明。

        异常：找不到文件，FileNotFoundError；不合格式，ValueError，带文件名和行号（二进制：第几个词）。

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     WordVectors(["猫", "狗", "车"], np.eye(3)).save(f"{folder}/a.bin", binary=True)
        ...     WordVectors.load(f"{folder}/a.bin", limit=2)
        WordVectors(V=2, E=3，例如 ['猫', '狗'])
        """
        for name, value, allowed in (("on_duplicate", on_duplicate, ("error", "first")),
                                     ("on_broken", on_broken, ("error", "skip"))):
            if value not in allowed:
                raise ValueError(f"{name} 应为 {' 或 '.join(allowed)}，收到 {value!r}")
        limit = check_integer("limit", limit) if limit is not None else None
        if not Path(path).is_file():
            raise FileNotFoundError(f"{path} 不存在，或者是文件夹；当前文件夹是 {Path.cwd().name}/")
        try:
            with open(path, "rb") as file, np.errstate(over="ignore"):
                V, E = _read_header(file, path)
                binary = _looks_binary(file, V, E) if binary is None else binary
                n = V if limit is None else min(V, limit)
                # 先占的内存不超过文件装得下的：表头可能是错的
                least = 4 * E + 2 if binary else 2 * E + 2
                matrix = np.empty((min(n, _remaining(file) // least), E), np.float32)
                rows = (_read_binary if binary else _read_text)(file, V, E, n)
                words, dropped = _fill(matrix, rows, binary, on_duplicate, on_broken)
        except ValueError as error:
            raise ValueError(f"{path} {error}") from None
        if dropped:
            warnings.warn(f"{path}：读了 {len(words)} 个词；{dropped}", stacklevel=2)
            matrix.resize((len(words), E), refcheck=False)
        return cls(words, matrix, copy=False)

    def _direction(self, item: Query) -> np.ndarray:
        if isinstance(item, str):
            return self.unit[self.index(item)]
        if np.shape(item) != (self.vector_size,):
            raise ValueError(f"向量的形状应为 (E={self.vector_size},)，收到 {np.shape(item)}；"
                             "多个请放进列表")
        return np.asarray(item)


def _blocks(matrix: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """一段一段的行，与每段的第一行是第几行。"""
    step = max(1, _BLOCK // matrix.shape[1])
    return ((i, matrix[i:i + step]) for i in range(0, len(matrix), step))


def _to_unit(rows: np.ndarray) -> np.ndarray:
    wide = rows.astype(np.float64)  # float32 的平方会溢出
    length = np.linalg.norm(wide, axis=-1, keepdims=True)
    return (wide / np.where(length > 0, length, 1)).astype(np.float32)


def _remaining(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size - file.tell()


def _read_header(file: BinaryIO, path: str | Path) -> tuple[int, int]:
    header = file.readline(64).removeprefix(b"\xef\xbb\xbf")  # Windows 的记事本会加 BOM
    if match := _HEADER.fullmatch(header):
        return int(match[1]), int(match[2])
    try:
        sniff_encoding(path)  # 压缩文件、UTF-16，它说得出
        hint = "没有这一行的（如 GloVe）请补上"
    except ValueError as error:
        hint = "文件" + str(error).removeprefix(f"{path} ")
    raise ValueError(f"第 1 行：应为“词数 维数”，收到 {_show(header)}；{hint}")


def _looks_binary(file: BinaryIO, V: int, E: int) -> bool:
    """正文第一行合乎文本的格式，或开头是通顺的 UTF-8，就是文本；有文本里没有的字节就是二进制。

    都不是的（GBK 的文本，或很短的二进制），看按二进制是不是恰好读得完。
    """
    start = file.tell()
    line = file.readline()
    file.seek(start)
    _, _, numbers = line.partition(b" ")
    if line.endswith(b"\n") and _NUMBERS.fullmatch(numbers) and len(numbers.split()) == E:
        return False
    try:
        sample = file.read(_BLOCK)
        if _CONTROL.search(sample):
            return True
        if is_utf8(sample):
            return False
        file.seek(start)
        return all(True for _ in _read_binary(file, V, E, V))
    except ValueError:
        return False
    finally:
        file.seek(start)


def _fill(matrix: np.ndarray, rows: Iterator[Record], binary: bool, on_duplicate: str,
          on_broken: str) -> tuple[list[str], str]:
    """逐行填进 matrix；返回词，和一句话：丢下了哪几种、各几行（没有就是空的）。"""
    places: dict[str, int] = {}  # 词 → 在文件里是第几个
    broken = repeated = 0
    for number, (place, raw, row) in enumerate(rows):
        if not raw:
            raise ValueError(f"{place}：缺了词")
        if (word := _decode(raw)) is None:
            if on_broken == "error":
                raise ValueError(f"{place}：{_explain_bytes(raw, places)}")
            broken += 1
        elif word in places and on_duplicate == "error":
            first = f"第 {places[word] + 1} 个词" if binary else f"第 {places[word] + 2} 行"
            raise ValueError(f"{place}：词 {word[:20]!r} 已经在{first}出现过；请先去重，"
                             '或用 on_duplicate="first" 只留第一个')
        elif word in places:
            repeated += 1
        elif not np.isfinite(row).all():
            raise ValueError(f"{place}：词 {word[:20]!r} 的向量里有 NaN 或无穷大")
        else:
            matrix[len(places)] = row
            places[word] = number
    if not places:
        raise ValueError(f"第 1 行：一个词也没有留下；{broken} 个词都不是合法的 UTF-8")
    dropped = ((f"跳过断在半个字里的 {broken} 个", broken), (f"重复的 {repeated} 个只留第一个", repeated))
    return list(places), "，".join(text for text, count in dropped if count)


def _read_text(file: BinaryIO, V: int, E: int, n: int) -> Iterator[Record]:
    """文本里的前 n 行。"""
    number = 1
    for number, line in enumerate(file, start=2):
        place = f"第 {number} 行"
        if number > V + 1:
            if line.strip():
                raise ValueError(f"{place}：表头说有 {V} 个词，这一行是多出来的")
            number -= 1
            continue  # 末尾的空行
        yield place, *_parse_line(line, E, place, last=number == V + 1)
        if number > n and n < V:
            return
    if number < V + 1:
        raise ValueError(f"第 1 行：表头说有 {V} 个词，正文只有 {number - 1} 行；文件没有下载完整")


def _parse_line(line: bytes, E: int, place: str, last: bool) -> tuple[bytes, np.ndarray]:
    word, _, numbers = line.partition(b" ")
    ended = line.endswith(b"\n")
    if not ended:  # 也许断在最后一个数中间，别处看不出来
        numbers += b"\n"
    rest = numbers[_NUMBERS.match(numbers).end():].split()
    width = len(numbers.split())
    if not ended and last and not rest and width == E:
        raise ValueError(f"{place}：末尾没有换行，最后一个数可能没有写完；确认文件是完整的，"
                         "请在文件末尾加一个换行")
    if not ended:
        raise ValueError(f"{place}：这一行不完整；文件没有下载完整，或者它其实是二进制格式")
    if rest:
        raise ValueError(f"{place}：{_show(rest[0])} 不是有限的数；词里有空格，"
                         "或者它其实是二进制格式")
    if width != E:
        hint = "列与列之间要用空格，不用制表符" if b"\t" in line else "表头只能有一行"
        raise ValueError(f"{place}：词后应有 {E} 个数，这里有 {width} 个，{hint}；收到 {_show(line)}")
    return word, np.fromstring(numbers, np.float64, sep=" ").astype(np.float32)


def _read_binary(file: BinaryIO, V: int, E: int, n: int) -> Iterator[Record]:
    """二进制里的前 n 个词；一段一段地读，不整个放进内存。"""
    data, start, offset = b"", 0, file.tell()  # 下一个词从 data[start] 起，在文件里是 offset
    size = offset + _remaining(file)
    for number in range(1, n + 1):
        place = f"第 {number} 个词（第 {offset + 1} 字节起）"
        while (space := data.find(b" ", start)) < 0 or space + 1 + 4 * E > len(data):
            left = size - offset - (len(data) - start)  # 还没有读的
            if left <= 0 or (space >= 0 and space - start + 1 + 4 * E > size - offset):
                raise ValueError(f"{place}：不完整，应有 {E} 维；文件没有下载完整，"
                                 "或者它其实是文本格式")
            data, start = data[start:] + file.read(max(_BLOCK, len(data) - start)), 0
        # word2vec.c 在每个向量之后换行，gensim 不换
        word, end = data[start:space].lstrip(b"\n"), space + 1 + 4 * E
        yield place, word, np.frombuffer(data, "<f4", E, space + 1)
        start, offset = end, offset + end - start
    rest = (data[start:] + file.read(_BLOCK)).strip(b"\n")
    if n == V and rest:
        raise ValueError(f"第 {offset + 1} 字节起：表头说有 {V} 个词，后面还多出 "
                         f"{len(rest) + _remaining(file)} 个字节；表头错了，或者它其实是文本格式")


def _decode(raw: bytes) -> str | None:
    """词；不是合法的 UTF-8 时是 None。"""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _explain_bytes(raw: bytes, seen: Iterable[str]) -> str:
    """词不是合法的 UTF-8：别的词里有汉字，就是断在半个字里；否则多半整个文件是 GBK。"""
    whole = raw.decode("utf-8", errors="ignore")
    if any(c > "\u07ff" for word in (whole, *seen) for c in word):
        return (f"词 {whole[:20]!r} 断在半个字里，不是合法的 UTF-8；"
                '要跳过这样的词，请用 on_broken="skip"')
    guess = raw.decode("gb18030", errors="replace")[:20]
    return (f"词 {raw[:20]!r} 不是合法的 UTF-8；如果它是 {guess!r}，"
            "文件就是 GBK 编码，请用编辑器另存为 UTF-8")


def _show(raw: bytes) -> str:
    """报错时给人看的开头；不是文字的，不照抄。"""
    text = raw[:40].decode("utf-8", errors="replace")
    head = text.rstrip("\ufffd")  # 末尾的可能是截断了
    if _CONTROL.search(raw[:40]) or "\ufffd" in head or (raw and not head):
        return "一串不是文字的字节"
    return repr(head)
