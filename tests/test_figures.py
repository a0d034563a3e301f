"""figures：字体、文字说明、画上去的数。"""

import sys

import matplotlib

matplotlib.use("agg")

import numpy as np  # noqa: E402
import pytest  # noqa: E402
from matplotlib import pyplot as plt  # noqa: E402

from textseq import figures  # noqa: E402


@pytest.fixture(autouse=True)
def style():
    with matplotlib.rc_context():
        figures.use_style()
        yield
        plt.close("all")


def draw(ax):
    ax.figure.canvas.draw()
    return figures.describe(ax.figure)


def test_chinese_is_drawn_with_the_course_font_on_every_machine():
    ax = figures.bars(["精确模式", "−1 ≥ ∂ → ①"], [90.2, 1])
    ax.set_title("体育、體育与 １２")
    draw(ax)
    assert matplotlib.font_manager.fontManager.findfont("Noto Sans SC").endswith("NotoSansSC-Regular.otf")


@pytest.mark.parametrize("form, line", [("≈{:.0f}", "条：≈[53 77]"), ("{:.0f}", "条：[53 77]")])
def test_measured_bars_are_described_as_measured(form, line):
    """快慢每次不同，nbval 抹去 ≈ 后面的数；条的长短也在内。"""
    assert line in draw(figures.bars(["甲", "乙"], [53, 77], form=form)).splitlines()


def test_a_panel_with_a_measured_title_is_described_as_measured():
    fig, axs = plt.subplots(2)
    for ax, name in zip(axs, ("丙", "丁 ≈"), strict=True):
        ax.plot([1, 2], [3, 4], label="损失")
        ax.set_title(name)
    numbers = "x=[1 2] y=[3 4]"
    assert [line for line in draw(axs[0]).splitlines() if "线" in line] == [
        f"线 损失：{numbers}", f"线 损失：≈{numbers}"]


def test_a_missing_glyph_is_an_error_not_a_box():
    ax = plt.subplots()[1]
    ax.set_title("生僻字 \U000201a9")
    with pytest.raises(UserWarning, match="Glyph"):
        draw(ax)


@pytest.mark.parametrize("text", ["生僻字 \U000201a9 与 $x$", "$x_门$", "$\\mathrm{门}$"])
def test_a_missing_glyph_beside_a_formula_is_an_error_too(text):
    """matplotlib 排公式时缺字只记日志，画一个方框。"""
    ax = plt.subplots()[1]
    ax.set_title("遗忘门 $f_t$ 与 $\\alpha_{\\mathrm{max}}$")
    draw(ax)
    ax.set_title(text)
    with pytest.raises(UserWarning, match="字体没有的字"):
        draw(ax)


def test_a_missing_font_package_is_a_clear_error(monkeypatch):
    monkeypatch.setitem(sys.modules, "pylopdf_fonts_zh_cn", None)
    with pytest.raises(ModuleNotFoundError, match="pip install pylopdf-fonts-zh-cn==0.1.1"):
        figures.use_style()


def test_description_starts_with_the_claim_and_lists_every_number():
    ax = figures.line_with_spread([16, 32], {"打包": np.array([[0.8, 0.9], [0.7, 0.9]])})
    ax.set_title("补得越长，错得越多")
    ax.set_xlabel("max_L（词）")
    description = draw(ax)
    assert description.splitlines()[:3] == ["图：补得越长，错得越多", "横轴 max_L（词） | 纵轴 —",
                                            "线 打包：x=[16 32] y=[0.75 0.9]"]
    assert "字：打包" in description


@pytest.mark.parametrize("plot", [
    lambda v: figures.line_with_spread([1, 2, 3], {"a": v}),
    lambda v: figures.bars(["a", "b", "c"], v),
    lambda v: figures.heatmap(v[None]),
    lambda v: figures.strips({"a": v}, form=""),
    lambda v: plt.subplots()[1].bar([1, 2, 3], v)[0].axes,
    lambda v: plt.subplots()[1].scatter(v, v).axes,
    lambda v: plt.subplots()[1].imshow([v]).axes,
    lambda v: plt.subplots()[1].fill_between([1, 2, 3], v).axes,
    lambda v: plt.subplots()[1].plot(np.resize(v, 300))[0].axes,
])
def test_changing_one_plotted_value_changes_the_description(plot):
    values = np.array([1.0, 2.0, 3.0])
    changed = values + [0, 0.02, 0]
    assert draw(plot(values)) == draw(plot(values)) != draw(plot(changed))


def test_description_survives_the_last_digits_of_another_processor():
    values = np.array([0.123456, 0.5, 0.987654])
    assert draw(figures.bars("abc", values)) == draw(figures.bars("abc", values * (1 + 1e-9)))


