"""核对梯度：有限差分是不用求导也能算梯度的笨办法，手写的梯度要与它一致。只用 NumPy。

第 01–03、05、06 章。
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np

__all__ = ["Arrays", "Difference", "compare", "finite_differences", "largest"]

Arrays = Mapping[str, np.ndarray]


class Difference(NamedTuple):
    """两个数组差多少：absolute 是最大的绝对差，relative 是它除以两边最大的绝对值。"""
    absolute: float
    relative: float


def finite_differences(loss: Callable[[dict[str, np.ndarray]], float], arrays: Arrays,
                       eps: float = 3e-4) -> dict[str, np.ndarray]:
    """逐个数挪动一点点，由损失的变化算出梯度，不用求导。

    两点的中心差分 D(eps) = (loss(a + eps) - loss(a - eps)) / 2 eps 的截断误差随 eps² 变小，
    舍入误差却随 1/eps 变大；这里用 (4 D(eps) - D(2 eps)) / 3，截断误差随 eps⁴ 变小，
    eps 就不必取得那么小。loss 收一个与 arrays 同名同形的 dict，返回一个数；arrays 不会被改动。
    异常：数组不是 float64，或损失不是一个有限的数，ValueError。
    出处：Richardson & Gaunt, The Deferred Approach to the Limit, 1927。

    >>> gradients = finite_differences(lambda a: (a["w"] ** 3).sum(), {"w": np.array([1.0, 2.0])})
    >>> gradients["w"].round(6)
    array([ 3., 12.])
    """
    for name, array in arrays.items():
        if array.dtype != np.float64:
            raise ValueError(f"{name} 应为 float64，收到 {array.dtype}；"
                             "有限差分在 float32 下只剩三四位有效数字，请先 .astype(np.float64)")
    point = {name: array.copy() for name, array in arrays.items()}

    def loss_at(array: np.ndarray, where: tuple[int, ...], value: float) -> float:
        array[where] = value
        result = loss(point)
        if np.ndim(result) or not np.isfinite(result):
            raise ValueError(f"loss 应返回一个有限的数，收到 {result!r}；多个数请先求和")
        return float(result)

    gradients = {name: np.empty_like(array) for name, array in point.items()}
    for name, array in point.items():
        for where in np.ndindex(array.shape):
            value = array[where]
            near, far = ((loss_at(array, where, value + d) - loss_at(array, where, value - d))
                         / (2 * d) for d in (eps, 2 * eps))
            gradients[name][where] = (4 * near - far) / 3
            array[where] = value
    return gradients


def compare(mine: Arrays, reference: Arrays) -> dict[str, Difference]:
    """逐个比较 reference 里的数组，返回 名字 → Difference；mine 里多出来的不管。

    异常：mine 缺少某个名字 KeyError；形状不同 ValueError；有 NaN 或无穷大时差为 inf。

    >>> compare({"w": np.array([3.0, 12.5])}, {"w": np.array([3.0, 12.0])})
    {'w': Difference(absolute=0.5, relative=0.04)}
    """
    differences = {}
    for name, expected in reference.items():
        if name not in mine:
            raise KeyError(f"缺少 {name}；现有：{'、'.join(mine) or '无'}")
        got = mine[name]
        if got.shape != expected.shape:
            raise ValueError(f"{name} 的形状应为 {expected.shape}，收到 {got.shape}；梯度与它的变量同形")
        if not (np.isfinite(got).all() and np.isfinite(expected).all()):
            differences[name] = Difference(np.inf, np.inf)
            continue
        absolute = np.abs(got - expected).max(initial=0.0)
        scale = max(np.abs(got).max(initial=0.0), np.abs(expected).max(initial=0.0))
        differences[name] = Difference(float(absolute), float(absolute / scale) if scale else 0.0)
    return differences


def largest(differences: Mapping[str, Difference]) -> float:
    """所有数组里最大的绝对差。

    >>> largest({"W": Difference(0.5, 0.04), "b": Difference(0.1, 0.1)})
    0.5
    """
    return max(d.absolute for d in differences.values())
