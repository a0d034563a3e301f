// 自己的文本：读者贴一段文本，在网页里切词、训练 Skip-gram 负采样、看近邻、存成 word2vec 的文件。
// 文本不离开这一页；训练在 Worker 里，源码由 explore.py 写进来。词典与样例由 data/own_text/build.py 写成。
import { openData } from "./_data.js";
import { curve, wordField } from "./_field.js";
import {
  button, chips, codeBox, control, fixed, make, nextSeed, status, still, textBox, widget,
} from "./_kit.js";
import { find, offer, same, wordRow, wordTable } from "./_near.js";
import { intake } from "./_own_intake.js";
import { guide } from "./_tour.js";
import { tour } from "./_tour_own_text.js";

export const spec = {
  "title": "自己的文本",
  "state": {
    "unit": {"label": "怎样切", "default": "word",
      "choices": {"char": "按字", "word": "按词", "blank": "已切好"}},
    "epochs": {"label": "走几轮", "default": 10, "min": 1, "max": 50},
    "vector_size": {"label": "向量有几维", "default": 50, "min": 2, "max": 100},
    "window": {"label": "左右各看几个词", "default": 5, "min": 1, "max": 10},
    "negative": {"label": "每对配几个负样本", "default": 5, "min": 1, "max": 15},
    "min_count": {"label": "词至少出现几次", "default": 5, "min": 1, "max": 50},
    "sample": {"label": "常见的词随机丢掉一些", "default": true},
    "seed": {"label": "随机数的起点", "default": 1, "min": 1, "max": 99},
    "own_words": {"label": "词典里没有的词，用空格隔开，按词切的时候用", "max_chars": 1000,
      "default": "向量 词向量 词表 语料 掩码 余弦 近邻 中心词 上下文 负样本 降采样 梯度 隐状态 遗忘门"},
    "word": {"label": "查哪个词", "default": "", "max_chars": 20}
  },
  "few": 5
};

export const file = { path: "data/own_text/own_text.js", global: "textseqOwnText", what: "词典与样例" };
const WORKER = ""; // 换成 _own_worker.js 的源码
const { word: _, ...trained } = spec.state; // 查的词以外，改了就要重新训练
const comma = (n) => n.toLocaleString("zh-CN");

/** own_text.js 里的内容，检查过；异常：缺了什么、对不上，RangeError。 */
export function unpack(data) {
  const { words, counts, sample } = data;
  const whole = typeof sample === "string" && words.split(" ").length === counts.length
    && counts.every((count) => count > 0);
  if (!whole) throw new RangeError("词典与样例不完整");
  return data;
}

// ---- 后台 ----

const BROKEN = "后台的训练没有做成：浏览器不让网页造 Worker，或内存不够。请换一个浏览器，或把文本缩短再试；"
  + "也可以在终端里用 python -m textseq vectors 训练。";

/** 后台的 Worker：begin 从头来，order 再吩咐一件事，quit 拆掉。收到的交给 hear，出了错就 fail()。 */
function backstage(hear, fail) {
  let [worker, url] = [null, ""];
  function quit() {
    worker?.terminate();
    URL.revokeObjectURL(url);
    worker = null;
  }
  function begin(message) {
    quit();
    url = URL.createObjectURL(new Blob([WORKER], { type: "text/javascript" }));
    try {
      const mine = worker = new Worker(url);
      mine.onmessage = ({ data }) => mine === worker && hear(data);
      mine.onerror = (event) => { event.preventDefault(); fail(); };
      order("prepare", message);
    } catch {
      fail();
    }
  }
  const order = (to, more) => worker?.postMessage({ to, ...more });
  return { begin, order, quit };
}

// ---- 看 ----

