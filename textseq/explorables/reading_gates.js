// 门在读什么：一样大的 RNN、GRU、LSTM 读同一句话，猜下一个字，也记着书名号开没开。哪些字影响了眼前的
// 判断、门开了多少，都画在字的旁边；门可以钉住。数与 Python 在同一组权重上算的相等。
// 数据由 data/reading_gates/build.py 写成。
import { CELLS, gradients, insideScore, makeNet, nextScores, readOn } from "./_cells.js";
import { opener } from "./_data.js";
import { button, chance, chips, control, fixed, make, numberTable, scroller, status, textBox, visible, walker,
  widget } from "./_kit.js";
import { dot, mean, range, sigmoid, softmax } from "./_math.js";
import { check, decodeBytes, unpackTable } from "./_packed.js";
import { guide } from "./_tour.js";
import { tour } from "./_tour_reading_gates.js";

export const spec = {
  "title": "门在读什么",
  "state": {
    "sentence": {"label": "句子", "max_chars": 200,
      "default": "我最近在读《今天下午我们一起去看电影》。"},
    "position": {"label": "读到第几个字（从 0 数）", "default": 14, "min": 0, "max": 59},
    "influence": {"label": "影响怎样量", "default": "replace", "choices": {
      "replace": "换掉这个字", "gradient": "轻轻一动（梯度）"}},
    "gate": {"label": "钉住一个门", "default": "none", "choices": {
      "none": "不钉", "LSTM f": "LSTM f", "LSTM i": "LSTM i", "LSTM o": "LSTM o",
      "GRU z": "GRU z", "GRU r": "GRU r"}},
    "value": {"label": "钉在", "default": "1", "choices": {"0": "0", "1": "1"}}
  },
  "longest": 60,
  "examples": [
    ["书名像句话", "我最近在读《今天下午我们一起去看电影》。"],
    ["书名像文件", "学习《关于进一步加强农村工作的几点意见》。"],
    ["两本书", "《北京人》和《家》，我都读过两遍。"],
    ["忘了合上", "他在看《今天上午我们去公园里走了很久，后来又下起了大雨，大家就都回家去了"],
    ["引号", "“新闻联播”用的是引号，不是书名号。"]
  ]
};

export const file = {
  path: "data/reading_gates/readers.js", global: "textseqReadingGates", what: "三个网络",
  button: "打开（约 0.5 MB）",
  promise: "按了才下载三个网络；之后都在这一页里算，写的句子不发出去。",
};

const UNK = 1; // 0 是 <pad>，1 是 <unk>，字从 2 起
// 测试句上的各段，与拉长的测试上的各段：名字，离《最近几个字，最远几个字
const BINS = [["里面 1–5", 1, 5], ["里面 6–10", 6, 10], ["外面", -1, -1],
  ["全部", -1, Infinity]];
const LONG = [["拉长 1–10", 1, 10], ["拉长 11–20", 11, 20], ["拉长 21–40", 21, 40]];

// ---- 算 ----

/** 句子 → 要读的字：空白与控制符不要，太长的剪掉（几百个字以后看也不看，粘贴一整本书也不卡）。 */
export function split(sentence) {
  const all = [...sentence.slice(0, 2 * spec.state.sentence.max_chars)].filter((c) => !/[\s\p{C}]/u.test(c));
  return { chars: all.slice(0, spec.longest), cut: all.length > spec.longest };
}

/** 每个字是《之后的第几个，《自己是 0；外面（》也算）是 −1。 */
export function distances(chars) {
  let d = -1;
  return chars.map((c) => {
    if (c === "《") d = 0;
    else if (c === "》") d = -1;
    else if (d >= 0) d += 1;
    return d;
  });
}

/** 钉住的门只在它自己的网络里：别的网络是空的。 */
function clampOf({ gate, value }, kind) {
  const [owner, name] = gate.split(" ");
  return owner === kind ? { [name]: Number(value) } : {};
}

export const encode = ({ index }, chars) => chars.map((c) => index.get(c) ?? UNK);

/** 每一步“在里面”的概率。 */
export const insideOf = (net, steps) => steps.map((step) => sigmoid(insideScore(net, step)));

