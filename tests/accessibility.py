"""无障碍：用 axe-core 查眼前的页面，给出严重的问题。"""

from axe_playwright_python.sync_playwright import Axe

AXE = Axe().axe_script

# 看不看得清，只由字色、底色、字号、粗细这几样决定。一页有几千个元素，逐个查要半分钟：
# 这几样与标签、类都相同的，只查头三个；别的规则照旧查每一个
RUN = """async (options) => {
  const times = new Map(), backs = new Map([[null, ""]]);
  const back = (node) => {   // 它与外面各层的底色、底图、透明度
    if (!backs.has(node)) {
      const { backgroundColor, backgroundImage, opacity } = getComputedStyle(node);
      const own = `${backgroundColor} ${backgroundImage} ${opacity};`;
      backs.set(node, back(node.parentElement) + (own === "rgba(0, 0, 0, 0) none 1;" ? "" : own));
    }
    return backs.get(node);
  };
  for (const node of document.querySelectorAll("body *")) {
    const { color, fontSize, fontWeight, textShadow } = getComputedStyle(node);
    const shown = node.checkVisibility() && [...node.childNodes].some(
      (child) => child.nodeType === Node.TEXT_NODE && child.data.trim());
    const kind = [node.tagName, node.getAttribute("class"), color, fontSize, fontWeight, textShadow,
                  back(node)].join();
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
