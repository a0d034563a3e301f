// 展开的圈：一句话一个字一步，同一份权重走完全句；h 画成色条，再看每个字对现在的影响。
// 字的向量与权重都由公式给定，没有随机数，所以与 textseq.rnn 的 forward、influence 逐数相等。
import {
  button, codeBox, control, fixed, make, numberTable, scroller, status, still, textBox, walker, widget,
} from "./_kit.js";
import { range, sum } from "./_math.js";
import { guide } from "./_tour.js";
import { tour } from "./_tour_unrolled_loop.js";

export const spec = {
  "title": "展开的圈",
  "state": {
    "sentence": {
      "label": "句子，一个字一步，可以改", "default": "中华女子学院：本科层次仅1专业招男生", "max_chars": 20
    },
    "rho_percent": {"label": "谱半径 ρ 的一百倍", "default": 50, "min": 0, "max": 150},
    "size_percent": {"label": "输入缩小到百分之几", "default": 100, "min": 5, "max": 100},
    "other": {"label": "把第一个字换成，空着就不换", "default": "", "max_chars": 2},
    "t": {"label": "走到第几步，超过句长就停在最后一步", "default": 0, "min": 0, "max": 19},
    "scale": {"label": "影响的刻度", "default": "log", "choices": {"log": "对数", "share": "份额"}}
  },
  "weights": {
    "W_xh": [[0.3, 0.3, 0.3, 0.3, 0.3, 0.3], [0.3, -0.3, 0.3, -0.3, 0.3, -0.3],
             [0.3, 0.3, -0.3, -0.3, 0.3, 0.3], [0.3, -0.3, -0.3, 0.3, -0.3, 0.3]],
    "b_h": [0.05, -0.05, -0.05, 0.05, -0.05, 0.05]
  }
};

const { W_xh, b_h } = spec.weights;
const H = b_h.length;
const times = (row, W) => W[0].map((_, k) => row.reduce((total, v, j) => total + v * W[j][k], 0));
const across = (W) => W[0].map((_, k) => W.map((row) => row[k])); // 转置
const norm = (M) => Math.hypot(...M.flat());

/** 字的向量 sin(码位 × (√2, √3, √5, √7))：码位挨着的两个字，向量也不相像。 */
export const vector = (char) => [2, 3, 5, 7].map((n) => Math.sin(char.codePointAt(0) * Math.sqrt(n)));

/** ρ 乘一个正交阵：每个数挪到下一格，再减去全体之和的 1/3；特征值的模全是 ρ。 */
export const recurrent = (rho) => range(H).map((i) =>
  range(H).map((j) => rho * ((j === (i + 1) % H ? 1 : 0) - 1 / 3)));

/** ‖∂h_t/∂x_s‖（Frobenius 范数），s 从 0 到 t：从 s = t 往回走，每步先过 tanh，再乘一次 W_hh。 */
function influenceAt(t, h, toInput, toPast) {
  const norms = [];
  let dh = range(H).map((i) => range(H).map((j) => Number(i === j))); // ∂h_t/∂h_s
  for (let s = t; s >= 0; s--) {
    const da = dh.map((row) => row.map((v, k) => v * (1 - h[s][k] ** 2)));
    norms[s] = norm(da.map((row) => times(row, toInput)));
    dh = da.map((row) => times(row, toPast));
  }
  return norms;
}

/** 一句话的各步隐状态；size 是输入缩小到几分之几。 */
function forward(chars, W_hh, size) {
  const h = [];
  for (const char of chars) {
    const loop = times(h.at(-1) ?? Array(H).fill(0), W_hh);
    h.push(times(vector(char), W_xh).map((a, k) => Math.tanh(size * a + loop[k] + b_h[k])));
  }
  return h;
}

/** 前向与影响：h[t] 是第 t 步的隐状态，influence[s] = ‖∂h_t/∂x_s‖，t 是眼前这一步。
 *  第一个字换成 other，再跑一遍：gap[t] 是两次的 h_t 之差；没有换就没有。 */
