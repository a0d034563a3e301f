"""打包的词向量：量化成 int8，写成网页用 <script> 就能载入的一个文件，Python 也读它。

    vectors, counts = load_quantized("data/neighbors/neighbors.js")

量化：每行各自放大，使绝对值最大的一维是 127，再取整。近邻与类比只看方向，所以放大了多少
不必存，向量的长度也就不能用了。同一个文件，在任何机器上都是同样的整数。
"""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from textseq._files import write_atomically
from textseq.vectors import WordVectors

_HEAD = "textseqNeighbors = "


def quantize(matrix: np.ndarray) -> np.ndarray:
    """形状：(V, E) 浮点 → (V, E) int8，恰在正中时取偶数；全 0 的行仍是 0。"""
    matrix = np.asarray(matrix, dtype=np.float64)
    largest = np.abs(matrix).max(axis=1, keepdims=True)
    return np.rint(matrix * 127 / np.where(largest == 0, 1, largest)).astype(np.int8)


def save_quantized(path: str | Path, vectors: WordVectors, counts: Sequence[int], about: str) -> None:
    """量化并写下词、词频、向量和一句说明；输入相同，文件逐字节相同。

    异常：词是空的或含有空白，或词与词频不一样多，ValueError。
    """
    if bad := [word for word in vectors.words if word.split() != [word]]:
        raise ValueError(f"词 {bad[0]!r} 是空的或含有空白，拼成一行后拆不回来；请先去掉它")
    if len(counts) != len(vectors):
        raise ValueError(f"收到 {len(vectors)} 个词、{len(counts)} 个词频；两者应一样多")
    payload = {"about": about, "vector_size": vectors.vector_size, "words": " ".join(vectors.words),
               "counts": [int(n) for n in counts],
               "rows": base64.b64encode(quantize(vectors.matrix).tobytes()).decode()}
    # 给一个全局变量赋值：http 与 file:// 的网页都能载入
    write_atomically(path, f"{_HEAD}{json.dumps(payload, ensure_ascii=False, separators=(',', ':'))};\n")


def load_quantized(path: str | Path) -> tuple[WordVectors, list[int]]:
    """读 save_quantized 写下的文件：词向量（分量是 -127 到 127 的整数），与各词的词频。

    异常：文件不存在 FileNotFoundError；不是这种文件，或各部分长短不合，ValueError。
    """
    text = Path(path).read_text(encoding="utf-8")
    try:
        payload = json.loads(text.removeprefix(_HEAD).rstrip(";\n"))
        words, counts, size = payload["words"].split(" "), payload["counts"], payload["vector_size"]
        rows = np.frombuffer(base64.b64decode(payload["rows"], validate=True), np.int8)
        if not len(words) == len(counts) == len(rows) / size:
            raise ValueError(f"{len(words)} 个词，{len(counts)} 个词频，{len(rows) / size:g} 行向量")
        return WordVectors(words, rows.reshape(-1, size)), counts
    except (ValueError, KeyError, TypeError, AttributeError, ZeroDivisionError) as error:
        raise ValueError(f"{path} 不是完整的打包词向量（{error}）；请重新下载，"
                         "或运行 python data/neighbors/build.py 重做") from None
