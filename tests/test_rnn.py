"""RNN 的输出与每个梯度：对照 torch，也对照有限差分；偏置、初态、上游梯度全是随机的。"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from textseq import gradcheck, rnn

SHAPE = {"B": 3, "T": 5, "D": 4, "H": 6}  # 四个数各不相同，轴弄错就会露馅
SQUARE = {"B": 2, "T": 4, "D": 3, "H": 3}  # D = H 时转置不会报错，只会算错
WEIGHTS = ("W_xh", "W_hh", "b_h")
size = st.integers(1, 5)
shapes = st.fixed_dictionaries({"B": size, "T": size, "D": size, "H": size})
few = settings(max_examples=25, deadline=None, derandomize=True, database=None)


def make_problem(B, T, D, H, seed=0):
    """随机的变量，和随机的上游梯度；两处都没有 0。"""
    rng = np.random.default_rng(seed)
    arrays = {"x": rng.normal(size=(B, T, D)), "h0": rng.normal(size=(B, H)),
              "W_xh": rng.normal(size=(D, H)), "W_hh": rng.normal(size=(H, H)) / H ** 0.5,
              "b_h": rng.normal(size=H)}
    return arrays, {"dh": rng.normal(size=(B, T, H)), "dh_T": rng.normal(size=(B, H))}


def run_forward(arrays):
    return rnn.forward(arrays["x"], {name: arrays[name] for name in WEIGHTS}, arrays["h0"])


def loss(arrays, upstream):
    h = run_forward(arrays).h
    return (h * upstream["dh"]).sum() + (h[:, -1] * upstream["dh_T"]).sum()


def torch_answer(arrays, upstream):
    """权重抄给 torch.nn.RNN：它的权重是转置的，偏置拆成两份，怎么拆都一样。"""
    D, H = arrays["W_xh"].shape
    model = torch.nn.RNN(D, H, batch_first=True, dtype=torch.float64)
    leaf = {name: torch.tensor(a, requires_grad=True) for name, a in arrays.items()}
    part = torch.linspace(-1, 1, H, dtype=torch.float64)
    weights = {"weight_ih_l0": leaf["W_xh"].T, "weight_hh_l0": leaf["W_hh"].T,
               "bias_ih_l0": leaf["b_h"] - part, "bias_hh_l0": part}
    h, h_T = torch.func.functional_call(model, weights, (leaf["x"], leaf["h0"][None]))
    up = {name: torch.tensor(g) for name, g in upstream.items()}
    ((h * up["dh"]).sum() + (h_T[0] * up["dh_T"]).sum()).backward()
    return h.detach().numpy(), {f"d{name}": a.grad.numpy() for name, a in leaf.items()}


def assert_right(shape, seed=0):
    arrays, upstream = make_problem(**shape, seed=seed)
    run = run_forward(arrays)
    mine = rnn.backward(run, **upstream)
    h, by_torch = torch_answer(arrays, upstream)
    assert np.abs(run.h - h).max() < 1e-8
    assert gradcheck.largest(gradcheck.compare(mine, by_torch)) < 1e-8
    slopes = gradcheck.finite_differences(lambda a: loss(a, upstream), arrays)
    slopes = {f"d{name}": g for name, g in slopes.items()}
    assert gradcheck.largest(gradcheck.compare(mine, slopes)) < 1e-8


@pytest.mark.parametrize("shape", [SHAPE, SQUARE, dict.fromkeys("BTDH", 1)])
def test_every_gradient(shape):
    assert_right(shape)


@few
@given(shape=shapes, seed=st.integers(0, 999))
def test_every_gradient_for_any_shape(shape, seed):
    assert_right(shape, seed)


def test_total_gradient_of_each_state():
    """dh[:, t] 是从第 t 步的 h 出发的全部影响：把 h_t 当作初态，重走后面的路，应得到同一个数。"""
    arrays, upstream = make_problem(**SHAPE)
    run = run_forward(arrays)
    mine = rnn.backward(run, **upstream)["dh"]
    for t in range(SHAPE["T"] - 1):
        rest = rnn.forward(run.x[:, t + 1:], run.params, run.h[:, t])
        later = rnn.backward(rest, upstream["dh"][:, t + 1:], upstream["dh_T"])["dh0"]
        np.testing.assert_allclose(mine[:, t], upstream["dh"][:, t] + later, atol=1e-12)


def test_a_piece_may_start_where_the_last_one_ended():
    whole = run_forward(make_problem(**SHAPE)[0])
    first = rnn.forward(whole.x[:, :2], whole.params, whole.h0)
    second = rnn.forward(whole.x[:, 2:], whole.params, first.h[:, -1])
    np.testing.assert_allclose(np.concatenate([first.h, second.h], axis=1), whole.h, atol=1e-14)


def test_step_is_one_step_of_forward():
    run = run_forward(make_problem(**SHAPE)[0])
    np.testing.assert_array_equal(rnn.step(run.x[:, 0], run.h0, run.params), run.h[:, 0])


def test_starts_from_zero_without_h0():
    arrays, _ = make_problem(**SHAPE)
    run = rnn.forward(arrays["x"], {name: arrays[name] for name in WEIGHTS})
    assert not run.h0.any()
    np.testing.assert_allclose(run.h[:, 0], np.tanh(arrays["x"][:, 0] @ arrays["W_xh"] + arrays["b_h"]))


def test_either_upstream_gradient_may_be_left_out():
    arrays, upstream = make_problem(**SHAPE)
    run = run_forward(arrays)
    parts = [rnn.backward(run, **{name: g}) for name, g in upstream.items()]
    for name, g in rnn.backward(run, **upstream).items():
        np.testing.assert_allclose(parts[0][name] + parts[1][name], g, atol=1e-12)


def test_keeps_dtype_and_leaves_arguments_alone():
    arrays, upstream = ({name: a.astype(np.float32) for name, a in d.items()}
                        for d in make_problem(**SHAPE))
    before = {name: a.copy() for name, a in (arrays | upstream).items()}
    run = run_forward(arrays)
    assert run.h.dtype == np.float32
    assert {g.dtype for g in rnn.backward(run, **upstream).values()} == {np.dtype(np.float32)}
    for name, a in (arrays | upstream).items():
        np.testing.assert_array_equal(a, before[name])


def test_init_params():
    params = rnn.init_params(3, 4, np.random.default_rng(0), np.float32)
    assert {name: p.shape for name, p in params.items()} == {"W_xh": (3, 4), "W_hh": (4, 4), "b_h": (4,)}
    assert {p.dtype for p in params.values()} == {np.dtype(np.float32)}
    assert max(np.abs(p).max() for p in params.values()) <= 0.5 and not params["b_h"].any()


@pytest.mark.parametrize(("change", "message"), [
    ({"x": np.ones((5, 4))}, r"x 的形状应为 \(B, T, D=4\)，收到 \(5, 4\)；单条序列请用 x\[None\]"),
    ({"x": np.ones((3, 5, 9))}, r"D=4.*收到 \(3, 5, 9\)"),
    ({"x": np.ones((3, 0, 4))}, "T 至少为 1"),
    ({"h0": np.ones((1, 6))}, r"h0 的形状应为 \(3, 6\)，收到 \(1, 6\)"),
    ({"W_xh": np.ones((4, 7))}, r"W_xh 的形状应为 \(4, 6\)，收到 \(4, 7\)"),
    ({"W_hh": np.ones((6, 5))}, r"W_hh 的形状应为 \(6, 6\)，收到 \(6, 5\)"),
    ({"b_h": np.ones((6, 1))}, r"b_h 的形状应为 \(6,\)，收到 \(6, 1\)"),
])
def test_wrong_shapes(change, message):
    with pytest.raises(ValueError, match=message):
        run_forward(make_problem(**SHAPE)[0] | change)


def test_other_wrong_arguments():
    arrays, upstream = make_problem(**SHAPE)
    run = run_forward(arrays)
    with pytest.raises(KeyError, match="params 缺少 W_hh、b_h；现有：W_xh"):
        rnn.forward(run.x, {"W_xh": run.params["W_xh"]})
    with pytest.raises(ValueError, match="至少给一个"):
        rnn.backward(run)
    with pytest.raises(ValueError, match=r"dh 的形状应为 \(3, 5, 6\)，收到 \(3, 6\).*dh_T"):
        rnn.backward(run, upstream["dh_T"])
    with pytest.raises(ValueError, match=r"dh_T 的形状应为 \(3, 6\)，收到 \(3, 5, 6\)"):
        rnn.backward(run, dh_T=upstream["dh"])