export function run({ sentence, rho_percent, size_percent = 100, other = "", t }) {
  const [W_hh, size] = [recurrent(rho_percent / 100), size_percent / 100];
  const [chars, [char]] = [[...sentence], other];
  const h = forward(chars, W_hh, size);
  const again = char && forward([char, ...chars.slice(1)], W_hh, size);
  const gap = again && h.map((row, t) => row.map((v, k) => again[t][k] - v));
  const influence = t in chars ? influenceAt(t, h, across(W_xh), across(W_hh)) : [0];
  return { chars, h, influence, W_hh, char, gap };
}

/** 算出同一组数的 Python 代码。 */
export function numpyCode({ sentence, rho_percent, size_percent = 100, other = "", t }) {
  const list = (row) => `[${row.join(", ")}]`;
  const scale = size_percent === 100 ? "" : `${size_percent / 100} * `;
  const [char] = other;
  const changed = char && JSON.stringify([char, ...[...sentence].slice(1)].join(""));
  return `import numpy as np
from textseq import rnn

def vectors(sentence):                                    # (1, T, D)
    codes = [ord(char) for char in sentence]
    return ${scale}np.sin(np.outer(codes, np.sqrt([2, 3, 5, 7])))[None]

x = vectors(${JSON.stringify(sentence)})
params = {"W_xh": np.array([${W_xh.map(list).join(`,\n${" ".repeat(27)}`)}]),
          "W_hh": ${rho_percent / 100} * (np.roll(np.eye(6), 1, axis=1) - 1 / 3),
          "b_h": np.array(${list(b_h)})}
run = rnn.forward(x, params)
h = run.h[0]                                              # (T, H)
influence = rnn.influence(run, rnn.backward)[${t}]${" ".repeat(t > 9 ? 10 : 11)}# (T,)`
    + (changed ? `\ngap = rnn.forward(vectors(${changed}), params).h[0] - h` : "");
}

const percentOf = (v) => `${Math.round(100 * Math.min(1, Math.abs(v)))}%`;
const colour = (v) => `color-mix(in srgb, var(--${v < 0 ? "B" : "T"}) ${percentOf(v)}, var(--paper))`;
const cells = (values) =>
  values.map((v) => make("i", { style: `background: ${colour(v)}`, title: v.toFixed(3) }));
const shown = (char) => (char.trim() ? char : "␣");

/** 0.031、6.4×10⁻⁷：太小的数用科学记数法。 */
function plain(v) {
  if (v === 0) return "0";
  if (v >= 0.001) return v.toFixed(v < 0.1 ? 4 : 2);
  const [digits, power] = v.toExponential(1).split("e");
  return `${digits}×10${[...power].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`;
}

/** 百分数：小的留两位有效数字。前面有个空格，与汉字隔开。 */
function percent(v) {
  if (v > 0 && v < 0.0001) return "不到 0.01%";
  return ` ${v < 0.1 ? Number((100 * v).toPrecision(2)) : Math.round(100 * v)}%`;
}

const AXES = { // 格线上的值，从上往下，等距
  log: { ticks: ["10²", "1", "10⁻²", "10⁻⁴", "10⁻⁶", "10⁻⁸"], height: (v) => (Math.log10(v) + 8) / 10 },
  share: { ticks: ["100%", "80%", "60%", "40%", "20%", "0"], height: (v, all) => v / all },
};

