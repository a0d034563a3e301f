// 形状积木：一批句子怎样变成 (batch_size, max_L, feature_size)，又怎样流过 RNN、GRU、LSTM。
// 给出已分好词的句子与各个尺寸，得到编号矩阵、每个张量的形状与方块、可运行的 torch 代码。
import { codeBox, control, make, scroller, status, widget } from "./_kit.js";
import { range, sum } from "./_math.js";
import { puzzleBox } from "./_puzzle.js";
import { block, named, names, shapeLine, sizes } from "./_tensor.js";
import { guide } from "./_tour.js";
import { tour } from "./_tour_shape_blocks.js";

export const spec = {
  "title": "形状积木",
  "state": {
    "sentences": {
      "label": "一行一句，词与词之间用空格隔开，可以改",
      "default": [
        "中华 女子 学院 ： 本科 层次 仅 1 专业 招 男生",
        "市 图书馆 周末 开放 到 晚上 九 点",
        "今年 第一 场 雪 比 往年 早 到 十 天 ， 山村 小学 开 了 滑雪 课",
        "小镇 车站 通车"
      ],
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
    "batch_first": {"label": "B 排在最前面", "default": true},
    "read": {
      "label": "末态读哪一格", "default": "none",
      "choices": {"none": "先不读", "last": "最后一格", "real": "最后一个真词", "h_n": "h_n"}
    },
    "puzzle": {
      "label": "反过来：给你形状，旋钮由你拧", "default": "none",
      "choices": {"none": "不解题", "one": "一", "two": "二", "three": "三", "four": "四"}
    }
  },
  "puzzles": {
    "one": {
      "x": [4, 12, 50], "out": [4, 12, 64], "h_n": [1, 4, 64], "c_n": [1, 4, 64],
      "traps": [[{"hidden_size": 32, "bidirectional": true},
        "out 凑成了 64，那是前向的 32 接上反向的 32；h_n 里两个方向各占一份，就成了两份 32。"]],
      "lesson": "out 的最后一个数是 H 乘方向数，h_n 的头一个数是层数乘方向数：两处一起看，才认得出单向。"
    },
    "two": {
      "x": [6, 8, 50], "out": [6, 8, 128], "h_n": [2, 8, 64], "c_n": [2, 8, 64],
      "traps": [[{"batch_size": 6, "max_L": 8, "batch_first": true},
        "x 和 out 都对上了，h_n 却没有：它中间的数总是 B，不管 B 排在哪里。"]],
      "lesson": "x 里的 6 和 8 谁是 B，只看 x 认不出；h_n 中间的数总是 B，所以 B = 8，排在前面的是 T。"
    },
    "three": {
      "x": [4, 12, 50], "out": [4, 12, 64], "h_n": [4, 4, 32], "c_n": null,
      "traps": [[{"num_layers": 4, "bidirectional": false},
        "四份不一定是四层。h_n 的末尾说 H = 32，out 的末尾却是 64：多出来的一半从哪里来？"],
      [{"num_layers": 4, "bidirectional": true}, "四层、两个方向，h_n 就有八份了。"]],
      "lesson": "两层乘两个方向也是四份。c_n 没有了，就不是 LSTM；是 RNN 还是 GRU，形状看不出来。"
    },
    "four": {
      "x": [4, 12, 50], "out": [4, 12, 128], "h_n": [2, 4, 64], "c_n": null, "parameters": 44544,
      "traps": [[{"cell": "RNN", "hidden_size": 64, "num_layers": 1, "bidirectional": true},
        "RNN 与 GRU 的形状一模一样，只有参数个数分得出。"]],
      "lesson": "形状只说数据怎样流，不说里面有几组权重：GRU 三组，同样大的 RNN 只有一组，参数是它的三倍。"
    }
  }
};

const GATES = { RNN: 1, GRU: 3, LSTM: 4 };
const directions = (s) => (s.bidirectional ? 2 : 1);

/** 编号：<pad> 是 0，<unk> 是 1，其余按出现的次数从多到少；同 Vocab.build。 */
function numbering(lines) {
  const counts = new Map();
  for (const word of lines.flat()) counts.set(word, (counts.get(word) ?? 0) + 1);
  counts.delete("<pad>");
  counts.delete("<unk>");
  const byCount = [...counts].sort((a, b) => b[1] - a[1]).map(([word]) => word);
  return new Map(["<pad>", "<unk>", ...byCount].map((word, id) => [word, id]));
}

/** 一句话截断、补齐：截掉的词，留下的格子（补的是 null）；同 pad_sequences。 */
function fit(words, { max_L, truncating, padding }) {
  const from = truncating === "post" ? 0 : Math.max(0, words.length - max_L);
  const kept = words.slice(from, from + max_L);
  const cut = truncating === "post" ? words.slice(max_L) : words.slice(0, from);
  const pads = Array(max_L - kept.length).fill(null);
  return { cut, cells: padding === "post" ? [...kept, ...pads] : [...pads, ...kept] };
}

/** 一批句子 → 每行的词与编号。句子不够，又从第一句排起。 */
export function batch(s) {
  const lines = s.sentences.split("\n").map((line) => line.match(/\S+/g) ?? []).filter((w) => w.length);
  const index = numbering(lines);
  const rows = range(s.batch_size).map((row) => {
    const line = lines.length ? row % lines.length : row;
    const { cut, cells } = fit(lines[line] ?? [], s);
    return { line, cut, cells, ids: cells.map((word) => (word === null ? 0 : index.get(word))) };
  });
  return { rows, lines: lines.length, vocabulary: index.size };
}

const firstReal = ({ cells }) => cells.findIndex((word) => word !== null);
const lastReal = ({ cells }) => cells.findLastIndex((word) => word !== null);

/** 末态从哪一步读：前向、反向各停在第几步。前向读过 0 到它，反向读过最后一步到它；没有真词的行不读。 */
export function readAt({ read, max_L, bidirectional }, row) {
  const real = lastReal(row);
  if (read === "none" || real < 0) return {};
  const [forward, backward] = { last: [max_L - 1, max_L - 1], real: [real, real], h_n: [max_L - 1, 0] }[read];
  return bidirectional ? { forward, backward } : { forward };
}

/** 末态读得对不对，说成一句话。 */
function readNote(s, rows) {
  if (s.read === "none" || rows.every((row) => lastReal(row) < 0)) return "";
  const count = (bad) => rows.filter((row) => bad(row, readAt(s, row))).length;
  const late = count((row, { forward }) => forward > lastReal(row));
  const early = count((row, { backward }) => backward > firstReal(row));
  const parts = [late ? `前向：${late} 句读过真词，又读了 PAD 才停` : "前向：每句都停在最后一个真词"];
  if (s.bidirectional) parts.push(early ? `反向：${early} 句还没读到句首` : "反向：每句都读到了句首");
  return `末态读${spec.state.read.choices[s.read]}。${parts.join("；")}。`;
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
  return range(s.num_layers).map((layer) => {
    const input = layer ? directions(s) * s.hidden_size : s.feature_size;
    return directions(s) * GATES[s.cell] * s.hidden_size * (input + s.hidden_size + 2);
  });
}

const grouped = (n) => n.toLocaleString("en-US");

/** 读末态的代码与它的形状；不读就没有。 */
function readCode(s, rows) {
  if (s.read === "none") return [];
  const last = `[${rows.map((row) => Math.max(0, lastReal(row))).join(", ")}]`;
  const code = {
    last: s.batch_first ? "out[:, -1]" : "out[-1]",
    real: s.batch_first ? `out[range(${s.batch_size}), ${last}]` : `out[${last}, range(${s.batch_size})]`,
    h_n: s.bidirectional ? "torch.cat((h_n[-2], h_n[-1]), -1)" : "h_n[-1]",
  };
  const size = ["H", s.hidden_size * directions(s)];
  return [[`read = ${code[s.read]}`, named([["B", s.batch_size], s.bidirectional ? ["2H", size[1]] : size])]];
}

/** 能直接运行的 torch 代码，形状写在行尾。 */
export function torchCode(s) {
  const { rows, vocabulary } = batch(s);
  const tensors = shapes(s);
  const py = (value) => (value ? "True" : "False");
  const states = Object.keys(tensors).slice(2).join(", ");
  const ids = rows.map((row) => `[${row.ids.join(", ")}]`).join(`,\n${" ".repeat(20)}`);
  const lines = [
    ["import torch"],
    ["from torch import nn"],
    [""],
    [`ids = torch.tensor([${ids}])`],
    [`emb = nn.Embedding(${vocabulary}, ${s.feature_size}, padding_idx=0)`],
    [`rnn = nn.${s.cell}(input_size=${s.feature_size}, hidden_size=${s.hidden_size}, `
      + `num_layers=${s.num_layers},\n${" ".repeat(10 + s.cell.length)}`
      + `bidirectional=${py(s.bidirectional)}, batch_first=${py(s.batch_first)})`],
    [`x = emb(${s.batch_first ? "ids" : "ids.T"})`, named(tensors.x)],
    [`out, ${s.cell === "LSTM" ? `(${states})` : states} = rnn(x)`],
    ...Object.keys(tensors).slice(1).map((name) => [`${name}.shape`, named(tensors[name])]),
    ...readCode(s, rows),
    ["sum(p.numel() for p in rnn.parameters())", sum(parameters(s))],
  ];
  return lines.map(([code, note]) => (note ? `${code.padEnd(24)}  # ${note}` : code)).join("\n");
}

/** 题目的条件：每个张量要的形状与现在的，有的题还要对上参数的个数。 */
export function puzzleChecks(s) {
  const { x, out, h_n, c_n, parameters: wanted } = spec.puzzles[s.puzzle];
  const [tensors, count] = [shapes(s), sum(parameters(s))];
  const written = (shape) => (shape ? ` (${shape.join(", ")})` : "没有");
  const rows = Object.entries({ x, out, h_n, c_n }).map(([name, shape]) => {
    const [want, got] = [written(shape), written(tensors[name]?.map(([, n]) => n))];
    return { want: shape ? `${name} 是${want}` : `没有 ${name}`, got: `现在${got}`, done: want === got,
      hint: HINTS[name] };
  });
  if (wanted) {
    rows.push({ want: `参数 ${grouped(wanted)} 个`, got: `现在 ${grouped(count)}`, done: wanted === count,
      hint: HINTS.parameters });
  }
  return rows;
}

const HINTS = {
  x: "x 的三个数是 B、T、D；B 与 T 谁在前，由 batch_first 定。",
  out: "out 的前两个数随 x，最后一个是 H 乘方向数；叠几层都不改它。",
  h_n: "h_n 的头一个数是层数乘方向数，中间总是 B，末尾是 H。",
  c_n: "c_n 只有 LSTM 才有。",
  parameters: "形状都对了，参数的个数还不对：换一种循环层，形状可以不变，参数会变。",
};

/** 走岔了的路，认出来就说。 */
export function trapped(s) {
  const on = ([state]) => Object.entries(state).every(([key, value]) => s[key] === value);
  return spec.puzzles[s.puzzle].traps.find(on)?.[1] ?? "";
}

const caption = {
  x: (s) => `每个词换成 ${s.feature_size} 个数。`,
  out: (s) => `最后一层每一步的隐状态${s.bidirectional ? "；浅色一半是前向，深色一半是反向" : ""}。`,
  h_n: (s) => `每层${s.bidirectional ? "每个方向" : ""}读完整行（连同 PAD）之后的隐状态`
    + `${s.bidirectional ? "；深色的片是反向" : ""}。`,
  c_n: () => "同时刻的细胞状态，形状总与 h_n 相同。",
};

/** 一个张量的变化，说成一句话。 */
function move(name, from, to) {
  if (!from) return `多了 ${name} ${sizes(to)}`;
  if (!to) return `没有 ${name} 了`;
  if (sizes(from) === sizes(to)) return `${name} ${names(from)} → ${names(to)}，数碰巧一样`;
  return `${name} ${sizes(from)} → ${sizes(to)}`;
}

/** 编号矩阵：截掉的词另放一列，截去前面的放左边，截去后面的放右边。 */
function batchTable(s, rows) {
  const { truncating } = s;
  const anyCut = rows.some((row) => row.cut.length);
  const around = (cut, cells) => {
    if (!anyCut) return cells;
    return truncating === "pre" ? [cut, ...cells] : [...cells, cut];
  };
  const head = (tag, scope, text) => make(tag, { scope }, text);
  const cell = (word, id, marks) => make(word === null ? "td.pad" : "td", { title: word ?? false },
    make("span", {}, word ?? "PAD"), make("small.num", {}, String(id)),
    ...marks.map((mark) => make("em", {}, mark)));
  const marksOf = ({ forward, backward }, t) => [
    ...(t === forward ? ["前向读"] : []), ...(t === backward ? ["反向读"] : [])];
  const steps = rows[0].cells.map((_, t) => head("th.num", "col", String(t)));
  return make("table.batch", {},
    make("thead", {}, make("tr", {},
      head("th", "col", "时间步 t"), ...around(head("th", "col", "截掉的词"), steps))),
    make("tbody", {}, ...rows.map((row, b) => make("tr", {}, head("th.num", "row", `ids[${b}]`),
      ...around(make("td.cut", {}, make("del", {}, row.cut.join(" "))),
        row.cells.map((word, t) => cell(word, row.ids[t], marksOf(readAt(s, row), t))))))));
}

/** 屏幕窄时，把末态读的那一格滚进来。 */
function revealMark(table) {
  const [right, edge] = [table.querySelector("em"), table].map((node) => node?.getBoundingClientRect().right);
  if (right) table.scrollLeft += right - edge + 40;
}

function batchSummary(s, { rows, lines }) {
  const cells = s.batch_size * s.max_L;
  const cut = sum(rows.map((row) => row.cut.length));
  const pads = rows.flatMap((row) => row.cells).filter((word) => word === null).length;
  const share = Math.round((100 * pads) / cells);
  const parts = [`${cells} 格：截掉 ${cut} 个词，补了 ${pads} 个 PAD，占 ${share}%。`];
  if (!lines) parts.push("还没有句子，整批都是 PAD；请在上面写一行。");
  if (lines && lines < s.batch_size) parts.push(`只有 ${lines} 句，从 ids[${lines}] 起又从第一句排起。`);
  parts.push(readNote(s, rows));
  if (lines > s.batch_size) parts.push(`其余 ${lines - s.batch_size} 句留给下一批。`);
  return parts.join("");
}

/** 一个张量的卡片；mark 是“没变”“变了”“新增”，头一次画是空的。 */
function card(s, name, axes, mark) {
  const backward = name === "out" ? { axis: 2, of: 2 } : { axis: 0, of: axes[0][1] };
  return make(mark === "没变" ? "article.card.same" : "article.card", { "data-tensor": name },
    make("header", {}, make("strong.num", {}, name), make("span.soft", {}, mark)), shapeLine(axes),
    block(name, axes, s.bidirectional && name !== "x" ? backward : null),
    make("p.soft", {}, caption[name](s)));
}

/** 各张量与前一次比：moved 是变了的，mark(name) 是卡片上的记号，text 说成一句话。 */
function compare(before, after) {
  const all = Object.keys({ ...before, ...after });
  const moved = all.filter((name) => before && String(before[name]) !== String(after[name]));
  const mark = (name) => {
    if (!moved.length) return "";
    if (!moved.includes(name)) return "没变";
    return before[name] ? "变了" : "新增";
  };
  const still = all.filter((name) => !moved.includes(name)).join("、");
  const moves = moved.map((name) => move(name, before[name], after[name]));
  if (still) moves.push(`没变的是 ${still}`);
  return { mark, text: moved.length ? `${moves.join("；")}。` : `${all.length} 个张量的形状都没变。` };
}

function counted(s) {
  const each = parameters(s);
  const layers = each.length > 1 ? `：第 1 到 ${each.length} 层依次 ${each.map(grouped).join("、")}` : "";
  return `参数共 ${grouped(sum(each))} 个${layers}。边长随数的对数画，太密的格线不画。`;
}

/** 导览看的：各张量的形状，PAD 与截掉的词各几个，参数几个。 */
function tourLook(s) {
  const { rows } = batch(s);
  return { ...s, ...shapes(s), parameters: grouped(sum(parameters(s))),
    cut: sum(rows.map((row) => row.cut.length)),
    solved: s.puzzle !== "none" && puzzleChecks(s).every(({ done }) => done),
    late: rows.filter((row) => readAt(s, row).forward > lastReal(row)).length,
    pads: rows.flatMap((row) => row.cells).filter((word) => word === null).length };
}

/** 反过来：选一道题，给出形状，旋钮由读者拧；不解题时收着。 */
function reverse(piece) {
  const state = () => piece.state();
  const { ask, nodes, draw } = puzzleBox({
    checks: () => puzzleChecks(state()), trap: () => trapped(state()),
    lesson: () => `解开了：${spec.puzzles[piece.get("puzzle")].lesson}` });
  const box = make("div.puzzle", {}, make("div.row", {}, make("span.soft", {},
    "上面的旋钮怎样拧，才得到这些形状？B 与 T 在“一批句子”那里。"), ask), ...nodes);
  function redraw() {
    box.hidden = piece.get("puzzle") === "none";
    if (!box.hidden) draw();
  }
  return { nodes: [control(piece, "puzzle"), box], draw: redraw };
}

const SIZES = ["feature_size", "hidden_size", "num_layers", "cell", "bidirectional", "batch_first"];
const SHAPELESS = ["sentences", "padding", "truncating", "read", "puzzle"]; // 这几项不改形状

/** 一组旋钮；数收回来时，话写在 note 里。 */
const controls = (piece, note, ...keys) => make("div.fields", {},
  ...keys.map((key) => control(piece, key, (text) => note.replaceChildren(text))));

export default widget(spec, (piece) => {
  const [batchNote, netNote] = [status(), status()];
  const [cards, count] = [make("div.cards"), make("p.soft")];
  const [table, code] = [scroller("截断与补齐之后的一批句子"), codeBox("对应的 torch 代码")];
  const back = reverse(piece);
  let before = null; // 前一次的形状

  function drawBatch(s) {
    const found = batch(s);
    table.replaceChildren(batchTable(s, found.rows));
    batchNote.textContent = batchSummary(s, found);
    revealMark(table);
  }

  function drawNet(s) {
    const tensors = shapes(s);
    const { mark, text } = compare(before, tensors);
    cards.replaceChildren(...Object.entries(tensors).map(([name, axes]) => card(s, name, axes, mark(name))));
    if (before) netNote.textContent = text;
    count.textContent = counted(s);
    before = tensors;
  }

  function draw(key) {
    const s = piece.state();
    drawBatch(s);
    if (!SHAPELESS.includes(key)) drawNet(s);
    back.draw();
    code.pre.textContent = torchCode(s);
  }

  piece.show("先猜后看：去掉 batch_first 的勾，下面哪些张量的形状不变？",
    ...guide(piece, tour, () => tourLook(piece.state())).nodes, make("h3", {}, "一批句子：截断与补齐"),
    controls(piece, batchNote, "sentences", "batch_size", "max_L", "truncating", "padding", "read"),
    batchNote, table, make("h3", {}, "流过循环层：每个张量的形状"),
    controls(piece, netNote, ...SIZES), netNote, ...back.nodes, cards, count, code.node);
  for (const key of Object.keys(spec.state)) piece.on(`change:${key}`, () => draw(key));
  draw();
});
