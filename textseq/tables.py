"""结果表：在 notebook 与网页里是一张表，print 出来是对齐的文字。

格里的数由各章自己定好位数，这里只管排。各章都用。
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

__all__ = ["Table", "as_table"]

_NUMBER = re.compile(r"≈?[-+−]?\d")  # ≈ 后面是现量的
# 格里折行时不在这些空格处折：方括号里的逗号后，等号两边，数与单位之间
_TIGHT = re.compile(r"(?<=[,=]) |(?<=\d) (?=[一-鿿])| (?=[=%])")


@dataclass(frozen=True)
class Table:
    """一张排好的表；放在单元格末尾就显示出来。由 as_table 做。"""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str

    def __repr__(self) -> str:
        """每列留够最宽一格的宽度，汉字占两格；数的列靠右，其余靠左。"""
        numeric, lines = self._numeric(), [self.header, *self.rows]
        widths = [max(map(_width, column)) for column in zip(*lines, strict=True)]
        text = ["  ".join(_pad(*cell) for cell in zip(line, widths, numeric, strict=True)).rstrip()
                for line in lines]
        return "\n".join([self.note, *text] if self.note else text)

    def _repr_html_(self) -> str:
        """首列是各行的名字；左上角空着时，它不是谁的标题。"""
        kinds = [' class="number"' if yes else "" for yes in self._numeric()]
        head = [_cell(f'th scope="col"{kind}' if name else "td", name)
                for name, kind in zip(self.header, kinds, strict=True)]
        tags = ['th scope="row"', *["td"] * (len(kinds) - 1)]
        body = [[_cell(tag + kind, cell) for tag, kind, cell in zip(tags, kinds, row, strict=True)]
                for row in self.rows]
        note = f"<caption>{escape(self.note)}</caption>\n" if self.note else ""
        lines = "\n".join(f"<tr>{''.join(cells)}</tr>" for cells in body)
        return (f'<table class="result">\n{note}<thead>\n<tr>{"".join(head)}</tr>\n</thead>\n'
                f"<tbody>\n{lines}\n</tbody>\n</table>")

    def _numeric(self) -> list[bool]:
        """哪些列全是数；空着的格不算。"""
        columns = [[row[k] for row in self.rows if row[k]] for k in range(len(self.header))]
        return [bool(cells) and all(map(_NUMBER.match, cells)) for cells in columns]


def as_table(header: Sequence[str], rows: Iterable[Sequence[object]], note: str = "") -> Table:
    """把结果排成一张表。header 是列名，C 个；rows 一行一个，每行 C 格，首格是这一行的名字。

    格里是字，或写好了位数的数；空字符串是空格。note 写在表的上方，放单位与条件。
    异常：哪一行的格数与列名的个数不同，ValueError。

    >>> as_table(["窗口", "ρ", "类比 %"], [["2", "0.46", "5.5"], ["10", "0.43", "12.1"]])
    窗口     ρ  类比 %
       2  0.46     5.5
      10  0.43    12.1
    >>> print(as_table(["", "首都"], [["日本", "东京"]], note="两个国家里的一个"))
    两个国家里的一个
          首都
    日本  东京
    """
    header, rows = tuple(map(str, header)), [tuple(map(str, row)) for row in rows]
    for n, row in enumerate(rows, start=1):
        if len(row) != len(header):
            raise ValueError(f"第 {n} 行有 {len(row)} 格，应与列名一样是 {len(header)} 格；"
                             f"列名 {header}，收到 {row}")
    return Table(header, tuple(rows), note)


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def _pad(text: str, width: int, right: bool) -> str:
    space = " " * (width - _width(text))
    return space + text if right else text + space


def _cell(opening: str, text: str) -> str:
    words = _TIGHT.sub("\u00a0", escape(text))
    return f"<{opening}>{words}</{opening[:2]}>"
