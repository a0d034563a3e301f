// 滑动窗口：窗口在句子上一格一格走，每停一处就得到训练样本。Skip-gram 一对一条，
// CBOW 一个窗口一条；窗口不出句子。窗口同 textseq.sequences.sliding_windows 逐个相等。
import {
  button, codeBox, control, make, minus, nextSeed, scroller, status, walker, widget,
} from "./_kit.js";
import { range, sum, xorshift } from "./_math.js";
import { guide } from "./_tour.js";
import { tour } from "./_tour_sliding_window.js";

export const spec = {
  "title": "滑动窗口",
  "state": {
    "text": {
      "label": "一行一句，词与词之间用空格隔开；全文没有空格，就一个字算一个词",
      "default": ["中华 女子 学院 ： 本科 层次 仅 1 专业 招 男生", "市 图书馆 周末 开放 到 晚上 九 点"],
      "max_chars": 200
    },
    "model": {"label": "模型", "default": "skipgram", "choices": {"skipgram": "Skip-gram", "cbow": "CBOW"}},
    "window": {"label": "左右各看几个词", "default": 2, "min": 1, "max": 5},
    "position": {"label": "窗口停在全文第几个词，从 0 数起", "default": 0, "min": 0, "max": 199},
    "dynamic": {"label": "动态窗口：每个中心词先抽签，左右各看 1 到 window 个", "default": false},
    "seed": {"label": "动态窗口的签，换一个数就换一批", "default": 1, "min": 1, "max": 99}
  }
};

/** 全文切成句子（换行与 。！？ 断句），句子切成词；标点照样算词，断句的三个除外。 */
export function sentences({ text }) {
  const parts = text.split(/[\n。！？]/).map((part) => part.trim()).filter(Boolean);
  const spaced = parts.some((part) => /\s/.test(part));
  return parts.map((part) => (spaced ? part.split(/\s+/) : [...part]));
}

/** 前 n 个中心词左右各看几个；动态窗口的签由 seed 推出，所以每次打开都一样。 */
function reaches({ window, dynamic, seed }, n) {
  const draw = xorshift(seed);
  return range(n).map(() => (dynamic ? 1 + Math.floor(window * draw()) : window));
}

/** 全文的窗口，一个词一个：第几句、第几个词、看几个、中心词、上下文词。 */
export function windows(state) {
  const lines = sentences(state);
  const drawn = reaches(state, lines.flat().length);
  return lines.flatMap((words, line) => words.map((center, t) => {
    const reach = drawn.shift();
    const contexts = [...words.slice(Math.max(0, t - reach), t), ...words.slice(t + 1, t + 1 + reach)];
    return { line, t, reach, center, contexts };
  }));
}

/** 全部样本：哪个窗口来的、输入、标签。没有上下文的窗口（一个词的句子）不出样本。 */
export function samples(state) {
  return windows(state).flatMap(({ center, contexts }, at) => {
    if (state.model === "skipgram") return contexts.map((label) => ({ at, input: [center], label }));
    return contexts.length ? [{ at, input: contexts, label: center }] : [];
  });
}

/** 不走窗口，直接算总数：每句一个算式和它的值；动态窗口没有算式。 */
export function formula(state) {
  return sentences(state).map(({ length }) => {
    if (state.model === "cbow") return length > 1 ? [`${length}`, length] : ["0", 0];
    const pairs = range(state.window).map((d) => length - 1 - d).filter((n) => n > 0); // 相距 d+1 的有几对
    if (!pairs.length) return ["0", 0];
    return [`2×${pairs.length > 1 ? `(${pairs.join("+")})` : pairs[0]}`, 2 * sum(pairs)];
  });
}

/** 得到同一批样本的 Python 代码。 */
export function pythonCode(state) {
  const lines = sentences(state);
  const { window, dynamic } = state;
  const [reach, take] = dynamic ? ["reach", "\n        reach = next(reaches)"] : ["window", ""];
  const first = dynamic
    ? `reaches = iter([${reaches(state, lines.flat().length).join(", ")}])  # 每个中心词抽到的`
    : `window = ${window}  # 左右各看 ${window} 个词，窗口大小 2×${window}+1 = ${2 * window + 1}`;
  const add = state.model === "skipgram" ? "samples += [(center, context) for context in contexts]"
    : "if contexts:\n            samples.append((contexts, center))";
  const list = (words) => `[${words.map((word) => JSON.stringify(word)).join(", ")}]`;
  return `sentences = [${lines.map(list).join(`,\n${" ".repeat(13)}`)}]
${first}
samples = []
for words in sentences:
    for t, center in enumerate(words):${take}
        contexts = words[max(0, t - ${reach}):t] + words[t + 1:t + 1 + ${reach}]
        ${add}
len(samples)  # ${samples(state).length}`;
}

