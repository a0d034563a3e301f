// 一步更新：一个真邻居、K 个负样本，走一步 Skip-gram 负采样，每个数都在页面上；变了的行点亮。
// 算式同 textseq.word2vec：损失 −log σ(v·u_o) − Σ log σ(−v·u_k)，误差 = 目标 − σ。
import {
  button, codeBox, control, make, minus, nextSeed, scroller, status, widget,
} from "./_kit.js";
import { dot, range, softplus, sum, xorshift } from "./_math.js";
import { guide } from "./_tour.js";
import { tour } from "./_tour_one_step.js";

export const spec = {
  "title": "一步更新",
  "state": {
    "center": {
      "label": "中心词", "default": "学院",
      "choices": {
        "中华": "中华", "女子": "女子", "学院": "学院", "本科": "本科",
        "层次": "层次", "专业": "专业", "招": "招", "男生": "男生"
      }
    },
    "context": {
      "label": "上下文词，与中心词紧挨的真邻居", "default": "女子",
      "choices": {
        "中华": "中华", "女子": "女子", "学院": "学院", "本科": "本科",
        "层次": "层次", "专业": "专业", "招": "招", "男生": "男生"
      }
    },
    "K": {"label": "负样本个数", "default": 2, "min": 0, "max": 10},
    "rate_percent": {"label": "学习率的一百倍", "default": 50, "min": 5, "max": 200},
    "seed": {"label": "负样本的签，换一个数就换一批", "default": 18, "min": 1, "max": 99}
  },
  "embedding": [[-0.5, 0.08, -0.25], [0.2, 0.24, -0.83], [-0.92, 0.64, -0.46], [-0.5, 0.94, -0.06],
                [0.64, -0.04, 0.26], [-0.66, 0.26, 0.7], [0.04, 0.46, 0.33], [-0.83, 0.49, 0.17]],
  "context": [[-0.38, -0.89, 0.69], [-0.05, 0.42, 0.72], [0.41, 0.8, -0.2], [0.57, -0.11, 0.83],
              [0.72, -0.76, -0.69], [-0.54, 0.88, -0.12], [0.24, -0.38, 0.01], [-0.22, -0.28, 0.16]]
};

const WORDS = Object.keys(spec.state.center.choices);
const TABLES = { embedding: spec.embedding, context: spec.context };
const plus = (a, b) => a.map((v, k) => v + b[k]);

/** 句子里紧挨着的词（window=1）。 */
const neighbours = (word) => [word - 1, word + 1].filter((w) => w in WORDS);

/** 抽 K 个负样本。每个词都只出现一次，所以噪声分布是均匀的；抽到谁都留下，重复的也是。 */
export function negatives({ K, seed }) {
  const draw = xorshift(seed);
  return range(K).map(() => Math.floor(WORDS.length * draw()));
}

/** 这一步用到的：中心词、上下文词（第一个是真邻居，其余是负样本）、学习率。
 *  选的不是邻居，就换成最近的邻居。 */
export function batch(state) {
  const [center, wanted] = [WORDS.indexOf(state.center), WORDS.indexOf(state.context)];
  const [context] = neighbours(center).sort((a, b) => Math.abs(a - wanted) - Math.abs(b - wanted));
  return { center, outputs: [context, ...negatives(state)], rate: state.rate_percent / 100 };
}

/** 每一对的点积、σ、误差与损失（奈特）。 */
function score({ embedding, context }, { center, outputs }) {
  return outputs.map((word, i) => {
    const [target, z] = [i ? 0 : 1, dot(embedding[center], context[word])];
    const p = Math.exp(-softplus(-z));
    return { word, target, z, p, error: target - p, loss: softplus(target ? -z : z) };
  });
}

/** 走一步：两张表的改变量都用走之前的数算，再一起加上；重复的负样本各加一次。 */
export function step(tables, used) {
  const { center, rate } = used;
  const pairs = score(tables, used);
  const v = tables.embedding[center];
  const dv = v.map((_, k) => rate * sum(pairs.map(({ error, word }) => error * tables.context[word][k])));
  const errors = (w) => pairs.filter(({ word }) => word === w).map(({ error }) => error);
  const du = WORDS.map((_, w) => v.map((x) => rate * sum(errors(w)) * x));
  const after = {
    embedding: tables.embedding.map((row, w) => (w === center ? plus(row, dv) : row)),
    context: tables.context.map((row, w) => plus(row, du[w])),
  };
  const moved = (name, w) => after[name][w].some((x, k) => x !== tables[name][w][k]);
  const changed = Object.fromEntries(Object.keys(after).map((name) =>
    [name, range(WORDS.length).filter((w) => moved(name, w))]));
  return { pairs, dv, du, after, again: score(after, used), changed };
}

