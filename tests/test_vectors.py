"""vectors：近邻、类比与余弦对照 gensim；全 0 的行；说得清楚的错误。文件格式见 test_vectors_format.py。"""

import numpy as np
import pytest

from textseq.vectors import WordVectors


def random_vectors(V=50, E=8, seed=0):
    return WordVectors([f"词{i}" for i in range(V)], np.random.default_rng(seed).normal(size=(V, E)))


def to_gensim(vectors):
    from gensim.models import KeyedVectors
    model = KeyedVectors(vectors.vector_size)
    model.add_vectors(vectors.words, vectors.matrix)
    return model


QUERIES = [("词0", ()), (["词0", "词1"], ()), (["词1", "词2"], ["词0"]), ((), "词5"),
           (["词1", "词2", "词3"], ["词0", "词4"])]


@pytest.mark.parametrize(("positive", "negative"), QUERIES)
def test_most_similar_agrees_with_gensim(positive, negative):
    vectors = random_vectors()
    mine = vectors.most_similar(positive, negative, topn=50)
    theirs = to_gensim(vectors).most_similar(positive or None, negative or None, topn=50)
    assert [word for word, _ in mine] == [word for word, _ in theirs]
    np.testing.assert_allclose([c for _, c in mine], [c for _, c in theirs], rtol=0, atol=1e-6)
    given = {positive, negative} if isinstance(positive, str) else {*positive, *negative}
    assert not {word for word, _ in mine} & given


def test_vectors_may_stand_for_words():
    vectors = random_vectors()
    x = vectors["词3"] * 7
    theirs = to_gensim(vectors).most_similar([x, "词1"], topn=5)
    mine = vectors.most_similar([x, "词1"], topn=5)
    assert [word for word, _ in mine] == [word for word, _ in theirs]
    assert vectors.most_similar(x) == vectors.most_similar([x])
    assert vectors.most_similar(x, topn=1)[0][0] == "词3"  # 给的是向量，不知道是哪个词，也就不去掉


def test_similarity_agrees_with_gensim():
    vectors = random_vectors()
    model = to_gensim(vectors)
    for a, b in [("词0", "词0"), ("词0", "词1"), ("词7", "词40")]:
        assert vectors.similarity(a, b) == pytest.approx(float(model.similarity(a, b)), abs=1e-6)


def test_analogy_reads_a_is_to_b_as_c_is_to():
    """国王 - 男人 + 女人 = 女王：性别一维，王位一维。"""
    vectors = WordVectors(["男人", "女人", "国王", "女王"], [[1, 0], [-1, 0], [1, 2], [-1, 2]])
    assert vectors.analogy("男人", "国王", "女人") == vectors.most_similar(["国王", "女人"], ["男人"], topn=1)
    assert vectors.analogy("男人", "国王", "女人")[0][0] == "女王"


def test_each_word_counts_the_same_however_long_its_vector():
    vectors = WordVectors(["长", "短", "中间", "偏长"], [[100, 0], [0, 1], [1, 1], [5, 1]])
    assert vectors.most_similar(["长", "短"])[0] == ("中间", pytest.approx(1))


def test_zero_and_extreme_rows_never_give_nan():
    vectors = WordVectors(["零", "大", "小", "斜"], [[0, 0], [3e38, 0], [1e-45, 0], [1, 1]])
    assert vectors.most_similar("大") == [("小", 1), ("斜", pytest.approx(0.5 ** 0.5)), ("零", 0)]
    assert vectors.most_similar("零") == [("大", 0), ("小", 0), ("斜", 0)]  # 并列的照词表次序
    assert vectors.similarity("零", "零") == 0 and np.isfinite(vectors.unit).all()
    assert vectors.most_similar("大", "小") == [("零", 0), ("斜", 0)]  # 恰好抵消


def test_words_at_the_same_distance_keep_their_order():
    vectors = WordVectors([f"词{i}" for i in range(100)], np.tile([[1, 0], [0, 1]], (50, 1)))
    assert [word for word, _ in vectors.most_similar("词1", topn=99)] == [
        *(f"词{i}" for i in range(3, 100, 2)), *(f"词{i}" for i in range(0, 100, 2))]


