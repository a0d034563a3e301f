// 题目解开了没有：三个门与形状积木都用。
import { button, make, status } from "./_kit.js";

/**
 * 条件一条一条地看。checks() 给出 [{ want, done, got, hint }]，lesson() 是解开了说的话；
 * “提示”只说第一个没做到的；trap() 认得走岔的路，走上去就说，不是就给空串。
 */
export function puzzleBox({ checks, lesson, trap = () => "" }) {
  const list = make("ul.checks", { "aria-label": "题目的条件" });
  const [hint, verdict] = [status(), status()];
  const ask = button("提示", () => {
    hint.textContent = checks().find(({ done }) => !done)?.hint ?? "已经解开了，不用提示。";
  });
  function draw() {
    const now = checks();
    list.replaceChildren(...now.map(({ want, done, got }) => make(done ? "li.done" : "li", {},
      make("b", {}, done ? "做到了" : "还没有"), make("span", {}, want), make("span.soft", {}, got))));
    const solved = now.every(({ done }) => done);
    verdict.classList.toggle("solved", solved);
    verdict.textContent = solved ? lesson() : trap();
    hint.textContent = "";   // 提示说的是拧之前的样子
  }
  return { ask, nodes: [hint, list, verdict], draw };
}
