// 自己的文本：在 Worker 里切词、训练，网页的主线程只管画。收到的是 { to, … }，发出的是 { kind, … }。
import { openDictionary, sentencesOf, toIds } from "./_segment.js";
import { learn, newModel, takeLoss } from "./_skipgram.js";
import { lengths, nearest, plane, unit } from "./_vectors.js";

const TICK = 100;  // 训练这么多毫秒，报告一次
const SHOWN = 30;  // 画在平面上的词
const NEAR = 10;
const LEAST = { tokens: 2000, words: 30 }; // 少于这些，什么也学不到
const EMPTY = new Set([ // 虚词与太泛的词，不画
  ..."的一是了在不和有人我他她它你这那就也都而与及或但着过到对为以从把被让给向将则又再还只才很更最太",
  ..."个些么吗呢吧啊之其此所于因由如等们上下中里后前来去说要会能可没得地自已多少大小做用成出时年月日",
  ..."两几每第条种样看先",
  ..."我们 你们 他们 她们 它们 自己 这个 那个 这些 那些 这样 那样 这里 那里 什么 怎么 怎样".split(" "),
  ..."一个 一种 一样 一些 每个 第一 没有 不是 就是 还是 也是 都是 可以 因为 所以 如果 但是 而且".split(" "),
  ..."已经 时候 起来 出来 最后 现在 只有 多少 哪个 不会 不能 不要 不同".split(" "),
]);

let [model, words, shown, watched] = [null, [], [], 0];
let [basis, running, last, seconds] = [undefined, false, NaN, 0];

/** 常见的实词的编号：虚词、数字、单个的字母不要；切成词的，先要两个字以上的。 */
function contentOf(list, by) {
  const real = [...list.keys()].filter((id) => !EMPTY.has(list[id]) && !/^(?:\d+|[a-z])$/.test(list[id]));
  const long = by === "char" ? [] : real.filter((id) => list[id].length > 1);
  return [...new Set([...long, ...real, ...list.keys()])].slice(0, SHOWN);
}

const vector = (id) => Array.from(model.embedding.subarray(id * model.E, (id + 1) * model.E));

/** 眼下的样子：走到几成，损失，平面上的点，所查的词的近邻。 */
function report() {
  const { E, embedding, counts, epochs, per, read } = model;
  if (model.pairs) last = takeLoss(model);
  const view = plane(shown.map((id) => unit(vector(id))), basis, basis ? 3 : 200);
  basis = view.basis;
  const norms = lengths(embedding, E);
  const done = read / (epochs * per);
  self.postMessage({ kind: "step", done, loss: last, points: view.points, seconds, running, over: done === 1,
    watched, near: nearest({ E, rows: embedding, norms, counts }, [watched], [], NEAR) });
}

/** 训练一小会儿，报告，让出来收消息，再接着。 */
function tick() {
  if (!running) return;
  const begun = performance.now();
  while (running && performance.now() - begun < TICK) running = learn(model);
  seconds += (performance.now() - begun) / 1000;
  report();
  setTimeout(tick);
}

/** 文本切成词，数过，摆好两张表；太短就说差多少。 */
function prepare({ text, settings, dictionary }) {
  const { unit: by, own_words: own, min_count: least } = settings;
  const sentences = sentencesOf(text, by, dictionary && openDictionary(dictionary, own));
  const corpus = toIds(sentences, least);
  const tokens = corpus.ids.reduce((total, list) => total + list.length, 0);
  const found = { tokens, words: corpus.words.length };
  if (tokens < LEAST.tokens || found.words < LEAST.words) {
    self.postMessage({ kind: "short", found, least: LEAST });
    return;
  }
  model = newModel({ ...settings, ...corpus });
  [words, shown] = [corpus.words, contentOf(corpus.words, by)];
  [watched] = shown;
  self.postMessage({ kind: "ready", words, counts: corpus.counts, kinds: corpus.kinds, shown, tokens });
  go();
  report();
}

function go() {
  running = true;
  setTimeout(tick);
}

/** word2vec 的文本格式：首行是词数与维数，以后一行一个词。 */
function save() {
  const lines = words.map((word, id) => `${word} ${vector(id).map((x) => x.toPrecision(7)).join(" ")}\n`);
  const blob = new Blob([`${words.length} ${model.E}\n`, ...lines], { type: "text/plain" });
  self.postMessage({ kind: "saved", blob });
}

const orders = {
  prepare, go, save,
  stop() { running = false; report(); },
  watch({ id }) { watched = id; if (!running) report(); },
};
self.onmessage = ({ data }) => orders[data.to](data);
