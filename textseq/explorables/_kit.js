// 各互动共用的骨架与小工具：搭界面、造元素、按 spec 造控件。用户的文字只经 textContent 进入页面。
import { within } from "./_math.js";
import { style } from "./_style.js";

const SVG = "http://www.w3.org/2000/svg";

// ---- 骨架 ----

/**
 * 互动 → anywidget 的 { render }：render 在 el 里搭好界面，返回把它拆干净的函数。
 * build(piece) 由各互动写，piece 是它与外面打交道的唯一途径：
 *   get(key)、state() 读状态，change(key, value) 改状态；
 *   on(event, run) 听状态的变化，own(release) 登记别的要收走的东西（观察者、计时器），拆的时候都收走；
 *   show(ask, ...children) 把标题、提问与正文放进页面。
 */
export function widget(spec, build) {
  return { render({ model, el }) {
    const releases = [];
    // JupyterLab 的快捷键遇到 data-lm-suppress-shortcuts 就让开，打字时不会误删单元格
    const host = make("div.textseq-explore", { "data-lm-suppress-shortcuts": "true" });
    const palette = make("style", {}, style.palette);
    const root = host.attachShadow({ mode: "open" }); // 影子树隔开网页与 JupyterLab 的样式
    const piece = {
      spec, host,
      get: (key) => model.get(key),
      state: () => Object.fromEntries(Object.keys(spec.state).map((key) => [key, model.get(key)])),
      change(key, value) { model.set(key, value); model.save_changes(); },
      on(event, run) { model.on(event, run); releases.push(() => model.off(event, run)); },
      own: (release) => releases.push(release),
      show: (ask, ...children) => root.append(frame(spec.title, ask, children)),
    };
    root.append(make("style", {}, style.base + style.piece));
    el.append(palette, host);
    build(piece);
    return () => {
      for (const release of releases.splice(0).reverse()) release();
      host.remove();
      palette.remove();
    };
  } };
}

/** 一个互动的外框：标题，一两句提问，正文。 */
const frame = (title, ask, children) => make("form", { onsubmit: (event) => event.preventDefault() },
  make("h2", {}, title), ...[ask].flat().map((line) => make("p.ask", {}, line)), ...children);

