// 切词：按字，按词（词典里各词概率的乘积最大的切法），或照已有的空格。都是纯函数，在 Worker 里跑。

const HAN = "\\u3400-\\u9fff\\uf900-\\ufaff〇";
const ONE = `(?:(?![${HAN}])[\\p{L}\\p{N}])+`;
// 一串汉字；一串字母、数字，skip-gram 算一个
const RUN = new RegExp(`[${HAN}]+|${ONE}(?:[-'’.]${ONE})*`, "gu");
const IS_HAN = new RegExp(`[${HAN}]`);
const IS_WORD = /[\p{L}\p{N}]/u;
const SENTENCE = /[\n。！？!?；;…]+/;
const LONGEST = 7;  // 词典里最长的词有几个字；读者补的可以更长
const OWN = 1000;   // 读者补的词，当作出现过这么多次，常能胜过拆开的
const CROWD = 1000; // 一句太长，就分成这么多词一段

/** 词典：words 用空格隔开，counts 是各词的次数 → 查得动的样子，记的是对数概率；own 是读者补的词。 */
export function openDictionary({ words, counts }, own = "") {
  const total = counts.reduce((a, b) => a + b, 0);
  const scores = new Map(words.split(" ").map((word, i) => [word, Math.log(counts[i] / total)]));
  const added = own.split(/\s+/);
  for (const word of added) scores.set(word, Math.log(OWN / total));
  const longest = Math.max(LONGEST, ...added.map((word) => word.length));
  return { scores, longest, unknown: Math.log(0.5 / total) }; // 没有的单字，当作出现过半次
}

/** 一串汉字 → 词：从左到右，记下切到每个字为止最好的分数，与最后一个词从哪里起。 */
export function cut(run, { scores, longest, unknown }) {
  const [best, back] = [[0], [0]];
  for (let end = 1; end <= run.length; end++) {
    best[end] = -Infinity;
    for (let start = Math.max(0, end - longest); start < end; start++) {
      const known = scores.get(run.slice(start, end)) ?? (end - start === 1 ? unknown : -Infinity);
      if (best[start] + known < best[end]) continue; // 一样好，取后一个词短的
      best[end] = best[start] + known;
      back[end] = start;
    }
  }
  const pieces = [];
  for (let end = run.length; end; end = back[end]) pieces.push(run.slice(back[end], end));
  return pieces.reverse();
}

/** 一句 → 词；标点与符号不要，字母变小写。dictionary 是 null 就一字一词。 */
export function tokens(sentence, dictionary) {
  const one = (run) => (dictionary ? cut(run, dictionary) : [...run]);
  return (sentence.match(RUN) ?? []).flatMap((run) => (IS_HAN.test(run) ? one(run) : [run]));
}

/** 一段太长的句子分成几段。 */
const portions = (words) => Array.from({ length: Math.ceil(words.length / CROWD) },
  (_, i) => words.slice(i * CROWD, (i + 1) * CROWD));

/** 全文 → 一句一句的词。unit 是 "char"、"word" 或 "blank"；全角的字母、数字变半角。 */
export function sentencesOf(text, unit, dictionary) {
  const known = unit === "word" ? dictionary : null;
  const split = unit === "blank"
    ? (line) => line.split(/\s+/).filter((word) => IS_WORD.test(word))
    : (line) => tokens(line, known);
  return text.normalize("NFKC").toLowerCase().split(SENTENCE).map(split).flatMap(portions)
    .filter((words) => words.length);
}

/** 词表：至少出现 least 次的词，从多到少，一样多的照出现的先后；句子换成编号，别的词丢掉。 */
export function toIds(sentences, least) {
  const seen = new Map();
  for (const words of sentences) for (const word of words) seen.set(word, (seen.get(word) ?? 0) + 1);
  const kept = [...seen].filter(([, count]) => count >= least).sort((a, b) => b[1] - a[1]);
  const index = new Map(kept.map(([word], id) => [word, id]));
  const ids = sentences.map((words) => words.map((word) => index.get(word)).filter((id) => id !== undefined))
    .filter((list) => list.length > 1);
  return { words: kept.map(([word]) => word), counts: kept.map(([, count]) => count), ids,
    kinds: seen.size };
}