/** 从头走这几步，给出两张表。 */
export const replay = (steps) => steps.reduce((tables, used) => step(tables, used).after, TABLES);

/** 走出同一组数的 Python 代码。 */
export function numpyCode(steps) {
  const table = (rows, indent) =>
    `[${rows.map((row) => `[${row.join(", ")}]`).join(`,\n${" ".repeat(indent)}`)}]`;
  const list = steps.map(({ center, outputs, rate }) => `(${center}, [${outputs.join(", ")}], ${rate})`);
  return `import numpy as np

words = [${WORDS.map((word) => JSON.stringify(word)).join(", ")}]
embedding = np.array(${table(spec.embedding, 22)})  # (V, E)
context = np.array(${table(spec.context, 20)})
steps = [${list.join(",\n         ")}]  # 中心词；真邻居与负样本；学习率
for center, outputs, rate in steps:
    v, u = embedding[center].copy(), context[outputs]       # (E,)，(1+K, E)
    target = np.arange(len(outputs)) == 0                   # 真邻居是 1，负样本是 0
    error = target - 1 / (1 + np.exp(-u @ v))               # (1+K,)
    embedding[center] += rate * error @ u
    np.add.at(context, outputs, rate * np.outer(error, v))  # 重复的负样本各加一次`;
}

const number = (x, digits = 3) => minus(Math.abs(x) < 1000 ? x.toFixed(digits) : x.toExponential(1));
const delta = (x) => (x < 0 ? "" : "+") + number(x);
const total = (pairs) => sum(pairs.map(({ loss }) => loss));
const listed = (ids) => ids.map((w) => WORDS[w]).join("、");

// ---- 两张表 ----

/** 词向量表里一个词在这一步当什么：[类名, 说明]。 */
const inputRole = ({ center }, w) => (w === center ? ["center", "中心词"] : []);

/** 上下文表里的。 */
function outputRole({ center, outputs }, w) {
  const count = outputs.slice(1).filter((word) => word === w).length;
  const noise = `负样本${count > 1 ? ` ×${count}` : ""}`;
  if (w === outputs[0]) return ["real", count ? `真邻居，又是${noise}` : "真邻居"];
  if (!count) return [];
  return ["noise", noise + (neighbours(center).includes(w) ? "，其实相邻" : "")];
}

/** 表里的一行；lit 时点亮，每个数下面写出它变了多少。 */
function tableRow(w, row, before, [kind, label], lit) {
  const small = (text) => make("small", {}, text);
  return make(lit ? "tr.lit" : "tr", {},
    make(kind ? `th.${kind}` : "th", { scope: "row" }, WORDS[w], ...(label ? [small(label)] : [])),
    ...row.map((x, k) => make("td.num", { title: String(x) }, number(x),
      ...(lit ? [small(delta(x - before[k]))] : []))));
}

function tableFigure(name, title, before, rows, roleOf, lit) {
  const shape = ` (V, E) = (${rows.length}, ${rows[0].length})`;
  return make("figure", { "data-table": name },
    make("figcaption", {}, `${title} `, make("code", {}, name), make("span.soft.num", {}, shape)),
    make("table", { "aria-label": title }, make("tbody", {},
      ...rows.map((row, w) => tableRow(w, row, before[w], roleOf(w), lit.includes(w))))));
}

/** 两张表；走完了就画走之后的，变了的行点亮。 */
function bothTables(before, used, { after, changed }, done) {
  const figure = (name, title, role) => tableFigure(name, title, before[name],
    (done ? after : before)[name], (w) => role(used, w), done ? changed[name] : []);
  return [figure("embedding", "词向量表", inputRole), figure("context", "上下文表", outputRole)];
}

// ---- 算式与说明 ----

