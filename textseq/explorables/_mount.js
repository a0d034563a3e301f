// 把一个互动挂到它的 host（data-explore 的那个元素）里。浏览器太旧、导入失败时，host 里的说明留着。
async function mount(script, { name, module, state }) {
  // 先找 host，再等导入：JupyterLab 原地运行脚本，host 就在它前面；VS Code 把脚本逐个重造在容器末尾，
  // 前面已不是 host，就按次序取容器里第一个同名、还没挂的。
  const free = `[data-explore="${name}"]:not([data-mounted])`;
  const before = script.previousElementSibling;
  const host = before?.matches(free) ? before : script.parentElement.querySelector(free);
  host.dataset.mounted = "";
  const later = host.closest("[data-later]");
  if (later) { // 一页里放着许多件，走近了才画
    host.firstElementChild.textContent = `${host.textContent.split("。")[0]}。走近了才画。`;
    await new Promise((near) => new IntersectionObserver((seen, watch) => {
      if (seen.some((one) => one.isIntersecting)) near(watch.disconnect());
    }, { rootMargin: "400px" }).observe(later));
  }

  const link = URL.createObjectURL(new Blob([module], { type: "text/javascript" }));
  const { default: widget } = await import(link);
  URL.revokeObjectURL(link);

  const listeners = {}; // 与 anywidget 的 model 同样的五个方法
  const model = {
    get: (key) => state[key],
    set(key, value) {
      if (state[key] === value) return;
      state[key] = value;
      for (const event of [`change:${key}`, "change"]) listeners[event]?.forEach((run) => run());
    },
    on: (event, run) => (listeners[event] ??= new Set()).add(run),
    off: (event, run) => listeners[event]?.delete(run),
    save_changes() {},
  };
  host.replaceChildren();
  await widget.render({ model, el: host });
  later?.removeAttribute("data-later");
}
