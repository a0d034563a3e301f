// 标题分类器的导览。
const CUP = "总决赛MVP奖杯被他拿来装麦片";
const LETTER = "招生官只看30秒的奖学金申请信怎么写";
const best = (s) => `最像“${s.winner}”，${s.share(s.winner)}`;

export const tour = [
  { start: { headline: "中华女子学院：本科层次仅1专业招男生" },
    ask: "“总决赛MVP奖杯被他拿来装麦片”，模型会归到哪一类？",
    options: [["体育", "对，“总决赛”三个字就够了。"],
      ["娱乐", "读起来像趣闻，模型看的却是“总决赛”这些字。"],
      ["社会", "人读的是事，模型看的是字。"]],
    act: "点“例子”里的这一条。", at: ".examples button:nth-of-type(2)", show: ".classes",
    done: (s) => s.headline === CUP,
    seen: (s) => `${best(s)}；最支持它的字是“${s.top().unit}”。` },
  { start: { headline: CUP },
    ask: "删掉开头的“总决赛”，还剩“奖杯”。还像体育吗？",
    options: [["还像，奖杯也是体育", "光有“奖杯”不够。"], ["不像了", "对，撑着它的就是那三个字。"]],
    act: "在框里删掉“总决赛”三个字。", at: ".title", show: ".classes",
    done: (s) => s.headline === CUP.slice(3),
    seen: (s) => `${best(s)}；“体育”剩 ${s.share("体育")}。` },
  { start: { headline: CUP.slice(3) },
    ask: "“招生官”“奖学金”都是教育的话，这一条认得对吗？",
    options: [["认得对", "它凭的是一个个字和相邻的字，这一条就被带偏了。"],
      ["认错", "对，人一眼看懂的，它未必。"]],
    act: "点“难的”里最后一条。", at: ".hard button:nth-of-type(3)", show: ".classes",
    done: (s) => s.headline === LETTER,
    seen: (s) => `${best(s)}；“教育”只有 ${s.share("教育")}。`
      + `最支持它的字是“${s.top().unit}”，权重 ${s.top().weight}。` },
  { start: { headline: "北京房价上涨" },
    ask: "把它倒成“上涨房价北京”，归类会变吗？",
    options: [["会，句子不通了", "要紧的字都还在，它照样认。"],
      ["不会", "对，这一条看的是有哪些字，次序不要紧。"]],
    act: "把标题改成“上涨房价北京”。", at: ".title", show: ".classes",
    done: (s) => s.headline === "上涨房价北京",
    seen: (s, before) => `原先${best(before)}；现在${best(s)}。` },
  { start: { headline: "上涨房价北京" },
    ask: "打一句英文“hello world”，模型会说不知道吗？",
    options: [["会", "它没有“不知道”这一类，十类的概率总要加成 1。"],
      ["不会，照样给一类", "对，概率总要分完，分给谁都行。"]],
    act: "把标题改成“hello world”。", at: ".title", show: ".classes",
    done: (s) => s.headline.trim().toLowerCase() === "hello world",
    seen: (s) => `${best(s)}。页面提醒了一句，模型自己并不知道。` },
  { say: "它凭字和相邻的字认类，不懂意思；概率高不等于对。"
    + "接着读第 10 章“错得最有把握的五条”与“说九成，真有九成吗”。" },
];
