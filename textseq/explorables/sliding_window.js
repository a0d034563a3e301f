// 滑动窗口：窗口在句子上一格一格走，每停一处就得到训练样本。Skip-gram 一对一条，
// CBOW 一个窗口一条；窗口不出句子。窗口同 textseq.sequences.sliding_windows 逐个相等。
import { codeBox, control, make } from "./_kit.js";

export const spec = {
  "title": "滑动窗口",
  "state": {
    "text": {
      "label": "一行一句，词与词之间用空格隔开；全文没有空格，就一个字算一个词",
      "default": "中华 女子 学院 ： 本科 层次 仅 1 专业 招 男生\n市 图书馆 周末 开放 到 晚上 九 点",
      "max_chars": 200
    },
    "model": {"label": "模型", "default": "skipgram", "choices": {"skipgram": "Skip-gram", "cbow": "CBOW"}},
    "window": {"label": "左右各看几个词", "default": 2, "min": 1, "max": 5},
    "position": {"label": "窗口停在全文第几个词，从 0 数起", "default": 0, "min": 0, "max": 199},
    "dynamic": {"label": "动态窗口：每个中心词先抽签，左右各看 1 到 window 个", "default": false},
    "seed": {"label": "动态窗口的签，换一个数就换一批", "default": 1, "min": 1, "max": 99}
  }
};

const range = (n) => Array.from({ length: n }, (_, i) => i);
const sum = (values) => values.reduce((a, b) => a + b, 0);

/** 全文切成句子（换行与 。！？ 断句），句子切成词；标点照样算词，断句的三个除外。 */
export function sentences({ text }) {
  const parts = text.split(/[\n。！？]/).map((part) => part.trim()).filter(Boolean);
  const spaced = parts.some((part) => /\s/.test(part));
  return parts.map((part) => (spaced ? part.split(/\s+/) : [...part]));
}

/** 前 n 个中心词左右各看几个；动态窗口的签由 seed 推出（xorshift），所以每次打开都一样。 */
export function reaches({ window, dynamic, seed }, n) {
  let s = Math.imul(seed, 2654435761);
  return range(n).map(() => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return dynamic ? 1 + Math.floor((window * (s >>> 0)) / 2 ** 32) : window;
  });
}

/** 全文的窗口，一个词一个：第几句、第几个词、看几个、中心词、上下文词。 */
export function windows(state) {
  const lines = sentences(state);
  const drawn = reaches(state, lines.flat().length);
  return lines.flatMap((words, line) => words.map((center, t) => {
    const reach = drawn.shift();
    return { line, t, reach, center, contexts: [...words.slice(Math.max(0, t - reach), t), ...words.slice(t + 1, t + 1 + reach)] };
  }));
}

/** 全部样本：哪个窗口来的、输入、标签。没有上下文的窗口（一个词的句子）不出样本。 */
export function samples(state) {
  return windows(state).flatMap(({ center, contexts }, at) => {
    if (state.model === "skipgram") return contexts.map((context) => ({ at, input: [center], label: context }));
    return contexts.length ? [{ at, input: contexts, label: center }] : [];
  });
}

/** 不走窗口，直接算总数：每句一个算式和它的值；动态窗口没有算式。 */
export function formula(state) {
  return sentences(state).map(({ length }) => {
    if (state.model === "cbow") return length > 1 ? [`${length}`, length] : ["0", 0];
    const pairs = range(state.window).map((d) => length - 1 - d).filter((n) => n > 0); // 相距 d+1 的有几对
    return [pairs.length ? `2×${pairs.length > 1 ? `(${pairs.join("+")})` : pairs[0]}` : "0", 2 * sum(pairs)];
  });
}