const chip = (word, ...classes) => make(["span.word", ...classes].join("."), { title: word }, word);

/** 句子里的一个词是什么：中心词、上下文词，还是抽签没抽到的（画虚线）；away 是离中心词几步。 */
function kindOf(away, reach, window) {
  if (away === 0) return ["center"];
  if (away <= reach) return ["context"];
  return away <= window ? ["off"] : [];
}

/** 全文，一句一行；点哪个词，窗口就停到哪个词。 */
function textLines(s, here, go) {
  let index = 0;
  return sentences(s).map((words, line) => make("div.line", {},
    make("span.soft", {}, `第 ${line + 1} 句`),
    make("div", {}, ...words.map((word, t) => {
      const away = line === here.line ? Math.abs(t - here.t) : Infinity;
      const node = chip(word, ...kindOf(away, here.reach, s.window));
      const target = index++;
      node.addEventListener("click", () => go(target));
      return node;
    }))));
}

/** 窗口里的一格：伸到句子外面的是空的。 */
function slot(s, word, offset, reach) {
  const [center, context] = s.model === "skipgram" ? ["输入", "标签"] : ["标签", "输入"];
  const roles = { center: [word, center], context: [word, context],
    off: ["没抽到", " "], out: ["句外", " "] };
  const [kind] = word === undefined ? ["out"] : kindOf(Math.abs(offset), reach, s.window);
  const [shown, role] = roles[kind];
  const sign = offset > 0 ? "+" : "";
  return make("div.slot", {}, make("small.num", {}, sign + minus(offset)),
    chip(shown, kind), make("small", {}, make("b", {}, role)));
}

/** 样本表：刚得的几条（at 这个窗口的）点亮。 */
function sampleTable(s, at, rows) {
  const skipgram = s.model === "skipgram";
  const [asInput, asLabel] = skipgram ? ["center", "context"] : ["context", "center"];
  const [input, label] = skipgram ? ["输入：中心词", "标签：上下文词"] : ["输入：上下文词", "标签：中心词"];
  return make(`table.${s.model}`, {},
    make("thead", {}, make("tr", {},
      ...["序号", input, label].map((name) => make("th", { scope: "col" }, name)))),
    make("tbody", {}, ...rows.map((row, i) => make(row.at === at ? "tr.new" : "tr", {},
      make("td.num", {}, String(i + 1)), make("td", {}, ...row.input.map((word) => chip(word, asInput))),
      make("td", {}, chip(row.label, asLabel))))));
}

/** 走完全文共几条，怎么算出来的。 */
function totalLine(s, count) {
  const terms = formula(s);
  const value = sum(terms.map(([, n]) => n));
  if (s.dynamic && s.model === "skipgram") {
    return ["走完全文共 ", make("b.num", {}, String(count)), ` 条，要看抽签；固定窗口是 ${value} 条。`];
  }
  const parts = terms.map(([term]) => term).join(" + ");
  const plain = parts === String(value) ? parts : `${parts} = ${value}`;
  const why = s.model === "cbow" ? "一个窗口一条，有几个词就有几条；只有一个词的句子没有上下文，不算。"
    : `每句 n 个词，相距 d 的词有 n−d 对，d 从 1 到 ${s.window}；一对里谁都当一次中心词，所以乘 2。`;
  return ["走完全文共 ", make("b.num", {}, plain), " 条。", make("span.soft", {}, why)];
}

/** 走到这里，说成一句话。 */
function summary(s, { line, reach, center, contexts }, fresh, count) {
  return `第 ${line + 1} 句，中心词“${center}”`
    + (s.dynamic ? `抽到 ${reach}，左右各看 ${reach} 个` : "")
    + (contexts.length ? `：上下文词 ${contexts.join(" ")} 。` : "：这句只有一个词，没有上下文。")
    + `新得 ${fresh} 条样本，累计 ${count} 条。`;
}

/** 窗口大小的单选钮：1 到 5，写成奇数 3 到 11。 */
function sizeChoice(piece, legend) {
  const option = (window) => make("label", {},
    make("input", { type: "radio", name: "window", value: window, checked: piece.get("window") === window,
      "aria-label": `窗口大小 ${2 * window + 1}`, onchange: () => piece.change("window", window) }),
    make("span", {}, String(2 * window + 1)));
  return make("fieldset.field", { "data-key": "window" }, legend,
    make("div.choices", {}, ...[1, 2, 3, 4, 5].map(option)));
}

