"""分享网址时的预览图 book/_static/preview.png，1200×630：书名、口号，一条标题的隐状态（真的跑出来的）。

    python tests/by_hand/preview_picture.py
"""

import sys
from io import BytesIO
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "book/_ext"), str(ROOT / "book/_kit")]

import chromium  # noqa: E402
import journey  # noqa: E402

PAGE = """<!doctype html><html lang="zh"><meta charset="utf-8"><style>
body { margin: 0; width: 1200px; height: 630px; background: #fffefb; color: #1b2733; box-sizing: border-box;
  padding: 70px 80px; font-family: "Noto Sans CJK SC", sans-serif; border-bottom: 14px solid #1f5c86; }
h1 { font-size: 92px; margin: 0; }
h2 { font-size: 40px; font-weight: 500; margin: 6px 0 34px; color: #444f5a; }
p { font-size: 38px; margin: 0 0 44px; border-left: 10px solid #d5851f; padding-left: 22px; }
table { border-spacing: 6px; } td { width: 84px; height: 30px; text-align: center; font-size: 30px; }
</style><h1>序列与词</h1><h2>循环神经网络与词向量实验课</h2><p>笔记里的每一句话，都跑一遍</p>
<table>ROWS</table>"""


def colour(value):
    """与书里的色条一样：橙为正，蓝为负，越浓越大。"""
    base = (213, 94, 0) if value > 0 else (0, 114, 178)
    return "rgb({}, {}, {})".format(*(round(247 + (c - 247) * min(1, abs(value))) for c in base))


def rows():
    """上面一排是词，下面每一步的隐状态，一行一个单元。"""
    run = journey.run()
    words, h = run.words[0], run.h[0, :len(run.words[0])].T  # (H, T)
    cells = ["".join(f"<td>{word}</td>" for word in words)]
    cells += ["".join(f'<td style="background: {colour(v)}"></td>' for v in unit) for unit in h[:4]]
    return "".join(f"<tr>{row}</tr>" for row in cells)


def main():
    with chromium.opened() as browser:
        page = browser.new_page(viewport={"width": 1200, "height": 630})
        page.set_content(PAGE.replace("ROWS", rows()))
        picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(64, dither=Image.Dither.NONE).save(ROOT / "book/_static/preview.png", optimize=True)


if __name__ == "__main__":
    main()
