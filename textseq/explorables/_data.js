// 大一点的数据（词向量、模型）放在自己的文件里，读者按了“打开”才取；取不到、取坏了，说清楚怎么办。
import { button, make, status } from "./_kit.js";

const broken = new Set(); // 取坏过的文件：再取时换个网址，免得浏览器又给出存着的那一份

/** 数据文件在哪里，取不到时怎么办：JupyterLab 从它的根目录取，网页从 _static 取。 */
export function place(page, path) {
  const lab = page.getElementById("jupyter-config-data");
  const root = page.documentElement.dataset.content_root;
  if (lab) return { url: `${JSON.parse(lab.textContent).baseUrl}files/${path}`,
    remedy: "请关掉 JupyterLab，在课程的根目录（有 README.md 的那一层）运行 make lab，"
      + "再打开这个 notebook。" };
  if (root !== undefined) return { url: `${root}_static/${path.split("/").at(-1)}`,
    remedy: "请检查网络后再按一次；若是自己建的书，请重新运行 make book。" };
  return { remedy: "这里不知道数据文件在哪里；请在网页版里打开本页，或用 make lab 打开 notebook。" };
}

/** 运行一个脚本；双击打开的网页不许 fetch 本地文件，<script> 可以。 */
const runScript = (src) => new Promise((resolve, reject) => {
  const finish = (settle) => () => { script.remove(); settle(); };
  const script = make("script", { src, charset: "utf-8", onload: finish(resolve), onerror: finish(reject) });
  document.head.append(script);
});

/**
 * 取数据并交给 unpack 整理、检查；同一页上第二次用，不再取。
 * file 是 { path, global, what }：文件在课程里的位置，它写进的全局变量，是什么。
 * 异常：取不到、内容不对（unpack 抛出异常），Error，信息是给读者看的一句话；再调用一次就重新取。
 */
export async function openData({ path, global, what }, unpack) {
  const { url, remedy } = place(document, path);
  const where = url ? `（${url}）` : "";
  try {
    if (!url) throw new Error("不知道文件在哪里");
    if (!globalThis[global]) await runScript(broken.has(url) ? `${url}?${Date.now()}` : url);
    if (!globalThis[global]) throw new Error("文件里没有数据");
  } catch {
    throw again(`没有取到${what}${where}。${remedy}`);
  }
  try {
    return unpack(globalThis[global]);
  } catch {
    throw again(`取到的不是完整的${what}${where}。${remedy}`);
  }

  function again(message) {
    delete globalThis[global];
    broken.add(url);
    return new Error(message);
  }
}

/** “打开”按钮与它的回话：取到了就收起按钮，把整理好的数据交给 ready；没取到就说为什么，还可以再按。 */
export function opener(piece, file, unpack, ready) {
  let gone = false;
  piece.own(() => { gone = true; });
  const said = status();
  const open = button(file.button, async () => {
    open.disabled = true;
    said.classList.remove("failed");
    said.textContent = "正在打开……";
    const [data, problem] = await openData(file, unpack)
      .then((value) => [value], (error) => [null, error.message]);
    if (gone) return;
    open.disabled = false;
    said.textContent = problem ?? "";
    said.classList.toggle("failed", Boolean(problem));
    opening.hidden = !problem;
    if (!problem) ready(data);
  });
  const opening = make("div.open", {}, open, make("span.soft", {}, file.promise));
  return { opening, said };
}
