// 把一个互动挂到 host 上。影子树（shadow root）隔开网页与 JupyterLab 的样式；挂上之后，
// host 里原来的那句说明自动不再显示。导入失败（浏览器太旧）时，说明原样留着。
async function mount(host, { kit, piece, css, state }) {
  const link = (text) => URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  const kitLink = link(kit);
  const pieceLink = link(piece.replaceAll('"./_kit.js"', JSON.stringify(kitLink)));
  const { default: widget } = await import(pieceLink);
  URL.revokeObjectURL(kitLink);
  URL.revokeObjectURL(pieceLink);

  const listeners = {}; // 与 anywidget 的 model 同样的四个方法
  const model = {
    get: (key) => state[key],
    set(key, value) {
      if (state[key] === value) return;
      state[key] = value;
      for (const event of [`change:${key}`, "change"]) listeners[event]?.forEach((run) => run());
    },
    on: (event, run) => (listeners[event] ??= []).push(run),
    save_changes() {},
  };
  const root = host.attachShadow({ mode: "open" });
  const style = Object.assign(document.createElement("style"), { textContent: css });
  const el = document.createElement("div");
  root.append(style, el);
  await widget.render({ model, el });
}
