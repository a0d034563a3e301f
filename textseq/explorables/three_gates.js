// 三个门：候选值 g 已经给定，每一步的 f、i、o 由读者来定，c 与 h 跟着变；再解两道题：
// 记住第一个字，到旗子那一步才说出来；两面旗，旧的字要先忘掉。算式与 textseq.lstm 相同，逐数相等。
import {
  button, codeBox, control, fixed, make, minus, numberTable, scroller, status, widget,
} from "./_kit.js";
import { range, within } from "./_math.js";
import { puzzleBox } from "./_puzzle.js";
import { guide } from "./_tour.js";
import { tour } from "./_tour_three_gates.js";

export const spec = {
  "title": "三个门",
  "state": {
    "level": {"label": "题目", "default": "one", "choices": {"one": "一面旗", "two": "两面旗"}},
    "f": {
      "name": "遗忘门", "label": "上一步的 c 留下多少",
      "default": "0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5", "max_chars": 100
    },
    "i": {
      "name": "输入门", "label": "候选值 g 写进多少",
      "default": "0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5", "max_chars": 100
    },
    "o": {
      "name": "输出门", "label": "tanh(c) 露出多少",
      "default": "0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5 0.5", "max_chars": 100
    }
  },
  "chars": ["中", "华", "女", "子", "学", "院", "招", "男", "旗", "生", "通", "车"],
  "g": [0.9, -0.6, 0.4, -0.7, -0.8, 0.5, -0.3, 0.6, -0.7, 0.2, 0.8, -0.5],
  "flag": 8,
  "two": {
    "chars": ["中", "华", "女", "旗", "子", "招", "男", "生", "学", "旗", "通", "车"],
    "say": [[0, 3], [5, 9]]
  }
};

const { g } = spec;
const T = g.length;
const GATES = ["f", "i", "o"];
const ONE = { chars: spec.chars, say: [[0, spec.flag]] };
const levelOf = ({ level }) => (level === "two" ? spec.two : ONE);
const steps = range(T);

/** 文本里的 12 个数；缺的、读不懂的当作 0.5，超出 0 到 1 的收回来。 */
export function parse(text) {
  const typed = text.split(/\s+/).filter(Boolean).map(Number);
  return steps.map((t) => (Number.isFinite(typed[t]) ? within(typed[t], 0, 1) : 0.5));
}

/** c_t 里，第 at 步的字的那份是 kept[t] g_at，别的字的各份加起来不超过 mixed[t]
 *  （取绝对值再加，免得一正一负抵消了看不出）。 */
export function memory({ f, i }, at) {
  const [kept, mixed] = [[], []];
  for (const t of steps) {
    const written = i[t] * Math.abs(g[t]);
    kept.push(t === at ? i[t] : f[t] * (kept[t - 1] ?? 0));
    mixed.push(f[t] * (mixed[t - 1] ?? 0) + (t === at ? 0 : written));
  }
  return { kept, mixed };
}

/** c_t = f c_{t-1} + i g，h_t = o tanh c_t；kept 与 mixed 是第一个字的。 */
export function run(state) {
  const [f, i, o] = GATES.map((gate) => parse(state[gate]));
  const [c, h] = [[], []];
  for (const t of steps) {
    c.push(f[t] * (c[t - 1] ?? 0) + i[t] * g[t]);
    h.push(o[t] * Math.tanh(c[t]));
  }
  return { f, i, o, c, h, ...memory({ f, i }, 0) };
}

/** 一面旗的三个条件：[at, flag] 是第 at 步读到的字，到第 flag 步说出来。 */
function flagChecks(result, chars, [at, flag]) {
  const { kept, mixed } = memory(result, at);
  const [word, goal] = [chars[at], Math.tanh(g[at])];
  const gap = Math.abs(result.h[flag] - goal);
  return [
    { want: `到第 ${flag} 步，c 里“${word}”还剩九成以上`, done: kept[flag] >= 0.9,
      got: `还剩 ${Math.round(100 * kept[flag])}%`,
      hint: `“${word}”要先写进 c：第 ${at} 步的 i 该是多少？`
        + `以后每一步都要乘一次 f：f 是多少，乘到第 ${flag} 步才不变少？` },
    { want: "别的字掺进来的不超过 0.1", done: mixed[flag] <= 0.1, got: `掺进 ${mixed[flag].toFixed(2)}`,
      hint: `从第 ${at + 1} 步到第 ${flag} 步，每一步都在把 i × g 加进 c。不想让别的字进来，哪个门该关上？`
        + (at ? `第 ${at} 步以前记着的旧字，又该由哪个门在第 ${at} 步清掉？` : "") },
    { want: `第 ${flag} 步的 h 与 tanh(${g[at]}) = ${goal.toFixed(2)} 相差不到 0.05`, done: gap < 0.05,
      got: `差 ${gap.toFixed(2)}`,
      hint: "c 对了，h 也不一定对：h = o × tanh(c)。旗子那一步的 o 该是多少？" },
  ];
}

