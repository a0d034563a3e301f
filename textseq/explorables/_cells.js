// 三种循环网络，一步一步：往前读，记下每个门；往回走，求一个读数对每个字向量的梯度。
// 权重的排法与 torch 相同：RNN 一段，GRU 三段 r、z、n，LSTM 四段 i、f、g、o。
// 进一步要两份和，a = W_x x + b_x，b = W_h h + b_h，各切成那几段。
import { range, sigmoid } from "./_math.js";

/** 逐格算：f(k) 给出第 k 格。比类型数组自己的 map 快几倍。 */
function each(size, f) {
  const out = new Float64Array(size);
  for (let k = 0; k < size; k++) out[k] = f(k);
  return out;
}

const add = (a, b) => each(a.length, (k) => a[k] + b[k]);
const multiply = (a, b) => each(a.length, (k) => a[k] * b[k]);
const tanh = (a) => each(a.length, (k) => Math.tanh(a[k]));
const pieces = (sums, H) => range(sums.length / H).map((n) => sums.subarray(n * H, (n + 1) * H));

/** 门：过 σ；钉住的换成定值。 */
const gate = (sums, fixed) => each(sums.length, (k) => fixed ?? sigmoid(sums[k]));

/** 门里面的和收到多少梯度；钉住的门不随输入变，收到的是 0。 */
const gateBack = (d, value, fixed) =>
  each(d.length, (k) => (fixed === undefined ? d[k] * value[k] * (1 - value[k]) : 0));

/** 每种网络：有哪些门；走一步；往回一步，dh、dc 是这一步的 h、c 收到的全部梯度。 */
export const CELLS = {
  RNN: {
    gates: [],
    step([a], [b]) {
      const h = tanh(add(a, b));
      return { h, memory: h };
    },
    back({ h }, _before, dh) {
      const da = each(h.length, (k) => dh[k] * (1 - h[k] * h[k]));
      return { da: [da], db: [da] };
    },
  },
  GRU: {
    gates: ["r", "z"],
    step(a, b, before, clamp) {
      const r = gate(add(a[0], b[0]), clamp.r);
      const z = gate(add(a[1], b[1]), clamp.z);
      const n = tanh(add(a[2], multiply(r, b[2])));
      const h = each(n.length, (k) => (1 - z[k]) * n[k] + z[k] * before.h[k]);
      return { r, z, n, h, inner: b[2], memory: h };
    },
    back({ r, z, n, inner }, before, dh, _dc, clamp) {
      const dn = each(n.length, (k) => dh[k] * (1 - z[k]) * (1 - n[k] * n[k]));
      const dz = gateBack(each(n.length, (k) => dh[k] * (before.h[k] - n[k])), z, clamp.z);
      const dr = gateBack(multiply(dn, inner), r, clamp.r);
      return { da: [dr, dz, dn], db: [dr, dz, multiply(dn, r)], dh: multiply(dh, z) };
    },
  },
  LSTM: {
    gates: ["i", "f", "o"],
    step(a, b, before, clamp) {
      const sums = a.map((part, n) => add(part, b[n]));
      const [i, f, o] = [gate(sums[0], clamp.i), gate(sums[1], clamp.f), gate(sums[3], clamp.o)];
      const g = tanh(sums[2]);
      const c = each(f.length, (k) => f[k] * before.c[k] + i[k] * g[k]);
      return { i, f, g, o, c, h: multiply(o, tanh(c)), memory: c };
    },
    back({ i, f, g, o, c }, before, dh, later, clamp) {
      const shown = tanh(c);
      const dc = each(c.length, (k) => later[k] + dh[k] * o[k] * (1 - shown[k] * shown[k]));
      const da = [gateBack(multiply(dc, g), i, clamp.i), gateBack(multiply(dc, before.c), f, clamp.f),
        each(g.length, (k) => dc[k] * i[k] * (1 - g[k] * g[k])),
        gateBack(multiply(dh, shown), o, clamp.o)];
      return { da, db: da, dc: multiply(dc, f) };
    },
  },
};

/** 几行权重里从 from 起的 size 列，首尾相接放成一条：{ flat, size }，连同各行的偏置（bias 列）。 */
function slab(rows, from, size, bias) {
  const flat = new Float64Array(rows.length * size);
  rows.forEach((row, r) => flat.set(row.subarray(from, from + size), r * size));
  return { flat, size, bias: Float64Array.from(rows, (row) => row[bias]) };
}

/** 表 · x + 偏置。 */
function times({ flat, size, bias }, x) {
  const out = new Float64Array(bias.length);
  for (let r = 0, at = 0; r < out.length; r++) {
    let total = bias[r];
    for (let k = 0; k < size; k++) total += flat[at++] * x[k];
    out[r] = total;
  }
  return out;
}

/** 表的转置 · d。 */
function timesBack({ flat, size }, d) {
  const out = new Float64Array(size);
  for (let r = 0, at = 0; r < d.length; r++) {
    for (let k = 0; k < size; k++) out[k] += flat[at++] * d[r];
  }
  return out;
}

const join = (parts) => Float64Array.from(parts.flatMap((part) => [...part]));

/** 一个网络：kind 是哪一种；四张表：字向量，循环层 [W_x W_h b_x b_h]，两个头 [W b]；unit 是要画的那一格。 */
export function makeNet(kind, { embedding, cell, inside, next, unit }) {
  const [E, H] = [embedding[0].length, inside[0].length - 1];
  return { kind, E, H, unit, embedding, W_x: slab(cell, 0, E, E + H), W_h: slab(cell, E, H, E + H + 1),
    inside: slab(inside, 0, H, H), next: slab(next, 0, H, H), known: new Map() };
}

const fresh = ({ H }) => ({ h: new Float64Array(H), c: new Float64Array(H) });

/** 编号 → 每一步的状态与门。clamp 是 { 门: 0 或 1 }，空的就不钉；before 是从哪一步接着读，不给就从头。 */
export function readOn(net, ids, clamp, before = fresh(net)) {
  const { kind, H, embedding, W_x, W_h, known } = net;
  const steps = [];
  for (const id of ids) {
    if (!known.has(id)) known.set(id, pieces(times(W_x, embedding[id]), H)); // 每个字只算一次
    before = CELLS[kind].step(known.get(id), pieces(times(W_h, before.h), H), before, clamp);
    steps.push(before);
  }
  return steps;
}

/** “在里面”的读数 w · h + b。 */
export const insideScore = ({ inside }, { h }) => times(inside, h)[0];

/** 下一个字的分数，一个编号一个。 */
export const nextScores = ({ next }, { h }) => times(next, h);

/** 第 t 步的“在里面”读数，对每个字向量的梯度：t + 1 个 E 维的向量。 */
export function gradients(net, steps, t, clamp) {
  const { kind, W_x, W_h, inside } = net;
  const { h: zero } = fresh(net);
  let [dh, dc] = [inside.flat, zero];
  const found = [];
  for (let s = t; s >= 0; s--) {
    const before = steps[s - 1] ?? fresh(net);
    const out = CELLS[kind].back(steps[s], before, dh, dc, clamp);
    found.unshift(timesBack(W_x, join(out.da)));
    dh = add(timesBack(W_h, join(out.db)), out.dh ?? zero);
    dc = out.dc ?? zero;
  }
  return found;
}
