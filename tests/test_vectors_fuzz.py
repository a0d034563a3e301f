"""vectors：随机改坏一万个文件；表头再大也不多占内存。"""

import random
import tracemalloc
from collections import Counter

import numpy as np
import pytest

from textseq.vectors import WordVectors


def mutate(data, rng):
    """改坏一处：翻一位、删去、重复、插入、截断、对调两行、改表头。"""
    start = rng.randrange(len(data))
    end = start + rng.choice([1, 1, 2, 8, 30])
    how = rng.randrange(7)
    if how == 0:
        return data[:start] + bytes([data[start] ^ 1 << rng.randrange(8)]) + data[start + 1:]
    if how == 1:
        return data[:start] + data[end:]
    if how == 2:
        return data[:end] + data[start:]
    if how == 3:
        junk = rng.choice([b" ", b"\n", b"\0", b"\xff", b"nan", b"1e99", b"\xb5\xc4"])
        return data[:start] + junk + data[start:]
    if how == 4:
        return data[:start]
    lines = data.split(b"\n")
    if how == 5:
        i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
        lines[i], lines[j] = lines[j], lines[i]
    else:
        header = lines[0].split(b" ")
        header[rng.randrange(len(header))] = rng.choice([b"0", b"-1", b"2", b"5", b"7", b"9" * 12, b"9" * 30])
        lines[0] = b" ".join(header)
    return b"\n".join(lines)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("files", [1_000, pytest.param(10_000, marks=pytest.mark.full)])
def test_mutated_files(tmp_path, files):
    """要么是说得出位置的 ValueError，要么读出的词不重复、数都有限；没有别的异常，也没有警告。"""
    rng, path, outcomes = random.Random(0), tmp_path / "a.vec", Counter()
    vectors = WordVectors(["的", "了", "中国", "😀", "a", "#"], np.random.default_rng(0).normal(size=(6, 3)))
    originals = {}
    for binary in (False, True):
        vectors.save(path, binary)
        originals[binary] = path.read_bytes()
    for k in range(files):
        data = originals[k % 2 == 1]
        for _ in range(rng.choice([1, 1, 2, 3])):
            data = mutate(data or b"\n", rng)
        path.write_bytes(data)
        try:
            how = None if k % 5 == 0 else rng.random() < (0.95 if k % 2 else 0.05)
            loaded = WordVectors.load(path, binary=how)
        except ValueError as error:
            assert type(error) is ValueError and str(error).startswith(f"{path} 第 "), (data, error)
            outcomes["拒绝"] += 1
        else:
            assert all(loaded.words) and len(set(loaded.words)) == len(loaded.words), data
            assert loaded.matrix.shape == (len(loaded), loaded.vector_size), data
            assert np.isfinite(loaded.matrix).all(), data
            outcomes["读出"] += 1
    assert outcomes.total() == files and min(outcomes.values()) > files / 10


@pytest.mark.parametrize("binary", [None, False, True])
def test_memory_follows_the_file_not_the_header(tmp_path, binary):
    path = tmp_path / "a.vec"
    tracemalloc.start()
    for header in (b"999999999999 2", b"2 999999999999", b"999999999999 999999999999"):
        path.write_bytes(header + b"\nw " + np.ones(2, "<f4").tobytes() + b"\n")
        with pytest.raises(ValueError, match="第 "):
            WordVectors.load(path, binary)
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()