/** 第 t 步的读数受前面每个字多大影响：对字向量的梯度有多长，或者把这个字换成 <unk>，读数变多少。 */
export const influence = {
  gradient: (net, ids, steps, t, clamp) => gradients(net, steps, t, clamp).map((g) => Math.sqrt(dot(g, g))),
  replace(net, ids, steps, t, clamp) {
    const score = insideScore(net, steps[t]);
    return range(t + 1).map((s) => {
      const again = readOn(net, [UNK, ...ids.slice(s + 1, t + 1)], clamp, steps[s - 1]);
      return Math.abs(insideScore(net, again.at(-1)) - score);
    });
  },
};

/** 最可能的三个下一个字，与各自的概率；<pad> 不算。 */
function likeliest(net, step, units) {
  const p = softmax([...nextScores(net, step)]);
  const order = range(p.length).slice(1).sort((a, b) => p[b] - p[a]);
  return order.slice(0, 3).map((id) => [id === UNK ? "不认识的字" : units[id - 2], p[id]]);
}

/** 三个网络各读一遍：钉住前后的概率、影响、门、下一个字。 */
function readAll(model, chars, t, state) {
  const ids = encode(model, chars);
  return model.nets.map((net) => {
    const clamp = clampOf(state, net.kind);
    const steps = readOn(net, ids, clamp);
    const free = Object.keys(clamp).length ? insideOf(net, readOn(net, ids, {})) : null;
    return { net, clamp, steps, free, p: insideOf(net, steps),
      felt: influence[state.influence](net, ids, steps, t, clamp),
      next: likeliest(net, steps[t], model.units) };
  });
}

/** 各段判对的比例；sentences 是 [编号, 距离] 的列表，said 是每个字判在里面没有。 */
export function scores(sentences, said, bins) {
  const right = sentences.flatMap(({ d }, n) => d.map((far, t) => [far, said[n][t] === far >= 0]));
  return bins.map(([, low, high]) =>
    mean(right.filter(([far]) => far >= low && far <= high).map(([, ok]) => Number(ok))));
}

/** 网络怎么说：一句里每个字在不在里面。 */
export const judge = (net, { ids }, clamp) =>
  readOn(net, ids, clamp).map((step) => insideScore(net, step) > 0);

/** 不用网络的对手：只看最近 k 个字，最后一个书名号是《，就说在里面。 */
const lookBack = ({ d }, k) => d.map((far) => far >= 0 && far < k);

/** 测试句与拉长的测试，各段都量；say(句子) 给出每个字的判断。 */
export const measure = ({ test, long }, say) =>
  [[test, BINS], [long, LONG]].flatMap(([sentences, bins]) => scores(sentences, sentences.map(say), bins));

// ---- 数据 ----

function unpackNet(kind, { unit, ...packed }, V) {
  const tables = Object.fromEntries(
    Object.entries(packed).map(([name, table]) => [name, unpackTable(table)]));
  const net = makeNet(kind, { ...tables, unit });
  const [rows, wide] = [net.H * { RNN: 1, GRU: 3, LSTM: 4 }[kind], net.E + net.H + 2];
  check(tables.embedding.length === V && tables.next.length === V, "词表与权重对不上");
  check(tables.cell.length === rows && tables.cell[0].length === wide, `循环层应是 ${rows} × ${wide}`);
  check(tables.next[0].length === net.H + 1 && unit >= 0 && unit < net.H, "输出层对不上");
  return net;
}

/** 编号串 → 一句一句：编号，与每个字离《多远。 */
function unpackSentences({ ids, lengths }, units) {
  const flat = new Uint16Array(decodeBytes(ids));
  let at = 0;
  const sentences = lengths.map((n) => {
    const own = [...flat.subarray(at, at += n)];
    return { ids: own, d: distances(own.map((id) => units[id - 2])) };
  });
  check(at === flat.length && at > 0, "测试的句子不全");
  return sentences;
}

/** readers.js 里的内容 → 算得动的样子。异常：缺了什么、对不上，RangeError 或别的异常。 */
export function unpack({ about, units, nets, test, long }) {
  const chars = [...units];
  check(typeof about === "string", "说明不全");
  return { about, units: chars, index: new Map(chars.map((c, i) => [c, i + 2])),
    nets: Object.keys(CELLS).map((kind) => unpackNet(kind, nets[kind], chars.length + 2)),
    test: unpackSentences(test, chars), long: unpackSentences(long, chars) };
}

// ---- 页面 ----

