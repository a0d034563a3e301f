"""检查点：训练到一半的数组和进度，存成一个文件；断电、被杀，都能从最近的一次接着来。

文件是不带 pickle 的 npz，先写临时文件再改名，所以要么是上一次的，要么是这一次的，没有半个。
"""

from __future__ import annotations

import io
import json
import tokenize
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from textseq.files import write_atomically


def save_checkpoint(path: str | Path, arrays: Mapping[str, np.ndarray], done: int, setting: Mapping) -> None:
    """存下数组、进度 done（做完了几轮），和设定 setting（能写成 JSON 的 dict）。"""
    buffer = io.BytesIO()
    note = json.dumps({"done": done, "setting": dict(setting)}, ensure_ascii=False, sort_keys=True)
    np.savez(buffer, note=np.array(note), **arrays)
    write_atomically(path, buffer.getvalue())


def read_checkpoint(path: str | Path) -> tuple[dict[str, np.ndarray], int, dict]:
    """读检查点，返回 (数组, 进度, 设定)。异常：文件坏了 ValueError。"""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        note = json.loads(str(arrays.pop("note")))
        return arrays, note["done"], note["setting"]
    except (OSError, ValueError, KeyError, EOFError, TypeError, RuntimeError,
            tokenize.TokenError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} 不是完整的检查点（{error}）；请删去它，从头训练") from None


def load_checkpoint(path: str | Path, setting: Mapping) -> tuple[dict[str, np.ndarray], int] | None:
    """读检查点，返回 (数组, 进度)；文件不存在返回 None。

    异常：文件坏了，或存它的时候设定不同（换了语料、词表、参数），ValueError，说出是哪一项。
    """
    if not Path(path).exists():
        return None
    arrays, done, old = read_checkpoint(path)
    new = json.loads(json.dumps(dict(setting)))
    if changed := [name for name in {**old, **new} if old.get(name) != new.get(name)]:
        name = changed[0]
        raise ValueError(f"{path} 是用另一套设定存下的：{name} 当时是 {old.get(name)!r}，"
                         f"现在是 {new.get(name)!r}；请改回去接着训练，或删去它从头来")
    return arrays, done
