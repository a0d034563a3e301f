"""第 04 章引用的训练结果 data/windows/results.tsv：表是齐的，重算其中两行对得上。"""

import importlib.util
from pathlib import Path

import pytest

BUILD = Path(__file__).parents[1] / "data" / "windows" / "build.py"


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("windows_build", BUILD)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def results():
    """{(语料, 窗口, 轮次, sample, 种子): [语法%, 话题%, rho, 类比%]}。"""
    rows = [line.split("\t") for line in
            (BUILD.parent / "results.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    return {(row[0], *map(float, row[1:5])): list(map(float, row[5:])) for row in rows}


@pytest.fixture(scope="module")
def arranged(build):
    return build.read_corpora()


@pytest.fixture(scope="module")
def ruler(build, arranged):
    return build.Ruler(arranged["按段"])


def test_every_setting_is_there_once(build, results):
    assert list(results) == [(*setting, seed) for setting in build.SETTINGS for seed in build.SEEDS]
    header = (BUILD.parent / "results.tsv").read_text(encoding="utf-8").splitlines()[0]
    assert tuple(header.split("\t")) == build.COLUMNS


@pytest.mark.parametrize("name, window, epochs, sample", [("按段", 2, 2, 1e-3), ("去标点", 5, 5, 1e-3)])
def test_training_again_gives_the_same_quality(build, results, arranged, ruler, name, window, epochs, sample):
    got = ruler.measure(build.train(arranged[name], window, epochs, sample, 1))
    stored = results[name, window, epochs, sample, 1]
    for new, old, tolerance in zip(got, stored, (2, 2, 0.03, 1), strict=True):
        assert abs(new - old) < tolerance


def test_the_walls_differ_only_in_where_they_stand(arranged):
    whole, line, joined, plain = (arranged[name] for name in ("按段", "按句", "接成一串", "去标点"))
    assert (whole.ids == line.ids).all() and (whole.ids == joined.ids).all()
    assert joined.sentence.max() == 0 < whole.sentence.max() < line.sentence.max()
    assert "，" in whole.vocab.words and not set("，。、：") & set(plain.vocab.words)
