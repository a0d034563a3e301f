"""LSTM 的输出与每个梯度：对照 torch，也对照有限差分；偏置、初态、上游梯度全是随机的。"""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from textseq import gradcheck, lstm

SHAPE = {"B": 3, "T": 5, "D": 4, "H": 6}  # 四个数各不相同，轴弄错就会露馅
SQUARE = {"B": 2, "T": 4, "D": 8, "H": 2}  # D = 4H 时转置不会报错，只会算错
WEIGHTS = ("W_xh", "W_hh", "b_h")
TRACES = (*lstm.GATES, "c", "h")
size = st.integers(1, 4)
shapes = st.fixed_dictionaries({"B": size, "T": size, "D": size, "H": size})
few = settings(max_examples=12, deadline=None, derandomize=True, database=None)


def make_problem(B, T, D, H, seed=0):
    """随机的变量，和随机的上游梯度；两处都没有 0。"""
    rng = np.random.default_rng(seed)
    arrays = {"x": rng.normal(size=(B, T, D)), "h0": rng.normal(size=(B, H)),
              "c0": rng.normal(size=(B, H)), "W_xh": rng.normal(size=(D, 4 * H)),
              "W_hh": rng.normal(size=(H, 4 * H)) / H ** 0.5, "b_h": rng.normal(size=4 * H)}
    return arrays, {"dh": rng.normal(size=(B, T, H)), "dh_T": rng.normal(size=(B, H)),
                    "dc_T": rng.normal(size=(B, H))}


def run_forward(arrays, clamp=None):
    params = {name: arrays[name] for name in WEIGHTS}
    return lstm.forward(arrays["x"], params, arrays["h0"], arrays["c0"], clamp)


def slopes(arrays, upstream, clamp=None):
    """有限差分：损失用到每一步的 h，又用到最后的 h 与 c。"""
    def loss(a):
        run = run_forward(a, clamp)
        return ((run.h * upstream["dh"]).sum() + (run.h[:, -1] * upstream["dh_T"]).sum()
                + (run.c[:, -1] * upstream["dc_T"]).sum())
    return {f"d{name}": g for name, g in gradcheck.finite_differences(loss, arrays).items()}


def torch_answer(arrays, upstream):
    """权重抄给 torch.nn.LSTM：它的权重是转置的，偏置拆成两份，怎么拆都一样。"""
    D, H = len(arrays["W_xh"]), len(arrays["W_hh"])
    model = torch.nn.LSTM(D, H, batch_first=True, dtype=torch.float64)
    leaf = {name: torch.tensor(a, requires_grad=True) for name, a in arrays.items()}
    part = torch.linspace(-1, 1, 4 * H, dtype=torch.float64)
    weights = {"weight_ih_l0": leaf["W_xh"].T, "weight_hh_l0": leaf["W_hh"].T,
               "bias_ih_l0": leaf["b_h"] - part, "bias_hh_l0": part}
    start = (leaf["h0"][None], leaf["c0"][None])
    h, (h_T, c_T) = torch.func.functional_call(model, weights, (leaf["x"], start))
    up = {name: torch.tensor(g) for name, g in upstream.items()}
    ((h * up["dh"]).sum() + (h_T[0] * up["dh_T"]).sum() + (c_T[0] * up["dc_T"]).sum()).backward()
    return h.detach().numpy(), c_T[0].detach().numpy(), {f"d{n}": a.grad.numpy() for n, a in leaf.items()}


def assert_right(shape, seed=0):
    arrays, upstream = make_problem(**shape, seed=seed)
    run = run_forward(arrays)
    mine = lstm.backward(run, **upstream)
    h, c_T, by_torch = torch_answer(arrays, upstream)
    assert np.abs(run.h - h).max() < 1e-8
    assert np.abs(run.c[:, -1] - c_T).max() < 1e-8
    assert gradcheck.largest(gradcheck.compare(mine, by_torch)) < 1e-8
    assert gradcheck.largest(gradcheck.compare(mine, slopes(arrays, upstream))) < 1e-8


