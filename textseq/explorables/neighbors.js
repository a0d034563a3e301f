// 近义词：在真实语料上训练的词向量里查近邻、做类比。向量量化成 int8，约 1 MB，按了“打开”才载入；
// 余弦用 float64 算，同 Python 在同一个量化矩阵上算的相等。数据由 data/neighbors/build.py 写成。
import { make } from "./_kit.js";

export const spec = {
  "title": "近义词",
  "state": {
    "word": {"label": "查哪个词", "default": "增加", "max_chars": 20},
    "a": {"label": "类比的甲", "default": "中国", "max_chars": 20},
    "b": {"label": "类比的乙", "default": "北京", "max_chars": 20},
    "c": {"label": "类比的丙", "default": "日本", "max_chars": 20}
  },
  "common": ["增加", "北京", "春节", "高兴", "女子", "他"],
  "rare": ["摩托车", "宁静", "品尝"],
  "analogies": [["中国", "北京", "日本"], ["中国", "北京", "法国"], ["增加", "减少", "提高"]],
  "few": 30
};

const fold = (word) => word.trim().normalize("NFKC").toLowerCase(); // 全角、大小写不计较

/** neighbors.js 里的内容 → 查得动的样子：rows 是 (V, E) 的整数，norms 是每行的长度。 */
export function unpack({ about, vector_size: E, words, counts, rows }) {
  const list = words.split(" ");
  const bytes = Int8Array.from(atob(rows), (char) => char.charCodeAt(0));
  const norms = list.map((_, i) => Math.hypot(...bytes.subarray(i * E, (i + 1) * E)) || 1);
  const folded = list.map(fold);
  const index = new Map([...folded.map((word, i) => [word, i]).reverse(), ...list.map((word, i) => [word, i])]);
  return { about, E, words: list, counts, rows: bytes, norms, folded, index };
}

/** 词的编号；照原样找不到，就不计较全角与大小写再找；还没有就是 undefined。 */
export const find = ({ index }, typed) => index.get(typed.trim()) ?? index.get(fold(typed));

/** 离“plus 里的单位向量之和减去 minus 里的”最近的 topn 个词：[编号, 余弦]；这些词自己不算。 */
export function nearest({ E, rows, norms }, plus, minus = [], topn = 10) {
  const query = new Float64Array(E);
  for (const [ids, sign] of [[plus, 1], [minus, -1]]) {
    for (const id of ids) for (let k = 0; k < E; k++) query[k] += (sign * rows[id * E + k]) / norms[id];
  }
  const length = Math.hypot(...query) || 1;
  const cosines = norms.map((norm, id) => {
    let dot = 0;
    for (let k = 0; k < E; k++) dot += query[k] * rows[id * E + k];
    return [id, dot / (norm * length)];
  });
  return cosines.filter(([id]) => !plus.includes(id) && !minus.includes(id))
    .sort((x, y) => y[1] - x[1]).slice(0, topn);
}

/** 词表里没有时，给出写法相近的词：以它开头的，含有它的，它含有的（长的在先）；同类按词频。 */
export function suggest({ words, folded }, typed, most = 8) {
  const key = fold(typed);
  if (!key) return [];
  const rank = (word) => (word.startsWith(key) ? 0 : word.includes(key) ? 1 : key.includes(word) ? 3 - word.length / 100 : 9);
  return folded.map((word, i) => [rank(word), words[i]]).filter(([r]) => r < 9)
    .sort((x, y) => x[0] - y[0]).slice(0, most).map(([, word]) => word);
}

/** 数据文件在哪里，取不到时怎么办：JupyterLab 从它的根目录取，网页从 _static 取。 */
export function place(page) {
  const lab = page.getElementById("jupyter-config-data");
  const root = page.documentElement.dataset.content_root;
  if (lab) return { url: `${JSON.parse(lab.textContent).baseUrl}files/data/neighbors/neighbors.js`,
    remedy: "请关掉 JupyterLab，在课程的根目录（有 README.md 的那一层）运行 make lab，再打开这个 notebook。" };
  if (root !== undefined) return { url: `${root}_static/neighbors.js`,
    remedy: "请检查网络后再按一次；若是自己建的书，请重新运行 make book。" };
  return { remedy: "这里不知道数据文件在哪里；请在网页版里打开本页，或用 make lab 打开 notebook。" };
}

