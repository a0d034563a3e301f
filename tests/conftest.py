"""全部测试共用的设置：浏览器怎样启动，属性测试怎样取样。"""

import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# 机器有快有慢，不限时；固定取样，红绿不靠运气
settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")

CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # 断网：除了本机，什么域名都解析不出
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


def find_chromium():
    usual = Path("/usr/bin/chromium")
    return str(usual) if usual.exists() else shutil.which("chromium")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    chromium = find_chromium()
    if chromium is None:
        pytest.fail("找不到 Chromium；Debian/Ubuntu 请先运行：sudo apt install chromium", pytrace=False)
    return {**browser_type_launch_args, "executable_path": chromium, "args": CHROMIUM_ARGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "zh-CN"}
