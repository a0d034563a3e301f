// 标题分类器：训练好的模型在网页里认标题，并把每个字的权重画出来。模型存成 int8，按了“打开”才载入；
// 概率与 Python 在同一组权重上算的相等。数据由 data/classifier/build.py 写成。
import { opener } from "./_data.js";
import { chance, chips, make, numberTable, scroller, status, textBox, visible, widget } from "./_kit.js";
import { largest, range, sigmoid, softmax, sum } from "./_math.js";
import { check, unpackTable } from "./_packed.js";
import { guide } from "./_tour.js";
import { tour } from "./_tour_headlines.js";

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

export const file = {
  path: "data/classifier/model.js", global: "textseqHeadlines", what: "模型", button: "打开（约 0.4 MB）",
  promise: "按了才下载模型；之后都在这一页里算，不再下载，写的标题也不发出去。",
};

const UNK = 1; // 0 是 <pad>，1 是 <unk>，字与二元组从 2 起
const FULL_WIDTH = /[０-９Ａ-Ｚａ-ｚ．％]/g;
const SPACE = /[\s\x1c-\x1f\x85]/; // Python 的空白比 JavaScript 的多这几个，少一个 U+FEFF

/** 标题 → 字：全角字母、数字变半角，大写变小写，空白不要；同 Python 的 split_units。 */
export function split(title) {
  const half = (c) => String.fromCharCode(c.charCodeAt(0) - 0xfee0);
  const text = title.replace(FULL_WIDTH, half).toLowerCase();
  return [...text].filter((c) => c === "\ufeff" || !SPACE.test(c));
}

/** 字 → 每个位置的编号：[字]，或 [字, 它与下一个合成的二元组]；最后一个字后面补 $。空标题当作一个 <unk>。 */
export function encode({ index, bigrams }, units) {
  const id = (unit) => index.get(unit) ?? UNK;
  const pair = (unit, t) => [id(unit), id(unit + (units[t + 1] ?? "$"))];
  if (!units.length) return bigrams ? [[UNK, UNK]] : [[UNK]];
  return units.map((unit, t) => (bigrams ? pair(unit, t) : [id(unit)]));
}

// ---- 读一条标题 ----
// 打一个字就要算四十来遍：原来的标题，再加每个字换掉一次。换掉第 i 个字，只有它和含它的二元组变了，
// 所以读到它以前的状态都记着，从那里接着读，不从头来；数都放在 Float64Array 里，一步里不造新数组。

/** rows 的第 from 列起 width 列，重摆成四个门挨着：第 k 个隐单元、第 j 列、第几个门在 4(k·width+j)+门。 */
function interleave(rows, from, width) {
  const H = rows.length / 4;
  const table = new Float64Array(rows.length * width);
  for (let k = 0; k < H; k++) {
    for (let gate = 0; gate < 4; gate++) {
      const row = rows[gate * H + k];
      for (let j = 0; j < width; j++) table[(k * width + j) * 4 + gate] = row[from + j];
    }
  }
  return table;
}

/** z += 表 · x，表由 interleave 摆好：四个门各有一个累加器。 */
function accumulate(z, table, x) {
  const width = x.length;
  for (let k = 0, at = 0; k < z.length; k += 4) {
    let [i, f, g, o] = [0, 0, 0, 0];
    for (let j = 0; j < width; j++, at += 4) {
      const v = x[j];
      i += table[at] * v;
      f += table[at + 1] * v;
      g += table[at + 2] * v;
      o += table[at + 3] * v;
    }
    z[k] += i;
    z[k + 1] += f;
    z[k + 2] += g;
    z[k + 3] += o;
  }
}

