"""`{journey}` 指令：把一条标题从字到标签的旅程画成内嵌 SVG，建书时现算。

分词、词表、补齐用的就是课里的 textseq；词向量是固定种子的随机数，RNN 没有训练过。
只用 NumPy 和 jieba，因此建书不需要 torch。单独运行本文件，重画 README 用的 _static/journey.svg。
"""

import re
from html import escape
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from docutils import nodes
from docutils.parsers.rst import Directive

from textseq.sequences import pad_sequences
from textseq.text import tokenize
from textseq.vocab import Vocab

HEADLINES = ["中华女子学院：本科层次仅1专业招男生", "明天有雨气温下降6度", "周末球队主场迎战"]
LABELS, TRUTH = ["财经", "教育", "体育", "娱乐"], "教育"
MAX_L, D, H = 12, 4, 5
WIDTH, LEFT, COL = 372, 30, 28   # SVG 的宽、左边距、一个时刻的列宽

DRAWING = """svg{font-size:12px;fill:currentColor}
rect{fill:none;stroke:currentColor;stroke-opacity:.35}
path{stroke:currentColor;fill:none;stroke-opacity:.6}
.pad{stroke-dasharray:2 2}
.mono{font-size:11px;font-family:var(--pst-font-family-monospace,ui-monospace,monospace)}
.dim{opacity:.72}
.plus{fill:#d9730d;stroke:none}
.minus{fill:#2f7fd1;stroke:none}
.edge{stroke-opacity:.2}
.chosen{stroke-opacity:1;stroke-width:1.6}
.truth{fill:#d9730d;stroke:none}
.other{fill:currentColor;fill-opacity:.35;stroke:none}"""
# 网页：一步一行，宽屏左文右图，窄屏上文下图
PAGE = """.journey{list-style:none;margin:1.5rem 0;padding:0}
.journey li{display:flex;flex-wrap:wrap;gap:.4rem 1.5rem;align-items:center;
 margin:0;padding:.9rem 0;border-top:1px solid var(--pst-color-border,#8886)}
.journey .say{flex:1 1 11rem}
.journey .say p{margin:0;line-height:1.6}
.journey .say .name{font-weight:600}
.journey .say code{white-space:nowrap;font-weight:400}
.journey svg{flex:0 1 27rem;min-width:0;height:auto}
"""
# 单独的图（README 用）：自带底色，看图的页面是明是暗都清楚
POSTER = ("svg{color:#1f2430;background:#fff;font-family:system-ui,'PingFang SC',"
          "'Microsoft YaHei','Noto Sans CJK SC',sans-serif}.name{font-weight:600}")


def run():
    """走完七步，返回每一步的结果。形状：ids (B, T)，x (B, T, D)，h (B, T, H)，p (C,)。"""
    words = [tokenize(title) for title in HEADLINES]
    vocab = Vocab.build(words)
    ids = pad_sequences([vocab.encode(title) for title in words], MAX_L)

    rng = np.random.default_rng(8)
    table = rng.normal(0, 0.6, (len(vocab), D))
    table[0] = 0                                  # <pad> 的向量固定为 0
    W_xh, W_hh = rng.normal(0, 0.6, (D, H)), rng.normal(0, 0.5, (H, H))
    W_hy = rng.normal(0, 0.3, (H, len(LABELS)))
    x, h = table[ids], np.zeros((len(words), MAX_L + 1, H))
    for t in range(MAX_L):
        h[:, t + 1] = np.tanh(x[:, t] @ W_xh + h[:, t] @ W_hh)
    last = h[0, len(words[0])]                    # 最后一个真词之后的隐状态，不是 PAD 之后的
    score = np.exp(last @ W_hy)
    p = score / score.sum()
    return SimpleNamespace(words=words, vocab=vocab, ids=ids, x=x, h=h[:, 1:], p=p)


def text(x, y, s, cls="", anchor="middle"):
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" class="{cls}">{escape(str(s))}</text>'


def rect(x, y, w, h, cls="", opacity=1.0):
    fade = "" if opacity == 1 else f' fill-opacity="{opacity:.2f}"'
    return f'<rect x="{x:g}" y="{y:g}" width="{w:g}" height="{h:g}" rx="2" class="{cls}"{fade}/>'


def svg(name, say, height, parts):
    return (f'<svg viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" role="img">'
            f'<title>{escape(name)}</title><desc>{escape(say)}</desc>{"".join(parts)}</svg>')


def draw_words(words):
    """每个字占一样宽，一个词一个框，词与词之间留缝。"""
    step = (WIDTH - 2) / sum(map(len, words))
    parts, at = [], 1.0
    for word in words:
        parts.append(rect(at + 1, 4, step * len(word) - 2, 24))
        parts += [text(at + step * (i + .5), 20.5, c) for i, c in enumerate(word)]
        at += step * len(word)
    return parts


def draw_row(y, ids, words=None):
    """一行编号，PAD 画虚线框；给了 words 就把词写在编号上方。"""
    parts = []
    for t, i in enumerate(ids):
        x = LEFT + t * COL
        box, ink = ("pad", "mono dim") if i == 0 else ("", "mono")
        parts += [rect(x + 1, y, COL - 2, 22, box), text(x + COL / 2, y + 15, i, ink)]
        if words and t < len(words):
            parts.append(text(x + COL / 2, y - 7, words[t]))
    return parts


