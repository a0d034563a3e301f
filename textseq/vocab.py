"""词表：词与编号的一一对应，0 号是 <pad>，1 号是 <unk>，从不移动；编好号的语料。第 01–08 章。

与 vectors.WordVectors 用法一样：len(v) 有几个，word in v 有没有，v.index(word) 第几号（没有就报错），
v.words[i] 第 i 号是谁，for word in v 照编号的次序。一串词一起换，用 encode 与 decode。
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from textseq._files import read_lines, write_atomically
from textseq._words import WordList
from textseq.sequences import FIRST, PAD_ID, UNK_ID, flatten

__all__ = ["FIRST", "PAD", "PAD_ID", "UNK", "UNK_ID", "EncodedCorpus", "Vocab", "encode_corpus"]

PAD, UNK = "<pad>", "<unk>"
_TOGETHER = 1_000  # 编号写磁盘时一次处理多少句


class Vocab(WordList):
    """词表：按词频从高到低编号，词频相同按出现的先后。

    words[i] 是 i 号词，counts[i] 是它在建表语料里的次数；<pad> 与 <unk> 也在里面，次数是 0。
    异常：词重复，或词与词频不一样多，ValueError。

    >>> vocab = Vocab(["我", "爱", "猫"], [5, 2, 1])
    >>> list(vocab)
    ['<pad>', '<unk>', '我', '爱', '猫']
    >>> "猫" in vocab, vocab.counts[vocab.index("猫")]
    (True, 1)
    """

    _missing = "词表里没有 {!r}"

    def __init__(self, words: Iterable[str], counts: Iterable[int]):
        super().__init__([PAD, UNK, *words])
        self.counts = [0, 0, *counts]
        if len(self.words) != len(self.counts):
            raise ValueError(f"收到 {len(self.real_words)} 个词、{len(self.real_counts)} 个词频；"
                             "两者应一样多")

    @classmethod
    def build(cls, sentences: Iterable[Iterable[str]], min_count: int = 1,
              max_size: int | None = None) -> Vocab:
        """数词频，建词表：少于 min_count 次的词不收，最多 max_size 个词（不含 <pad>、<unk>）。

        异常：某一句是字符串，TypeError。

        >>> Vocab.build([["我", "爱", "猫"], ["我", "爱", "狗"]], min_count=2).words
        ['<pad>', '<unk>', '我', '爱']
        """
        counts: Counter[str] = Counter()
        for number, sentence in enumerate(sentences, start=1):
            if isinstance(sentence, str):
                raise TypeError(f"第 {number} 句是字符串 {sentence[:20]!r}，应为词的列表；"
                                "请先用 text.tokenize 切词，要按字建表请用 list(句子)")
            counts.update(sentence)
        for special in (PAD, UNK):
            counts.pop(special, None)
        kept = [(w, n) for w, n in counts.most_common(max_size) if n >= min_count]
        return cls([w for w, _ in kept], [n for _, n in kept])

    @property
    def real_words(self) -> list[str]:
        """真正的词，不含 <pad> 与 <unk>；第一个的编号是 FIRST。

        >>> Vocab(["我", "爱"], [5, 2]).real_words
        ['我', '爱']
        """
        return self.words[FIRST:]

    @property
    def real_counts(self) -> list[int]:
        """真正的词的次数，与 real_words 一一对应。

        >>> Vocab(["我", "爱"], [5, 2]).real_counts
        [5, 2]
        """
        return self.counts[FIRST:]

    def __repr__(self) -> str:
        return f"Vocab(V={len(self)}，例如 {self.words[FIRST:FIRST + 3]})"

    def encode(self, words: Iterable[str]) -> list[int]:
        """一串词 → 编号；不认识的词得到 1（<unk>），index 则会报错。异常：给的是字符串，TypeError。

        >>> Vocab(["我", "爱"], [5, 2]).encode(["我", "爱", "鱼"])
        [2, 3, 1]
        """
        if isinstance(words, str):
            raise TypeError(f"应为词的列表，收到字符串 {words[:20]!r}；"
                            "请先用 text.tokenize 切词，按字编号请用 list(句子)")
        return [self._index.get(word, UNK_ID) for word in words]

    def decode(self, ids: Iterable[int]) -> list[str]:
        """一串编号 → 词。异常：编号超出 0…V-1，ValueError。

        >>> Vocab(["我", "爱"], [5, 2]).decode([3, 0])
        ['爱', '<pad>']
        """
        ids = [int(i) for i in ids]
        if bad := [i for i in ids if not 0 <= i < len(self)]:
            raise ValueError(f"编号 {bad[0]} 不在 0…{len(self) - 1} 之内；"
                             "这些编号是不是用另一个词表编的？")
        return [self.words[i] for i in ids]

    def coverage(self, sentences: Iterable[Iterable[str]]) -> float:
        """这些句子里，词表认识的词次占多少（0 到 1）。异常：一个词也没有，ValueError。

        >>> Vocab(["我", "爱"], [5, 2]).coverage([["我", "爱", "鱼"], ["我"]])
        0.75
        """
        known = total = 0
        for sentence in sentences:
            for word in sentence:
                known += word in self._index
                total += 1
        if not total:
            raise ValueError("没有词可数：句子都是空的；请检查语料是否读对了")
        return known / total

    def save(self, path: str | Path) -> None:
        """存成文本：每行“词<TAB>词频”，不含 <pad>、<unk>。异常：词是空的或含有空白，ValueError。

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Vocab(["我", "爱"], [5, 2]).save(f"{folder}/vocab.txt")
        ...     Path(f"{folder}/vocab.txt").read_text(encoding="utf-8").splitlines()
        ['我\\t5', '爱\\t2']
        """
        if bad := [w for w in self.words if not w or any(c.isspace() for c in w)]:
            raise ValueError(f"词 {bad[0]!r} 是空的或含有空白，存成文本后读不回来；请先清洗")
        rows = zip(self.real_words, self.real_counts, strict=True)
        write_atomically(path, "".join(f"{word}\t{count}\n" for word, count in rows))

    @classmethod
    def load(cls, path: str | Path) -> Vocab:
        """读 save 存下的文件。异常：某行不合格式，ValueError，带文件名与行号。

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Vocab(["我", "爱"], [5, 2]).save(f"{folder}/vocab.txt")
        ...     Vocab.load(f"{folder}/vocab.txt")
        Vocab(V=4，例如 ['我', '爱'])
        """
        words, counts, seen = [], [], {}
        for number, line in read_lines(path):
            word, tab, count = line.partition("\t")
            if not (word and tab and count.isdecimal()):
                raise ValueError(f"{path} 第 {number} 行：应为“词<TAB>词频”，收到 {line[:40]!r}")
            if word in (PAD, UNK):
                raise ValueError(f"{path} 第 {number} 行：{word} 由词表自己加上，不写在文件里；请删去这一行")
            if word in seen:
                raise ValueError(f"{path} 第 {number} 行：词 {word!r} 已经在第 {seen[word]} 行出现过")
            seen[word] = number
            words.append(word)
            counts.append(int(count))
        return cls(words, counts)


class EncodedCorpus(NamedTuple):
    """ids (N,) 是编号，sentence (N,) 是每个词在第几句，都是 int32；vocab 是词表。"""
    ids: np.ndarray
    sentence: np.ndarray
    vocab: Vocab


def encode_corpus(sentences: Iterable[Sequence[str]], min_count: int = 5,
                  folder: str | Path | None = None) -> EncodedCorpus:
    """数词频、建词表、编号；出现不到 min_count 次的词丢掉。

    sentences 要遍历两遍：列表，或每次 for 都从头来的语料。给了 folder，编号就写到那个文件夹里，
    训练时一段一段地读，占的内存与语料多长无关，只与词表有关。
    异常：只能遍历一遍的生成器 TypeError；没有一个词够 min_count 次 ValueError。

    >>> corpus = encode_corpus([["我", "爱", "猫"], ["我", "爱"]], min_count=2)
    >>> corpus.vocab.real_words, corpus.ids.tolist(), corpus.sentence.tolist()
    (['我', '爱'], [2, 3, 2, 3], [0, 0, 1, 1])
    """
    if iter(sentences) is sentences:
        raise TypeError(f"sentences 只能遍历一遍（{type(sentences).__name__}），而数词频、编号要各走一遍；"
                        "请先 list(sentences)，或用 corpora 里的语料")
    vocab = Vocab.build(sentences, min_count=min_count)
    if len(vocab) == FIRST:
        raise ValueError(f"没有一个词出现过 {min_count} 次；请减小 min_count，或检查句子是否切好了词")
    if folder is None:
        return EncodedCorpus(*flatten(vocab.encode(words) for words in sentences), vocab)
    paths = [Path(folder) / name for name in ("ids.int32", "sentence.int32")]
    paths[0].parent.mkdir(parents=True, exist_ok=True)
    rest, done = iter(sentences), 0
    with paths[0].open("wb") as ids_file, paths[1].open("wb") as sentence_file:
        while part := list(islice(rest, _TOGETHER)):
            ids, sentence = flatten(vocab.encode(words) for words in part)
            ids_file.write(ids.tobytes())  # 不用 tofile：磁盘满了，它说不出
            sentence_file.write((sentence + np.int32(done)).tobytes())
            done += len(part)
    return EncodedCorpus(*(np.memmap(path, np.int32, mode="r") for path in paths), vocab)
