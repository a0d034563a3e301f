// 词向量实验台：一份小语料，在网页里当场训练 CBOW 或 Skip-gram 负采样；词在平面上走动，
// K 拨到 0 就坍缩。
// 随机数由 seed 推出，取用的次序见 create 与 advance，所以 Python 训练得出同一组数。
import { curve, wordField } from "./_field.js";
import { button, control, fixed, make, nextSeed, status, still, widget } from "./_kit.js";
import { cumulate, dot, mean, range, sigmoid, softplus, sum } from "./_math.js";
import { guide } from "./_tour.js";
import { tour } from "./_tour_vector_lab.js";
import { average, plane, unit } from "./_vectors.js";

export const spec = {
  "title": "词向量实验台",
  "state": {
    "corpus": {
      "label": "一行一句，词与词之间用空格隔开；空一行算另起一段，各段的词颜色不同", "max_chars": 400,
      "default": [
        "小猫 在 吃 鱼", "小狗 在 吃 鱼", "小猫 和 小狗 很 爱 吃", "小狗 和 小猫 很 爱 鱼", "",
        "火车 在 路上 开", "汽车 在 路上 开", "火车 和 汽车 很 快", "汽车 在 路上 开 得 很 快", "",
        "今天 在 下 雪", "昨天 在 下 雨", "雨 和 雪 很 冷", "昨天 和 今天 很 冷"
      ]
    },
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

/** 0 到 1 之间的随机数（mulberry32）。 */
const generator = (a) => () => {
  a = (a + 0x6D2B79F5) | 0;
  let t = Math.imul(a ^ (a >>> 15), a | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
};

/** 语料 → 段、句、词三层。 */
const paragraphs = (corpus) => corpus.split(/\n\s*\n/).filter((part) => part.trim())
  .map((part) => part.split("\n").map((line) => line.split(/\s+/).filter(Boolean)));

/** 一句话（词的编号）→ 样本：输入的词，要猜的词。 */
const samplesOf = (ids, model, window) => ids.flatMap((center, t) => {
  const near = [...ids.slice(Math.max(0, t - window), t), ...ids.slice(t + 1, t + 1 + window)];
  if (model === "skipgram") return near.map((output) => ({ inputs: [center], output }));
  return near.length ? [{ inputs: near, output: center }] : [];
});

/** 每个词只在第几段出现；几段都有的是 −1。 */
const homesOf = (words, parts) => words.map((word) => {
  const found = range(parts.length).filter((p) => parts[p].flat().includes(word));
  return found.length > 1 ? -1 : found[0];
});

/** 各个词的次数。 */
const countsOf = (words, tokens) => words.map((word) => tokens.filter((other) => other === word).length);

/** 从语料取词、样本与初始的两张表。词按出现的先后编号；词向量表一个词一个词地抽，上下文表是 0。 */
export function create({ corpus, model, K, window, rate, seed }) {
  const parts = paragraphs(corpus);
  const lines = parts.flat();
  const words = [...new Set(lines.flat())];
  const samples = lines.flatMap((line) => samplesOf(line.map((word) => words.indexOf(word)), model, window));
  const random = generator(seed);
  return {
    words, samples, random, K, rate: Number(rate), steps: 0, losses: [], history: [],
    homes: homesOf(words, parts), cumulative: cumulate(countsOf(words, lines.flat())),
    order: range(samples.length),
    embedding: words.map(() => range(E).map(() => (random() - 0.5) / E)),
    context: words.map(() => Array(E).fill(0)),
  };
}

/** 洗牌，从后往前换。 */
function shuffle(order, random) {
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
}

/** 走一步，一条样本。每轮开头先洗牌，每步抽 K 个负样本（词频的 0.75 次方）。 */
export function advance(lab) {
  const { samples, order, random, cumulative, embedding, context, K, rate } = lab;
  const at = lab.steps % samples.length;
  if (at === 0) {
    lab.losses = [];
    shuffle(order, random);
  }
  const { inputs, output } = samples[order[at]];
  const draw = (x) => cumulative.findIndex((c) => x < c);
  const outputs = [output, ...range(K).map(() => draw(random() * cumulative.at(-1)))];
  const h = average(inputs.map((w) => embedding[w])); // Skip-gram 只有一行，平均就是它自己
  const dots = outputs.map((w) => dot(h, context[w]));
  const push = dots.map((z, i) => rate * ((i ? 0 : 1) - sigmoid(z)));
  const dh = h.map((_, k) => sum(outputs.map((w, i) => push[i] * context[w][k])) / inputs.length);
  outputs.forEach((w, i) => h.forEach((x, k) => { context[w][k] += push[i] * x; }));
  for (const w of inputs) dh.forEach((d, k) => { embedding[w][k] += d; });
  const loss = sum(dots.map((z, i) => softplus(i ? z : -z)));
  lab.losses.push(loss);
  if (++lab.steps % samples.length === 0) {
    lab.history.push({ loss: mean(lab.losses), ...cosines(lab), ...scores(lab) });
  }
  return { inputs, outputs, loss };
}

/** 词向量两两的平均余弦：全部、同一段的、不同段的（几段都有的词不算）。 */
export function cosines({ embedding, homes }) {
  const units = embedding.map(unit);
  const total = (list) => (list.length * Math.hypot(...average(list))) ** 2 - list.length;
  const pairs = (list) => list.length * (list.length - 1);
  const groups = [...new Set(homes)].filter((p) => p >= 0).map((p) => units.filter((_, w) => homes[w] === p));
  const own = groups.flat();
  const [same, count] = [total, pairs].map((of) => sum(groups.map(of)));
  return { all: total(units) / pairs(units), same: same / count,
    cross: (total(own) - same) / (pairs(own) - count) };
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

const kindOf = (p) => `p${p < 0 ? -1 : p % 4}`; // 各段的颜色与形状

/** 平面：按现在的词向量摆各词的方向；方向的长度不超过 1，留一点边，刻度固定。 */
function planeView() {
  const field = wordField();
  let view = null;
  function reset({ words, homes }) {
    view = null;
    field.reset(words, homes.map(kindOf));
  }
  function draw({ embedding }) {
    view = plane(embedding.map(unit), view?.basis, view ? 3 : 200);
    field.draw(view.points, 0.95);
  }
  return { field: field.node, reset, draw };
}

/** 三格曲线：损失、平均余弦、分数；now 是写在旁边的读数。 */
function curveBox() {
  const [loss, cosine, score] = [
    curve("损失，奈特", 0), curve("平均余弦", -0.2), curve("分数：真邻居，随机词（虚线）", 0)];
  function draw({ history, K, losses }, now) {
    const past = (...names) => names.map((name) => history.map((point) => point[name]));
    const most = Math.ceil((1 + K) * Math.LN2 + 0.3);
    loss.update(past("loss"), losses.length ? fixed(mean(losses)) : "", most);
    cosine.update(past("all"), fixed(now.all), 1);
    score.update(past("real", "random"), `${fixed(now.real)}，${fixed(now.random)}`, 1);
  }
  return { node: make("div.side", {}, loss.node, cosine.node, score.node), draw };
}

// ---- 训练 ----

const roundsOf = ({ steps, samples }) => Math.floor(steps / samples.length); // 走完了几轮
const target = (lab, rounds) => (roundsOf(lab) + rounds) * lab.samples.length;

/** 动画：按了才走，field 滚出画面就停住。每帧走到期的步数，然后 tick(lab)；走到头就 finish()。 */
function player(piece, field, tick, finish) {
  let [lab, handle, visible, goal, owed, before] = [null, 0, true, 0, 0, 0]; // handle 是下一帧，0 是没在走
  function frame(now) {
    if (!piece.host.isConnected) return;
    const n = lab.samples.length;
    const passed = visible ? Math.min(now - before, 100) / 1000 : 0;
    [before, handle] = [now, requestAnimationFrame(frame)];
    owed = Math.min(owed + passed * PACE * n, n);
    const until = performance.now() + 12;
    for (; owed >= 1 && lab.steps < goal && performance.now() < until; owed--) advance(lab);
    if (lab.steps >= goal) finish();
    else if (passed) tick(lab);
  }
  function start(next) {
    lab = next;
    [owed, goal, before, handle] = [0, target(lab, RUN), performance.now(), requestAnimationFrame(frame)];
  }
  function stop() {
    cancelAnimationFrame(handle);
    handle = 0;
  }
  const watch = new IntersectionObserver((seen) => { visible = seen.at(-1).isIntersecting; });
  watch.observe(field);
  piece.own(() => watch.disconnect());
  piece.own(stop);
  return { start, stop, running: () => handle !== 0 };
}

/** 平均余弦；没有几段可比，就不提同一段与不同段的。 */
function cosineText({ all, same, cross }) {
  const known = Number.isFinite(same + cross);
  const groups = known ? `（同一段的词之间 ${fixed(same)}，不同段的 ${fixed(cross)}）` : "";
  return `平均余弦 ${fixed(all)}${groups}`;
}

/** 停在哪里，说成一句话。 */
function summary(lab, readings) {
  const { all, real, random } = readings;
  const collapsed = all > 0.9 && random > 0.9;
  return `走完 ${roundsOf(lab)} 轮：${cosineText(readings)}；`
    + `真邻居的分数 ${fixed(real)}，随机词的 ${fixed(random)}。`
    + (collapsed ? "所有的词挤到一个方向，随便哪两个词都判成真邻居：坍缩了。" : "");
}

const freshText = ({ words, samples, K }) =>
  `还没训练：${words.length} 个词，每轮 ${samples.length} 条样本，K=${K}；`
  + "各词方向随机，上下文表全是 0，所以分数都是 0.50。";

/** 刚走的一步，说成一句话。 */
function stepText(lab, { inputs, outputs, loss }) {
  const list = (ids) => ids.map((w) => lab.words[w]).join("、");
  return `第 ${lab.steps} 步：${list(inputs)} → ${list(outputs.slice(0, 1))}，`
    + `负样本：${list(outputs.slice(1)) || "没有"}；损失 ${fixed(loss)} 奈特。`;
}

/** 图例：每段一种颜色与形状。 */
function legend(homes) {
  const name = (p) => (p < 0 ? "几段都有的词" : `第 ${p + 1} 段的词`);
  return [...new Set(homes)].sort().map((p) => make(`span.${kindOf(p)}`, {}, make("i"), name(p)));
}

/** 训练的一摊子事：画面、读数、动画；say 把停在哪里说出来，每画一遍就 drawn()。 */
function trainer(piece, say, drawn) {
  let lab = null;
  const [view, curves] = [planeView(), curveBox()];
  const go = button("训练", () => (play.running() ? settle() : start()), "button.go");
  const readings = () => ({ ...cosines(lab), ...scores(lab) });
  const play = player(piece, view.field, (now) => draw(now.history.at(-1) ?? readings()), () => settle());

  function draw(now) { // 动画里只写上一轮的读数，省得每帧都算
    view.draw(lab);
    curves.draw(lab, now);
    drawn();
  }
  const stop = () => { play.stop(); go.textContent = "训练"; };
  function settle(text) { // 停下来，说清停在哪里；屏幕阅读器只在这时候出声，动画里不念
    stop();
    const now = readings();
    draw(now);
    say(text ?? summary(lab, now));
    view.field.setAttribute("aria-label",
      `${lab.words.length} 个词的方向画在平面上；${cosineText(now)}`);
  }
  function rounds(count) {
    for (const end = target(lab, count); lab.steps < end;) advance(lab);
    settle();
  }
  function start() {
    if (still()) return rounds(50); // 不要动画：一下走完
    play.start(lab);
    go.textContent = "停";
    return say(`训练中，最多再走 ${RUN} 轮。`);
  }
  const one = () => { const done = advance(lab); settle(stepText(lab, done)); };
  function use(next) { // 换一份从头来的
    lab = next;
    view.reset(lab);
    settle(freshText(lab));
  }
  const look = () => ({ steps: lab.steps, rounds: roundsOf(lab), loss: () => lab.losses.at(-1), readings });
  return { view, curves, go, one, rounds, stop, use, look, redraw: () => view.draw(lab) };
}

export default widget(spec, (piece) => {
  const [note, key] = [status("p.note"), make("div.key")];
  const say = (text) => { note.textContent = text; };
  const train = trainer(piece, say, () => trip.check());
  const trip = guide(piece, tour, () => ({ ...piece.state(), ...train.look() }), { reset() {
    const walked = train.look().steps > 0;
    restart();
    return walked;
  } });

  function restart() { // 改了任何一项，都从头来
    train.stop();
    const lab = create(piece.state());
    body.hidden = lab.words.length < 2 || !lab.samples.length;
    for (const tool of tools.children) tool.disabled = body.hidden;
    if (body.hidden) {
      say("还没有样本；请在语料里写一句话，至少两个不同的词。");
      return;
    }
    key.replaceChildren(...legend(lab.homes));
    train.use(lab);
  }

  const tools = make("div.tools", {}, train.go, button("走一步", train.one),
    button("走一轮", () => train.rounds(1)), button("重来", restart),
    button("换个起点", () => nextSeed(piece)));
  const body = make("div", {}, make("div.stage", {}, train.view.field, train.curves.node), key,
    make("p.soft", {}, "一个点是一个词向量的方向，两点越近，方向越像；刻度固定，训练时不缩放。"
      + "分数是 σ(v·u)，1 表示判成真邻居。"));
  piece.show("先猜后看：把 K 拨到 0，训练一会儿，各个词的向量会怎样？", ...trip.nodes,
    make("div.fields.first", {},
      ...["model", "K", "window", "rate"].map((name) => control(piece, name, say))),
    tools, note, body, make("h3", {}, "语料"), control(piece, "corpus"));
  piece.on("change", restart);
  restart();
  const resized = new ResizeObserver(() => body.hidden || train.redraw());
  resized.observe(train.view.field);
  piece.own(() => resized.disconnect());
});
