"""第 09 章里 TensorBoard 的画面：打开那一章写下的记录，逐页截图，存进 book/_static/tensorboard/。

    python tests/tensorboard_pictures.py

先运行第 09 章，notebooks/logs_09/ 里才有记录。浏览器断着网；有一个请求不是发给本机的，就报错。
"""

import contextlib
import socket
import subprocess
import sys
import time
import urllib.request
from io import BytesIO
from pathlib import Path
from urllib.parse import urlparse

from PIL import Image
from playwright.sync_api import Page

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "book/_kit"))

import chromium  # noqa: E402

PICTURES = ROOT / "book" / "_static" / "tensorboard"


@contextlib.contextmanager
def tensorboard(logdir: str, cwd: Path = ROOT / "notebooks"):
    """在空闲的端口上开 TensorBoard，给出网址；用完关掉。"""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    server = subprocess.Popen([sys.executable, "-m", "tensorboard.main", "--logdir", logdir,
                               "--host", "127.0.0.1", "--port", address.rpartition(":")[2]],
                              cwd=cwd, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        for _ in range(300):
            time.sleep(0.2)
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"{address}/data/environment").close()
                break
        yield address
    finally:
        server.terminate()
        server.wait()


def is_foreign(url: str) -> bool:
    return urlparse(url).scheme in ("http", "https", "ws", "wss") and urlparse(url).hostname != "127.0.0.1"


def color_and_search(page: Page, word: str) -> None:
    """投影器：颜色按类别，搜一个字；只有一个匹配时它就选中了，右栏列出近邻。"""
    projector = page.frames[-1]
    projector.locator("#colorby").click()
    projector.locator("#colorby paper-item", has_text="最常出现在").click()
    projector.locator("vz-projector-inspector-panel #search-box input").fill(word)


WIDTH = 1280  # 存下的图宽多少像素；窗口开得窄，字就大，手机上也读得清
# 文件名：(打开哪个文件夹，哪一页，打开之后做什么，窗口的宽与高)
SCENES = {
    "scalars": ("logs_09/手写", "scalars", None, (800, 860)),
    "histograms": ("logs_09/消失", "histograms&tagFilter=log10", None, (800, 920)),
    "projector": ("logs_09/零件", "projector", lambda page: color_and_search(page, "球"), (1120, 760)),
    "pr_curves": ("logs_09/零件", "pr_curves", None, (800, 560)),
    "hparams": ("logs_09/诊断", "hparams", None, (1120, 420)),
    "gradients": ("logs_09/诊断", "histograms&tagFilter=梯度.*weight_hh", None, (800, 1230)),
}


def main() -> None:
    if not (ROOT / "notebooks" / "logs_09" / "诊断").is_dir():
        sys.exit("notebooks/logs_09/ 里没有记录；请先从头运行 notebooks/09_tensorboardx.ipynb")
    PICTURES.mkdir(exist_ok=True)
    foreign = []
    with chromium.opened() as browser:
        for name, (logdir, tab, act, (width, height)) in SCENES.items():
            with tensorboard(logdir) as address:
                page = browser.new_page(viewport={"width": width, "height": height}, color_scheme="light",
                                        device_scale_factor=WIDTH / width)
                page.on("request", lambda request: is_foreign(request.url) and foreign.append(request.url))
                page.goto(f"{address}/#{tab}")
                page.wait_for_timeout(6000)  # 记录读完，线画完；没有一个元素说得清何时画完
                if act:
                    act(page)
                    page.wait_for_timeout(4000)
                picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
                path = PICTURES / f"{name}.png"
                picture.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)
                print(f"{path.relative_to(ROOT)}  {path.stat().st_size / 1024:.0f} KB")
                page.close()
    if foreign:
        sys.exit(f"有 {len(foreign)} 个请求不是发给本机的：{foreign[:3]}")


if __name__ == "__main__":
    main()
