// 自己的文本从哪里来：贴、打字、打开文件、用样例。长的只给看开头，免得网页卡住。
import { button, make, status } from "./_kit.js";

const LONG = 5000;        // 比这长的不放进打字的框
const MOST = 1_000_000;   // 至多用这么多字符
const BYTES = 8_000_000;  // 文件至多读这么多字节，够上面那么多字符了
const ENOUGH = 20_000;    // 少于这么多字，说一声
const HAN = /[\u3400-\u9fff]/;
const OLD = /[們這個來時為國說對學會過麼話還沒經現發後見問題開門長東車馬風華書電實點機體關聽買賣]/g;

/** 文件的字节 → 文本：认得 UTF-8、GBK 与 UTF-16；不像文本的给 null。 */
export function decode(bytes) {
  const wide = { "255,254": "utf-16le", "254,255": "utf-16be" }[bytes.subarray(0, 2).join()];
  for (const encoding of wide ? [wide] : ["utf-8", "gb18030"]) {
    try {
      const text = new TextDecoder(encoding, { fatal: true }).decode(bytes, { stream: true });
      const strange = text.slice(0, LONG).match(/[\0-\x08\x0e-\x1f\ufffd]/g)?.length ?? 0;
      return strange > 0.01 * Math.min(text.length, LONG) ? null : text;
    } catch { /* 解不开，换下一种 */ }
  }
  return null;
}

/** 汉字之间的空格占几成；看开头一段。 */
function gaps(text) {
  const start = text.slice(0, 10_000);
  const han = "\\p{Script=Han}";
  const [apart, joined] = ["[ \u3000]+", ""].map((between) =>
    start.match(new RegExp(`${han}${between}(?=${han})`, "gu"))?.length ?? 0);
  return apart / (apart + joined || 1);
}

/** 这份文本该留心什么，一句一句。 */
function advice(text, by) {
  const size = text.replace(/\s/g, "").length;
  if (!size) return ["还没有文本：贴一段，打开一个文件，或用样例。"];
  const said = [`共 ${size.toLocaleString("zh-CN")} 字。`];
  if (size < ENOUGH) said.push("太短，近邻多半靠不住，最好两万字以上。");
  if (by !== "blank" && gaps(text) > 0.2) said.push("词与词之间好像已经有空格，可以选“已切好”。");
  if (by === "blank" && HAN.test(text) && gaps(text) < 0.05) {
    said.push("词与词之间没有空格，请选“按字”或“按词”。");
  }
  const old = text.slice(0, LONG).match(OLD)?.length ?? 0;
  if (by === "word" && old > 0.01 * Math.min(text.length, LONG)) {
    said.push("词典是简体的，繁体的词多半切成单字；可以选“按字”。");
  }
  return said;
}

/** 选文件的按钮；读得出就交给 take，读不出就 say 一句。 */
function fileButton(take, say) {
  async function open(file) {
    if (!file) return;
    const text = decode(new Uint8Array(await file.slice(0, BYTES).arrayBuffer()));
    if (text?.trim()) take(text.replace(/^\ufeff/, ""), `文件“${file.name}”`);
    else if (text === null) say(`“${file.name}”不像文本文件；请另存为 UTF-8 编码的 .txt，再打开。`);
    else say(`“${file.name}”里没有字；请换一个文件。`);
  }
  const input = make("input", { type: "file", hidden: true, tabindex: -1, "aria-hidden": "true",
    onchange: () => { open(input.files[0]); input.value = ""; } });
  return { input, open, node: button("打开文件", () => input.click()) };
}

/** 打字的框；很长的不进框里，直接交给 take；文件拖进来，交给 open。 */
function textArea(take, open) {
  const box = make("textarea", { rows: 5, spellcheck: "false", autocomplete: "off",
    placeholder: "把文本贴在这里，也可以把文件拖进来",
    oninput: (event) => event.isComposing || take(box.value),
    oncompositionend: () => take(box.value),
    onpaste(event) {
      const pasted = event.clipboardData.getData("text/plain");
      if (pasted.length < LONG) return;
      event.preventDefault();
      take(box.value.slice(0, box.selectionStart) + pasted + box.value.slice(box.selectionEnd));
    },
    ondragover: (event) => event.preventDefault(),
    ondrop(event) {
      if (!event.dataTransfer.files.length) return;
      event.preventDefault();
      open(event.dataTransfer.files[0]);
    } });
  return box;
}

/** 文本的入口：get() 是现在的文本，set(text, from) 换一份；变了就 changed()。extra 是并排的按钮。 */
export function intake(piece, extra, changed) {
  let [text, tooLong] = ["", false];
  const said = status();
  const [name, start] = [make("b"), make("q")];
  const excerpt = make("div.excerpt", {}, make("p", {}, name, "，开头是：", start),
    button("换一份", () => { set(""); box.focus(); }));
  const fail = (problem) => { said.textContent = problem; said.classList.add("failed"); };
  const file = fileButton(set, fail);
  const box = textArea((whole) => field.hidden || set(whole), file.open); // 收起来以后的事件不算
  const field = make("label.field.wide", {}, make("span.name", {}, "文本，最好两万字以上"), box);

  function set(whole, from = "贴进来的文本") {
    [text, tooLong] = [whole.slice(0, MOST), whole.length > MOST];
    const long = text.length > LONG;
    const shown = long ? "" : text;
    if (box.value !== shown) box.value = shown;
    [field.hidden, excerpt.hidden] = [long, !long];
    name.textContent = from;
    start.textContent = `${text.slice(0, 120).trim()}……`;
    describe();
    changed();
  }
  function describe() {
    said.classList.remove("failed");
    said.textContent = advice(text, piece.get("unit")).join("")
      + (tooLong ? "太长，只用开头的一百万个字符。" : "");
  }
  piece.on("change:unit", describe);
  excerpt.hidden = true;
  describe();
  const nodes = [make("div.chips", {}, extra, file.node, file.input), field, excerpt, said];
  return { nodes, set, get: () => text, fail };
}
