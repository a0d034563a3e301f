"""图：字体与样式只在这里定，画图函数收普通数组，返回 ax，不调用 show。

每张图都带一段文字说明 describe(fig)：标题、轴名、画上去的数。notebook 里它作为图的
text/plain 存下来，nbval 比较它，所以画错一个数，测试就会失败；它的第一行也是网页上图的替代文字。
各章都用。
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

__all__ = ["COLORS", "GREY", "bars", "describe", "dots", "heatmap", "line_with_spread",
           "lstm_wiring", "strips", "token_grid", "two_directions", "use_style"]

# Okabe & Ito (2008) 的配色：色觉有差异的读者也分得清
COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8C6D00", "#3A86A8")
GREY = "#767676"
_BLUE_ORANGE = mpl.colors.LinearSegmentedColormap.from_list("", [COLORS[0], "#F7F7F7", COLORS[1]])
_PALE = "#DADADA"  # 接线图里还没点亮的零件
_LISTED = 48  # 一组数不超过这么多就全部列出，否则只列摘要


def use_style() -> None:
    """定好中文字体、字号与配色；缺字时直接报错，不让方框悄悄出现在图里。

    异常：没有安装中文字体包，ModuleNotFoundError。

    >>> use_style()
    >>> mpl.rcParams["font.family"][0]
    'Noto Sans SC'
    """
    font_manager.fontManager.addfont(_font_path())
    mpl.rcParams.update({
        "font.family": ["Noto Sans SC", "DejaVu Sans"], "font.size": 12,
        "axes.titlesize": 13, "axes.titlelocation": "left", "axes.titlepad": 12,
        "axes.spines.top": False, "axes.spines.right": False, "axes.unicode_minus": False,
        "axes.prop_cycle": mpl.cycler(color=COLORS), "legend.frameon": False,
        "figure.figsize": (5.4, 3.8), "figure.dpi": 130, "figure.constrained_layout.use": True,
        "axes.grid": True, "axes.grid.axis": "y", "grid.color": "#E3E3E3", "axes.axisbelow": True,
    })
    warnings.filterwarnings("error", message="Glyph .* missing")
    logging.getLogger("matplotlib.mathtext").addFilter(_refuse_boxes)  # 公式里缺字，只记一条日志
    # notebook 存图时也存这段文字；不用 IPython 的 for_type，它会在后端启动时被清掉
    Figure._repr_pretty_ = lambda fig, printer, cycle: printer.text(describe(fig))


def _refuse_boxes(record: logging.LogRecord) -> bool:
    """matplotlib 排 $…$ 时记的日志：缺字的报错，别的照旧。"""
    if "glyph" in record.msg or "Unicode mapping" in record.msg:
        raise UserWarning(f"带 $…$ 的文字里有字体没有的字，会画成方框：{record.getMessage()}；请换一个写法")
    return True


def line_with_spread(x: Sequence[float], runs: Mapping[str, np.ndarray],
                     ax: Axes | None = None, yscale: str = "linear") -> Axes:
    """每组一条均值线，阴影从最小到最大，名字直接写在线的右端。runs[名字] 的形状：(次数, len(x))。

    >>> ax = line_with_spread([1, 2], {"甲": [[0, 1], [2, 3]]})
    >>> ax.lines[0].get_ydata().tolist()
    [1.0, 2.0]
    >>> plt.close(ax.figure)
    """
    ax = ax or plt.subplots()[1]
    ax.set_yscale(yscale)
    ends = []
    for color, (name, values) in zip(COLORS, runs.items(), strict=False):
        values = np.atleast_2d(values)
        mean = values.mean(axis=0)
        ax.plot(x, mean, marker="o", markersize=4, color=color, label=name)
        if len(values) > 1:
            ax.fill_between(x, values.min(axis=0), values.max(axis=0), color=color, alpha=0.18,
                            linewidth=0)
        ends.append((mean[-1], name, color))
    _label_ends(ax, x[-1], ends)
    return ax


def bars(names: Sequence[str], values: Sequence[float], ax: Axes | None = None,
         form: str = "{:.1f}", color: str = COLORS[0]) -> Axes:
    """横条图，从上往下，数写在条的末端。

    >>> ax = bars(["甲", "乙"], [3, 1.5])
    >>> [text.get_text() for text in ax.texts]
    ['3.0', '1.5']
    >>> plt.close(ax.figure)
    """
    ax = ax or plt.subplots()[1]
    drawn = ax.barh(range(len(names)), values, color=color, height=0.62)
    ax.bar_label(drawn, [form.format(v) for v in values], padding=4)
    ax.set_yticks(range(len(names)), names)
    ax.yaxis.labelpad = 8
    ax.invert_yaxis()
    ax.grid(False)
    ax.margins(x=0.12)
    return ax


def dots(runs: Mapping[str, Sequence[float]], notes: Sequence[str], ax: Axes | None = None) -> Axes:
    """一行一组数：点是平均，横线从最小到最大，名字写在点的上方，notes 写在右边。手机上也读得清。第 10 章。

    >>> ax = dots({"甲": [1, 3], "乙": [4]}, ["2 秒", "1 秒"])
    >>> ax.lines[-1].get_xdata().tolist()
    [2.0, 4.0]
    >>> [text.get_text() for text in ax.texts]
    ['甲', '2 秒', '乙', '1 秒']
    >>> plt.close(ax.figure)
    """
    ax = ax or plt.subplots(figsize=(4.8, 0.9 + 0.5 * len(runs)))[1]
    values = [np.asarray(v, dtype=float) for v in runs.values()]
    low, high = min(v.min() for v in values), max(v.max() for v in values)
    pad = 0.06 * (high - low)
    for y, (name, v, note) in enumerate(zip(runs, values, notes, strict=True)):
        ax.plot([v.min(), v.max()], [y, y], color=COLORS[0], linewidth=5, alpha=0.35,
                solid_capstyle="round")
        for x, words, side in ((low - pad, name, "left"), (high + pad, note, "right")):
            ax.text(x, y - 0.28, words, ha=side, va="bottom", fontsize=11,
                    color="black" if side == "left" else GREY)
    ax.plot([v.mean() for v in values], range(len(values)), "o", color=COLORS[0], label="平均")
    ax.set(xlim=(low - pad, high + pad), ylim=(len(values) - 0.5, -0.95), yticks=[])
    ax.grid(axis="x")
    ax.spines["left"].set_visible(False)
    return ax


def strips(rows: Mapping[str, Sequence[float]], columns: Sequence[str] | None = None,
           form: str = "{:.2f}", limit: float = 1.0, ax: Axes | None = None) -> Axes:
    """色条：一行一组数，橙为正，蓝为负，绝对值到 limit 时最浓；form 为空时格里不写数。

    >>> ax = strips({"h_1": [0.5, -1], "h_2": [0, 1]})
    >>> [text.get_text() for text in ax.texts]
    ['0.50', '-1.00', '0.00', '1.00']
    >>> plt.close(ax.figure)
    """
    values = np.array(list(rows.values()), dtype=float)
    if ax is None:
        ax = plt.subplots(figsize=(5.4, 0.9 + 0.42 * len(values)))[1]
    ax.imshow(values, cmap=_BLUE_ORANGE, vmin=-limit, vmax=limit, aspect="auto")
    if form:
        for (i, j), value in np.ndenumerate(values):
            ax.text(j, i, form.format(value), ha="center", va="center",
                    color="white" if value < -0.9 * limit else "black")
    _cells(ax, *values.shape)
    ax.set_xticks(range(values.shape[1]), range(values.shape[1]) if columns is None else columns)
    ax.set_yticks(range(len(values)), rows)
    ax.yaxis.labelpad = 8
    return ax


def lstm_wiring(numbers: Mapping[str, float], lit: int = 3, ax: Axes | None = None) -> Axes:
    """LSTM 一步的接线图，写着一个单元的真数；上面一条是记忆线，下面三个阀门。第 02 章。

    numbers：c_prev、f、i、g、o、c、h 各一个数。lit 是点亮到第几步：1 遗忘门，2 再加输入门与候选值，
    3 全部；没点亮的画成浅灰，不写数。
    异常：缺一个数，KeyError；lit 不是 1、2、3，ValueError。

    >>> step = {"c_prev": 2, "f": 0.5, "i": 1, "g": -1, "o": 1, "c": 0, "h": 0}
    >>> ax = lstm_wiring(step, lit=1)
    >>> [text.get_text() for text in ax.texts if "0.5" in text.get_text()]
    ['遗忘门\\nf = 0.50']
    >>> plt.close(ax.figure)
    """
    if lit not in (1, 2, 3):
        raise ValueError(f"lit 应为 1、2 或 3，收到 {lit!r}")
    names = ("c_prev", "f", "i", "g", "o", "c", "h")
    c_prev, f, i, g, o, c, h = (float(numbers[name]) for name in names)
    ax = ax or plt.subplots(figsize=(5.4, 4.5))[1]
    ax.set(xlim=(0, 11.2), ylim=(0.4, 8.3), xticks=[], yticks=[])
    ax.grid(False)
    ax.spines[:].set_visible(False)
    dark, inks = "#222222", [ink if lit > k else _PALE for k, ink in enumerate(COLORS[:3])]
    for start, end, step in ((0.1, 1.75, 1), (1.75, 5.1, 1), (5.1, 11.1, 2)):  # 上面的记忆线
        _wire(ax, (start, 7), (end, 7), dark if lit >= step else _PALE, 4)
    ends = {1: (1.75, 6.6), 2: (5.1, 4.6), 3: (8.9, 4.55)}
    for x, name, letter, value, step in ((1.75, "遗忘门", "f", f, 1), (3.95, "输入门", "i", i, 2),
                                         (6.25, "候选值", "g", g, 2), (8.9, "输出门", "o", o, 3)):
        _wire(ax, (x, 1.2), (x, 2.3), inks[step - 1])
        _wire(ax, (x, 3.4), ends[step], inks[step - 1])
        words = f"{name}\n{letter} = {value:.2f}" if step <= lit else name
        _part(ax, x, 2.9, words, inks[step - 1])
    ax.hlines(1.2, 0.1, 8.9, color=dark, lw=1.6)
    for start, end, step in (((5.1, 5.3), (5.1, 6.6), 2), ((8.9, 7), (8.9, 5.3), 3),
                             ((9.3, 4.9), (11.1, 4.9), 3)):
        _wire(ax, start, end, inks[step - 1])
    for x, y, sign, step in ((1.75, 7, "×", 1), (5.1, 7, "+", 2), (5.1, 4.95, "×", 2),
                             (8.9, 4.9, "×", 3), (8.9, 6.1, "tanh", 3)):
        _part(ax, x, y, sign, inks[step - 1], "round" if sign == "tanh" else "circle")
    for x, y, words, ink, step, side in (
            (0.1, 7.75, f"旧记忆 {c_prev:.2f}", dark, 1, "left"),
            (3.45, 6.4, f"留下\n{f * c_prev:.2f}", inks[0], 1, "center"),
            (5.5, 5.85, f"写进\n{i * g:.2f}", inks[1], 2, "left"),
            (11.1, 7.75, f"新记忆 {c:.2f}", dark, 2, "right"),
            (11.1, 4.2, f"h = {h:.2f}", inks[2], 3, "right"),
            (0.1, 0.75, "这一步的输入 $x_t$，上一步的 $h_{t-1}$", dark, 1, "left")):
        if step <= lit:
            ax.text(x, y, words, color=ink, fontsize=14, ha=side, va="center")
    return ax


def token_grid(rows: Sequence[Sequence[str]], pad: str = "<pad>", ax: Axes | None = None) -> Axes:
    """补齐后的一批句子：一格一个词，PAD 是灰格。rows 的形状：(B, T)。

    >>> ax = token_grid([["我", "爱", "猫"], ["好", "<pad>", "<pad>"]])
    >>> [text.get_text() for text in ax.texts]
    ['我', '爱', '猫', '好', 'PAD', 'PAD']
    >>> plt.close(ax.figure)
    """
    n_rows, n_cols = len(rows), len(rows[0])
    if ax is None:
        ax = plt.subplots(figsize=(5.4, 0.75 + 0.44 * n_rows))[1]
    real = np.array([[word != pad for word in row] for row in rows], dtype=float)
    ax.imshow(real, cmap=mpl.colors.ListedColormap(["#DDDDDD", "#CFE4F2"]), vmin=0, vmax=1,
              aspect="auto")
    for i, row in enumerate(rows):
        for j, word in enumerate(row):
            ax.text(j, i, "PAD" if word == pad else word, ha="center", va="center",
                    fontsize=11.5 if len(word) < 4 else 10.5,
                    color="#222222" if word != pad else GREY)
    _cells(ax, n_rows, n_cols)
    ax.set_xticks(range(n_cols), range(n_cols))
    ax.set_yticks(range(n_rows), range(n_rows))
    ax.yaxis.labelpad = ax.xaxis.labelpad = 8
    return ax


def heatmap(values: np.ndarray, ax: Axes | None = None) -> Axes:
    """一格一个数，越亮越大，NaN 处留白；色条由 plt.colorbar(ax.images[0], ax=ax, label=…) 加上。

    values 的形状：(行, 列)。

    >>> ax = heatmap(np.array([[1, 2], [3, 4]]))
    >>> ax.images[0].get_array().tolist()
    [[1, 2], [3, 4]]
    >>> plt.close(ax.figure)
    """
    ax = ax or plt.subplots()[1]
    ax.imshow(values, aspect="auto", interpolation="nearest", cmap="cividis")
    ax.grid(False)
    return ax


def two_directions(words: Sequence[str], forward: np.ndarray, backward: np.ndarray,
                   pad: str = "<pad>", ax: Axes | None = None) -> Axes:
    """双向网络读一句话：下排从左往右读，上排从右往左读，格里写这个隐状态读过几个词、几个 PAD。

    粗框是各方向停下的那一格，即 h_n[-2]（前向）与 h_n[-1]（反向）；什么也没读的格是虚线框。
    forward、backward 的形状都是 (T, 2)：各步读过的真词数、PAD 数。第 08 章。

    >>> ax = two_directions(["我", "<pad>"], [[1, 0], [1, 1]], [[1, 1], [0, 1]])
    >>> [text.get_text() for text in ax.texts if "词" in text.get_text()]
    ['1 词', '1 词\\n1 PAD', '1 词\\n1 PAD']
    >>> plt.close(ax.figure)
    """
    ax = ax or plt.subplots(figsize=(4.6, 3.5))[1]
    for y, counts, step in ((0, np.asarray(forward), 1), (2, np.asarray(backward), -1)):
        read = counts.sum(axis=1) > 0
        end = np.flatnonzero(read)[::step][-1]
        for t, (n_words, n_pads) in enumerate(counts):
            counted = [f"{n} {unit}" for n, unit in ((n_words, "词"), (n_pads, "PAD")) if n]
            _box(ax, t, y, "\n".join(counted), COLORS[0] if n_words else GREY,
                 thick=t == end, empty=not read[t])
            if read[t] and 0 <= t + step < len(words) and read[t + step]:
                ax.annotate("", (t + 0.58 * step, y), (t + 0.42 * step, y),
                            arrowprops={"arrowstyle": "->"})
            if read[t]:
                ax.annotate("", (t, 1 + 0.6 * (y - 1)), (t, 1 + 0.28 * (y - 1)),
                            arrowprops={"arrowstyle": "->", "color": GREY})
        ax.text(end, y - 0.62 * step, "h_n[-2]" if step > 0 else "h_n[-1]",
                ha="center", va="center", color=COLORS[1])
    for t, word in enumerate(words):
        ax.text(t, 1, "PAD" if word == pad else word, ha="center", va="center",
                color=GREY if word == pad else "black")
    ax.set(xlim=(-0.55, len(words) - 0.45), ylim=(-0.85, 2.85), xticks=range(len(words)),
           yticks=(0, 2))
    ax.set_yticklabels(["前向", "反向"])
    ax.grid(False)
    ax.spines[:].set_visible(False)
    ax.tick_params(length=0)
    return ax


def describe(fig: Figure) -> str:
    """图上的文字与数：首行“图：标题”，其后每个子图的轴名与每组数据（三位有效数字）。

    每次运行都不同的：子图的标题或条上的数带着 ≈，它的数据前面也写上 ≈，nbval 就不比。

    >>> use_style()
    >>> fig, ax = plt.subplots()
    >>> _ = ax.plot([1, 2], [0.5, 0.25], label="损失"), ax.set_title("损失在降"), ax.set_xlabel("轮")
    >>> print(describe(fig))
    图：损失在降
    横轴 轮 | 纵轴 —
    线 损失：x=[1 2] y=[0.5 0.25]
    最小的字 12 磅
    >>> plt.close(fig)
    """
    lines = ["图：" + "；".join(t.replace("\n", " ") for t in
                             [fig.get_suptitle(), *map(_title, fig.axes)] if t)]
    for ax in fig.axes:
        lines.append(f"横轴 {ax.get_xlabel() or '—'} | 纵轴 {ax.get_ylabel() or '—'}")
        data, words = list(_data(ax)), [t.get_text() for t in ax.texts if t.get_text()]
        if "≈" in _title(ax) or any(word.startswith("≈") for word in words):
            data = [line.replace("：", "：≈", 1) for line in data]
        lines += data + (["字：" + " ".join(words)] if words else [])
    lines.append(f"最小的字 {_smallest(fig):g} 磅")
    return "\n".join(lines)


def _title(ax: Axes) -> str:
    return ax.get_title("left") or ax.get_title()


def _data(ax: Axes) -> Iterator[str]:
    """画上去的数，一组一行。"""
    for line in ax.get_lines():
        label = line.get_label()
        yield (f"线 {'' if label.startswith('_') else label}："
               f"x={_numbers(line.get_xdata())} y={_numbers(line.get_ydata())}")
    if ax.patches:
        yield f"条：{_patches(ax)}"
    for collection in ax.collections:
        points = np.concatenate([path.vertices for path in collection.get_paths()]
                                or [np.zeros((0, 2))])
        offsets = np.ma.filled(collection.get_offsets(), np.nan)
        yield (f"面：{_numbers(points[:, 1])}" if len(offsets) <= 1
               else f"点：x={_numbers(offsets[:, 0])} y={_numbers(offsets[:, 1])}")
    for image in ax.get_images():
        yield f"格 {image.get_array().shape}：{_numbers(image.get_array())}"


def _smallest(fig: Figure) -> float:
    """图上最小的字有几磅；手机上图缩到约一半宽，太小就读不出了。"""
    return min((t.get_fontsize() for t in fig.findobj(mpl.text.Text)
                if t.get_visible() and t.get_text().strip()), default=0.0)


def _wire(ax: Axes, start: tuple, end: tuple, color: str, width: float = 1.6) -> None:
    ax.annotate("", end, start, arrowprops={"arrowstyle": "-|>", "color": color, "lw": width,
                                            "shrinkA": 0, "shrinkB": 0, "mutation_scale": 15})


def _part(ax: Axes, x: float, y: float, words: str, color: str, shape: str = "round") -> None:
    ax.text(x, y, words, ha="center", va="center", fontsize=14, zorder=5,
            color="#555555" if color == _PALE else "white",
            bbox={"boxstyle": f"{shape},pad=0.2", "facecolor": color, "edgecolor": "white"})


def _cells(ax: Axes, n_rows: int, n_cols: int) -> None:
    """格与格之间留白，不画边框与刻度。"""
    ax.set_xticks(np.arange(n_cols + 1) - 0.5, minor=True)
    ax.set_yticks(np.arange(n_rows + 1) - 0.5, minor=True)
    ax.grid(False)
    ax.grid(which="minor", color="white", linewidth=2)
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)


def _box(ax: Axes, x: float, y: float, words: str, color: str, thick: bool, empty: bool) -> None:
    """一个隐状态画成一个方框，里面写字；空的用虚线框，写 0。"""
    ax.text(x, y, words or "0", ha="center", va="center", linespacing=1.1,
            color=GREY if empty else "white",
            bbox={"boxstyle": "square,pad=0.35", "facecolor": "none" if empty else color,
                  "edgecolor": COLORS[1] if thick else color, "linewidth": 3 if thick else 1,
                  "linestyle": ":" if empty else "-"})


def _patches(ax: Axes) -> str:
    boxes = [p.get_bbox() for p in ax.patches if hasattr(p, "get_bbox")]
    horizontal = len({round(b.x0, 9) for b in boxes}) == 1
    return _numbers([b.x1 if horizontal else b.y1 for b in boxes])


def _numbers(values: object) -> str:
    values = np.ma.filled(np.ma.asarray(values, dtype=float), np.nan).ravel()
    if len(values) <= _LISTED:
        return "[" + " ".join(f"{v:.3g}" for v in values) + "]"
    sampled = values[np.linspace(0, len(values) - 1, 12).astype(int)]
    return (f"{len(values)} 个，均值 {np.nanmean(values):.3g}，最小 {np.nanmin(values):.3g}，"
            f"最大 {np.nanmax(values):.3g}，等距取 {_numbers(sampled)}")


def _label_ends(ax: Axes, x: float, ends: list[tuple[float, str, str]]) -> None:
    """把名字写在线的右端；挤在一起的上下错开。位置按坐标轴的高度算，对数轴也一样。"""
    ax.get_ylim()  # 让 matplotlib 先定下坐标范围，下面的换算才对
    to_fraction = ax.transData + ax.transAxes.inverted()
    ends = sorted(ends)
    heights = [to_fraction.transform((x, value))[1] for value, *_ in ends]
    points = ax.get_window_extent().height * 72 / ax.figure.dpi
    gap = 1.3 * mpl.rcParams["font.size"] / points  # 一行字占坐标轴高的几分之几
    for k in range(1, len(heights)):
        heights[k] = max(heights[k], heights[k - 1] + gap)
    limit = 1.0
    for k in reversed(range(len(heights))):
        heights[k] = limit = min(heights[k], limit)
        limit -= gap
    for height, (_, name, color) in zip(heights, ends, strict=True):
        ax.annotate(name, (x, height), xycoords=("data", "axes fraction"), xytext=(8, 0),
                    textcoords="offset points", color=color, va="center", annotation_clip=False)


def _font_path() -> Path:
    try:
        import pylopdf_fonts_zh_cn
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "没有安装中文字体包，图里的汉字会变成方框；"
            "请运行：python -m pip install pylopdf-fonts-zh-cn==0.1.1") from None
    return pylopdf_fonts_zh_cn.sans_path()
