// Skip-gram 负采样，一对一对地训练：算法与 textseq.word2vec 的相同，随机数的次序见 learn，
// 所以 Python 训练得出同一组数。都是纯函数，在 Worker 里跑。
import { cumulate, sum, xorshift } from "./_math.js";

const [ALPHA, LAST] = [0.05, 1e-4]; // 学习率从这里线性降到这里
const SAMPLE = 1e-3;                // 高频词降采样的 sample

/** 每个词留下的概率；不降采样就都是 1。 */
const keepOf = (counts, total) => Float64Array.from(counts, (count) => {
  const ratio = (SAMPLE * total) / count;
  return Math.min(1, Math.sqrt(ratio) + ratio);
});

/** 编号的句子与各词的次数 → 还没训练的样子。词向量表一个数一个数地抽，上下文表是 0。 */
export function newModel({ ids, counts, vector_size: E, window, negative, epochs, sample, seed }) {
  const random = xorshift(seed);
  const size = counts.length * E;
  return {
    ids, E, window, negative, epochs, random, counts, words: counts.length,
    keep: sample ? keepOf(counts, sum(counts)) : null, cumulative: cumulate(counts),
    embedding: Float64Array.from({ length: size }, () => (random() - 0.5) / E),
    context: new Float64Array(size), push: new Float64Array(E),
    drawn: new Int32Array(1 + negative), errors: new Float64Array(1 + negative),
    per: sum(ids.map((list) => list.length)), // 一轮读这么多词次
    at: 0, epoch: 0, read: 0, loss: 0, pairs: 0, alpha: ALPHA,
  };
}

/** 照噪声分布抽一个词：累加的表里，第一个比签大的。 */
function draw({ cumulative, random }) {
  let low = 0;
  let high = cumulative.length - 1;
  const ticket = random() * cumulative[high];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle] > ticket) high = middle;
    else low = middle + 1;
  }
  return low;
}

/** 一对：一个真邻居，negative 个抽来的。先都照更新之前的算，再改两张表。
 *  e^(−|z|) 算一次，概率与损失都用它；损失里的 ln(1 + e^(−|z|)) 先连乘，末了取一次对数。 */
function pair(model, center, target) {
  const { E, embedding, context, push, drawn, errors, negative, alpha } = model;
  const v = center * E;
  let product = 1;
  push.fill(0);
  for (let k = 0; k <= negative; k++) {
    drawn[k] = k ? draw(model) : target;
    const u = drawn[k] * E;
    let z = 0;
    for (let e = 0; e < E; e++) z += embedding[v + e] * context[u + e];
    const small = Math.exp(-Math.abs(z));
    const error = alpha * ((k ? 0 : 1) - (z > 0 ? 1 : small) / (1 + small));
    errors[k] = error;
    product *= 1 + small;
    model.loss += Math.max(k ? z : -z, 0);
    for (let e = 0; e < E; e++) push[e] += error * context[u + e];
  }
  for (let k = 0; k <= negative; k++) {
    const u = drawn[k] * E;
    const error = errors[k];
    for (let e = 0; e < E; e++) context[u + e] += error * embedding[v + e];
  }
  for (let e = 0; e < E; e++) embedding[v + e] += push[e];
  model.loss += Math.log(product);
  model.pairs++;
}

/** 学一句：先丢常见词，每个中心词抽看多远，从左到右一对一对地学，每对抽负样本。
 *  走完全部轮次给 false。 */
export function learn(model) {
  const { ids, keep, random, window, epochs, per } = model;
  if (model.epoch === epochs) return false;
  model.alpha = ALPHA + ((LAST - ALPHA) * model.read) / (epochs * per);
  const all = ids[model.at];
  const kept = keep ? all.filter((id) => random() < keep[id]) : all;
  kept.forEach((center, t) => {
    const reach = 1 + Math.floor(random() * window);
    const end = Math.min(kept.length, t + reach + 1);
    for (let s = Math.max(0, t - reach); s < end; s++) if (s !== t) pair(model, center, kept[s]);
  });
  model.read += all.length;
  model.at = (model.at + 1) % ids.length;
  if (!model.at) model.epoch++;
  return model.epoch < epochs;
}

/** 从上次问过以后，每对的平均损失；问过就清零。 */
export function takeLoss(model) {
  const loss = model.loss / model.pairs;
  [model.loss, model.pairs] = [0, 0];
  return loss;
}
