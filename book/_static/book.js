// 折叠块的按钮：第三方脚本写死了英文的读屏文字，目录里的没有名字，载入后都换成中文
window.addEventListener("load", () => {
  for (const button of document.querySelectorAll(".toggle-button, summary:has(> .toctree-toggle)")) {
    button.setAttribute("aria-label", "展开或收起");
  }
});

// 主题的两个按钮：打印、全屏。事件不写在属性里，内容安全策略才放行
const PRESS = { "window.print()": () => window.print(), "toggleFullScreen()": () => window.toggleFullScreen() };
window.addEventListener("load", () => {
  for (const button of document.querySelectorAll("[data-press]")) {
    button.addEventListener("click", PRESS[button.dataset.press]);
  }
});

// 图点开看原来的大小：手机上也放得大
document.addEventListener("DOMContentLoaded", () => {
  for (const image of document.querySelectorAll("article .cell_output img, article figure img, article p > img")) {
    if (image.closest("a, [data-explore]")) continue;
    const link = Object.assign(document.createElement("a"), { href: image.src, className: "full-size" });
    link.setAttribute("aria-label", `看原图：${image.alt}`);
    image.replaceWith(link);
    link.append(image);
  }
});

// 公式是 MathML，浏览器自己排。排不了的老浏览器，才请 MathJax 代劳
function drawsFormulas() {
  const probe = document.createElement("div");
  probe.innerHTML = '<math><mspace width="77px" height="9px"></mspace></math>';
  document.body.append(probe);
  const { width } = probe.querySelector("mspace").getBoundingClientRect();
  probe.remove();
  return Math.round(width) === 77;
}
const { src: here } = document.currentScript;
window.addEventListener("load", () => {   // 等页面排完再量：先量，整页就得在这一刻排出来
  if (!document.querySelector("math") || drawsFormulas()) return;
  window.MathJax = { loader: { load: ["input/mml", "output/chtml"] } };
  const src = new URL("mathjax/startup.js", here);
  document.head.append(Object.assign(document.createElement("script"), { src }));
});

// 窄屏上放不下的输出：一句句的话折行；对齐成列的，字缩到 10 px 为止，再放不下才左右滚动
const GAP = /\S(?: {2,}|　+)(?=\S)/g;
function isAligned(text) {
  return text.split("\n").filter((line) => (line.match(GAP) ?? []).length > 1 || /^ *\[/.test(line)).length > 1;
}
// 收起来的、还没滚到的，量不到；老浏览器不会答，照量
const isShown = (element) => element.checkVisibility?.({ contentVisibilityAuto: true }) ?? true;
function fitOutputs(part) {
  const outputs = [...part.querySelectorAll(".cell_output pre")].filter(isShown);
  outputs.forEach((pre) => Object.assign(pre.style, { fontSize: "", whiteSpace: "" }));
  const measured = outputs.map((pre) =>   // 先全量，再全改：一边量一边改，每个都要重排一次
    [pre, pre.clientWidth / pre.scrollWidth, parseFloat(getComputedStyle(pre).fontSize)]);
  for (const [pre, ratio, size] of measured) {
    if (!(ratio < 1)) continue;
    if (isAligned(pre.textContent)) pre.style.fontSize = `${Math.max(10, 0.97 * ratio * size)}px`;
    else pre.style.whiteSpace = "pre-wrap";
  }
}

// 左右滚动的框，键盘也要够得着
function focusScrolling(part) {
  const boxes = [...part.querySelectorAll("pre, .cell_output > .output, .pst-scrollable-table-container")]
    .filter(isShown);
  const wide = boxes.map((box) => box.scrollWidth > box.clientWidth || box.scrollHeight > box.clientHeight);
  boxes.forEach((box, i) => { if (wide[i] !== (box.tabIndex === 0)) box.tabIndex = wide[i] ? 0 : -1; });
}

function fit(part = document) {
  fitOutputs(part);
  focusScrolling(part);
}
window.addEventListener("load", () => fit());
window.addEventListener("resize", () => focusScrolling(document));
window.matchMedia("(orientation: portrait)").addEventListener("change", () => fit());   // 手机横过来
for (const event of ["toggle", "contentvisibilityautostatechange"]) {                   // 展开了，滚到了
  document.addEventListener(event, ({ target }) => fit(target), true);
}

// 纸是白的：打印时换成浅色，打印完换回来
const { dataset } = document.documentElement;
window.addEventListener("beforeprint", () => {
  dataset.shown = dataset.theme;
  dataset.theme = "light";
});
window.addEventListener("afterprint", () => {
  dataset.theme = dataset.shown;
});

// 手机上没滚到的节先不排，高度是估的：从别处跳来，附近几节一排，落脚点就移开了。排过之后再对一次
window.addEventListener("load", () => {
  const target = document.querySelector(":target");
  if (!target || performance.getEntriesByType("navigation")[0]?.type !== "navigate") return;   // 后退的，留在原处
  const watch = new ResizeObserver(() => target.scrollIntoView());   // 互动图后画出来，也会推开它
  requestAnimationFrame(() => requestAnimationFrame(() => watch.observe(document.querySelector("article") ?? document.body)));
  const stop = () => watch.disconnect();
  for (const act of ["wheel", "touchstart", "keydown", "pointerdown"]) addEventListener(act, stop, { once: true });
  setTimeout(stop, 2000);
});

// 目录跟着正文亮：一节一节都要量，整页得先排出来，所以等读者滚了再量
delete document.body.dataset.bsSpy;
window.addEventListener("scroll", () => window.bootstrap?.ScrollSpy.getOrCreateInstance(document.body), { once: true });