def draw_strips(values, y, letter):
    """values (T, N)：一列一个时刻，橙为正、蓝为负，越浓绝对值越大。"""
    parts, size = [], 15
    peak = np.abs(values).max()
    for t, column in enumerate(values):
        for n, v in enumerate(column):
            box = (LEFT + t * COL + 2, y + n * size, COL - 4, size - 1)
            parts += [rect(*box, "plus" if v > 0 else "minus", abs(v) / peak), rect(*box, "edge")]
    return [text(0, y + values.shape[1] * size / 2 + 4, letter, "mono", "start"), *parts]


def draw_loop(y, steps):
    """隐状态一列传一列的箭头。"""
    return [f'<path d="M{LEFT + t * COL + 20} {y} q8 -9 15 -1 m-4 -2 l4 2 l0 -5"/>'
            for t in range(steps - 1)]


def draw_bars(p):
    parts = []
    for c, (label, value) in enumerate(zip(LABELS, p, strict=True)):
        y, kind = 4 + 24 * c, "truth" if label == TRUTH else "other"
        parts += [text(0, y + 13, label, "", "start"), rect(34, y, 230 * value / p.max(), 17, kind),
                  text(40 + 230 * value / p.max(), y + 13, f"{value:.2f}", "mono", "start")]
    return parts


def stages(r):
    """七步：名字，一句话，形状，图高，图。"""
    words, n, T = r.words[0], len(r.words[0]), MAX_L
    chars = list(HEADLINES[0])
    B = len(r.words)
    matrix = [p for b, row in enumerate(r.ids) for p in
              [text(0, 19 + 27 * b, f"b={b}", "mono", "start"), *draw_row(4 + 27 * b, row)]]
    top = [text(LEFT + COL * (t + .5), 13, w) for t, w in enumerate(words)]
    top.append(text(LEFT + COL * (n + .5), 13, "PAD", "mono dim"))
    last = rect(LEFT + COL * (n - 1), 16, COL, 15 * H + 3, "chosen")
    pad = f"补上 {T - n} 个 PAD（编号 0）"
    return [
        ("字", f"标题原样，{len(chars)} 个字符。", "", 32, draw_words(chars)),
        ("词", f"jieba 切成 {n} 个词，标点也占一个。", "", 32, draw_words(words)),
        ("编号", f"查词表。三条标题的词表有 {len(r.vocab)} 项：0 是补齐，1 是没见过的词。",
         f"(T,) = ({n},)", 46, draw_row(22, r.ids[0, :n], words)),
        ("补齐的矩阵", f"{B} 条标题长短不一，补到 max_L = {T}；第一条{pad}。",
         f"(B, T) = ({B}, {T})", 86, matrix),
        ("向量", f"每个编号换成词向量表里的一行，{D} 个数；PAD 那一行全是 0。",
         f"(B, T, D) = ({B}, {T}, {D})", 82, top + draw_strips(r.x[0], 20, "x")),
        ("隐状态", f"从左到右读，每一步把新词并进 {H} 个数的隐状态。"
                   "PAD 那一步没有新词，隐状态却还在变。",
         f"(B, T, H) = ({B}, {T}, {H})", 96, [*draw_loop(13, T), *draw_strips(r.h[0], 18, "h"), last]),
        ("标签", f"取第 {n} 个词之后的隐状态（上图粗框），算出各类的概率。"
                 f"网络还没训练，这些概率说明不了什么；训练要做的，是让“{TRUTH}”那一条变长。",
         f"(C,) = ({len(LABELS)},)", 100, draw_bars(r.p)),
    ]


def page():
    """网页里的图：七步的 HTML 列表。"""
    rows = []
    for k, (name, say, shape, height, parts) in enumerate(stages(run()), 1):
        code = f" <code>{shape}</code>" if shape else ""
        rows.append(f'<li><div class="say"><p class="name">{k}. {name}{code}</p>'
                    f'<p>{escape(say)}</p></div>{svg(name, say, height, parts)}</li>')
    scoped = PAGE + re.sub(r"^(?=\S)", ".journey ", DRAWING, flags=re.M)
    return f'<style>{scoped}</style><ol class="journey">{"".join(rows)}</ol>'


def poster():
    """单独的 SVG：七步从上到下叠成一张。"""
    y, rows = 10, []
    for k, (name, say, shape, height, parts) in enumerate(stages(run()), 1):
        rows += [text(16, y + 14, f"{k}. {name}", "name", "start"),
                 text(WIDTH + 16, y + 14, shape, "mono dim", "end"),
                 f'<g transform="translate(16 {y + 24})"><title>{escape(say)}</title>',
                 *parts, "</g>"]
        y += height + 40
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH + 32} {y}" '
            f'width="{WIDTH + 32}" height="{y}"><style>{POSTER}{DRAWING}</style>{"".join(rows)}</svg>\n')


class Journey(Directive):
    def run(self):
        return [nodes.raw("", page(), format="html")]


def setup(app):
    app.add_directive("journey", Journey)
    return {"version": "1", "parallel_read_safe": True}


if __name__ == "__main__":
    (Path(__file__).parents[1] / "_static" / "journey.svg").write_text(poster(), encoding="utf-8")