/** 一个方向的 LSTM：z = [W_x W_h b] · [x, h, 1]，四段依次是 i、f、g、o。W_x 的那份每个编号只算一次。 */
function lstmReader(rows, embedding, columns) {
  const [size, E] = [rows.length / 4, embedding[0].length];
  const inputs = range(columns).map((n) => interleave(rows, n * E, E));
  const recurrent = interleave(rows, columns * E, size);
  const bias = interleave(rows, columns * E + size, 1);
  const known = range(columns).map(() => new Map());
  const z = new Float64Array(4 * size);
  function project(n, id) {
    if (!known[n].has(id)) {
      const share = new Float64Array(4 * size);
      accumulate(share, inputs[n], embedding[id]);
      known[n].set(id, share);
    }
    return known[n].get(id);
  }
  function step({ h, c }, ids) {
    z.set(bias);
    for (let n = 0; n < columns; n++) {
      const share = project(n, ids[n]);
      for (let k = 0; k < z.length; k++) z[k] += share[k];
    }
    accumulate(z, recurrent, h);
    for (let k = 0, at = 0; k < size; k++, at += 4) {
      c[k] = sigmoid(z[at + 1]) * c[k] + sigmoid(z[at]) * Math.tanh(z[at + 2]);
      h[k] = sigmoid(z[at + 3]) * Math.tanh(c[k]);
    }
  }
  return { size, step };
}

/** 没有循环层：每一步的“隐状态”就是那几个编号的词向量，首尾相接。 */
function plainReader(embedding, columns) {
  const E = embedding[0].length;
  return { size: columns * E, step: ({ h }, ids) => ids.forEach((id, n) => h.set(embedding[id], n * E)) };
}

/** 各步的隐状态怎样汇总成一个向量：从 start 起，每一步 add 一次；mean 最后还要除以步数。 */
const POOLS = {
  max: { start: -Infinity, add(pool, h) {
    for (let k = 0; k < h.length; k++) if (h[k] > pool[k]) pool[k] = h[k];
  } },
  mean: { start: 0, add(pool, h) {
    for (let k = 0; k < h.length; k++) pool[k] += h[k];
  } },
  last: { start: 0, add: (pool, h) => pool.set(h) }, // 反向从右往左读，最后一步在第 0 个字
};

const PARTS = ["h", "c", "pool"]; // 读到某一步为止的状态
const copyState = (state) => Object.fromEntries(PARTS.map((part) => [part, state[part].slice()]));

function stepOn(model, reader, state, ids) {
  reader.step(state, ids);
  model.pool.add(state.pool, state.h);
  model.steps += 1;
}

/** 一个方向从头读完：第 t 项是读了 t 步以后的状态。 */
function readAll(model, { reader, order }, ids) {
  const blank = new Float64Array(reader.size);
  const trail = [{ h: blank, c: blank, pool: blank.map(() => model.pool.start) }];
  for (const columns of order(ids)) {
    const state = copyState(trail.at(-1));
    stepOn(model, reader, state, columns);
    trail.push(state);
  }
  return trail;
}

/** 换过的标题：从头一个变了的地方接着读，给出读完的汇总。scratch 是反复用的一份状态。 */
function readAgain(model, { reader, order }, trail, scratch, before, after) {
  const [old, now] = [order(before), order(after)];
  const from = now.findIndex((columns, t) => columns !== old[t]);
  for (const part of PARTS) scratch[part].set(trail[from][part]);
  for (let t = from; t < now.length; t++) stepOn(model, reader, scratch, now[t]);
  return scratch.pool;
}

/** 各方向的汇总 → 各类的分数（logits）。 */
function classify({ output, pooling }, pools, T) {
  const share = pooling === "mean" ? 1 / T : 1;
  return output.map((row) => {
    let [total, at] = [row.at(-1), 0];
    for (const pool of pools) for (const value of pool) total += row[at++] * value * share;
    return total;
  });
}

/** 编号 → 各类的分数。 */
export const scores = (model, ids) =>
  classify(model, model.directions.map((way) => readAll(model, way, ids).at(-1).pool), ids.length);

/** 标题 → 各类的概率。 */
export const probabilities = (model, units) => softmax(scores(model, encode(model, units)));

/** 第 i 个字换成 <unk>，连同含它的二元组；没有变的位置还是原来那一份。 */
function replaced(ids, i) {
  const change = (columns, n) => columns.map((id, at) => (at === n || n < 0 ? UNK : id));
  const known = (columns, n) => columns.some((id, at) => (at === n || n < 0) && id !== UNK);
  return ids.map((columns, t) => {
    if (t === i && known(columns, -1)) return change(columns, -1);
    return t === i - 1 && known(columns, 1) ? change(columns, 1) : columns;
  });
}

