// “先猜一猜”：每题下面一格，写下的猜测存在这个浏览器里，到“小结”列出来，旁边是量到的
document.addEventListener("DOMContentLoaded", () => {
  const lead = [...document.querySelectorAll("article p > strong:first-child")]
    .find((strong) => strong.textContent.startsWith("先猜一猜"))?.parentElement;
  let list = lead;
  while (list && list.tagName !== "OL") list = list.nextElementSibling;
  const summary = [...document.querySelectorAll("article h2")].find((h2) => h2.firstChild.data === "小结");
  if (!list || !summary) return;

  const key = `guesses:${location.pathname.split("/").pop()}`;
  const guesses = restore(key);
  const shown = Object.assign(document.createElement("aside"), { className: "guesses" });
  summary.after(shown);
  const answers = document.querySelectorAll("details.answers li");

  [...list.children].forEach((question, i) => {
    const asked = question.textContent.trim();
    const box = Object.assign(document.createElement("input"), {
      className: "guess", value: guesses[i] ?? "", placeholder: "我猜", autocomplete: "off", maxLength: 200,
    });
    box.setAttribute("aria-label", `第 ${i + 1} 题，我猜`);
    box.addEventListener("input", () => {
      guesses[i] = box.value.trim();
      keep(key, guesses);
      show(shown, list, guesses, answers);
    });
    question.dataset.asked = asked;
    question.append(box);
  });
  show(shown, list, guesses, answers);
});

function show(shown, list, guesses, answers) {
  const rows = [...list.children].flatMap((question, i) => {
    if (!guesses[i]) return [];
    const row = document.createElement("li");
    row.value = i + 1;
    row.append(question.dataset.asked, document.createElement("br"),
      Object.assign(document.createElement("strong"), { textContent: `你猜：${guesses[i]}` }),
      document.createElement("br"), "量到：", ...answers[i].cloneNode(true).childNodes);
    return [row];
  });
  const title = Object.assign(document.createElement("p"), { textContent: "开头猜的，量过是这样：" });
  const all = document.createElement("ol");
  all.append(...rows);
  shown.replaceChildren(title, all);
  shown.hidden = rows.length === 0;
}

// 存不了的浏览器（禁了存储、存满了），这一页里照样能写
function restore(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(key));
    return Array.isArray(kept) ? kept : [];
  } catch {
    return [];
  }
}

function keep(key, guesses) {
  try {
    localStorage.setItem(key, JSON.stringify(guesses));
  } catch { /* 不存，也不打断 */ }
}
