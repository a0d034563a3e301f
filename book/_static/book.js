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

// 纸是白的：打印时换成浅色，打印完换回来
const { dataset } = document.documentElement;
window.addEventListener("beforeprint", () => {
  dataset.shown = dataset.theme;
  dataset.theme = "light";
});
window.addEventListener("afterprint", () => {
  dataset.theme = dataset.shown;
});
