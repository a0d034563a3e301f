// 词在平面上的图，与训练的曲线；词向量实验台与自己的文本都用。
import { fixed, make } from "./_kit.js";
import { sum } from "./_math.js";

// ---- 平面 ----

const isWide = (char) => char > "\u2e80";

const SPOTS = [ // 名字写在点的哪一边
  [1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [1, 1], [-1, -1], [-1, 1], [0, -2], [0, 2]];

/** 给一个名字找地方：不出画面，也不压住 taken 里的点和名字；原来在哪一边，能不动就不动。 */
function findSpot(mark, [x, y], taken, width) {
  const box = ([sx, sy]) => [x + sx * (mark.wide / 2 + (sy ? 2 : 9)), y + sy * 16, mark.wide];
  const apart = ([bx, by, wide]) => taken.every(([ox, oy, other]) =>
    Math.abs(bx - ox) > (wide + other) / 2 || Math.abs(by - oy) > 15);
  const inside = ([bx, , wide]) => bx > wide / 2 && bx < width - wide / 2;
  const sides = Math.abs(mark.spot[1]) > 1 ? SPOTS : [mark.spot, ...SPOTS];
  const spot = sides.find((side) => inside(box(side)) && apart(box(side)));
  return spot && { spot, box: box(spot) };
}

/** 一个点挪到 [x, y]，名字写在旁边；实在放不下，就不写。 */
function moveMark(mark, [x, y], taken, width) {
  const label = mark.node.lastChild;
  const found = findSpot(mark, [x, y], taken, width);
  mark.node.style.translate = `${x.toFixed(1)}px ${y.toFixed(1)}px`;
  label.style.visibility = found ? "" : "hidden";
  if (!found) return;
  const [bx, by] = found.box;
  taken.push(found.box);
  mark.spot = found.spot;
  label.style.translate = `calc(-50% + ${bx - x}px) calc(-50% + ${by - y}px)`;
}

/** 平面：一个词一个点。reset 换一批词与各自的类名，draw 摆好各点，坐标不超过 reach。 */
export function wordField() {
  const node = make("div.plane", { role: "img" });
  let marks = [];
  function reset(words, kinds) {
    marks = words.map((word, w) => ({
      node: make(`div.word.${kinds[w]}`, {}, make("i"), make("span", {}, word)),
      spot: SPOTS[0], wide: 4 + sum([...word].map((char) => (isWide(char) ? 14 : 8.5))) }));
    node.replaceChildren(...marks.map((mark) => mark.node));
  }
  function draw(points, reach) {
    const [width, height] = [node.clientWidth, node.clientHeight];
    const scale = width / (2 * reach);
    const places = points.map(([x, y]) => [width / 2 + scale * x, height / 2 - scale * y]);
    const taken = places.map(([x, y]) => [x, y, 12]);
    marks.forEach((mark, w) => moveMark(mark, places[w], taken, width));
  }
  return { node, reset, draw };
}

// ---- 曲线 ----

/** 一两条曲线；bottom 是纵轴最低处，横轴至少有 least 格。 */
export function curve(label, bottom, least = 30) {
  const [now, high, low, end] = ["b.num", "small.high.num", "small.low.num", "small.end"]
    .map((tag) => make(tag));
  const paths = [make("svg:path"), make("svg:path")];
  const picture = make("svg:svg",
    { viewBox: "0 0 100 100", preserveAspectRatio: "none", "aria-hidden": "true" }, ...paths);
  const node = make("div.curve", {}, make("span", {}, label), now, make("div", {}, picture, high, low, end));
  function update(lists, text, top, rounds) { // rounds 是横轴共几轮；不给就是格数
    const count = Math.max(least, lists[0].length);
    const skip = Math.ceil(count / 300); // 轮数多了，隔几轮画一点
    const point = (v, i) => `${(100 * (i + 1)) / count} ${(100 * (top - v)) / (top - bottom)}`;
    const line = (list) => list.flatMap((v, i) => (i % skip ? [] : [point(v, i)])).join("L");
    lists.forEach((list, n) => paths[n].setAttribute("d", list.length ? `M${line(list)}` : ""));
    now.textContent = text;
    high.textContent = top;
    low.textContent = fixed(bottom).replace(/\.?0+$/, "");
    end.textContent = `${rounds ?? count} 轮`;
  }
  return { node, update };
}
