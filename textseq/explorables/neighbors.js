// 近义词：在真实语料上训练的词向量里查近邻、做类比。向量量化成 int8，约 1 MB，按了“打开”才载入；
// 余弦用 float64 算，同 Python 在同一个量化矩阵上算的相等。数据由 data/neighbors/build.py 写成。
import { opener } from "./_data.js";
import { chips, control, make, status, textBox, widget } from "./_kit.js";
import { find, offer, same, wordRow, wordTable } from "./_near.js";
import { check, decodeBytes } from "./_packed.js";
import { guide } from "./_tour.js";
import { tour } from "./_tour_neighbors.js";
import { lengths, nearest } from "./_vectors.js";

export const spec = {
  "title": "近义词",
  "state": {
    "word": {"label": "查哪个词", "default": "增加", "max_chars": 20},
    "least": {"label": "近邻至少出现几次", "default": 5, "min": 5, "max": 100},
    "a": {"label": "类比的甲", "default": "中国", "max_chars": 20},
    "b": {"label": "类比的乙", "default": "北京", "max_chars": 20},
    "c": {"label": "类比的丙", "default": "日本", "max_chars": 20}
  },
  "common": ["增加", "北京", "春节", "高兴", "女子", "他"],
  "rare": ["摩托车", "宁静", "品尝"],
  "analogies": [["中国", "北京", "日本"], ["中国", "北京", "法国"], ["增加", "减少", "提高"]],
  "few": 30
};

export const file = {
  path: "data/neighbors/neighbors.js", global: "textseqNeighbors", what: "词向量", button: "打开（约 1 MB）",
  promise: "按了才下载词向量；之后都在这一页里算，不再下载。", waiting: "先按“打开”，有了词向量才好走。",
};

/** neighbors.js 里的内容 → 查得动的样子：rows 是 (V, E) 的整数，norms 是每行的长度。
 *  异常：缺了什么、对不上，RangeError 或别的异常；opener 会换成给读者的一句话。 */
export function unpack({ about, vector_size: E, words, counts, rows }) {
  const list = words.split(" ");
  const bytes = new Int8Array(decodeBytes(rows));
  check(typeof about === "string" && Number.isInteger(E) && E > 0
    && bytes.length === list.length * E && counts.length === list.length && counts.every(Number.isInteger),
  `${bytes.length} 个数，应为 ${list.length} × ${E} 个`);
  return { about, E, counts, rows: bytes, norms: lengths(bytes, E), ...wordTable(list) };
}

function foundText({ words, counts }, typed, id) {
  if (id !== undefined) {
    return `“${words[id]}”在语料里出现 ${counts[id]} 次，按次数排第 ${id + 1}。`
      + "余弦相似度最大的十个词和它们各自出现的次数：";
  }
  if (!typed.trim()) return "请写一个词，或点上面的词。";
  return `这里没有“${typed.trim()}”：它在语料里没有出现，或者太少见，没有排进前 ${words.length} 个词。`;
}

/** 查一个词的近邻。 */
function nearView(piece) {
  const [found, few, offers] = [status(), make("p.few"), make("div.offers")];
  const near = make("ol.near", { "aria-label": "近邻" });
  function draw(data, look) {
    const typed = piece.get("word");
    const id = find(data, typed);
    const count = data.counts[id];
    const rows = id === undefined ? [] : nearest(data, [id], [], 10, piece.get("least"));
    near.replaceChildren(...rows.map((pair) => wordRow(data, pair, look)));
    offers.replaceChildren(...(id === undefined ? offer(piece, data, "word", typed) : []));
    few.hidden = id === undefined || count >= spec.few;
    few.textContent = `只见过 ${count} 次：上下文太少，向量没有学准，下面的近邻多半靠不住，`
      + "余弦大也不能说明什么。";
    found.textContent = foundText(data, typed, id);
  }
  return { nodes: [found, offers, few, near], draw };
}

