// 折叠块的按钮：第三方脚本写死了英文的读屏文字，载入后换成中文
window.addEventListener("load", () => {
  for (const button of document.querySelectorAll(".toggle-button")) {
    button.setAttribute("aria-label", "展开或收起");
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

// 公式几个几个地排：一章上百个，一次排完，手机要卡几秒。不等滚到跟前才排，读屏软件要从头读到尾
async function typesetInSlices() {
  const formulas = [...document.querySelectorAll(".math")];
  for (let i = 0; i < formulas.length; i += 4) {
    await MathJax.typesetPromise(formulas.slice(i, i + 4));
    await new Promise((resume) => setTimeout(resume));
  }
}
if (window.MathJax?.startup) MathJax.startup.promise = MathJax.startup.promise.then(typesetInSlices);

// 窄屏上放不下的输出：一句句的话折行；对齐成列的，字缩到 10 px 为止，再放不下才左右滚动
const GAP = /\S(?: {2,}|　+)(?=\S)/g;
function isAligned(text) {
  return text.split("\n").filter((line) => (line.match(GAP) ?? []).length > 1 || /^ *\[/.test(line)).length > 1;
}
function fitOutputs() {
  const outputs = [...document.querySelectorAll(".cell_output pre")];
  outputs.forEach((pre) => Object.assign(pre.style, { fontSize: "", whiteSpace: "" }));
  const measured = outputs.map((pre) =>   // 先全量，再全改：一边量一边改，每个都要重排一次
    [pre, pre.clientWidth / pre.scrollWidth, parseFloat(getComputedStyle(pre).fontSize)]);
  for (const [pre, ratio, size] of measured) {
    if (!(ratio < 1)) continue;           // 收起来的，宽是 0
    if (isAligned(pre.textContent)) pre.style.fontSize = `${Math.max(10, 0.97 * ratio * size)}px`;
    else pre.style.whiteSpace = "pre-wrap";
  }
}
window.addEventListener("load", fitOutputs);
window.matchMedia("(orientation: portrait)").addEventListener("change", fitOutputs);   // 手机横过来

// 纸是白的：打印时换成浅色，打印完换回来
const { dataset } = document.documentElement;
window.addEventListener("beforeprint", () => {
  dataset.shown = dataset.theme;
  dataset.theme = "light";
});
window.addEventListener("afterprint", () => {
  dataset.theme = dataset.shown;
});
