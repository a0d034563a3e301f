#!/usr/bin/env bash
# Sphinx 9.0.4，2026-11-30：搜索页“找到几页”的那一行，日文、韩文、繁体中文站是空白；简体中文站平时正常，
# 页面的内容安全策略不许用字符串造函数时，找到的不是 1 页就抛 TypeError。英文站都没有事。
#
# 那一行是 Documentation.ngettext(一页的话, 几页的话, n)。没有单复数的语言只存一句译文：
#   ja、ko、zh_TW 存的是 [""]（没有译，也编进了 translations.js），于是取出空串，不退回英文；
#   zh_CN 存着一句，取第几句由 addTranslations 用 new Function 造的函数定。策略里没有 'unsafe-eval'，那一行
#   抛 EvalError，译文已经登记，函数还是英文的（n 不是 1 取第 1 句），第 1 句是 undefined，.replace 就抛错。
# 这里不开浏览器：node 的 codeGeneration.strings 与 'unsafe-eval' 管的是同一件事。7.4.7 没有这几句的译文，不受影响。
#
# 看到的输出：
#   zh_CN　许造函数：1 页 有字，2 页 有字　　　不许：EvalError，1 页 有字，2 页 TypeError
#   ja　　 许造函数：1 页 空串，2 页 空串　　　不许：EvalError，1 页 空串，2 页 TypeError
#   en　　 许造函数：1 页 有字，2 页 有字　　　不许：1 页 有字，2 页 有字
#
# 谁会弄错：给中日韩文的 Sphinx 站加严格策略、或从 7.4 升上来的人；拿英文站试，两样都试不出来。
# 行为变了，本脚本以失败结束。要 node。不用课程的代码；不在 CI 里运行。
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sphinx==9.0.4

cat > "$folder/try.js" <<'JS'
const { readFileSync, existsSync } = require("fs");
const vm = require("vm");
const [statics, strings] = process.argv.slice(2);
const scope = { document: { addEventListener() {}, readyState: "loading" }, window: {} };
vm.createContext(scope, { codeGeneration: { strings: strings === "yes", wasm: true } });
const run = (text) => vm.runInContext(text, scope);
run(readFileSync(`${statics}/doctools.js`, "utf-8") + "\nglobalThis.Documentation = Documentation;");
const said = [];
const translations = `${statics}/translations.js`;
try { if (existsSync(translations)) run(readFileSync(translations, "utf-8")); }
catch (error) { said.push(error.name); }
const [one, many] = ["Search finished, found one page matching the search query.",
  "Search finished, found ${resultCount} pages matching the search query."];
for (const n of [1, 2]) {
  try { said.push(`${n} 页 ${scope.Documentation.ngettext(one, many, n).replace("${resultCount}", n) ? "有字" : "空串"}`); }
  catch (error) { said.push(`${n} 页 ${error.name}`); }
}
console.log(said.join("，"));
JS

try() {   # 语言，许造函数时的，不许时的
  mkdir -p "$folder/$1"
  echo "language = '$1'" > "$folder/$1/conf.py"
  printf 'title\n=====\n' > "$folder/$1/index.rst"
  "$folder/venv/bin/sphinx-build" -q "$folder/$1" "$folder/$1/out"
  free=$(node "$folder/try.js" "$folder/$1/out/_static" yes)
  strict=$(node "$folder/try.js" "$folder/$1/out/_static" no)
  echo "$1　许造函数：$free　　不许：$strict"
  test "$free" = "$2" || { echo "$1 许造函数时变了"; exit 1; }
  test "$strict" = "$3" || { echo "$1 不许造函数时变了"; exit 1; }
}
try zh_CN "1 页 有字，2 页 有字" "EvalError，1 页 有字，2 页 TypeError"
try ja "1 页 空串，2 页 空串" "EvalError，1 页 空串，2 页 TypeError"
try en "1 页 有字，2 页 有字" "1 页 有字，2 页 有字"