/** 平面、曲线、进度条：reset 换一批词，draw 照后台报告的画。 */
function stage(look) {
  const [field, loss] = [wordField(), curve("损失，奈特", 0, 100)];
  const [bar, left] = [make("progress", { max: 1, "aria-label": "训练的进度" }), make("span.soft")];
  let [losses, reach, most, rounds, last] = [[], 0, 0, 0, null];
  field.node.addEventListener("click", ({ target }) => {
    const word = target.closest(".word");
    if (word) look(word.textContent);
  });
  function reset({ words, shown }, { negative, epochs }) {
    [losses, reach, most, rounds] = [[], 0, Math.ceil((1 + negative) * Math.LN2 + 0.3), epochs];
    field.reset(shown.map((id) => words[id]), shown.map(() => "content"));
    field.node.setAttribute("aria-label", `最常见的 ${shown.length} 个实词，方向画在平面上`);
  }
  function spread({ points }) {
    const now = 1.1 * Math.max(...points.flat().map(Math.abs)) || 1;
    reach = Math.max(now, 0.9 * reach); // 刻度慢慢收，画面不跳
    field.draw(points, reach);
  }
  function draw(step) {
    last = step;
    bar.value = step.done;
    const seconds = Math.ceil(step.seconds * (1 / step.done - 1));
    left.textContent = step.running && step.done ? `还要约 ${seconds} 秒` : "";
    while (losses.length < Math.floor(100 * step.done)) losses.push(step.loss);
    loss.update([losses], Number.isNaN(step.loss) ? "" : fixed(step.loss), most, rounds);
    if (!(still() && step.running)) spread(step); // 不要动画的，停下来才画
  }
  return { field: field.node, loss: loss.node, bar: make("div.bar", {}, bar, left), reset, draw,
    redraw: () => last && spread(last) };
}

/** 一个词的近邻。data 是词表，step 是后台报告的；没有这个词，给写法相近的。 */
function nearView(piece) {
  const [found, few, offers, common] = [status(), make("p.few"), make("div.offers"), make("div")];
  const near = make("ol.near", { "aria-label": "近邻" });
  const box = textBox(piece, "word", "input", { type: "text", "aria-label": "查哪个词" });
  const look = (word) => piece.change("word", word);
  let listed; // 列着的是谁的近邻
  function reset({ words, shown }) {
    near.replaceChildren();
    listed = undefined;
    const often = shown.slice(0, 8).map((id) => words[id]);
    [box.placeholder] = often;
    common.replaceChildren(chips("常见的：", often, same, look, "words"));
  }
  function ask(data) { // 没有写，就查最常见的实词
    const typed = piece.get("word");
    return typed.trim() ? find(data, typed) : data.shown[0];
  }
  function draw(data, step) {
    const [typed, id] = [piece.get("word").trim(), ask(data)];
    const text = id === undefined
      ? `词表里没有“${typed}”：文本里没有，或不够 min_count 次，或切成了别的样子。`
      : `“${data.words[id]}”出现 ${data.counts[id]} 次；余弦最大的十个，和它们各自的次数：`;
    if (found.textContent !== text) found.textContent = text;
    offers.replaceChildren(...(id === undefined ? offer(piece, data, "word", typed) : []));
    few.hidden = !(data.counts[id] < spec.few);
    few.textContent = `只出现 ${data.counts[id]} 次：少于 ${spec.few} 次的别信。`;
    if (id !== undefined && id !== step?.watched) return; // 后台还没有报来
    const busy = step?.running && near.matches(":hover, :active, :focus-within");
    if (busy && listed === id) return; // 正要点，先不换
    listed = id;
    const rows = id === undefined ? [] : step.near;
    const at = [...near.querySelectorAll("button")].findIndex((row) => row.matches(":focus"));
    near.replaceChildren(...rows.map((pair) => wordRow(data, pair, look)));
    near.querySelectorAll("button")[at]?.focus({ preventScroll: true }); // 换了行，焦点留在第几行
  }
  const name = make("span.name", {}, "查哪个词；点图上的词、点近邻，都接着查");
  const search = make("label.field.search", {}, name, box);
  const nodes = [search, common, found, few, near, offers];
  return { nodes, reset, ask, draw, look };
}

// ---- 说 ----

function shortText({ tokens, words }, least, { min_count: min }) {
  const few = tokens < least.tokens;
  return `没有训练，${few ? "文本太短" : "不同的词太少"}：至少出现 ${min} 次的词有 ${comma(words)} 个，`
    + `一共 ${comma(tokens)} 词次；要有 ${least.words} 个词、${comma(least.tokens)} 词次，才学得到东西。`
    + `请换一份${few ? "长的" : "，或者调低最少次数"}。`;
}