/** 每一对的数；走完了，再添上走之后的两列。 */
function pairTable({ pairs, again }, done) {
  const head = ["上下文词", "目标", "点积", "σ", "误差", "损失", ...(done ? ["走后 σ", "走后损失"] : [])];
  const cells = (values) => values.map((text) => make("td.num", {}, text));
  const later = (i) => (done ? [number(again[i].p), number(again[i].loss)] : []);
  return make("table.pairs", {},
    make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, ...pairs.map(({ word, target, z, p, error, loss }, i) => make("tr", {},
      make("th", { scope: "row" }, make(i ? "b.noise" : "b.real", {}, WORDS[word])),
      ...cells([String(target), number(z), number(p), delta(error), number(loss), ...later(i)])))),
    make("tfoot", {}, make("tr", {}, make("th", { scope: "row", colspan: 5 }, "合计，奈特"),
      ...cells([number(total(pairs)), ...(done ? ["", number(total(again))] : [])]))));
}

/** 每个变了的行加上多少，写成算式。 */
function changeList({ center, outputs, rate }, { pairs, dv, du }) {
  const symbol = (letter, w) => [letter, make("sub", {}, WORDS[w])];
  const item = (kind, target, size, values) => make(`li.${kind}.num`, {},
    ...target, " 加上 ", `${rate} × `, ...size,
    make("span.sum", {}, `= (${values.map(delta).join(", ")})`));
  const errors = (w) => pairs.filter(({ word }) => word === w).map(({ error }) => delta(error));
  const terms = pairs.flatMap(({ word, error }, i) =>
    [`${i ? " " : ""}${delta(error)} `, ...symbol("u", word)]);
  return [item("center", symbol("v", center), ["(", ...terms, ")"], dv),
    ...[...new Set(outputs)].map((w) => item(w === outputs[0] ? "real" : "noise", symbol("u", w),
      [`(${errors(w).join(" ")}) × `, ...symbol("v", center)], du[w]))];
}

/** 这一批里值得一提的：抽到了真邻居、抽重了、走过头了。 */
function remarks({ center, outputs }, { pairs }) {
  const drawn = outputs.slice(1);
  const other = neighbours(center).filter((w) => w !== outputs[0] && drawn.includes(w));
  const said = [];
  if (drawn.includes(outputs[0])) {
    said.push(`“${WORDS[outputs[0]]}”既是真邻居又是负样本，拉近与推开抵消一部分。`);
  }
  if (other.length) said.push(`抽到的“${listed(other)}”其实也与“${WORDS[center]}”相邻，照样推开。`);
  if (new Set(drawn).size < drawn.length) said.push("负样本有重复，重复的各加一次。");
  if (total(pairs) > 100) said.push("损失越走越大：学习率太大，走过头了。");
  return said.join("");
}

/** 走到第 n 步，说成一句话。 */
function summary(n, { center, outputs }, { pairs, again, changed }, done) {
  const drawn = outputs.slice(1);
  const now = number(total(pairs));
  if (!done) {
    return `第 ${n} 步，还没走：中心词“${WORDS[center]}”，真邻居“${WORDS[outputs[0]]}”，`
      + `${drawn.length ? `负样本 ${listed(drawn)}` : "没有负样本"}。损失 ${now} 奈特。`;
  }
  const [E, C] = [changed.embedding, changed.context];
  return `第 ${n} 步走完：词向量表变了 ${E.length} 行（${listed(E)}），上下文表变了 ${C.length} 行`
    + `（${listed(C)}），一共 ${E.length + C.length} 行。损失 ${now} → ${number(total(again))} 奈特。`;
}

// ---- 页面 ----

/** 走过的步子：past() 是以前各步，done() 是眼前这一步走了没有；步子变了就调用 changed。 */
function history(piece, changed) {
  const start = piece.state();
  let [taken, done] = [[], false]; // 走过的每一步当时的状态；眼前这一步走了没有
  let undone = 0; // 撤回过几次
  const redraw = () => nextSeed(piece);
  const edited = () => { done = false; changed(); }; // 改了任何一项，眼前这一步就重新开始
  const restore = (saved) => { // 状态变了才会重画；也许一个都没变，所以再画一次
    for (const key of Object.keys(saved)) piece.change(key, saved[key]);
    edited();
  };
  return {
    redraw, edited,
    past: () => (done ? taken.slice(0, -1) : taken).map(batch),
    done: () => done,
    counts: () => ({ steps: taken.length, undone }),
    go() {
      if (done) redraw(); // 每一步的负样本都是新抽的
      taken.push(piece.state());
      done = true;
      changed();
    },
    undo() { // 没有可撤的，给 false
      if (!taken.length) return false;
      undone += 1;
      restore(taken.pop());
      return true;
    },
    restart() { // 给出：有没有走过
      const walked = taken.length > 0;
      taken = [];
      restore(start);
      return walked;
    },
  };
}

