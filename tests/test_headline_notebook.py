"""第 10 章换一份数据也能跑：只改 FOLDER 那一行，指向别的类别、别的条数、没有 test.txt 的文件夹。"""

import re
from collections import defaultdict
from pathlib import Path

import matplotlib
import pytest
from test_notebooks import FOLDER as NOTEBOOKS
from test_notebooks import cells

from textseq import corpora

NOTEBOOK = NOTEBOOKS / "10_headline_classifier.ipynb"
THE_LINE = re.compile(r'^FOLDER = "(.+?)".*$', flags=re.MULTILINE)
CLASSES = {"finance": 0, "science": 4, "sports": 7, "game": 8}  # 类别名 → 在课程数据里的编号


@pytest.fixture
def other_titles(tmp_path):
    """四类、每类 60 条：40 条训练，20 条作 dev，没有 test.txt；类别名与编号都与课程的不同。"""
    titles = defaultdict(list)
    for title, label in corpora.headlines(NOTEBOOKS.parent / "data/headlines"):
        titles[label].append(title)
    (tmp_path / "class.txt").write_text("\n".join(CLASSES), encoding="utf-8")
    for split, part in (("train", slice(40)), ("dev", slice(40, 60))):
        rows = [f"{title}\t{k}\n" for k, old in enumerate(CLASSES.values()) for title in titles[old][part]]
        (tmp_path / f"{split}.txt").write_text("".join(rows), encoding="utf-8")
    return tmp_path


def test_one_line_names_the_folder():
    found = [path for cell in cells(NOTEBOOK, "code") for path in THE_LINE.findall(cell.source)]
    assert found == ["../data/headlines"]


@pytest.mark.full
def test_every_cell_runs_on_another_folder(other_titles, monkeypatch, capsys):
    matplotlib.use("Agg")
    monkeypatch.chdir(NOTEBOOK.parent)
    namespace = {}
    for cell in cells(NOTEBOOK, "code"):
        source = THE_LINE.sub(f'FOLDER = "{Path(other_titles).as_posix()}"', cell.source)
        exec(compile(source, cell.source[:40], "exec"), namespace)  # noqa: S102  notebook 自己的代码
    matplotlib.pyplot.close("all")
    printed = capsys.readouterr().out
    assert "4 类；训练集 160 条，开发集 80 条" in printed
    assert "没有 test.txt" in printed and set(namespace["titles"]) == {"train", "dev"}
    assert set(namespace["classes"]) == set(CLASSES)
