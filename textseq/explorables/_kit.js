// 各互动共用的小工具：造元素，按 spec 造控件。用户的文字只经 textContent 进入页面。

const SVG = "http://www.w3.org/2000/svg";

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

/** 整数收进 [min, max]；不是整数就取最近的整数，不是数就回到 fallback。 */
export function clamp(value, { min, max }, fallback) {
  const number = value === "" ? NaN : Math.round(Number(value));
  return Number.isNaN(number) ? fallback : Math.min(max, Math.max(min, number));
}

/** 按 spec.state[key] 造一个控件：改动写进 model；超出范围时收回来，并用 say 说明。 */
export function control(model, key, rule, say) {
  const change = (value) => { model.set(key, value); model.save_changes(); };
  const name = [make("code", {}, key), ` ${rule.label}`];
  if (rule.choices) return choice(model, key, rule, name, change);
  if (typeof rule.default === "boolean") return toggle(model, key, name, change);
  if ("min" in rule) return number(model, key, rule, name, change, say);
  const box = make("textarea", {
    rows: 4, maxlength: rule.max_chars, spellcheck: "false", oninput: () => change(box.value),
  });
  box.value = model.get(key);
  return make("label.field.wide", {}, make("span.name", {}, ...name), box);
}

function choice(model, key, rule, name, change) {
  const options = Object.entries(rule.choices).map(([value, text]) => make("label", {},
    make("input", { type: "radio", name: key, value, checked: model.get(key) === value,
      onchange: () => change(value) }), make("span", {}, text)));
  return make("fieldset.field", {}, make("legend.name", {}, ...name),
    make("div.choices", {}, ...options));
}

function toggle(model, key, name, change) {
  const box = make("input", { type: "checkbox", checked: model.get(key),
    onchange: () => change(box.checked) });
  return make("label.switch", {}, box, make("span.name", {}, ...name));
}

function number(model, key, rule, name, change, say) {
  const { min, max } = rule;
  const slider = make("input", { type: "range", min, max, value: model.get(key),
    "aria-label": `${key} 滑块`, oninput: () => change(Number(slider.value)) });
  const box = make("input", { type: "number", min, max, step: 1, value: model.get(key),
    "aria-label": `${key} ${rule.label}`,
    oninput() { if (box.value !== "" && box.checkValidity()) change(Number(box.value)); },
    onchange() { // 打完字才收回：打 12 要先经过 1
      const value = clamp(box.value, rule, model.get(key));
      const typed = box.value;
      box.value = value;
      change(value);
      if (typed !== String(value)) say(`${key} 只能是 ${min} 到 ${max} 的整数，已改成 ${value}。`);
    } });
  model.on(`change:${key}`, () => {
    slider.value = model.get(key);
    if (box.value !== String(model.get(key))) box.value = model.get(key);
  });
  return make("div.field", {}, make("span.name", {}, ...name), slider, box);
}

/** 代码框、复制按钮和它的回话；浏览器不许写剪贴板时改为选中，让读者自己按 Ctrl+C。 */
export function codeBox(label) {
  const pre = make("pre", { tabindex: 0, role: "group", "aria-label": label });
  const note = make("span.soft", { role: "status" });
  const copy = make("button", { type: "button", async onclick() {
    try {
      await navigator.clipboard.writeText(pre.textContent);
      note.textContent = "已复制";
    } catch {
      getSelection().selectAllChildren(pre);
      note.textContent = "已选中，请按 Ctrl+C（macOS 为 ⌘C）";
    }
  } }, "复制代码");
  return { pre, note, copy };
}

/** 数表：head 是列名，每行的第一格是行名。 */
export function numberTable(head, rows) {
  const cells = (tag, values, scope) => values.map((value) => make(tag, scope ? { scope } : {}, String(value)));
  return make("table.numbers.num", {},
    make("thead", {}, make("tr", {}, ...cells("th", head, "col"))),
    make("tbody", {}, ...rows.map(([name, ...values]) =>
      make("tr", {}, ...cells("th", [name], "row"), ...cells("td", values)))));
}

// ---- 张量：轴 = [名字, 长度]，张量的形状 = 轴的列表 ----