/** 卷起来的样子：一个字进来，h 绕一圈回到自己。 */
function loopPicture({ chars, h }, t, rho) {
  const bar = h[t].map((v, k) => make("svg:rect", { x: 80, y: 42 + 14 * k, width: 28, height: 13, rx: 2,
    stroke: "var(--line)", style: `fill: ${colour(v)}` }));
  const path = (d, stroke, width, fill = "none") =>
    make("svg:path", { d, stroke, fill, "stroke-width": width });
  const label = (x, y, fill, words) => make("svg:text", { x, y, fill, "text-anchor": "middle" }, words);
  const loop = "M110 84C172 84 166 20 94 20C22 20 18 84 66 84";
  return make("svg:svg", { viewBox: "0 0 188 176", role: "img",
    "aria-label": "卷起来的圈：x_t 经 W_xh 进入 h_t，h 经 W_hh 绕回自己" },
  path(loop, "var(--H)", Math.max(0.01, 4 * rho)), path("M66 77l12 7l-12 7z", "none", 0, "var(--H)"),
  label(94, 12, "var(--H)", "W_hh"), ...bar, label(132, 122, "var(--ink)", `h_${t}`),
  path("M94 152v-18", "var(--D)", 3), path("M87 138l7 -10l7 10z", "none", 0, "var(--D)"),
  label(122, 148, "var(--D)", "W_xh"), label(94, 169, "var(--ink)", shown(chars[t])));
}

/** 一个权重矩阵，一格一个数。 */
const matrix = (colourName, label, W, shape) => make("figure", { style: `color: var(--${colourName})` },
  make("div.matrix", { role: "img", "aria-label": label }, ...cells(W.flat())),
  make("figcaption.num", {}, shape));

function matrices(W_hh, rho) {
  return make("div.pair", {},
    matrix("H", `W_hh：${H} 行 ${H} 列，ρ = ${rho}`, W_hh, "W_hh (H, H)"),
    matrix("D", `W_xh：4 行 ${H} 列`, W_xh, "W_xh (D, H)"));
}

/** 左边的轴：各行是什么，柱子的刻度。 */
function sideAxis(ticks, gap) {
  const strip = (name) => make("div.num", { style: "height: 95px" }, name);
  return make("div.side", {}, strip("h_t"), ...(gap ? [strip("差")] : []),
    make("div.num", { style: "height: 45px; padding-top: 16px" }, "x_t"),
    make("div", { style: "height: 20px" }, "时间步 t"),
    make("div.ticks", {}, ...ticks.map((tick, i) => make("span", { style: `top: ${30 * i}px` }, tick))));
}

/** 影响的柱子；太矮的画点线，没有影响、还没读到的不画。 */
function influenceBar(row, s, height) {
  if (!row[s]) return [];
  const share = Math.min(1, height(row[s], sum(row)));
  return [share > 0.004 ? make("i", { style: `height: ${100 * share}%` }) : make("i.under")];
}

/** 第 s 步相对现在这一步的类名。 */
function whenOf(s, t) {
  if (s === t) return ".now";
  return s > t ? ".later" : "";
}

/** 展开的一列：第 s 步的 h、字、影响；t 以后的还没读到。 */
function column({ chars, h, influence, gap }, t, s, height, go) {
  const later = s > t;
  const strip = (rows) => make("div.strip", {}, ...(later ? range(H).map(() => make("i")) : cells(rows[s])));
  const tip = later ? `第 ${s} 步：还没读到`
    : `h_${s} = (${h[s].map((v) => v.toFixed(2)).join(", ")})\n‖∂h_${t}/∂x_${s}‖ = ${plain(influence[s])}`;
  return make(`div.step${whenOf(s, t)}`, { onclick: () => go(s), title: tip },
    strip(h), ...(gap ? [strip(gap)] : []),
    make("div.up"), make("div.char", {}, shown(chars[s])), make("div.index.num", {}, String(s)),
    make("div.bar", {}, ...influenceBar(influence, s, height)));
}

/** 离现在每远一步，影响平均乘多少；只有一步、没有影响的，没有这个数。 */
const pace = (row) =>
  (row.length > 1 && row[0] ? (row[0] / row.at(-1)) ** (1 / (row.length - 1)) : undefined);

