"""有限差分、比较与影响：对照能手算的导数。"""

import numpy as np
import pytest

from textseq import gradcheck, lstm, rnn


def test_finite_differences_of_a_known_function():
    rng = np.random.default_rng(0)
    arrays = {"a": rng.normal(size=(2, 3)), "b": rng.normal(size=4)}
    before = {name: a.copy() for name, a in arrays.items()}
    found = gradcheck.finite_differences(lambda d: (d["a"] ** 3).sum() * np.sin(d["b"]).sum(), arrays)
    expected = {"a": 3 * arrays["a"] ** 2 * np.sin(arrays["b"]).sum(),
                "b": (arrays["a"] ** 3).sum() * np.cos(arrays["b"])}
    assert gradcheck.largest(gradcheck.compare(found, expected)) < 1e-10
    for name, a in arrays.items():
        np.testing.assert_array_equal(a, before[name])


def test_finite_differences_of_a_single_number_and_of_an_empty_array():
    found = gradcheck.finite_differences(lambda d: d["a"] ** 2 + d["b"].sum(),
                                         {"a": np.array(3.0), "b": np.zeros((0, 2))})
    assert found["a"] == pytest.approx(6.0, abs=1e-10) and found["b"].shape == (0, 2)


def test_finite_differences_refuse_what_cannot_work():
    with pytest.raises(ValueError, match="w 应为 float64，收到 float32.*astype"):
        gradcheck.finite_differences(lambda d: 0.0, {"w": np.zeros(2, np.float32)})
    with pytest.raises(ValueError, match="loss 应返回一个有限的数，收到 nan"):
        gradcheck.finite_differences(lambda d: float("nan"), {"w": np.zeros(2)})
    with pytest.raises(ValueError, match="多个数请先求和"):
        gradcheck.finite_differences(lambda d: d["w"], {"w": np.zeros(2)})


def test_compare_reports_absolute_and_relative():
    found = gradcheck.compare({"a": np.array([1.0, 4.0]), "spare": np.zeros(3)}, {"a": np.array([1.0, 5.0])})
    assert found == {"a": (1.0, 0.2)}
    assert gradcheck.compare({"a": np.zeros(2)}, {"a": np.zeros(2)}) == {"a": (0.0, 0.0)}
    assert gradcheck.largest({"a": gradcheck.Difference(1, 0), "b": gradcheck.Difference(2, 0)}) == 2


def test_compare_never_calls_broken_gradients_equal():
    for broken in (np.nan, np.inf):
        found = gradcheck.compare({"a": np.array([1.0, broken])}, {"a": np.array([1.0, broken])})
        assert gradcheck.largest(found) == np.inf
    with pytest.raises(KeyError, match="缺少 dW；现有：db"):
        gradcheck.compare({"db": np.zeros(2)}, {"dW": np.zeros(2)})
    with pytest.raises(ValueError, match=r"dW 的形状应为 \(2,\)，收到 \(1, 2\)"):
        gradcheck.compare({"dW": np.zeros((1, 2))}, {"dW": np.zeros(2)})


@pytest.mark.parametrize("model", [rnn, lstm])
def test_influence_is_the_norm_of_the_jacobian(model):
    T, D, H = 4, 3, 2
    rng = np.random.default_rng(1)
    params, x = model.init_params(D, H, rng), rng.normal(size=(1, T, D))
    norms = rnn.influence(model.forward(x, params), model.backward)
    squares = np.zeros((T, T))
    for t in range(T):
        for k in range(H):
            slopes = gradcheck.finite_differences(
                lambda d, t=t, k=k: model.forward(d["x"], params).h[0, t, k], {"x": x})
            squares[t] += (slopes["x"][0] ** 2).sum(axis=1)
    np.testing.assert_allclose(norms, squares ** 0.5, atol=1e-9)
    assert not np.triu(norms, k=1).any() and norms[-1].all()


def test_influence_wants_a_single_sequence():
    params = rnn.init_params(3, 2, np.random.default_rng(0))
    with pytest.raises(ValueError, match=r"\(1, T, D\)，收到 \(2, 4, 3\)"):
        rnn.influence(rnn.forward(np.zeros((2, 4, 3)), params), rnn.backward)


@pytest.mark.parametrize("mine, reference", [(np.nan, 1.0), (1.0, np.nan), (np.inf, 1.0), (1.0, np.inf)])
def test_one_bad_side_is_enough(mine, reference):
    """只有一边是 NaN 或无穷大，也算差得无穷远，不会漏成 nan。"""
    found = gradcheck.compare({"w": np.array([1.0, mine])}, {"w": np.array([1.0, reference])})
    assert found["w"] == (np.inf, np.inf)
