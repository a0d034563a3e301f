"""命令行：从一个文本文件到近邻；torchrun 下两个进程训练出的，与一个进程的一样好。"""

import os
import subprocess
import sys

import numpy as np
import pytest

from textseq.cli import looks_segmented, main
from textseq.vectors import WordVectors

GROUPS = [[f"{g}{i}" for i in range(20)] for g in "甲乙丙"]


def write_corpus(path, sentences=3000):
    rng = np.random.default_rng(0)
    path.write_text("".join(" ".join(rng.choice(GROUPS[i % 3], 8)) + "\n" for i in range(sentences)),
                    encoding="utf-8")
    return path


def purity(path):
    """每个词最近的十个里，同组的占多少。"""
    vectors = WordVectors.load(path)
    near = [w[0] == word[0] for group in GROUPS for word in group
            for w, _ in vectors.most_similar(word, topn=10)]
    return np.mean(near)


def test_from_text_to_neighbours(tmp_path, capsys):
    text, vec = write_corpus(tmp_path / "own.txt"), tmp_path / "own.vec"
    main(["vectors", str(text), "-o", str(vec), "--vector-size", "10", "--epochs", "10"])
    assert "24,000 个词次，60 个词" in capsys.readouterr().err
    assert purity(vec) == 1
    main(["similar", str(vec), "甲3", "-n", "4"])
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == 4 and all(w[0] == "甲" and 0.5 < float(c) <= 1 for w, c in rows)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_unsegmented_text_is_cut_by_jieba(tmp_path, capsys, model):
    text, vec = tmp_path / "own.txt", tmp_path / "own.vec"
    text.write_text("我们在北京学习自然语言处理。\n今天天气很好，大家都来学习。\n" * 5, encoding="utf-8")
    main(["vectors", str(text), "-o", str(vec), "--model", model, "--epochs", "1"])
    assert "没有切词，用 jieba 切" in capsys.readouterr().err
    assert {"北京", "自然语言", "大家"} <= set(WordVectors.load(vec).words)


@pytest.mark.parametrize(("content", "segmented"), [
    ("我们 在 北京 学习\n", True), ("我们在北京学习自然语言处理\n", False),
    ("\n\n今天 天气 很 好\n", True), ("the cat sat on the mat\n", True),
])
def test_looks_segmented(tmp_path, content, segmented):
    path = tmp_path / "a.txt"
    path.write_text(content, encoding="utf-8")
    assert looks_segmented(path) is segmented


@pytest.mark.parametrize(("arguments", "message"), [
    (["vectors", "没有.txt", "-o", "a.vec"], "找不到文件"),
    (["vectors", "own.txt", "-o", "没有/a.vec"], "没有文件夹"),
    (["vectors", "empty.txt", "-o", "a.vec"], "都是空的"),
    (["vectors", "own.txt", "-o", "a.vec", "--min-count", "99999"], "没有一个词出现过 99999 次"),
    (["vectors", "own.txt", "-o", "a.vec", "--window", "0"], "window 应为不小于 1 的整数"),
    (["similar", "own.txt", "甲"], "own.txt 第 1 行"),
    (["similar", "good.vec", "没有这个词"], "没有这个词"),
])
def test_mistakes_get_one_line_and_leave_no_file(tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    write_corpus(tmp_path / "own.txt", 30)
    (tmp_path / "empty.txt").write_text("\n\n", encoding="utf-8")
    WordVectors(["甲", "乙"], np.eye(2)).save("good.vec")
    with pytest.raises(SystemExit, match=f"错误：.*{message}") as caught:
        main(arguments)
    assert "\n" not in str(caught.value.code) and not list(tmp_path.glob("*a.vec"))


def test_two_processes_under_torchrun_are_as_good_as_one(tmp_path):
    text = write_corpus(tmp_path / "own.txt", sentences=15_000)
    common = ["vectors", str(text), "--vector-size", "10", "--epochs", "3", "--segmented", "yes"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone",
                    "-m", "textseq", *common, "-o", str(tmp_path / "two.vec")],
                   check=True, env=environment, capture_output=True, timeout=120)
    main([*common, "-o", str(tmp_path / "one.vec")])
    assert purity(tmp_path / "two.vec") > 0.99 and purity(tmp_path / "one.vec") > 0.99
    assert (tmp_path / "two.vec").read_bytes() != (tmp_path / "one.vec").read_bytes()
