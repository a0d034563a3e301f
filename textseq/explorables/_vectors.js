// 词向量的算术：方向，画在平面上，近邻。都是纯函数，Worker 里也用。
import { dot, mean, range, sum } from "./_math.js";

/** 一个向量的方向；全是 0 的仍是 0。 */
export const unit = (row) => { const length = Math.hypot(...row) || 1; return row.map((x) => x / length); };

/** 几行的平均；一行也没有就是空的。 */
export const average = (rows) => (rows[0] ?? []).map((_, k) => mean(rows.map((row) => row[k])));

const start = (E) => range(2).map((i) => range(E).map((k) => Math.cos(i + k))); // 幂迭代从这两个方向开始

/** 主成分（PCA，幂迭代）：从上一次的 basis 接着迭代，画面不会突然翻转。 */
export function plane(units, basis = start(units[0].length), rounds = 200) {
  const middle = average(units);
  const rows = units.map((row) => row.map((x, k) => x - middle[k]));
  const spread = middle.map((_, i) => middle.map((_, j) => sum(rows.map((row) => row[i] * row[j]))));
  let [first, second] = basis;
  for (let i = 0; i < rounds; i++) {
    const [next, other] = [first, second].map((axis) => spread.map((row) => dot(row, axis)));
    first = unit(next);
    second = unit(other.map((x, k) => x - dot(other, first) * first[k]));
  }
  return { basis: [first, second], points: rows.map((row) => [dot(row, first), dot(row, second)]) };
}

/** 每行的长度；全是 0 的行记 1。rows 是一行接一行的数，每行 E 个。 */
export const lengths = (rows, E) => range(rows.length / E).map((i) => {
  let square = 0;
  for (let k = i * E; k < (i + 1) * E; k++) square += rows[k] ** 2;
  return Math.sqrt(square) || 1;
});

/** 离“plus 里的单位向量之和减去 minus 里的”最近的 topn 个词：[编号, 余弦]；
 *  这些词自己不算，出现不到 least 次的也不算。 */
export function nearest({ E, rows, norms, counts }, plus, minus = [], topn = 10, least = 0) {
  const query = new Float64Array(E);
  for (const [ids, sign] of [[plus, 1], [minus, -1]]) {
    for (const id of ids) for (let k = 0; k < E; k++) query[k] += (sign * rows[id * E + k]) / norms[id];
  }
  const length = Math.hypot(...query) || 1;
  const cosines = norms.map((norm, id) => {
    let total = 0;
    for (let k = 0; k < E; k++) total += query[k] * rows[id * E + k];
    return [id, total / (norm * length)];
  });
  return cosines.filter(([id]) => counts[id] >= least && !plus.includes(id) && !minus.includes(id))
    .sort((x, y) => y[1] - x[1]).slice(0, topn);
}
