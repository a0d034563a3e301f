"""形状：写出一个张量的轴名，检查数组的形状与编号。各章都用；从第 01 章起。"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

__all__ = ["check_ids", "check_integer", "check_row", "check_shape", "shape_of"]


def shape_of(x: object, names: str) -> str:
    """写出一个张量的轴名与形状；x 可以是 NumPy 数组或 torch 张量。

    异常：轴名的个数与维数不同，ValueError。

    >>> shape_of(np.zeros((4, 12, 50)), "B T D")
    '(B, T, D) = (4, 12, 50)'
    """
    letters, shape = names.split(), tuple(x.shape)
    if len(letters) != len(shape):
        raise ValueError(f"给了 {len(letters)} 个轴名 ({', '.join(letters)})，"
                         f"但张量有 {len(shape)} 维，形状是 {shape}")
    return f"({', '.join(letters)}) = ({', '.join(map(str, shape))})"


def check_shape(name: str, array: np.ndarray, expected: tuple[int, ...], hint: str) -> None:
    """形状不是 expected 就报错，说明收到什么、应为什么、怎么办。

    >>> check_shape("h0", np.zeros((2, 3)), (2, 3), "每条序列一行")
    """
    if np.shape(array) != expected:
        raise ValueError(f"{name} 的形状应为 {expected}，收到 {np.shape(array)}；{hint}")


def check_row(sequence: Sequence[int], row: int) -> np.ndarray:
    """第 row 条（从 0 数）是一串整数编号就变成数组返回，不是就报错。

    >>> check_row([5, 3], row=0)
    array([5, 3])
    """
    ids = np.asarray(sequence)
    if ids.ndim != 1 or (ids.size and ids.dtype.kind not in "iu"):
        raise ValueError(f"第 {row + 1} 条应为一串整数编号，收到 {str(sequence)[:30]!r}；"
                         "词请先用 Vocab.encode 变成编号")
    return ids.astype(np.int64)


def check_ids(name: str, ids: np.ndarray, V: int = 2**31, low: int = 1,
              ndim: int = 1) -> np.ndarray:
    """ndim 维的整数数组，每个编号都在 low…V-1 之内，就变成数组返回，不是就报错。

    >>> check_ids("centers", [2, 4], V=5)
    array([2, 4])
    """
    ids = np.asarray(ids)
    if ids.ndim != ndim or (ids.size and ids.dtype.kind not in "iu"):
        raise ValueError(f"{name} 应为 {ndim} 维的整数数组，收到 {ids.dtype}，形状 {ids.shape}")
    for i in (ids.min(initial=low), ids.max(initial=low)):
        if not low <= i < V:
            raise ValueError(f"{name} 里的编号 {i} 不在 {low}…{V - 1} 之内；"
                             + ("这些编号是不是用另一个词表编的？" if i else "0 是 <pad>，不是词"))
    return ids


def check_integer(name: str, value: object, least: int = 1, hint: str = "") -> int:
    """不小于 least 的整数就返回普通的 int，不是就报错；NumPy 的整数也收，True、False 不收。

    >>> check_integer("window", np.int64(5))
    5
    """
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= least:
        return int(value)
    raise ValueError(f"{name} 应为不小于 {least} 的整数，收到 {value!r}{hint and '；' + hint}")