/** 正文：句子、窗口、样本表、代码。parts 是各块，draw 把它们画成眼前的状态。 */
function stage(piece, arrows) {
  const [text, slots, total] = [make("div"), make("div.slots"), make("p.total")];
  const table = scroller("到现在为止的样本", "div.samples");
  const code = codeBox("得到同一批样本的 Python 代码");
  const view = scroller("句子与窗口；左右方向键移动窗口", "div.stage");
  view.addEventListener("keydown", arrows);
  view.append(text, slots);
  const body = make("div", {}, view,
    make("p.soft", {}, "window 是左右各看几个词。窗口不出自己的句子：伸到句外的格子是空的，"
      + "上一句的末尾与下一句的开头不会配成样本。"),
    make("h3", {}, "样本表"), total, table, code.node);

  function draw(s, at, here, rows, count) {
    const words = sentences(s)[here.line];
    const width = 2 * s.window + 1;
    text.replaceChildren(...textLines(s, here, (target) => piece.change("position", target)));
    slots.className = `slots${s.window > 2 ? " many" : ""}`;
    slots.style.gridTemplateColumns = `repeat(${width}, minmax(0, 84px))`;
    slots.replaceChildren(...range(width).map((i) =>
      slot(s, words[here.t + i - s.window], i - s.window, here.reach)));
    table.replaceChildren(sampleTable(s, at, rows));
    table.scrollTop = table.scrollHeight; // 新样本在最下面
    total.replaceChildren(...totalLine(s, count));
    code.pre.textContent = pythonCode(s);
  }
  return { body, draw };
}

/** 上面的几个控件；draw 把它们画成眼前的状态。 */
function controls(piece, step) {
  const slider = make("input", { type: "range", min: 0, "aria-label": "窗口的位置",
    oninput: () => piece.change("position", Number(slider.value)) });
  const [where, size] = [make("span.name"), make("legend.name")];
  const redraw = button("再抽一次", () => nextSeed(piece), "button.redraw");
  const node = make("div.fields.first", {},
    control(piece, "text"), control(piece, "model"), sizeChoice(piece, size),
    make("div.field", {}, control(piece, "dynamic"), redraw),
    make("div.field", { "data-key": "position" }, where, step("上一个", -1), slider, step("下一个", 1)));
  function draw(s, at, list) {
    slider.max = Math.max(0, list.length - 1);
    slider.value = at;
    redraw.hidden = !s.dynamic;
    const width = `${2 * s.window + 1} = 2×${s.window}+1`;
    size.replaceChildren("窗口大小（奇数） ", make("b.num", {}, width), `，即 window=${s.window}`);
    where.replaceChildren("窗口 ", make("b.num", {}, `${list.length ? at + 1 : 0} / ${list.length}`));
    if (!list.length) return;
    const { line, t, center } = list[at];
    slider.setAttribute("aria-valuetext", `第 ${line + 1} 句第 ${t + 1} 个词，${center}`);
  }
  return { node, draw };
}

/** 导览看的：窗口停在哪里，这一处新得几条，累计几条，全文几条。 */
function tourLook(state) {
  const rows = samples(state);
  const count = (keep) => rows.filter(({ at }) => keep(at)).length;
  return { ...state, center: windows(state)[state.position]?.center, total: rows.length,
    fresh: count((at) => at === state.position), count: count((at) => at <= state.position) };
}

export default widget(spec, (piece) => {
  const last = () => sentences(piece.state()).flat().length - 1;
  const { now, arrows, step } = walker(piece, "position", last);
  const [top, note] = [controls(piece, step), status()];
  const { body, draw: drawBody } = stage(piece, arrows);

  const trip = guide(piece, tour, () => tourLook({ ...piece.state(), position: now() }));
  function draw() {
    const s = piece.state();
    const [at, list, all] = [now(), windows(s), samples(s)];
    top.draw(s, at, list);
    body.hidden = !list.length;
    if (body.hidden) {
      note.textContent = "还没有词；请在上面写一句。";
      return;
    }
    const here = list[at];
    const rows = all.filter((row) => row.at <= at);
    const fresh = rows.filter((row) => row.at === at).length;
    note.textContent = summary(s, here, fresh, rows.length);
    drawBody(s, at, here, rows, all.length);
  }

  piece.show("先猜后看：11 个词的一句话，窗口大小 5，走完得到几条 Skip-gram 样本？几条 CBOW 样本？",
    ...trip.nodes, top.node, note, body);
  piece.on("change", draw);
  draw();
});
