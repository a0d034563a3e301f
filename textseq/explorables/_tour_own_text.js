// 自己的文本的导览：用样例走一遍，切成词，走 5 轮，几秒钟。
import { fixed } from "./_kit.js";

const start = { epochs: 5 };
const top = ({ near }) => near.rows.slice(0, 3)
  .map(([word, cosine]) => `${word} ${fixed(cosine)}`).join("，");
const rank = ({ near }, wanted) => near.rows.findIndex(([word]) => word === wanted) + 1;

/** 两次的近邻里都有的。 */
const kept = (one, two) =>
  one.rows.map(([word]) => word).filter((word) => two.rows.some(([other]) => other === word));

export const tour = [
  { start,
    ask: "样例有七万多字，切成词，走 5 轮。在你这台机器上，训练要多久？",
    options: [["几秒到一分钟", "对，这么一点字，手边的机器就够。"],
      ["半个小时", "用不了：词次只有四万，词也只有一千多个。"]],
    act: "按“用样例”，再按“训练”，等它走完。", at: ".chips button:nth-of-type(1), .go", show: ".plane",
    done: (s, before) => s.finished > before.finished,
    seen: ({ near }) => `${near.size} 个词，用了 ${fixed(near.seconds, 1)} 秒；`
      + `损失从乱猜的 ${fixed(6 * Math.LN2)} 降到 ${fixed(near.loss)} 奈特。` },
  { start,
    ask: "样例是这门课的正文。离“梯度”最近的十个词里，会有“参数”吗？",
    options: [["会", "对，课上讲梯度，旁边总在讲参数。"],
      ["不会，七万字太少", "见得多的词，这么一点字也学得出一些。"]],
    act: "查“梯度”：打字，或点“常见的”里的。还没训练的，先训练。",
    at: ".search, .chips.words", show: "ol.near",
    done: (s) => s.near?.word === "梯度",
    seen: (s) => `${top(s)}；`
      + (rank(s, "参数") ? `“参数”排第 ${rank(s, "参数")}。` : "前十个里没有“参数”。") },
  { start: { ...start, word: "梯度" },
    ask: "换一个随机的起点，从头训练，“梯度”的十个近邻还剩几个？",
    options: [["十个都在", "文本小，近邻跟着起点变。"],
      ["剩几个", "对。剩下的只说明两次答得一样，不等于答得对。"],
      ["一个也不剩", "也没有那么糟：“梯度”见得多。"]],
    act: "按“换个起点”，再按“训练”，等它走完。", at: ".tools button:nth-child(3), .go", show: "ol.near",
    done: (s, before) => s.finished > before.finished && s.seed !== 1 && s.near.word === "梯度",
    seen(s, before) {
      if (before.near?.word !== "梯度") return `现在是：${top(s)}。`;
      const same = kept(s.near, before.near);
      return `十个里剩 ${same.length} 个${same.length ? `：${same.join("，")}` : ""}。`;
    } },
  { start,
    ask: "把“怎样切”改成“按字”，图上的词会马上变成字吗？",
    options: [["会", "向量是训练出来的，换了切法，就要重新训练。"],
      ["不会，还是旧的", "对，所以它说一声，等你从头来。"]],
    act: "选“按字”，不必训练。", at: "[data-key=unit]", show: ".old",
    done: (s) => s.unit === "char" && s.stale,
    seen: ({ near }) => `查的还是“${near.word}”，词表还是 ${near.size} 个词。` },
  { start,
    act: "查一个这门课没有写到的词：火锅。", at: ".search", show: ".search",
    done: (s) => s.word === "火锅" && s.near !== null,
    seen: ({ near }) => `学过的只有 ${near.size} 个词，没有见过的就没有向量。` },
  { say: "自己的文本也能学，只是小：见得多的词信几分，少于 5 次的别信。存成 vectors.txt，Python 里接着用："
    + "读第 07 章“用到自己的文本上”。" },
];
