"""系统里的 Chromium：找到它，断着网无头打开。讲义、测试、量网页的脚本共用。"""

import shutil
import sys
from contextlib import contextmanager

ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # 断网：除了本机，什么域名都解析不出
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]
MISSING = "找不到 Chromium；请先安装，见 book/setup.md 的“Chromium”"


def find():
    """先找没有窗口的那一种：同一个内核，开页少用一半处理器时间。都没有时返回 None。"""
    return shutil.which("chromium-headless-shell") or shutil.which("chromium")


@contextmanager
def opened():
    """开着的浏览器；没有装，就说一句怎样装，退出。"""
    from playwright.sync_api import sync_playwright  # 只有做讲义、跑测试才装它

    path = find()
    if path is None:
        sys.exit(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield browser
        browser.close()
