// 三个门：候选值 g 已经给定，每一步的 f、i、o 由读者来定，c 与 h 跟着变；再解三道题：
// 记住第一个字，到旗子那一步才说出来；两面旗，旧的字要先忘掉；门看字开关，一张表用在没见过的句子上。
// 算式与 textseq.lstm 相同，逐数相等。
import {
  button, codeBox, control, fixed, make, minus, nextSeed, numberTable, scroller, status, widget,
} from "./_kit.js";
import { range, within } from "./_math.js";
import { puzzleBox } from "./_puzzle.js";
import {
  GATES, KINDS, opened, overfitted, parseTable, rivalLine, ruleChecks, shownLine, tried, writeTable,
} from "./_rules.js";
import { guide } from "./_tour.js";
import { tour } from "./_tour_three_gates.js";
import { valves } from "./_valves.js";

export const spec = {
  "title": "三个门",
  "state": {
    "level": {"label": "题目", "default": "one", "choices": {
      "one": "一面旗", "two": "两面旗", "rule": "看字开门"
    }},
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
    },
    "table": {
      "label": "看字开门的表：f、i、o 各对要记的字、旗、擦、别的",
      "default": "1111 1111 1111", "max_chars": 20
    },
    "seed": {"label": "句子的种子", "default": 1, "min": 1, "max": 999}
  },
  "chars": ["中", "华", "女", "子", "学", "院", "招", "男", "旗", "生", "通", "车"],
  "g": [0.9, -0.6, 0.4, -0.7, -0.8, 0.5, -0.3, 0.6, -0.7, 0.2, 0.8, -0.5],
  "flag": 8,
  "two": {
    "chars": ["中", "华", "女", "旗", "子", "招", "男", "生", "学", "旗", "通", "车"],
    "say": [[0, 3], [5, 9]]
  }
};

const T = spec.g.length;
const steps = range(T);
const fixedLevel = ({ chars, say }) => ({ chars, say, g: spec.g,
  marks: Object.fromEntries(say.flatMap(([at, flag]) => [[at, "key"], [flag, "flag"]])) });
const ONE = fixedLevel({ chars: spec.chars, say: [[0, spec.flag]] });
const TWO = fixedLevel(spec.two);

/** 一道题：每一步的字 chars、候选值 g、哪一种 marks，say 是哪一步的字到哪一步说。 */
function levelOf({ level, seed }) {
  if (level === "rule") return shownLine(seed);
  return level === "two" ? TWO : ONE;
}

/** 三个门每一步的开度：前两题由柱子定，第三题由表定。 */
const gatesOf = (state) => (state.level === "rule"
  ? opened(parseTable(state.table), shownLine(state.seed).kinds)
  : Object.fromEntries(GATES.map((gate) => [gate, parse(state[gate])])));

/** 文本里的 12 个数；缺的、读不懂的当作 0.5，超出 0 到 1 的收回来。 */
export function parse(text) {
  const typed = text.split(/\s+/).filter(Boolean).map(Number);
  return steps.map((t) => (Number.isFinite(typed[t]) ? within(typed[t], 0, 1) : 0.5));
}

/** c_t 里，第 at 步的字的那份是 kept[t] g_at，别的字的各份加起来不超过 mixed[t]
 *  （取绝对值再加，免得一正一负抵消了看不出）。 */
export function memory({ f, i, g }, at) {
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
  const [{ f, i, o }, { g }] = [gatesOf(state), levelOf(state)];
  const [c, h] = [[], []];
  for (const t of steps) {
    c.push(f[t] * (c[t - 1] ?? 0) + i[t] * g[t]);
    h.push(o[t] * Math.tanh(c[t]));
  }
  return { f, i, o, g, c, h, ...memory({ f, i, g }, 0) };
}