/** 第 k 类的对数几率 ln(p / (1 − p))；从分数算，p 很近 1 时也准。 */
export const logOdds = (z, k) => {
  const others = z.filter((_, i) => i !== k);
  const top = Math.max(...others);
  return z[k] - top - Math.log(sum(others.map((x) => Math.exp(x - top))));
};

/**
 * 认一条标题：字、概率、最像的类。weigh(i) 算第 i 个字的权重：换成 <unk>（连同含它的二元组），
 * 对数几率跌多少，换掉以后的概率。各字互不相干，什么时候算都行。
 */
export function recognise(model, title) {
  const all = split(title);
  const units = all.slice(0, spec.longest);
  const ids = encode(model, units);
  const trails = model.directions.map((way) => readAll(model, way, ids));
  const scratch = trails.map((trail) => copyState(trail[0]));
  const z = classify(model, trails.map((trail) => trail.at(-1).pool), ids.length);
  const winner = largest(z);
  const without = (i) => {
    const changed = replaced(ids, i);
    if (changed.every((columns, t) => columns === ids[t])) return z; // 本来就不认识
    const pools = model.directions.map((way, n) =>
      readAgain(model, way, trails[n], scratch[n], ids, changed));
    return classify(model, pools, ids.length);
  };
  const weigh = (i) => {
    const after = without(i);
    return { weight: logOdds(z, winner) - logOdds(after, winner), after: softmax(after) };
  };
  return { units, dropped: all.length - units.length, known: units.map((unit) => model.index.has(unit)),
    p: softmax(z), winner, weigh };
}

/** recognise 的结果，连同每个字的权重 weights；steps 是循环层一共走了几步，两个方向都算。 */
export function explain(model, title) {
  const start = model.steps;
  const { weigh, ...found } = recognise(model, title);
  const weights = found.units.map((_, i) => weigh(i));
  return { ...found, weights, steps: model.steps - start };
}

// ---- 模型文件 ----

/** 一个方向：怎样读，按什么次序。异常：表的形状与词向量对不上，RangeError。 */
function direction(rows, embedding, columns, backward) {
  const order = backward ? (list) => [...list].reverse() : (list) => list;
  if (!rows) return { reader: plainReader(embedding, columns), order };
  const wanted = columns * embedding[0].length + rows.length / 4 + 1;
  check(rows.length % 4 === 0 && rows[0].length === wanted, `循环层每行应有 ${wanted} 个数`);
  return { reader: lstmReader(rows, embedding, columns), order };
}

/** model.js 里的内容 → 算得动的样子。异常：缺了什么、对不上，RangeError 或别的异常。 */
export function unpack({ about, bigrams, pooling, classes, units, tables }) {
  const ready = Object.fromEntries(Object.entries(tables).map(([name, table]) => [name, unpackTable(table)]));
  const { embedding, forward, backward, output } = ready;
  const index = new Map(units.split(" ").map((unit, i) => [unit, i + 2]));
  check(typeof about === "string" && typeof bigrams === "boolean", "说明不全");
  check(Object.hasOwn(POOLS, pooling), `没有 ${pooling} 这种汇总`);
  check(embedding.length === index.size + 2, "词表与词向量对不上");
  check(Array.isArray(classes) && output.length === classes.length && classes.length > 1, "类别与权重对不上");
  const columns = bigrams ? 2 : 1;
  const directions = [direction(forward, embedding, columns, false)];
  if (backward) directions.push(direction(backward, embedding, columns, true));
  const wide = sum(directions.map(({ reader }) => reader.size)) + 1;
  check(output[0].length === wide, `输出层每行应有 ${wide} 个数`);
  return { about, bigrams, pooling, classes, index, output, directions, pool: POOLS[pooling], steps: 0 };
}

// ---- 页面 ----

const signed = (x, digits) =>
  `${x < 0 && Number(x.toFixed(digits)) ? "−" : "+"}${Math.abs(x).toFixed(digits)}`;

/**
 * 不像它学过的标题，说一句。汉字不到两成：课程的 3,800 条标题里没有一条这样；相邻的字没有一对学过：
 * 开发集的 500 条里有 6 条。两种都照样给出概率，因为 softmax 总要分给某一类。
 */
