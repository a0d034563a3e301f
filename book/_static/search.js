// 站内搜索：问句切成词，全书逐节打分，列出最好的十节，各带一段摘要。BOOK 由建书时写进 search_sections.js
(() => {
  // 问法里的虚词；去掉以后，剩下的才是要找的东西
  const FILLER = new RegExp([
    "怎么办", "怎么样", "怎么", "怎样", "如何", "为什么", "为何", "是什么", "什么是", "什么", "是多少", "多少", "哪个",
    "哪些", "几个", "有什么用", "可以", "能不能", "能否", "请问", "一个", "意思", "区别", "的", "了", "吗", "呢", "和",
    "与", "跟", "是"].join("|"), "gu");
  const REPEATS = /^(练习|小结|延伸阅读|常见误解)/;   // 这些节把别处的话再说一遍
  const APPENDIX = ["book/claims", "book/teaching", "book/bibliography"];   // 这几页也是
  const SHOWN = 10;

  const lower = (text) => text.normalize("NFKC").toLowerCase();
  const squeeze = (text) => lower(text).replaceAll(/\s+/gu, "");
  const literal = (word) => word.replaceAll(/[.*+?^${}()|[\]\\/]/gu, "\\$&");
  const unique = (list) => [...new Set(list)];

  // 一节的四处文字，各存两份：带空格的给字母与数字，去掉空格的给汉字与算式
  const both = (text) => ({ spaced: lower(text), tight: squeeze(text) });
  const sections = BOOK.sections.map(([page, anchor, title, prose, code]) => {
    const [name, heading] = BOOK.pages[page];
    const fields = { title: both(title), page: both(heading), prose: both(prose), code: both(code) };
    return { name, heading, anchor, title, prose, fields,
             weight: REPEATS.test(title) || APPENDIX.some((page) => name.startsWith(page)) ? 0.4 : 1 };
  });
  const usual = sections.reduce((sum, { prose }) => sum + prose.length, 0) / sections.length;

  // 汉字串切成每两字一段，再加整串；字母、数字、算式（如 out[:, -1]）照原样
  const pairs = (run) => Array.from({ length: run.length - 1 }, (_, k) => run.slice(k, k + 2));
  const split = (query) => {
    const runs = lower(query).replaceAll(FILLER, " ").match(/\p{Script=Han}+|[a-z0-9_.-]*[a-z0-9_]/gu) ?? [];
    const formula = /[[\](){}=:]/u.test(query) ? [squeeze(query)] : [];
    const words = runs.flatMap((run) => (/\p{Script=Han}/u.test(run) ? [run, ...pairs(run)] : run));
    const long = words.filter((word) => word.length > 1);   // 单个汉字，别的都没有时才找
    return unique([...(long.length ? long : words), ...formula]);
  };

  // 字母、数字要整个对上：64 不在 amd64 里
  const counter = (word) => {
    const latin = /^[a-z0-9_. -]+$/u.test(word);
    const pattern = new RegExp(latin ? `(?<![a-z0-9_])${literal(word)}(?![a-z0-9_])` : literal(squeeze(word)), "gu");
    return (field) => field[latin ? "spaced" : "tight"].match(pattern)?.length ?? 0;
  };

  // 一个词在各节的得分，像 BM25：少见的词重；一节里多几次，多得一点；节名里有，再加
  const gains = (word) => {
    const times = counter(word);
    const each = sections.map(({ fields, prose }) => {
      const n = times(fields.prose) + 0.3 * times(fields.code);
      return n / (n + 0.5 + 0.7 * prose.length / usual)
        + (times(fields.title) ? 1.2 : 0) + (times(fields.page) ? 0.5 : 0) || 0;
    });
    const n = each.filter(Boolean).length;
    return { word, each, idf: n ? Math.log(1 + (sections.length - n + 0.5) / (n + 0.5)) : 0 };
  };

  // 问句提到的术语：中文、英文或别名
  const termsIn = (query) => BOOK.terms.filter(([chinese, english, , aliases]) =>
    [chinese, english, ...aliases].some((word) => word.length > 1 && counter(lower(word))(both(query))));

  const search = (query) => {
    const terms = termsIn(query);
    const asked = unique([query, ...terms.map(([chinese]) => chinese)].flatMap(split));   // 别名换成书里的词再找
    const words = asked.map(gains).filter(({ idf }) => idf > 0);
    const whole = words.filter(({ word }) => word.length > 2).map(({ word }) => word);
    for (const item of words)   // 整串书里有，拆开的段只算三成
      if (whole.some((run) => run !== item.word && run.includes(item.word))) item.idf *= 0.3;
    const all = words.reduce((sum, { idf }) => sum + idf, 0);
    const found = sections.map((section, k) => {
      const here = words.filter(({ each }) => each[k]);
      const points = here.reduce((sum, { each, idf }) => sum + idf * each[k], 0);
      const share = here.reduce((sum, { idf }) => sum + idf, 0) / all;   // 问到的几样，这里有几成
      return { section, points: points && section.weight * points * share };
    });
    return { terms, words, found: found.filter(({ points }) => points).sort((a, b) => b.points - a.points) };
  };

  // 摘要：词最密的 90 个字
  const excerpt = (prose, words) => {
    const spots = words.flatMap(({ word, idf }) =>
      [...lower(prose).matchAll(new RegExp(literal(word), "gu"))].map(({ index }) => ({ index, idf })));
    const near = (start) => spots.filter(({ index }) => index >= start && index < start + 70)
      .reduce((sum, { idf }) => sum + idf, 0);
    const best = spots.reduce((a, { index }) => (near(index) > near(a) ? index : a), spots[0]?.index ?? 0);
    const start = Math.max(0, best - 20);
    return (start ? "…" : "") + prose.slice(start, start + 90) + (start + 90 < prose.length ? "…" : "");
  };

  const element = (tag, text, more = {}) => Object.assign(document.createElement(tag), { textContent: text }, more);

  const marked = (text, words) => {
    const found = words.map(({ word }) => literal(word)).sort((a, b) => b.length - a.length);
    const parts = found.length ? text.split(new RegExp(`(${found.join("|")})`, "iu")) : [text];
    const paragraph = element("p", "");
    paragraph.append(...parts.map((part, k) => (k % 2 ? element("mark", part) : part)));
    return paragraph;
  };

  const meaningOf = ([chinese, english, meaning]) => {
    const item = element("li", "", { className: "term" });
    const glossary = `${document.documentElement.dataset.content_root}book/glossary.html`;
    item.append(element("a", chinese, { href: glossary }), ` ${english}：${meaning.replaceAll(/[`$\\]/gu, "")}`);
    return item;
  };

  const resultOf = (words) => ({ section: { name, heading, anchor, title, prose } }) => {
    const item = element("li", "");
    const root = document.documentElement.dataset.content_root;
    item.append(element("a", title, { href: `${root}${name}.html${anchor && `#${anchor}`}` }));
    if (anchor) item.append(element("span", heading));
    item.append(marked(excerpt(prose, words), words));
    return item;
  };

  const show = (query) => {
    const { terms, words, found } = search(query);
    const count = Math.min(SHOWN, found.length);
    document.getElementById("search-count").textContent = !query.trim() ? ""
      : count ? `“${query}”最相关的 ${count} 节` : `没有一节提到“${query}”，换个说法试试。`;
    document.getElementById("search-results").replaceChildren(
      ...terms.slice(0, 3).map(meaningOf), ...found.slice(0, SHOWN).map(resultOf(words)));
  };

  const input = document.querySelector("#section-search input[name=q]");
  input.value = new URLSearchParams(location.search).get("q") ?? "";
  input.addEventListener("input", () => show(input.value));
  input.form.addEventListener("submit", (event) => {
    event.preventDefault();
    history.replaceState(null, "", `?${new URLSearchParams({ q: input.value })}`);
    show(input.value);
  });
  window.searchBook = search;   // 测试从这里问
  show(input.value);
  input.focus();
})();