const placeName = (inside) => (inside ? "里面" : "外面");
const clampName = (clamp) => Object.entries(clamp).map(([name, v]) => `${name} = ${v}`).join("，");

/** 句子哪里没看、没认出来。 */
function notesText({ index }, { chars, cut }) {
  const strange = [...new Set(chars.filter((c) => !index.has(c)))].map((c) => `“${visible(c)}”`);
  return (cut ? `句子太长，只读前 ${spec.longest} 个字，后面的没有读。` : "")
    + (strange.length ? `网络不认识${strange.join("、")}，当作同一个 <unk> 来读（虚线框）。` : "")
    + (chars.includes("《") ? "" : "这句没有《，答案从头到尾都是“外面”。");
}

/** 读到这里，三个网络各说什么。 */
function answerText(chars, t, truth, reads) {
  const said = reads.map(({ net, p }) => {
    const inside = p[t] > 0.5;
    return `${net.kind} 说${placeName(inside)}（${chance(p[t])}），${inside === truth[t] ? "对" : "错"}`;
  });
  return `读到第 ${t + 1} 个字“${visible(chars[t])}”，它在书名号${placeName(truth[t])}。`
    + `在里面的概率：${said.join("；")}。`;
}

/** 这一格的记忆，收在 −1 与 1 之间：LSTM 的 c 先过 tanh。 */
const memoryOf = ({ kind, unit }, { memory }) => (kind === "LSTM" ? Math.tanh(memory[unit]) : memory[unit]);

/** 细柱：各个门；再下面是记忆，正的朝上，负的朝下。 */
function unitBars(net, step) {
  const m = memoryOf(net, step);
  const gates = CELLS[net.kind].gates.map((name) =>
    make(`i.${name}`, { style: `--v: ${step[name][net.unit]}` }));
  return [...(gates.length ? [make("div.gates", {}, ...gates)] : []),
    make(`div.memory${m < 0 ? ".below" : ""}`, {}, make("i", { style: `--v: ${Math.abs(m)}` }))];
}

/** 一个字的格子：上面是在里面的概率，中间是字与影响，下面是门与记忆。 */
function charCell({ net, steps, p, free, felt, top }, n, t, shown, go) {
  const share = n <= t ? felt[n] / top : 0;
  const tip = [`${shown.text}：在里面 ${chance(p[n])}`,
    n <= t ? `影响 ${fixed(felt[n], 3)}` : "在框住的那一步之后",
    ...CELLS[net.kind].gates.map((name) => `${name} = ${fixed(steps[n][name][net.unit])}`),
    `记忆 ${fixed(memoryOf(net, steps[n]))}`];
  const marks = [n === t && ".now", n > t && ".later", !shown.known && ".unknown"].filter(Boolean).join("");
  const style = `--p: ${p[n]}; --share: ${share}`;
  return make(`li${marks}`, { title: tip.join("，"), onclick: () => go(n), style },
    make(shown.ok ? "div.p" : "div.p.wrong", {}, make("i"),
      ...(free ? [make("u", { style: `--free: ${free[n]}` })] : [])),
    make("b", {}, shown.text),
    make("span.num", {}, n <= t ? String(Math.round(100 * share)) : "·"),
    ...unitBars(net, steps[n]));
}

const LEGEND = { f: "遗忘门 f", i: "输入门 i", o: "输出门 o", z: "z（留旧）", r: "r（用旧）" };

/** 一个网络的一块：名字、判断、下一个字、逐字的格子。 */
function netBlock(read, chars, t, truth, known, go) {
  const { net, p, clamp, felt, next } = read;
  const right = (p[t] > 0.5) === truth[t];
  const gates = CELLS[net.kind].gates.map((name) => make("span.key", {}, make(`i.${name}`), LEGEND[name]));
  const pinned = clampName(clamp);
  const cells = chars.map((c, n) => charCell({ ...read, top: Math.max(...felt) || 1 }, n, t,
    { text: visible(c), known: known[n], ok: (p[n] > 0.5) === truth[n] }, go));
  return make("section", { "aria-label": net.kind },
    make("div.name", {}, make("h3", {}, net.kind), ...(pinned ? [make("strong", {}, `钉住 ${pinned}`)] : []),
      make(right ? "span.verdict" : "span.verdict.wrong", {},
        `${chance(p[t])} 在里面，${right ? "对" : "错"}`),
      make("span.soft", {}, `下一个字：${next.map(([c, q]) => `${c} ${chance(q)}`).join("，")}`)),
    make("ol.read", { "aria-label": `${net.kind} 逐字的判断、影响与门` }, ...cells),
    make("p.soft.keys", {}, `第 ${net.unit} 格：${gates.length ? "" : "没有门，只有"}`, ...gates,
      make("span.key", {}, make("i.m"), "记忆")));
}

