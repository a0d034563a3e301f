// 形状积木：一批句子怎样变成 (batch_size, max_L, feature_size)，又怎样流过 RNN、GRU、LSTM。
// 给出已分好词的句子与各个尺寸，得到编号矩阵、每个张量的形状与方块、可运行的 torch 代码。
import { block, codeBox, control, make, named, names, shapeLine, sizes } from "./_kit.js";

export const spec = {
  "title": "形状积木",
  "state": {
    "sentences": {
      "label": "一行一句，词与词之间用空格隔开，可以改",
      "default": "中华 女子 学院 ： 本科 层次 仅 1 专业 招 男生\n市 图书馆 周末 开放 到 晚上 九 点\n今年 第一 场 雪 比 往年 早 到 十 天 ， 山村 小学 开 了 滑雪 课\n小镇 车站 通车",
      "max_chars": 4000
    },
    "batch_size": {"label": "一批几句（B）", "default": 4, "min": 1, "max": 8},
    "max_L": {"label": "每句几个词（T）", "default": 12, "min": 1, "max": 24},
    "truncating": {"label": "太长时截去哪头", "default": "post", "choices": {"pre": "前", "post": "后"}},
    "padding": {"label": "太短时补在哪头", "default": "post", "choices": {"pre": "前", "post": "后"}},
    "feature_size": {"label": "每个词几个数（D）", "default": 50, "min": 1, "max": 512},
    "hidden_size": {"label": "隐状态几个数（H）", "default": 64, "min": 1, "max": 512},
    "num_layers": {"label": "叠几层", "default": 1, "min": 1, "max": 4},
    "cell": {
      "label": "用哪种循环层", "default": "LSTM",
      "choices": {"RNN": "RNN", "GRU": "GRU", "LSTM": "LSTM"}
    },
    "bidirectional": {"label": "双向：再从后往前读一遍", "default": true},
    "batch_first": {"label": "B 排在最前面", "default": true}
  }
};

const GATES = { RNN: 1, GRU: 3, LSTM: 4 };
const directions = (s) => (s.bidirectional ? 2 : 1);

/** 截断、补齐、编号：规则同 textseq 的 Vocab.build 与 pad_sequences。 */
export function batch(s) {
  const lines = s.sentences.split("\n").map((line) => line.match(/\S+/g) ?? []).filter((w) => w.length);
  const counts = new Map();
  for (const word of lines.flat()) counts.set(word, (counts.get(word) ?? 0) + 1);
  counts.delete("<pad>");
  counts.delete("<unk>");
  const byCount = [...counts].sort((a, b) => b[1] - a[1]).map(([word]) => word);
  const index = new Map(["<pad>", "<unk>", ...byCount].map((word, id) => [word, id]));
  const rows = Array.from({ length: s.batch_size }, (_, row) => {
    const line = lines.length ? row % lines.length : row;
    const words = lines[line] ?? [];
    const extra = Math.max(0, words.length - s.max_L);
    const [cut, kept] = s.truncating === "post"
      ? [words.slice(s.max_L), words.slice(0, s.max_L)] : [words.slice(0, extra), words.slice(extra)];
    const pads = Array(s.max_L - kept.length).fill(null);
    const cells = s.padding === "post" ? [...kept, ...pads] : [...pads, ...kept];
    return { line, cut, cells, ids: cells.map((word) => (word === null ? 0 : index.get(word))) };
  });
  return { rows, lines: lines.length, vocabulary: index.size };
}

/** 每个张量的轴名与长度，从第 0 轴排起。 */
export function shapes(s) {
  const ways = directions(s);
  const [B, T] = [["B", s.batch_size], ["T", s.max_L]];
  const ordered = (last) => (s.batch_first ? [B, T, last] : [T, B, last]);
  const final = [["层×方向", s.num_layers * ways], B, ["H", s.hidden_size]]; // 不随 batch_first 变
  return {
    x: ordered(["D", s.feature_size]),
    out: ordered([ways === 2 ? "2H" : "H", ways * s.hidden_size]),
    h_n: final,
    ...(s.cell === "LSTM" && { c_n: final }),
  };
}

/** 每层的参数个数：方向 × 组 × (H×输入 + H×H + 两个偏置)。 */
export function parameters(s) {
  return Array.from({ length: s.num_layers }, (_, layer) => {
    const input = layer ? directions(s) * s.hidden_size : s.feature_size;
    return directions(s) * GATES[s.cell] * s.hidden_size * (input + s.hidden_size + 2);
  });
}

