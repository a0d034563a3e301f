"""附录“每个梯度都对过”：页上的每一行都重新算过。

直接运行这个文件，就把页上的表换成新算的：python tests/test_gradients_page.py
"""

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import test_lstm  # noqa: E402
import test_rnn  # noqa: E402
import test_word2vec  # noqa: E402

from textseq import gradcheck, lstm, rnn  # noqa: E402

PAGE = Path(__file__).parents[1] / "book/gradients.md"
HEAD = "| 模型 | 梯度 | 形状 | 梯度里最大的数 | 与有限差分 | 与 torch |\n|---|---|---|---|---|---|\n"
ROW = re.compile(r"^\| ([\w -]+) \| `(\w+)` \| `(\([\d, ]+\))` \| (\S+) \| (\S+) \| (\S+) \|$", re.MULTILINE)


def by_differences(arrays, upstream):
    """test_rnn 的 loss 收两个参数；这里固定上游梯度，只留下要挪动的变量。"""
    slopes = gradcheck.finite_differences(lambda a: test_rnn.loss(a, upstream), arrays)
    return {f"d{name}": g for name, g in slopes.items()}


def answers():
    """每个模型一份：标题，手写的梯度，有限差分，torch 的梯度。"""
    for title, module, problem, slopes in [("RNN", rnn, test_rnn, by_differences),
                                           ("LSTM", lstm, test_lstm, test_lstm.slopes)]:
        arrays, upstream = problem.make_problem(**problem.SHAPE)
        yield (title, module.backward(problem.run_forward(arrays), **upstream), slopes(arrays, upstream),
               problem.torch_answer(arrays, upstream)[-1])
    for title in test_word2vec.MODELS:
        problem = title, *test_word2vec.make_problem(title, **test_word2vec.SHAPE)
        yield (title, test_word2vec.gradients(*problem), test_word2vec.slopes(*problem),
               test_word2vec.torch_answer(*problem)[-1])


def rows():
    """每个梯度一行：模型、名字、形状、最大的数、与有限差分的最大差、与 torch 的最大差。"""
    found = []
    for title, mine, slopes, by_torch in answers():
        near, auto = (gradcheck.compare(mine, other) for other in (slopes, by_torch))
        found += [(title, name, str(mine[name].shape), f"{abs(mine[name]).max():.1f}",
                   near[name].absolute, auto[name].absolute) for name in by_torch]
    return found


@pytest.fixture(scope="module")
def fresh():
    return rows()


def test_the_page_lists_exactly_the_checked_gradients(fresh):
    printed = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert [row[:4] for row in printed] == [row[:4] for row in fresh]
    assert {name for title, name, *_ in fresh if title == "RNN"} == {"dx", "dh0", "dW_xh", "dW_hh", "db_h"}
    assert {name for title, name, *_ in fresh if title == "LSTM"} == {
        "dx", "dh0", "dc0", "dW_xh", "dW_hh", "db_h"}
    for model in test_word2vec.MODELS:
        assert {name for title, name, *_ in fresh if title == model} == {"dembedding", "dcontext"}


def test_every_error_is_small_and_the_page_tells_the_truth(fresh):
    printed = ROW.findall(PAGE.read_text(encoding="utf-8"))
    for (_, name, *_, near, auto), (*_, new_near, new_auto) in zip(printed, fresh, strict=True):
        for old, new in ((float(near), new_near), (float(auto), new_auto)):
            assert max(old, new) < 1e-8, name
            assert 0.01 < max(old, 1e-16) / max(new, 1e-16) < 100, f"{name}：请重新生成这张表"


if __name__ == "__main__":
    lines = "".join(f"| {title} | `{name}` | `{shape}` | {size} | {near:.0e} | {auto:.0e} |\n"
                    for title, name, shape, size, near, auto in rows())
    text = PAGE.read_text(encoding="utf-8")
    start = text.index(HEAD)
    end = text.index("\n\n", start)
    PAGE.write_text(text[:start] + HEAD + lines.rstrip("\n") + text[end:], encoding="utf-8")
    print(lines)
