// 导览：一步一步带读者动手。每步先摆好，有的先猜，再做一件事；做到了，图自己看得出，说出看见的数。
// 一步是 { ask, options, start, act, at, done, seen, show }，末一步只有 { say }；写在 _tour_名字.js 里：
//   ask、options  先猜的题与选项，选项是 [字样, 做完以后对它说的话]；不猜的步没有这两项
//   start         每一步都从默认的状态开始，这里只写不同的；所以没有哪一步一开始就已经做到。动了就说一声
//   act、at       要做的事，与它用到的控件（选择器）
//   done、seen    (s, before) → 做到了没有、看见了什么；s 是 look() 给的，before 是刚摆好时的
//   show          看哪里（选择器）。动手前框出 at，看见了框出 show
import { button, make, status } from "./_kit.js";
import { within } from "./_math.js";

const OPERABLE = "input:checked, input:not([type=radio]), textarea, button, [tabindex='0']";

/** 走到第几步，记在浏览器里；存不了（禁了存储、存满了），这一页里照样走。 */
function bookmark(key, last) {
  let now = 0;
  try {
    now = within(Math.trunc(Number(localStorage.getItem(key))) || 0, 0, last);
  } catch { /* 读不了，就从头走 */ }
  return {
    now: () => now,
    put(n) {
      now = n;
      try {
        localStorage.setItem(key, n);
      } catch { /* 不存，也不打断 */ }
    },
  };
}

/** 导览的面板：一段话，几个选项，几个按钮。亮着的是 view 里写的，press 是各按钮做的事。 */
function panel(press) {
  const said = status();
  said.id = "tour-said";
  const [options, find] = [make("div.chips"), button("指给我看", press.find)];
  const [back, next] = [button("上一步", press.back), button("", press.next)];
  const close = button("收起", press.close);
  const keys = make("span.soft.keys", {}, "Esc 键回到这里");
  const node = make("div.tour", { role: "group", "aria-label": "导览", "aria-describedby": said.id,
    tabindex: -1, hidden: true }, said, options,
  make("div.chips.nav", {}, back, next, find, button("从头再来", press.again), close, keys));

  function draw({ count, lead, text, answer, choices, picked, next: label, first, last, pointing }) {
    said.replaceChildren(make("span.soft", {}, count), make("b", {}, lead), text,
      make("span.reply", {}, answer));
    if (options.childElementCount !== choices.length || picked < 0) {
      options.replaceChildren(...choices.map((choice, n) => button(choice, () => press.pick(n))));
    }
    [...options.children].forEach((choice, n) => choice.setAttribute("aria-pressed", n === picked));
    if (first && back.matches(":focus")) next.focus();
    back.disabled = first;
    next.textContent = label;
    next.classList.toggle("onward", label !== "跳过这步");
    close.hidden = last;
    find.hidden = keys.hidden = !pointing;
  }
  const ready = () => options.querySelector("button") ?? next; // Esc 回到这里
  return { node, draw, ready };
}

/** 走一步的经过：begin 摆好，pick 猜，notice 看做到了没有；数据还没打开，before 就是空的。 */
function progress(piece, tour, look, reset) {
  let now = null;
  const acting = () => {
    const { ask, done } = tour[now.n];
    return Boolean(done && now.before && !now.met && (!ask || now.picked >= 0));
  };
  function setUp({ start = {} }) { // 给出动了没有
    const before = JSON.stringify(piece.state());
    const walked = reset();
    for (const [key, rule] of Object.entries(piece.spec.state)) {
      const usual = Array.isArray(rule.default) ? rule.default.join("\n") : rule.default;
      piece.change(key, start[key] ?? usual);
    }
    return walked || before !== JSON.stringify(piece.state());
  }
  function begin(n) {
    now = { n, before: null, picked: -1, met: false, moved: false };
    if (!look()) return;
    now.moved = Boolean(tour[n].done) && setUp(tour[n]); // 末一步什么也不动
    now.before = look();
  }
  function notice() { // 有变化就给 true
    if (!now.before && look()) begin(now.n);
    else if (acting() && tour[now.n].done(look(), now.before)) now.met = true;
    else return false;
    return true;
  }
  function where() { // 该框出哪里；猜的时候哪里也不框
    if (!now.before) return ".open button";
    return now.met ? tour[now.n].show : acting() && tour[now.n].at;
  }
  return { begin, notice, where, pick: (n) => { now.picked = n; }, now: () => now };
}

