// 各互动共用的算术：都是纯函数，不碰网页。

/** 0, 1, …, n−1。 */
export const range = (n) => Array.from({ length: n }, (_, i) => i);
export const sum = (values) => values.reduce((a, b) => a + b, 0);
export const mean = (values) => sum(values) / values.length;
export const dot = (a, b) => a.reduce((total, x, k) => total + x * b[k], 0);

/** 收进 [low, high]；high 比 low 还小时给 low。 */
export const within = (value, low, high) => Math.max(low, Math.min(value, high));

/** 最大的那个是第几个。 */
export const largest = (values) => values.indexOf(Math.max(...values));

export const sigmoid = (z) => 1 / (1 + Math.exp(-z));

/** ln(1 + e^z) = −log σ(−z)，多大都不溢出。 */
export const softplus = (z) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));

/** 分数 → 概率。 */
export function softmax(z) {
  const top = Math.max(...z);
  const powers = z.map((x) => Math.exp(x - top));
  const total = sum(powers);
  return powers.map((x) => x / total);
}

/** 词频的 0.75 次方，从头累加：抽签落在哪一段，就是哪个词。 */
export function cumulate(counts) {
  let total = 0;
  return Float64Array.from(counts, (count) => (total += count ** 0.75));
}

/** 抽签（xorshift32）：同一个 seed 总抽出同一串，每次给 [0, 1) 里的一个数。 */
export function xorshift(seed) {
  let s = Math.imul(seed, 2654435761);
  return () => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return (s >>> 0) / 2 ** 32;
  };
}
