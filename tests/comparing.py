"""nbval 比较输出时添两条：≈ 后面是现量的数，不比（measured.cfg）；图要与刚画的大致一样。"""

import base64
import io
from pathlib import Path

GRID = 32           # 一张图缩成 32 × 32 格，一格一个颜色
TOLERANCE = 24      # 颜色从 0 到 255；换一台机器重画，差得远比这小；同一章的两张图，差得远比这大


def install(config):
    from nbval.plugin import IPyNbCell

    config.option.nbval_sanitize_with = str(Path(__file__).with_name("measured.cfg"))
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
