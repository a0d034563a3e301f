"""一列不重复的词：第几个是谁，谁是第几个；Vocab 与 WordVectors 共同的部分。第 01–08、10 章。"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator


class WordList:
    """words[i] 是第 i 个词，index(word) 是它的 i。异常：词重复，ValueError。

    >>> table = WordList(["猫", "狗"])
    >>> len(table), list(table), "狗" in table, table.index("狗")
    (2, ['猫', '狗'], True, 1)
    """

    _missing = "没有 {!r}"

    def __init__(self, words: Iterable[str]):
        self.words = list(words)
        self._index = {word: i for i, word in enumerate(self.words)}
        if len(self._index) < len(self.words):
            repeated = next(w for w, n in Counter(self.words).items() if n > 1)
            raise ValueError(f"词 {repeated!r} 出现了不止一次；请先去重")

    def __len__(self) -> int:
        return len(self.words)

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __contains__(self, word: str) -> bool:
        return word in self._index

    def index(self, word: str) -> int:
        """词 → 第几个，从 0 数。异常：没有这个词，KeyError，并列出写法相近的词。

        >>> WordList(["猫", "狗"]).index("狗")
        1
        """
        if word not in self._index:
            near = [w for w in self.words if w in str(word) or str(word) in w]
            near = sorted(near, key=lambda w: abs(len(w) - len(str(word))))[:5]
            raise KeyError(f"{self._missing.format(word)}：它在语料里不足 min_count 次，"
                           f"或分词切成了别的样子；写法相近的词：{'、'.join(near) or '无'}")
        return self._index[word]
