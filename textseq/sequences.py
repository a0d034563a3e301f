"""序列：补齐、截断、掩码、滑动窗口。只用 NumPy；0 号永远留给 <pad>，1 号是 <unk>。

第 01、02、04、05、08 章。
"""

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from textseq.shapes import check_ids, check_integer, check_row

__all__ = ["FIRST", "PAD_ID", "SIDES", "UNK_ID", "draw_reach", "flatten", "make_mask",
           "pad_sequences", "real_lengths", "sliding_windows"]

PAD_ID, UNK_ID, FIRST = 0, 1, 2  # 补齐、不认识的词、第一个真词的编号；哪个词表都一样
SIDES = ("post", "pre")


def pad_sequences(sequences: Sequence[Sequence[int]], max_L: int | None = None, *,
                  padding: str = "post", truncating: str = "post",
                  value: int = PAD_ID) -> np.ndarray:
    """长短不一的编号序列 → 整齐的矩阵。

    max_L 为每行的长度，不给时取最长的一条。padding、truncating 为 "post"（后）或
    "pre"（前）：补在后面还是前面，长了从后面截还是从前面截。
    形状：B 条序列 → (B, T=max_L)，int64。
    异常：max_L 不是正整数、方向写错、某条不是整数序列，ValueError。

    >>> pad_sequences([[5, 3], [7, 8, 9]])
    array([[5, 3, 0],
           [7, 8, 9]])
    >>> pad_sequences([[5, 3], [7, 8, 9, 4]], max_L=3, padding="pre", truncating="pre")
    array([[0, 5, 3],
           [8, 9, 4]])
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in SIDES:
            raise ValueError(f"{name} 应为 'post'（后）或 'pre'（前），收到 {side!r}")
    if max_L is None:
        max_L = max(map(len, sequences), default=0)
    else:
        max_L = check_integer("max_L", max_L)
    x = np.full((len(sequences), max_L), value, dtype=np.int64)
    for row, sequence in enumerate(sequences):
        ids = check_row(sequence, row)
        ids = ids[:max_L] if truncating == "post" else ids[max(0, len(ids) - max_L):]
        if padding == "post":
            x[row, :len(ids)] = ids
        else:
            x[row, max_L - len(ids):] = ids
    return x


def make_mask(x: np.ndarray, pad: int = PAD_ID) -> np.ndarray:
    """真实位置为 True，PAD 为 False。形状：(B, T) → (B, T)，bool。

    >>> make_mask(pad_sequences([[5, 3], [7]])).tolist()
    [[True, True], [True, False]]
    """
    return _check_matrix(x) != pad


def real_lengths(x: np.ndarray, pad: int = PAD_ID) -> np.ndarray:
    """每行真实位置的个数。形状：(B, T) → (B,)，int64。

    >>> real_lengths(pad_sequences([[5, 3], [7]])).tolist()
    [2, 1]
    """
    return make_mask(x, pad).sum(axis=1)


def sliding_windows(words: Sequence, window: int,
                    rng: np.random.Generator | None = None) -> Iterator[tuple[object, list]]:
    """一句话里的每个词轮流作中心词，给出 (中心词, [上下文词…])；词可以是编号，也可以是字符串。

    window 是左右各看几个词，一共 2 * window + 1 格；到了句首、句尾就少看几个。
    给了 rng 就是动态窗口，见 draw_reach。异常：window 不是正整数 ValueError；句子是字符串 TypeError。

    >>> list(sliding_windows(["我", "爱", "我", "家"], window=1))
    [('我', ['爱']), ('爱', ['我', '我']), ('我', ['爱', '家']), ('家', ['我'])]
    """
    if isinstance(words, str):
        raise TypeError(f"应为词的列表，收到字符串 {words[:20]!r}；请先用 text.tokenize 切词，"
                        "要按字滑动请用 list(句子)")
    for i, reach in enumerate(draw_reach(len(words), window, rng)):
        yield words[i], [*words[max(0, i - reach):i], *words[i + 1:i + 1 + reach]]


def draw_reach(n: int, window: int, rng: np.random.Generator | None = None) -> np.ndarray:
    """n 个中心词左右各看几个词：都是 window；给了 rng 就各在 1…window 里均匀地抽。

    形状：→ (n,)。中心词看得到相距 d 的词的机会是 (window - d + 1) / window，近的邻居因此更常被取到。

    >>> draw_reach(4, window=2).tolist()
    [2, 2, 2, 2]
    >>> draw_reach(9, window=2, rng=np.random.default_rng(0)).tolist()
    [2, 2, 2, 1, 1, 1, 1, 1, 1]
    """
    window = check_integer("window", window, hint="它是左右各看几个词，一共 5 格的窗口是 window=2")
    return np.full(n, window) if rng is None else rng.integers(1, window + 1, size=n)


def flatten(sentences: Iterable[Sequence[int]]) -> tuple[np.ndarray, np.ndarray]:
    """各句的编号接成一串，并记下每个词在第几句；<pad> 与 <unk> 不要，与 gensim 相同。

    形状：→ ids (N,)，sentence (N,)，都是 int32：训练对有几百万，省一半内存。

    >>> ids, sentence = flatten([[2, 3, 1], [4]])
    >>> ids.tolist(), sentence.tolist()
    ([2, 3, 4], [0, 0, 1])
    """
    rows = [check_row(s, row) for row, s in enumerate(sentences)]
    ids = check_ids("ids", np.concatenate([np.zeros(0, np.int32), *rows]), low=0).astype(np.int32)
    sentence = np.repeat(np.arange(len(rows), dtype=np.int32), [len(row) for row in rows])
    real = ids >= FIRST
    return ids[real], sentence[real]


def _check_matrix(x: np.ndarray) -> np.ndarray:
    x = np.asarray(x)
    if x.ndim != 2:
        raise ValueError(f"x 的形状应为 (B, T)，收到 {x.shape}；单条序列请用 x[None]")
    return x