const grouped = (n) => n.toLocaleString("en-US");
const total = (s) => parameters(s).reduce((a, b) => a + b);

/** 能直接运行的 torch 代码，形状写在行尾。 */
export function torchCode(s) {
  const { rows, vocabulary } = batch(s);
  const tensors = shapes(s);
  const py = (value) => (value ? "True" : "False");
  const states = Object.keys(tensors).slice(2).join(", ");
  const lines = [
    ["import torch"],
    ["from torch import nn"],
    [""],
    [`ids = torch.tensor([${rows.map((row) => `[${row.ids.join(", ")}]`).join(",\n                    ")}])`],
    [`emb = nn.Embedding(${vocabulary}, ${s.feature_size}, padding_idx=0)`],
    [`rnn = nn.${s.cell}(input_size=${s.feature_size}, hidden_size=${s.hidden_size}, num_layers=${s.num_layers},\n`
      + `${" ".repeat(10 + s.cell.length)}bidirectional=${py(s.bidirectional)}, batch_first=${py(s.batch_first)})`],
    [`x = emb(${s.batch_first ? "ids" : "ids.T"})`, named(tensors.x)],
    [`out, ${s.cell === "LSTM" ? `(${states})` : states} = rnn(x)`],
    ...Object.keys(tensors).slice(1).map((name) => [`${name}.shape`, named(tensors[name])]),
    ["sum(p.numel() for p in rnn.parameters())", total(s)],
  ];
  return lines.map(([code, note]) => (note ? `${code.padEnd(24)}  # ${note}` : code)).join("\n");
}

const CSS = `
  .batch th { font-weight: normal; font-size: 12.5px; color: var(--soft); padding: 0 4px; white-space: nowrap; }
  .batch td { padding: 2px 3px; min-width: 36px; text-align: center; font-size: 14px; line-height: 1.4; }
  .batch td:not(.pad, .cut) { background: var(--tint); border-radius: 5px; }
  .batch td span { display: block; max-width: 7em; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .batch td small { font-size: 11.5px; color: var(--soft); }
  .batch td.pad { border: 1px dashed var(--edge); border-radius: 5px; color: var(--soft); font-size: 12px; }
  .batch td.cut { min-width: 6.2em; text-align: left; font-size: 13px; color: var(--soft); word-break: keep-all; }
  .cards { display: grid; gap: 12px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 270px), 1fr)); }
  .card { display: flex; flex-direction: column; min-width: 0; padding: 10px 14px 12px; }
  .card { border: 1px solid var(--line); border-radius: 8px; }
  .card.same { background: var(--warm); }
  .card header { display: flex; justify-content: space-between; gap: 8px; }
  .card header strong { font-size: 15px; }
`;
const caption = {
  x: (s) => `每个词换成 ${s.feature_size} 个数。`,
  out: (s) => `最后一层每一步的隐状态${s.bidirectional ? "；浅色一半是前向，深色一半是反向" : ""}。`,
  h_n: (s) => `每层${s.bidirectional ? "每个方向" : ""}读完整行（连同 PAD）之后的隐状态${s.bidirectional ? "；深色的片是反向" : ""}。`,
  c_n: () => "同时刻的细胞状态，形状总与 h_n 相同。",
};

/** 一个张量的变化，说成一句话。 */
function move(name, from, to) {
  if (!from) return `多了 ${name} ${sizes(to)}`;
  if (!to) return `没有 ${name} 了`;
  return sizes(from) === sizes(to) ? `${name} ${names(from)} → ${names(to)}，数碰巧一样`
    : `${name} ${sizes(from)} → ${sizes(to)}`;
}

