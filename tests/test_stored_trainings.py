"""第 03、04 章引用的训练结果：data/dimensions 与 data/windows 的表是齐的，各重算两行对得上。"""

import runpy
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest

DATA = Path(__file__).parents[1] / "data"


@cache
def build(name):
    return SimpleNamespace(**runpy.run_path(str(DATA / name / "build.py")))


def read(name, keys):
    """results.tsv → 表头，与 {前 keys 列: [其余各列的数]}。"""
    header, *rows = (line.split("\t") for line in
                     (DATA / name / "results.tsv").read_text(encoding="utf-8").splitlines())
    return tuple(header), {tuple(row[:keys]): list(map(float, row[keys:])) for row in rows}


def close(got, stored, tolerances):
    return all(abs(a - b) < t for a, b, t in zip(got, stored, tolerances, strict=True))


def key(*setting):
    return tuple(map(str, setting))


def test_every_setting_is_there_once():
    dimensions, windows = build("dimensions"), build("windows")
    wanted = {"dimensions": [key(e, d, s) for e in dimensions.EPOCHS for d in dimensions.DIMS
                             for s in dimensions.SEEDS],
              "windows": [key(*setting, seed) for setting in windows.SETTINGS for seed in windows.SEEDS]}
    for name, settings in wanted.items():
        header, results = read(name, len(settings[0]))
        assert list(results) == settings and header == build(name).COLUMNS


@pytest.mark.parametrize("size", [10, 100])
def test_training_the_dimensions_again_gives_the_same_quality(size):
    recipe, (_, results) = build("dimensions"), read("dimensions", 3)
    got = recipe.quality(recipe.train(corpus(), 5, size, 1))
    assert close(got, results[key(5, size, 1)][:2], (0.03, 1))


@pytest.mark.parametrize("setting", [("按段", 2, 2, 1e-3), ("去标点", 5, 5, 1e-3)])
def test_training_the_windows_again_gives_the_same_quality(setting):
    recipe, (_, results) = build("windows"), read("windows", 5)
    name, *rest = setting
    got = ruler().measure(recipe.train(arranged()[name], *rest, 1))
    assert close(got, results[key(*setting, 1)], (2, 2, 0.03, 1))


def test_the_walls_differ_only_in_where_they_stand():
    whole, line, joined, plain = (arranged()[name] for name in ("按段", "按句", "接成一串", "去标点"))
    assert (whole.ids == line.ids).all() and (whole.ids == joined.ids).all()
    assert joined.sentence.max() == 0 < whole.sentence.max() < line.sentence.max()
    assert "，" in whole.vocab.words and not set("，。、：") & set(plain.vocab.words)


@cache
def corpus():
    return build("dimensions").read_corpus()


@cache
def arranged():
    return build("windows").read_corpora()


@cache
def ruler():
    return build("windows").Ruler(arranged()["按段"])
