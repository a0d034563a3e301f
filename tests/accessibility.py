"""无障碍：用 axe-core 查眼前的页面，给出严重的问题。"""

from axe_playwright_python.sync_playwright import Axe

AXE = Axe().axe_script

# 一页的代码有几千个词，逐个查颜色要半分钟：代码与公式里，字色、底色、字号、粗细都相同的，只查头三处
RUN = """async (options) => {
  const times = new Map(), backs = new Map([[null, ""]]);
  const back = (node) => {
    if (!backs.has(node)) {
      const { backgroundColor, opacity } = getComputedStyle(node), outer = back(node.parentElement);
      const plain = backgroundColor === "rgba(0, 0, 0, 0)" && opacity === "1";
      backs.set(node, plain ? outer : `${outer} ${backgroundColor} ${opacity}`);
    }
    return backs.get(node);
  };
  for (const node of document.querySelectorAll("pre, pre *, mjx-container, mjx-container *")) {
    const { color, fontSize, fontWeight } = getComputedStyle(node);
    const shown = node.checkVisibility() && [...node.childNodes].some(
      (child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
    const kind = [node.getAttribute("class"), color, fontSize, fontWeight, back(node)].join();
    if (shown) times.set(kind, (times.get(kind) ?? 0) + 1);
    node.toggleAttribute("data-again", shown && times.get(kind) > 3);
  }
  axe.configure({ rules: [{ id: "color-contrast", selector: ":not([data-again])" }] });
  const { violations } = await axe.run(document, { resultTypes: ["violations"], ...options });
  return violations.filter((item) => ["serious", "critical"].includes(item.impact)).flatMap(
    (item) => item.nodes.map((node) => [item.id, node.html.slice(0, 160), node.failureSummary]));
}"""


def grave_faults(page, **options):
    """严重的问题：[规则, 元素, 怎么回事]；options 是 axe.run 的。"""
    page.evaluate(AXE)
    return page.evaluate(RUN, options)