/** 形状的写法：names → (B, T, D)，sizes → (4, 12, 50)，named → (B, T, D) = (4, 12, 50)。 */
export const names = (axes) => `(${axes.map(([name]) => name).join(", ")})`;
export const sizes = (axes) => `(${axes.map(([, n]) => n).join(", ")})`;
export const named = (axes) => `${names(axes)} = ${sizes(axes)}`;
const colour = (axis) => `var(--${{ B: "B", T: "T", D: "D", H: "H", "2H": "H" }[axis] ?? "ink"})`;

/** (B, T, D) = (4, 12, 50)，每个轴一种颜色。 */
export function shapeLine(axes) {
  const list = (i) => axes.flatMap((axis, at) => [at ? ", " : "",
    make("b", { style: `color: ${colour(axis[0])}` }, String(axis[i]))]);
  return make("p.shape.num", {}, "(", ...list(0), ") = (", ...list(1), ")");
}

/**
 * 一个三轴张量画成一块：第 0、1、2 轴朝里、朝下、朝右，边长随长度的对数变。
 * backward 为 { axis, of } 时，沿这个轴分成 of 份，奇数份（反向）涂深。
 */
export function block(name, axes, backward) {
  const edge = (n) => 18 + 14.5 * Math.log2(n);
  const n = axes.map(([, count]) => count);
  const [w, h, dx, dy] = [edge(n[2]), edge(n[1]), 0.46 * edge(n[0]), 0.32 * edge(n[0])];
  const along = [[dx, -dy], [0, h], [w, 0]];
  const part = (axis, share) => along[axis].map((length) => length * share);
  const margin = axes[0][0].length > 2 ? 88 : 48; // 两边给轴名留地方
  const x = 44 + Math.max(0, 256 - w - dx / 2 - margin) / 2;
  const y = dy + 8;
  const drawn = [];
  const patch = (x0, y0, [ux, uy], [vx, vy], shade) => drawn.push(make("svg:path", {
    d: `M${x0} ${y0}l${ux} ${uy}l${vx} ${vy}l${-ux} ${-uy}z`,
    fill: colour(axes[2][0]), "fill-opacity": shade }));
  const line = (x0, y0, [ux, uy], stroke, width) => drawn.push(make("svg:path", {
    d: `M${x0} ${y0}l${ux} ${uy}`, stroke, "stroke-width": width, "stroke-linecap": "round" }));
  const face = (x0, y0, u, v, shade) => {
    patch(x0, y0, along[u], along[v], shade);
    for (const [axis, other] of [[u, v], [v, u]]) {
      for (let i = 1; axis === backward?.axis && i < backward.of; i += 2) {
        const [sx, sy] = part(axis, i / backward.of);
        patch(x0 + sx, y0 + sy, part(axis, 1 / backward.of), along[other], 0.3);
      }
      for (let i = 0; n[axis] <= 24 && i <= n[axis]; i++) { // 格线：太密就不画
        const [sx, sy] = part(axis, i / n[axis]);
        line(x0 + sx, y0 + sy, along[other], "var(--edge)", 0.6);
      }
    }
  };
  face(x, y, 2, 1, 0.16);
  face(x, y, 2, 0, 0.07);
  face(x + w, y, 0, 1, backward?.axis === 2 ? 0.5 : 0.26);
  const ends = [ // 每个轴：画在哪条棱上，名字写在哪里
    [x + w, y + h, x + w + dx / 2 + 10, y + h - dy / 2 + 14, "start"],
    [x, y, x - 8, y + h / 2 + 5, "end"],
    [x, y + h, x + w / 2, y + h + 18, "middle"]];
  ends.forEach(([x0, y0, tx, ty, anchor], axis) => {
    const fill = colour(axes[axis][0]);
    line(x0, y0, along[axis], fill, 3);
    drawn.push(make("svg:text", { x: tx, y: ty, fill, "text-anchor": anchor }, axes[axis].join("=")));
  });
  const label = `${name} 的方块：${named(axes)}`;
  return make("svg:svg", { viewBox: `0 0 300 ${y + h + 26}`, role: "img", "aria-label": label }, ...drawn);
}
