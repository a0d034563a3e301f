// 在这里做：练习与小格在书页里改、运行、检查。Python 由 book/_ext/try_here.py 装好，点了按钮才取。
// 页面上先有 PYTHON（几段、多大、有哪些文件）；每一格后面有 .try-here，里面的 JSON 是要运行的代码。

const SECONDS = 20;   // 一次运行最多这么久：多半是停不下来的循环
const HERE = new URL("./python/", document.currentScript.src);
const SAVED = "textseq/在这里做/";

// --- 取 Python：一段一个脚本，双击打开的书也取得到 ---------------------------------------------

const parts = [];
globalThis.pythonPart = (number, text) => { parts[number] = text; };

function loadPart(number) {
  if (parts[number]) return Promise.resolve();
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL(`${number}.js`, HERE);
    script.onload = () => (parts[number] ? resolve() : reject());
    script.onerror = reject;
    document.head.append(script);
  }).catch(() => {
    throw new Error(`取到第 ${number + 1} 段（共 ${PYTHON.parts} 段）断了；取过的不会再取，请再点一次`);
  });
}

function decode(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

async function unpack() {
  const packed = new Blob(parts.map(decode));   // 每段的长度是 4 的倍数，可以各自解
  const whole = packed.stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(whole).arrayBuffer());
  let start = 0;
  return Object.fromEntries(Object.entries(PYTHON.files).map(([name, length]) =>
    [name, bytes.slice(start, start += length)]));
}

let files = null;
async function getFiles(say, signal) {
  for (let number = 0; !files && number < PYTHON.parts; number++) {
    signal.throwIfAborted();
    say(`正在取 Python：${number} / ${PYTHON.parts} 段（共约 ${PYTHON.megabytes} MB，只取这一次）`);
    await loadPart(number);
  }
  say("正在启动 Python，要几秒到十几秒 ……");
  if (files) return;
  files = await unpack();
  parts.length = 0;                                       // 解开了，原文不用再留
  document.querySelectorAll(".try-open small").forEach((size) => size.remove());
}

// --- 工人：Python 在另一个线程里，页面不会卡住；这个函数的源码就是工人的源码 ----------------------

function workerMain() {
  let run;

  async function start(files) {
    // 只认随书带来的文件；别的地址一概没有，代码也联不了网
    self.XMLHttpRequest = self.WebSocket = undefined;
    self.fetch = async (url) => {
      const name = String(url.url ?? url).split("/").pop();
      if (!(name in files)) throw new TypeError("书页里不能联网");
      const type = name.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";
      return new Response(files[name], { headers: { "Content-Type": type } });
    };
    const load = (name) => import(URL.createObjectURL(new Blob([files[name]], { type: "text/javascript" })));
    const { loadPyodide } = await load("pyodide.mjs");
    const python = await loadPyodide({
      indexURL: "book:///",
      packageBaseUrl: "book:///",
      lockFileContents: JSON.parse(new TextDecoder().decode(files["lock.json"])),
      createPyodideModule: (await load("pyodide.asm.mjs")).default,
    });
    python.setStdin({ error: true });   // input() 立刻出错，不等
    python.unpackArchive(files["numpy.whl"], "wheel");
    const packages = python.runPython("import site; site.getsitepackages()[0]");
    python.unpackArchive(files["textseq.zip"], "zip", { extractDir: packages });
    python.runPython(new TextDecoder().decode(files["runner.py"]));
    python.runPython("import numpy");
    run = python.globals.get("run");
  }

  self.onmessage = async ({ data }) => {
    try {
      if (data.files) await start(data.files);
      else run(data.before, data.code, data.check, (text) => self.postMessage({ text }));
      self.postMessage({ done: true });
    } catch (error) {
      self.postMessage({ failed: String(error.message ?? error) });
    }
  };
}

let worker = null;    // 已经启动好的工人
let running = null;   // 正在运行的那一次：{ stop }

function ask(who, message, onText, signal) {
  return new Promise((resolve, reject) => {
    who.onmessage = ({ data }) => {
      if (data.text !== undefined) onText(data.text);
      else if (data.failed !== undefined) reject(new Error(`Python 自己停了（${data.failed}）；请再点一次`));
      else resolve();
    };
    who.onerror = (event) => reject(new Error(event.message || "这个浏览器开不了模块工人"));
    signal.addEventListener("abort", () => reject(signal.reason));
    who.postMessage(message);
  });
}

async function getWorker(say, signal) {
  if (worker) return worker;
  await getFiles(say, signal);
  // 双击打开的页面里，blob: 的模块工人开不了，data: 的可以
  const source = `data:text/javascript,${encodeURIComponent(`(${workerMain})()`)}`;
  const fresh = new Worker(source, { type: "module" });
  try {
    await ask(fresh, { files }, () => {}, signal);
  } catch (error) {
    fresh.terminate();
    throw error;
  }
  return (worker = fresh);
}