@pytest.mark.parametrize("shape", [SHAPE, SQUARE, dict.fromkeys("BTDH", 1)])
def test_every_gradient(shape):
    assert_right(shape)


@few
@given(shape=shapes, seed=st.integers(0, 999))
def test_every_gradient_for_any_shape(shape, seed):
    assert_right(shape, seed)


@pytest.mark.parametrize("clamp", [{"i": 0.0}, {"f": 1.0}, {"g": 0.5}, {"o": 0.0}, {"f": 0.0, "o": 1.0}])
def test_gradients_with_clamped_gates(clamp):
    arrays, upstream = make_problem(B=1, T=3, D=2, H=4)
    run = run_forward(arrays, clamp)
    assert all((getattr(run, name) == value).all() for name, value in clamp.items())
    mine = lstm.backward(run, **upstream)
    assert gradcheck.largest(gradcheck.compare(mine, slopes(arrays, upstream, clamp))) < 1e-8


def test_total_gradient_of_each_state():
    """dh[:, t]、dc[:, t]：把第 t 步的 h、c 当作初态，重走后面的路，应得到同样的数。"""
    arrays, upstream = make_problem(**SHAPE)
    run = run_forward(arrays)
    mine = lstm.backward(run, **upstream)
    for t in range(SHAPE["T"] - 1):
        rest = lstm.forward(run.x[:, t + 1:], run.params, run.h[:, t], run.c[:, t])
        later = lstm.backward(rest, upstream["dh"][:, t + 1:], upstream["dh_T"], upstream["dc_T"])
        dh = upstream["dh"][:, t] + later["dh0"]
        # c_t 有两条路：直接到 c_{t+1}，以及经过 h_t = o_t * tanh(c_t)
        dc = later["dc0"] + dh * run.o[:, t] * (1 - np.tanh(run.c[:, t]) ** 2)
        np.testing.assert_allclose(mine["dh"][:, t], dh, atol=1e-12)
        np.testing.assert_allclose(mine["dc"][:, t], dc, atol=1e-12)


def test_along_the_cell_path_the_derivative_is_the_product_of_forget_gates():
    arrays, upstream = make_problem(**SHAPE)
    run = run_forward(arrays)
    fixed = run_forward(arrays, {name: getattr(run, name) for name in lstm.GATES})
    np.testing.assert_array_equal(fixed.h, run.h)
    dc = lstm.backward(fixed, dc_T=upstream["dc_T"])["dc"]
    for s in range(SHAPE["T"]):
        product = run.f[:, s + 1:].prod(axis=1)
        np.testing.assert_allclose(dc[:, s], upstream["dc_T"] * product, atol=1e-14)
    assert not np.allclose(lstm.backward(run, dc_T=upstream["dc_T"])["dc"][:, 0], dc[:, 0], atol=1e-3)


def test_a_closed_output_gate_hides_h_and_does_not_stop_c():
    run = run_forward(make_problem(**SHAPE)[0], {"o": 0.0})
    assert not run.h.any() and np.abs(np.diff(run.c, axis=1)).min() > 0


def test_a_piece_may_start_where_the_last_one_ended():
    whole = run_forward(make_problem(**SHAPE)[0])
    first = lstm.forward(whole.x[:, :2], whole.params, whole.h0, whole.c0)
    second = lstm.forward(whole.x[:, 2:], whole.params, first.h[:, -1], first.c[:, -1])
    for name in TRACES:
        pieces = np.concatenate([getattr(first, name), getattr(second, name)], axis=1)
        np.testing.assert_allclose(pieces, getattr(whole, name), atol=1e-14)


def test_step_is_one_step_of_forward():
    run = run_forward(make_problem(**SHAPE)[0])
    one = lstm.step(run.x[:, 0], run.h0, run.c0, run.params)
    for name, value in zip(TRACES, one, strict=True):
        np.testing.assert_array_equal(value, getattr(run, name)[:, 0])


