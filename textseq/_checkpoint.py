"""检查点：训练到一半的数组和进度，存成一个文件；断电、被杀，都能从最近的一次接着来。第 07、10 章。

文件是不带 pickle 的 npz，先写临时文件再改名，所以要么是上一次的，要么是这一次的，没有半个。
"""

from __future__ import annotations

import contextlib
import io
import json
import re
import tokenize
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from textseq._files import write_atomically

ZIP = re.compile(rb"PK\x03\x04.{26}\w*\.npy", re.S)  # npz 的开头：一个 zip，头一件是 .npy
# 只存校验和的几项：不合的时候，说换了什么，不念校验和
_CHECKED = {"vocab": "词表", "titles": "标题（train 或 dev）", "ids": "语料",
            "sentence": "语料的断句", "start_vectors": "起始词向量"}


def save_checkpoint(path: str | Path, arrays: Mapping[str, np.ndarray], done: int,
                    setting: Mapping) -> None:
    """存下数组、进度 done（做完了几轮），和设定 setting（能写成 JSON 的 dict）。"""
    buffer = io.BytesIO()
    note = json.dumps({"done": done, "setting": dict(setting)}, ensure_ascii=False, sort_keys=True)
    np.savez(buffer, note=np.array(note), **arrays)
    write_atomically(path, buffer.getvalue())


def read_checkpoint(path: str | Path) -> tuple[dict[str, np.ndarray], int, dict]:
    """读检查点，返回 (数组, 进度, 设定)。

    异常：不是 textseq 存下的文件，或不完整，ValueError；打不开（没有权限等），OSError。
    """
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} 是文件夹，这里要的是文件；请检查路径")
    with path.open("rb") as file:
        if not ZIP.match(file.read(200)):
            raise ValueError(f"{path} 不是 textseq 存下的文件；请检查路径，是不是写成了别的文件")
    try:
        with np.load(path, allow_pickle=False) as file:
            ours = "note" in file.files
            arrays = {name: file[name] for name in file.files} if ours else {}
    except (OSError, ValueError, EOFError, RuntimeError, tokenize.TokenError, zipfile.BadZipFile):
        raise ValueError(f"{path} 不完整，读不出来；如果它是训练留下的检查点或模型，"
                         "请删去它，从头训练") from None
    with contextlib.suppress(ValueError, KeyError, TypeError):
        note = json.loads(str(arrays.pop("note")))
        return arrays, note["done"], note["setting"]
    raise ValueError(f"{path} 是一个 npz，但不是 textseq 存下的；请检查路径")


def load_checkpoint(path: str | Path, setting: Mapping, ignore: Sequence[str] = ()
                    ) -> tuple[dict[str, np.ndarray], int] | None:
    """读检查点，返回 (数组, 进度)；文件不存在返回 None。ignore 里的几项不比。

    异常：文件不对，或存它的时候设定不同（换了语料、词表、参数），ValueError，说出是哪一项。
    """
    if not Path(path).exists():
        return None
    arrays, done, old = read_checkpoint(path)
    new = json.loads(json.dumps(dict(setting)))
    if old.keys() != new.keys():
        raise ValueError(f"{path} 存的是别的东西（模型，或另一种训练的检查点），接不上；"
                         "请换一个检查点文件")
    if changed := [name for name in new if name not in ignore and old[name] != new[name]]:
        order = list(_CHECKED)
        name = min(changed, key=lambda name: order.index(name) if name in order else -1)
        what = (f"{_CHECKED[name]}换了" if name in _CHECKED else
                f"{name} 当时是 {old[name]!r}，现在是 {new[name]!r}")
        raise ValueError(f"{path} 是用另一套设定存下的：{what}；"
                         "请改回去接着训练，或换一个检查点文件，从头来")
    return arrays, done