const readyText = ({ tokens, kinds, words }, { min_count: min }) =>
  `训练中：不同的词 ${comma(kinds)} 个，至少出现 ${min} 次的 ${comma(words.length)} 个，`
  + `一共 ${comma(tokens)} 词次。`;

/** 停在哪里，说成一句话。 */
function summary(step, { epochs, negative }) {
  const where = step.over ? `${epochs} 轮走完` : `停在 ${Math.floor(100 * step.done)}%，可以接着训练`;
  return `${where}：用了 ${fixed(step.seconds, 1)} 秒，损失 ${fixed(step.loss)} 奈特，`
    + `乱猜是 ${fixed((1 + negative) * Math.LN2)}。`;
}

const STALE = "设定或文本改了，这里还是照旧的训练的；按“从头来”，才用新的。";

// ---- 训练 ----

/** 后台报告来了怎么办：记进 run，画出来，说一句；drop 收摊，watch 查词。 */
const hearing = (piece, run, { view, near, say, drop, watch }) => ({
  short: ({ found, least }) => drop(shortText(found, least, run.used.settings)),
  ready(got) {
    run.data = { ...got, ...wordTable(got.words) };
    near.reset(run.data);
    view.reset(run.data, run.used.settings);
    say(readyText(got, run.used.settings));
    watch();
  },
  step(step) {
    const ended = run.step?.running && !step.running;
    run.step = step;
    view.draw(step);
    near.draw(run.data, step);
    if (!ended) return;
    say(summary(step, run.used.settings));
    run.finished += Number(step.over);
  },
  saved: ({ blob }) => download(piece, blob),
});

/** 走到哪一步。 */
function phaseOf({ used, step }) {
  if (!used) return "idle";
  if (!step) return "preparing";
  if (step.running) return "running";
  return step.over ? "over" : "paused";
}

/** 一次训练：begin 从头来，order 吩咐后台，drop 收摊；有变化就 changed()。 */
function trainer(piece, source, changed) {
  const [note, near] = [status("p.note"), nearView(piece)];
  const view = stage(near.look);
  const run = { used: null, data: null, step: null, finished: 0 }; // used 是这次用的设定与文本
  const write = (text) => { note.textContent = text; };
  const hear = hearing(piece, run, { view, near, say: write, drop, watch });
  const back = backstage((message) => { hear[message.kind](message); changed(); }, () => drop(BROKEN));
  const settings = () => Object.fromEntries(Object.keys(trained).map((key) => [key, piece.get(key)]));
  const stale = () => run.used !== null && (run.used.text !== source.get()
    || JSON.stringify(run.used.settings) !== JSON.stringify(settings()));
  function drop(text) {
    back.quit();
    Object.assign(run, { used: null, data: null, step: null });
    write(text);
    changed();
  }
  function begin(dictionary) {
    Object.assign(run, { used: { text: source.get(), settings: settings() }, data: null, step: null });
    write("正在切词……");
    back.begin({ ...run.used, dictionary });
  }
  function watch() { // 查的词变了
    if (!run.data) return;
    const id = near.ask(run.data);
    if (id !== undefined) back.order("watch", { id });
    near.draw(run.data, run.step);
  }
  const look = () => ({ finished: run.finished, stale: stale(),
    near: run.data && run.step ? seenWords(run.data, run.step) : null });
  piece.own(back.quit);
  piece.on("change:word", watch);
  return { note, near, view, begin, drop, stale, look, say: write, phase: () => phaseOf(run),
    order: back.order };
}

/** 导览看的：查的词、近邻 [词, 余弦, 次数]。 */
const seenWords = ({ words, counts }, { watched, near, seconds, loss }) => ({
  seconds, loss, size: words.length, word: words[watched],
  rows: near.map(([id, cosine]) => [words[id], cosine, counts[id]]) });

/** 存成文件，由浏览器放进下载的文件夹。 */
function download(piece, blob) {
  const url = URL.createObjectURL(blob);
  piece.own(() => URL.revokeObjectURL(url));
  make("a", { href: url, download: "vectors.txt" }).click();
}

