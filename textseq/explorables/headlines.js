// 标题分类器：训练好的模型在网页里认标题，并把每个字的权重画出来。模型存成 int8，按了“打开”才载入；
// 概率与 Python 在同一组权重上算的相等。数据由 data/classifier/build.py 写成。
import { make, numberTable } from "./_kit.js";

export const spec = {
  "title": "标题分类器",
  "state": {
    "headline": {"label": "标题", "default": "中华女子学院：本科层次仅1专业招男生", "max_chars": 200}
  },
  "longest": 40,
  "examples": [
    ["首付20万住进三环？丽泽小户型明日起售", "房产"],
    ["总决赛MVP奖杯被他拿来装麦片", "体育"],
    ["游戏公司年会抽奖：头奖是放假一个月", "游戏"]
  ],
  "hard": [
    ["日本央行扩大资产购买规模 日股冲高", "股票"],
    ["费天朗炒股亏掉一部戏片酬 自嘲给股市送盒饭", "娱乐"],
    ["招生官只看30秒的奖学金申请信怎么写", "教育"]
  ]
};

const UNK = 1; // 0 是 <pad>，1 是 <unk>，字与二元组从 2 起
const FULL_WIDTH = /[０-９Ａ-Ｚａ-ｚ．％]/g;
const SPACE = /[\s\x1c-\x1f\x85]/; // Python 的空白比 JavaScript 的多这几个，少一个 U+FEFF
const range = (n) => Array.from({ length: n }, (_, i) => i);
const sum = (values) => values.reduce((a, b) => a + b, 0);
const sigmoid = (x) => 1 / (1 + Math.exp(-x));
const largest = (values) => values.indexOf(Math.max(...values));

/** 标题 → 字：全角字母、数字变半角，大写变小写，空白不要；同 Python 的 split_units。 */
export function split(title) {
  const text = title.replace(FULL_WIDTH, (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0)).toLowerCase();
  return [...text].filter((c) => c === "\ufeff" || !SPACE.test(c));
}

/** model.js 里的内容 → 算得动的样子：每张表是一列行，每行一个 Float64Array。 */
export function unpack({ about, bigrams, pooling, classes, units, tables }) {
  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;
  const rows = ({ shape: [R, C], step, whole }) => {
    const [steps, values] = [new Float32Array(bytes(step)), new Int8Array(bytes(whole))];
    if (steps.length !== R || values.length !== R * C) throw new RangeError(`${values.length} 个数，应为 ${R} × ${C} 个`);
    return range(R).map((r) => Float64Array.from(values.subarray(r * C, (r + 1) * C), (v) => v * steps[r]));
  };
  const ready = Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, rows(table)]));
  const index = new Map(units.split(" ").map((unit, i) => [unit, i + 2]));
  if (ready.embedding.length !== index.size + 2 || ready.output.length !== classes.length) throw new RangeError("词表、类别与权重对不上");
  return { about, bigrams, pooling, classes, index, ...ready };
}

/** 字 → 每个位置的编号：[字]，或 [字, 它与下一个合成的二元组]；最后一个字后面补 $。空标题当作一个 <unk>。 */
export function encode({ index, bigrams }, units) {
  const id = (unit) => index.get(unit) ?? UNK;
  const ids = units.map((unit, t) => (bigrams ? [id(unit), id(unit + (units[t + 1] ?? "$"))] : [id(unit)]));
  return ids.length ? ids : [bigrams ? [UNK, UNK] : [UNK]];
}

/** 几个向量首尾相接。 */
function join(...parts) {
  const joined = new Float64Array(sum(parts.map((part) => part.length)));
  let start = 0;
  for (const part of parts) { joined.set(part, start); start += part.length; }
  return joined;
}

/** 表里每一行与 x 的点积。 */
const times = (rows, x) => Float64Array.from(rows, (row) => {
  let total = 0;
  for (let k = 0; k < row.length; k++) total += row[k] * x[k];
  return total;
});

/** 一个方向的 LSTM：z = [W_x W_h b] · [x, h, 1]，四段依次是 i、f、g、o。形状：T 个 (D,) → T 个 (H,)。 */
function lstm(rows, inputs) {
  const H = rows.length / 4;
  let [h, c] = [new Float64Array(H), new Float64Array(H)];
  return inputs.map((x) => {
    const z = times(rows, join(x, h, [1]));
    c = c.map((old, k) => sigmoid(z[H + k]) * old + sigmoid(z[k]) * Math.tanh(z[2 * H + k]));
    h = c.map((now, k) => sigmoid(z[3 * H + k]) * Math.tanh(now));
    return h;
  });
}

