// 形状积木的导览。
import { sizes } from "./_tensor.js";


export const tour = [
  { ask: "max_L 从 12 改成 6，最短的那句“小镇 车站 通车”会怎样？",
    options: [["也被截短", "它只有 3 个词，够不着 6，一个也不截。"],
      ["还是补 PAD，只是少补几个", "对，短句补，长句截，都凑成 max_L。"]],
    act: "把 max_L 改成 6。", at: "[data-key=max_L]", show: "table.batch",
    done: (s) => s.max_L === 6,
    seen: (s, before) => `PAD 从 ${before.pads} 个变成 ${s.pads} 个，`
      + `截掉的词从 ${before.cut} 个变成 ${s.cut} 个。` },
  { act: "把“太短时补在哪头”换成“前”。", at: "[data-key=padding]", show: "table.batch",
    done: (s) => s.padding === "pre",
    seen: (s) => `还是 ${s.pads} 个 PAD，都挪到了前面；每句的最后一格都成了真词。` },
  { start: { bidirectional: false },
    ask: "只从前往后读，末态取最后一格 out[:, -1]。“小镇 车站 通车”这句，取到的是哪一格？",
    options: [["“通车”那一格", "“通车”后面还补着 PAD，最后一格不是它。"],
      ["最后一个 PAD", "对，真词读完，又读了一串 PAD，末态已经变了。"]],
    act: "把“末态读哪一格”换成“最后一格”。", at: "[data-key=read]", show: "table.batch",
    done: (s) => s.read === "last",
    seen: (s) => `${s.late} 句的末态取在 PAD 上。换成“最后一个真词”再看看。` },
  { ask: "去掉 batch_first 的勾，哪些张量的形状不变？",
    options: [["都变", "末态那两个不理会它。"], ["x 和 out 不变", "正好反了：它们头两个轴对调了。"],
      ["h_n 和 c_n 不变", "对，末态总是层×方向排在最前面。"]],
    act: "去掉“B 排在最前面”的勾。",
    at: "[data-key=batch_first]", show: "[data-tensor=h_n], [data-tensor=c_n]",
    done: (s) => !s.batch_first,
    seen: (s, before) => `x 从 ${sizes(before.x)} 变成 ${sizes(s.x)}；h_n 还是 ${sizes(s.h_n)}。` },
  { ask: "改成单向，out 的最后一个轴是多少？",
    options: [["还是 128", "128 是前向 64 接上反向 64。"], ["64", "对，少了反向的那一半。"]],
    act: "去掉“双向”的勾。", at: "[data-key=bidirectional]", show: "[data-tensor=out], [data-tensor=h_n]",
    done: (s) => !s.bidirectional,
    seen: (s, before) => `out 从 ${sizes(before.out)} 变成 ${sizes(s.out)}，`
      + `h_n 从 ${sizes(before.h_n)} 变成 ${sizes(s.h_n)}。` },
  { ask: "叠成 3 层，out 与 h_n 谁会变？",
    options: [["都变成 3 倍", "out 只给最上面一层。"],
      ["只有 h_n（与 c_n）", "对，out 只有最上面一层，h_n 每层都有。"],
      ["都不变", "h_n 每一层各有一份。"]],
    act: "把 num_layers 改成 3。", at: "[data-key=num_layers]", show: "[data-tensor=h_n]",
    done: (s) => s.num_layers === 3,
    seen: (s) => `out 还是 ${sizes(s.out)}；h_n 变成 ${sizes(s.h_n)}，3 层 × 2 个方向。` },
  { start: { puzzle: "four" },
    ask: "反过来：给你形状，拧旋钮。要的形状只少一个 c_n，参数 44,544 个。LSTM 换成哪一种？",
    options: [["RNN", "形状都对，参数却只有 14,848 个：LSTM 有四组权重，RNN 只有一组。"],
      ["GRU", "对，LSTM 有四组权重，GRU 三组，参数正好是四分之三。"]],
    act: "换一种循环层，直到题目的条件都做到。", at: "[data-key=cell]", show: ".puzzle",
    done: (s) => s.solved,
    seen: (s, before) => `没有 c_n 了；参数从 ${before.parameters} 个降到 ${s.parameters} 个。`
      + "还有三道题，要拧的旋钮更多，走完再试。" },
  { say: "形状只看三件事：轴怎么排、几个方向、叠几层；末态与 out 的排法不一样。"
    + "接着读第 08 章“打包：让 RNN 在真正的末尾停下”与“末态诊所”。" },
];