function render({ model, el }) {
  const state = () => Object.fromEntries(Object.keys(spec.state).map((key) => [key, model.get(key)]));
  const batchNote = make("p", { role: "status" });
  const netNote = make("p", { role: "status" });
  const controls = (note, ...keys) => make("div.fields", {}, ...keys.map((key) =>
    control(model, key, spec.state[key], (text) => { note.textContent = text; })));
  const table = make("div.scroll", { tabindex: 0, role: "group", "aria-label": "截断与补齐之后的一批句子" });
  const cards = make("div.cards");
  const count = make("p.soft");
  const code = codeBox("torch 代码");
  let before = null;

  function drawBatch(s) {
    const { rows, lines } = batch(s);
    const around = (cut, cells) => (!rows.some((row) => row.cut.length) ? cells
      : s.truncating === "pre" ? [cut, ...cells] : [...cells, cut]);
    const cell = (word, id) => (word === null
      ? make("td.pad", {}, make("span", {}, "PAD"), make("small.num", {}, "0"))
      : make("td", { title: word }, make("span", {}, word), make("small.num", {}, String(id))));
    const head = (tag, scope, text) => make(tag, { scope }, text);
    table.replaceChildren(make("table.batch", {},
      make("thead", {}, make("tr", {}, head("th", "col", "时间步 t"), ...around(head("th", "col", "截掉的词"),
        rows[0].cells.map((_, t) => head("th.num", "col", String(t)))))),
      make("tbody", {}, ...rows.map((row, b) => make("tr", {}, head("th.num", "row", `ids[${b}]`),
        ...around(make("td.cut", {}, make("del", {}, row.cut.join(" "))),
          row.cells.map((word, t) => cell(word, row.ids[t]))))))));
    const cut = rows.reduce((n, row) => n + row.cut.length, 0);
    const cellCount = s.batch_size * s.max_L;
    const pads = rows.reduce((n, row) => n + row.cells.filter((word) => word === null).length, 0);
    const share = Math.round((100 * pads) / cellCount);
    batchNote.textContent = `${cellCount} 格：截掉 ${cut} 个词，补了 ${pads} 个 PAD，占 ${share}%。`
      + (!lines ? "还没有句子，整批都是 PAD；请在上面写一行。" : "")
      + (lines && lines < s.batch_size ? `只有 ${lines} 句，从 ids[${lines}] 起又从第一句排起。` : "")
      + (lines > s.batch_size ? `其余 ${lines - s.batch_size} 句留给下一批。` : "");
  }

  function drawNet(s) {
    const tensors = shapes(s);
    const all = Object.keys({ ...before, ...tensors });
    const moved = all.filter((name) => before && String(before[name]) !== String(tensors[name]));
    cards.replaceChildren(...Object.entries(tensors).map(([name, axes]) => {
      const mark = !moved.length ? "" : !moved.includes(name) ? "没变" : before[name] ? "变了" : "新增";
      const backward = name === "out" ? { axis: 2, of: 2 } : { axis: 0, of: axes[0][1] };
      return make(mark === "没变" ? "article.card.same" : "article.card", { "data-tensor": name },
        make("header", {}, make("strong.num", {}, name), make("span.soft", {}, mark)), shapeLine(axes),
        block(name, axes, s.bidirectional && name !== "x" ? backward : null),
        make("p.soft", {}, caption[name](s)));
    }));
    if (before) {
      const still = all.filter((name) => !moved.includes(name)).join("、");
      const moves = moved.map((name) => move(name, before[name], tensors[name]));
      netNote.textContent = moves.length ? `${moves.join("；")}${still && `；没变的是 ${still}`}。`
        : `${all.length} 个张量的形状都没变。`;
    }
    const each = parameters(s);
    const layers = each.length > 1 ? `：第 1 到 ${each.length} 层依次 ${each.map(grouped).join("、")}` : "";
    count.textContent = `参数共 ${grouped(total(s))} 个${layers}。边长随数的对数画，太密的格线不画。`;
    before = tensors;
  }

  function draw(key) {
    const s = state();
    drawBatch(s);
    if (!["sentences", "padding", "truncating"].includes(key)) drawNet(s);
    code.pre.textContent = torchCode(s);
  }

  const form = make("form", { onsubmit: (event) => event.preventDefault() },
    make("style", {}, CSS),
    make("h2", {}, "形状积木"),
    make("p.ask", {}, "先猜后看：去掉 batch_first 的勾，下面哪些张量的形状不变？"),
    make("h3", {}, "一批句子：截断与补齐"),
    controls(batchNote, "sentences", "batch_size", "max_L", "truncating", "padding"),
    batchNote, table,
    make("h3", {}, "流过循环层：每个张量的形状"),
    controls(netNote, "feature_size", "hidden_size", "num_layers", "cell", "bidirectional", "batch_first"),
    netNote, cards, count,
    make("div.head", {}, make("h3", {}, "对应的 torch 代码"), code.note, code.copy), code.pre);
  el.append(form);
  for (const key of Object.keys(spec.state)) model.on(`change:${key}`, () => draw(key));
  draw();
}

export default { render };