/** 各步的隐状态 → 一个向量。最后一步：反向的那一半从右往左读，读完时在第 0 步。 */
const POOLS = {
  max: (parts) => parts.flatMap((steps) => range(steps[0].length).map((k) => Math.max(...steps.map((h) => h[k])))),
  mean: (parts) => parts.flatMap((steps) => range(steps[0].length).map((k) => sum(steps.map((h) => h[k])) / steps.length)),
  last: ([right, left]) => join(right.at(-1), left ? left[0] : []),
};

/** 编号 → 各类的分数（logits）。 */
export function scores({ embedding, forward, backward, output, pooling }, ids) {
  const inputs = ids.map((columns) => join(...columns.map((id) => embedding[id])));
  const parts = [forward ? lstm(forward, inputs) : inputs]; // 没有循环层，汇总的就是词向量
  if (backward) parts.push(lstm(backward, [...inputs].reverse()).reverse());
  return [...times(output, join(POOLS[pooling](parts), [1]))];
}

/** 分数 → 概率。 */
export function softmax(z) {
  const top = Math.max(...z);
  const powers = z.map((x) => Math.exp(x - top));
  return powers.map((x) => x / sum(powers));
}

/** 第 k 类的对数几率 ln(p / (1 − p))；从分数算，p 很近 1 时也准。 */
export const logOdds = (z, k) => {
  const others = z.filter((_, i) => i !== k);
  const top = Math.max(...others);
  return z[k] - top - Math.log(sum(others.map((x) => Math.exp(x - top))));
};

/** 一条标题的字、概率、最像的类，与每个字的权重：换成 <unk>（连同含它的二元组），对数几率跌多少。 */
export function explain(model, title) {
  const all = split(title);
  const units = all.slice(0, spec.longest);
  const ids = encode(model, units);
  const z = scores(model, ids);
  const winner = largest(z);
  const weights = units.map((_, i) => {
    const changed = ids.map((columns, t) => columns.map((id, column) => (t === i || (column && t === i - 1) ? UNK : id)));
    const after = scores(model, changed);
    return { weight: logOdds(z, winner) - logOdds(after, winner), after: softmax(after) };
  });
  return { units, dropped: all.length - units.length, known: units.map((unit) => model.index.has(unit)), p: softmax(z), winner, weights };
}

/** 数据文件在哪里，取不到时怎么办：JupyterLab 从它的根目录取，网页从 _static 取。 */
export function place(page) {
  const lab = page.getElementById("jupyter-config-data");
  const root = page.documentElement.dataset.content_root;
  if (lab) return { url: `${JSON.parse(lab.textContent).baseUrl}files/data/classifier/model.js`,
    remedy: "请关掉 JupyterLab，在课程的根目录（有 README.md 的那一层）运行 make lab，再打开这个 notebook。" };
  if (root !== undefined) return { url: `${root}_static/model.js`,
    remedy: "请检查网络后再按一次；若是自己建的书，请重新运行 make book。" };
  return { remedy: "这里不知道数据文件在哪里；请在网页版里打开本页，或用 make lab 打开 notebook。" };
}

/** 载入模型：只在读者按了之后；同一页上第二次用，不再取。 */
function load({ url, remedy }) {
  const ready = () => {
    try {
      return unpack(globalThis.textseqHeadlines);
    } catch {
      delete globalThis.textseqHeadlines; // 换好文件再按一次，重新取
      throw new Error(`取到的不是完整的模型（${url}）。${remedy}`);
    }
  };
  if (globalThis.textseqHeadlines) return ready();
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`没有取到模型${url ? `（${url}）` : ""}。${remedy}`));
    if (!url) return fail();
    const script = make("script", { src: url, charset: "utf-8", onerror: fail, // 双击打开的网页不许 fetch 本地文件，<script> 可以
      onload: () => (globalThis.textseqHeadlines ? resolve(true) : fail()) });
    document.head.append(script);
    script.addEventListener("error", () => script.remove());
  }).then(ready);
}

