"""打包的词向量：量化、写、读；build.py 再训练一次，近邻与分数同仓库里那一份差不多。"""

import json
import runpy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from textseq import corpora
from textseq.evaluation import load_pairs, neighbor_overlap, similarity_score
from textseq.quantized import load_quantized, quantize, quantize_rows, save_quantized
from textseq.vectors import WordVectors
from textseq.vocab import encode_corpus

FOLDER = Path(__file__).parents[1] / "data/neighbors"
PAIRS = load_pairs(FOLDER.parent / "evaluation/word_pairs.tsv")
WORDS = ["的", "４０％", '"', "\\", "<b>", "</script>", "😀", "constructor"]


def some_vectors(words=WORDS, size=5):
    return WordVectors(words, np.random.default_rng(0).normal(size=(len(words), size)))


def test_quantised_rows():
    matrix = np.array([[0.5, -1, 0.25], [0, 0, 0], [254, 1, 3], [-1e-9, 0, 1e-9]])
    # 1 × 127/254 = 0.5 取偶数 0，3 × 127/254 = 1.5 取偶数 2
    assert quantize(matrix).tolist() == [[64, -127, 32], [0, 0, 0], [127, 0, 2], [-127, 0, 127]]
    assert quantize(matrix).dtype == np.int8


def test_rows_come_back_within_half_a_step():
    table = np.random.default_rng(1).normal(size=(40, 9)).astype(np.float32) * np.logspace(-4, 3, 40)[:, None]
    table[7] = 0
    for dtype in (np.float32, np.float64):
        whole, step = quantize_rows(table.astype(dtype))
        assert step.dtype == dtype and step.shape == (40, 1) and whole.dtype == np.int8
        assert (np.abs(whole).max(1) == 127)[table.any(1)].all() and not whole[7].any()
        assert (np.abs(whole * step - table) <= step * 0.5001).all()
    assert (quantize(table) == quantize_rows(table.astype(np.float64))[0]).all()


def test_round_trip(tmp_path):
    vectors = some_vectors()
    save_quantized(tmp_path / "a.js", vectors, range(8), "说明")
    save_quantized(tmp_path / "b.js", vectors, range(8), "说明")
    assert (tmp_path / "a.js").read_bytes() == (tmp_path / "b.js").read_bytes()
    packed, counts = load_quantized(tmp_path / "a.js")
    assert packed.words == WORDS and counts == list(range(8))
    np.testing.assert_array_equal(packed.matrix, quantize(vectors.matrix))


@pytest.mark.parametrize(("words", "counts", "message"), [
    (["甲", "乙 丙"], [2, 1], "词 '乙 丙' 是空的或含有空白"), (["甲", "\u3000"], [2, 1], "含有空白"),
    (["甲", ""], [2, 1], "词 '' 是空的"), (["甲"], [1, 2], "收到 1 个词、2 个词频"),
])
def test_bad_words_are_refused(tmp_path, words, counts, message):
    with pytest.raises(ValueError, match=message):
        save_quantized(tmp_path / "a.js", some_vectors(words), counts, "")
    assert not list(tmp_path.iterdir())


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "a.js"
    save_quantized(path, some_vectors(), range(8), "")
    text = path.read_text(encoding="utf-8")
    damaged = [text[:n] for n in range(0, len(text) - 3, 7)] + ["", "[1]", "null", text + "x"]
    for key, value in {"words": "甲", "counts": [1], "vector_size": 0, "rows": "####"}.items():
        damaged.append(json.dumps(json.loads(text[text.index("{"):].rstrip(";\n")) | {key: value}))
    for content in damaged:
        path.write_text(content, encoding="utf-8")
        with pytest.raises(ValueError, match="a.js 不是完整的打包词向量.*重新下载"):
            load_quantized(path)
    for old, new in (("的", "约"), ("[0,1,", "[0,3,"), ("VA2agcE", "VA2agcF")):
        assert old in text     # 坏了，仍是合法的 JSON 与 base64
        path.write_text(text.replace(old, new, 1), encoding="utf-8")
        with pytest.raises(ValueError, match="a.js 不是完整的打包词向量（校验和不对）"):
            load_quantized(path)
    path.write_bytes(b"PK\x03\x04\xff\xfe\0")
    with pytest.raises(ValueError, match="a.js 不是完整的打包词向量（不是文本）；请重新下载"):
        load_quantized(path)
    with pytest.raises(FileNotFoundError):
        load_quantized(tmp_path / "没有.js")


@pytest.fixture(scope="module")
def build():
    return SimpleNamespace(**runpy.run_path(str(FOLDER / "build.py")))


@pytest.mark.full
def test_building_again_gives_nearly_the_stored_file(build):
    stored, _ = load_quantized(FOLDER / "neighbors.js")
    vectors, corpus = build.train()
    assert stored.words == vectors.words == corpus.vocab.words[2:]
    # 训练会放大最末几位的差别，换一个处理器，十轮之后不再逐位相同：比近邻，比评测的分
    queries = np.arange(0, len(vectors), len(vectors) // 500)
    assert neighbor_overlap(vectors, stored, queries) > 0.8
    again, there = (similarity_score(v, PAIRS).rho for v in (vectors, stored))
    assert abs(again - there) < 0.02


def test_the_stored_file_is_of_this_corpus_and_the_datasheet_describes_it(build):
    stored, counts = load_quantized(FOLDER / "neighbors.js")
    corpus = encode_corpus([sentence.words for sentence in corpora.people_daily()])
    assert stored.words == corpus.vocab.words[2:]
    assert counts == corpus.vocab.counts[2:] and counts == sorted(counts, reverse=True)
    assert similarity_score(stored, PAIRS).rho > 0.5
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    size = (FOLDER / "neighbors.js").stat().st_size
    assert size < 1.2e6
    facts = {"词向量": build.ABOUT, "词数": f"{len(stored):,}", "最少见的词出现": f"{counts[-1]} 次",
             "文件大小": f"{size / 1e6:.2f} MB"}
    for item, fact in facts.items():
        assert f"| {item} | {fact} |" in readme