/** 逐字的数。 */
function numbers(chars, t, truth, reads) {
  const head = ["字", "答案", ...reads.flatMap(({ net: { kind } }) =>
    [`${kind} 里面`, "影响", ...CELLS[kind].gates])];
  return numberTable(head, chars.map((c, n) => [`${n + 1} ${visible(c)}`, placeName(truth[n]),
    ...reads.flatMap(({ net, steps, p, felt }) => [chance(p[n]), n <= t ? fixed(felt[n], 3) : "–",
      ...CELLS[net.kind].gates.map((name) => fixed(steps[n][name][net.unit]))])]));
}

const rest = () => new Promise((resolve) => { setTimeout(resolve); });

/** 在测试集上量一遍：三个网络，钉住的再量一次，再加不用网络的对手。每量 40 句，让网页喘口气。 */
function testView(piece) {
  const [said, table] = [status(), scroller("测试集上的准确率")];
  let turn = 0;
  piece.own(() => { turn += 1; });

  async function ask({ test, long }, net, clamp, mine) {
    const answers = new Map();
    for (const sentence of [...test, ...long]) {
      if (answers.size % 40 === 0) await rest();
      if (mine !== turn) return null;
      answers.set(sentence, judge(net, sentence, clamp));
    }
    return (sentence) => answers.get(sentence);
  }
  async function run(model) {
    const mine = ++turn;
    const state = piece.state();
    const jobs = model.nets.flatMap((net) => [{}, clampOf(state, net.kind)]
      .filter((clamp, n) => n === 0 || Object.keys(clamp).length).map((clamp) => [net, clamp]));
    const rows = [["只看最近 10 个字", measure(model, (sentence) => lookBack(sentence, 10))]];
    for (const [net, clamp] of jobs) {
      const name = `${net.kind} ${clampName(clamp)}`.trim();
      said.textContent = `正在量 ${name}……`;
      const say = await ask(model, net, clamp, mine);
      if (!say) return;
      rows.push([name, measure(model, say)]);
    }
    said.textContent = "判对的（%）；1–5 指《之后第 1 到 5 个字。"
      + `句子是课程自己写的 ${model.test.length} 条带书名号的标题，训练没见过；`
      + `“拉长”的 ${model.long.length} 句在书名号里接上别处的 40 个字，不合上，真书名没有这么长。`;
    table.replaceChildren(numberTable(["", ...[...BINS, ...LONG].map(([name]) => name)],
      rows.map(([name, values]) => [name, ...values.map((v) => fixed(100 * v, 1))])));
  }
  const clear = () => {
    turn += 1;
    said.textContent = "";
    table.replaceChildren();
  };
  return { said, table, run, clear };
}

/** 上面的控件：句子、例子、读到第几个字、钉哪个门。 */
function controls(piece, { step }) {
  const box = textBox(piece, "sentence", "textarea", { rows: 2 });
  const slider = make("input", { type: "range", min: 0, step: 1, "aria-label": "读到第几个字",
    oninput: () => piece.change("position", Number(slider.value)) });
  const name = make("span.name");
  const examples = chips("例子：", spec.examples, ([name]) => name,
    ([, text]) => piece.change("sentence", text));
  examples.classList.add("examples");
  const node = make("div", {},
    make("label.field.wide.sentence", {}, make("span.name", {}, "句子，可以改"), box), examples,
    make("div.fields", {}, make("div.field", {}, name, step("上一个字", -1), slider, step("下一个字", 1))));
  const value = control(piece, "value");
  const pins = make("div.pins.clamp", {}, control(piece, "gate"), value);
  function draw(chars, t) {
    value.hidden = piece.get("gate") === "none";
    slider.max = Math.max(0, chars.length - 1);
    slider.value = t;
    const words = chars.length ? `第 ${t + 1} 个字，${visible(chars[t])}` : "没有字";
    slider.setAttribute("aria-valuetext", words);
    name.replaceChildren("读到 ", make("b", {}, words), "；点下面的字也行");
  }
  return { node, pins, box, draw };
}

