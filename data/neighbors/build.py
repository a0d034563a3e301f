"""近义词互动的数据：把词向量量化成 int8，写成网页用 <script> 就能载入的 neighbors.js。

    python data/neighbors/build.py 词向量文件 词频文件 "一句话说明"

词向量文件是 word2vec 格式，词频文件每行“词<TAB>词频”（Vocab.save 写的那种）。
量化：每行各自放大，使绝对值最大的一维是 127，再取整（恰在正中时取偶数）。近邻与类比
只看方向，所以放大了多少不必存。输入相同，写出的文件就逐字节相同。
"""

import base64
import json
import re
import sys
from pathlib import Path

import numpy as np

from textseq.files import write_atomically
from textseq.vocab import PAD, UNK, Vocab

FOLDER = Path(__file__).parent
MOST = 10_000
_HEAD = "textseqNeighbors = "


def quantize(matrix: np.ndarray) -> np.ndarray:
    """形状：(V, E) 浮点 → (V, E) int8。全 0 的行仍是 0。"""
    matrix = np.asarray(matrix, dtype=np.float64)
    largest = np.abs(matrix).max(axis=1, keepdims=True)
    return np.rint(matrix * 127 / np.where(largest == 0, 1, largest)).astype(np.int8)


def pack(words: list[str], counts: list[int], rows: np.ndarray, about: str) -> str:
    """neighbors.js 的内容：给一个全局变量赋值，所以 http 与 file:// 都能载入。

    异常：词里有空白，或三者不一样多，ValueError。
    """
    if bad := [word for word in words if word.split() != [word]]:
        raise ValueError(f"词 {bad[0]!r} 是空的或含有空白，拼成一行后拆不回来；请先去掉它")
    if not len(words) == len(counts) == len(rows):
        raise ValueError(f"收到 {len(words)} 个词、{len(counts)} 个词频、{len(rows)} 行向量；三者应一样多")
    payload = {"about": about, "vector_size": rows.shape[1], "words": " ".join(words),
               "counts": [int(n) for n in counts], "rows": base64.b64encode(rows.tobytes()).decode()}
    return f"{_HEAD}{json.dumps(payload, ensure_ascii=False, separators=(',', ':'))};\n"


def unpack(text: str) -> tuple[list[str], list[int], np.ndarray, str]:
    """pack 的反面：词、词频、(V, E) int8、说明。"""
    payload = json.loads(text.removeprefix(_HEAD).rstrip(";\n"))
    rows = np.frombuffer(base64.b64decode(payload["rows"]), dtype=np.int8)
    return (payload["words"].split(" "), payload["counts"],
            rows.reshape(-1, payload["vector_size"]), payload["about"])


def top(matrix: np.ndarray, queries: np.ndarray, topn: int = 10) -> np.ndarray:
    """余弦最大的 topn 个词的编号，自己不算。形状：(V, E)、(Q,) → (Q, topn)。"""
    unit = np.asarray(matrix, dtype=np.float64)
    length = np.linalg.norm(unit, axis=1, keepdims=True)
    unit = unit / np.where(length == 0, 1, length)
    found = np.empty((len(queries), topn), dtype=np.int64)
    for n, query in enumerate(queries):
        cosine = unit @ unit[query]
        cosine[query] = -np.inf
        found[n] = np.argsort(-cosine, kind="stable")[:topn]
    return found


def overlap(matrix: np.ndarray, rows: np.ndarray, queries: np.ndarray) -> float:
    """量化前后，前十个近邻里相同的平均占多少（0 到 1）。"""
    pairs = zip(top(matrix, queries), top(rows, queries), strict=True)
    return float(np.mean([len(np.intersect1d(a, b)) / len(a) for a, b in pairs]))


def main(vectors_path: str, counts_path: str, about: str) -> None:
    from textseq.vectors import WordVectors
    vectors, vocab = WordVectors.load(vectors_path), Vocab.load(counts_path)
    count = dict(zip(vocab.words, vocab.counts, strict=True))
    kept = [i for i, word in enumerate(vectors.words) if word not in (PAD, UNK)]
    if unknown := [vectors.words[i] for i in kept if vectors.words[i] not in count]:
        raise ValueError(f"{counts_path} 里没有词 {unknown[0]!r}；词向量与词频应来自同一次训练")
    kept = sorted(kept, key=lambda i: -count[vectors.words[i]])[:MOST]
    words, matrix = [vectors.words[i] for i in kept], vectors.matrix[kept]
    rows = quantize(matrix)
    text = pack(words, [count[word] for word in words], rows, about)
    write_atomically(FOLDER / "neighbors.js", text)
    same = overlap(matrix, rows, np.arange(0, len(words), max(1, len(words) // 500)))
    table = f"""| 项目 | 数 |
|---|---|
| 词向量 | {about} |
| 词数 | {len(words)} |
| 维数 | {rows.shape[1]} |
| 最少见的词出现 | {count[words[-1]]} 次 |
| 文件大小 | {len(text.encode()) / 1e6:.2f} MB |
| 量化前后，前十个近邻相同的 | {same:.1%} |
"""
    readme = FOLDER / "README.md"
    write_atomically(readme, re.sub(r"\| 项目 \|.*?\n(?=\n)", lambda _: table,
                                    readme.read_text(encoding="utf-8"), flags=re.S))
    print(table)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