/** 一面旗的三个条件：[at, flag] 是第 at 步读到的字，到第 flag 步说出来。 */
function flagChecks(result, chars, [at, flag]) {
  const { kept, mixed } = memory(result, at);
  const { g } = result;
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
  if (state.level === "rule") return ruleChecks(state);
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
  const [{ f, i, o }, { g }] = [gatesOf(state), levelOf(state)];
  return `import numpy as np
from textseq import lstm

gates = {"i": ${list(i)},
         "f": ${list(f)},
         "g": ${list(g)},
         "o": ${list(o)}}
clamp = {name: np.reshape(values, (1, ${T}, 1)) for name, values in gates.items()}
params = lstm.init_params(D=1, H=1, rng=np.random.default_rng(0))  # 门都固定了，参数不起作用
run = lstm.forward(np.zeros((1, ${T}, 1)), params, clamp=clamp)
c, h = run.c[0, :, 0], run.h[0, :, 0]  # (T,)`;
}

const at = (name, step) => [name, make("sub", {}, step)]; // 带下标的符号
const lead = (name) => make("span.lead.num", {}, ...at(name, "t")); // 一行的行名

/** 正看着的那一步，代入数的算式。 */
const worked = (t, chars, { f, i, o, g, c, h }) => `第 ${t} 步“${chars[t]}”：`
  + `c = ${fixed(f[t])} × ${fixed(c[t - 1] ?? 0)} + ${fixed(i[t])} × ${fixed(g[t])} = ${fixed(c[t])}，`
  + `h = ${fixed(o[t])} × tanh(${fixed(c[t])}) = ${fixed(h[t])}`;

// ---- 柱子 ----