const CSS = `
  .title { margin-top: 14px; } .title textarea { margin: 5px 0 4px; font-size: 17px; line-height: 1.6; }
  .chips { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 8px; margin: 8px 0; }
  .chips .soft { flex: none; }
  .chips button { min-height: 30px; padding: 2px 10px; font-size: 14px; text-align: left; }
  .asked { margin: 10px 0 0; font-size: 17px; line-height: 1.6; overflow-wrap: anywhere; }
  .open { display: flex; flex-wrap: wrap; align-items: center; gap: 10px 16px; margin-top: 14px; }
  .open[hidden] { display: none; }
  .open button { background: var(--accent); color: var(--on-accent); }
  .classes { list-style: none; margin: 10px 0 0; padding: 0; display: grid; grid: repeat(5, auto) / auto-flow 1fr; gap: 0 32px; }
  .classes li { display: grid; grid-template-columns: 2.6em 1fr 4em; align-items: center; gap: 10px; min-height: 28px; }
  .classes i { height: 12px; border-radius: 3px; background: var(--tint); }
  .classes i::before { content: ""; display: block; height: 100%; width: calc(var(--p) * 100%); border-radius: 3px; background: var(--edge); }
  .classes .num { font-size: 13.5px; text-align: right; }
  .classes .winner { font-weight: 600; color: var(--accent); } .winner i::before { background: var(--accent); }
  .units { list-style: none; display: flex; flex-wrap: wrap; gap: 5px; margin: 10px 0; padding: 0; }
  .units li { width: 44px; padding: 4px 0 3px; text-align: center; border: 1px solid var(--line); border-radius: 6px;
    background: color-mix(in srgb, var(--colour) calc(var(--strength) * 45%), var(--paper)); }
  .units b { display: block; font-size: 19px; line-height: 1.4; font-weight: normal; }
  .units .code { font-size: 11px; line-height: 26.6px; }
  .units span { display: block; font-size: 12px; line-height: 1.4; }
  .units .unknown { border: 2px dashed var(--edge); padding: 3px 0 2px; }
  .failed { border: 2px solid var(--T); border-radius: 8px; padding: 8px 14px; overflow-wrap: anywhere; }
  .notes { padding: 8px 14px; background: var(--warm); border-radius: 8px; } .notes:empty { display: none; }
  p[role="status"]:empty { min-height: 0; margin: 0; }
  .answer { min-height: 3.2em !important; } .each { margin-top: 8px; }
  @media (max-width: 600px) { .classes { grid: auto / 1fr; } }
`;
const sign = (x, digits) => `${x < 0 && Number(x.toFixed(digits)) ? "−" : "+"}${Math.abs(x).toFixed(digits)}`;
/** 百分数：不到 0.1% 与差一点 100% 的，不写成 0 与 100。 */
const percent = (p) => (p < 0.001 ? "<0.1%" : p > 0.999 ? ">99.9%" : `${(p * 100).toFixed(1)}%`);
/** 单独看不见的字符（控制符、组合用的附加符号）写出编号。 */
const visible = (unit) => (/^[\p{C}\p{M}]/u.test(unit) ? `U+${unit.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}` : unit);