/** 得到同一批样本的 Python 代码。 */
export function pythonCode(state) {
  const lines = sentences(state);
  const { window, dynamic } = state;
  const [reach, take] = dynamic ? ["reach", "\n        reach = next(reaches)"] : ["window", ""];
  const first = dynamic ? `reaches = iter([${reaches(state, lines.flat().length).join(", ")}])  # 每个中心词抽到的`
    : `window = ${window}  # 左右各看 ${window} 个词，窗口大小 2×${window}+1 = ${2 * window + 1}`;
  const add = state.model === "skipgram" ? "samples += [(center, context) for context in contexts]"
    : "if contexts:\n            samples.append((contexts, center))";
  return `sentences = [${lines.map((words) => `[${words.map((word) => JSON.stringify(word)).join(", ")}]`)
    .join(`,\n${" ".repeat(13)}`)}]
${first}
samples = []
for words in sentences:
    for t, center in enumerate(words):${take}
        contexts = words[max(0, t - ${reach}):t] + words[t + 1:t + 1 + ${reach}]
        ${add}
len(samples)  # ${samples(state).length}`;
}

const CSS = `
  .name code { display: none; } /* 这里的控件只写中文名 */
  textarea { height: 5em; }
  .name b { color: var(--ink); font-weight: 600; }
  .field button { padding: 0 11px; }
  .redraw { flex: none; }
  .stage { container-type: inline-size; border-radius: 6px; }
  .line { display: flex; flex-wrap: wrap; gap: 5px 4px; margin: 0 0 12px; }
  .line .soft { flex: 0 0 4em; line-height: 32px; }
  .line > div { flex: 1; display: flex; flex-wrap: wrap; gap: 5px 4px; min-width: 0; }
  .word { line-height: 28px; padding: 0 8px; border: 2px solid transparent; border-radius: 6px; max-width: 100%;
    overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
  .line .word { background: var(--tint); cursor: pointer; }
  .line .word.off { color: var(--soft); background: none; border: 2px dashed var(--line); }
  .word.center { background: var(--accent) !important; color: var(--on-accent); }
  .word.context { background: var(--warm) !important; border-color: var(--T); }
  .slots { display: grid; gap: 4px; justify-content: center; text-align: center; margin-top: 4px; }
  .slot .word { display: flex; align-items: center; justify-content: center; min-height: 46px; max-height: 64px; padding: 2px; line-height: 1.25;
    white-space: normal; overflow-wrap: anywhere; }
  .slot .word.out, .slot .word.off { border: 2px dashed var(--line); color: var(--soft); font-size: 12.5px; }
  .slot small { display: block; line-height: 19px; font-size: 12.5px; color: var(--soft); white-space: nowrap; }
  .slot small b { color: var(--ink); font-weight: 600; }
  .slots.many .word { padding: 1px; }
  @container (max-width: 560px) { .slots.many { gap: 2px; } .slots.many .word, .slots.many small { font-size: 11px; letter-spacing: -.04em; } }
  .total b { font-weight: 600; }
  .samples { max-height: 330px; overflow-y: auto; border: 1px solid var(--line); border-radius: 8px; }
  .samples table { width: 100%; border-spacing: 0; table-layout: fixed; }
  .samples th { position: sticky; top: 0; background: var(--paper); text-align: left; font-weight: 600; font-size: 13.5px; padding: 7px 10px; white-space: nowrap; border-bottom: 1px solid var(--edge); }
  .samples td { padding: 3px 10px; border-bottom: 1px solid var(--line); }
  .samples th:first-child { width: 3.9em; } .samples .cbow th:last-child { width: 38%; }
  .samples td:first-child { color: var(--soft); font-size: 13px; }
  .samples .word { display: inline-block; line-height: 22px; margin: 2px 4px 2px 0; vertical-align: middle; font-size: 14px; }
  .samples tr.new td { background: color-mix(in srgb, var(--accent) 9%, var(--paper)); }
`;

