"""text：清洗、断句、分词、评分。"""

import jieba
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textseq import evaluation, text

HEADLINE = "中华女子学院：本科层次仅1专业招男生"
CHINESE = st.text(alphabet="研究生命的起源乒乓球拍卖完了０１２Ａz，。 \n😀體", max_size=40)


def test_clean_turns_full_width_letters_and_digits_but_keeps_punctuation():
    assert text.clean("　１９９８年　ＡＢｃ，\t你好！ ") == "1998年 ABc， 你好！"


@pytest.mark.parametrize("raw, expected", [("", ""), (" \n\t　", ""), ("體育", "體育"), ("😀", "😀")])
def test_clean_leaves_empty_traditional_and_emoji_alone(raw, expected):
    assert text.clean(raw) == expected


@given(CHINESE)
def test_clean_twice_is_clean_once(raw):
    assert text.clean(text.clean(raw)) == text.clean(raw)


def test_split_sentences_keeps_closing_quotes():
    assert text.split_sentences("他说：“走吧！”我不去……\n好") == ["他说：“走吧！”", "我不去……", "好"]


@given(CHINESE)
def test_split_sentences_loses_no_character(raw):
    joined = "".join("".join(text.split_sentences(raw)).split())
    assert joined == "".join(raw.split())


def test_tokenize_headline():
    assert text.tokenize(HEADLINE) == ["中华", "女子", "学院", "：", "本科", "层次", "仅", "1", "专业",
                                       "招", "男生"]


@pytest.mark.parametrize("blank", ["", " ", "\n\t　"])
def test_tokenize_blank_gives_no_words(blank):
    assert text.tokenize(blank) == []


@given(CHINESE, st.booleans())
def test_accurate_mode_keeps_every_character_once(raw, hmm):
    assert "".join(text.tokenize(raw, hmm=hmm)) == "".join(raw.split())


def test_search_and_full_modes_overlap():
    assert "清华" not in text.tokenize("清华大学")
    assert {"清华", "清华大学"} <= set(text.tokenize("清华大学", "search"))
    assert {"清华", "华大", "清华大学"} <= set(text.tokenize("清华大学", "full"))


def test_user_words_do_not_touch_the_global_dictionary():
    sentence = "小李来到深网科技大厦"
    before = jieba.lcut(sentence)
    assert "深网科技" in text.tokenize(sentence, user_words=["深网科技"])
    assert text.tokenize(sentence) == jieba.lcut(sentence) == before
    assert "深网科技" not in jieba.dt.FREQ


