"""vocab：编号、覆盖率、存取。"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textseq.vectors import WordVectors
from textseq.vocab import FIRST, PAD, PAD_ID, UNK, UNK_ID, Vocab

WORD = st.text(st.characters(exclude_categories=["Z", "C"]), min_size=1, max_size=4)
SENTENCES = st.lists(st.lists(WORD, max_size=6), min_size=1, max_size=6)


@given(SENTENCES)
def test_pad_and_unk_never_move_and_counts_fall(sentences):
    vocab = Vocab.build(sentences)
    assert vocab.words[:2] == [PAD, UNK] and vocab.counts[:2] == [0, 0]
    assert vocab.counts[2:] == sorted(vocab.counts[2:], reverse=True)
    assert sum(vocab.counts) == sum(w not in (PAD, UNK) for s in sentences for w in s)


@given(SENTENCES)
def test_encode_then_decode_gives_the_words_back(sentences):
    vocab = Vocab.build(sentences)
    for sentence in sentences:
        assert vocab.decode(vocab.encode(sentence)) == sentence


def test_ties_keep_the_order_of_appearance_and_unknown_words_get_one():
    vocab = Vocab.build([["狗", "咬", "人"], ["人", "咬", "狗"]])
    assert vocab.words[2:] == ["狗", "咬", "人"]
    assert vocab.encode(["猫", "咬"]) == [1, 3] and vocab.decode([0, 1]) == [PAD, UNK]
    assert "狗" in vocab and "猫" not in vocab and len(vocab) == 5


def test_min_count_and_max_size():
    sentences = [["的"] * 5 + ["了"] * 3 + ["龘"]]
    assert Vocab.build(sentences, min_count=2).words[2:] == ["的", "了"]
    assert Vocab.build(sentences, max_size=1).words[2:] == ["的"]


def test_coverage_counts_tokens_not_types():
    vocab = Vocab.build([["的"]])
    assert vocab.coverage([["的", "的", "的", "龘"]]) == 0.75
    with pytest.raises(ValueError, match="没有词可数"):
        vocab.coverage([[]])


@given(SENTENCES)
def test_save_then_load_gives_the_same_vocabulary(tmp_path_factory, sentences):
    path = tmp_path_factory.mktemp("vocab") / "vocab.txt"
    vocab = Vocab.build(sentences)
    vocab.save(path)
    loaded = Vocab.load(path)
    assert (loaded.words, loaded.counts) == (vocab.words, vocab.counts)


def test_save_refuses_words_that_would_not_come_back(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text("旧的内容", encoding="utf-8")
    for word in ("a b", "a\tb", "a\n", "a\u3000", ""):
        with pytest.raises(ValueError, match="空白"):
            Vocab([word], [1]).save(path)
    assert path.read_text(encoding="utf-8") == "旧的内容"  # 出错时不碰原来的文件


@pytest.mark.parametrize("content, hint", [
    ("的\t5\n了", "第 2 行：应为“词<TAB>词频”"),
    ("的\t五\n", "第 1 行"),
    ("的\t5\n了\t3\n的\t2\n", "第 3 行：词 '的' 已经在第 1 行出现过"),
    ("的\t5\n<pad>\t5\n", "第 2 行：<pad> 由词表自己加上"),
    ("<unk>\t5\n", "第 1 行：<unk> 由词表自己加上"),
    ("\t5\n", "第 1 行"),
])
def test_a_bad_file_is_an_error_with_its_line(tmp_path, content, hint):
    path = tmp_path / "vocab.txt"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=hint):
        Vocab.load(path)


@pytest.mark.parametrize("call, error, hint", [
    (lambda v: Vocab.build(["今天天气"]), TypeError, "第 1 句是字符串"),
    (lambda v: v.encode("今天"), TypeError, "应为词的列表"),
    (lambda v: v.decode([9]), ValueError, "编号 9 不在 0…2 之内"),
    (lambda v: v.decode([-1]), ValueError, "另一个词表"),
    (lambda v: Vocab(["的", "的"], [1, 1]), ValueError, "不止一次"),
    (lambda v: Vocab(["的"], []), ValueError, "1 个词、0 个词频"),
])
def test_bad_input_is_answered_in_chinese(call, error, hint):
    with pytest.raises(error, match=hint):
        call(Vocab.build([["的"]]))


def test_vocab_and_vectors_answer_the_same_questions():
    vocab = Vocab(["我", "爱", "猫"], [5, 2, 1])
    vectors = WordVectors(vocab.real_words, np.eye(3))
    for table in (vocab, vectors):
        assert list(table) == table.words and len(list(table)) == len(table)
        assert [table.index(word) for word in table] == list(range(len(table)))
        assert "猫" in table and "鱼" not in table
        with pytest.raises(KeyError, match="没有 '鱼'"):
            table.index("鱼")
    assert vocab.index("我") == FIRST == 2 and vocab.encode(["鱼"]) == [UNK_ID] == [1]
    assert vocab.decode([PAD_ID]) == [PAD] and vocab.words[:FIRST] == [PAD, UNK]
    assert vocab.real_words == vocab.words[2:] and vocab.real_counts == vocab.counts[2:] == [5, 2, 1]
