// 折叠块的按钮：第三方脚本写死了英文的读屏文字，载入后换成中文
window.addEventListener("load", () => {
  for (const button of document.querySelectorAll(".toggle-button")) {
    button.setAttribute("aria-label", "展开或收起");
  }
});

// Sphinx 把“取消高亮”译成了“隐藏搜索结果”
Documentation.addTranslations({
  locale: "zh_CN",
  messages: { "Hide Search Matches": "取消高亮" },
  plural_expr: "0",
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