/** 学习率的滑块：状态里是一百倍的整数，写出来是小数。 */
function rateSlider(piece) {
  const { min, max } = spec.state.rate_percent;
  const name = make("span.name");
  const slider = make("input", { type: "range", step: 5, min, max, "aria-label": "学习率",
    oninput: () => piece.change("rate_percent", Number(slider.value)) });
  const draw = ({ rate }) => {
    slider.value = piece.get("rate_percent");
    slider.setAttribute("aria-valuetext", String(rate));
    name.replaceChildren("学习率 ", make("b.num", {}, rate.toFixed(2)));
  };
  return { node: make("div.field", { "data-key": "rate_percent" }, name, slider), draw };
}

/** 两排单选钮：上下文词只能选中心词的邻居，选的不是，就已换成最近的。 */
function wordChoices(piece) {
  const [center, context] = ["center", "context"].map((key) => control(piece, key));
  const each = (choices, set) => choices.querySelectorAll("input").forEach(set);
  const draw = (used) => {
    const near = neighbours(used.center);
    each(center, (input, w) => { input.checked = w === used.center; });
    each(context, (input, w) => {
      input.disabled = !near.includes(w);
      input.checked = w === used.outputs[0];
    });
  };
  return { nodes: [center, context], draw };
}

/** 导览看的：走了几步，变了几行，损失与真邻居的 σ 走之前、走之后各是多少。 */
function tourLook(piece, walk) {
  const used = batch(piece.state());
  const { pairs, again, changed } = step(replay(walk.past()), used);
  const rows = Object.values(changed).flat().length;
  return { ...piece.state(), ...walk.counts(), walked: walk.done(), rows, contextRows: changed.context.length,
    drawn: used.outputs.length - 1, loss: number(total(pairs)), lossAfter: number(total(again)),
    p: number(pairs[0].p), pAfter: number(again[0].p) };
}

export default widget(spec, (piece) => {
  const [said, note] = [status(), status("p.said")];
  const [words, rate] = [wordChoices(piece), rateSlider(piece)];
  const [tables, changes] = [make("div.tables"), make("ul.changes")];
  const pairs = scroller("每一对的点积、σ、目标与误差");
  const code = codeBox("走出同一组数的 Python 代码");
  const walk = history(piece, () => draw());
  const trip = guide(piece, tour, () => tourLook(piece, walk), { reset: walk.restart });

  function draw() {
    const [past, used, done] = [walk.past(), batch(piece.state()), walk.done()];
    trip.check();
    const before = replay(past);
    const result = step(before, used);
    words.draw(used);
    rate.draw(used);
    note.textContent = summary(past.length + 1, used, result, done) + remarks(used, result);
    tables.replaceChildren(...bothTables(before, used, result, done));
    pairs.replaceChildren(pairTable(result, done));
    changes.replaceChildren(...changeList(used, result));
    code.pre.textContent = numpyCode([...past, used]);
  }

  const undo = () => walk.undo() || note.replaceChildren("已经退到起点，没有可撤的步子。");
  piece.show("先猜后看：一步里，两张表一共有几行变了？", ...trip.nodes,
    make("div.fields.first", {}, ...words.nodes,
      control(piece, "K", (text) => { said.textContent = text; }), rate.node),
    said,
    make("div.tools", {}, button("走一步", walk.go, "button.go"), button("撤回", undo),
      button("重抽负样本", walk.redraw), button("重来", walk.restart)),
    note, tables,
    make("h3", {}, "算出来：误差 = 目标 − σ(v·u)"),
    make("p.soft", {}, "v 是中心词在词向量表里的一行，u 是上下文词在上下文表里的一行；"
      + "真邻居的目标是 1，负样本的是 0。"),
    pairs,
    make("h3", {}, "每一行加多少：学习率 × 误差 × 对方那一行"), changes,
    make("p.soft", {}, "两边都用走之前的数。别的行没有查到，一个数也不动。"), code.node);
  piece.on("change", walk.edited);
  draw();
});
