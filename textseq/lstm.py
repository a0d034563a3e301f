"""长短期记忆网络（LSTM）：一步、一条序列、沿时间反向传播。只用 NumPy。第 02、10 章。

    i_t = σ(…)        输入门：写进多少
    f_t = σ(…)        遗忘门：留下多少
    g_t = tanh(…)     候选值：写什么
    o_t = σ(…)        输出门：露出多少
    c_t = f_t * c_{t-1} + i_t * g_t
    h_t = o_t * tanh(c_t)

四处省略号是同一个和 x_t W_xh + h_{t-1} W_hh + b_h 的四段，次序 i, f, g, o 与 torch 相同。
参数是一个 dict：W_xh (D, 4H)、W_hh (H, 4H)、b_h (4H,)。
出处：Hochreiter & Schmidhuber, Long Short-Term Memory, 1997；遗忘门：Gers et al., Learning to Forget, 2000。
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from textseq.rnn import Params, check_input
from textseq.shapes import check_shape

__all__ = ["GATES", "Trace", "backward", "forward", "init_params", "sigmoid", "step"]

GATES = ("i", "f", "g", "o")


class Trace(NamedTuple):
    """一次前向的全部结果；run.f[0, 3] 就是第 0 条序列第 3 步的遗忘门。"""
    x: np.ndarray   # (B, T, D)
    h0: np.ndarray  # (B, H)
    c0: np.ndarray
    i: np.ndarray   # 以下六个都是 (B, T, H)
    f: np.ndarray
    g: np.ndarray
    o: np.ndarray
    c: np.ndarray
    h: np.ndarray
    params: Params
    clamped: frozenset[str]  # 被固定的门，梯度不从它们经过


def init_params(D: int, H: int, rng: np.random.Generator, forget_bias: float = 0.0,
                dtype: type = np.float64) -> Params:
    """随机的参数：权重取自 ±1/√H 之间的均匀分布；偏置为 0，遗忘门那一段为 forget_bias。

    >>> init_params(D=3, H=2, rng=np.random.default_rng(0), forget_bias=1.0)["b_h"]
    array([0., 0., 1., 1., 0., 0., 0., 0.])
    """
    bound = H ** -0.5
    b_h = np.zeros(4 * H, dtype)
    b_h[H:2 * H] = forget_bias
    return {"W_xh": rng.uniform(-bound, bound, (D, 4 * H)).astype(dtype),
            "W_hh": rng.uniform(-bound, bound, (H, 4 * H)).astype(dtype), "b_h": b_h}


def sigmoid(a: np.ndarray) -> np.ndarray:
    """σ(a) = 1/(1+e^-a)；写成 tanh 的样子，a 很大或很小时也不溢出。

    >>> sigmoid(np.array([-1000.0, 0.0, 2.0])).round(3)
    array([0.   , 0.5  , 0.881])
    """
    return 0.5 * (1 + np.tanh(0.5 * a))


def step(x_t: np.ndarray, h_prev: np.ndarray, c_prev: np.ndarray, params: Params,
         clamp: Mapping[str, np.ndarray | float] | None = None) -> tuple[np.ndarray, ...]:
    """走一步，返回 i, f, g, o, c, h；clamp 里的门不再计算，直接取给定的值。

    形状：x_t (B, D)，h_prev、c_prev (B, H) → 六个 (B, H)。

    >>> params = {"W_xh": np.zeros((1, 4)), "W_hh": np.zeros((1, 4)), "b_h": np.zeros(4)}
    >>> zero, c = np.zeros((1, 1)), np.array([[2.0]])
    >>> *_, c_t, h_t = step(zero, zero, c, params)  # 各门都开一半，细胞剩一半
    >>> c_t.item(), step(zero, zero, c, params, clamp={"f": 1.0})[-2].item()  # 遗忘门全开
    (1.0, 2.0)
    """
    a = x_t @ params["W_xh"] + h_prev @ params["W_hh"] + params["b_h"]  # (B, 4H)
    i, f, g, o = np.split(a, 4, axis=1)
    gates = {"i": sigmoid(i), "f": sigmoid(f), "g": np.tanh(g), "o": sigmoid(o)}
    for name, value in (clamp or {}).items():
        gates[name] = np.full_like(gates[name], value)
    i, f, g, o = gates.values()
    c = f * c_prev + i * g
    return i, f, g, o, c, o * np.tanh(c)


def forward(x: np.ndarray, params: Params, h0: np.ndarray | None = None,
            c0: np.ndarray | None = None,
            clamp: Mapping[str, np.ndarray | float] | None = None) -> Trace:
    """走完一条序列；不给 h0、c0 时从零开始。

    clamp 固定某些门，用于消融：{"f": 1.0} 让遗忘门处处为 1；值也可以是 (B, T, H) 的数组，
    例如另一次前向记下的 run.f。
    形状：x (B, T, D)，h0、c0 (B, H) → run.h、run.c 与四个门都是 (B, T, H)。
    异常：形状不合，或 clamp 里有不认识的门，ValueError；缺少某个参数，KeyError。

    >>> params = init_params(D=3, H=4, rng=np.random.default_rng(0))
    >>> x = np.ones((2, 5, 3))
    >>> run = forward(x, params)
    >>> run.h.shape, run.f.shape, np.allclose(run.c[:, 1], run.f[:, 1] * run.c[:, 0]
    ...                                       + run.i[:, 1] * run.g[:, 1])
    ((2, 5, 4), (2, 5, 4), True)
    >>> forward(x, params, clamp={"f": 1.0}).f.min().item()
    1.0
    """
    B, T, _, H = check_input(x, params, gates=4)
    h0, c0 = (np.zeros((B, H), params["W_hh"].dtype) if s is None else s for s in (h0, c0))
    check_shape("h0", h0, (B, H), "初态每条序列一行")
    check_shape("c0", c0, (B, H), "初态每条序列一行")
    clamp = {name: _check_clamp(name, value, (B, T, H)) for name, value in (clamp or {}).items()}
    h, c, steps = h0, c0, []
    for t in range(T):
        *gates, c, h = step(x[:, t], h, c, params, {name: v[:, t] for name, v in clamp.items()})
        steps.append((*gates, c, h))
    traces = (np.stack(trace, axis=1) for trace in zip(*steps, strict=True))
    return Trace(x, h0, c0, *traces, params, frozenset(clamp))


def backward(run: Trace, dh: np.ndarray | None = None, dh_T: np.ndarray | None = None,
             dc_T: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """沿时间反向传播：由损失对 h（与最后的 c）的直接梯度，求对一切的梯度。

    dh 是损失直接用到各步 h 时的梯度；dh_T、dc_T 是只用到最后的 h、c 时的梯度；至少给一个。
    返回 dx、dh0、dc0、dW_xh、dW_hh、db_h，以及 dh、dc：每一步的总梯度（直接的加上传回来的）。
    形状：dh (B, T, H)，dh_T、dc_T (B, H)；每个梯度与它的变量同形。
    异常：一个都没给，或形状不合，ValueError。

    >>> params = init_params(D=3, H=4, rng=np.random.default_rng(0))
    >>> run = forward(np.ones((2, 5, 3)), params, clamp={"f": 1.0, "i": 0.0})
    >>> dc = backward(run, dc_T=np.ones((2, 4)))["dc"]  # 门全开，梯度原样传到第一步
    >>> dc.min().item(), dc.max().item()
    (1.0, 1.0)
    """
    x, h0, c0, i, f, g, o, c, h, params, clamped = run
    B, T, H = h.shape
    dh, dc = _direct_gradients(run, dh, dh_T, dc_T)
    tanh_c = np.tanh(c)
    h_prev = np.concatenate([h0[:, None], h[:, :-1]], axis=1)  # (B, T, H)，每一步读到的 h 与 c
    c_prev = np.concatenate([c0[:, None], c[:, :-1]], axis=1)
    free = np.repeat([name not in clamped for name in GATES], H)  # (4H,)

    da = np.empty((B, T, 4 * H), h.dtype)  # a_t 是四个门里面的那个和；σ' = σ(1-σ)，tanh' = 1 - tanh²
    for t in reversed(range(T)):
        dc[:, t] += dh[:, t] * o[:, t] * (1 - tanh_c[:, t] ** 2)
        da_i = dc[:, t] * g[:, t] * i[:, t] * (1 - i[:, t])
        da_f = dc[:, t] * c_prev[:, t] * f[:, t] * (1 - f[:, t])
        da_g = dc[:, t] * i[:, t] * (1 - g[:, t] ** 2)
        da_o = dh[:, t] * tanh_c[:, t] * o[:, t] * (1 - o[:, t])
        da[:, t] = np.concatenate([da_i, da_f, da_g, da_o], axis=1) * free
        dh_prev = da[:, t] @ params["W_hh"].T
        dc_prev = dc[:, t] * f[:, t]
        if t:
            dh[:, t - 1] += dh_prev
            dc[:, t - 1] += dc_prev

    over_steps = ((0, 1), (0, 1))  # 参数只有一份，所以梯度对 B 与 T 求和
    return {"dx": da @ params["W_xh"].T, "dh0": dh_prev, "dc0": dc_prev, "dh": dh, "dc": dc,
            "dW_xh": np.tensordot(x, da, over_steps), "dW_hh": np.tensordot(h_prev, da, over_steps),
            "db_h": da.sum(axis=(0, 1))}


def _direct_gradients(run: Trace, dh: np.ndarray | None, dh_T: np.ndarray | None,
                      dc_T: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """把三种直接梯度放进两个 (B, T, H) 的数组；都是新的，不改调用者的。"""
    B, T, H = run.h.shape
    if dh is None and dh_T is None and dc_T is None:
        raise ValueError("dh、dh_T、dc_T 都没有给；至少给一个：dh 的形状 (B, T, H)，其余 (B, H)")
    dh = np.zeros_like(run.h) if dh is None else np.array(dh, run.h.dtype)
    dc = np.zeros_like(run.c)
    check_shape("dh", dh, (B, T, H), "与 run.h 同形；只有最后一步有梯度时请用 dh_T")
    for name, last, total in (("dh_T", dh_T, dh), ("dc_T", dc_T, dc)):
        if last is not None:
            check_shape(name, last, (B, H), "只是最后一步的梯度，没有 T 轴")
            total[:, -1] += last
    return dh, dc


def _check_clamp(name: str, value: np.ndarray | float, expected: tuple[int, ...]) -> np.ndarray:
    if name not in GATES:
        raise ValueError(f"clamp 里的门应为 {'、'.join(GATES)} 之一，收到 {name!r}")
    if np.ndim(value):
        check_shape(f"clamp[{name!r}]", value, expected, "处处相同时请给一个数")
    return np.broadcast_to(value, expected)
