// 一步更新：一个真邻居、K 个负样本，走一步 Skip-gram 负采样，每个数都在页面上；变了的行点亮。
// 算式同 textseq.word2vec：损失 −log σ(v·u_o) − Σ log σ(−v·u_k)，误差 = 目标 − σ。
import { codeBox, control, make } from "./_kit.js";

export const spec = {
  "title": "一步更新",
  "state": {
    "center": {"label": "中心词", "default": "学院", "choices": {"中华": "中华", "女子": "女子", "学院": "学院", "本科": "本科", "层次": "层次", "专业": "专业", "招": "招", "男生": "男生"}},
    "context": {"label": "上下文词，与中心词紧挨的真邻居", "default": "女子", "choices": {"中华": "中华", "女子": "女子", "学院": "学院", "本科": "本科", "层次": "层次", "专业": "专业", "招": "招", "男生": "男生"}},
    "K": {"label": "负样本个数", "default": 5, "min": 0, "max": 10},
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
const range = (n) => Array.from({ length: n }, (_, i) => i);
const sum = (values) => values.reduce((a, b) => a + b, 0);
const dot = (a, b) => sum(a.map((v, k) => v * b[k]));
const plus = (a, b) => a.map((v, k) => v + b[k]);
const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z))); // −log σ(−z)，多大都不溢出

/** 句子里紧挨着的词（window=1）。 */
export const neighbours = (word) => [word - 1, word + 1].filter((w) => w in WORDS);

/** 抽 K 个负样本（xorshift）。每个词都只出现一次，所以噪声分布是均匀的；抽到谁都留下，重复的也是。 */
export function negatives({ K, seed }) {
  let s = Math.imul(seed, 2654435761);
  return range(K).map(() => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return Math.floor((WORDS.length * (s >>> 0)) / 2 ** 32);
  });
}

/** 这一步用到的：中心词、上下文词（第一个是真邻居，其余是负样本）、学习率。选的不是邻居，就换成最近的邻居。 */
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
  const push = WORDS.map((_, w) => rate * sum(pairs.filter(({ word }) => word === w).map(({ error }) => error)));
  const du = push.map((size) => v.map((x) => size * x));
  const after = { embedding: tables.embedding.map((row, w) => (w === center ? plus(row, dv) : row)),
    context: tables.context.map((row, w) => plus(row, du[w])) };
  const changed = Object.fromEntries(Object.keys(after).map((name) => [name,
    range(WORDS.length).filter((w) => after[name][w].some((x, k) => x !== tables[name][w][k]))]));
  return { pairs, dv, du, after, again: score(after, used), changed };
}

/** 从头走这几步，给出两张表。 */
export const replay = (steps) => steps.reduce((tables, used) => step(tables, used).after, TABLES);

