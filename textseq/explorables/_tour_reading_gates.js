// 门在读什么的导览。
const TWO = "《北京人》和《家》，我都读过两遍。";
const QUOTED = "“新闻联播”用的是引号，不是书名号。";
const all = ({ p }) => Object.entries(p).map(([kind, chance]) => `${kind} ${chance}`).join("，");
const OPEN = 5; // 默认的句子里，《是第几个字

export const tour = [
  { start: { position: 6 },
    ask: "书名像一句平常话。读到第 15 个字，谁忘了书名号还开着？",
    options: [["RNN", "它没有门，这一句却记得住。"], ["GRU", "这一句它记得住。"],
      ["LSTM", "对，这一句忘的是它；可别急着说它差，换个种子就不一样。"]],
    act: "把滑块拖到第 15 个字。", at: "input[type=range]", show: ".blocks",
    done: (s) => s.position === 14,
    seen: (s) => `“在里面”的概率：${all(s)}。` },
  { ask: "RNN 隔了九个字还记得，靠的是《：换掉它，判断变得最多，记 100。只轻轻动一动它呢？",
    options: [["还是它最多", "记得牢的，推不动；梯度小，不等于不要紧。"],
      ["比别的字还小", "对，记得牢的，推不动；梯度小，不等于不要紧。"]],
    act: "改成“轻轻一动（梯度）”，再看《。", at: ".measure fieldset", show: ".blocks",
    done: (s) => s.influence === "gradient",
    seen: (s, before) => `整个换掉，《是 ${before.felt.RNN[OPEN]}；轻轻一动，只有 ${s.felt.RNN[OPEN]}。` },
  { start: { position: 5 },
    ask: "“《北京人》和《家》”，读到两本书中间的“和”，它们知道书名号合上了吗？",
    options: [["知道", "对，》一来就清掉。"], ["以为还在里面", "它们见过许多书名，》一来就清掉。"]],
    act: "点“例子”里的“两本书”。", at: ".examples button:nth-of-type(3)", show: ".blocks",
    done: (s) => s.sentence === TWO,
    seen: (s) => `读到“和”，“在里面”的概率：${all(s)}。` },
  { start: { sentence: TWO, position: 9 },
    ask: "把 LSTM 的遗忘门 f 钉在 1，什么也不忘。两本书都合上了，读到“，”会怎样？",
    options: [["照样知道在外面", "不忘，就清不掉《留下的那一份。"],
      ["以为还在里面", "对，该忘的时候忘不掉。"]],
    act: "在“钉住一个门”里选 LSTM f，钉在 1。", at: ".clamp fieldset:nth-of-type(1)", show: ".blocks",
    done: (s) => s.gate === "LSTM f" && s.value === "1",
    seen: (s, before) => `LSTM 的概率从 ${before.p.LSTM} 变成 ${s.p.LSTM}，别的两个没动。` },
  { start: { sentence: TWO, position: 3, gate: "LSTM f", value: "1" },
    ask: "改钉在 0，每一步都全忘。读到“北京人”的“人”，还知道在里面吗？",
    options: [["知道，才隔了三个字", "一步就忘，隔一个字也记不住多少。"],
      ["不知道了", "对，上一步的记忆全没了。"]],
    act: "把“钉在”改成 0。", at: ".clamp fieldset:nth-of-type(2)", show: ".blocks",
    done: (s) => s.gate === "LSTM f" && s.value === "0",
    seen: (s, before) => `LSTM 的概率从 ${before.p.LSTM} 变成 ${s.p.LSTM}。`
      + "这是关掉练好的门；从头就没有它，网络会另想办法。" },
  { start: { position: 2 },
    ask: "书名号换成引号，“新闻联播”，会被当成书名吗？",
    options: [["会，样子差不多", "它认的是《这个字，不是样子。"], ["不会", "对，它认的是《这个字。"]],
    act: "点“例子”里的“引号”。", at: ".examples button:nth-of-type(5)", show: ".blocks",
    done: (s) => s.sentence === QUOTED,
    seen: (s) => `读到“闻”，“在里面”的概率：${all(s)}。` },
  { say: "书名号开没开，只是一个“是”或“否”，没有门的 RNN 也记得住；换一次随机的起点，比换一种网络差得还多。"
    + "接着读第 02 章“三个网络读你的句子”。" },
];
