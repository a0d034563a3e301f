// 查词与近邻的一行行：近义词与自己的文本都用。data 是 wordTable 给的，再加各词的次数 counts。
import { chips, fixed, make } from "./_kit.js";

const fold = (word) => word.trim().normalize("NFKC").toLowerCase(); // 全角、大小写不计较

/** 一列词 → 查得动的样子：照原样查，或不计较全角与大小写。 */
export function wordTable(words) {
  const folded = words.map(fold);
  const pairs = (keys) => keys.map((word, i) => [word, i]);
  return { words, folded, index: new Map([...pairs(folded).reverse(), ...pairs(words)]) };
}

/** 词的编号；照原样找不到，就不计较全角与大小写再找；还没有就是 undefined。 */
export const find = ({ index }, typed) => index.get(typed.trim()) ?? index.get(fold(typed));

/** 写法有多近：以它开头的 0，含有它的 1，它含有的接近 3（长的在先），都不是 9。 */
function kinship(word, key) {
  if (word.startsWith(key)) return 0;
  if (word.includes(key)) return 1;
  return key.includes(word) ? 3 - word.length / 100 : 9;
}

/** 词表里没有时，给出写法相近的词；一样近的按词频。 */
export function suggest({ words, folded }, typed, most = 8) {
  const key = fold(typed);
  if (!key) return [];
  return folded.map((word, i) => [kinship(word, key), words[i]]).filter(([rank]) => rank < 9)
    .sort((x, y) => x[0] - y[0]).slice(0, most).map(([, word]) => word);
}

export const same = (word) => word;

/** 词与余弦的一行；点了词就接着查它。 */
export const wordRow = ({ words, counts }, [id, cosine], look) => make("li", {},
  make("button", { type: "button", title: `查“${words[id]}”`, onclick: () => look(words[id]) }, words[id]),
  make("i", { style: `--cosine: ${Math.max(0, cosine)}` }),
  make("span.num", {}, fixed(cosine, 3)), make("span.soft", {}, `${counts[id]} 次`));

/** 没有这个词时的那排建议；没有可建议的，就没有这一排。 */
export function offer(piece, data, key, typed) {
  const words = suggest(data, typed);
  if (!words.length) return [];
  return [chips(`与“${typed.trim()}”相近的写法：`, words, same, (word) => piece.change(key, word))];
}