/** 走出同一组数的 Python 代码。 */
export function numpyCode(steps) {
  const table = (rows, indent) => `[${rows.map((row) => `[${row.join(", ")}]`).join(`,\n${" ".repeat(indent)}`)}]`;
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

const CSS = `
  .choices { flex-wrap: wrap; } .choices label { flex: 1 0 auto; }
  .choices span { flex: 1; padding: 0 3px; text-align: center; }
  .choices input:disabled + span { color: var(--soft); background: var(--tint); text-decoration: line-through; cursor: not-allowed; }
  .tools { display: flex; flex-wrap: wrap; gap: 8px 10px; margin-top: 14px; }
  .tools .go { background: var(--accent); color: var(--on-accent); min-width: 104px; }
  p[role="status"]:empty { min-height: 0; margin: 0; } .said { min-height: 4.8em !important; }
  .tables { display: flex; flex-wrap: wrap; gap: 14px 20px; }
  figure { flex: 1 1 290px; min-width: 0; margin: 0; } figcaption code { font-weight: 600; }
  .tables table { width: 100%; border-spacing: 0 3px; table-layout: fixed; }
  .tables th, .tables td { height: 45px; padding: 0 6px; line-height: 1.3; text-align: right; font-size: 13.5px; background: var(--tint); }
  .tables td { padding: 0 4px; white-space: nowrap; }
  .tables th small { white-space: normal; }
  .tables th { width: 40%; text-align: left; font-size: 15px; font-weight: normal; border-radius: 6px 0 0 6px; border-left: 4px solid transparent; }
  .tables td:last-child { border-radius: 0 6px 6px 0; }
  .tables small { display: block; font-size: 12px; white-space: nowrap; }
  .center { border-left-color: var(--B) !important; } .center small, b.center { color: var(--B); }
  .real { border-left-color: var(--D) !important; } .real small, b.real { color: var(--D); }
  .noise { border-left-color: var(--H) !important; } .noise small, b.noise { color: var(--H); }
  tr.lit th, tr.lit td { background: var(--warm); } tr.lit td small { color: var(--T); font-weight: 600; }
  .pairs { width: 100%; border-spacing: 0; }
  .pairs th, .pairs td { padding: 3px 7px; font-size: 13.5px; text-align: right; border-bottom: 1px solid var(--line); white-space: nowrap; }
  .pairs thead th { font-size: 12.5px; color: var(--soft); font-weight: normal; border-color: var(--edge); }
  .pairs th:first-child { text-align: left; } .pairs tbody th { font-size: 15px; } .pairs tfoot > tr > * { border: 0; font-weight: 600; }
  .changes { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 270px), 1fr)); gap: 8px 20px; list-style: none; margin: 8px 0; padding: 0; }
  .changes li:first-child { grid-column: 1 / -1; }
  .changes li { padding: 3px 0 3px 12px; border-left: 4px solid; font-size: 13.5px; line-height: 1.75; overflow-wrap: anywhere; }
  .changes .sum { display: block; font-weight: 600; } sub { font-size: .8em; line-height: 0; }
  @media (max-width: 480px) { .pairs th, .pairs td { padding: 3px 4px; } }
`;
const sign = (x) => String(x).replace("-", "−");
const fixed = (x, digits = 3) => sign(Math.abs(x) < 1000 ? x.toFixed(digits) : x.toExponential(1));
const delta = (x) => (x < 0 ? "" : "+") + fixed(x);

function render({ model, el }) {
  const change = (key, value) => { model.set(key, value); model.save_changes(); };
  const state = () => Object.fromEntries(Object.keys(spec.state).map((key) => [key, model.get(key)]));
  const start = state();
  let [taken, done] = [[], false]; // 走过的每一步当时的状态；眼前这一步走了没有
  const redraw = () => change("seed", (model.get("seed") % spec.state.seed.max) + 1);
  const restore = (saved) => { // 状态变了才会重画；也许一个都没变，所以再画一次
    for (const key of Object.keys(saved)) change(key, saved[key]);
    show();
  };
  const show = () => { done = false; draw(); };
  function go() {
    if (done) redraw(); // 每一步的负样本都是新抽的
    taken.push(state());
    done = true;
    draw();
  }
  const undo = () => (taken.length ? restore(taken.pop()) : note.replaceChildren("已经退到起点，没有可撤的步子。"));
  const [said, note] = ["p", "p.said"].map((tag) => make(tag, { role: "status" }));
  const [center, context] = ["center", "context"].map((key) => control(model, key, spec.state[key]));
  const rateName = make("span.name");
  const rate = make("input", { type: "range", step: 5, min: spec.state.rate_percent.min, max: spec.state.rate_percent.max,
    value: model.get("rate_percent"), "aria-label": "学习率", oninput: () => change("rate_percent", Number(rate.value)) });
  const button = (label, onclick, kind = "button") => make(kind, { type: "button", onclick }, label);
  const [tables, changes] = [make("div.tables"), make("ul.changes")];
  const pairs = make("div.scroll", { tabindex: 0, role: "group", "aria-label": "每一对的点积、σ、目标与误差" });
  const code = codeBox("走出同一组数的 Python 代码");

  /** 一个词在这一步里当什么：[类名, 说明]。 */
  function roles({ center, outputs }, name) {
    if (name === "embedding") return (w) => (w === center ? ["center", "中心词"] : []);
    return (w) => {
      const count = outputs.slice(1).filter((word) => word === w).length;
      const noise = `负样本${count > 1 ? ` ×${count}` : ""}`;
      if (w === outputs[0]) return ["real", count ? `真邻居，又是${noise}` : "真邻居"];
      return count ? ["noise", noise + (neighbours(center).includes(w) ? "，其实相邻" : "")] : [];
    };
  }

  function drawTable(name, title, before, used, result) {
    const role = roles(used, name);
    const rows = (done ? result.after : before)[name];
    return make("figure", { "data-table": name }, make("figcaption", {}, `${title} `, make("code", {}, name),
      make("span.soft.num", {}, ` (V, E) = (${rows.length}, ${rows[0].length})`)),
    make("table", { "aria-label": title }, make("tbody", {}, ...rows.map((row, w) => {
      const [kind, label] = role(w);
      const lit = done && result.changed[name].includes(w);
      return make(lit ? "tr.lit" : "tr", {},
        make(kind ? `th.${kind}` : "th", { scope: "row" }, WORDS[w], ...(label ? [make("small", {}, label)] : [])),
        ...row.map((x, k) => make("td.num", { title: String(x) }, fixed(x),
          ...(lit ? [make("small", {}, delta(x - before[name][w][k]))] : []))));
    }))));
  }

  function drawPairs(used, { pairs: rows, again }) {
    const head = ["上下文词", "目标", "点积", "σ", "误差", "损失", ...(done ? ["走后 σ", "走后损失"] : [])];
    const cells = (values) => values.map((text) => make("td.num", {}, text));
    const total = (list) => fixed(sum(list.map(({ loss }) => loss)));
    pairs.replaceChildren(make("table.pairs", {},
      make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
      make("tbody", {}, ...rows.map(({ word, target, z, p, error, loss }, i) => make("tr", {},
        make("th", { scope: "row" }, make(i ? "b.noise" : "b.real", {}, WORDS[word])),
        ...cells([String(target), fixed(z), fixed(p), delta(error), fixed(loss),
          ...(done ? [fixed(again[i].p), fixed(again[i].loss)] : [])])))),
      make("tfoot", {}, make("tr", {}, make("th", { scope: "row", colspan: 5 }, "合计，奈特"),
        ...cells([total(rows), ...(done ? ["", total(again)] : [])])))));
  }

  function drawChanges({ center, outputs, rate }, { pairs: rows, dv, du }) {
    const named = (letter, w) => [letter, make("sub", {}, WORDS[w])];
    const item = (kind, target, size, values) => make(`li.${kind}.num`, {}, ...target, " 加上 ", `${rate} × `, ...size,
      make("span.sum", {}, `= (${values.map(delta).join(", ")})`));
    const errors = (w) => rows.filter(({ word }) => word === w).map(({ error }) => delta(error));
    changes.replaceChildren(
      item("center", named("v", center), ["(", ...rows.flatMap(({ word, error }, i) =>
        [`${i ? " " : ""}${delta(error)} `, ...named("u", word)]), ")"], dv),
      ...[...new Set(outputs)].map((w) => item(w === outputs[0] ? "real" : "noise", named("u", w),
        [`(${errors(w).join(" ")}) × `, ...named("v", center)], du[w])));
  }

  function describe({ center, outputs }, { pairs: rows, again, changed }) {
    const list = (words) => words.map((w) => WORDS[w]).join("、");
    const [E, C] = [changed.embedding, changed.context];
    const [now, later] = [rows, again].map((side) => fixed(sum(side.map(({ loss }) => loss))));
    const drawn = outputs.slice(1);
    const own = drawn.includes(outputs[0]) ? `“${WORDS[outputs[0]]}”既是真邻居又是负样本，拉近与推开抵消一部分。` : "";
    const other = neighbours(center).filter((w) => w !== outputs[0] && drawn.includes(w));
    const remark = own + (other.length ? `抽到的“${list(other)}”其实也与“${WORDS[center]}”相邻，照样推开。` : "")
      + (new Set(drawn).size < drawn.length ? "负样本有重复，重复的各加一次。" : "")
      + (sum(rows.map(({ loss }) => loss)) > 100 ? "损失越走越大：学习率太大，走过头了。" : "");
    note.textContent = (done ? `第 ${taken.length} 步走完：词向量表变了 ${E.length} 行（${list(E)}），上下文表变了 ${C.length} 行`
      + `（${list(C)}），一共 ${E.length + C.length} 行。损失 ${now} → ${later} 奈特。`
      : `第 ${taken.length + 1} 步，还没走：中心词“${WORDS[center]}”，真邻居“${WORDS[outputs[0]]}”，`
        + `${drawn.length ? `负样本 ${drawn.map((w) => WORDS[w]).join("、")}` : "没有负样本"}。损失 ${now} 奈特。`) + remark;
  }

  function draw() {
    const [past, used] = [(done ? taken.slice(0, -1) : taken).map(batch), batch(state())];
    const before = replay(past);
    const [result, near] = [step(before, used), neighbours(used.center)];
    center.querySelectorAll("input").forEach((input, w) => Object.assign(input, { checked: w === used.center }));
    context.querySelectorAll("input").forEach((input, w) =>
      Object.assign(input, { disabled: !near.includes(w), checked: w === used.outputs[0] }));
    rate.value = model.get("rate_percent");
    rate.setAttribute("aria-valuetext", String(used.rate));
    rateName.replaceChildren("学习率 ", make("b.num", {}, used.rate.toFixed(2)));
    describe(used, result);
    tables.replaceChildren(drawTable("embedding", "词向量表", before, used, result),
      drawTable("context", "上下文表", before, used, result));
    drawPairs(used, result);
    drawChanges(used, result);
    code.pre.textContent = numpyCode([...past, used]);
  }

  el.append(make("form", { onsubmit: (event) => event.preventDefault() },
    make("style", {}, CSS),
    make("h2", {}, "一步更新"),
    make("p.ask", {}, "先猜后看：一步里，两张表一共有几行变了？"),
    make("div.fields", { style: "margin-top: 14px" }, center, context,
      control(model, "K", spec.state.K, (text) => { said.textContent = text; }),
      make("div.field", {}, rateName, rate)),
    said,
    make("div.tools", {}, button("走一步", go, "button.go"), button("撤回", undo),
      button("重抽负样本", redraw), button("重来", () => { taken = []; restore(start); })),
    note, tables,
    make("h3", {}, "算出来：误差 = 目标 − σ(v·u)"),
    make("p.soft", {}, "v 是中心词在词向量表里的一行，u 是上下文词在上下文表里的一行；真邻居的目标是 1，负样本的是 0。"),
    pairs,
    make("h3", {}, "每一行加多少：学习率 × 误差 × 对方那一行"), changes,
    make("p.soft", {}, "两边都用走之前的数。别的行没有查到，一个数也不动。"),
    make("div.head", {}, make("h3", {}, "走出同一组数的 Python 代码"), code.note, code.copy), code.pre));
  model.on("change", show);
  draw();
}

export default { render };