/** 题目的条件，每个有一句话、是否做到、现在的数、做不到时的提示。 */
export function puzzle(state) {
  const [result, { chars, say }] = [run(state), levelOf(state)];
  const silent = steps.filter((t) => say.every(([, flag]) => flag !== t));
  const leak = Math.max(...silent.map((t) => Math.abs(result.h[t])));
  return [...say.flatMap((pair) => flagChecks(result, chars, pair)),
    { want: "其余各步 |h| 都小于 0.1", done: leak < 0.1, got: `最大 ${leak.toFixed(2)}`,
      hint: "不到旗子不许出声，c 却不能丢：哪个门只管出声、不碰 c？旗子以后的几步也要管住。" }];
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

const at = (name, step) => [name, make("sub", {}, step)]; // 带下标的符号
const lead = (name) => make("span.lead.num", {}, ...at(name, "t")); // 一行的行名

/** 正看着的那一步，代入数的算式。 */
const worked = (t, chars, { f, i, o, c, h }) => `第 ${t} 步“${chars[t]}”：`
  + `c = ${fixed(f[t])} × ${fixed(c[t - 1] ?? 0)} + ${fixed(i[t])} × ${fixed(g[t])} = ${fixed(c[t])}，`
  + `h = ${fixed(o[t])} × tanh(${fixed(c[t])}) = ${fixed(h[t])}`;

// ---- 柱子 ----

/** 三排柱子：每根是一个 role="slider"，按住划动或用键盘改；now() 是正看着的第几步。 */
function gateBars(piece, look) {
  const bars = {};
  let focus = 0;
  const put = (gate, from, to, value) => {
    const rounded = within(Math.round(100 * value) / 100, 0, 1);
    const values = parse(piece.get(gate)).map((v, t) => (from <= t && t <= to ? rounded : v));
    piece.change(gate, values.join(" "));
  };
  const focused = (gate, t) => {
    bars[gate].forEach((node, other) => node.setAttribute("tabindex", other === t ? 0 : -1));
    focus = t;
    look();
  };
  for (const gate of GATES) {
    bars[gate] = steps.map((t) => bar(gate, t, {
      onkeydown: (event) => pressed(event, parse(piece.get(gate))[t],
        (by) => bars[gate][t + by]?.focus(), (value) => put(gate, t, t, value)),
      onfocus: () => focused(gate, t),
    }));
  }

  /** 按住划过去，柱子就跟着手走；手快时一下跨过几步，中间的也算划过。 */
  function paint(gate, event, starting) {
    if (event.buttons !== 1) return;
    const under = bars[gate].findIndex((node) => event.clientX < node.getBoundingClientRect().right + 2);
    const t = under < 0 ? T - 1 : under;
    const [from, to] = [t, starting ? t : focus].sort((a, b) => a - b);
    const { bottom, height } = bars[gate][t].getBoundingClientRect();
    put(gate, from, to, Math.round((20 * (bottom - event.clientY)) / height) / 20);
    bars[gate][t].focus({ preventScroll: true });
  }
  return { bars, put, paint, now: () => focus };
}

const bar = (gate, t, events) => make("div.bar", { role: "slider", tabindex: t ? -1 : 0,
  "aria-orientation": "vertical", "aria-valuemin": 0, "aria-valuemax": 1, ...events },
make("i"), make("small.num"));

/** 键盘：左右键换一步，上下键加减 0.1，0 和 1 一下到底。 */
function pressed(event, value, move, put) {
  const to = { ArrowUp: value + 0.1, ArrowDown: value - 0.1, 0: 0, 1: 1, Home: 0, End: 1 }[event.key];
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (event.ctrlKey || event.metaKey || event.altKey || (to === undefined && !by)) return;
  event.preventDefault();
  if (by) move(by);
  else put(to);
}

function drawBar(node, value, label) {
  const [level, text] = node.children;
  node.setAttribute("aria-label", label);
  node.setAttribute("aria-valuenow", value);
  level.style.height = `calc(2px + ${value} * (100% - 2px))`;
  text.textContent = String(Math.round(100 * value) / 100).replace(/^0\./, ".");
}

/** 一个门：名字、“全 0”“全 1”、一排柱子。 */
function gateRow(gate, { bars, put, paint }) {
  const { name, label } = spec.state[gate];
  const all = (value) => make("button", { type: "button", "aria-label": `${gate} 全部设为 ${value}`,
    onclick: () => put(gate, 0, T, value) }, `全 ${value}`);
  const row = make("div.row.bars", { onpointermove: (event) => paint(gate, event),
    onpointerdown(event) {
      row.setPointerCapture(event.pointerId);
      event.preventDefault();
      paint(gate, event, true);
    } }, lead(gate), ...bars[gate]);
  return make("div.gate", { role: "group", "aria-label": name, "data-gate": gate },
    make("div.gatehead", {}, make("b", {}, `${name} ${gate}`), make("span.soft", {}, label), all(0), all(1)),
    row);
}

// ---- 图 ----

const path = (d, stroke, width, more = {}) => make("svg:path", { d, stroke, "stroke-width": width, ...more });

/** c 与 h 的折线；圈是旗子那一步 h 该到的地方，带是其余各步 h 该待的地方。 */
function curves({ c, h }, say, focus, top) {
  const [x, y] = [(t) => 100 * t + 50, (v) => 100 * (1 - v / (1.08 * top))];
  const line = (values) => `M${values.map((v, t) => `${x(t)} ${y(v)}`).join("L")}`;
  const dots = (values) => values.map((v, t) => `M${x(t)} ${y(v)}h0`).join("");
  const band = (from, to) => make("svg:rect", { x: from, width: to - from,
    y: y(0.1), height: y(-0.1) - y(0.1), fill: "var(--T)", "fill-opacity": 0.2 });
  const goals = say.map(([at, flag]) => `M${x(flag)} ${y(Math.tanh(g[at]))}h0`).join("");
  const ends = [-1, ...say.map(([, flag]) => flag), T]; // 两面旗之间的那些步
  const bands = ends.slice(1).map((end, n) => band(100 * (ends[n] + 1), 100 * end));
  return make("svg:svg", { viewBox: `0 0 ${100 * T} 200`, preserveAspectRatio: "none" },
    ...bands, path(`M${x(focus)} 0V200`, "var(--line)", 1.5),
    path(`M0 ${y(0)}H${100 * T}`, "var(--edge)", 1),
    path(goals, "var(--T)", 19), path(goals, "var(--paper)", 15),
    path(line(c), "var(--B)", 2.5), path(dots(c), "var(--B)", 8),
    path(line(h), "var(--T)", 2.5, { "stroke-dasharray": "1 5" }), path(dots(h), "var(--T)", 8));
}

/** 折线图与它的纵轴；纵轴的上下限随 c 变。 */
function plotBox() {
  const [plot, axis] = [make("div.plot", { role: "img" }), make("div.axis.num")];
  const spoken = (values) => values.map((v) => fixed(v)).join("、");
  function draw(result, say, focus) {
    const { c, h } = result;
    const top = Math.max(1, Math.ceil(Math.max(...c.map(Math.abs)) - 1e-9));
    plot.replaceChildren(curves(result, say, focus, top));
    plot.setAttribute("aria-label", `折线：c 依次为 ${spoken(c)}；h 依次为 ${spoken(h)}`);
    axis.replaceChildren(...[top, 0, -top].map((v) =>
      make("span", { style: `top: ${50 * (1 - v / (1.08 * top))}%` }, minus(v))));
  }
  return { node: make("div.row", {}, axis, plot), draw };
}

/** 一排字：要记的字与旗子各有颜色。 */
function tokenRow() {
  const node = make("div.row.tokens");
  const draw = ({ chars, say }) => {
    const kinds = Object.fromEntries(say.flatMap(([at, flag]) => [[at, ".first"], [flag, ".flag"]]));
    node.replaceChildren(lead("x"), ...chars.map((char, t) => make(`span.token${kinds[t] ?? ""}`, {}, char)));
  };
  return { node, draw };
}

/** 题目说的是什么，解开了又说明什么。 */
const QUESTIONS = {
  one: ["第 0 步读到“中”，把它记到第 8 步，看见“旗”才说出来，别的时候不出声。",
    "解开了：“中”在 c 里走了 8 步，只在旗子那一步说了出来。写入、保留、说出是三件事，所以要三个门。"],
  two: ["第 3 步的旗要说“中”，第 9 步的旗要说“招”，只说最新的那个字，别的时候不出声。",
    "解开了：读到“招”的那一步，先用遗忘门把“中”清掉，再写新的。只会记、不会忘，就说不准。"],
};

/** 公式与操作的说明。 */
const explanation = () => make("p.soft", {},
  ...at("c", "t"), " = ", ...at("f", "t"), " × ", ...at("c", "t−1"), " + ", ...at("i", "t"), " × ",
  ...at("g", "t"), "，", ...at("h", "t"), " = ", ...at("o", "t"), " × tanh(", ...at("c", "t"),
  ")。c 就是笔记里的 C。候选值 ", ...at("g", "t"), " 已经给定，三个门由你来定：在柱子上按住划动，或用键盘，"
  + "左右键换一步，上下键加减 0.1，0 和 1 一下到底，Tab 换一个门。");

const given = () => make("div.row.soft", {}, lead("g"),
  ...g.map((v) => make("span.given.num", {}, minus(v).replace("0.", "."))));

const legend = () => make("div.key.soft", {}, ...[
  ["i", "c：记着的"], ["i.h", "h：说出来的"],
  ["i.ring", "旗子那一步 h 该到的地方"], ["i.band", "其余各步 h 该待的地方"],
].map(([mark, text]) => make("span", {}, make(mark), text)));

function stepTable(result, chars) {
  const columns = { g, ...result };
  const shown = ["g", "f", "i", "o", "c", "h"];
  return numberTable(["t", "字", ...shown],
    steps.map((t) => [t, chars[t], ...shown.map((name) => fixed(columns[name][t]))]));
}

export default widget(spec, (piece) => {
  const [said, equation] = [status(), status()];
  const gates = gateBars(piece, () => draw());
  const [plot, above, below] = [plotBox(), tokenRow(), tokenRow()];
  const check = puzzleBox({ checks: () => puzzle(piece.state()),
    lesson: () => QUESTIONS[piece.get("level")][1] });
  const asked = make("p");
  const numbers = scroller("每一步的数");
  const code = codeBox("算出同一组数的 Python 代码");
  const preset = (label, ...values) =>
    button(label, () => GATES.forEach((gate, n) => gates.put(gate, 0, T, values[n])));
  const trip = guide(piece, tour, () => ({ ...run(piece.state()),
    solved: puzzle(piece.state()).every(({ done }) => done) }));

  function draw() {
    const [result, level] = [run(piece.state()), levelOf(piece.state())];
    const { chars, say } = level;
    asked.textContent = QUESTIONS[piece.get("level")][0];
    for (const row of [above, below]) row.draw(level);
    for (const gate of GATES) gates.bars[gate].forEach((node, t) =>
      drawBar(node, result[gate][t], `${gate}，第 ${t} 步“${chars[t]}”`));
    said.textContent = GATES.every((gate) => result[gate].every((v) => v === 1))
      ? `“${chars[0]}”还在，可是别的字也全写进来了，分不出来。` : "";
    equation.textContent = worked(gates.now(), chars, result);
    plot.draw(result, say, gates.now());
    check.draw();
    code.pre.textContent = lstmCode(piece.state());
    numbers.replaceChildren(stepTable(result, chars));
  }

  piece.show("先猜后看：按“全记”，c 记住的是“中”吗？", ...trip.nodes, control(piece, "level"), asked,
  make("div.tools", {}, make("span.name", {}, "三个门一起："),
    preset("全记", 1, 1, 1), preset("全忘", 0, 1, 1), preset("半开", 0.5, 0.5, 0.5)), said,
  explanation(), above.node, given(), ...GATES.map((gate) => gateRow(gate, gates)), equation,
  plot.node, below.node, legend(),
  make("div.head", {}, make("h3", {}, "解开了没有"), check.ask), ...check.nodes,
  make("details", {}, make("summary", {}, "看数字"), numbers), code.node);
  piece.on("change", draw);
  draw();
});
