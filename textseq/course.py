"""随包带着的课程：摆出 notebook 与数据，打开建好的书。各章都在里面，供没有网的教室用。

`make release` 造的 wheel 里有一个 site.zip，是整个网站；网站里又有一份完整的课程 textseq.zip。
从源代码装的 textseq 没有它：那样的人，课程就在手边。
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from pathlib import Path

from textseq._files import temporary

__all__ = ["SITE", "lay_out_notebooks", "lay_out_site"]

SITE = Path(__file__).with_name("site.zip")
COURSE = "_static/textseq.zip"
INDEX = "book/index.html"
TAUGHT = ("notebooks/", "data/", "LICENSE")   # 上课要用的；书与测试不在内


def lay_out_notebooks(folder: str | Path) -> Path:
    """在 folder 里摆好十章 notebook 与它们的数据，返回 notebooks 文件夹。

    异常：folder 已经有东西 FileExistsError；这份 textseq 没有带课程 FileNotFoundError。

    >>> lay_out_notebooks("我的课程")   # doctest: +IGNORE_EXCEPTION_DETAIL, +ELLIPSIS
    Traceback (most recent call last):
    FileNotFoundError: 这一份 textseq 没有带课程与网站；在课程文件夹里运行 make release……
    """
    def fill(place: Path) -> None:
        with (zipfile.ZipFile(_carried()) as site,
              zipfile.ZipFile(io.BytesIO(site.read(COURSE))) as course):
            for name in course.namelist():
                inside = name.removeprefix("textseq/")
                if inside.startswith(TAUGHT) and not inside.endswith("nbconvert_config.py"):
                    target = place / inside
                    target.parent.mkdir(parents=True, exist_ok=True)
                    target.write_bytes(course.read(name))

    return _whole(Path(folder), fill) / "notebooks"


def lay_out_site(folder: str | Path) -> Path:
    """在 folder 里摆好整个网站，返回首页；已经摆过的，直接返回。

    异常：folder 里是别的东西 FileExistsError；这份 textseq 没有带网站 FileNotFoundError。

    >>> lay_out_site("我的书")          # doctest: +IGNORE_EXCEPTION_DETAIL, +ELLIPSIS
    Traceback (most recent call last):
    FileNotFoundError: 这一份 textseq 没有带课程与网站；在课程文件夹里运行 make release……
    """
    index = Path(folder) / INDEX
    if index.is_file():
        return index

    def fill(place: Path) -> None:
        with zipfile.ZipFile(_carried()) as site:
            site.extractall(place)

    return _whole(Path(folder), fill) / INDEX


def _carried() -> Path:
    if not SITE.is_file():
        raise FileNotFoundError("这一份 textseq 没有带课程与网站；在课程文件夹里运行 make release，"
                                "装它造出来的 wheel")
    return SITE


def _whole(folder: Path, fill: Callable[[Path], None]) -> Path:
    """先摆在旁边的临时文件夹，摆全了才改名：断在半路，不留半份。"""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} 已经有了，里面的东西不动；请换一个名字")
    _carried()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with temporary(folder.parent, Path.mkdir) as place:
        try:
            fill(place)
        except (zipfile.BadZipFile, KeyError) as error:
            raise ValueError(f"随包带着的 {SITE.name} 坏了；请重新装一次 textseq") from error
        if folder.exists():
            folder.rmdir()
        place.rename(folder)
    return folder