export function warning(model, units) {
  const han = units.filter((unit) => /\p{Script=Han}/u.test(unit)).length;
  if (han < 0.2 * units.length) return "汉字不到两成，不像它学过的标题，概率别当真。";
  const strange = model.bigrams && encode(model, units).every(([, pair]) => pair === UNK);
  return strange ? "相邻的字没有一对是它学过的，不像它学过的标题，概率别当真。" : "";
}

/** 标题哪里没看、没认出来。 */
function notesText(model, { units, dropped, known }) {
  const strange = [...new Set(units.filter((_, i) => !known[i]))].map((unit) => `“${visible(unit)}”`);
  return warning(model, units) + (dropped ? `标题太长，只看前 ${spec.longest} 个字，后面的没有看。` : "")
    + (strange.length ? `模型不认识${strange.join("、")}：训练的标题里少见，当作 <unk>，权重是 0。` : "");
}

/** 最像哪一类。 */
function classText({ classes }, { p, winner }) {
  const [, second] = range(p.length).sort((a, b) => p[b] - p[a]);
  return `最像“${classes[winner]}”，${chance(p[winner])}；其次“${classes[second]}”，${chance(p[second])}。`
    + (p[winner] < 0.5 ? "最高的也不到一半，模型拿不准。" : "");
}

/** 换掉哪个字，最像的那一类跌得最多。 */
function dropText({ classes }, { units, winner }, weights) {
  const top = largest(weights.map(({ weight }) => weight));
  const { weight, after } = weights[top];
  if (weight <= 0) return "";
  const [name, then] = [classes[winner], largest(after)];
  const changed = then === winner ? "" : `，改口“${classes[then]}”`;
  return `换掉“${visible(units[top])}”，“${name}”跌得最多，剩 ${chance(after[winner])}${changed}。`;
}

/** 例子是按哪一类写的，认对了没有；不是例子就不说。 */
function labelText({ classes }, { winner }, title) {
  const label = [...spec.examples, ...spec.hard].find(([example]) => example === title)?.[1];
  if (!label) return "";
  return `这条标题是按“${label}”写的，模型${label === classes[winner] ? "认对了" : "认错了"}。`;
}

const meaningText = ({ bigrams }, name) =>
  `每格的数：把这个字换成 <unk>（不认识的字）${bigrams ? "，含它的二元组也换掉" : ""}以后，`
  + `模型对“${name}”的把握跌多少（对数几率 ln(p/(1−p))）。正的支持，负的反对，颜色越深影响越大。`
  + "几个字一起才起作用的，单看哪个都小。";

const classBars = ({ classes }, { p, winner }) => p.map((share, k) =>
  make(k === winner ? "li.winner" : "li", {}, classes[k],
    make("i", { style: `--p: ${share}` }), make("span.num", {}, chance(share))));

/** 一个字的格子：字，权重，颜色的深浅。 */
function unitCell(unit, known, { weight, after }, winner, name) {
  const shown = visible(unit);
  const strength = Math.min(1, Math.abs(weight) / 3);
  const left = chance(after[winner]);
  return make(known ? "li" : "li.unknown", {
    title: `${shown}${known ? "" : "（不认识）"}：权重 ${signed(weight, 2)}，换掉后“${name}”${left}`,
    style: `--strength: ${strength}; --colour: var(--${weight < 0 ? "T" : "B"})`,
  }, make(shown === unit ? "b" : "b.code", {}, shown), make("span.num", {}, signed(weight, 1)));
}

const unitTable = ({ classes }, { units, winner }, weights) => numberTable(
  ["字", "权重", `换掉后“${classes[winner]}”`, "换掉后最像"],
  weights.map(({ weight, after }, i) =>
    [visible(units[i]), signed(weight, 2), chance(after[winner]), classes[largest(after)]]));

