// 展开的圈：一句话一个字一步，同一份权重走完全句；h 画成色条，再看每个字对现在的影响。
// 字的向量与权重都由公式给定，没有随机数，所以与 textseq.rnn、gradcheck.influence 逐数相等。
import { codeBox, control, make, numberTable } from "./_kit.js";

export const spec = {
  "title": "展开的圈",
  "state": {
    "sentence": {"label": "句子，一个字一步，可以改", "default": "中华女子学院：本科层次仅1专业招男生", "max_chars": 20},
    "rho_percent": {"label": "谱半径 ρ 的一百倍", "default": 50, "min": 0, "max": 150},
    "t": {"label": "走到第几步，超过句长就停在最后一步", "default": 19, "min": 0, "max": 19},
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
const range = (n) => Array.from({ length: n }, (_, i) => i);
const times = (row, W) => W[0].map((_, k) => row.reduce((sum, v, j) => sum + v * W[j][k], 0));
const across = (W) => W[0].map((_, k) => W.map((row) => row[k])); // 转置
const norm = (M) => Math.hypot(...M.flat());

/** 字的向量 sin(码位 × (√2, √3, √5, √7))：码位挨着的两个字，向量也不相像。 */
export const vector = (char) => [2, 3, 5, 7].map((n) => Math.sin(char.codePointAt(0) * Math.sqrt(n)));

/** ρ 乘一个正交阵：每个数挪到下一格，再减去全体之和的 1/3；特征值的模全是 ρ。 */
export const recurrent = (rho) => range(H).map((i) =>
  range(H).map((j) => rho * ((j === (i + 1) % H ? 1 : 0) - 1 / 3)));

/** 前向与影响：h[t] 是第 t 步的隐状态，influence[t][s] = ‖∂h_t/∂x_s‖（Frobenius 范数）。 */
export function run({ sentence, rho_percent }) {
  const W_hh = recurrent(rho_percent / 100);
  const chars = [...sentence];
  const h = [];
  for (const char of chars) {
    const loop = times(h.at(-1) ?? Array(H).fill(0), W_hh);
    h.push(times(vector(char), W_xh).map((a, k) => Math.tanh(a + loop[k] + b_h[k])));
  }
  const [toInput, toPast] = [across(W_xh), across(W_hh)];
  const influence = chars.map((_, t) => {
    const norms = [];
    let dh = range(H).map((i) => range(H).map((j) => Number(i === j))); // ∂h_t/∂h_s，从 s = t 往回走
    for (let s = t; s >= 0; s--) {
      const da = dh.map((row) => row.map((v, k) => v * (1 - h[s][k] ** 2)));
      norms[s] = norm(da.map((row) => times(row, toInput)));
      dh = da.map((row) => times(row, toPast));
    }
    return norms;
  });
  return { chars, h, influence, W_hh };
}

/** 算出同一组数的 Python 代码。 */
export function numpyCode({ sentence, rho_percent, t }) {
  const list = (row) => `[${row.join(", ")}]`;
  return `import numpy as np
from textseq import gradcheck, rnn

codes = [ord(char) for char in ${JSON.stringify(sentence)}]
x = np.sin(np.outer(codes, np.sqrt([2, 3, 5, 7])))[None]  # (1, T, D)
params = {"W_xh": np.array([${W_xh.map(list).join(`,\n${" ".repeat(27)}`)}]),
          "W_hh": ${rho_percent / 100} * (np.roll(np.eye(6), 1, axis=1) - 1 / 3),
          "b_h": np.array(${list(b_h)})}
run = rnn.forward(x, params)
h = run.h[0]                                              # (T, H)
influence = gradcheck.influence(run, rnn.backward)[${t}]${" ".repeat(t > 9 ? 4 : 5)}# (T,)`;
}

const CSS = `
  input[type="text"] { width: 100%; height: 38px; padding: 0 10px; background: var(--paper); border: 1px solid var(--edge); border-radius: 6px; }
  .name b { color: var(--ink); font-weight: 600; }
  legend code { display: none; } /* 这里的控件都只写中文名 */
  .field button { padding: 0 11px; }
  .one { display: flex; flex-wrap: wrap; align-items: center; gap: 12px 26px; }
  .one svg { width: 176px; margin: 0; flex: none; }
  .one svg text { font-size: 13px; }
  .one > p { flex: 1 1 170px; margin: 0; }
  .pair { display: flex; align-items: flex-start; gap: 18px; }
  .matrix { display: grid; grid-template-columns: repeat(${H}, 17px); grid-auto-rows: 17px; gap: 2px; padding: 5px; width: max-content; border: 2px solid; border-radius: 6px; }
  figure { margin: 0; }
  figcaption { font-size: 13px; margin-top: 4px; }
  i { display: block; }
  .unrolled { display: flex; --gap: clamp(5px, 2cqw, 14px); }
  .wide { container-type: inline-size; border-radius: 6px; }
  .step { flex: 1 1 0; max-width: 58px; min-width: 0; text-align: center; padding-left: var(--gap); cursor: pointer; }
  .strip { position: relative; display: grid; grid-auto-rows: 15px; gap: 1px; border-radius: 4px; outline: 1px solid var(--line); }
  .strip i:first-child { border-radius: 4px 4px 0 0; } .strip i:last-child { border-radius: 0 0 4px 4px; }
  .step.later .strip { outline-style: dashed; }
  .step.now .strip { outline: 2px solid var(--ink); outline-offset: 1px; }
  .step:not(.later) + .step:not(.later) .strip::before {
    content: ""; position: absolute; right: calc(100% + 1px); top: 50%; transform: translateY(-50%); background: var(--H);
    width: calc(var(--gap) - 2px); height: calc(var(--rho) * var(--gap) * .85);
    clip-path: polygon(0 30%, 40% 30%, 40% 0, 100% 50%, 40% 100%, 40% 70%, 0 70%);
  }
  .up { width: 2px; height: 12px; margin: 4px auto 2px; background: var(--D); }
  .char { line-height: 27px; border-radius: 5px; background: var(--tint); white-space: pre; }
  .later .up { background: var(--line); } .later .char { color: var(--soft); }
  @container (max-width: 420px) { .char { font-size: 13px; margin: 0 calc(var(--gap) / -2); } }
  @container (max-width: 420px) { .step:nth-child(odd):not(.now) .index { visibility: hidden; } } /* 两位数挨不下，隔一个写一个 */
  .now .char { background: var(--accent); color: var(--on-accent); }
  .index { font-size: 11.5px; line-height: 20px; color: var(--soft); letter-spacing: -.04em; white-space: nowrap; }
  .bar { position: relative; height: 151px; margin: 10px 0 8px calc(-1 * var(--gap)); padding-left: var(--gap); }
  .bar { background: repeating-linear-gradient(var(--line) 0 1px, transparent 1px 30px); border-bottom: 1px solid var(--edge); }
  .bar i { position: absolute; bottom: 0; left: var(--gap); right: 0; background: var(--accent); border-radius: 3px 3px 0 0; }
  .bar i.under { height: 3px; background: none; border-bottom: 3px dotted var(--soft); border-radius: 0; }
  .side { flex: none; width: 46px; font-size: 12.5px; color: var(--soft); }
  .side > div { display: flex; align-items: center; white-space: nowrap; }
  .ticks { position: relative; height: 151px; margin-top: 10px; }
  .ticks span { position: absolute; right: 6px; transform: translateY(-50%); line-height: 15px; font-size: 12px; }
  .key { margin: 4px 0 10px; }
  .key i { display: inline-block; width: 110px; height: 11px; margin: 0 6px; border-radius: 3px; outline: 1px solid var(--line);
    background: linear-gradient(90deg, var(--B), var(--paper), var(--T)); }
`;
const colour = (v) => `color-mix(in srgb, var(--${v < 0 ? "B" : "T"}) ${Math.round(100 * Math.abs(v))}%, var(--paper))`;
const cells = (values) => values.map((v) => make("i", { style: `background: ${colour(v)}`, title: v.toFixed(3) }));
const shown = (char) => (char.trim() ? char : "␣");

/** 0.031、6.4×10⁻⁷：太小的数用科学记数法。 */
function plain(v) {
  if (v === 0) return "0";
  if (v >= 0.001) return v.toFixed(v < 0.1 ? 4 : 2);
  const [digits, power] = v.toExponential(1).split("e");
  return `${digits}×10${[...power].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`;
}
const percent = (v) => (v > 0 && v < 0.0001 ? "不到 0.01%"
  : ` ${v < 0.1 ? Number((100 * v).toPrecision(2)) : Math.round(100 * v)}%`);
const AXES = { // 格线上的值，从上往下，等距
  log: { ticks: ["10²", "1", "10⁻²", "10⁻⁴", "10⁻⁶", "10⁻⁸"], height: (v) => (Math.log10(v) + 8) / 10 },
  share: { ticks: ["100%", "80%", "60%", "40%", "20%", "0"], height: (v, sum) => v / sum },
};

function render({ model, el }) {
  const change = (key, value) => { model.set(key, value); model.save_changes(); };
  const last = () => [...model.get("sentence")].length - 1;
  const now = () => Math.max(0, Math.min(model.get("t"), last()));
  const walk = (by) => change("t", Math.max(0, Math.min(now() + by, last())));
  const arrows = (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) { walk(by); event.preventDefault(); }
  };
  const text = make("input", { type: "text", maxlength: spec.state.sentence.max_chars, spellcheck: "false",
    "aria-label": "句子", oninput: () => change("sentence", text.value) });
  text.value = model.get("sentence");
  const slide = (key, label, step) => make("input", { type: "range", min: 0, max: spec.state[key].max, step,
    "aria-label": label, value: model.get(key), oninput: (event) => change(key, Number(event.target.value)) });
  const [time, rho] = [slide("t", "时间步 t", 1), slide("rho_percent", "谱半径 ρ", 5)];
  const button = (label, by) => make("button", { type: "button", onclick: () => walk(by), onkeydown: arrows }, label);
  const [timeName, rhoName] = [make("span.name"), make("span.name")];
  const note = make("p", { role: "status" });
  const [one, unrolled] = [make("div.one"), make("div.unrolled")];
  const numbers = make("div.scroll", { tabindex: 0, role: "group", "aria-label": "h 与影响的数" });
  const code = codeBox("算出同一组数的 Python 代码");

  /** 卷起来的样子：一个字进来，h 绕一圈回到自己。 */
  function drawOne({ chars, h, W_hh }, t, rho) {
    const bar = h[t].map((v, k) => make("svg:rect", { x: 80, y: 42 + 14 * k, width: 28, height: 13, rx: 2,
      stroke: "var(--line)", style: `fill: ${colour(v)}` }));
    const path = (d, stroke, width, fill = "none") => make("svg:path", { d, stroke, fill, "stroke-width": width });
    const label = (x, y, fill, words) => make("svg:text", { x, y, fill, "text-anchor": "middle" }, words);
    const loop = "M110 84C172 84 166 20 94 20C22 20 18 84 66 84";
    one.replaceChildren(
      make("svg:svg", { viewBox: "0 0 188 176", role: "img", "aria-label": "卷起来的圈：x_t 经 W_xh 进入 h_t，h 经 W_hh 绕回自己" },
        path(loop, "var(--H)", Math.max(0.01, 4 * rho)), path("M66 77l12 7l-12 7z", "none", 0, "var(--H)"),
        label(94, 12, "var(--H)", "W_hh"), ...bar, label(132, 122, "var(--ink)", `h_${t}`),
        path("M94 152v-18", "var(--D)", 3), path("M87 138l7 -10l7 10z", "none", 0, "var(--D)"),
        label(122, 148, "var(--D)", "W_xh"), label(94, 169, "var(--ink)", shown(chars[t]))),
      make("div.pair", {}, make("figure", { style: "color: var(--H)" },
        make("div.matrix", { role: "img", "aria-label": `W_hh：${H} 行 ${H} 列，ρ = ${rho}` }, ...cells(W_hh.flat())),
        make("figcaption.num", {}, "W_hh (H, H)")),
      make("figure", { style: "color: var(--D)" },
        make("div.matrix", { role: "img", "aria-label": `W_xh：4 行 ${H} 列` }, ...cells(W_xh.flat())),
        make("figcaption.num", {}, "W_xh (D, H)"))),
      make("p.soft", {}, "全句只有这一份权重：下图每个紫色箭头都是这张 W_hh，每条绿线都是这张 W_xh。"
        + "ρ 是 W_hh 的谱半径，箭头的粗细就是它。"));
  }

  function drawUnrolled({ chars, h, influence }, t, rho) {
    const axis = AXES[model.get("scale")];
    const sum = influence[t].reduce((a, b) => a + b);
    const bar = (s) => {
      if (s > t || influence[t][s] === 0) return [];
      const height = Math.min(1, axis.height(influence[t][s], sum));
      return [height > 0.004 ? make("i", { style: `height: ${100 * height}%` }) : make("i.under")];
    };
    const tip = (s) => (s > t ? `第 ${s} 步：还没读到`
      : `h_${s} = (${h[s].map((v) => v.toFixed(2)).join(", ")})\n‖∂h_${t}/∂x_${s}‖ = ${plain(influence[t][s])}`);
    unrolled.style.setProperty("--rho", rho);
    unrolled.replaceChildren(
      make("div.side", {}, make("div.num", { style: "height: 95px" }, "h_t"),
        make("div.num", { style: "height: 45px; padding-top: 16px" }, "x_t"),
        make("div", { style: "height: 20px" }, "时间步 t"),
        make("div.ticks", {}, ...axis.ticks.map((tick, i) => make("span", { style: `top: ${30 * i}px` }, tick)))),
      ...chars.map((char, s) => make(`div.step${s === t ? ".now" : s > t ? ".later" : ""}`, {
        onclick: () => change("t", s), title: tip(s) },
      make("div.strip", {}, ...(s > t ? range(H).map(() => make("i")) : cells(h[s]))),
      make("div.up"), make("div.char", {}, shown(char)), make("div.index.num", {}, String(s)),
      make("div.bar", {}, ...bar(s)))));
  }

  function draw() {
    const rhoValue = model.get("rho_percent") / 100;
    const state = { sentence: model.get("sentence"), rho_percent: model.get("rho_percent"), t: now() };
    const [result, t] = [run(state), state.t];
    const { chars, h, influence } = result;
    time.max = Math.max(0, last());
    time.value = t;
    rho.value = state.rho_percent;
    timeName.replaceChildren("时间步 ", make("b.num", {}, `t = ${t}`));
    rhoName.replaceChildren("W_hh 的谱半径 ", make("b.num", {}, `ρ = ${rhoValue.toFixed(2)}`));
    rho.setAttribute("aria-valuetext", `ρ = ${rhoValue.toFixed(2)}`);
    time.setAttribute("aria-valuetext", `t = ${t}，${chars[t] ?? "没有字"}`);
    body.hidden = !chars.length;
    if (body.hidden) return void (note.textContent = "还没有字；请在上面写一句。");
    const [first, all] = [influence[t][0], influence[t].reduce((a, b) => a + b)];
    const pace = first && t ? `离现在每远一步，平均乘 ${((first / influence[t][t]) ** (1 / t)).toFixed(2)}。` : "";
    note.textContent = `第 0 步的“${shown(chars[0])}”对 h_${t} 的影响 ‖∂h_${t}/∂x_0‖ = ${plain(first)}，`
      + `占全部 ${t + 1} 个字的${percent(first / all)}。${pace}`;
    drawOne(result, t, rhoValue);
    drawUnrolled(result, t, rhoValue);
    numbers.replaceChildren(numberTable(["s", "字", ...range(H).map((k) => `h_s[${k}]`), `‖∂h_${t}/∂x_s‖`],
      range(t + 1).map((s) => [s, shown(chars[s]), ...h[s].map((v) => v.toFixed(3)), plain(influence[t][s])])));
    code.pre.textContent = numpyCode(state);
  }

  const body = make("div", {}, one,
    make("h3", {}, "展开：一步一列，从左往右"),
    make("p.key.soft", {}, "h 的每个数：−1", make("i"), "+1"),
    make("div.wide", { tabindex: 0, role: "group", "aria-label": "展开的图；左右方向键走一步", onkeydown: arrows }, unrolled),
    make("p.soft", {}, "柱子是每个字对现在这个 h_t 的影响：x_s 稍微一动，h_t 跟着动多少。"
      + "每往回一步，乘一次 W_hh，再乘一次 tanh 的斜率；斜率不超过 1。点线是太矮、画不出的柱子。"),
    control(model, "scale", spec.state.scale),
    make("details", {}, make("summary", {}, "看数字"), numbers),
    make("div.head", {}, make("h3", {}, "算出同一组数的 Python 代码"), code.note, code.copy), code.pre);
  el.append(make("form", { onsubmit: (event) => event.preventDefault() },
    make("style", {}, CSS),
    make("h2", {}, "展开的圈"),
    make("p.ask", {}, "先猜后看：把 ρ 从 0.5 拖到 1.5，第一个字的影响怎么变？"),
    make("div.fields", { style: "margin-top: 14px" },
      make("label.field.wide", {}, make("span.name", {}, "句子，一个字一步，可以改"), text),
      make("div.field", {}, timeName, button("上一步", -1), time, button("下一步", 1)),
      make("div.field", {}, rhoName, rho)),
    note, body));
  model.on("change", draw);
  draw();
}

export default { render };
