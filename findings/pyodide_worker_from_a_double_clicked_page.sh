#!/usr/bin/env bash
# Chromium 156、playwright 1.65.2，2026-11-30：双击打开的网页（file://）里，从 blob: 地址开模块工人
# （type: "module"）开不了，error 事件里连一句话也没有；同一个 blob: 开传统的工人可以，data: 地址开模块工人也
# 可以，里面再 import 一个 blob: 也可以。
#
# Pyodide 314.0.7 不肯在传统的工人里跑，只认模块工人；把工人写进 blob: 是最常见的写法，放在网站上都好用，
# 存成一份双击打开的网页就停在“正在启动”，也没有报错可查。
#
# 看到的输出：
#   http：blob 传统 好，blob 模块 好，data 模块 好
#   file：blob 传统 好，blob 模块 坏，data 模块 好
#
# 谁会弄错：想让 Pyodide 离线、免服务器运行的人；在网站上测过，就当双击也行的人。
# 要有 Chromium（chromium 或 chromium-headless-shell）。行为变了，本脚本以失败结束。不用课程的代码；不在 CI 里运行。
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check playwright==1.65.2
cat > "$folder/page.html" <<'HTML'
<!doctype html><meta charset="utf-8">
<script>
const source = `(async () => {
  const inner = new Blob(["export default 5"], { type: "text/javascript" });
  postMessage((await import(URL.createObjectURL(inner))).default);
})()`;
const blob = () => URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
const data = () => `data:text/javascript,${encodeURIComponent(source)}`;
const start = (url, type) => new Promise((resolve) => {
  const worker = new Worker(url, { type });
  worker.onmessage = ({ data }) => resolve(data === 5 ? "好" : "坏");
  worker.onerror = () => resolve("坏");
});
window.found = (async () => [await start(blob(), "classic"), await start(blob(), "module"),
                             await start(data(), "module")])();
</script>
HTML
cat > "$folder/look.py" <<'PY'
import functools
import shutil
import sys
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import sync_playwright

folder = sys.argv[1]
chromium = shutil.which("chromium-headless-shell") or shutil.which("chromium")
quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *args: None})
server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=folder))
threading.Thread(target=server.serve_forever, daemon=True).start()
wanted = {"http": ["好", "好", "好"], "file": ["好", "坏", "好"]}
seen = {}
with sync_playwright() as play:
    browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
    for name, address in (("http", f"http://127.0.0.1:{server.server_port}"), ("file", f"file://{folder}")):
        page = browser.new_page()
        page.goto(f"{address}/page.html")
        seen[name] = page.evaluate("window.found")
        print(f"{name}：" + "，".join(f"{what} {how}" for what, how in zip(("blob 传统", "blob 模块", "data 模块"),
                                                                        seen[name])))
    print("Chromium", browser.version)
    browser.close()
sys.exit(seen != wanted and "行为变了")
PY
"$folder/venv/bin/python" "$folder/look.py" "$folder"