// 运行一次。停下与超时都是结束工人、下次另起一个：中断停不住 sleep，还会落到下一次运行上
async function runJob(job, say, onText) {
  if (running) throw new Error("另一段代码还在运行；等它完，或按它的“停”");
  if (!globalThis.Worker || !globalThis.DecompressionStream) {
    throw new Error("这个浏览器太旧，运行不了 Python；请换一个新的，或在 Jupyter 里做");
  }
  const stopper = new AbortController();
  running = { stop: (why) => stopper.abort(new Error(why)) };
  let timer;
  try {
    const ready = await getWorker(say, stopper.signal);
    say("运行中 ……");
    timer = setTimeout(() => running.stop(
      `过了 ${SECONDS} 秒还没有完，停下了：多半是个走不到头的循环。你写的还在`), SECONDS * 1000);
    await ask(ready, job, onText, stopper.signal);
  } catch (error) {
    worker?.terminate();
    worker = null;
    throw error;
  } finally {
    clearTimeout(timer);
    running = null;
  }
}

// --- 编辑框 -------------------------------------------------------------------------------

const storage = {
  get(name) {
    try { return localStorage.getItem(SAVED + name); } catch { return null; }
  },
  set(name, text) {
    try {
      if (text === null) localStorage.removeItem(SAVED + name);
      else localStorage.setItem(SAVED + name, text);
      return true;
    } catch { return false; }
  },
};

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// Tab 缩进，回车接着上一行的缩进；先按 Esc，下一个 Tab 就离开编辑框
function onKey(event) {
  const box = event.target;
  if (event.key === "Escape") {
    box.leaving = true;
  } else if (event.key === "Tab" && !event.shiftKey && !box.leaving) {
    event.preventDefault();
    document.execCommand("insertText", false, "    ");
  } else if (event.key === "Enter" && !event.shiftKey && !event.ctrlKey && !event.isComposing) {
    const line = box.value.slice(0, box.selectionStart).split("\n").pop();
    event.preventDefault();
    document.execCommand("insertText", false, `\n${/^ */.exec(line)[0]}${/:\s*$/.test(line) ? "    " : ""}`);
  }
  if (event.key !== "Escape" && event.key !== "Tab") box.leaving = false;
}

function open(place, job) {
  const { name, code, before, check } = job;
  const box = element("textarea", {
    value: storage.get(name) ?? code, spellcheck: false, autocapitalize: "off", wrap: "off", onkeydown: onKey,
  });
  box.setAttribute("aria-label", check ? `练习的代码：${name.slice(3)}` : "这一格的代码");
  const output = element("pre", { className: "try-output", hidden: true, tabIndex: 0 });
  const status = element("span", { className: "try-status" });
  status.setAttribute("role", "status");
  const say = (text) => { status.textContent = text; };
  const fit = () => { box.rows = Math.max(3, box.value.split("\n").length + 1); };

  box.oninput = () => {
    fit();
    if (!storage.set(name, box.value === code ? null : box.value)) {
      say("浏览器不让存：关掉这一页，写的就没有了；可以“存成文件”");
    }
  };

  async function start(withCheck) {
    output.textContent = "";
    output.hidden = false;
    stop.hidden = false;
    output.className = "try-output";
    try {
      await runJob({ before, code: box.value, check: withCheck ? check : "" }, say,
        (text) => { output.textContent += text; });
      say(output.textContent ? "" : "运行完了，没有输出");
    } catch (error) {
      say(error.message);
    }
    output.classList.toggle("is-right", withCheck && output.textContent.startsWith("对了"));
    output.hidden = !output.textContent;
    stop.hidden = true;
  }

  const button = (label, onclick) => element("button", { type: "button", textContent: label, onclick });
  const runButton = button("运行", () => start(false));
  const checkButton = button("检查", () => start(true));
  const stop = button("停", () => running?.stop("停下了。你写的还在"));
  stop.hidden = true;
  const reset = button("还原", () => {
    box.value = code;
    box.oninput();
    say("换回了书上的代码");
  });
  const save = button("存成文件", () => {
    const url = URL.createObjectURL(new Blob([box.value + "\n"], { type: "text/x-python" }));
    element("a", { href: url, download: `${name}.py` }).click();
    URL.revokeObjectURL(url);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.shiftKey || event.ctrlKey)) {
      event.preventDefault();
      (check ? checkButton : runButton).click();
    }
  });

  const row = element("div", { className: "try-buttons" }, runButton, stop, reset, save, status);
  if (check) runButton.after(checkButton);
  place.replaceChildren(box, row, output);
  if (before) {
    place.append(element("details", { className: "try-before" },
      element("summary", { textContent: `先替你运行的 ${before.split("\n").length} 行` }),
      element("pre", { textContent: before, tabIndex: 0 })));
  }
  place.closest(".cell").querySelector(".cell_input").hidden = true;
  fit();
  const blank = Math.max(0, box.value.indexOf("..."));   // 光标停在第一个要填的 …
  box.focus({ preventScroll: true });
  box.setSelectionRange(blank, box.value.startsWith("...", blank) ? blank + 3 : blank);
}

for (const place of document.querySelectorAll(".try-here")) {
  const job = JSON.parse(place.textContent);
  const size = element("small", { textContent: `第一次要取约 ${PYTHON.megabytes} MB` });
  const label = job.check ? "在这里做" : "改一改，再运行";
  place.append(element("button", { type: "button", className: "try-open", onclick: () => open(place, job) },
    label, " ", size));
}