/** 载入数据：只在读者按了之后；同一页上第二次用，不再取。 */
function load({ url, remedy }) {
  if (globalThis.textseqNeighbors) return globalThis.textseqNeighbors;
  return new Promise((resolve, reject) => {
    const fail = () => reject(new Error(`没有取到词向量${url ? `（${url}）` : ""}。${remedy}`));
    if (!url) return fail();
    const script = make("script", { src: url, charset: "utf-8", onerror: fail, // 双击打开的网页不许 fetch 本地文件，<script> 可以
      onload: () => (globalThis.textseqNeighbors ? resolve(globalThis.textseqNeighbors) : fail()) });
    document.head.append(script);
    script.addEventListener("error", () => script.remove());
  });
}

const CSS = `
  input[type="text"] { height: 38px; padding: 0 10px; background: var(--paper); border: 1px solid var(--edge); border-radius: 6px; }
  .search { margin-top: 14px; } .search input { flex: 0 1 320px; min-width: 0; margin: 5px 0 4px; }
  .chips { display: flex; flex-wrap: wrap; align-items: center; gap: 6px 8px; margin: 8px 0; }
  .chips .soft { flex: none; }
  .chips button { min-height: 30px; padding: 0 10px; font-size: 14px; }
  .open { display: flex; flex-wrap: wrap; align-items: center; gap: 10px 16px; margin-top: 14px; }
  .open[hidden] { display: none; }
  .open button { background: var(--accent); color: var(--on-accent); }
  ol { list-style: none; margin: 6px 0 0; padding: 0; }
  li { display: grid; grid-template-columns: minmax(5em, 8em) 1fr 3.6em 5em; align-items: center; gap: 10px; min-height: 34px; }
  li button { min-height: 30px; padding: 0; border: 0; text-align: left; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  li button:hover { text-decoration: underline; }
  li i { height: 12px; border-radius: 3px; background: var(--tint); }
  li i::before { content: ""; display: block; height: 100%; width: calc(var(--cosine) * 100%); border-radius: 3px; background: var(--accent); }
  li .num { font-size: 13.5px; text-align: right; } li .soft { text-align: right; white-space: nowrap; }
  .few { padding: 8px 14px; background: var(--warm); border-radius: 8px; }
  .analogy { display: flex; flex-wrap: wrap; align-items: center; gap: 8px; }
  .analogy input { width: 7em; }
  .failed { border: 2px solid var(--T); border-radius: 8px; padding: 8px 14px; overflow-wrap: anywhere; }
  p[role="status"]:empty { min-height: 0; margin: 0; }
  @media (max-width: 480px) { li { grid-template-columns: minmax(4.6em, 6em) 1fr 3.2em 4.4em; gap: 6px; } }
`;

