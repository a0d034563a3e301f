// 三个门的导览。
import { fixed } from "./_kit.js";

const all = (value) => Array(12).fill(value);
const marks = (...places) => all(0).map((_, n) => Number(places.includes(n))).join(" ");
const [zeros, ones] = [0, 1].map((value) => all(value).join(" "));
const two = { level: "two", f: ones, i: marks(0, 5), o: marks(3, 9) };
const whole = (values, value) => values.every((v) => v === value);
const cent = (share) => `${Math.round(100 * share)}%`;

export const tour = [
  { ask: "三个门全开到 1，读到第 8 步的“旗”，c 里记着的是“中”吗？",
    options: [["只有“中”", "不只：输入门一直开着，后面的字也都写进来了。"],
      ["“中”和别的字混在一起", "对，全记住等于分不清。"],
      ["“中”已经没了", "还在：遗忘门是 1，它一点没少，只是分不出来。"]],
    act: "按“全记”。", at: ".tools button:nth-of-type(1)", show: ".plot",
    done: (s) => [s.f, s.i, s.o].every((gate) => whole(gate, 1)),
    seen: (s) => `“中”还剩 ${cent(s.kept[8])}，可别的字掺进了 ${fixed(s.mixed[8])}。` },
  { start: { f: ones, i: ones, o: ones },
    ask: "遗忘门全关，输入门全开：第 8 步的 c 里有几个字？",
    options: [["1 个，就是“旗”", "对，每一步都先清空，再写进眼前的字。"],
      ["0 个", "输入门开着，眼前的字还是写得进来。"],
      ["9 个", "前面的每一步都被 f = 0 清掉了。"]],
    act: "按“全忘”。", at: ".tools button:nth-of-type(2)", show: ".plot",
    done: (s) => whole(s.f, 0) && whole(s.i, 1),
    seen: (s) => `“中”还剩 ${cent(s.kept[8])}；第 8 步的 c = ${fixed(s.c[8])}，就是“旗”自己的候选值。` },
  { start: { f: zeros, i: ones },
    act: "只记“中”：f 按“全 1”，i 按“全 0”，再把 i 的第 0 根柱子拉到顶。",
    at: "[data-gate=f], [data-gate=i]", show: ".plot",
    done: (s) => s.kept[8] >= 0.9 && s.mixed[8] <= 0.1,
    seen: (s) => `写一次，以后只留不写：第 8 步的 c = ${fixed(s.c[8])}，“中”还剩 ${cent(s.kept[8])}，`
      + `别的字掺进 ${fixed(s.mixed[8])}。` },
  { start: { f: ones, i: marks(0) },
    ask: "c 里只有“中”了。输出门全开，会怎样？",
    options: [["只在“旗”那一步说出来", "输出门不认得旗，开着就说。"],
      ["每一步都在说", "对，记着和说出来是两件事。"],
      ["c 会说丢", "不会：输出门只管露出多少，不碰 c。"]],
    act: "把 o 按“全 1”。", at: "[data-gate=o]", show: ".plot",
    done: (s) => whole(s.o, 1) && s.kept[8] >= 0.9,
    seen: (s) => `第 8 步的 h = ${fixed(s.h[8])}，第 1 步也是 ${fixed(s.h[1])}：`
      + `没看见旗就说了；c 还是 ${fixed(s.c[8])}。` },
  { start: { f: ones, i: marks(0), o: ones },
    act: "只在旗那一步说：o 按“全 0”，再把第 8 根柱子拉到顶。", at: "[data-gate=o]", show: ".plot",
    done: (s) => s.solved,
    seen: (s) => `四个条件都做到了：第 8 步的 h = ${fixed(s.h[8])}，别的步都是 ${fixed(s.h[1])}。` },
  { start: two,
    ask: "换第二题：第 9 步的旗只许说“招”。i、o 都摆对了，f 全是 1，说得准吗？",
    options: [["说得准，“招”是后写的", "“中”一直没清掉，与“招”加在一起了。"],
      ["说不准，“中”还在里面", "对，该忘的时候不忘，记得再牢也没用。"]],
    act: "在读到“招”的第 5 步，把 f 拉到底。", at: "[data-gate=f]", show: ".plot",
    done: (s) => s.solved && s.f[5] <= 0.1,
    seen: (s, before) => `第 9 步的 c 从 ${fixed(before.c[9])} 变成 ${fixed(s.c[9])}，`
      + `就是“招”自己；条件都做到了。` },
  { start: { level: "rule", table: "1111 1000 0100" },
    ask: "第三题：门看读到的字开关。读到“中”“招”时 i 开、f 关，别的字 i 关、f 开，够不够？",
    options: [["够，f 正好是 1 − i", "“擦”来了，f 还开着，旧的字没忘掉。"],
      ["不够", "对，“擦”要忘，却什么也不写：f 与 i 得分开。"]],
    act: "在 f 的开关里关掉“要记的字”，看下面对几句；再关掉“擦”。", at: "[data-gate=f]", show: ".rivals",
    done: (s) => s.right === s.of,
    seen: (s, before) => `f 全开时，没见过的 ${s.of} 句只对 ${before.right} 句，眼前这句却一步不错；`
      + `f = 1 − i 的表最好也只对 ${s.tied} 句；现在句句全对。` },
  { say: "写入、保留、说出是三件事，所以要三个门；记得远，靠的是一连串接近 1 的 f。"
    + "真的 LSTM 自己算出这三个门，接着读第 02 章“反向：两条路往回走”与“什么任务真要忘”。" },
];