/** 三块图与测试；draw 画成眼前的状态。 */
function results(piece) {
  const [answer, notes] = [status("p.answer"), status("p.notes")];
  const [blocks, each] = [make("div.blocks"), scroller("逐字的数")];
  const body = make("div", {},
    make("p.soft", {}, "高柱：在里面的概率，横线是一半，× 是判错。底色和数：这个字对框住的那一步影响多大，"
      + "最大的记 100。细柱：与“在里面”相关最强的那一格，它的门（满格是 1）与记忆（朝上为正，朝下为负；"
      + "哪一头算里面，各网络不同）。"),
    make("div.pins.measure", {}, control(piece, "influence"), make("p.soft.tip", {},
      "记得牢的，轻轻一动改不了它，梯度就小；整个换掉，才看得出靠的是谁。")), blocks,
    make("details", {}, make("summary", {}, "逐字的数"), each));
  function draw(model, { chars, cut }, t) {
    notes.textContent = chars.length ? notesText(model, { chars, cut }) : "";
    body.hidden = !chars.length;
    if (body.hidden) {
      answer.textContent = "没有字可读；请写一句话，或点上面的例子。";
      return [];
    }
    const truth = distances(chars).map((d) => d >= 0);
    const known = chars.map((c) => model.index.has(c));
    const reads = readAll(model, chars, t, piece.state());
    answer.textContent = answerText(chars, t, truth, reads);
    blocks.replaceChildren(...reads.map((read) =>
      netBlock(read, chars, t, truth, known, (n) => piece.change("position", n))));
    each.replaceChildren(numbers(chars, t, truth, reads));
    return reads;
  }
  return { nodes: [answer, notes, body], draw };
}

/** 导览看的：状态，三个网络在眼前这一步的概率，每个字的影响（最大的是 100）。 */
function tourLook(piece, reads, t) {
  const by = (value) => Object.fromEntries(reads.map((read) => [read.net.kind, value(read)]));
  return { ...piece.state(), p: by((read) => chance(read.p[t])),
    felt: by(({ felt }) => felt.map((v) => Math.round((100 * v) / (Math.max(...felt) || 1)))) };
}

export default widget(spec, (piece) => {
  let [model, reads] = [null, []];
  const read = () => split(piece.get("sentence"));
  const walk = walker(piece, "position", () => Math.max(0, read().chars.length - 1));
  const [top, view, test] = [controls(piece, walk), results(piece), testView(piece)];
  const [asked, source] = [make("p.asked"), make("p.soft")];
  const body = make("div", { hidden: true }, top.node, ...view.nodes, top.pins,
    make("p.soft", {}, "关掉训练好的门，不等于训练时就没有它：从头就没有，网络会另想办法。"),
    make("div.tested", {}, button("在测试集上量一遍", () => test.run(model)), test.said),
    test.table, source);

  function draw() {
    const found = read();
    asked.replaceChildren(...found.chars.map((c, n) => (n === walk.now() ? make("mark", {}, c) : c)));
    if (!model) return;
    top.draw(found.chars, walk.now());
    reads = view.draw(model, found, walk.now());
  }
  const trip = guide(piece, tour, () => (reads.length ? tourLook(piece, reads, walk.now()) : null),
    { waiting: "先按“打开”，有了三个网络才好走。" });

  const { opening, said } = opener(piece, file, unpack, (ready) => {
    model = ready;
    source.textContent = `三个网络：${model.about}；认得 ${model.units.length.toLocaleString("en")} 个字。`
      + "这是种子 1；换个种子，谁先忘就会变，见第 02 章。";
    asked.hidden = true;
    body.hidden = false;
    draw();
    top.box.focus({ preventScroll: true });
    trip.check();
  });
  piece.show(["先猜：读到第 15 个字，哪个网络还记得书名号开着，哪个忘了？",
    "三个网络，隐状态都是 48 格，读同一句话，一边猜下一个字，一边记着自己在不在《》里面。"],
  ...trip.nodes, asked, opening, said, body);
  piece.on("change", draw);
  for (const key of ["gate", "value"]) piece.on(`change:${key}`, test.clear);
  draw();
});