function askedText(words, missing, [a, b, c]) {
  if (missing.some(([, word]) => !word.trim())) return "三个格子都要写上词。";
  if (missing.length) return `这里没有${missing.map(([, word]) => `“${word.trim()}”`).join("、")}。`;
  return `离“${words[b]} − ${words[a]} + ${words[c]}”最近的五个词，三个已知的词不参加：`;
}

/** 类比：甲之于乙，如丙之于谁。 */
function analogyView(piece) {
  const [asked, offers] = [status(), make("div")];
  const answers = make("ol.answers", { "aria-label": "类比的答案" });
  function draw(data, look) {
    const typed = ["a", "b", "c"].map((key) => [key, piece.get(key)]);
    const ids = typed.map(([, word]) => find(data, word));
    const missing = typed.filter((_, n) => ids[n] === undefined);
    const [a, b, c] = ids;
    const rows = missing.length ? [] : nearest(data, [b, c], [a], 5);
    answers.replaceChildren(...rows.map((pair) => wordRow(data, pair, look)));
    offers.replaceChildren(...missing.flatMap(([key, word]) => offer(piece, data, key, word)));
    asked.textContent = askedText(data.words, missing, ids);
  }
  return { nodes: [asked, offers, answers], draw };
}

/** 导览看的：查的词与它的近邻 [词, 余弦, 次数]、次数，类比的答案，词表有多大。 */
function tourLook(data, state) {
  const [id, a, b, c] = [state.word, state.a, state.b, state.c].map((word) => find(data, word));
  const found = id === undefined ? [] : nearest(data, [id], [], 10, state.least);
  const near = found.map(([n, cosine]) => [data.words[n], cosine, data.counts[n]]);
  const known = ![a, b, c].includes(undefined);
  const answers = known ? nearest(data, [b, c], [a], 5).map(([n]) => data.words[n]) : [];
  return { ...state, near, answers, count: data.counts[id], size: data.words.length };
}

export default widget(spec, (piece) => {
  let data = null;
  const field = (key, label) => textBox(piece, key, "input", { type: "text", "aria-label": label });
  const look = (word) => piece.change("word", word);
  const word = field("word", "查哪个词");
  const [near, analogy, source] = [nearView(piece), analogyView(piece), make("p.soft")];
  const body = make("div", { hidden: true },
    make("label.field.search", {}, make("span.name", {}, "查哪个词，可以改；点近邻可以接着查"), word),
    chips("常见的词：", spec.common, same, look, "words"),
    chips("少见的词：", spec.rare, same, look, "rare"),
    control(piece, "least", (text) => { said.textContent = text; }), ...near.nodes,
    make("p.soft", {}, "向量只知道哪些词出现在相似的上下文里，所以近邻里常有反义词和同一类的词，"
      + "不全是近义词。"),
    make("h3", {}, "类比：甲之于乙，如丙之于谁？"),
    make("div.analogy", {}, field("a", "类比的甲"), "之于", field("b", "类比的乙"), "，如",
      field("c", "类比的丙"), "之于谁？"),
    chips("试试：", spec.analogies, ([a, b, c]) => `${a}：${b} = ${c}：？`,
      (words) => ["a", "b", "c"].forEach((key, n) => piece.change(key, words[n]))),
    ...analogy.nodes,
    make("p.soft", {}, "一两个答对的例子说明不了什么；全部题目的命中率见第 03 章。"), source);

  const trip = guide(piece, tour, () => data && tourLook(data, piece.state()), { waiting: file.waiting });
  function draw() {
    if (!data) return;
    near.draw(data, look);
    analogy.draw(data, look);
  }

  const { opening, said } = opener(piece, file, unpack, (ready) => {
    data = ready;
    source.textContent = `词向量：${data.about}。这里有最常见的 ${data.words.length} 个词，`
      + `每个词 ${data.E} 个数，每个数存成一个字节。`;
    body.hidden = false;
    draw();
    trip.check();
    word.focus({ preventScroll: true });
  });
  piece.show("先猜后看：离“增加”最近的十个词里，会不会有“减少”？", ...trip.nodes, opening, said, body);
  piece.on("change", draw);
});