/** 三排柱子：每根是一个 role="slider"，按住划动或用键盘改；now() 是正看着的第几步。 */
function gateBars(piece, look) {
  const bars = {};
  let focus = 0;
  const put = (gate, from, to, value) => {
    if (piece.get("level") === "rule") return; // 那时柱子由表定
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

function drawBar(node, value, label, byTable) {
  const [level, text] = node.children;
  node.setAttribute("aria-disabled", byTable);
  node.setAttribute("aria-label", label);
  node.setAttribute("aria-valuenow", value);
  level.style.height = `calc(2px + ${value} * (100% - 2px))`;
  text.textContent = String(Math.round(100 * value) / 100).replace(/^0\./, ".");
}

/** 第三题里一个门的四个开关：读到哪一种字时开。 */
function switches(piece, gate) {
  const flip = (kind) => {
    const table = parseTable(piece.get("table"));
    table[gate][kind] = 1 - table[gate][kind];
    piece.change("table", writeTable(table));
  };
  const buttons = Object.entries(KINDS).map(([kind, name]) => [kind, button(name, () => flip(kind))]);
  const node = make("div.chips.when", { role: "group", "aria-label": `${gate} 读到什么时开` },
    make("span.soft", {}, "读到就开："), ...buttons.map(([, one]) => one));
  const draw = (table) => buttons.forEach(([kind, one]) =>
    one.setAttribute("aria-pressed", Boolean(table[gate][kind])));
  return { node, draw };
}

/** 一个门：名字、“全 0”“全 1”或四个开关、一排柱子。 */
function gateRow(piece, gate, { bars, put, paint }) {
  const { name, label } = spec.state[gate];
  const all = (value) => make("button", { type: "button", "aria-label": `${gate} 全 ${value}`,
    onclick: () => put(gate, 0, T, value) }, `全 ${value}`);
  const [whole, when] = [[all(0), all(1)], switches(piece, gate)];
  const row = make("div.row.bars", { onpointermove: (event) => paint(gate, event),
    onpointerdown(event) {
      if (piece.get("level") === "rule") return;
      row.setPointerCapture(event.pointerId);
      event.preventDefault();
      paint(gate, event, true);
    } }, lead(gate), ...bars[gate]);
  const head = make("div.gatehead", {}, make("b", {}, `${name} ${gate}`), make("span.soft", {}, label),
    ...whole);
  function draw({ level, table }) {
    for (const one of whole) one.hidden = level === "rule";
    when.node.hidden = level !== "rule";
    when.draw(parseTable(table));
  }
  return { node: make("div.gate", { role: "group", "aria-label": name, "data-gate": gate },
    head, when.node, row), draw };
}

// ---- 图 ----

const path = (d, stroke, width, more = {}) => make("svg:path", { d, stroke, "stroke-width": width, ...more });

/** c 与 h 的折线；圈是旗子那一步 h 该到的地方，带是其余各步 h 该待的地方。 */
function curves({ c, h, g }, say, focus, top) {
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

/** C 线上的阀门，与柱子对齐。 */
function valveBox() {
  const plot = make("div.plot.valves", { role: "img",
    "aria-label": "C 线上的阀门：数与柱子、折线相同" });
  return { node: make("div.row", {}, make("span.lead.num", {}, "C"), plot),
    draw: (result) => plot.replaceChildren(valves(result, result.g)) };
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

/** 一排字：要记的字、旗子、擦各有颜色。 */
function tokenRow() {
  const node = make("div.row.tokens");
  const draw = ({ chars, marks }) => node.replaceChildren(lead("x"),
    ...chars.map((char, t) => make(`span.token.${marks[t] ?? "other"}`, {}, char)));
  return { node, draw };
}

/** 题目说的是什么，解开了又说明什么。 */
const QUESTIONS = {
  one: [({ chars, say: [[at, flag]] }) => `第 ${at} 步读到“${chars[at]}”，把它记到第 ${flag} 步，`
    + "看见“旗”才说出来，别的时候不出声。",
  ({ chars, say: [[at, flag]] }) => `解开了：“${chars[at]}”在 c 里走了 ${flag - at} 步，`
    + "只在旗子那一步说了出来。写入、保留、说出是三件事，所以要三个门。"],
  two: [({ chars, say }) => `${say.map(([at, flag]) => `第 ${flag} 步的旗要说“${chars[at]}”`).join("，")}，`
    + "只说最新的那个字，别的时候不出声。",
  ({ chars, say: [[first], [second]] }) => `解开了：读到“${chars[second]}”的那一步，`
    + `先用遗忘门把“${chars[first]}”清掉，再写新的。只会记、不会忘，就说不准。`],
  rule: [() => "真的 LSTM 不知道旗子在第几步，门开不开，要看读到的字。记住“中”与“招”；看见“旗”，"
    + "说最新的那个；看见“擦”，忘掉，旗来了也不出声。门由开关定，改一个就在没见过的句子上试。",
  () => "解开了：表里没有一处写着第几步，没见过的句子也句句全对。f 与 i 要分开：读到“擦”，要忘，"
    + "却什么也不写。"],
};

/** 公式与操作的说明。 */
const explanation = () => make("p.soft", {},
  ...at("c", "t"), " = ", ...at("f", "t"), " × ", ...at("c", "t−1"), " + ", ...at("i", "t"), " × ",
  ...at("g", "t"), "，", ...at("h", "t"), " = ", ...at("o", "t"), " × tanh(", ...at("c", "t"),
  ")。c 就是笔记里的 C。候选值 ", ...at("g", "t"), " 已经给定，三个门由你来定");

const BY_HAND = "：在柱子上按住划动，或用键盘，左右键换一步，上下键加减 0.1，0 和 1 一下到底，Tab 换一个门。";
const BY_TABLE = "：按下的开关，读到那种字时门开到 1，别的时候关到 0。柱子是这张表在眼前这一句上的样子。";

function givenRow() {
  const node = make("div.row.soft");
  const draw = ({ g }) => node.replaceChildren(lead("g"),
    ...g.map((v) => make("span.given.num", {}, minus(v).replace("0.", "."))));
  return { node, draw };
}

const legend = () => make("div.legend.soft", {}, ...[
  ["i", "c：记着的"], ["i.h", "h：说出来的"],
  ["i.ring", "旗子那一步 h 该到的地方"], ["i.band", "其余各步 h 该待的地方"],
].map(([mark, text]) => make("span", {}, make(mark), text)));

function stepTable(result, chars) {
  const shown = ["g", "f", "i", "o", "c", "h"];
  return numberTable(["t", "字", ...shown],
    steps.map((t) => [t, chars[t], ...shown.map((name) => fixed(result[name][t]))]));
}

/** 三个门一起设；第三题改成换一句。 */
function tools(piece, put) {
  const preset = (label, ...values) =>
    button(label, () => GATES.forEach((gate, n) => put(gate, 0, T, values[n])));
  const hand = make("div.tools", {}, make("span.name", {}, "三个门一起："),
    preset("全记", 1, 1, 1), preset("全忘", 0, 1, 1), preset("半开", 0.5, 0.5, 0.5));
  const again = make("div.tools", {}, button("换一句", () => nextSeed(piece)));
  const rivals = make("p.soft.rivals");
  const how = explanation();
  const tail = make("span");
  how.append(tail);
  function draw(state) {
    const byTable = state.level === "rule";
    hand.hidden = byTable;
    again.hidden = rivals.hidden = !byTable;
    tail.textContent = byTable ? BY_TABLE : BY_HAND;
    rivals.textContent = byTable ? rivalLine(state) : "";
  }
  return { nodes: [hand, again], how, rivals, draw };
}

const ASK = "先猜后看：三个门都全开，c 记住的是“中”吗？";
const PIPES = "横管的粗细是 c，每一步先过 f 的阀；上面的管接进 i × g，下面的管放出 h。"
  + "短片是阀，开多少让多少。";

/** 导览看的。 */
const tourLook = (state) => ({ ...state, ...run(state), ...(state.level === "rule" && tried(state)),
  solved: puzzle(state).every(({ done }) => done) });

export default widget(spec, (piece) => {
  const [said, equation] = [status(), status()];
  const gates = gateBars(piece, () => draw());
  const rows = GATES.map((gate) => gateRow(piece, gate, gates));
  const [plot, pipe, above, below, given] = [plotBox(), valveBox(), tokenRow(), tokenRow(), givenRow()];
  const check = puzzleBox({ checks: () => puzzle(piece.state()), trap: () => overfitted(piece.state()),
    lesson: () => QUESTIONS[piece.get("level")][1](levelOf(piece.state())) });
  const [asked, numbers] = [make("p"), scroller("每一步的数")];
  const code = codeBox("算出同一组数的 Python 代码");
  const hand = tools(piece, gates.put);
  const trip = guide(piece, tour, () => tourLook(piece.state()));

  function draw() {
    const state = piece.state();
    const [result, level] = [run(state), levelOf(state)];
    const { chars, say } = level;
    asked.textContent = QUESTIONS[state.level][0](level);
    for (const part of [above, below, given]) part.draw(level);
    for (const part of [hand, ...rows]) part.draw(state);
    for (const gate of GATES) gates.bars[gate].forEach((node, t) => drawBar(node, result[gate][t],
      `${gate}，第 ${t} 步“${chars[t]}”`, state.level === "rule"));
    said.textContent = state.level !== "rule" && GATES.every((gate) => result[gate].every((v) => v === 1))
      ? `“${chars[0]}”还在，可是别的字也全写进来了，分不出来。` : "";
    equation.textContent = worked(gates.now(), chars, result);
    plot.draw(result, say, gates.now());
    pipe.draw(result);
    check.draw();
    code.pre.textContent = lstmCode(state);
    numbers.replaceChildren(stepTable(result, chars));
  }

  piece.show(ASK, ...trip.nodes, control(piece, "level"), asked, ...hand.nodes,
    said, hand.how, above.node, given.node, ...rows.map(({ node }) => node),
    hand.rivals, equation, make("p.soft", {}, PIPES), pipe.node, plot.node, below.node, legend(),
    make("div.head", {}, make("h3", {}, "解开了没有"), check.ask), ...check.nodes,
    make("details", {}, make("summary", {}, "看数字"), numbers), code.node);
  piece.on("change", draw);
  draw();
});
