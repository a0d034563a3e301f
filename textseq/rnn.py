"""循环神经网络（RNN）：一步、一条序列、沿时间反向传播。只用 NumPy。第 01、02 章。

    h_t = tanh(x_t W_xh + h_{t-1} W_hh + b_h)

参数是一个 dict：W_xh (D, H)、W_hh (H, H)、b_h (H,)，每一步用的都是这一份。
出处：Elman, Finding Structure in Time, 1990；Werbos, Backpropagation Through Time, 1990。
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from textseq.shapes import check_shape

__all__ = ["Params", "Trace", "backward", "check_input", "forward", "influence", "init_params",
           "step"]

Params = dict[str, np.ndarray]


class Trace(NamedTuple):
    """一次前向的全部结果：输入、初态、每一步的 h，以及所用的参数。"""
    x: np.ndarray   # (B, T, D)
    h0: np.ndarray  # (B, H)
    h: np.ndarray   # (B, T, H)
    params: Params


def init_params(D: int, H: int, rng: np.random.Generator, dtype: type = np.float64) -> Params:
    """随机的参数：权重取自 ±1/√H 之间的均匀分布，与 torch 的默认范围相同；偏置为 0。

    >>> params = init_params(D=3, H=4, rng=np.random.default_rng(0))
    >>> {name: array.shape for name, array in params.items()}
    {'W_xh': (3, 4), 'W_hh': (4, 4), 'b_h': (4,)}
    """
    bound = H ** -0.5
    return {"W_xh": rng.uniform(-bound, bound, (D, H)).astype(dtype),
            "W_hh": rng.uniform(-bound, bound, (H, H)).astype(dtype),
            "b_h": np.zeros(H, dtype)}


def step(x_t: np.ndarray, h_prev: np.ndarray, params: Params) -> np.ndarray:
    """走一步。形状：x_t (B, D)，h_prev (B, H) → h_t (B, H)。

    >>> params = {"W_xh": np.eye(2), "W_hh": np.eye(2), "b_h": np.zeros(2)}
    >>> step(np.array([[1.0, 0.0]]), np.array([[0.0, 0.5]]), params).round(3)
    array([[0.762, 0.462]])
    """
    return np.tanh(x_t @ params["W_xh"] + h_prev @ params["W_hh"] + params["b_h"])


def forward(x: np.ndarray, params: Params, h0: np.ndarray | None = None) -> Trace:
    """走完一条序列；不给 h0 时从零开始。

    形状：x (B, T, D)，h0 (B, H) → run.h (B, T, H)。
    异常：形状不合，ValueError；缺少某个参数，KeyError。

    >>> params = {"W_xh": np.eye(1), "W_hh": np.eye(1), "b_h": np.zeros(1)}
    >>> run = forward(np.array([[[1.0], [0.0], [0.0]]]), params)  # 只有第一步有输入
    >>> run.h[0, :, 0].round(3)  # 记忆一步步变淡
    array([0.762, 0.642, 0.566])
    """
    B, T, _, H = check_input(x, params)
    if h0 is None:
        h0 = np.zeros((B, H), params["W_hh"].dtype)
    check_shape("h0", h0, (B, H), "初态每条序列一行")
    h, steps = h0, []
    for t in range(T):
        h = step(x[:, t], h, params)
        steps.append(h)
    return Trace(x, h0, np.stack(steps, axis=1), params)


def backward(run: Trace, dh: np.ndarray | None = None,
             dh_T: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """沿时间反向传播：由损失对每个 h_t 的直接梯度，求对一切的梯度。

    dh 是损失直接用到各步 h 时的梯度，dh_T 是只用到最后一个 h 时的梯度；可以只给一个。
    返回 dx、dh0、dW_xh、dW_hh、db_h，以及 dh：每一步的总梯度（直接的加上从后面传回来的）。
    形状：dh (B, T, H)，dh_T (B, H)；每个梯度与它的变量同形。
    异常：两个都没给，或形状不合，ValueError。

    >>> params = {"W_xh": np.eye(1), "W_hh": np.eye(1), "b_h": np.zeros(1)}
    >>> run = forward(np.array([[[1.0], [0.0], [0.0]]]), params)
    >>> backward(run, dh_T=np.ones((1, 1)))["dx"][0, :, 0].round(3)  # 越早的输入，梯度越小
    array([0.168, 0.399, 0.679])
    """
    x, h0, h, params = run
    B, T, H = h.shape
    if dh is None and dh_T is None:
        raise ValueError("dh 与 dh_T 都没有给；至少给一个：dh 的形状 (B, T, H)，dh_T 的形状 (B, H)")
    dh = np.zeros_like(h) if dh is None else np.array(dh, h.dtype)  # 复制一份，不改调用者的数组
    check_shape("dh", dh, (B, T, H), "与 run.h 同形；只有最后一步有梯度时请用 dh_T")
    if dh_T is not None:
        check_shape("dh_T", dh_T, (B, H), "最后一步的 h 的梯度")
        dh[:, -1] += dh_T

    da = np.empty_like(h)  # a_t 是 tanh 里面的那个和，tanh' = 1 - tanh²
    for t in reversed(range(T)):
        da[:, t] = dh[:, t] * (1 - h[:, t] ** 2)
        dh_prev = da[:, t] @ params["W_hh"].T
        if t:
            dh[:, t - 1] += dh_prev

    h_prev = np.concatenate([h0[:, None], h[:, :-1]], axis=1)  # (B, T, H)，每一步读到的 h
    over_steps = ((0, 1), (0, 1))  # 参数只有一份，所以梯度对 B 与 T 求和
    return {"dx": da @ params["W_xh"].T, "dh0": dh_prev, "dh": dh,
            "dW_xh": np.tensordot(x, da, over_steps), "dW_hh": np.tensordot(h_prev, da, over_steps),
            "db_h": da.sum(axis=(0, 1))}


def check_input(x: np.ndarray, params: Params, gates: int = 1) -> tuple[int, int, int, int]:
    """各个形状对得上就返回 B, T, D, H。gates 是参数最后一轴上排着几段 H：RNN 1 段，LSTM 4 段。

    异常：形状不合，ValueError；缺少某个参数，KeyError。

    >>> params = init_params(D=3, H=4, rng=np.random.default_rng(0))
    >>> check_input(np.zeros((2, 5, 3)), params)
    (2, 5, 3, 4)
    """
    if missing := {"W_xh", "W_hh", "b_h"} - params.keys():
        raise KeyError(f"params 缺少 {'、'.join(sorted(missing))}；现有：{'、'.join(params) or '无'}")
    D, H = len(params["W_xh"]), len(params["W_hh"])
    layout = f"最后一轴应为 {gates} 段，每段 H={H} 个" if gates > 1 else f"H={H} 是 W_hh 的行数"
    for name, rows in (("W_xh", (D,)), ("W_hh", (H,)), ("b_h", ())):
        check_shape(name, params[name], (*rows, gates * H), layout)
    if np.ndim(x) != 3 or x.shape[2] != D:
        raise ValueError(f"x 的形状应为 (B, T, D={D})，收到 {np.shape(x)}；单条序列请用 x[None]")
    if not x.shape[1]:
        raise ValueError(f"x 的形状是 {x.shape}，一步也没有；T 至少为 1")
    return (*x.shape[:2], D, H)


def influence(run: NamedTuple, backward: Callable[..., dict[str, np.ndarray]]) -> np.ndarray:
    """每一步输入对以后每个 h 的影响：第 t 行第 s 列是 ∂h_t/∂x_s 的 Frobenius 范数，s > t 处为 0。

    run 是 rnn.forward 或 lstm.forward 的结果，backward 是同一个模块的反向函数。
    形状：run.h (1, T, H) → (T, T)。异常：不是恰好一条序列，ValueError。

    >>> params = {"W_xh": np.eye(1), "W_hh": np.eye(1), "b_h": np.zeros(1)}
    >>> run = forward(np.array([[[1.0], [0.0], [0.0]]]), params)
    >>> influence(run, backward).round(2)
    array([[0.42, 0.  , 0.  ],
           [0.25, 0.59, 0.  ],
           [0.17, 0.4 , 0.68]])
    """
    B, T, H = run.h.shape
    if B != 1:
        raise ValueError(f"一次只看一条序列，x 的形状应为 (1, T, D)，收到 {run.x.shape}；请用 x[:1]")
    # 同一条序列复制 H 份，第 k 份只问 h_t 的第 k 个数：一次反向就得到整个 ∂h_t/∂x_s
    copies = run._replace(**{name: np.repeat(a, H, axis=0) for name, a in run._asdict().items()
                             if isinstance(a, np.ndarray)})
    norms = np.zeros((T, T), run.h.dtype)
    for t in range(T):
        dh = np.zeros_like(copies.h)
        dh[:, t] = np.eye(H)
        norms[t] = np.linalg.norm(backward(copies, dh)["dx"], axis=(0, 2))
    return norms
