// 取整存下的权重表：每行各自缩放成 int8，网页里还原。由 data/ 里的 build.py 写成。
import { range } from "./_math.js";

/** 内容不合时说明白；opener 会换成给读者的一句话。 */
export function check(fine, what) {
  if (!fine) throw new RangeError(what);
}

/** base64 → 字节。 */
export const decodeBytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer;

/** 一张表 → 一列行，每行一个 Float64Array。异常：个数不合、步长不是数，RangeError。 */
export function unpackTable({ shape: [R, C], step, whole }) {
  const [steps, values] = [new Float32Array(decodeBytes(step)), new Int8Array(decodeBytes(whole))];
  check(steps.length === R && values.length === R * C, `${values.length} 个数，应为 ${R} × ${C} 个`);
  check(steps.every(Number.isFinite), "每行的步长应是数");
  return range(R).map((r) => Float64Array.from(values.subarray(r * C, (r + 1) * C), (v) => v * steps[r]));
}
