"""批改补的那一句：差在哪里，说得准；说不出所以然，就不说。"""

import numpy as np
import pytest
from diagnose import describe, diagnose

X = np.arange(1.0, 13).reshape(3, 4)
SQUARE = np.array([[1.0, 2], [3, 5]])


@pytest.mark.parametrize("mine, right, said", [
    (None, X, "返回的是 None"), (X.T, X, "轴的次序反了"), (X[:2], X, "形状应为 (3, 4)"),
    (-X, X, "正负号反了"), (X[::-1], X, "沿第 0 轴的次序反了"), (np.roll(X, 1, 1), X, "沿第 1 轴错开了一格"),
    (SQUARE.T, SQUARE, "转置"), (2 * X, X, "每个数都大了同一个倍数"), (X / 3, X, "每个数都小了"),
    (X + 1, X, "差同一个数"), (X * 0, X, "全是 0"), (X * 0 + 7, X, "每个数都一样"), (X * np.nan, X, "nan"),
    (1 / X, X, "倒数"),
    (X / X.sum(axis=1, keepdims=True), X / X.sum(axis=0), ""),
    (X * [[2], [3], [4]], X, "沿第 1 轴都一样"),
    (np.where(X > 8, 0, X), X, "第 0 轴上只有末尾 1 个不对"),
    (np.where(np.eye(3, 4) > 0, 0, X), X, "第 1 轴上只有开头 3 个不对"), (0.3, 0.2, "偏大了"),
    (True, False, "真假反了"),
    ({"a": X}, {"a": X, "b": X}, "键少了 1 个"), ({"a": -X}, {"a": X}, "“a”：正负号反了"),
    ({1, 2}, {1, 3}, "少了 1 个，多了 1 个"), (["甲", "乙"], ["乙", "甲"], "次序反了"),
    (["甲"], ["乙", "甲"], "应有 2 项"), ((X, -X), (X, X), "第 2 项：正负号反了，别的项都对"),
    ("金中", "中金", "次序反了"), (X, X, None), ((1, 2), [1, 2], None),
])
def test_one_sentence(mine, right, said):
    found = describe(mine, right)
    assert (found is None) if said is None else (said in found if said else found == "")


def test_the_first_difference_is_told_without_the_right_number():
    calls = [(np.array([0.0, 0]),), (np.array([1.0, 4]),)]
    assert diagnose(lambda x: -x, lambda x: x, calls) == "正负号反了"
    assert diagnose(lambda x: x, lambda x: x, calls) == ""


def test_a_changed_input_is_told():
    def answer(x):
        x += 1
        return x

    assert "先复制" in diagnose(answer, lambda x: x + 1, [(np.zeros(3),)])
