// 数的出处：点一个数，弹出印出它的那一行，再点跳到那一格。没有这份脚本时，数本身就是跳过去的链接。
// 平时数只是文字：一页上百个，键盘一个一个经过、读屏软件一个一个报“链接”，都太吵。
// 按了“看数的出处”，才都画上线，成为按钮，Tab 走得到，回车打得开
document.addEventListener("DOMContentLoaded", () => {
  const data = document.getElementById("proofs");
  if (!data || !HTMLElement.prototype.showPopover) return;   // 老浏览器里，链接照样跳
  const shown = JSON.parse(data.textContent);
  const numbers = [...document.querySelectorAll("a.proof")];
  for (const number of numbers) {
    number.dataset.href = number.getAttribute("href") ?? "";
    number.removeAttribute("href");
  }

  const box = Object.assign(document.createElement("div"), { id: "proof-box", popover: "auto", tabIndex: -1 });
  box.setAttribute("role", "dialog");
  box.setAttribute("aria-label", "数的出处");
  document.body.append(box);

  const open = (number) => {
    fill(box, shown[number.dataset.proof], number.dataset.href);
    box.showPopover();
    place(box, number);
    box.focus({ preventScroll: true });   // 读屏软件从头读；再按一下 Tab 就是“跳到那一格”
  };
  const article = document.querySelector("article");
  article.addEventListener("click", ({ target }) => {
    const number = target.closest("a.proof");
    if (number) open(number);
  });
  article.addEventListener("keydown", (event) => {
    if (!event.target.matches("a.proof") || ![" ", "Enter"].includes(event.key)) return;
    event.preventDefault();
    open(event.target);
  });

  const button = document.querySelector(".proofs-note button");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", () => {
    const on = article.classList.toggle("proofs-shown");
    button.setAttribute("aria-pressed", on);
    for (const number of numbers) {
      if (on) Object.entries({ role: "button", tabindex: 0, "aria-haspopup": "dialog" })
        .forEach(([name, value]) => number.setAttribute(name, value));
      else ["role", "tabindex", "aria-haspopup"].forEach((name) => number.removeAttribute(name));
    }
  });
});

function build(tag, textContent, more = {}) {
  return Object.assign(document.createElement(tag), { textContent, ...more });
}

function fill(box, [where, line, [start, end], sum], href) {
  const parts = [build("p", where, { className: "where" })];
  if (line) {
    const shown = build("p", "", { className: "line" });
    if (end) shown.append(line.slice(0, start), build("mark", line.slice(start, end)), line.slice(end));
    else shown.append(line);
    parts.push(shown);
  }
  if (sum) parts.push(build("p", `算式：${sum}`));
  if (href) {
    const jump = build("a", "跳到那一格", { href });
    jump.addEventListener("click", () => {
      box.hidePopover();
      const cell = href.startsWith("#") && document.getElementById(href.slice(1));
      if (cell && where.endsWith("代码")) cell.querySelector("details")?.setAttribute("open", "");
    });
    parts.push(jump);
  }
  box.replaceChildren(...parts);
}

// 放在数的下面；下面放不下就放上面，左右不出屏幕
function place(box, number) {
  const at = number.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const below = at.bottom + 6;
  const top = below + height > innerHeight && at.top > height + 6 ? at.top - height - 6 : below;
  const left = Math.max(8, Math.min(at.left, document.documentElement.clientWidth - width - 8));
  Object.assign(box.style, { left: `${left + scrollX}px`, top: `${top + scrollY}px` });
}
