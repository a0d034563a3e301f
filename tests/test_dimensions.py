"""第 03 章引用的训练结果 data/dimensions/results.tsv：表是齐的，重算其中两行对得上。"""

import importlib.util
from pathlib import Path

import pytest

BUILD = Path(__file__).parents[1] / "data" / "dimensions" / "build.py"


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("dimensions_build", BUILD)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def results():
    """{(轮次, 维数, 种子): [rho, 类比%, 少见词稳, 常见词稳]}。"""
    rows = [line.split("\t") for line in
            (BUILD.parent / "results.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    return {tuple(map(int, row[:3])): list(map(float, row[3:])) for row in rows}


@pytest.fixture(scope="module")
def corpus(build):
    return build.read_corpus()


def test_every_setting_is_there_once(build, results):
    expected = [(e, d, s) for e in build.EPOCHS for d in build.DIMS for s in build.SEEDS]
    assert list(results) == expected
    header = (BUILD.parent / "results.tsv").read_text(encoding="utf-8").splitlines()[0]
    assert tuple(header.split("\t")) == build.COLUMNS


@pytest.mark.parametrize("size", [10, 100])
def test_training_again_gives_the_same_quality(build, results, corpus, size):
    rho, hit = build.quality(build.train(corpus, 5, size, 1))
    stored_rho, stored_hit, *_ = results[5, size, 1]
    assert abs(rho - stored_rho) < 0.03 and abs(hit - stored_hit) < 1