def test_token_grid_writes_the_words_and_marks_the_pads():
    description = draw(figures.token_grid([["狗", "<pad>"], ["人", "咬"]]))
    assert "格 (2, 2)：[1 0 1 1]" in description and "字：狗 PAD 人 咬" in description


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_labels_at_line_ends_do_not_overlap(scale):
    ax = plt.subplots()[1]
    ax.set_yscale(scale)
    figures.line_with_spread([1, 2], {name: [1e-6, 1 + k / 1000] for k, name in enumerate("甲乙丙")}, ax=ax)
    ax.figure.canvas.draw()
    boxes = sorted((t.get_window_extent() for t in ax.texts), key=lambda box: box.y0)
    assert all(lower.y1 <= upper.y0 for lower, upper in zip(boxes, boxes[1:], strict=False))


@pytest.mark.parametrize("yscale", ["linear", "log"])
def test_labels_stand_at_the_height_of_their_lines(yscale):
    ax = figures.line_with_spread([1, 2], {"低": [5, 1], "高": [50, 80]}, yscale=yscale)
    ax.figure.canvas.draw()
    for text, value in zip(ax.texts, (1, 80), strict=True):
        box = text.get_window_extent()
        assert abs((box.y0 + box.y1) / 2 - ax.transData.transform((2, value))[1]) < 15


def test_style_leaves_the_figure_open_and_returns_the_axes():
    ax = plt.subplots()[1]
    assert figures.bars(["a"], [1], ax=ax) is ax


def test_strips_write_each_number_under_its_column():
    ax = figures.strips({"遗忘门": [0.5, -1.0]}, columns=["狗", "咬"], limit=2)
    description = draw(ax)
    assert "字：0.50 -1.00" in description and "[0.5 -1]" in description
    assert [t.get_text() for t in ax.get_xticklabels()] == ["狗", "咬"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["遗忘门"]
    assert ax.get_images()[0].get_clim() == (-2, 2)


STEP = {"c_prev": -1.0, "f": 0.19, "i": 0.81, "g": 0.91, "o": 0.43, "c": 0.55, "h": 0.22}


def test_the_wiring_lights_up_in_three_steps():
    written = [draw(figures.lstm_wiring(STEP, lit)) for lit in (1, 2, 3)]
    for lit, text in enumerate(written, start=1):
        for step, number in ((1, "留下\n-0.19"), (2, "写进\n0.74"), (2, "新记忆 0.55"), (3, "h = 0.22")):
            assert (number in text) == (step <= lit)
    assert all("输出门" in text for text in written)


@pytest.mark.parametrize("name", STEP)
def test_every_number_of_the_step_stands_in_the_wiring(name):
    assert draw(figures.lstm_wiring(STEP)) != draw(figures.lstm_wiring(STEP | {name: 0.5}))


def test_the_wiring_refuses_a_fourth_step():
    with pytest.raises(ValueError, match="lit 应为 1、2 或 3，收到 4"):
        figures.lstm_wiring(STEP, 4)


def test_nothing_in_the_wiring_overlaps_or_leaves_the_picture():
    ax = figures.lstm_wiring(STEP | {"c_prev": -10.25, "c": -11.25})
    ax.set_title("遗忘门：旧记忆留几成")
    ax.figure.canvas.draw()
    boxes = [t.get_window_extent() for t in ax.texts if t.get_text()]
    assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])
    assert all(b.x0 >= 0 and b.x1 <= ax.figure.bbox.width for b in boxes)


def test_two_directions_mark_where_each_direction_stops():
    """打包：各方向停在真词上；不打包：前向停在最后一个 PAD 上，反向从 PAD 起步。"""
    words, unread = ["油价", "下调", "<pad>"], [0, 0]
    ax = figures.two_directions(words, [[1, 0], [2, 0], unread], [[2, 0], [1, 0], unread])
    at = {t.get_text(): t.get_position() for t in ax.texts}
    assert at["h_n[-2]"][0] == 1 and at["h_n[-1]"][0] == 0 and at["PAD"] == (2, 1)
    assert [t.get_text() for t in ax.texts].count("0") == 2
    ax = figures.two_directions(words, [[1, 0], [2, 0], [2, 1]], [[2, 1], [1, 1], [0, 1]])
    at = {t.get_text(): t.get_position() for t in ax.texts}
    assert at["h_n[-2]"][0] == 2 and at["h_n[-1]"][0] == 0
    assert at["1 PAD"] == (2, 2) and at["2 词\n1 PAD"][0] in (0, 2)
    draw(ax)


def test_dots_show_the_mean_the_range_and_the_note_of_each_row():
    ax = figures.dots({"平均，字": [76.6, 77.0], "LSTM，字": [67.6, 73.0, 68.0]}, ["76.8%", "69.5%"])
    assert [line.get_xdata().tolist() for line in ax.lines[:2]] == [[76.6, 77.0], [67.6, 73.0]]
    name, note = ax.texts[:2]
    assert name.get_text() == "平均，字" and name.get_position()[1] < 0 < note.get_position()[0]
    assert "点" not in draw(ax) and "平均，字 76.8%" in draw(ax)