/** 眼前该说什么、亮哪些按钮。 */
function viewOf(tour, { n, before, picked, met, moved }, s, waiting) {
  const step = tour[n];
  const last = n === tour.length - 1;
  const view = { count: `第 ${n + 1} 步，共 ${tour.length} 步 `, lead: "", answer: "", choices: [], picked,
    first: n === 0, last, next: "跳过这步", pointing: false };
  if (!before) return { ...view, text: waiting, pointing: true };
  if (last) return { ...view, text: step.say, next: "走完了" };
  if (met) {
    const answer = step.ask ? `你猜：${step.options[picked][0]}。${step.options[picked][1]}` : "";
    return { ...view, lead: "看见了 ", text: step.seen(s, before), answer, next: "下一步", pointing: true };
  }
  const note = moved ? "各项都替你摆好了。" : "";
  const choices = (step.options ?? []).map(([label]) => label);
  if (step.ask && picked < 0) return { ...view, lead: "先猜 ", text: note + step.ask, choices };
  return { ...view, lead: "动手 ", text: (step.ask ? "" : note) + step.act, choices, pointing: true };
}

/** 把要动的控件、要看的地方框出来；find 滚到那里、把焦点放上去。 */
function pointer(ui) {
  const pointed = () => [...ui.node.getRootNode().querySelectorAll(".pointed")];
  function point(at) {
    const wanted = at ? [...ui.node.parentNode.querySelectorAll(at)] : [];
    for (const node of pointed()) if (!wanted.includes(node)) node.classList.remove("pointed");
    for (const node of wanted) node.classList.add("pointed");
  }
  function find() {
    const [target] = pointed();
    target?.scrollIntoView({ block: "center" });
    (target?.matches(OPERABLE) ? target : target?.querySelector(OPERABLE))?.focus({ preventScroll: true });
  }
  return { point, find };
}

/**
 * 一个互动的导览：nodes 放进页面的最上面；状态变了会自己看，别的变了，由互动来 check()。
 * look() 给出眼前的样子，数据还没打开时是 null，这时先说 waiting；
 * reset() 把不在状态里的放回起点，给出动了没有。
 */
export function guide(piece, tour, look, { reset = () => false, waiting = "" } = {}) {
  const place = bookmark(`textseq/导览/${piece.spec.title}`, tour.length - 1);
  const walk = progress(piece, tour, look, reset);
  const enter = button("", () => { open = true; go(place.now()); ui.node.focus(); });
  const entry = make("p.entry", {}, enter);
  let open = false;
  function go(n) {
    place.put(n);
    walk.begin(n);
    draw();
  }
  const close = () => { open = false; draw(); enter.focus(); };
  const ui = panel({ back: () => go(walk.now().n - 1), again: () => go(0), close,
    next: () => (walk.now().n < tour.length - 1 ? go(walk.now().n + 1) : (place.put(0), close())),
    pick: (n) => { walk.pick(n); draw(); check(); }, find: () => mark.find() });
  const mark = pointer(ui);

  function draw() {
    const n = place.now();
    enter.textContent = n ? `接着走：第 ${n + 1} 步，共 ${tour.length} 步` : `带我走一遍：${tour.length} 步`;
    entry.hidden = open;
    ui.node.hidden = !open;
    if (open) ui.draw(viewOf(tour, walk.now(), look(), waiting));
    point();
  }
  const point = () => ui.node.parentNode && mark.point(open && walk.where());
  function notice() { // 控件也许是刚重画的，再框一次
    if (!open || !walk.notice()) { point(); return; }
    const inside = ui.node.matches(":focus-within");
    draw();
    if (inside) ui.ready().focus();
  }
  const check = () => queueMicrotask(notice); // 一次改好几项，都改完了再看
  piece.on("change", check);
  piece.host.addEventListener("keydown", ({ key, isComposing }) =>
    key === "Escape" && open && !isComposing && ui.ready().focus());
  draw();
  return { nodes: [entry, ui.node], check };
}