/** 认出来以后的图：各类的概率，每个字的权重，逐字的数。 */
function resultView() {
  const [meaning, classes] = [make("p.soft"), make("ol.classes", { "aria-label": "各类的概率" })];
  const units = make("ol.units", { "aria-label": "每个字的权重" });
  const each = scroller("逐字的数", "div.scroll.each");
  const node = make("div", {}, classes, make("h3", {}, "每个字的权重"), meaning, units,
    make("details", {}, make("summary", {}, "逐字的数"), each));
  function drawClasses(model, found) {
    meaning.textContent = meaningText(model, model.classes[found.winner]);
    classes.replaceChildren(...classBars(model, found));
    units.setAttribute("aria-busy", "true"); // 权重马上就来
  }
  function drawWeights(model, found, weights) {
    const name = model.classes[found.winner];
    units.replaceChildren(...found.units.map((unit, i) =>
      unitCell(unit, found.known[i], weights[i], found.winner, name)));
    units.removeAttribute("aria-busy");
    each.replaceChildren(unitTable(model, found, weights));
  }
  return { node, drawClasses, drawWeights };
}

/** 把 count 件小事分几段做完，一段最多 12 毫秒，段与段之间让出主线程；再来一批，没做完的那批就作废。 */
function inSlices(piece) {
  let timer = 0;
  const cancel = () => clearTimeout(timer);
  piece.own(cancel);
  function begin(count, task, done) {
    const results = [];
    const slice = () => {
      const until = performance.now() + 12;
      while (results.length < count && performance.now() < until) results.push(task(results.length));
      if (results.length < count) timer = setTimeout(slice);
      else done(results);
    };
    timer = setTimeout(slice);
  }
  return { begin, cancel };
}

const EMPTY = "请写一条标题，或点上面的例子。";

/** 一条标题的全部结果。先认出是哪一类；权重要换四十来遍，随后分段算，又按了一个键就作废。 */
function answers(piece) {
  const [answer, notes] = [status("p.answer"), status("p.notes")];
  const [view, slices] = [resultView(), inSlices(piece)];
  function draw(model, title) {
    const found = recognise(model, title);
    slices.cancel();
    view.node.hidden = !found.units.length;
    notes.textContent = notesText(model, found);
    if (view.node.hidden) {
      answer.textContent = (title ? "只有空白，没有字可看；" : "") + EMPTY;
      return;
    }
    answer.textContent = classText(model, found);
    view.drawClasses(model, found);
    slices.begin(found.units.length, found.weigh, (weights) => {
      answer.textContent += dropText(model, found, weights) + labelText(model, found, title);
      view.drawWeights(model, found, weights);
    });
  }
  return { nodes: [answer, notes, view.node], draw };
}

/** 导览看的：最像哪一类，各类的概率，最支持它的字（要算了才有）。 */
function tourLook(model, { headline }) {
  const { p, winner, units, weigh } = recognise(model, headline);
  const top = () => {
    const weights = units.map((_, i) => weigh(i).weight);
    const at = largest(weights);
    return { unit: visible(units[at]), weight: signed(weights[at], 1) };
  };
  return { headline, winner: model.classes[winner], top,
    share: (name) => chance(p[model.classes.indexOf(name)]) };
}

export default widget(spec, (piece) => {
  let model = null;
  const box = textBox(piece, "headline", "textarea", { rows: 2 });
  const [asked, source, result] = [make("p.asked"), make("p.soft"), answers(piece)];
  const examples = (label, items, kind) =>
    chips(label, items, ([title]) => title, ([title]) => piece.change("headline", title), kind);
  const body = make("div", { hidden: true },
    make("label.field.wide.title", {}, make("span.name", {}, "标题，可以改"), box),
    examples("例子：", spec.examples, "examples"), examples("难的：", spec.hard, "hard"),
    ...result.nodes, source);

  const trip = guide(piece, tour, () => model && tourLook(model, piece.state()),
    { waiting: "先按“打开”，有了模型才好走。" });

  function draw() {
    asked.textContent = piece.get("headline");
    if (model) result.draw(model, piece.get("headline"));
  }

  const { opening, said } = opener(piece, file, unpack, (ready) => {
    model = ready;
    source.textContent = `模型：${model.about}。十类以外的话题，也会硬归进一类；概率高不等于对。`;
    asked.hidden = true;
    body.hidden = false;
    draw();
    trip.check();
    box.focus({ preventScroll: true });
  });
  piece.show("先猜后看：这条标题里，换掉哪一个字，最像的那一类跌得最多？",
    ...trip.nodes, asked, opening, said, body);
  piece.on("change", draw);
  draw();
});
