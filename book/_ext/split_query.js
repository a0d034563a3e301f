// 用索引里的词切分查询：汉字串从左到右取最长的已知词，一个词也没有时原样返回
function splitQuery(query) {
  const { terms, titleterms } = Search._index;
  const known = (word) => Object.hasOwn(terms, word) || Object.hasOwn(titleterms, word);

  const cut = (run) => {
    const words = [];
    for (let start = 0; start < run.length; ) {
      let end = run.length;
      while (end > start && !known(run.slice(start, end))) end--;
      if (end > start) words.push(run.slice(start, end));
      start = Math.max(end, start + 1);
    }
    return words.length ? words : [run];
  };

  const runs = query.match(/\p{Script=Han}+|[A-Za-z0-9_]+/gu) ?? [];
  return runs.flatMap((run) => (/[A-Za-z0-9_]/.test(run) ? [run] : cut(run)));
}

// file:// 下浏览器不许读别的页面，搜索结果只列标题，不取摘要
if (location.protocol === "file:") DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

// 摘要从正文取：去掉页首只供打印的目录和公式的定界符
const { htmlToText } = Search;
Search.htmlToText = (html, anchor) =>
  htmlToText(html.replace(/<div id="jb-print-docs-body"[^]*?(?=<article)/, ""), anchor)
    .replace(/\\[()[\]]/g, "");
