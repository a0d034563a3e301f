"""训练被打断：随时 kill -9，接着训练的结果与没有断过逐位相同。"""

import multiprocessing
import os
import signal

import numpy as np
import pytest
import torch

from textseq import word2vec_train
from textseq.vocab import encode_corpus
from textseq.word2vec_train import train_cbow, train_skipgram

SENTENCES = [[f"词{(i * j * j) % 50}" for j in range(1, 12 + i % 9)] for i in range(400)]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch):
    monkeypatch.setattr(word2vec_train, "PART", 500)
    monkeypatch.setattr(word2vec_train, "LEG", 1)


def run(path, fit, started=None, epochs=1):
    """训练一遍，存下结果；第一次有进度就告诉外面。"""
    torch.set_num_threads(1)
    vectors = fit(encode_corpus(SENTENCES, min_count=1), vector_size=16, epochs=epochs,
                  checkpoint=path / "c.npz", checkpoint_seconds=0,
                  on_progress=lambda progress: started and started.set())
    vectors.save(path / "vectors.bin", binary=True)


@pytest.mark.linux
@pytest.mark.parametrize(("fit", "kills"), [
    (train_skipgram, 3), pytest.param(train_skipgram, 20, marks=pytest.mark.full),
    pytest.param(train_cbow, 20, marks=pytest.mark.full)])
def test_killed_again_and_again_it_ends_as_if_never_killed(tmp_path, fit, kills):
    (tmp_path / "whole").mkdir()
    epochs = max(12, 2 * kills)
    run(tmp_path / "whole", fit, epochs=epochs)
    fork, rng, killed = multiprocessing.get_context("fork"), np.random.default_rng(0), 0
    while not (tmp_path / "vectors.bin").exists():
        started = fork.Event()
        process = fork.Process(target=run, args=(tmp_path, fit, started, epochs))
        process.start()
        started.wait(30)
        process.join(rng.uniform(0, 0.04) if killed < kills else None)
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            killed += 1
    assert killed == kills
    assert (tmp_path / "vectors.bin").read_bytes() == (tmp_path / "whole/vectors.bin").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["c.npz", "vectors.bin", "whole"]


@pytest.mark.linux
def test_workers_do_not_outlive_a_killed_parent(tmp_path):
    """父进程被 kill -9，没有机会叫停工人；工人做完手上的一份，看见没有父进程了，自己停。"""
    fork = multiprocessing.get_context("fork")
    started, read, write = fork.Event(), *os.pipe()

    def many():
        word2vec_train.LEG = 10_000
        run(tmp_path, lambda *a, **how: train_skipgram(*a, workers=2, **how), epochs=10_000)

    real = word2vec_train.make_batches
    word2vec_train.make_batches = lambda *a: started.set() or real(*a)
    process = fork.Process(target=many)
    try:
        process.start()
    finally:
        word2vec_train.make_batches = real
    os.close(write)
    assert started.wait(30)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with os.fdopen(read, "rb") as pipe:
        pipe.read()  # 父进程与工人都结束了，管道的另一头才会关上


def test_a_finished_checkpoint_is_not_trained_again(tmp_path):
    run(tmp_path, train_skipgram, epochs=1)
    before = (tmp_path / "vectors.bin").read_bytes()
    seen = []
    again = train_skipgram(encode_corpus(SENTENCES, min_count=1), vector_size=16, epochs=1,
                           checkpoint=tmp_path / "c.npz", on_progress=seen.append)
    again.save(tmp_path / "vectors.bin", binary=True)
    assert not seen and (tmp_path / "vectors.bin").read_bytes() == before


@pytest.mark.parametrize("change", [{"vector_size": 8}, {"seed": 2}, {"window": 3}, {"epochs": 3}])
def test_another_setting_is_refused(tmp_path, change):
    run(tmp_path, train_skipgram, epochs=1)
    name = next(iter(change))
    with pytest.raises(ValueError, match=f"用另一套设定存下的：{name} 当时是"):
        train_skipgram(encode_corpus(SENTENCES, min_count=1), checkpoint=tmp_path / "c.npz",
                       **{"vector_size": 16, "epochs": 1} | change)


def test_another_corpus_is_refused(tmp_path):
    """词换了、次序换了、断句换了，都不能接着训练：词次与词表相同也不行。"""
    run(tmp_path, train_skipgram, epochs=1)
    joined = [[word for sentence in SENTENCES for word in sentence]]
    for sentences, what in ((SENTENCES[:-1], "词表|语料"), (SENTENCES[1:] + SENTENCES[:1], "词表|语料"),
                            (joined, "语料的断句")):
        with pytest.raises(ValueError, match=f"用另一套设定存下的：({what})换了"):
            train_skipgram(encode_corpus(sentences, min_count=1), vector_size=16, epochs=1,
                           checkpoint=tmp_path / "c.npz")
