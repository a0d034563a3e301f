"""nbval 比较输出时添三条。

≈ 后面是现量的数，不比（measured.cfg）。标签 nbval-close 的格，换处理器会变，数差不到一成五就算一样，
字照旧一个也不能差。图要与刚画的大致一样。
"""

import base64
import copy
import io
import math
import re
from pathlib import Path

CLOSE = {"rel_tol": 0.15, "abs_tol": 0.02}
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[+-]\d+)?")
GRID = 32           # 一张图缩成 32 × 32 格，一格一个颜色
TOLERANCE = 24      # 颜色从 0 到 255；数一样，重画就差不到 3；同一章的两张图，至少差 88
LOOSE = 60          # nbval-close 的格，线与点会挪一点


def install(config):
    from nbval.plugin import IPyNbCell

    config.option.nbval_sanitize_with = str(Path(__file__).with_name("measured.cfg"))
    IPyNbCell.compare_outputs = compare_with(IPyNbCell.compare_outputs)


def compare_with(compare_text):
    """先照 nbval 比文字；都一样，再看图。"""
    def compare(cell, fresh, stored, skip_compare=None):
        close = "nbval-close" in cell.cell.metadata.get("tags", [])
        if close:
            fresh = [settled(new, old) for new, old in zip(fresh, stored, strict=False)] + fresh[len(stored):]
        if not compare_text(cell, fresh, stored, skip_compare):
            return False
        for new, old in zip(pictures(fresh), pictures(stored), strict=True):
            two = new["image/png"], old["image/png"]
            if "≈" not in old["text/plain"] and not look_alike(*two, LOOSE if close else TOLERANCE):
                cell.comparison_traceback.append(
                    f"存着的图与刚画的不一样：{old['text/plain'].splitlines()[0]}；请重新运行这一章")
                return False
        return True
    return compare


def settled(new, old):
    """一个输出：里面的数与存着的相近，就换成存着的。"""
    new = copy.deepcopy(new)
    for holder, stored in ((new, old), (new.get("data", {}), old.get("data", {}))):
        for key in holder.keys() & stored.keys() & {"text", "text/plain", "text/html"}:
            holder[key] = settle(holder[key], stored[key])
    return new


def settle(new, old):
    numbers = NUMBER.findall(old)
    if len(NUMBER.findall(new)) != len(numbers):
        return new
    left = iter(numbers)
    return NUMBER.sub(lambda found: nearest(found[0], next(left)), new)


def nearest(new, old):
    return old if math.isclose(float(new), float(old), **CLOSE) else new


def pictures(outputs):
    return [o["data"] for o in outputs if "image/png" in o.get("data", {})]


def look_alike(first, second, tolerance=TOLERANCE):
    """两张 PNG（base64）：大小差不到百分之二，缩小后每一格的颜色也差不多。"""
    import numpy as np
    from PIL import Image

    images = [Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB") for png in (first, second)]
    sizes = np.array([image.size for image in images])
    if np.abs(np.diff(sizes, axis=0)).max() > 0.02 * sizes.max():
        return False
    small = [np.asarray(image.resize((GRID, GRID), Image.Resampling.BOX), dtype=int) for image in images]
    return np.abs(small[0] - small[1]).max() <= tolerance
