// 张量的写法与画法。轴 = [名字, 长度]，张量的形状 = 轴的列表。
import { make } from "./_kit.js";
import { range } from "./_math.js";

const COLOURS = { B: "B", T: "T", D: "D", H: "H", "2H": "H" };
const colour = ([name]) => `var(--${COLOURS[name] ?? "ink"})`;

/** 形状的写法：names → (B, T, D)，sizes → (4, 12, 50)，named → (B, T, D) = (4, 12, 50)。 */
export const names = (axes) => `(${axes.map(([name]) => name).join(", ")})`;
export const sizes = (axes) => `(${axes.map(([, n]) => n).join(", ")})`;
export const named = (axes) => `${names(axes)} = ${sizes(axes)}`;

/** (B, T, D) = (4, 12, 50)，每个轴一种颜色。 */
export function shapeLine(axes) {
  const list = (i) => axes.flatMap((axis, at) => [at ? ", " : "",
    make("b", { style: `color: ${colour(axis)}` }, String(axis[i]))]);
  return make("p.shape.num", {}, "(", ...list(0), ") = (", ...list(1), ")");
}

/** 一块的几何：第 0、1、2 轴朝里、朝下、朝右（along），边长随长度的对数变；x、y 是正面的左上角。 */
function layout(axes) {
  const edge = (n) => 18 + 14.5 * Math.log2(n);
  const counts = axes.map(([, n]) => n);
  const [depth, h, w] = counts.map(edge);
  const [dx, dy] = [0.46 * depth, 0.32 * depth];
  const margin = axes[0][0].length > 2 ? 88 : 48; // 两边给轴名留地方
  const x = 44 + Math.max(0, 256 - w - dx / 2 - margin) / 2;
  return { counts, along: [[dx, -dy], [0, h], [w, 0]], x, y: dy + 8, w, h, dx, dy };
}

const shift = ([x, y], [dx, dy], share) => [x + dx * share, y + dy * share];

/** 从 corner 出发、沿 u 与 v 两条边张开的一片。 */
const patch = ([x, y], [ux, uy], [vx, vy], fill, shade) => make("svg:path", {
  d: `M${x} ${y}l${ux} ${uy}l${vx} ${vy}l${-ux} ${-uy}z`, fill, "fill-opacity": shade });

const stick = ([x, y], [ux, uy], stroke, width) => make("svg:path", {
  d: `M${x} ${y}l${ux} ${uy}`, stroke, "stroke-width": width, "stroke-linecap": "round" });

/** 一个面上，沿一个轴的细节：反向的那几份涂深；格线，太密就不画。 */
function stripes({ counts, along }, corner, axis, other, fill, backward) {
  const parts = axis === backward?.axis ? backward.of : 0;
  const lines = counts[axis] <= 24 ? counts[axis] + 1 : 0;
  const part = along[axis].map((length) => length / parts);
  return [
    ...range(parts).filter((i) => i % 2).map((i) =>
      patch(shift(corner, along[axis], i / parts), part, along[other], fill, 0.3)),
    ...range(lines).map((i) =>
      stick(shift(corner, along[axis], i / counts[axis]), along[other], "var(--edge)", 0.6)),
  ];
}

/** 三条带名字的棱：每个轴画在哪条棱上，名字写在哪里。 */
function edges(axes, { along, x, y, w, h, dx, dy }) {
  const ends = [
    [[x + w, y + h], x + w + dx / 2 + 10, y + h - dy / 2 + 14, "start"],
    [[x, y], x - 8, y + h / 2 + 5, "end"],
    [[x, y + h], x + w / 2, y + h + 18, "middle"]];
  return ends.flatMap(([corner, tx, ty, anchor], i) => {
    const fill = colour(axes[i]);
    return [stick(corner, along[i], fill, 3),
      make("svg:text", { x: tx, y: ty, fill, "text-anchor": anchor }, axes[i].join("="))];
  });
}

/**
 * 一个三轴张量画成一块。backward 为 { axis, of } 时，沿这个轴分成 of 份，奇数份（反向）涂深。
 */
export function block(name, axes, backward) {
  const box = layout(axes);
  const { along, x, y, w, h } = box;
  const fill = colour(axes[2]);
  const face = (corner, u, v, shade) => [patch(corner, along[u], along[v], fill, shade),
    ...stripes(box, corner, u, v, fill, backward), ...stripes(box, corner, v, u, fill, backward)];
  const label = `${name} 的方块：${named(axes)}`;
  return make("svg:svg", { viewBox: `0 0 300 ${y + h + 26}`, role: "img", "aria-label": label },
    ...face([x, y], 2, 1, 0.16),
    ...face([x, y], 2, 0, 0.07),
    ...face([x + w, y], 0, 1, backward?.axis === 2 ? 0.5 : 0.26),
    ...edges(axes, box));
}
