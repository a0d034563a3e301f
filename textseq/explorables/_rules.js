// 三个门的第三题：门不再一步一步地设，而是看这一步读到哪一种字。一张表，在没见过的句子上试。
import { range, xorshift } from "./_math.js";

/** 各种字与它们的候选值；shares 是各种在 20 份里占几份。 */
export const rule = {
  words: {
    key: { 中: 0.9, 招: -0.6 }, flag: { 旗: -0.7 }, wipe: { 擦: 0.7 },
    other: { 华: -0.6, 女: 0.4, 子: -0.7, 学: -0.8, 院: 0.5, 生: 0.2, 通: 0.8, 车: -0.5 },
  },
  shares: { key: 5, flag: 5, wipe: 3, other: 7 },
};

const T = 12;
const STEPS = range(T);
export const GATES = ["f", "i", "o"];
export const KINDS = { key: "要记的字", flag: "旗", wipe: "擦", other: "别的" };
const NAMES = Object.keys(KINDS);
const UNSEEN = 200;

/** 表写成三组 0 与 1：f、i、o，每组依次是读到要记的字、旗、擦、别的时开不开；缺的当作 0。 */
export function parseTable(text) {
  const marks = text.replace(/[^01]/g, "").padEnd(12, "0");
  const group = (n) => NAMES.map((kind, k) => [kind, Number(marks[4 * n + k])]);
  return Object.fromEntries(GATES.map((gate, n) => [gate, Object.fromEntries(group(n))]));
}

export const writeTable = (table) =>
  GATES.map((gate) => NAMES.map((kind) => table[gate][kind]).join("")).join(" ");

/** 抽一句：每一步先抽哪一种，再抽哪一个字。 */
function sentence(draw) {
  const { words, shares } = rule;
  const bag = NAMES.flatMap((kind) => Array(shares[kind]).fill(kind));
  const pick = (items) => items[Math.floor(draw() * items.length)];
  const kinds = range(T).map(() => pick(bag));
  const chars = kinds.map((kind) => pick(Object.keys(words[kind])));
  const g = chars.map((char, t) => words[kinds[t]][char]);
  const say = pairs(kinds);
  const due = range(T).map((t) => Math.tanh(g[say.find(([, flag]) => flag === t)?.[0]] ?? 0));
  return { kinds, chars, g, say, due, marks: kinds };
}

/** 每面旗该说哪一步的字：[at, flag]；还没读到字、或刚擦掉，就不出声。 */
function pairs(kinds) {
  const say = [];
  let newest = -1;
  kinds.forEach((kind, t) => {
    if (kind === "key") newest = t;
    if (kind === "wipe") newest = -1;
    if (kind === "flag" && newest >= 0) say.push([newest, t]);
  });
  return say;
}

/** 表用在一句上：每一步三个门的开度。 */
export const opened = (table, kinds) =>
  Object.fromEntries(GATES.map((gate) => [gate, kinds.map((kind) => table[gate][kind])]));

/** 第 t 步的 h 错在哪里：没错是空串。 */
function faultOf({ kinds, due }, t, h) {
  const quiet = Math.abs(h) < 0.1;
  if (due[t] === 0) {
    if (quiet) return "";
    return kinds[t] === "flag" ? "stale" : "early";
  }
  if (Math.abs(h - due[t]) < 0.05) return "";
  return quiet ? "lost" : "mixed";
}

/** 表用在一句上，每一步错在哪里；brief 时遇到头一个错就停。 */
function faults({ f, i, o }, line, brief = false) {
  const found = [];
  let c = 0;
  for (const t of STEPS) {
    const kind = line.kinds[t];
    c = f[kind] * c + i[kind] * line.g[t];
    found.push(faultOf(line, t, o[kind] * Math.tanh(c)));
    if (brief && found[t]) break;
  }
  return found;
}

const hits = (table, lines) => lines.filter((line) => !faults(table, line, true).at(-1)).length;

/** 遗忘门与输入门合成一个（f = 1 − i）的各张表里，最好的对几句。 */
function bestTied(lines) {
  const bits = range(16).map((n) => Object.fromEntries(NAMES.map((kind, k) => [kind, (n >> k) & 1])));
  const rest = (i) => Object.fromEntries(NAMES.map((kind) => [kind, 1 - i[kind]]));
  return Math.max(...bits.flatMap((i) => bits.map((o) => hits({ f: rest(i), i, o }, lines))));
}

/** 同一个种子的句子，最近的一批记着：shown 是眼前的一句，unseen 是没见过的，rivals 是对手在上面对几句。 */
export const drawn = (() => {
  let now = {};
  return (seed) => {
    if (now.seed !== seed) {
      const draw = xorshift(seed);
      const [shown, ...unseen] = range(UNSEEN + 1).map(() => sentence(draw));
      now = { seed, shown, unseen, rivals: {
        silent: unseen.filter(({ say }) => !say.length).length, tied: bestTied(unseen) } };
    }
    return now;
  };
})();

/** 眼前的一句。 */
export const shownLine = (seed) => drawn(seed).shown;

const HINTS = {
  early: "不到旗子就出声了。哪个门只管出声？它该在读到什么的时候开？",
  lost: "到了旗子，该说的没说出来：读到那个字时 i 开着吗？一路上 f 留着它吗？读到旗时 o 开着吗？",
  mixed: ({ f, i }) => "旗子那一步说了，说的却不只是最新的字："
    + (f.key ? "读到新字时，旧的该由哪个门清掉？" : "")
    + (i.other || i.flag || i.wipe ? "别的字，是哪个门放进来的？" : ""),
  stale: "擦过以后，或一个要记的字都还没读到，旗子来了不该出声：读到“擦”时，哪个门该关？谁写进了不该写的？",
};

/** 第三题的表考得怎样：眼前这句错几步，没见过的对几句，最常见的错法是哪一种。 */
export function tried({ table, seed }) {
  const [gates, { shown, unseen, rivals }] = [parseTable(table), drawn(seed)];
  const wrong = [shown, ...unseen].flatMap((line) => faults(gates, line)).filter(Boolean);
  const count = (kind) => wrong.filter((fault) => fault === kind).length;
  const [worst] = Object.keys(HINTS).sort((a, b) => count(b) - count(a));
  return { slips: faults(gates, shown).filter(Boolean).length, right: hits(gates, unseen), of: unseen.length,
    hint: worst === "mixed" ? HINTS.mixed(gates) : HINTS[worst], ...rivals };
}

/** 第三题的条件。 */
export function ruleChecks(state) {
  const { slips, right, of, hint } = tried(state);
  return [
    { want: `眼前这句，${T} 步都对`, done: !slips, got: `错 ${slips} 步`, hint },
    { want: `没见过的 ${of} 句（种子 ${state.seed}），句句全对`, done: right === of,
      got: `对 ${right} 句`, hint },
  ];
}

/** 第三题走岔的路：眼前这句全对，没见过的却不对。 */
export function overfitted(state) {
  if (state.level !== "rule") return "";
  const { slips, right, of } = tried(state);
  return slips || right === of ? "" : `眼前这句全对，没见过的却错了 ${of - right} 句：`
    + "这张表只是碰巧合了这一句。按上面的“换一句”，看它错在哪里；200 句也一起换。";
}

/** 第三题的对手：同样的句子，最简单的两种办法各对几句。 */
export const rivalLine = (state) => {
  const { of, right, silent, tied } = tried(state);
  return `没见过的 ${of} 句：你的表对 ${right} 句；一声不出，对 ${silent} 句；`
    + `遗忘门与输入门合成一个（f = 1 − i），256 张表里最好的对 ${tied} 句。`;
};
