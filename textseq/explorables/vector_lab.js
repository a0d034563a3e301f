// 词向量实验台：一份小语料，在网页里当场训练 CBOW 或 Skip-gram 负采样；词在平面上走动，K 拨到 0 就坍缩。
// 随机数由 seed 推出，取用的次序见 create 与 advance，所以 Python 训练得出同一组数。
import { control, make } from "./_kit.js";

export const spec = {
  "title": "词向量实验台",
  "state": {
    "corpus": {"label": "一行一句，词与词之间用空格隔开；空一行算另起一段，各段的词颜色不同", "max_chars": 400,
      "default": "小猫 在 吃 鱼\n小狗 在 吃 鱼\n小猫 和 小狗 很 爱 吃\n小狗 和 小猫 很 爱 鱼\n\n火车 在 路上 开\n汽车 在 路上 开\n火车 和 汽车 很 快\n汽车 在 路上 开 得 很 快\n\n今天 在 下 雪\n昨天 在 下 雨\n雨 和 雪 很 冷\n昨天 和 今天 很 冷"},
    "model": {"label": "模型", "default": "skipgram", "choices": {"skipgram": "Skip-gram", "cbow": "CBOW"}},
    "K": {"label": "每个正样本配几个负样本", "default": 5, "min": 0, "max": 10},
    "window": {"label": "左右各看几个词", "default": 3, "min": 1, "max": 5},
    "rate": {"label": "学习率", "default": "0.1", "choices": {"0.03": "0.03", "0.1": "0.1", "0.3": "0.3"}},
    "seed": {"label": "随机数的起点", "default": 1, "min": 1, "max": 99}
  },
  "E": 8
};

