"""files：编码、逐行读、写完才改名。"""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textseq import _files as files

LINES = ["标题一\t0", "体育新闻：主队 3:2 取胜\t1", "ABC\t2"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_utf8_bom_and_gbk_are_recognised(tmp_path, encoding, newline):
    path = tmp_path / "a.txt"
    path.write_bytes(newline.join(LINES).encode(encoding))
    assert list(files.read_lines(path)) == list(enumerate(LINES, start=1))


def test_large_gbk_and_utf8_files_are_recognised_past_the_sample(tmp_path):
    path = tmp_path / "a.txt"
    for encoding in ("utf-8", "gbk"):
        path.write_bytes("\n".join(LINES * 5000).encode(encoding))
        assert [line for _, line in files.read_lines(path)] == LINES * 5000


@pytest.mark.parametrize("cut", [1, 2])
def test_a_character_cut_in_half_is_an_error_with_its_line(tmp_path, cut):
    path = tmp_path / "a.txt"
    path.write_bytes("第一行\n第二行".encode()[:-cut])
    with pytest.raises(ValueError, match="第 2 行：第 7 个字节起不是合法的 UTF-8.*没有下载完整"):
        list(files.read_lines(path))


def test_one_gbk_line_in_a_utf8_file_is_an_error_with_its_line(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("第一行\n第二行\n".encode() + "第三行\n".encode("gbk"))
    with pytest.raises(ValueError, match="第 3 行.*混用了两种编码"):
        list(files.read_lines(path))


def test_a_single_utf8_line_cut_short_is_not_taken_for_gbk(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes("只有一行".encode()[:-1])
    with pytest.raises(ValueError, match="UTF-8"):
        list(files.read_lines(path))


def test_missing_and_empty_files(tmp_path):
    with pytest.raises(FileNotFoundError, match="找不到文件"):
        list(files.read_lines(tmp_path / "没有.txt"))
    (tmp_path / "空.txt").write_bytes(b"")
    assert list(files.read_lines(tmp_path / "空.txt")) == []


@given(st.text(st.characters(codec="utf-8"), max_size=50))
def test_what_is_written_is_read_back(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("files") / "a.txt"
    files.write_atomically(path, content)
    assert path.read_bytes() == content.encode()


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("旧", encoding="utf-8")

    def fail(*_):
        raise OSError("磁盘满了")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="磁盘满了"):
        files.write_atomically(path, "新")
    assert path.read_text(encoding="utf-8") == "旧" and list(tmp_path.iterdir()) == [path]


def test_written_files_are_readable_like_any_other(tmp_path):
    files.write_atomically(tmp_path / "a.txt", "新")
    (tmp_path / "b.txt").write_text("新", encoding="utf-8")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode
