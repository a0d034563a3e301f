// 三个门：候选值 g 已经给定，每一步的 f、i、o 由读者来定，c 与 h 跟着变；再解一道题：
// 记住第一个字，到旗子那一步才说出来。算式与 textseq.lstm 相同，逐数相等。
import { codeBox, make, numberTable } from "./_kit.js";

export const spec = {
  "title": "三个门",
  "state": {
    "f": {"name": "遗忘门", "label": "上一步的 c 留下多少", "default": "0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5", "max_chars": 100},
    "i": {"name": "输入门", "label": "候选值 g 写进多少", "default": "0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5", "max_chars": 100},
    "o": {"name": "输出门", "label": "tanh(c) 露出多少", "default": "0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5", "max_chars": 100}
  },
  "chars": ["中", "华", "女", "子", "学", "院", "招", "男", "旗", "生", "通", "车"],
  "g": [0.9, -0.6, 0.4, -0.7, -0.8, 0.5, -0.3, 0.6, -0.7, 0.2, 0.8, -0.5],
  "flag": 8
};

const { chars, g, flag } = spec;
const T = g.length;
const GATES = Object.keys(spec.state);
const steps = Array.from({ length: T }, (_, t) => t);
const inside = (v) => Math.min(1, Math.max(0, v));

/** 文本里的 12 个数；缺的、读不懂的当作 0.5，超出 0 到 1 的收回来。 */
export function parse(text) {
  const typed = text.split(/\s+/).filter(Boolean).map(Number);
  return steps.map((t) => (Number.isFinite(typed[t]) ? inside(typed[t]) : 0.5));
}

/** c_t = f c_{t-1} + i g，h_t = o tanh c_t；c_t 里，第一个字的那份是 kept[t] g_0，
 *  别的字的各份加起来不超过 mixed[t]（取绝对值再加，免得一正一负抵消了看不出）。 */
export function run(state) {
  const [f, i, o] = GATES.map((gate) => parse(state[gate]));
  const [c, h, kept, mixed] = [[], [], [], []];
  for (const t of steps) {
    c.push(f[t] * (c[t - 1] ?? 0) + i[t] * g[t]);
    h.push(o[t] * Math.tanh(c[t]));
    kept.push(t ? f[t] * kept[t - 1] : i[0]);
    mixed.push(t ? f[t] * mixed[t - 1] + i[t] * Math.abs(g[t]) : 0);
  }
  return { f, i, o, c, h, kept, mixed };
}

/** 题目的四个条件，每个有一句话、是否做到、现在的数、做不到时的提示。 */
export function puzzle(state) {
  const { h, kept, mixed } = run(state);
  const gap = Math.abs(h[flag] - Math.tanh(g[0]));
  const leak = Math.max(...steps.filter((t) => t !== flag).map((t) => Math.abs(h[t])));
  return [
    { want: `到第 ${flag} 步，c 里“${chars[0]}”还剩九成以上`, done: kept[flag] >= 0.9,
      got: `还剩 ${Math.round(100 * kept[flag])}%`,
      hint: `“${chars[0]}”要先写进 c：第 0 步的 i 该是多少？以后每一步都要乘一次 f：f 是多少，乘到第 ${flag} 步才不变少？` },
    { want: "别的字掺进来的不超过 0.1", done: mixed[flag] <= 0.1, got: `掺进 ${mixed[flag].toFixed(2)}`,
      hint: `从第 1 步到第 ${flag} 步，每一步都在把 i × g 加进 c。不想让别的字进来，哪个门该关上？` },
    { want: `第 ${flag} 步的 h 与 tanh(${g[0]}) = ${Math.tanh(g[0]).toFixed(2)} 相差不到 0.05`, done: gap < 0.05,
      got: `差 ${gap.toFixed(2)}`, hint: `c 对了，h 也不一定对：h = o × tanh(c)。旗子那一步的 o 该是多少？` },
    { want: "其余各步 |h| 都小于 0.1", done: leak < 0.1, got: `最大 ${leak.toFixed(2)}`,
      hint: "不到旗子不许出声，c 却不能丢：哪个门只管出声、不碰 c？旗子以后的几步也要管住。" },
  ];
}

/** 算出同一组数的 Python 代码：四个门都固定，参数就不起作用了。 */
export function lstmCode(state) {
  const list = (values) => `[${values.join(", ")}]`;
  return `import numpy as np
from textseq import lstm

gates = {"i": ${list(parse(state.i))},
         "f": ${list(parse(state.f))},
         "g": ${list(g)},
         "o": ${list(parse(state.o))}}
clamp = {name: np.reshape(values, (1, ${T}, 1)) for name, values in gates.items()}
params = lstm.init_params(D=1, H=1, rng=np.random.default_rng(0))  # 门都固定了，参数不起作用
run = lstm.forward(np.zeros((1, ${T}, 1)), params, clamp=clamp)
c, h = run.c[0, :, 0], run.h[0, :, 0]  # (T,)`;
}

const CSS = `
  .tools { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; margin: 14px 0 4px; }
  .tools .name { flex: none; margin-right: 4px; }
  .row { display: grid; grid-template-columns: 42px repeat(${T}, minmax(0, 1fr)); align-items: center; }
  .row > span:not(.lead) { text-align: center; font-size: 12.5px; letter-spacing: -.03em; }
  @media (max-width: 480px) { .row > span.given { font-size: 11px; letter-spacing: -.06em; } }
  sub { font-size: .75em; line-height: 0; }
  .token { line-height: 28px; margin: 0 2px; border-radius: 5px; background: var(--tint); }
  .token.first { background: var(--B); color: var(--on-accent); } .token.flag { background: var(--T); color: var(--on-accent); }
  .gate { margin-top: 14px; }
  .gatehead { display: flex; flex-wrap: wrap; align-items: center; gap: 2px 10px; margin-bottom: 4px; }
  .gatehead b { font-weight: 600; } .gatehead .soft { flex: 1; }
  .gatehead button { min-height: 28px; padding: 0 10px; font-size: 13.5px; }
  .bars { touch-action: none; }
  .bar { position: relative; height: 50px; overflow: hidden; text-align: center; margin: 0 2px; border: 1px solid var(--line); border-radius: 5px; background: var(--tint); cursor: ns-resize; user-select: none; }
  .bar:focus-visible { overflow: visible; }
  .bar i { position: absolute; inset: auto 0 0; border-top: 2px solid var(--accent); border-radius: 2px; background: color-mix(in srgb, var(--accent) 38%, var(--paper)); }
  .bar small { position: relative; font-size: 12px; letter-spacing: -.03em; }
  .plot { position: relative; grid-column: 2 / -1; height: 180px; margin-top: 8px; border-block: 1px solid var(--line); }
  .plot svg { position: absolute; inset: 0; max-width: none; height: 100%; margin: 0; overflow: visible; }
  .plot path { vector-effect: non-scaling-stroke; stroke-linecap: round; stroke-linejoin: round; fill: none; }
  .axis { position: relative; align-self: stretch; margin-top: 8px; font-size: 12px; color: var(--soft); }
  .axis span { position: absolute; right: 8px; transform: translateY(-50%); }
  .key { display: flex; flex-wrap: wrap; gap: 2px 18px; margin-top: 10px; }
  .key i { display: inline-block; width: 20px; height: 0; margin-right: 6px; vertical-align: 4px; border-top: 3px solid var(--B); }
  .key i.h { border-top: 3px dotted var(--T); }
  .key i.band { height: 12px; border: 0; vertical-align: -1px; background: color-mix(in srgb, var(--T) 20%, var(--paper)); }
  .key i.ring { width: 13px; height: 13px; vertical-align: -2px; border: 2px solid var(--T); border-radius: 50%; }
  ul { list-style: none; margin: 0; padding: 0; }
  li { display: flex; gap: 10px; padding: 3px 0; } li b { flex: none; width: 3.4em; font-weight: normal; color: var(--soft); }
  li.done b { color: var(--D); font-weight: 600; } li span { flex: 1; } li .soft { flex: none; width: 5.6em; text-align: right; }
  p[role="status"]:empty { min-height: 0; margin: 0; }
  .solved { border: 2px solid var(--D); border-radius: 8px; padding: 8px 14px; }
`;
const two = (v) => v.toFixed(2).replace("-", "−");
const at = (name, step) => [name, make("sub", {}, step)]; // 带下标的符号

function render({ model, el }) {
  const state = () => Object.fromEntries(GATES.map((gate) => [gate, model.get(gate)]));
  const write = (gate, values) => { model.set(gate, values.join(" ")); model.save_changes(); };
  const put = (gate, from, to, value) =>
    write(gate, parse(model.get(gate)).map((v, s) => (from <= s && s <= to ? inside(Math.round(100 * value) / 100) : v)));
  let focus = 0; // 正看着的是第几步
  const [said, equation, hint, verdict] = [1, 2, 3, 4].map(() => make("p", { role: "status" }));
  const list = make("ul", { "aria-label": "题目的条件" });
  const plot = make("div.plot", { role: "img" });
  const axis = make("div.axis.num");
  const numbers = make("div.scroll", { tabindex: 0, role: "group", "aria-label": "每一步的数" });
  const code = codeBox("算出同一组数的 Python 代码");
  const bars = {};

  /** 一根柱子：role="slider"；上下键改，左右键换一步，0 和 1 一下到底。 */
  function bar(gate, t) {
    const level = make("i");
    const value = make("small.num");
    const keys = (event) => {
      const now = parse(model.get(gate))[t];
      const to = { ArrowUp: now + 0.1, ArrowDown: now - 0.1, 0: 0, 1: 1, Home: 0, End: 1 }[event.key];
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (event.ctrlKey || event.metaKey || event.altKey || (to === undefined && !by)) return;
      event.preventDefault();
      if (by) bars[gate][t + by]?.focus();
      else put(gate, t, t, to);
    };
    return make("div.bar", { role: "slider", tabindex: t ? -1 : 0, "aria-orientation": "vertical",
      "aria-valuemin": 0, "aria-valuemax": 1, "aria-label": `${gate}，第 ${t} 步“${chars[t]}”`, onkeydown: keys,
      onfocus() {
        for (const other of bars[gate]) other.setAttribute("tabindex", other === this ? 0 : -1);
        focus = t;
        draw();
      } }, level, value);
  }

  /** 按住划过去，柱子就跟着手走；手快时一下跨过几步，中间的也算划过。 */
  function paint(gate, event, starting) {
    if (event.buttons !== 1) return;
    const at = bars[gate].findIndex((node) => event.clientX < node.getBoundingClientRect().right + 2);
    const t = at < 0 ? T - 1 : at;
    const [from, to] = [t, starting ? t : focus].sort((a, b) => a - b);
    const { bottom, height } = bars[gate][t].getBoundingClientRect();
    put(gate, from, to, Math.round((20 * (bottom - event.clientY)) / height) / 20);
    bars[gate][t].focus({ preventScroll: true });
  }

  const rows = GATES.map((gate) => {
    const { name, label } = spec.state[gate];
    bars[gate] = steps.map((t) => bar(gate, t));
    const all = (value) => make("button", { type: "button", "aria-label": `${gate} 全部设为 ${value}`,
      onclick: () => put(gate, 0, T, value) }, `全 ${value}`);
    const row = make("div.row.bars", { onpointermove: (event) => paint(gate, event),
      onpointerdown(event) { row.setPointerCapture(event.pointerId); event.preventDefault(); paint(gate, event, true); } },
    make("span.lead.num", {}, ...at(gate, "t")), ...bars[gate]);
    return make("div.gate", { role: "group", "aria-label": name },
      make("div.gatehead", {}, make("b", {}, `${name} ${gate}`), make("span.soft", {}, label), all(0), all(1)), row);
  });
  const tokens = () => make("div.row", { style: "margin-top: 6px" }, make("span.lead.num", {}, ...at("x", "t")),
    ...chars.map((char, t) => make(`span.token${t === 0 ? ".first" : t === flag ? ".flag" : ""}`, {}, char)));
  const preset = (label, ...values) => make("button", { type: "button",
    onclick: () => GATES.forEach((gate, n) => put(gate, 0, T, values[n])) }, label);

  /** 正看着的那一步，代入数的算式。 */
  const worked = (t, { f, i, o, c, h }) => `第 ${t} 步“${chars[t]}”：`
    + `c = ${two(f[t])} × ${two(c[t - 1] ?? 0)} + ${two(i[t])} × ${two(g[t])} = ${two(c[t])}，`
    + `h = ${two(o[t])} × tanh(${two(c[t])}) = ${two(h[t])}`;

  function drawPlot({ c, h }) {
    const top = Math.max(1, Math.ceil(Math.max(...c.map(Math.abs)) - 1e-9));
    const [x, y] = [(t) => 100 * t + 50, (v) => 100 * (1 - v / (1.08 * top))];
    const path = (d, stroke, width, more = {}) => make("svg:path", { d, stroke, "stroke-width": width, ...more });
    const line = (values) => `M${values.map((v, t) => `${x(t)} ${y(v)}`).join("L")}`;
    const dots = (values) => values.map((v, t) => `M${x(t)} ${y(v)}h0`).join("");
    const band = (from, to) => make("svg:rect", { x: from, width: to - from, y: y(0.1), height: y(-0.1) - y(0.1),
      fill: "var(--T)", "fill-opacity": 0.2 });
    const goal = `M${x(flag)} ${y(Math.tanh(g[0]))}h0`;
    plot.replaceChildren(make("svg:svg", { viewBox: `0 0 ${100 * T} 200`, preserveAspectRatio: "none" },
      band(0, 100 * flag), band(100 * flag + 100, 100 * T), path(`M${x(focus)} 0V200`, "var(--line)", 1.5),
      path(`M0 ${y(0)}H${100 * T}`, "var(--edge)", 1),
      path(goal, "var(--T)", 19), path(goal, "var(--paper)", 15),
      path(line(c), "var(--B)", 2.5), path(dots(c), "var(--B)", 8),
      path(line(h), "var(--T)", 2.5, { "stroke-dasharray": "1 5" }), path(dots(h), "var(--T)", 8)));
    plot.setAttribute("aria-label", `折线：c 依次为 ${c.map(two).join("、")}；h 依次为 ${h.map(two).join("、")}`);
    axis.replaceChildren(...[top, 0, -top].map((v) => make("span", { style: `top: ${y(v) / 2}%` }, String(v).replace("-", "−"))));
  }

  function draw() {
    const result = run(state());
    for (const gate of GATES) {
      bars[gate].forEach((node, t) => {
        const value = result[gate][t];
        node.setAttribute("aria-valuenow", value);
        node.children[0].style.height = `calc(2px + ${value} * (100% - 2px))`;
        node.children[1].textContent = String(Math.round(100 * value) / 100).replace(/^0\./, ".");
      });
    }
    said.textContent = GATES.every((gate) => result[gate].every((v) => v === 1))
      ? `“${chars[0]}”还在，可是别的字也全写进来了，分不出来。` : "";
    equation.textContent = worked(focus, result);
    drawPlot(result);
    code.pre.textContent = lstmCode(state());
    const checks = puzzle(state());
    list.replaceChildren(...checks.map(({ want, done, got }) => make(done ? "li.done" : "li", {},
      make("b", {}, done ? "做到了" : "还没有"), make("span", {}, want), make("span.soft", {}, got))));
    const solved = checks.every(({ done }) => done);
    verdict.classList.toggle("solved", solved);
    verdict.textContent = solved ? `解开了：“${chars[0]}”在 c 里走了 ${flag} 步，只在旗子那一步说了出来。`
      + "写入、保留、说出是三件事，所以要三个门。" : "";
    if (solved) hint.textContent = "";
    const columns = ["g", "f", "i", "o", "c", "h"];
    numbers.replaceChildren(numberTable(["t", "字", ...columns], steps.map((t) =>
      [t, chars[t], ...columns.map((name) => two({ g, ...result }[name][t]))])));
  }

  el.append(make("form", { onsubmit: (event) => event.preventDefault() },
    make("style", {}, CSS),
    make("h2", {}, "三个门"),
    make("p.ask", {}, `题目：第 0 步读到“${chars[0]}”，把它记到第 ${flag} 步，看见“旗”才说出来，别的时候不出声。`),
    make("p.ask", {}, `先猜后看：按“全记”，c 记住的是“${chars[0]}”吗？`),
    make("div.tools", {}, make("span.name", {}, "三个门一起："),
      preset("全记", 1, 1, 1), preset("全忘", 0, 1, 1), preset("半开", 0.5, 0.5, 0.5)),
    said,
    make("p.soft", {}, ...at("c", "t"), " = ", ...at("f", "t"), " × ", ...at("c", "t−1"), " + ",
      ...at("i", "t"), " × ", ...at("g", "t"), "，", ...at("h", "t"), " = ", ...at("o", "t"), " × tanh(", ...at("c", "t"),
      ")。c 就是笔记里的 C。候选值 ", ...at("g", "t"), " 已经给定，三个门由你来定：在柱子上按住划动，或用键盘，"
      + "左右键换一步，上下键加减 0.1，0 和 1 一下到底，Tab 换一个门。"),
    tokens(),
    make("div.row.soft", {}, make("span.lead.num", {}, ...at("g", "t")),
      ...g.map((v) => make("span.given.num", {}, String(v).replace("-", "−").replace("0.", ".")))),
    ...rows, equation,
    make("div.row", {}, axis, plot),
    tokens(),
    make("div.key.soft", {}, make("span", {}, make("i"), "c：记着的"), make("span", {}, make("i.h"), "h：说出来的"),
      make("span", {}, make("i.ring"), "旗子那一步 h 该到的地方"), make("span", {}, make("i.band"), "其余各步 h 该待的地方")),
    make("div.head", {}, make("h3", {}, "解开了没有"), make("button", { type: "button", onclick() {
      hint.textContent = puzzle(state()).find(({ done }) => !done)?.hint ?? "已经解开了，不用提示。";
    } }, "提示")), hint, list, verdict,
    make("details", {}, make("summary", {}, "看数字"), numbers),
    make("div.head", {}, make("h3", {}, "算出同一组数的 Python 代码"), code.note, code.copy), code.pre));
  model.on("change", draw);
  draw();
}

export default { render };
