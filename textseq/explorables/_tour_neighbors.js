// 近义词的导览。
import { fixed } from "./_kit.js";

const [search, chips] = [".search", ".chips.words"];
const place = (s, word) => s.near.findIndex(([other]) => other === word);
const three = ({ near }) => near.slice(0, 3).map(([word, , count]) => `${word}（${count} 次）`).join("、");

export const tour = [
  { start: { word: "他" },
    ask: "离“增加”最近的十个词里，会不会有反义词“减少”？",
    options: [["不会，意思相反", "上下文却相似：“增加百分之几”的地方，多半也能写“减少”。"],
      ["会", "对，反义词出现在相似的上下文里。"]],
    act: "查“增加”：打字，或点“常见的词”里的。", at: `${search}, ${chips}`, show: "ol.near",
    done: (s) => s.word === "增加",
    seen: (s) => `“减少”排第 ${place(s, "减少") + 1}，余弦 ${fixed(s.near[place(s, "减少")][1], 3)}，`
      + "1 是同一个方向，0 是互不相干。" },
  { ask: "“增加”的近邻里有“７０亿”“１９％”，都只见过几次。只留至少见过 50 次的，“减少”还排第一吗？",
    options: [["还是第一", "对，见得多的词，学得稳。"],
      ["不是了", "“减少”见得多，去掉少见的词，它不受影响。"]],
    act: "把“至少出现几次”改成 50。", at: "[data-key=least]", show: "ol.near",
    done: (s) => s.least === 50,
    seen: (s, before) => `前三个从 ${three(before)} 换成 ${three(s)}。` },
  { start: { word: "增加" },
    ask: "反过来查“减少”，“增加”与它的余弦和刚才一样吗？",
    options: [["一样", "对，余弦是两个词之间的，不分谁查谁。"], ["不一样", "数是同一个；会变的只有名次。"]],
    act: "点近邻里的“减少”，接着查它。", at: "ol.near", show: "ol.near",
    done: (s) => s.word === "减少",
    seen: (s, before) => `刚才 ${fixed(before.near[place(before, "减少")][1], 3)}，`
      + `现在 ${fixed(s.near[place(s, "增加")][1], 3)}。` },
  { start: { word: "减少" },
    ask: "“摩托车”在语料里很少见。排第一的近邻会是一种车吗？",
    options: [["会", "见得太少，向量没有学准，近邻靠不住。"], ["不会", "对，十来次上下文，学不准一个词。"]],
    act: "点“少见的词”里的“摩托车”。", at: ".rare button:nth-of-type(1)", show: "ol.near",
    done: (s) => s.word === "摩托车",
    seen: (s) => `只见过 ${s.count} 次，排第一的是“${s.near[0][0]}”；`
      + `“汽车”排到第 ${place(s, "汽车") + 1}。` },
  { start: { word: "摩托车" },
    ask: "查“人工智能”，会得到什么？",
    options: [["几个意思相近的词", "它不在词表里，没有向量可查。"],
      ["什么也查不到", "对，只能给你几个写法相近的词。"]],
    act: "在格子里打“人工智能”。", at: search, show: ".offers",
    done: (s) => s.word === "人工智能",
    seen: (s) => `这里只有语料里最常见的 ${s.size} 个词，1998 年的报纸难得写到它；表里没有，就没有向量。` },
  { ask: "中国之于北京，如法国之于谁？排第一的会是“巴黎”吗？",
    options: [["会", "单挑一道题，答错很平常。"],
      ["不会", "对，一道题说明不了词向量好不好，要看许多题的命中率。"]],
    act: "把类比的丙改成“法国”。", at: ".analogy", show: "ol.answers",
    done: (s) => s.a === "中国" && s.b === "北京" && s.c === "法国",
    seen: (s) => `排第一的是“${s.answers[0]}”，`
      + (s.answers.includes("巴黎") ? "“巴黎”在前五里。" : "前五里没有“巴黎”。") },
  { say: "余弦大，说的是上下文像，不是意思同；见得少的词、挑出来的一道题，都靠不住。"
    + "要几百对、几千道一起量：接着读第 03 章“在整套词对上打分”。" },
];