def test_topn_beyond_the_vocabulary_gives_every_other_word():
    assert len(random_vectors(5).most_similar("词0", topn=100)) == 4


def test_words_and_rows():
    given = np.arange(6.0).reshape(3, 2)
    vectors = WordVectors(["的", "了", "中国"], given)
    given[:] = 0
    assert len(vectors) == 3 and vectors.vector_size == 2 and vectors.index("中国") == 2
    assert "了" in vectors and "在" not in vectors and "V=3, E=2" in repr(vectors)
    np.testing.assert_array_equal(vectors["中国"], np.float32([4, 5]))
    with pytest.raises(ValueError, match="read-only"):
        vectors["中国"][0] = 1


@pytest.mark.parametrize(("call", "error", "hint"), [
    (lambda v: v["人工智能"], KeyError, "没有 '人工智能' 的向量.*min_count.*相近的词：智能、人"),
    (lambda v: v[3], KeyError, "没有 3 的向量.*相近的词：无"),
    (lambda v: v.similarity("人", "在"), KeyError, "没有 '在'"),
    (lambda v: v.most_similar("在"), KeyError, "没有 '在'"),
    (lambda v: v.most_similar([]), ValueError, "至少给一个词.*收到 0 个词"),
    (lambda v: v.most_similar("人", topn=0), ValueError, "topn=0"),
    (lambda v: v.most_similar(np.ones(3)), ValueError, r"向量的形状应为 \(E=2,\)，收到 \(3,\)"),
    (lambda v: v.most_similar([[1.0, 2.0]], np.ones((2, 3))), ValueError, r"收到 \(3,\)"),
    (lambda v: WordVectors(["人"], [1.0, 2.0]), ValueError, r"应为 \(V=1, E\).*收到 \(2,\)；每个词一行"),
    (lambda v: WordVectors(["人", "们"], np.ones((3, 2))), ValueError, r"\(V=2, E\).*收到 \(3, 2\)"),
    (lambda v: WordVectors([], np.ones((0, 2))), ValueError, "至少一个词"),
    (lambda v: WordVectors(["人"], np.ones((1, 0))), ValueError, "一维"),
    (lambda v: WordVectors(["人", "人"], np.ones((2, 2))), ValueError, "词 '人' 出现了不止一次"),
    (lambda v: WordVectors([5], np.ones((1, 2))), TypeError, "词应为字符串，收到 5；.*vocab.decode"),
    (lambda v: WordVectors(["人"], [[np.nan, 1]]), ValueError, "词 '人' 的向量里有 NaN"),
])
def test_bad_input_is_answered_in_chinese(call, error, hint):
    with pytest.raises(error, match=hint):
        call(WordVectors(["人", "智能"], np.eye(2)))


def test_without_a_copy_the_array_is_the_given_one_and_the_caller_keeps_his_flags():
    given = np.arange(6, dtype=np.float32).reshape(3, 2)
    vectors = WordVectors(["的", "了", "中国"], given, copy=False)
    assert np.shares_memory(vectors.matrix, given) and given.flags.writeable
    assert not vectors.matrix.flags.writeable
    assert not np.shares_memory(WordVectors(["的", "了", "中国"], given).matrix, given)
    assert WordVectors(["的"], [[1, 2]], copy=False).matrix.tolist() == [[1, 2]]


def test_unit_in_blocks_is_unit_at_once(monkeypatch):
    rows = np.random.default_rng(0).normal(size=(50, 8)).astype(np.float32)
    wide = rows.astype(np.float64)
    expected = (wide / np.linalg.norm(wide, axis=1, keepdims=True)).astype(np.float32)
    for block in (1, 24, 1 << 18):
        monkeypatch.setattr("textseq.vectors._BLOCK", block)
        np.testing.assert_array_equal(WordVectors([f"词{i}" for i in range(50)], rows).unit, expected)
