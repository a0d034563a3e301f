// 自己的文本的导览：用样例走一遍。
import { fixed } from "./_kit.js";

const top = ({ near }, n = 3) => near.rows.slice(0, n).map(([word, cosine]) => `${word} ${fixed(cosine)}`).join("、");
const trained = (s, before) => s.finished > before.finished && s.near !== null;

export const tour = [
  { ask: "样例有八万字。切成字，训练 10 轮，要多久？",
    options: [["一两分钟以内", "对，手边的电脑就够。"], ["一个多小时", "八万字很小，报纸一个月就有它的二十多倍。"]],
    act: "按“用样例”，再按“训练”，等它走完。", at: ".chips button:nth-child(1), .go", show: ".plane",
    done: trained,
    seen: (s) => `用了 ${fixed(s.near.seconds, 1)} 秒。离“${s.near.word}”最近的：${top(s)}。` },
  { say: "接着读第 07 章“用到自己的文本上”。" },
];