function render({ model, el }) {
  const change = (text) => { model.set("headline", text); model.save_changes(); };
  const box = make("textarea", { rows: 2, maxlength: spec.state.headline.max_chars, spellcheck: "false", autocomplete: "off",
    oninput: (event) => event.isComposing || change(box.value), oncompositionend: () => change(box.value) }); // 拼音打到一半，先不算
  const chips = (label, items) => make("div.chips", {}, make("span.soft", {}, label),
    ...items.map(([title]) => make("button", { type: "button", onclick: () => change(title) }, title)));
  const [said, answer] = [make("p", { role: "status" }), make("p.answer", { role: "status" })];
  const [notes, meaning, source] = [make("p.notes", { role: "status" }), make("p.soft"), make("p.soft")];
  const [classes, units] = [make("ol.classes", { "aria-label": "各类的概率" }), make("ol.units", { "aria-label": "每个字的权重" })];
  const each = make("div.scroll.each", { tabindex: 0, role: "group", "aria-label": "逐字的数" });
  const found = make("div", {}, classes, make("h3", {}, "每个字的权重"), meaning, units,
    make("details", {}, make("summary", {}, "逐字的数"), each));
  let data = null;

  function drawNotes({ units: list, dropped, known }) {
    const strange = [...new Set(list.filter((_, i) => !known[i]))].map((unit) => `“${visible(unit)}”`);
    notes.textContent = (dropped ? `标题太长，只看前 ${spec.longest} 个字，后面的没有看。` : "")
      + (strange.length ? `模型不认识${strange.join("、")}：训练的标题里少见，当作 <unk>，权重是 0。` : "");
  }

  function drawAnswer({ units: list, p, winner, weights }, title) {
    const name = data.classes[winner];
    const [, second] = range(p.length).sort((a, b) => p[b] - p[a]);
    const top = largest(weights.map(({ weight }) => weight));
    const then = largest(weights[top].after);
    const changed = then === winner ? "" : `，改口“${data.classes[then]}”`;
    const label = [...spec.examples, ...spec.hard].find(([example]) => example === title)?.[1];
    answer.textContent = `最像“${name}”，${percent(p[winner])}；其次“${data.classes[second]}”，${percent(p[second])}。`
      + (p[winner] < 0.5 ? "最高的也不到一半，模型拿不准。" : "")
      + (weights[top].weight > 0 ? `换掉“${visible(list[top])}”，“${name}”跌得最多，剩 ${percent(weights[top].after[winner])}${changed}。` : "")
      + (label ? `这条标题是按“${label}”写的，模型${label === name ? "认对了" : "认错了"}。` : "");
  }

  function drawUnits({ units: list, known, winner, weights }) {
    const name = data.classes[winner];
    meaning.textContent = `每格的数：把这个字换成 <unk>（不认识的字）${data.bigrams ? "，含它的二元组也换掉" : ""}以后，模型对“${name}”的把握跌多少`
      + "（对数几率 ln(p/(1−p))）。正的支持，负的反对，颜色越深影响越大。几个字一起才起作用的，单看哪个都小。";
    units.replaceChildren(...weights.map(({ weight, after }, i) => make(known[i] ? "li" : "li.unknown", {
      title: `${visible(list[i])}${known[i] ? "" : "（不认识）"}：权重 ${sign(weight, 2)}，换掉后“${name}”${percent(after[winner])}`,
      style: `--strength: ${Math.min(1, Math.abs(weight) / 3)}; --colour: var(--${weight < 0 ? "T" : "B"})` },
    make(visible(list[i]) === list[i] ? "b" : "b.code", {}, visible(list[i])), make("span.num", {}, sign(weight, 1)))));
    each.replaceChildren(numberTable(["字", "权重", `换掉后“${name}”`, "换掉后最像"], weights.map(({ weight, after }, i) =>
      [visible(list[i]), sign(weight, 2), percent(after[winner]), data.classes[largest(after)]])));
  }

  function draw() {
    const title = model.get("headline");
    if (box.value !== title) box.value = title;
    asked.textContent = title;
    if (!data) return;
    const result = explain(data, title);
    found.hidden = !result.units.length;
    drawNotes(result);
    if (found.hidden) {
      answer.textContent = title ? "只有空白，没有字可看；请写一条标题，或点上面的例子。" : "请写一条标题，或点上面的例子。";
      return;
    }
    drawAnswer(result, title);
    classes.replaceChildren(...result.p.map((p, k) => make(k === result.winner ? "li.winner" : "li", {},
      data.classes[k], make("i", { style: `--p: ${p}` }), make("span.num", {}, percent(p)))));
    drawUnits(result);
  }

  const button = make("button", { type: "button", async onclick() {
    button.disabled = true;
    said.classList.remove("failed");
    said.textContent = "正在打开……";
    try {
      data = await load(place(document));
    } catch (error) {
      said.classList.add("failed");
      said.textContent = error.message;
      button.disabled = false;
      return;
    }
    said.textContent = "";
    source.textContent = `模型：${data.about}。十类以外的话题，也会硬归进一类；概率高不等于对。`;
    asked.hidden = opening.hidden = true;
    body.hidden = false;
    draw();
    box.focus({ preventScroll: true });
  } }, "打开（约 0.4 MB）");
  const opening = make("div.open", {}, button,
    make("span.soft", {}, "按了才下载模型；之后都在这一页里算，不再下载，写的标题也不发出去。"));
  const asked = make("p.asked");
  const body = make("div", { hidden: true },
    make("label.field.wide.title", {}, make("span.name", {}, "标题，可以改"), box),
    chips("例子：", spec.examples), chips("难的：", spec.hard), answer, notes, found, source);
  el.append(make("form", { onsubmit: (event) => event.preventDefault() },
    make("style", {}, CSS),
    make("h2", {}, "标题分类器"),
    make("p.ask", {}, "先猜后看：这条标题里，换掉哪一个字，最像的那一类跌得最多？"),
    asked, opening, said, body));
  model.on("change", draw);
  draw();
}

export default { render };
