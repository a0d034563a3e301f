"""sequences：补齐、截断、掩码、分批、滑动窗口。"""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from textseq import sequences, shapes

ROWS = st.lists(st.lists(st.integers(1, 99), max_size=7), max_size=5)
SIDE = st.sampled_from(["post", "pre"])


@given(ROWS, st.integers(1, 9), SIDE, SIDE)
def test_pad_sequences_keeps_the_right_words_on_the_right_side(rows, max_L, padding, truncating):
    x = sequences.pad_sequences(rows, max_L, padding=padding, truncating=truncating)
    assert x.shape == (len(rows), max_L) and x.dtype == np.int64
    for row, padded in zip(rows, x.tolist(), strict=True):
        kept = row[:max_L] if truncating == "post" else row[-max_L:] if row else []
        blank = [0] * (max_L - len(kept))
        assert padded == (kept + blank if padding == "post" else blank + kept)


@given(st.lists(st.lists(st.integers(1, 99), min_size=1, max_size=7), min_size=1, max_size=5))
def test_pad_sequences_equals_torch(rows):
    theirs = torch.nn.utils.rnn.pad_sequence([torch.tensor(r) for r in rows], batch_first=True)
    assert (sequences.pad_sequences(rows) == theirs.numpy()).all()


@given(ROWS, st.integers(1, 9), SIDE)
def test_mask_and_lengths_agree_with_the_rows(rows, max_L, padding):
    x = sequences.pad_sequences(rows, max_L, padding=padding)
    assert (sequences.make_mask(x) == (x != 0)).all()
    assert sequences.real_lengths(x).tolist() == [min(len(r), max_L) for r in rows]


def test_another_padding_value():
    assert sequences.pad_sequences([[1]], 3, value=-100).tolist() == [[1, -100, -100]]


@pytest.mark.parametrize("call, hint", [
    (lambda: sequences.pad_sequences([[1]], 0), "max_L 应为不小于 1 的整数，收到 0"),
    (lambda: sequences.pad_sequences([[1]], 2.5), "max_L 应为不小于 1 的整数，收到 2.5"),
    (lambda: sequences.pad_sequences([[1]], 2, padding="right"), "padding 应为 'post'"),
    (lambda: sequences.pad_sequences([[1]], 2, truncating="前"), "truncating 应为 'post'"),
    (lambda: sequences.pad_sequences([[1], ["好"]], 2), "第 2 条应为一串整数编号"),
    (lambda: sequences.pad_sequences([[1.5]], 2), "第 1 条"),
    (lambda: sequences.pad_sequences([[[1, 2]]], 2), "第 1 条"),
    (lambda: sequences.make_mask(np.array([1, 0])), r"\(B, T\)，收到 \(2,\)；单条序列请用 x\[None\]"),
    (lambda: next(sequences.sliding_windows([1, 2], 0)), "window 应为不小于 1 的整数，收到 0.*window=2"),
    (lambda: next(sequences.sliding_windows([1, 2], 1.5)), "window 应为不小于 1 的整数，收到 1.5"),
    (lambda: shapes.shape_of(np.zeros((2, 3)), "B T D"), "给了 3 个轴名"),
])
def test_bad_input_is_answered_in_chinese(call, hint):
    with pytest.raises(ValueError, match=hint):
        call()


def test_sliding_windows_of_a_sentence_of_words():
    assert list(sequences.sliding_windows(["我", "爱", "词", "向量"], 1)) == [
        ("我", ["爱"]), ("爱", ["我", "词"]), ("词", ["爱", "向量"]), ("向量", ["词"])]
    assert list(sequences.sliding_windows(["孤单"], 2)) == [("孤单", [])]
    assert list(sequences.sliding_windows([], 2)) == []


@given(st.lists(st.integers(1, 9), max_size=12), st.integers(1, 6), st.none() | st.integers(0, 99))
def test_a_window_holds_every_neighbour_within_reach(words, window, seed):
    """下标与词无关，词可以重复：邻居按距离取，次序与句子相同；编号可以是列表，也可以是数组。"""
    make_rng = (lambda: None) if seed is None else (lambda: np.random.default_rng(seed))
    reach = sequences.draw_reach(len(words), window, make_rng()).tolist()
    expected = [(word, [w for j, w in enumerate(words) if 0 < abs(i - j) <= reach[i]])
                for i, word in enumerate(words)]
    assert list(sequences.sliding_windows(words, window, make_rng())) == expected
    assert list(sequences.sliding_windows(np.array(words), window, make_rng())) == expected


def test_reach_is_fixed_or_uniform():
    assert sequences.draw_reach(4, 3).tolist() == [3, 3, 3, 3]
    counts = np.bincount(sequences.draw_reach(50_000, 5, np.random.default_rng(0)), minlength=7)
    assert counts[[0, 6]].tolist() == [0, 0]
    assert np.abs(counts[1:6] - 10_000).max() < 4 * (50_000 * 0.2 * 0.8) ** 0.5  # 四个标准差


def test_a_string_is_not_a_sentence():
    with pytest.raises(TypeError, match=r"收到字符串 '我爱词向量'.*list\(句子\)"):
        next(sequences.sliding_windows("我爱词向量", 2))


def test_shape_of_names_arrays_and_tensors():
    assert shapes.shape_of(np.zeros((4, 12, 50)), "B T D") == "(B, T, D) = (4, 12, 50)"
    assert shapes.shape_of(torch.zeros(1, 4), "1 B") == "(1, B) = (1, 4)"