function render({ model, el }) {
  const change = (key, value) => { model.set(key, value); model.save_changes(); };
  const state = () => Object.fromEntries(Object.keys(spec.state).map((key) => [key, model.get(key)]));
  const last = () => sentences(state()).flat().length - 1;
  const now = () => Math.max(0, Math.min(model.get("position"), last()));
  const walk = (by) => change("position", Math.max(0, Math.min(now() + by, last())));
  const arrows = (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) { walk(by); event.preventDefault(); }
  };
  const button = (label, by) => make("button", { type: "button", onclick: () => walk(by), onkeydown: arrows }, label);
  const slider = make("input", { type: "range", min: 0, "aria-label": "窗口的位置",
    oninput: () => change("position", Number(slider.value)) });
  const [where, size, note] = [make("span.name"), make("legend.name"), make("p", { role: "status" })];
  const sizes = make("fieldset.field", {}, size, make("div.choices", {}, ...range(5).map((i) => make("label", {},
    make("input", { type: "radio", name: "window", value: i + 1, checked: model.get("window") === i + 1,
      "aria-label": `窗口大小 ${2 * i + 3}`, onchange: () => change("window", i + 1) }),
    make("span", {}, String(2 * i + 3))))));
  const redraw = make("button.redraw", { type: "button", onclick: () => change("seed", (model.get("seed") % 99) + 1) }, "再抽一次");
  const [text, slots] = [make("div"), make("div.slots")];
  const total = make("p.total");
  const table = make("div.samples", { tabindex: 0, role: "group", "aria-label": "到现在为止的样本" });
  const code = codeBox("得到同一批样本的 Python 代码");
  const chip = (word, ...classes) => make(["span.word", ...classes].join("."), { title: word }, word);

  /** 句子：中心词、上下文词点亮，抽签没抽到的画虚线；别的句子不动。 */
  function drawText(s, at, all) {
    const here = all[at];
    let index = 0;
    text.replaceChildren(...sentences(s).map((words, line) => make("div.line", {},
      make("span.soft", {}, `第 ${line + 1} 句`),
      make("div", {}, ...words.map((word, t) => {
        const away = line === here.line ? Math.abs(t - here.t) : Infinity;
        const kind = away === 0 ? ["center"] : away <= here.reach ? ["context"] : away <= s.window ? ["off"] : [];
        const node = chip(word, ...kind);
        const target = index++;
        node.addEventListener("click", () => change("position", target));
        return node;
      })))));
  }

  /** 窗口：2×window+1 格，伸到句子外面的格子是空的。 */
  function drawSlots(s, { line, t, reach }) {
    const words = sentences(s)[line];
    const [center, context] = s.model === "skipgram" ? ["输入", "标签"] : ["标签", "输入"];
    slots.className = `slots${s.window > 2 ? " many" : ""}`;
    slots.style.gridTemplateColumns = `repeat(${2 * s.window + 1}, minmax(0, 84px))`;
    slots.replaceChildren(...range(2 * s.window + 1).map((i) => {
      const offset = i - s.window;
      const word = words[t + offset];
      const [kind, shown, role] = word === undefined ? ["out", "句外", " "] : offset === 0 ? ["center", word, center]
        : Math.abs(offset) <= reach ? ["context", word, context] : ["off", "没抽到", " "];
      return make("div.slot", {}, make("small.num", {}, offset ? `${offset < 0 ? "−" : "+"}${Math.abs(offset)}` : "0"),
        chip(shown, kind), make("small", {}, make("b", {}, role)));
    }));
  }

  function drawTable(s, at, rows) {
    const skipgram = s.model === "skipgram";
    const [asInput, asLabel] = skipgram ? ["center", "context"] : ["context", "center"];
    table.replaceChildren(make(`table.${s.model}`, {},
      make("thead", {}, make("tr", {}, ...["序号", skipgram ? "输入：中心词" : "输入：上下文词",
        skipgram ? "标签：上下文词" : "标签：中心词"].map((name) => make("th", { scope: "col" }, name)))),
      make("tbody", {}, ...rows.map((row, i) => make(row.at === at ? "tr.new" : "tr", {},
        make("td.num", {}, String(i + 1)), make("td", {}, ...row.input.map((word) => chip(word, asInput))),
        make("td", {}, chip(row.label, asLabel)))))));
    table.scrollTop = table.scrollHeight; // 新样本在最下面
  }

  function drawTotal(s, all) {
    const terms = formula(s);
    const fixed = sum(terms.map(([, value]) => value));
    const parts = terms.map(([term]) => term).join(" + ");
    const plain = parts === String(fixed) ? parts : `${parts} = ${fixed}`;
    const why = s.model === "cbow" ? "一个窗口一条，有几个词就有几条；只有一个词的句子没有上下文，不算。"
      : `每句 n 个词，相距 d 的词有 n−d 对，d 从 1 到 ${s.window}；一对里谁都当一次中心词，所以乘 2。`;
    total.replaceChildren(...(s.dynamic && s.model === "skipgram"
      ? ["走完全文共 ", make("b.num", {}, String(all.length)), ` 条，要看抽签；固定窗口是 ${fixed} 条。`]
      : ["走完全文共 ", make("b.num", {}, plain), " 条。", make("span.soft", {}, why)]));
  }

  function draw() {
    const s = state();
    const [at, list, all] = [now(), windows(s), samples(s)];
    slider.max = Math.max(0, last());
    slider.value = at;
    redraw.hidden = !s.dynamic;
    size.replaceChildren("窗口大小（奇数） ", make("b.num", {}, `${2 * s.window + 1} = 2×${s.window}+1`),
      `，即 window=${s.window}`);
    where.replaceChildren("窗口 ", make("b.num", {}, `${list.length ? at + 1 : 0} / ${list.length}`));
    body.hidden = !list.length;
    if (body.hidden) return void (note.textContent = "还没有词；请在上面写一句。");
    const { line, t, reach, center, contexts } = list[at];
    slider.setAttribute("aria-valuetext", `第 ${line + 1} 句第 ${t + 1} 个词，${center}`);
    const rows = all.filter((row) => row.at <= at);
    const fresh = rows.filter((row) => row.at === at).length;
    note.textContent = `第 ${line + 1} 句，中心词“${center}”`
      + (s.dynamic ? `抽到 ${reach}，左右各看 ${reach} 个` : "")
      + (contexts.length ? `：上下文词 ${contexts.join(" ")} 。` : "：这句只有一个词，没有上下文。")
      + `新得 ${fresh} 条样本，累计 ${rows.length} 条。`;
    drawText(s, at, list);
    drawSlots(s, list[at]);
    drawTable(s, at, rows);
    drawTotal(s, all);
    code.pre.textContent = pythonCode(s);
  }

  const body = make("div", {},
    make("div.stage", { tabindex: 0, role: "group", "aria-label": "句子与窗口；左右方向键移动窗口", onkeydown: arrows }, text, slots),
    make("p.soft", {}, "window 是左右各看几个词。窗口不出自己的句子：伸到句外的格子是空的，上一句的末尾与下一句的开头不会配成样本。"),
    make("h3", {}, "样本表"), total, table,
    make("div.head", {}, make("h3", {}, "得到同一批样本的 Python 代码"), code.note, code.copy), code.pre);
  const dynamic = control(model, "dynamic", spec.state.dynamic);
  el.append(make("form", { onsubmit: (event) => event.preventDefault() },
    make("style", {}, CSS),
    make("h2", {}, "滑动窗口"),
    make("p.ask", {}, "先猜后看：11 个词的一句话，窗口大小 5，走完得到几条 Skip-gram 样本？几条 CBOW 样本？"),
    make("div.fields", { style: "margin-top: 14px" }, control(model, "text", spec.state.text),
      control(model, "model", spec.state.model), sizes,
      make("div.field", {}, dynamic, redraw),
      make("div.field", {}, where, button("上一个", -1), slider, button("下一个", 1))),
    note, body));
  model.on("change", draw);
  draw();
}

export default { render };