function render({ model, el }) {
  const change = (key, value) => { model.set(key, value); model.save_changes(); };
  const fields = {};
  const field = (key, label) => {
    fields[key] = make("input", { type: "text", maxlength: spec.state[key].max_chars, spellcheck: "false",
      autocomplete: "off", "aria-label": label, oninput: (event) => change(key, event.target.value) });
    return fields[key];
  };
  const chips = (label, items, show, pick) => make("div.chips", {}, make("span.soft", {}, label),
    ...items.map((item) => make("button", { type: "button", onclick: () => pick(item) }, show(item))));
  const said = make("p", { role: "status" });
  const [found, fewNote, near] = [make("p", { role: "status" }), make("p.few"), make("ol", { "aria-label": "近邻" })];
  const [asked, answers] = [make("p", { role: "status" }), make("ol", { "aria-label": "类比的答案" })];
  const [offers, analogyOffers, source] = [make("div"), make("div"), make("p.soft")];
  let data = null;

  const row = ([id, cosine]) => make("li", {},
    make("button", { type: "button", title: `查“${data.words[id]}”`, onclick: () => change("word", data.words[id]) }, data.words[id]),
    make("i", { style: `--cosine: ${Math.max(0, cosine)}` }),
    make("span.num", {}, cosine.toFixed(3).replace("-", "−")), make("span.soft", {}, `${data.counts[id]} 次`));
  const offer = (key, typed) => {
    const words = suggest(data, typed);
    return words.length ? [chips(`与“${typed.trim()}”相近的写法：`, words, (word) => word, (word) => change(key, word))] : [];
  };

  function drawNear() {
    const typed = model.get("word");
    const id = find(data, typed);
    const count = data.counts[id];
    near.replaceChildren(...(id === undefined ? [] : nearest(data, [id]).map(row)));
    offers.replaceChildren(...(id === undefined ? offer("word", typed) : []));
    fewNote.hidden = id === undefined || count >= spec.few;
    fewNote.textContent = `只见过 ${count} 次：上下文太少，向量没有学准，下面的近邻多半靠不住，余弦大也不能说明什么。`;
    found.textContent = id !== undefined ? `“${data.words[id]}”在语料里出现 ${count} 次，按次数排第 ${id + 1}。`
      + "余弦相似度最大的十个词和它们各自出现的次数："
      : typed.trim() ? `这里没有“${typed.trim()}”：它在语料里没有出现，或者太少见，没有排进前 ${data.words.length} 个词。`
        : "请写一个词，或点上面的词。";
  }

  function drawAnalogy() {
    const typed = ["a", "b", "c"].map((key) => [key, model.get(key)]);
    const ids = typed.map(([, word]) => find(data, word));
    const missing = typed.filter((_, n) => ids[n] === undefined);
    const [a, b, c] = ids.map((id) => data.words[id]);
    answers.replaceChildren(...(missing.length ? [] : nearest(data, [ids[1], ids[2]], [ids[0]], 5).map(row)));
    analogyOffers.replaceChildren(...missing.flatMap(([key, word]) => offer(key, word)));
    asked.textContent = missing.some(([, word]) => !word.trim()) ? "三个格子都要写上词。"
      : missing.length ? `这里没有${missing.map(([, word]) => `“${word.trim()}”`).join("、")}。`
        : `离“${b} − ${a} + ${c}”最近的五个词，三个已知的词不参加：`;
  }

  function draw() {
    for (const [key, input] of Object.entries(fields)) if (input.value !== model.get(key)) input.value = model.get(key);
    if (!data) return;
    drawNear();
    drawAnalogy();
  }

  const button = make("button", { type: "button", async onclick() {
    button.disabled = true;
    said.classList.remove("failed");
    said.textContent = "正在打开……";
    try {
      data = unpack(await load(place(document)));
    } catch (error) {
      said.classList.add("failed");
      said.textContent = error.message;
      button.disabled = false;
      return;
    }
    said.textContent = "";
    source.textContent = `词向量：${data.about}。这里有最常见的 ${data.words.length} 个词，`
      + `每个词 ${data.E} 个数，每个数存成一个字节。`;
    opening.hidden = true;
    body.hidden = false;
    draw();
    fields.word.focus({ preventScroll: true });
  } }, "打开（约 1 MB）");
  const opening = make("div.open", {}, button,
    make("span.soft", {}, "按了才下载词向量；之后都在这一页里算，不再下载。"));
  const body = make("div", { hidden: true },
    make("label.field.search", {}, make("span.name", {}, "查哪个词，可以改；点近邻可以接着查"), field("word", "查哪个词")),
    chips("常见的词：", spec.common, (word) => word, (word) => change("word", word)),
    chips("少见的词：", spec.rare, (word) => word, (word) => change("word", word)),
    found, offers, fewNote, near,
    make("p.soft", {}, "向量只知道哪些词出现在相似的上下文里，所以近邻里常有反义词和同一类的词，不全是近义词。"),
    make("h3", {}, "类比：甲之于乙，如丙之于谁？"),
    make("div.analogy", {}, field("a", "类比的甲"), "之于", field("b", "类比的乙"), "，如", field("c", "类比的丙"), "之于谁？"),
    chips("试试：", spec.analogies, ([a, b, c]) => `${a}：${b} = ${c}：？`,
      (words) => ["a", "b", "c"].forEach((key, n) => change(key, words[n]))),
    asked, analogyOffers, answers,
    make("p.soft", {}, "一两个答对的例子说明不了什么；全部题目的命中率见第 03 章。"), source);
  el.append(make("form", { onsubmit: (event) => event.preventDefault() },
    make("style", {}, CSS),
    make("h2", {}, "近义词"),
    make("p.ask", {}, "先猜后看：离“增加”最近的十个词里，会不会有“减少”？"),
    opening, said, body));
  model.on("change", draw);
  draw();
}

export default { render };
