// 词向量实验台的导览。训练走满 50 轮才看，这时候分不分得开已经清楚了。
import { fixed } from "./_kit.js";

const ROUNDS = 50;
const groups = ({ same, cross }, rounds) =>
  `走了 ${rounds} 轮：同一段的词，平均余弦 ${fixed(same)}；不同段的 ${fixed(cross)}。`;
const judged = ({ real, random }) => `真邻居的分数 ${fixed(real)}，随机词的 ${fixed(random)}。`;

export const tour = [
  { ask: "还没训练，上下文表全是 0，谁的分数都是 0.50。1 个真邻居加 5 个负样本，头一步的损失是多少？",
    options: [["0", "分数 0.50 是在乱猜，猜错也有份，损失不是 0。"],
      ["ln 2 ≈ 0.69", "那是一对的；这一步有 6 对。"],
      ["6 ln 2 ≈ 4.16", "对，6 对各 ln 2。"]],
    act: "按“走一步”。", at: ".tools button:nth-child(2)", show: "p.note",
    done: (s) => s.steps === 1,
    seen: (s) => `损失 ${fixed(s.loss())} 奈特。` },
  { ask: "训练一会儿，各段的词会怎样？",
    options: [["全挤成一团", "有负样本推着，挤不到一起。"],
      ["同一段的聚在一起", "对，上下文像的，方向也像。"],
      ["各走各的", "没有：上下文像的词，方向也走近了。"]],
    act: `按“训练”，等它走满 ${ROUNDS} 轮。`, at: ".go", show: ".plane",
    done: (s) => s.rounds >= ROUNDS,
    seen: (s) => groups(s.readings(), s.rounds) },
  { ask: "把 K 拨到 0，一个负样本也没有，再训练会怎样？",
    options: [["分得更开", "没有负样本，只剩拉近，没有推开。"],
      ["挤到一个方向", "对，只会拉近，谁都成了谁的邻居。"],
      ["和刚才一样", "少了推开的那一半，就不一样了。"]],
    act: `把 K 拨到 0，按“训练”，走满 ${ROUNDS} 轮。`, at: "[data-key=K], .go", show: ".plane",
    done: (s) => s.K === 0 && s.rounds >= ROUNDS,
    seen: (s) => groups(s.readings(), s.rounds) + judged(s.readings()) },
  { start: { K: 0 },
    ask: "只给 1 个负样本，够不够把它们分开？",
    options: [["够", "对，有没有负样本，才是两回事。"], ["不够，还是坍缩", "一个就够让随机词的分数降下来。"]],
    act: `把 K 拨到 1，训练满 ${ROUNDS} 轮。`, at: "[data-key=K], .go", show: ".plane",
    done: (s) => s.K === 1 && s.rounds >= ROUNDS,
    seen: (s) => groups(s.readings(), s.rounds) + judged(s.readings()) },
  { ask: "换一个随机的起点再训练，各段还分得开吗？",
    options: [["分得开，位置却不同", "对，方向是随机的，谁挨着谁不是。"],
      ["分不开，刚才是碰巧", "换个起点，分得一样开。"]],
    act: `按“换个起点”，再训练满 ${ROUNDS} 轮。`, at: ".tools button:nth-child(5), .go", show: ".plane",
    done: (s) => s.seed !== 1 && s.K === 5 && s.rounds >= ROUNDS,
    seen: (s) => groups(s.readings(), s.rounds) },
  { say: "只有真邻居，词向量会坍缩；配上随机抽的负样本，上下文像的词才聚、不像的才分。"
    + "接着读第 07 章“词向量训练过程”，把这一步拆开看。" },
];