/** 第一个字的影响，说成一句话。 */
function summary({ chars, influence, char, gap }, t) {
  const [first, all, step] = [influence[0], sum(influence), pace(influence)];
  const [before, now] = [0, t].map((s) => gap && plain(norm(gap[s])));
  const each = step ? `离现在每远一步，平均乘 ${step.toFixed(2)}。` : "";
  return `第 0 步的“${shown(chars[0])}”对 h_${t} 的影响 ‖∂h_${t}/∂x_0‖ = ${plain(first)}，`
    + `占全部 ${t + 1} 个字的${percent(first / all)}。${each}`
    + (gap ? `把它换成“${shown(char)}”：h_0 差 ${before}，h_${t} 差 ${now}。` : "");
}

const influenceTable = ({ chars, h, influence, gap }, t) => numberTable(
  ["s", "字", ...range(H).map((k) => `h_s[${k}]`), ...(gap ? ["差的长度"] : []), `‖∂h_${t}/∂x_s‖`],
  range(t + 1).map((s) => [s, shown(chars[s]), ...h[s].map((v) => v.toFixed(3)),
    ...(gap ? [plain(norm(gap[s]))] : []), plain(influence[s])]));

/** 正文：卷起来的圈、展开的图、数表、代码；draw 把它们画成眼前的状态。 */
function pictures(piece, arrows) {
  const [one, unrolled] = [make("div.one"), make("div.unrolled")];
  const [numbers, more] = [scroller("h 与影响的数"), moreControls(piece)];
  const code = codeBox("算出同一组数的 Python 代码");
  const wide = scroller("展开的图；左右方向键走一步", "div.wide");
  wide.addEventListener("keydown", arrows);
  wide.append(unrolled);
  const body = make("div", { style: `--hidden: ${H}` },
    make("p.key.soft", {}, "展开：一步一列，从左往右；h 的每个数：−1", make("i"), "+1"),
    wide, more.node,
    make("p.soft", {}, "柱子是每个字对现在这个 h_t 的影响：x_s 稍微一动，h_t 跟着动多少。"
      + "每往回一步，乘一次 W_hh，再乘一次 tanh 的斜率；斜率不超过 1。点线是太矮、画不出的柱子。"),
    make("h3", {}, "卷起来：全句只有这一份权重"), one,
    make("details", {}, make("summary", {}, "看数字"), numbers), code.node);

  function draw(result, state, rho) {
    const { t } = state;
    const { ticks, height } = AXES[piece.get("scale")];
    one.replaceChildren(loopPicture(result, t, rho), matrices(result.W_hh, rho),
      make("p.soft", {}, "上图每个紫色箭头都是这张 W_hh，每条绿线都是这张 W_xh。"
        + "ρ 是 W_hh 的谱半径，箭头的粗细就是它。"));
    more.draw(state.size_percent);
    unrolled.style.setProperty("--rho", rho);
    unrolled.replaceChildren(sideAxis(ticks, result.gap),
      ...range(result.chars.length).map((s) => column(result, t, s, height, (to) => piece.change("t", to))));
    numbers.replaceChildren(influenceTable(result, t));
    code.pre.textContent = numpyCode(state);
  }
  return { body, draw };
}

/** 播放：从现在走到头，已经到头就从第一步走起；不要动画的读者，一下走到头。 */
function playButton(piece, now, last) {
  let timer = 0;
  const node = button("", () => (timer ? stop() : start()), "button.play");
  const go = (t) => piece.change("t", t);
  function show(sign, name) {
    node.textContent = sign;
    node.setAttribute("aria-label", name);
    node.title = name;
  }
  function stop() {
    clearInterval(timer);
    timer = 0;
    show("▶", "播放");
  }
  function start() {
    if (now() >= last()) go(0);
    if (still()) return go(last());
    show("■", "停");
    timer = setInterval(() => (now() < last() ? go(now() + 1) : stop()), 500);
  }
  stop();
  piece.own(stop);
  return node;
}