@pytest.mark.parametrize("unit", ["龘", "研究生命的起源，", "😀", "a b"])
def test_a_very_long_text_reaches_jieba_in_short_pieces(unit, monkeypatch):
    """HMM 的耗时随长度的平方增长：十万字必须分段送进去，而且一个字也不少。"""
    long_text, sizes, cut = unit * (100_000 // len(unit)), [], jieba.dt.lcut
    monkeypatch.setattr(jieba.dt, "lcut", lambda t, **options: sizes.append(len(t)) or cut(t, **options))
    assert "".join(text.tokenize(long_text)) == long_text.replace(" ", "")
    assert max(sizes) <= 1000 and sum(sizes) == len(long_text)


def test_long_text_is_cut_at_punctuation_so_the_words_are_the_same():
    unit = "我们在研究生命的起源，乒乓球拍卖完了。"
    assert text.tokenize(unit * 300) == text.tokenize(unit) * 300


@pytest.mark.parametrize("call, error, hint", [
    (lambda: text.tokenize(None), TypeError, "需要一个字符串"),
    (lambda: text.tokenize(["你", "好"]), TypeError, "逐条传入"),
    (lambda: text.clean(3), TypeError, "int"),
    (lambda: text.tokenize("你好", mode="精确"), ValueError, "accurate、full、search"),
    (lambda: text.tokenize("你好", user_words="你好"), TypeError, "列表"),
    (lambda: text.tokenize("你好", user_words=[3]), TypeError, "词应为字符串，收到 3"),
    (lambda: text.find_spans("你好", user_words=["好", " "]), ValueError, "有空的词 ' '；请删去"),
])
def test_bad_input_is_answered_in_chinese(call, error, hint):
    with pytest.raises(error, match=hint):
        call()


def test_word_spans():
    assert text.word_spans(["我", "十分", "高兴"]) == {(0, 1), (1, 3), (3, 5)}


@given(CHINESE, st.booleans())
def test_find_spans_of_both_cutting_modes_are_jiebas_own(raw, hmm):
    for mode, theirs in (("accurate", "default"), ("search", "search")):
        expected = {(a, b) for w, a, b in jieba.dt.tokenize(raw, mode=theirs, HMM=hmm) if w.strip()}
        assert text.find_spans(raw, mode, hmm) == expected


@pytest.mark.parametrize("raw", ["的的的", "清华大学清华大学", "人人人为我", "中华人民共和国中华人民"])
def test_find_spans_of_full_mode_lists_every_word_once_where_it_stands(raw):
    words, spans = text.tokenize(raw, "full"), text.find_spans(raw, "full")
    assert sorted(raw[a:b] for a, b in spans) == sorted(words) and len(spans) == len(words)


def score(gold, predicted):
    return evaluation.segmentation_score(map(text.word_spans, gold), map(text.word_spans, predicted))


def test_segmentation_score_by_hand():
    scores = score([["乒乓球拍", "卖", "完", "了"]], [["乒乓球", "拍卖", "完", "了"]])
    assert scores == {"precision": 0.5, "recall": 0.5, "f1": 0.5}
    scores = score([["研究", "生命"]], [["研", "究", "生命"]])
    assert scores["precision"] == pytest.approx(1 / 3) and scores["recall"] == pytest.approx(1 / 2)
    assert scores["f1"] == pytest.approx(0.4)
    assert score([["研究"]], [["研", "究"]]) == {"precision": 0, "recall": 0, "f1": 0}


@given(st.lists(st.text(alphabet="甲乙丙", min_size=1, max_size=3), min_size=1, max_size=8))
def test_a_segmentation_agrees_with_itself(words):
    characters = list("".join(words))
    assert set(score([words], [words]).values()) == {1.0}
    assert score([characters], [words])["precision"] == score([words], [characters])["recall"]


def test_segmentation_score_refuses_nothing_to_score():
    with pytest.raises(ValueError, match="有一边是空的"):
        evaluation.segmentation_score([], [])
    with pytest.raises(ValueError):
        evaluation.segmentation_score([{(0, 1)}], [])


def test_user_words_may_be_a_generator():
    raw, words = "小明在清华大学附属中学读书", ["清华大学附属中学", "小明"]
    for mode in text.MODES:
        expected = text.find_spans(raw, mode, user_words=words)
        assert text.find_spans(raw, mode, user_words=(w for w in words)) == expected
        assert (2 + 1, 11) in expected and (0, 2) in expected


SYMBOLS = [("我今天[捂脸]了，他[doge]了", ["[捂脸]", "[doge]"]), ("迈克尔·乔丹来了", ["迈克尔·乔丹"]),
           ("*ST舜船今天涨停", ["*ST舜船"]), ("我有两台Apple Macbook电脑", ["Apple Macbook"]),
           ("读了《三体》和《三体》的书评", ["《三体》"]), ("公司用ＡＩ技术", ["ＡＩ技术"]),
           ("𠮷野家的饭", ["𠮷野家"])]


@pytest.mark.parametrize(("raw", "words"), SYMBOLS)
@pytest.mark.parametrize("mode", text.MODES)
def test_user_words_with_symbols_are_kept_whole(raw, words, mode):
    found, spans = text.tokenize(raw, mode, user_words=words), text.find_spans(raw, mode, user_words=words)
    for word in words:
        assert found.count(word) == raw.count(word)
        start = raw.index(word)
        assert (start, start + len(word)) in spans
    assert sorted(raw[a:b] for a, b in spans) == sorted(found)
    if mode == "accurate":
        assert "".join(found) == raw.replace(" ", "") or " " in words[0]
        assert len(spans) == len(found) and sum(b - a for a, b in spans) == len(raw)
    assert text.tokenize(raw) == text.tokenize(raw, user_words=["别处的·词"])  # 词典没有变


def test_words_inside_a_kept_word_are_listed_where_words_may_overlap():
    raw, words = "读了《北京》", ["《北京》"]
    assert text.tokenize(raw, "full", user_words=words) == ["读", "了", "《", "《北京》", "北京", "》"]
    assert text.tokenize(raw, "search", user_words=words) == ["读", "了", "北京", "《北京》"]
    assert text.tokenize("《三体》3", user_words=["三体》3", "《三体》"]) == ["《三体》", "3"]  # 左边的先
    assert text.tokenize("a·bc", user_words=["a·b", "a·bc"]) == ["a·bc"]  # 同一处取长的


def test_kept_words_in_a_long_text():
    words = text.tokenize("他说《三体，黑暗森林》好。" * 200, user_words=["《三体，黑暗森林》"])
    assert words.count("《三体，黑暗森林》") == 200


@given(CHINESE, st.booleans())
def test_search_mode_is_jiebas_own(raw, hmm):
    assert text.tokenize(raw, "search", hmm) == [
        w for w in jieba.dt.lcut_for_search(raw, HMM=hmm) if w.strip()]


def test_without_hmm_every_decimal_falls_apart():
    assert text.tokenize("上涨12.3%") == ["上涨", "12.3%"]
    assert text.tokenize("上涨12.3%", hmm=False) == ["上涨", "12", ".", "3", "%"]
