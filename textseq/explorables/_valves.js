// C 线上的阀门：横着一条管，粗细是 c；每一步先过遗忘门，再从上面接进输入门的，下面放出输出门的。
import { make } from "./_kit.js";

const [MIDDLE, HALF, WIDE] = [60, 20, 14]; // 横管的中线与半宽，竖管的半宽

const box = (x, y, width, height, fill, more = {}) =>
  make("svg:rect", { x, y, width, height: Math.max(0, height), fill, ...more });

/** 管里的水：粗细是 share，满管是 1。 */
const flow = (x, width, share, fill) =>
  box(x, MIDDLE - HALF * share, width, 2 * HALF * share, fill);

/** 横管上的阀：上下两片，开多少，中间空多少。 */
const across = (x, open) => [0, 1].map((side) => box(x, side ? MIDDLE + HALF * open : MIDDLE - HALF,
  9, HALF * (1 - open), "var(--ink)"));

/** 竖管：从 top 到 bottom，水宽随 share；阀在 at，左右两片。 */
const upright = (x, top, bottom, at, open, share, fill) => [
  box(x - WIDE, top, 2 * WIDE, bottom - top, "var(--tint)"),
  box(x - WIDE * share, top, 2 * WIDE * share, bottom - top, fill),
  ...[-1, 1].map((side) => box(x + side * WIDE - 1, top, 2, bottom - top, "var(--edge)")),
  ...[0, 1].map((side) => box(side ? x + WIDE * open : x - WIDE, at, WIDE * (1 - open), 6, "var(--ink)"))];

/** 一步：c 从左边来，乘 f，加 i × g，向右走；放出 o × tanh(c)。 */
function step(t, { f, i, o, c, h }, g, most) {
  const [x, share] = [100 * t, (value) => Math.min(1, Math.abs(value) / most)];
  const before = c[t - 1] ?? 0;
  return [
    flow(x, 26, share(before), "var(--B)"), flow(x + 26, 24, share(f[t] * before), "var(--B)"),
    flow(x + 50, 50, share(c[t]), "var(--B)"), ...across(x + 22, f[t]),
    ...upright(x + 50, 6, MIDDLE - HALF, 18, i[t], share(i[t] * g[t]), "var(--D)"),
    ...upright(x + 80, MIDDLE + HALF, 114, 97, o[t], share(h[t]), "var(--T)")];
}

/** 一排阀门；数都在上面的柱子与下面的表里，这里只画。most 是满管的 |c|。 */
export function valves(result, g) {
  const most = Math.max(1, ...result.c.map(Math.abs));
  const T = g.length;
  return make("svg:svg", { viewBox: `0 0 ${100 * T} 120`, preserveAspectRatio: "none" },
    box(0, MIDDLE - HALF, 100 * T, 2 * HALF, "var(--tint)"),
    ...[-1, 1].map((side) => box(0, MIDDLE + side * HALF - 0.7, 100 * T, 1.4, "var(--edge)")),
    ...g.flatMap((_, t) => step(t, result, g, most)));
}
