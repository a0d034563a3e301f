"""打包的词向量：量化成 int8，写成网页用 <script> 就能载入的一个文件，Python 也读它。第 03、04 章。

    vectors, counts = load_quantized("data/neighbors/neighbors.js")

量化：每行各自放大，使绝对值最大的一维是 127，再取整。近邻与类比只看方向，所以放大了多少
不必存，向量的长度也就不能用了。同一个文件，在任何机器上都是同样的整数。
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from textseq._files import check_readable, write_atomically
from textseq.vectors import WordVectors

__all__ = ["load_quantized", "pack_table", "quantize", "quantize_rows", "round_blocks",
           "save_quantized", "split_into", "write_script"]

_NAME = "textseqNeighbors"  # 网页里的全局变量


def quantize_rows(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """每行各自缩放，使绝对值最大的一个数是 127，再取整；全 0 的行仍是 0。

    形状：(R, C) 浮点 → 整数 (R, C) int8，与每行一格多大 (R, 1)，两者相乘就还原。恰在正中时取偶数。

    >>> whole, step = quantize_rows(np.array([[1.27, -0.5, 0.0]]))
    >>> whole.tolist(), (whole * step).round(2).tolist()
    ([[127, -50, 0]], [[1.27, -0.5, 0.0]])
    """
    step = np.abs(matrix).max(axis=1, keepdims=True) / matrix.dtype.type(127)
    return np.rint(matrix / np.where(step == 0, 1, step)).astype(np.int8), step


def round_blocks(blocks: Sequence[np.ndarray]) -> None:
    """几块左右拼成一张表，每行各自取整，再还原写回原处：torch 的权重用 .numpy()，改的就是模型。

    >>> W, b = np.array([[1.27, -0.504]]), np.array([0.3])
    >>> round_blocks([W, b])
    >>> W.round(2).tolist(), b.round(2).tolist()
    ([[1.27, -0.5]], [0.3])
    """
    whole, step = quantize_rows(np.column_stack(blocks))
    split_into(blocks, whole * step)


def split_into(blocks: Sequence[np.ndarray], table: np.ndarray) -> None:
    """一张表拆回左右拼成它的几块，写在原处。

    >>> W, b = np.zeros((2, 2)), np.zeros(2)
    >>> split_into([W, b], np.array([[1, 2, 3], [4, 5, 6]]))
    >>> W.tolist(), b.tolist()
    ([[1.0, 2.0], [4.0, 5.0]], [3.0, 6.0])
    """
    ends = np.cumsum([block[0].size for block in blocks])
    for block, part in zip(blocks, np.split(table, ends[:-1], axis=1), strict=True):
        block[...] = part.reshape(block.shape)


def pack_table(matrix: np.ndarray) -> dict:
    """一张表量化以后，写得进 JSON 的样子：形状，每行一格多大，整数；后两样是 base64。

    >>> pack_table(np.array([[1.27, -0.5]], dtype=np.float32))["shape"]
    (1, 2)
    """
    whole, step = quantize_rows(matrix)
    step, whole = (base64.b64encode(array.tobytes()).decode() for array in (step, whole))
    return {"shape": matrix.shape, "step": step, "whole": whole}


def quantize(matrix: np.ndarray) -> np.ndarray:
    """只留方向的量化：同 quantize_rows，用双精度算，不留放大了多少。形状：(V, E) → (V, E) int8。

    >>> quantize([[0.5, -1, 0.25], [0, 0, 0]]).tolist()
    [[64, -127, 32], [0, 0, 0]]
    """
    return quantize_rows(np.asarray(matrix, dtype=np.float64))[0]


def write_script(path: str | Path, name: str, payload: dict) -> None:
    """写成给全局变量 name 赋值的一行 JavaScript：http 与 file:// 的网页都能载入。

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_script(f"{folder}/a.js", "words", {"词": ["猫", "狗"]})
    ...     Path(f"{folder}/a.js").read_text(encoding="utf-8")
    'words = {"词":["猫","狗"]};\\n'
    """
    text = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    write_atomically(path, f"{name} = {text};\n")


def save_quantized(path: str | Path, vectors: WordVectors, counts: Sequence[int],
                   about: str) -> None:
    """量化并写下词、词频、向量和一句说明；输入相同，文件逐字节相同。

    异常：词是空的或含有空白，或词与词频不一样多，ValueError。

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     vectors = WordVectors(["猫", "狗"], [[3, 4], [0.5, -1]])
    ...     save_quantized(f"{folder}/a.js", vectors, [9, 5], "两个词")
    ...     packed, counts = load_quantized(f"{folder}/a.js")
    >>> packed.matrix.tolist(), counts
    ([[95.0, 127.0], [64.0, -127.0]], [9, 5])
    """
    if bad := [word for word in vectors.words if word.split() != [word]]:
        raise ValueError(f"词 {bad[0]!r} 是空的或含有空白，拼成一行后拆不回来；请先去掉它")
    if len(counts) != len(vectors):
        raise ValueError(f"收到 {len(vectors)} 个词、{len(counts)} 个词频；两者应一样多")
    payload = {"about": about, "vector_size": vectors.vector_size, "words": " ".join(vectors.words),
               "counts": [int(n) for n in counts],
               "rows": base64.b64encode(quantize(vectors.matrix).tobytes()).decode()}
    write_script(path, _NAME, payload | {"crc32": _checksum(payload)})


def load_quantized(path: str | Path) -> tuple[WordVectors, list[int]]:
    """读 save_quantized 写下的文件：词向量（分量是 -127 到 127 的整数），与各词的词频。

    异常：文件不存在 FileNotFoundError；不是这种文件，各部分长短不合，或校验和不对，ValueError。

    >>> try:
    ...     load_quantized(__file__)  # 这个程序自己
    ... except ValueError as error:
    ...     print("不是完整的打包词向量" in str(error))
    True
    """
    content = check_readable(path).read_bytes()
    try:
        text = content.decode("utf-8")
        payload = json.loads(text.removeprefix(f"{_NAME} = ").rstrip(";\n"))
        if payload.pop("crc32") != _checksum(payload):
            raise ValueError("校验和不对")
        words, counts, size = payload["words"].split(" "), payload["counts"], payload["vector_size"]
        rows = np.frombuffer(base64.b64decode(payload["rows"], validate=True), np.int8)
        if not len(words) == len(counts) == len(rows) / size:
            raise ValueError(f"{len(words)} 个词，{len(counts)} 个词频，{len(rows) / size:g} 行向量")
        return WordVectors(words, rows.reshape(-1, size)), counts
    except (ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        reason = "不是文本" if isinstance(error, UnicodeDecodeError) else error
        raise ValueError(f"{path} 不是完整的打包词向量（{reason}）；请重新下载，"
                         "或运行 python data/neighbors/build.py 重做") from None


def _checksum(payload: dict) -> int:
    """内容的校验和：坏一位，多半仍是合法的 JSON 与 base64，看不出来。"""
    return zlib.crc32(json.dumps(payload, ensure_ascii=False, sort_keys=True).encode())
