"""files：编码、逐行读、写完才改名。"""

import gzip
import os
import re
import stat
import subprocess
import sys
import threading
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textseq import _files as files
from textseq import corpora

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


@pytest.mark.posix
def test_what_a_killed_program_left_is_swept_but_not_what_is_in_use(tmp_path):
    """kill -9 之后没有机会收拾：下一个在这里写文件的扫掉；别人正写着的、不是我们的，不动。"""
    (tmp_path / ".textseq-笔记").write_text("读者的", encoding="utf-8")
    for make in ("touch", "mkdir"):
        code = ("import os, sys; from pathlib import Path; from textseq._files import temporary\n"
                f"with temporary(Path(sys.argv[1]), Path.{make}): os.kill(os.getpid(), 9)")
        subprocess.run([sys.executable, "-c", code, str(tmp_path)])
    assert len(list(tmp_path.iterdir())) == 2     # 后来的已经扫掉了先前的
    with files.temporary(tmp_path, Path.touch) as in_use:
        files.write_atomically(tmp_path / "a.txt", "新")
        assert {p.name for p in tmp_path.iterdir()} == {".textseq-笔记", "a.txt", in_use.name}
    assert {p.name for p in tmp_path.iterdir()} == {".textseq-笔记", "a.txt"}


def test_written_files_are_readable_like_any_other(tmp_path):
    files.write_atomically(tmp_path / "a.txt", "新")
    (tmp_path / "b.txt").write_text("新", encoding="utf-8")
    assert (tmp_path / "a.txt").stat().st_mode == (tmp_path / "b.txt").stat().st_mode


@pytest.mark.parametrize("size", [1, 40, 75])
def test_a_long_chinese_name_is_no_obstacle(tmp_path, size):
    """一个汉字三个字节，75 个字加后缀还不到 255 字节；临时文件的名字不能比它更长。"""
    path = tmp_path / ("长" * size + ".txt")
    files.check_target("-o", path)
    files.write_atomically(path, "新")
    assert path.read_text(encoding="utf-8") == "新"


@pytest.mark.posix
def test_links_modes_and_pipes_are_respected(tmp_path):
    (tmp_path / "真的").mkdir()
    real, link = tmp_path / "真的" / "a.txt", tmp_path / "链接"
    real.write_text("旧", encoding="utf-8")
    real.chmod(0o600)
    link.symlink_to(real)
    files.write_atomically(link, "新")
    assert link.is_symlink() and real.read_text(encoding="utf-8") == "新"
    assert real.stat().st_mode & 0o777 == 0o600
    assert [p.name for p in real.parent.iterdir()] == ["a.txt"]
    pipe, got = tmp_path / "管道", []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    files.write_atomically(pipe, iter([b"one", b"two"]))
    reader.join(10)
    assert got == [b"onetwo"] and stat.S_ISFIFO(pipe.stat().st_mode)


@pytest.mark.posix
def test_the_content_is_on_the_disk_before_the_name_changes(tmp_path, monkeypatch):
    order = []
    monkeypatch.setattr(os, "fsync", lambda handle, real=os.fsync: (order.append("fsync"), real(handle)))
    monkeypatch.setattr(os, "replace", lambda *a, real=os.replace: (order.append("replace"), real(*a)))
    files.write_atomically(tmp_path / "a.txt", "新")
    assert order[:2] == ["fsync", "replace"]


@pytest.mark.parametrize(("content", "message"), [
    (gzip.compress(b"x", mtime=0), "gzip 压缩文件.*请先解压"), (b"PK\x03\x04....", "zip 一类的文件"),
    ("今天天气".encode("utf-16"), "UTF-16 编码.*请另存为 UTF-8"),
    ("今天天气abc".encode("utf-16-be"), "UTF-16"),
    ("abc def\n".encode("utf-16-le") * 9, "许多零字节.*UTF-16"),
])
def test_what_is_not_text_is_named(tmp_path, content, message):
    path = tmp_path / "a.txt"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"a.txt .*{message}"):
        list(files.read_lines(path))


TRADITIONAL = ["我們在臺北學習自然語言處理", "今天天氣很好，大家都來上課",
               "這本書是他在學校裡買的", "價格上漲了百分之三"]


@pytest.mark.parametrize("lines", [TRADITIONAL[:1], TRADITIONAL[1:2], TRADITIONAL[3:], TRADITIONAL * 50])
def test_big5_is_recognised(tmp_path, lines):
    path = tmp_path / "a.txt"
    path.write_bytes("\n".join(lines).encode("big5"))
    assert [line for _, line in files.read_lines(path)] == lines
    assert files.sniff_encoding(path) == "big5"


@pytest.mark.parametrize("step", [1, 7, 50])
def test_gbk_is_never_taken_for_big5(tmp_path, step):
    """《人民日报》与评论，从单独一段到许多段，用 GBK 存下，都认作 GBK。"""
    path = tmp_path / "a.txt"
    paragraphs = [s.text for s in islice(corpora.people_daily(), 0, 2000, 5)]
    paragraphs += [r.text for r in islice(corpora.reviews(), 0, 8000, 20)]
    for i in range(0, len(paragraphs) - step, 13 * step):
        path.write_bytes("\n".join(paragraphs[i:i + step]).encode("gb18030"))
        assert files.sniff_encoding(path) == "gb18030", paragraphs[i]


@pytest.mark.posix
def test_a_folder_or_a_pipe_is_not_a_file_to_read_twice(tmp_path):
    os.mkfifo(tmp_path / "管道")
    for name, message in (("", "是文件夹"), ("管道", "不是普通文件（可能是管道）")):
        with pytest.raises(ValueError, match=message):
            next(files.read_lines(tmp_path / name))


@pytest.mark.parametrize(("name", "message"), [
    ("没有/a.vec", "没有文件夹"), ("文件夹", "是文件夹；-o 要的是文件名"), ("语料.txt", "就是要读的"),
    ("别的.md", "已经在了，而且是别的文件"),
])
def test_a_target_is_looked_at_before_the_work(tmp_path, monkeypatch, name, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "文件夹").mkdir()
    for other in ("语料.txt", "别的.md"):
        (tmp_path / other).write_text("内容", encoding="utf-8")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises((ValueError, OSError), match=message):
        files.check_target("-o", Path(name), [Path("语料.txt")], re.compile(rb"\d+ \d+\n"))
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.posix
def test_good_targets_leave_no_trace(tmp_path):
    (tmp_path / "旧.vec").write_text("2 3\n", encoding="utf-8")
    for name in ("新.vec", "旧.vec", "/dev/null"):
        files.check_target("-o", tmp_path / name, [tmp_path / "语料.txt"], re.compile(rb"\d+ \d+\n"))
    assert [p.name for p in tmp_path.iterdir()] == ["旧.vec"]


def test_only_the_table_of_a_datasheet_is_rewritten(tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("前\n\n| 项目 | 数 |\n|---|---|\n| 旧 | 1 |\n\n后\n", encoding="utf-8")
    table = files.rewrite_table(readme, [("甲", "2"), ("乙", "3")])
    assert table == "| 项目 | 数 |\n|---|---|\n| 甲 | 2 |\n| 乙 | 3 |\n"
    assert readme.read_text(encoding="utf-8") == f"前\n\n{table}\n后\n"