function slide(piece, key, label, step) {
  const { min, max } = piece.spec.state[key];
  return make("input", { type: "range", min, max, step, "aria-label": label, value: piece.get(key),
    oninput: (event) => piece.change(key, Number(event.target.value)) });
}

/** 图下面的几个控件：输入的大小、换掉第一个字、影响的刻度。 */
function moreControls(piece) {
  const other = textBox(piece, "other", "input", { type: "text", "aria-label": "把第一个字换成" });
  const [name, size] = [make("span.name"), slide(piece, "size_percent", "输入的大小", 5)];
  const node = make("div.fields", {}, make("div.field", { "data-key": "size_percent" }, name, size),
    make("label.field.other", { "data-key": "other" },
      make("span.name", {}, "把第一个字换成，看后面差多少；空着就不换"), other),
    control(piece, "scale"));
  function draw(percent) {
    size.value = percent;
    size.setAttribute("aria-valuetext", `${percent}%`);
    name.replaceChildren("输入的大小 ", make("b.num", {}, `${percent}%`));
  }
  return { node, draw };
}

/** 上面的几个控件；draw 把它们画成眼前的状态。 */
function controls(piece, step, play) {
  const text = textBox(piece, "sentence", "input", { type: "text", "aria-label": "句子" });
  const [time, rho] = [slide(piece, "t", "时间步 t", 1), slide(piece, "rho_percent", "谱半径 ρ", 5)];
  const [timeName, rhoName] = [make("span.name"), make("span.name")];
  const node = make("div.fields.first", {},
    make("label.field.wide", {}, make("span.name", {}, "句子，一个字一步，可以改"), text),
    make("div.field", { "data-key": "t" }, timeName, step("上一步", -1), time, step("下一步", 1), play),
    make("div.field", { "data-key": "rho_percent" }, rhoName, rho));
  function draw({ sentence, rho_percent, t }) {
    const chars = [...sentence];
    const rhoText = `ρ = ${fixed(rho_percent / 100)}`;
    time.max = Math.max(0, chars.length - 1);
    time.value = t;
    rho.value = rho_percent;
    timeName.replaceChildren("时间步 ", make("b.num", {}, `t = ${t}`));
    rhoName.replaceChildren("W_hh 的谱半径 ", make("b.num", {}, rhoText));
    rho.setAttribute("aria-valuetext", rhoText);
    time.setAttribute("aria-valuetext", `t = ${t}，${chars[t] ?? "没有字"}`);
  }
  return { node, draw };
}

/** 导览看的：走到哪里，第一个字与眼前这个字的影响，换掉第一个字差多少。 */
function tourLook(state) {
  const { chars, influence, gap } = run(state);
  return { ...state, last: chars.length - 1, now: chars[state.t], gap: gap?.map((d) => plain(norm(d))),
    first: plain(influence[0]), own: plain(influence.at(-1)), pace: pace(influence)?.toFixed(2) };
}

export default widget(spec, (piece) => {
  const last = () => [...piece.get("sentence")].length - 1;
  const { now, arrows, step } = walker(piece, "t", last);
  const [top, note] = [controls(piece, step, playButton(piece, now, last)), status()];
  const { body, draw: drawBody } = pictures(piece, arrows);

  const trip = guide(piece, tour, () => tourLook({ ...piece.state(), t: now() }));

  function draw() {
    const state = { ...piece.state(), t: now() };
    top.draw(state);
    body.hidden = !state.sentence;
    if (body.hidden) {
      note.textContent = "还没有字；请在上面写一句。";
      return;
    }
    const result = run(state);
    note.textContent = summary(result, state.t);
    drawBody(result, state, state.rho_percent / 100);
  }

  piece.show("先播放一遍，再猜：把 ρ 从 0.5 拖到 1.5，第一个字的影响怎么变？",
    ...trip.nodes, top.node, note, body);
  piece.on("change", draw);
  draw();
});
