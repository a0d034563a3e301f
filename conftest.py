"""nbval 比较输出时添两条：≈ 后面是现量的数，不比；图要与刚画的大致一样。

放在最外面，单跑一章也照着；“守得住吗”见 CONTRIBUTING.md，哪些格不比见 tests/unproven.json。
"""

import base64
import io
import os
from pathlib import Path

# 一个工人一个线程：两个核上线程再多，只会互相等；要在导入 numpy 之前。notebook 的内核与另起的进程也照着
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

GRID = 32           # 一张图缩成 32 × 32 格，一格一个颜色
TOLERANCE = 24      # 颜色从 0 到 255；同一张图换一台机器重画，差得远比这小


def pytest_configure(config):
    if config.pluginmanager.hasplugin("nbval"):
        from nbval.plugin import IPyNbCell
        config.option.nbval_sanitize_with = str(Path(__file__).with_name("tests") / "measured.cfg")
        IPyNbCell.compare_outputs = and_pictures(IPyNbCell.compare_outputs)


def and_pictures(compare_text):
    """nbval 不比图；文字都一样时，再看图。"""
    def compare(cell, fresh, stored, skip_compare=None):
        if not compare_text(cell, fresh, stored, skip_compare):
            return False
        for new, old in zip(pictures(fresh), pictures(stored), strict=True):
            if "≈" not in old["text/plain"] and not look_alike(new["image/png"], old["image/png"]):
                cell.comparison_traceback.append(
                    f"存着的图与刚画的不一样：{old['text/plain'].splitlines()[0]}；请重新运行这一章")
                return False
        return True
    return compare


def pictures(outputs):
    return [o["data"] for o in outputs if "image/png" in o.get("data", {})]


def look_alike(first, second):
    """两张 PNG（base64）：大小差不到百分之二，缩小后每一格的颜色也差不多。"""
    import numpy as np
    from PIL import Image

    images = [Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB") for png in (first, second)]
    sizes = np.array([image.size for image in images])
    if np.abs(np.diff(sizes, axis=0)).max() > 0.02 * sizes.max():
        return False
    small = [np.asarray(image.resize((GRID, GRID), Image.Resampling.BOX), dtype=int) for image in images]
    return np.abs(small[0] - small[1]).max() <= TOLERANCE