def test_starts_from_zero_without_initial_states():
    arrays, _ = make_problem(**SHAPE)
    run = lstm.forward(arrays["x"], {name: arrays[name] for name in WEIGHTS})
    assert not run.h0.any() and not run.c0.any()
    np.testing.assert_array_equal(run.c[:, 0], run.i[:, 0] * run.g[:, 0])


def test_upstream_gradients_may_be_left_out():
    arrays, upstream = make_problem(**SHAPE)
    run = run_forward(arrays)
    parts = [lstm.backward(run, **{name: g}) for name, g in upstream.items()]
    for name, g in lstm.backward(run, **upstream).items():
        np.testing.assert_allclose(sum(p[name] for p in parts), g, atol=1e-12)


def test_sigmoid_does_not_overflow():
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(lstm.sigmoid(np.array([-1e4, 0, 1e4])), [0, 0.5, 1])


def test_keeps_dtype_and_leaves_arguments_alone():
    arrays, upstream = ({name: a.astype(np.float32) for name, a in d.items()}
                        for d in make_problem(**SHAPE))
    before = {name: a.copy() for name, a in (arrays | upstream).items()}
    run = run_forward(arrays, {"o": 1.0})
    assert {getattr(run, name).dtype for name in TRACES} == {np.dtype(np.float32)}
    assert {g.dtype for g in lstm.backward(run, **upstream).values()} == {np.dtype(np.float32)}
    for name, a in (arrays | upstream).items():
        np.testing.assert_array_equal(a, before[name])


def test_init_params_puts_the_forget_bias_into_the_second_quarter():
    params = lstm.init_params(3, 4, np.random.default_rng(0), forget_bias=2.0, dtype=np.float32)
    assert {name: p.shape for name, p in params.items()} == {"W_xh": (3, 16), "W_hh": (4, 16), "b_h": (16,)}
    assert {p.dtype for p in params.values()} == {np.dtype(np.float32)}
    assert params["b_h"].tolist() == [0] * 4 + [2] * 4 + [0] * 8


@pytest.mark.parametrize(("change", "message"), [
    ({"x": np.ones((5, 4))}, r"x 的形状应为 \(B, T, D=4\)，收到 \(5, 4\)；单条序列请用 x\[None\]"),
    ({"x": np.ones((3, 0, 4))}, "T 至少为 1"),
    ({"h0": np.ones((1, 6))}, r"h0 的形状应为 \(3, 6\)，收到 \(1, 6\)"),
    ({"c0": np.ones((3, 7))}, r"c0 的形状应为 \(3, 6\)，收到 \(3, 7\)"),
    ({"W_xh": np.ones((4, 6))}, r"W_xh 的形状应为 \(4, 24\)，收到 \(4, 6\)；最后一轴应为 4 段"),
    ({"W_hh": np.ones((6, 6))}, r"W_hh 的形状应为 \(6, 24\)，收到 \(6, 6\)"),
    ({"b_h": np.ones(6)}, r"b_h 的形状应为 \(24,\)，收到 \(6,\)"),
])
def test_wrong_shapes(change, message):
    with pytest.raises(ValueError, match=message):
        run_forward(make_problem(**SHAPE)[0] | change)


def test_other_wrong_arguments():
    arrays, upstream = make_problem(**SHAPE)
    run = run_forward(arrays)
    with pytest.raises(ValueError, match="clamp 里的门应为 i、f、g、o 之一，收到 'forget'"):
        run_forward(arrays, {"forget": 1.0})
    with pytest.raises(ValueError, match=r"clamp\['f'\] 的形状应为 \(3, 5, 6\)，收到 \(6,\)"):
        run_forward(arrays, {"f": np.ones(6)})
    with pytest.raises(ValueError, match="至少给一个"):
        lstm.backward(run)
    with pytest.raises(ValueError, match=r"dh 的形状应为 \(3, 5, 6\)，收到 \(3, 6\).*dh_T"):
        lstm.backward(run, upstream["dh_T"])
    with pytest.raises(ValueError, match=r"dc_T 的形状应为 \(3, 6\)，收到 \(3, 5, 6\)"):
        lstm.backward(run, dc_T=upstream["dh"])
