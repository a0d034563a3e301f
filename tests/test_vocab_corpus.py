"""编好号的语料：内存里与磁盘上的相同；语料再长，占的内存不变。"""

import subprocess
import sys

import numpy as np
import pytest

from textseq import vocab
from textseq.vocab import encode_corpus

SENTENCES = [["甲", "乙", "甲"], [], ["丙", "甲"], ["乙", "甲", "乙"]]


def test_ids_and_sentences():
    corpus = encode_corpus(SENTENCES, min_count=2)
    assert corpus.vocab.words[2:] == ["甲", "乙"]
    assert corpus.ids.tolist() == [2, 3, 2, 2, 3, 2, 3]
    assert corpus.sentence.tolist() == [0, 0, 0, 2, 3, 3, 3]


@pytest.mark.parametrize("together", [1, 2, 3, 100])
def test_on_disk_it_is_the_same(tmp_path, monkeypatch, together):
    monkeypatch.setattr(vocab, "_TOGETHER", together)
    here = encode_corpus(SENTENCES, min_count=1)
    there = encode_corpus(SENTENCES, min_count=1, folder=tmp_path / "新")
    assert isinstance(there.ids, np.memmap) and isinstance(there.sentence, np.memmap)
    for a, b in zip(here[:2], there[:2], strict=True):
        np.testing.assert_array_equal(a, b)
        assert a.dtype == b.dtype
    assert here.vocab.words == there.vocab.words and here.vocab.counts == there.vocab.counts


def test_the_usual_least_count_is_five():
    corpus = encode_corpus([["五"] * 5 + ["四"] * 4])
    assert corpus.vocab.real_words == ["五"] and len(corpus.ids) == 5


def test_a_generator_is_refused():
    with pytest.raises(TypeError, match="只能遍历一遍（generator）.*请先 list"):
        encode_corpus(words for words in SENTENCES)


def test_no_word_is_common_enough():
    with pytest.raises(ValueError, match="没有一个词出现过 9 次；请减小 min_count"):
        encode_corpus(SENTENCES, min_count=9)


PEAK = """
import re, sys, tempfile
from pathlib import Path
import numpy as np
import torch
from textseq import word2vec_train
from textseq.vocab import encode_corpus

class Repeated:
    '''同一份语料在磁盘上抄 n 遍，一行一句。'''
    def __iter__(self):
        with open(sys.argv[1], encoding="utf-8") as file:
            for line in file:
                yield line.split()

torch.set_num_threads(1)
word2vec_train.PART = 5_000
with tempfile.TemporaryDirectory() as folder:
    corpus = encode_corpus(Repeated(), folder=folder)
    word2vec_train.train_skipgram(corpus, vector_size=16, epochs=1)
    # 不用 getrusage：它的峰值会把父进程的也算进来
    peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())
    print(len(corpus.ids), int(peak[1]) / 1024)
"""


@pytest.mark.full
@pytest.mark.linux
def test_memory_does_not_grow_with_the_corpus(tmp_path):
    rng = np.random.default_rng(0)
    lines = "".join(" ".join(f"词{i}" for i in rng.zipf(1.3, 40) if i < 5000) + "\n" for _ in range(5000))
    words, peaks = [], []
    for copies in (1, 10):
        path = tmp_path / f"{copies}.txt"
        path.write_text(lines * copies, encoding="utf-8")
        printed = subprocess.check_output([sys.executable, "-c", PEAK, str(path)], text=True)
        n, megabytes = map(float, printed.split())
        words.append(n)
        peaks.append(megabytes)
    assert words[1] > 9.9 * words[0] > 1.5e6
    # 编号映射自磁盘，读过的页也记在进程名下，一个词次 8 字节；除此之外不许多出 5 MB
    assert peaks[1] < peaks[0] + words[1] * 8 / 2**20 + 5
