"""随包带着的课程：摆得全，不动已有的东西，断在半路不留半份。"""

import io
import zipfile

import pytest

from textseq import cli, course


@pytest.fixture
def carried(tmp_path, monkeypatch):
    """一个很小的 site.zip，里面有一份很小的课程。"""
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        for name in ("notebooks/01.ipynb", "data/a/b.tsv", "tests/t.py", "LICENSE", "README.md"):
            archive.writestr(f"textseq/{name}", name)
    with zipfile.ZipFile(tmp_path / "site.zip", "w") as archive:
        archive.writestr("book/index.html", "首页")
        archive.writestr("_static/textseq.zip", inner.getvalue())
    monkeypatch.setattr(course, "SITE", tmp_path / "site.zip")
    return tmp_path


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_what_is_laid_out(carried, capsys):
    target = carried / "我的 课程"
    cli.main(["course", str(target)])
    assert files(target) == ["LICENSE", "data/a/b.tsv", "notebooks/01.ipynb"]
    assert (target / "data/a/b.tsv").read_text() == "data/a/b.tsv"
    assert f'jupyter lab "{target / "notebooks"}"' in capsys.readouterr().out
    assert not list(carried.glob(".textseq-*"))


def test_the_site_is_laid_out_once(carried, capsys):
    target = carried / "书"
    for _ in range(2):
        cli.main(["site", str(target), "--no-browser"])
        assert (target / "book/index.html").resolve().as_uri() in capsys.readouterr().out
        (target / "book/index.html").write_text("改过", "utf-8")
    assert (target / "book/index.html").read_text("utf-8") == "改过"


@pytest.mark.parametrize("command", [["course"], ["site", "--no-browser"]])
@pytest.mark.parametrize("kind", ["有东西的文件夹", "文件"])
def test_what_is_there_stays(carried, command, kind, capsys):
    target = carried / "已有"
    if kind == "文件":
        target.write_text("我的", "utf-8")
    else:
        target.mkdir()
        (target / "笔记.txt").write_text("我的", "utf-8")
    before = files(carried)
    with pytest.raises(SystemExit) as stopped:
        cli.main([*command, str(target)])
    assert stopped.value.code == 1 and "已经有了" in capsys.readouterr().err
    assert files(carried) == before


def test_a_broken_package_leaves_nothing(carried, monkeypatch, capsys):
    """包坏在课程里：一句话，不留半份。"""
    with zipfile.ZipFile(carried / "坏.zip", "w") as archive:
        archive.writestr("_static/textseq.zip", "不是压缩包")
    monkeypatch.setattr(course, "SITE", carried / "坏.zip")
    before = files(carried)
    with pytest.raises(SystemExit):
        cli.main(["course", str(carried / "新")])
    assert "坏" in capsys.readouterr().err and files(carried) == before and not (carried / "新").exists()


def test_without_the_site_it_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(course, "SITE", tmp_path / "没有.zip")
    for command in ("course", "site"):
        with pytest.raises(SystemExit) as stopped:
            cli.main([command, str(tmp_path / "新")])
        assert stopped.value.code == 1 and "make release" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