/** 造一个元素：make("p.soft", { title }, "文字", 子元素…)；svg: 开头的造 SVG 元素。 */
export function make(tag, attributes = {}, ...children) {
  const [name, ...classes] = tag.replace("svg:", "").split(".");
  const node = tag.startsWith("svg:")
    ? document.createElementNS(SVG, name) : document.createElement(name);
  if (classes.length) node.setAttribute("class", classes.join(" "));
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

// ---- 零件 ----

/** 读者不要动画。 */
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** 屏幕阅读器会念出来的一段话。 */
export const status = (tag = "p") => make(tag, { role: "status" });

/** 比屏幕宽时自己滚动的一块，键盘也能滚。 */
export const scroller = (label, tag = "div.scroll") =>
  make(tag, { tabindex: 0, role: "group", "aria-label": label });

export const button = (label, onclick, tag = "button") => make(tag, { type: "button", onclick }, label);

/** 一排按钮：show(item) 是字样，按了就 pick(item)；kind 是类名。 */
export const chips = (label, items, show, pick, kind = "row") => make(`div.chips.${kind}`, {},
  make("span.soft", {}, label), ...items.map((item) => button(show(item), () => pick(item))));

/** 负号写成 −，与减号同宽。 */
export const minus = (value) => String(value).replace("-", "−");

/** 写到小数点后几位。 */
export const fixed = (value, digits = 2) => minus(value.toFixed(digits));

/** 概率写成百分数：不到 0.1% 与差一点 100% 的，不写成 0 与 100。 */
export function chance(p) {
  if (p < 0.001) return "<0.1%";
  return p > 0.999 ? ">99.9%" : `${fixed(p * 100, 1)}%`;
}

/** 单独看不见的字符（控制符、组合用的附加符号）写出编号。 */
export function visible(unit) {
  if (!/^[\p{C}\p{M}]/u.test(unit)) return unit;
  return `U+${unit.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
}

/** 数表：head 是列名，每行的第一格是行名。 */
export function numberTable(head, rows) {
  const cells = (tag, values, scope) =>
    values.map((value) => make(tag, scope ? { scope } : {}, String(value)));
  return make("table.numbers.num", {},
    make("thead", {}, make("tr", {}, ...cells("th", head, "col"))),
    make("tbody", {}, ...rows.map(([name, ...values]) =>
      make("tr", {}, ...cells("th", [name], "row"), ...cells("td", values)))));
}

/**
 * 代码框：node 平时收着，pre 是代码，没展开也能复制。
 * 浏览器不许写剪贴板时改为展开、选中，让读者自己按 Ctrl+C。
 */
export function codeBox(title) {
  const pre = scroller(title, "pre");
  const note = status("span.soft");
  const folded = make("details", {}, make("summary", {}, title), pre);
  const copy = button("复制代码", async () => {
    try {
      await navigator.clipboard.writeText(pre.textContent);
      note.textContent = "已复制";
    } catch {
      folded.open = true;
      getSelection().selectAllChildren(pre);
      note.textContent = "已选中，请按 Ctrl+C（macOS 为 ⌘C）";
    }
  }, "button.copy");
  return { node: make("div.code", {}, copy, note, folded), pre };
}

/** 一步一步走：now() 是走到第几个（最多 last()），左右方向键与 step 造的按钮都走一步。 */
export function walker(piece, key, last) {
  const now = () => within(piece.get(key), 0, last());
  const walk = (by) => piece.change(key, within(now() + by, 0, last()));
  const arrows = (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    walk(by);
    event.preventDefault();
  };
  const step = (label, by) =>
    make("button", { type: "button", onclick: () => walk(by), onkeydown: arrows }, label);
  return { now, arrows, step };
}

/** 换一批签：seed 加 1，到头了从 1 再来。 */
export const nextSeed = (piece) =>
  piece.change("seed", (piece.get("seed") % piece.spec.state.seed.max) + 1);

// ---- 控件 ----

/** 整数收进 [min, max]；不是整数就取最近的整数，不是数就回到 fallback。 */
function clamp(value, { min, max }, fallback) {
  const number = value === "" ? NaN : Math.round(Number(value));
  return Number.isNaN(number) ? fallback : within(number, min, max);
}

/** 按 spec.state[key] 造一个控件：改动写进状态；超出范围时收回来，并用 say 说明。data-key 是给导览指的。 */
export function control(piece, key, say) {
  const rule = piece.spec.state[key];
  const name = [make("code", {}, key), ` ${rule.label}`];
  if (rule.choices) return choice(piece, key, name);
  if (typeof rule.default === "boolean") return toggle(piece, key, name);
  if ("min" in rule) return number(piece, key, name, say);
  return make("label.field.wide", { "data-key": key }, make("span.name", {}, ...name),
    textBox(piece, key, "textarea", { rows: 4 }));
}

/** 写一段文字的框；tag 是 input 或 textarea。状态从别处改了，框里跟着变。 */
export function textBox(piece, key, tag, attributes = {}) {
  const box = make(tag, {
    maxlength: piece.spec.state[key].max_chars, spellcheck: "false", autocomplete: "off",
    oninput: (event) => event.isComposing || piece.change(key, box.value), // 拼音打到一半，先不算
    oncompositionend: () => piece.change(key, box.value), ...attributes,
  });
  follow(piece, key, (value) => { if (box.value !== value) box.value = value; });
  return box;
}

/** 现在就把状态写进控件，以后变了再写。 */
function follow(piece, key, write) {
  const update = () => write(piece.get(key));
  piece.on(`change:${key}`, update);
  update();
}

function choice(piece, key, name) {
  const boxes = Object.keys(piece.spec.state[key].choices).map((value) =>
    make("input", { type: "radio", name: key, value, onchange: () => piece.change(key, value) }));
  follow(piece, key, (now) => boxes.forEach((box) => { box.checked = box.value === now; }));
  const texts = Object.values(piece.spec.state[key].choices);
  return make("fieldset.field", { "data-key": key }, make("legend.name", {}, ...name),
    make("div.choices", {}, ...boxes.map((box, i) => make("label", {}, box, make("span", {}, texts[i])))));
}

function toggle(piece, key, name) {
  const box = make("input", { type: "checkbox", onchange: () => piece.change(key, box.checked) });
  follow(piece, key, (now) => { box.checked = now; });
  return make("label.switch", { "data-key": key }, box, make("span.name", {}, ...name));
}

function number(piece, key, name, say) {
  const { min, max, label } = piece.spec.state[key];
  const change = (value) => piece.change(key, value);
  const slider = make("input", { type: "range", min, max, "aria-label": `${key} 滑块`,
    oninput: () => change(Number(slider.value)) });
  const box = make("input", { type: "number", min, max, step: 1, "aria-label": `${key} ${label}`,
    oninput() { if (box.value !== "" && box.checkValidity()) change(Number(box.value)); },
    onchange() { // 打完字才收回：打 12 要先经过 1
      const typed = box.value;
      const value = clamp(typed, { min, max }, piece.get(key));
      box.value = value;
      change(value);
      if (typed !== String(value)) say(`${key} 只能是 ${min} 到 ${max} 的整数，已改成 ${value}。`);
    } });
  follow(piece, key, (value) => {
    slider.value = value;
    if (box.value !== String(value)) box.value = value;
  });
  return make("div.field", { "data-key": key }, make("span.name", {}, ...name), slider, box);
}