const { E } = spec;
const [PACE, RUN] = [15, 300]; // 动画一秒走几轮；按一次“训练”最多走几轮
const range = (n) => Array.from({ length: n }, (_, i) => i);
const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;
const average = (rows) => range(E).map((k) => mean(rows.map((row) => row[k])));
const dot = (a, b) => a.reduce((sum, x, k) => sum + x * b[k], 0);
const unit = (row) => { const length = Math.hypot(...row) || 1; return row.map((x) => x / length); };
const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))); // −log σ(−z)
const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/** 0 到 1 之间的随机数（mulberry32）。 */
const generator = (a) => () => {
  a = (a + 0x6D2B79F5) | 0;
  let t = Math.imul(a ^ (a >>> 15), a | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

/** 从语料取词、样本与初始的两张表。词按出现的先后编号；词向量表一个词一个词地抽，上下文表是 0。 */
export function create({ corpus, model, K, window, rate, seed }) {
  const parts = corpus.split(/\n\s*\n/).filter((part) => part.trim())
    .map((part) => part.split("\n").map((line) => line.split(/\s+/).filter(Boolean)));
  const lines = parts.flat();
  const words = [...new Set(lines.flat())];
  const samples = lines.flatMap((line) => line.map((word) => words.indexOf(word)).flatMap((center, t, ids) => {
    const near = [...ids.slice(Math.max(0, t - window), t), ...ids.slice(t + 1, t + 1 + window)];
    if (model === "skipgram") return near.map((output) => ({ inputs: [center], output }));
    return near.length ? [{ inputs: near, output: center }] : [];
  }));
  const home = (found) => (found.length > 1 ? -1 : found[0]); // 只在第几段出现；几段都有的是 −1
  let [total, random] = [0, generator(seed)];
  return { words, samples, random, K, rate: Number(rate), steps: 0, losses: [], history: [],
    homes: words.map((word) => home(range(parts.length).filter((p) => parts[p].flat().includes(word)))),
    cumulative: words.map((word) => (total += lines.flat().filter((other) => other === word).length ** 0.75)),
    order: range(samples.length), embedding: words.map(() => range(E).map(() => (random() - 0.5) / E)),
    context: words.map(() => Array(E).fill(0)) };
}

/** 走一步，一条样本。每轮开头先洗牌（从后往前换），每步抽 K 个负样本（词频的 0.75 次方）。 */
export function advance(lab) {
  const { samples, order, random, cumulative, embedding, context, K, rate } = lab;
  const at = lab.steps % samples.length;
  if (at === 0) {
    lab.losses = [];
    for (let i = samples.length - 1; i > 0; i--) {
      const j = Math.floor(random() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
  }
  const { inputs, output } = samples[order[at]];
  const draw = (x) => cumulative.findIndex((c) => x < c);
  const outputs = [output, ...range(K).map(() => draw(random() * cumulative.at(-1)))];
  const h = average(inputs.map((w) => embedding[w])); // Skip-gram 只有一行，平均就是它自己
  const dots = outputs.map((w) => dot(h, context[w]));
  const push = dots.map((z, i) => rate * ((i ? 0 : 1) - sigmoid(z)));
  const dh = h.map((_, k) => outputs.reduce((sum, w, i) => sum + push[i] * context[w][k], 0) / inputs.length);
  outputs.forEach((w, i) => h.forEach((x, k) => { context[w][k] += push[i] * x; }));
  for (const w of inputs) dh.forEach((d, k) => { embedding[w][k] += d; });
  const loss = dots.reduce((sum, z, i) => sum + softplus(i ? z : -z), 0);
  lab.losses.push(loss);
  if (++lab.steps % samples.length === 0) lab.history.push({ loss: mean(lab.losses), ...cosines(lab), ...scores(lab) });
  return { inputs, outputs, loss };
}

/** 词向量两两的平均余弦：全部、同一段的、不同段的（几段都有的词不算）。 */
export function cosines({ embedding, homes }) {
  const units = embedding.map(unit);
  const total = (list) => (list.length * Math.hypot(...average(list))) ** 2 - list.length;
  const pairs = (list) => list.length * (list.length - 1);
  const groups = [...new Set(homes)].filter((p) => p >= 0).map((p) => units.filter((_, w) => homes[w] === p));
  const [own, same, count] = [groups.flat(), ...[total, pairs].map((f) => groups.reduce((sum, list) => sum + f(list), 0))];
  return { all: total(units) / pairs(units), same: same / count, cross: (total(own) - same) / (pairs(own) - count) };
}

/** σ 的平均：语料里的正样本；同样的输入配随机抽的词（按噪声分布取期望，不用真抽）。 */
export function scores({ samples, embedding, context, cumulative }) {
  const noise = cumulative.map((c, w) => (c - (cumulative[w - 1] ?? 0)) / cumulative.at(-1));
  const known = {}; // 同样的输入只算一次
  const all = (h) => context.map((u) => sigmoid(dot(h, u)));
  const look = ({ inputs }) => (known[inputs] ??= all(average(inputs.map((w) => embedding[w]))));
  return { real: mean(samples.map((sample) => look(sample)[sample.output])),
    random: mean(samples.map((sample) => dot(look(sample), noise))) };
}

/** 词的方向投到散得最开的两个方向（PCA，幂迭代）；从上一次的 basis 接着迭代，画面不会突然翻转。 */
export function plane({ embedding }, basis = range(2).map((i) => range(E).map((k) => Math.cos(i + k))), rounds = 200) {
  const units = embedding.map(unit);
  const middle = average(units);
  const rows = units.map((row) => row.map((x, k) => x - middle[k]));
  const spread = range(E).map((i) => range(E).map((j) => rows.reduce((sum, row) => sum + row[i] * row[j], 0)));
  let [first, second] = basis;
  for (let i = 0; i < rounds; i++) {
    const [next, other] = [first, second].map((axis) => spread.map((row) => dot(row, axis)));
    first = unit(next);
    second = unit(other.map((x, k) => x - dot(other, first) * first[k]));
  }
  return { basis: [first, second], points: rows.map((row) => [dot(row, first), dot(row, second)]) };
}

const CSS = `
  textarea { height: 15.5em; } p[role="status"] { min-height: 4.8em; } .choices { flex: none; }
  .tools, .stage, .key, .curve { display: flex; flex-wrap: wrap; } .curve, .key { font-size: 13.5px; }
  .tools { gap: 8px 10px; margin-top: 14px; } .go { background: var(--accent); color: var(--on-accent); min-width: 104px; }
  .stage { gap: 14px 24px; } .side { flex: 1 1 230px; display: grid; gap: 10px; align-content: space-between; }
  .plane { position: relative; flex: 1 1 330px; aspect-ratio: 1; overflow: hidden; border: 1px solid var(--line); border-radius: 8px;
    background: linear-gradient(var(--line) 0 0) center / 100% 1px no-repeat, linear-gradient(var(--line) 0 0) center / 1px 100% no-repeat; }
  .word, .word span, i { position: absolute; top: 0; left: 0; } .word span { line-height: 18px; font-size: 14px; white-space: nowrap; }
  @media (prefers-reduced-motion: no-preference) { .word span { transition: translate .2s; } }
  i { width: 11px; height: 11px; margin: -5.5px; background: currentColor; } .key i { margin: 6px 0 0 1px; }
  .p0 { color: var(--B); } .p1 { color: var(--T); } .p2 { color: var(--D); } .p3 { color: var(--H); } .p-1 { color: var(--soft); }
  .p-1 i { background: var(--paper); border: 2px solid; } .p0 i, .p-1 i { border-radius: 50%; } .p2 i { rotate: 45deg; } .p3 i { clip-path: polygon(50% 0, 100% 100%, 0 100%); }
  .curve { justify-content: space-between; } .curve svg { max-width: none; height: 100%; margin: 0; overflow: visible; }
  .curve > div { flex: 1 0 90%; position: relative; height: 78px; margin: 3px 0 17px 34px; border: solid var(--edge); border-width: 0 0 1px 1px; }
  path { vector-effect: non-scaling-stroke; fill: none; stroke: var(--B); stroke-width: 2; } path + path { stroke: var(--T); stroke-dasharray: 5 3; }
  small { position: absolute; right: calc(100% + 5px); font-size: 12px; line-height: 12px; color: var(--soft); } .high { top: -3px; } .low { bottom: -3px; } .end { right: 0; top: calc(100% + 4px); }
  .key { gap: 2px 18px; margin: 8px 0; } .key span { position: relative; padding-left: 18px; }
`;
const SPOTS = [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [1, 1], [-1, -1], [-1, 1], [0, -2], [0, 2]]; // 名字写在点的哪一边
const two = (v) => v.toFixed(2).replace("-", "−");

/** 一两条曲线，从第一轮画起；bottom 是纵轴最低处。 */
function curve(label, bottom) {
  const [now, high, low, end, ...paths] = ["b.num", "small.high.num", "small.low.num", "small.end", "svg:path", "svg:path"]
    .map((tag) => make(tag));
  const node = make("div.curve", {}, make("span", {}, label), now, make("div", {}, make("svg:svg",
    { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, ...paths), high, low, end));
  return { node, update(lists, text, top) {
    const count = Math.max(30, lists[0].length);
    const skip = Math.ceil(count / 300); // 轮数多了，隔几轮画一点
    const at = (v, i) => (i % skip ? [] : `${(100 * (i + 1)) / count} ${(100 * (top - v)) / (top - bottom)}`);
    lists.forEach((list, n) => paths[n].setAttribute("d", list.length ? `M${list.flatMap(at).join("L")}` : ""));
    [now, high, low, end].forEach((part, i) => { part.textContent = [text, top, two(bottom).replace(/\.?0+$/, ""), `${count} 轮`][i]; });
  } };
}

function render({ model, el }) {
  let [lab, view, marks] = [null, null, []];
  let [handle, visible, goal, owed, before] = [0, true, 0, 0, 0]; // handle 是动画的下一帧，0 是没在训练
  const note = make("p", { role: "status" });
  const say = (text) => { note.textContent = text; };
  const button = (label, onclick, kind = "button") => make(kind, { type: "button", onclick }, label);
  const go = button("训练", () => (handle ? settle() : start()), "button.go");
  const [field, key] = [make("div.plane", { role: "img" }), make("div.key")];
  const curves = [curve("损失，奈特", 0), curve("平均余弦", -0.2), curve("分数：真邻居，随机词（虚线）", 0)];

  /** 名字尽量不压住别的名字和点；原来在哪一边，能不动就不动；实在放不下，就不写。 */
  function drawPlane() {
    view = plane(lab, view?.basis, view ? 3 : 200);
    const [width, height] = [field.clientWidth, field.clientHeight];
    const places = view.points.map(([x, y]) => [width / 2 + (width * x) / 1.9, height / 2 - (width * y) / 1.9]);
    const taken = places.map(([x, y]) => [x, y, 12]);
    marks.forEach((mark, w) => {
      const [[x, y], label] = [places[w], mark.node.lastChild];
      const box = ([sx, sy]) => [x + sx * (mark.wide / 2 + (sy ? 2 : 9)), y + sy * 16, mark.wide];
      const clear = ([bx, by, wide]) => bx > wide / 2 && bx < width - wide / 2
        && taken.every(([ox, oy, other]) => Math.abs(bx - ox) > (wide + other) / 2 || Math.abs(by - oy) > 15);
      const spot = (Math.abs(mark.spot[1]) > 1 ? SPOTS : [mark.spot, ...SPOTS]).find((side) => clear(box(side)));
      mark.node.style.translate = `${x.toFixed(1)}px ${y.toFixed(1)}px`;
      label.style.visibility = spot ? "" : "hidden";
      if (!spot) return;
      taken.push(box(spot));
      mark.spot = spot;
      label.style.translate = `calc(-50% + ${box(spot)[0] - x}px) calc(-50% + ${box(spot)[1] - y}px)`;
    });
  }

  function draw(now = { ...cosines(lab), ...scores(lab) }) {
    const { history, K, losses } = lab;
    const past = (...names) => names.map((name) => history.map((point) => point[name]));
    drawPlane();
    curves[0].update(past("loss"), losses.length ? two(mean(losses)) : "", Math.ceil((1 + K) * Math.LN2 + 0.3));
    curves[1].update(past("all"), two(now.all), 1);
    curves[2].update(past("real", "random"), `${two(now.real)}，${two(now.random)}`, 1);
    return now;
  }

  const stop = () => { cancelAnimationFrame(handle); [handle, go.textContent] = [0, "训练"]; };
  function settle(text) { // 停下来，说清停在哪里；屏幕阅读器只在这时候出声，动画里不念
    stop();
    const { all, same, cross, real, random } = draw();
    const groups = Number.isFinite(same + cross) ? `（同一段的词之间 ${two(same)}，不同段的 ${two(cross)}）` : "";
    say(text ?? `走完 ${Math.floor(lab.steps / lab.samples.length)} 轮：平均余弦 ${two(all)}${groups}；`
      + `真邻居的分数 ${two(real)}，随机词的 ${two(random)}。`
      + (all > 0.9 && random > 0.9 ? "所有的词挤到一个方向，随便哪两个词都判成真邻居：坍缩了。" : ""));
    field.setAttribute("aria-label", `${lab.words.length} 个词的方向画在平面上；平均余弦 ${two(all)}${groups}`);
  }

  function frame(now) {
    if (!el.isConnected) return;
    const [n, passed] = [lab.samples.length, visible ? Math.min(now - before, 100) / 1000 : 0];
    [before, handle] = [now, requestAnimationFrame(frame)];
    owed = Math.min(owed + passed * PACE * n, n);
    for (const until = performance.now() + 12; owed >= 1 && lab.steps < goal && performance.now() < until; owed--) advance(lab);
    if (lab.steps >= goal) settle(); else if (passed) draw(lab.history.at(-1)); // 动画里只写上一轮的读数，省得每帧都算
  }
  const target = (count) => (Math.floor(lab.steps / lab.samples.length) + count) * lab.samples.length;
  const rounds = (count) => { for (const end = target(count); lab.steps < end;) advance(lab); settle(); };
  function start() {
    if (matchMedia("(prefers-reduced-motion: reduce)").matches) return rounds(50); // 不要动画：一下走完
    [owed, goal, before, handle] = [0, target(RUN), performance.now(), requestAnimationFrame(frame)];
    go.textContent = "停";
    say(`训练中，最多再走 ${RUN} 轮。`);
  }
  function one() {
    const { inputs, outputs, loss } = advance(lab);
    const list = (ids) => ids.map((w) => lab.words[w]).join("、");
    settle(`第 ${lab.steps} 步：${list(inputs)} → ${list(outputs.slice(0, 1))}，负样本：${list(outputs.slice(1)) || "没有"}；损失 ${two(loss)} 奈特。`);
  }

  function restart() { // 改了任何一项，都从头来
    stop();
    [lab, view] = [create(Object.fromEntries(Object.keys(spec.state).map((name) => [name, model.get(name)]))), null];
    const { words, homes, samples, K } = lab;
    const kind = (p) => `p${p < 0 ? -1 : p % 4}`;
    body.hidden = words.length < 2 || !samples.length;
    for (const tool of tools.children) tool.disabled = body.hidden;
    if (body.hidden) return say("还没有样本；请在语料里写一句话，至少两个不同的词。");
    marks = words.map((word, w) => ({ node: make(`div.word.${kind(homes[w])}`, {}, make("i"), make("span", {}, word)),
      spot: SPOTS[0], wide: 4 + [...word].reduce((sum, c) => sum + (c > "\u2e80" ? 14 : 8.5), 0) }));
    field.replaceChildren(...marks.map(({ node }) => node));
    const name = (p) => (p < 0 ? "几段都有的词" : `第 ${p + 1} 段的词`);
    key.replaceChildren(...[...new Set(homes)].sort().map((p) => make(`span.${kind(p)}`, {}, make("i"), name(p))));
    settle(`还没训练：${words.length} 个词，每轮 ${samples.length} 条样本，K=${K}；各词方向随机，上下文表全是 0，所以分数都是 0.50。`);
  }

  const tools = make("div.tools", {}, go, button("走一步", one), button("走一轮", () => rounds(1)), button("重来", restart),
    button("换个起点", () => { model.set("seed", (model.get("seed") % spec.state.seed.max) + 1); model.save_changes(); }));
  const body = make("div", {}, make("div.stage", {}, field, make("div.side", {}, ...curves.map(({ node }) => node))), key,
    make("p.soft", {}, "一个点是一个词向量的方向，两点越近，方向越像；刻度固定，训练时不缩放。分数是 σ(v·u)，1 表示判成真邻居。"));
  el.append(make("form", { onsubmit: (event) => event.preventDefault() },
    make("style", {}, CSS), make("h2", {}, "词向量实验台"),
    make("p.ask", {}, "先猜后看：把 K 拨到 0，训练一会儿，各个词的向量会怎样？"),
    make("div.fields", { style: "margin-top: 14px" }, ...["model", "K", "window", "rate"].map((name) => control(model, name, spec.state[name], say))),
    tools, note, body, make("h3", {}, "语料"), control(model, "corpus", spec.state.corpus)));
  model.on("change", restart);
  restart();
  new IntersectionObserver((seen) => { visible = seen.at(-1).isIntersecting; }).observe(field); // 滚出画面就停住
  new ResizeObserver(() => body.hidden || drawPlane()).observe(field);
}

export default { render };