/** 词典与样例：要用了才取；取不到就 say 为什么，给 null。拆掉了也给 null。 */
function fetcher(piece) {
  let gone = false;
  piece.own(() => { gone = true; });
  return async (say) => {
    const data = await openData(file, unpack).catch((error) => { if (!gone) say(error.message); });
    return gone ? null : data ?? null;
  };
}

/** 几个按钮：训练（停、接着训练），从头来，下载；redraw() 照现在的样子改字样。 */
function buttons(piece, source, train, get) {
  let fetching = false;
  const noDictionary = (why) => train.say(`${why}不用词典也能训练：选“按字”。`);
  async function begin() {
    if (!source.get().trim()) return train.drop("还没有文本：贴一段，打开一个文件，或用样例。");
    fetching = true;
    redraw();
    const dictionary = piece.get("unit") === "word" ? await get(noDictionary) : undefined;
    fetching = false;
    if (dictionary !== null) train.begin(dictionary);
    return redraw();
  }
  function toggle() {
    const phase = train.phase();
    if (phase === "running") return train.order("stop");
    if (phase === "preparing") return train.drop("停了。");
    if (phase !== "paused" || train.stale()) return begin();
    train.say("接着训练……");
    return train.order("go");
  }
  const labels = { running: "停", preparing: "停", paused: "接着训练" };
  const [go, again] = [button("训练", toggle, "button.go"), button("从头来", begin)];
  const other = button("换个起点", () => nextSeed(piece));
  const save = button("下载 vectors.txt", () => train.order("save"));
  function redraw() {
    const phase = train.phase();
    go.textContent = (!train.stale() || phase === "running") && labels[phase] || "训练";
    go.disabled = fetching;
    again.disabled = fetching || phase === "idle";
    save.disabled = !["paused", "over"].includes(phase);
  }
  return { node: make("div.tools", {}, go, again, other, save), redraw };
}

const PYTHON = `from textseq.vectors import WordVectors
vectors = WordVectors.load("vectors.txt")
vectors.most_similar(vectors.words[0])`;

export default widget(spec, (piece) => {
  const get = fetcher(piece);
  const sample = button("用样例：课程的正文", async () => {
    const data = await get(source.fail);
    if (data) source.set(data.sample, "样例（课程的正文）");
  });
  const source = intake(piece, sample, () => changed());
  const train = trainer(piece, source, () => changed());
  const tools = buttons(piece, source, train, get);
  const [old, code] = [status("p.old"), codeBox("在 Python 里读它")];
  code.pre.textContent = PYTHON;
  const { near, view } = train;
  const body = make("div", { hidden: true }, view.bar,
    make("div.stage", {}, make("div.left", {}, view.field, view.loss), make("div.side", {}, ...near.nodes)),
    make("p.soft", {}, "一个点是一个词的方向，画的是最常见的实词。平面压扁了许多维，谁和谁近，看余弦；"
      + "少于 5 次的词，余弦再大也别信。"), code.node);
  const set = (...keys) => keys.map((key) => control(piece, key, train.say));
  const trip = guide(piece, tour, () => ({ ...piece.state(), ...train.look() }));

  function changed() {
    tools.redraw();
    body.hidden = !train.look().near;
    const text = train.stale() ? STALE : "";
    if (old.textContent !== text) old.textContent = text;
    trip.check();
  }
  piece.show("先猜后看：几万字，够不够学出像样的词向量？", ...trip.nodes,
    make("p.soft", {}, "文本只留在这一页里，不发到任何地方。词典与样例在一个文件里，压缩后 0.3 MB，"
      + "用样例、按词切时才取，只取一次；按字切用不着。"), ...source.nodes,
    make("div.fields", {}, ...set("unit", "epochs")),
    make("details", {}, make("summary", {}, "别的设定"), make("div.fields", {},
      ...set("vector_size", "window", "negative", "min_count", "seed", "sample", "own_words"))),
    tools.node, train.note, old, body);
  piece.on("change", changed);
  tools.redraw();
  const resized = new ResizeObserver(() => body.hidden || view.redraw());
  resized.observe(view.field);
  piece.own(() => resized.disconnect());
});
