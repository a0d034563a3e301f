"""vectors 的文件：两种格式与 gensim 互读，一位不差；坏文件一律说清错在哪里。"""

import gc
import gzip
import sys
import tracemalloc
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from textseq.vectors import WordVectors

ODD = ["的", "😀👨‍👩‍👧", "ＡＢＣ１２３", "#", '"', "'", "\\n", "3", "-0.5", "nan", "e\u0301", "\ufeff",
       "\u200b", "长" * 20_000]
WORD = st.text(st.characters(codec="utf-8").filter(lambda c: not c.isspace()), min_size=1, max_size=6)
both = pytest.mark.parametrize("binary", [False, True], ids=["文本", "二进制"])


def bits(matrix):
    return np.asarray(matrix, np.float32).view(np.uint32)


def extreme_matrix(V, E=5, seed=0):
    """float32 的每一位都随意：大到 1e38，小到 1e-45，还有 -0。"""
    patterns = np.random.default_rng(seed).integers(0, 2 ** 32, (V, E), dtype=np.uint32)
    matrix = patterns.view(np.float32).copy()
    matrix[~np.isfinite(matrix)] = -0.0
    return matrix


def to_gensim(vectors):
    from gensim.models import KeyedVectors
    model = KeyedVectors(vectors.vector_size)
    model.add_vectors(vectors.words, vectors.matrix)
    return model


def load_in_gensim(path, binary=False):
    from gensim.models import KeyedVectors
    return KeyedVectors.load_word2vec_format(path, binary=binary)


@both
def test_gensim_reads_ours_and_we_read_gensims(tmp_path, binary):
    vectors = WordVectors(ODD, extreme_matrix(len(ODD)))
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    vectors.save(ours, binary)
    to_gensim(vectors).save_word2vec_format(theirs, binary=binary)
    assert ours.read_bytes() == theirs.read_bytes()
    model, loaded = load_in_gensim(ours, binary), WordVectors.load(theirs, binary)
    assert model.index_to_key == loaded.words == ODD
    np.testing.assert_array_equal(bits(model.vectors), bits(vectors.matrix))
    np.testing.assert_array_equal(bits(loaded.matrix), bits(vectors.matrix))


@both
@given(words=st.lists(WORD, min_size=1, max_size=5, unique=True), data=st.data())
def test_whatever_is_saved_comes_back_bit_for_bit(tmp_path_factory, binary, words, data):
    E = data.draw(st.integers(1, 4))
    matrix = data.draw(hnp.arrays(np.float32, (len(words), E),
                                  elements=st.floats(width=32, allow_nan=False, allow_infinity=False)))
    path = tmp_path_factory.mktemp("vectors") / "a.vec"
    WordVectors(words, matrix).save(path, binary)
    loaded = WordVectors.load(path, binary)
    assert loaded.words == words and loaded.matrix.dtype == np.float32
    np.testing.assert_array_equal(bits(loaded.matrix), bits(matrix))


def test_which_white_space_breaks_gensim(tmp_path):
    """只有空格和换行；二进制里的不报错，读出来是别的词、别的数。别的程序还会在别的空白处切开。"""
    path, spaces = tmp_path / "a.vec", [c for c in map(chr, range(sys.maxunicode + 1)) if c.isspace()]
    broken = {False: set(), True: set()}
    for binary, found in broken.items():
        for space in spaces:
            words = ["甲", f"{space}乙", "丙"]
            to_gensim(WordVectors(words, np.eye(3))).save_word2vec_format(path, binary=binary)
            try:
                model = load_in_gensim(path, binary)
            except ValueError:
                found.add(space)
                continue
            if model.index_to_key != words:
                found.add(space)
            else:  # gensim 读得了的，我们也读得了
                assert WordVectors.load(path, binary).words == words
    assert broken == {False: {" ", "\n"}, True: {" ", "\n"}} and len(spaces) == 29


@both
@pytest.mark.parametrize("word", ["New York", " 前", "后 ", "a\tb", "a\nb", "a\r", "a\u3000b", "a\xa0b",
                                  "a\u2028b", "", " ", "半\ud83d"])
def test_save_refuses_words_that_would_not_come_back(tmp_path, binary, word):
    path = tmp_path / "a.vec"
    path.write_text("旧的内容", encoding="utf-8")
    with pytest.raises(ValueError, match="空白或残缺的字符.*去掉这样的词"):
        WordVectors(["好", word], np.eye(2)).save(path, binary)
    assert path.read_text(encoding="utf-8") == "旧的内容" and list(tmp_path.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("磁盘满了")

    path = tmp_path / "a.vec"
    WordVectors(["旧"], [[1]]).save(path)
    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="磁盘满了"):
        WordVectors(["新"], [[2]]).save(path)
    assert WordVectors.load(path).words == ["旧"]


def test_reads_what_word2vec_c_and_windows_write(tmp_path):
    """word2vec.c 在每行末尾多写一个空格，在二进制的每个向量之后换行；记事本会加 BOM 和回车。"""
    path, row = tmp_path / "a.vec", np.array([0.5, -1], "<f4")
    for content in ("2 2\n的 0.500000 -1.000000 \n了 0.500000 -1.000000 \n".encode(),
                    "\ufeff2 2\r\n的 0.5 -1\r\n了 .5 -1e0\r\n".encode()):
        path.write_bytes(content)
        loaded = WordVectors.load(path)
        assert loaded.words == ["的", "了"]
        np.testing.assert_array_equal(loaded.matrix, [row, row])
    path.write_bytes(b"2 2\n" + "的 ".encode() + row.tobytes() + "\n了 ".encode() + row.tobytes() + b"\n")
    loaded = WordVectors.load(path, binary=True)
    assert loaded.words == ["的", "了"]
    np.testing.assert_array_equal(loaded.matrix, [row, row])


def test_the_same_bytes_can_be_both_formats(tmp_path):
    """两种读法都合法时当作文本：两个词、每个两维，按文本读是平常的数，按二进制读是很小的数，都合法。"""
    path = tmp_path / "a.vec"
    path.write_bytes("2 2\n北京 1.25 2.5\n上海 3.5 4.25\n".encode())
    guessed, as_text, as_binary = (WordVectors.load(path, how) for how in (None, False, True))
    assert guessed.words == as_text.words and (guessed.matrix == as_text.matrix).all()
    assert as_text.words == as_binary.words == ["北京", "上海"]
    np.testing.assert_array_equal(as_text.matrix, [[1.25, 2.5], [3.5, 4.25]])
    np.testing.assert_array_equal(as_binary.matrix.tobytes(), b"1.25 2.53.5 4.25")


ROW = np.array([0.5, -1], "<f4").tobytes()
BAD_TEXT = {
    "空文件": ("", "第 1 行：应为“词数 维数”"),
    "没有表头": ("的 0.5 -1\n了 0.5 -1\n", "第 1 行：应为“词数 维数”.*GloVe"),
    "两个表头": ("2 2\n2 2\n的 0.5 -1\n了 0.5 -1\n", "第 2 行：词后应有 2 个数.*表头只能有一行；收到 '2 2"),
    "两个表头，一维": ("2 1\n2 1\n的 0.5\n了 0.5\n", "第 4 行：表头说有 2 个词，这一行是多出来的"),
    "词数是负的": ("-2 2\n的 0.5 -1\n", "第 1 行"),
    "一个词也没有": ("0 2\n", "第 1 行"),
    "零维": ("1 0\n的\n", "第 1 行"),
    "词数大得离谱": ("999999999999 2\n的 0.5 -1\n", "第 1 行：表头说有 999999999999 个词，正文只有 1 行"),
    "维数大得离谱": ("1 999999999999\n的 0.5 -1\n", "第 2 行：词后应有 999999999999 个数，这里有 2 个"),
    "词数长得离谱": (f"{'9' * 5000} 2\n的 0.5 -1\n", "第 1 行"),
    "行太少": ("3 2\n的 0.5 -1\n了 0.5 -1\n", "第 1 行：表头说有 3 个词，正文只有 2 行"),
    "行太多": ("1 2\n的 0.5 -1\n了 0.5 -1\n", "第 3 行：表头说有 1 个词，这一行是多出来的"),
    "数太少": ("2 2\n的 0.5 -1\n了 0.5\n", "第 3 行：词后应有 2 个数，这里有 1 个"),
    "数太多": ("2 2\n的 0.5 -1 3\n了 0.5 -1\n", "第 2 行：词后应有 2 个数，这里有 3 个"),
    "空行": ("2 2\n的 0.5 -1\n\n了 0.5 -1\n", "第 3 行：词后应有 2 个数，这里有 0 个"),
    "用制表符分隔": ("1 2\n的\t0.5\t-1\n", "第 2 行：词后应有 2 个数，这里有 0 个，.*不用制表符"),
    "词后是制表符": ("1 2\n的\t0.5 -1\n", "第 2 行：词后应有 2 个数，这里有 1 个，.*不用制表符"),
    "多一行，前面还有空行": ("1 2\n的 1 2\n\n了 1 2\n", "第 4 行：表头说有 1 个词，这一行是多出来的"),
    "逗号作小数点": ("2 3\n的 0,1 0,2 0,3\n了 0.3 0.1 0.2\n", "第 2 行：'0,1' 不是有限的数"),
    "词里有空格": ("1 2\nNew York 0.5 -1\n", "第 2 行：'York' 不是有限的数；词里有空格"),
    "缺了词": ("1 2\n 0.5 -1\n", "第 2 行：缺了词"),
    "不是数": ("2 2\n的 0.5 -1\n了 0.5 1.2.3\n", "第 3 行：'1.2.3' 不是有限的数"),
    "下划线": ("1 2\n的 1_0 -1\n", "第 2 行：'1_0' 不是有限的数"),
    "全角数字": ("1 2\n的 １ -1\n", "第 2 行：'１' 不是有限的数"),
    "NaN": ("2 2\n的 0.5 -1\n了 nan -1\n", "第 3 行：'nan' 不是有限的数"),
    "无穷大": ("1 2\n的 0.5 -inf\n", "第 2 行：'-inf' 不是有限的数"),
    "超出 float32": ("1 2\n的 0.5 1e39\n", "第 2 行：词 '的' 的向量里有 NaN 或无穷大"),
    "词重复": ("3 2\n的 0.5 -1\n了 0.5 -1\n的 1 2\n",
            "第 4 行：词 '的' 已经在第 2 行出现过；请先去重，或用 on_duplicate"),
    "断在数中间": ("2 2\n的 0.5 -1\n了 0.5 -1.2", "第 3 行：末尾没有换行.*请在文件末尾加一个换行"),
    "末尾没有换行": ("2 2\n的 .1 .2\n了 .3 .1", "第 3 行：末尾没有换行.*请在文件末尾加一个换行"),
    "断了，又没有换行": ("2 2\n的 .1 .2\n了 .3", "第 3 行：这一行不完整；文件没有下载完整"),
    "中间断了": ("3 2\n的 .1 .2\n了 .3 .1", "第 3 行：这一行不完整；文件没有下载完整"),
    "断在词中间": ("2 2\n的 0.5 -1\n了".encode()[:-1], "第 3 行：这一行不完整"),
    "GBK": ("1 2\n中国 0.5 -1\n".encode("gbk"), "第 2 行.*如果它是 '中国'，文件就是 GBK .*另存为 UTF-8"),
    "UTF-16": ("1 2\n的 0.5 -1\n".encode("utf-16"), "第 1 行.*收到 一串不是文字的字节；.*UTF-16"),
    "gzip": (gzip.compress(b"1 2\na 1 2\n"), "第 1 行.*收到 一串不是文字的字节；.*gzip 压缩文件.*解压"),
    "其实是二进制": (b"1 2\nw " + ROW, "第 2 行：这一行不完整.*其实是二进制格式"),
    "其实是带换行的二进制": (b"1 2\nw " + ROW + b"\n",
                   "第 2 行：一串不是文字的字节 不是有限的数.*其实是二进制格式"),
}
BAD_BINARY = {
    "空文件": (b"", "第 1 行：应为“词数 维数”"),
    "只有表头": (b"1 2\n", r"第 1 个词（第 5 字节起）：不完整"),
    "词数大得离谱": (b"999999999999 2\nw " + ROW, "第 2 个词（第 26 字节起）：不完整"),
    "维数大得离谱": (b"1 999999999999\nw " + ROW, "第 1 个词（第 16 字节起）：不完整，应有 999999999999 维"),
    "断在向量里": (b"2 2\nw " + ROW + b"v " + ROW[:-1], "第 2 个词（第 15 字节起）：不完整，应有 2 维；"),
    "断在词里": (b"2 2\nw " + ROW + b"v", "第 2 个词（第 15 字节起）：不完整"),
    "后面还有": (b"1 2\nw " + ROW + b"v " + ROW, "第 15 字节起：表头说有 1 个词，后面还多出 10 个字节"),
    "两个表头": (b"1 2\n1 2\nw " + ROW, "后面还多出 4 个字节；表头错了"),
    "缺了词": (b"1 2\n " + ROW, "第 1 个词（第 5 字节起）：缺了词"),
    "词重复": (b"2 2\nw " + ROW + b"w " + ROW,
            "第 2 个词.*：词 'w' 已经在第 1 个词出现过；请先去重，或用 on_duplicate"),
    "NaN": (b"2 1\nw " + ROW[:4] + b"v " + np.float32(np.nan).tobytes(), "第 2 个词.*'v' 的向量里有 NaN"),
    "GBK": ("1 2\n中国 ".encode("gbk") + ROW, "第 1 个词.*如果它是 '中国'，文件就是 GBK 编码"),
    "其实是文本": ("2 2\n的 0.125 -1.5\n了 0.25 1.75\n", "后面还多出 1 个字节；.*其实是文本格式"),
}


def assert_refused(path, content, hint, binary):
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(ValueError, match=hint) as caught:
        WordVectors.load(path, binary)
    assert type(caught.value) is ValueError and str(caught.value).startswith(f"{path} 第 ")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", BAD_TEXT)
def test_a_bad_text_file_is_an_error_with_its_line(tmp_path, name):
    assert_refused(tmp_path / "坏.vec", *BAD_TEXT[name], binary=False)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", BAD_BINARY)
def test_a_bad_binary_file_is_an_error_with_its_word_and_byte(tmp_path, name):
    assert_refused(tmp_path / "坏.bin", *BAD_BINARY[name], binary=True)


@both
def test_missing_files_and_folders(tmp_path, binary):
    for path in (tmp_path / "没有.vec", tmp_path):
        with pytest.raises(FileNotFoundError, match="不存在，或者是文件夹；当前文件夹是"):
            WordVectors.load(path, binary)


@pytest.mark.parametrize(("content", "words", "matrix"), [
    ("1 2\na 1 2\nb 3 4\n", ["a"], [[1, 2]]),                         # 多出来的行不读
    ("2 2\n2 2\na 1 2\nb 3 4\n", ["2", "a"], [[2, 2], [1, 2]]),      # 第二个表头成了词，b 不见了
    ("2 2\na 1\nb 3 4\n", ["a", "b"], [[1, 1], [3, 4]]),             # 只有一个数，就填满整行
    ("2 2\na 1 2\na 3 4\n", ["a", None], [[1, 2], [0, 0]]),          # 重复的词成了 None
    ("1 2\na nan 2\n", ["a"], [[np.nan, 2]]),
    ("1 2\na 1 2.3", ["a"], [[1, 2.3]]),                              # 原来是 2.345，断在这里
])
def test_what_gensim_accepts_without_a_word_and_we_refuse(tmp_path, content, words, matrix):
    path = tmp_path / "a.vec"
    path.write_text(content, encoding="utf-8")
    model = load_in_gensim(path)
    assert model.index_to_key == words
    np.testing.assert_array_equal(model.vectors, np.float32(matrix))
    with pytest.raises(ValueError, match="第 . 行"):
        WordVectors.load(path)


@both
@pytest.mark.parametrize("E", [1, 2, 5, 100])
def test_the_format_is_recognised(tmp_path, binary, E):
    path = tmp_path / "a.vec"
    for seed in range(20):
        vectors = WordVectors(ODD, np.random.default_rng(seed).normal(size=(len(ODD), E)))
        for write in (vectors.save, to_gensim(vectors).save_word2vec_format):
            write(path, binary=binary)
            loaded = WordVectors.load(path)
            assert loaded.words == ODD
            np.testing.assert_array_equal(bits(loaded.matrix), bits(vectors.matrix))


def test_a_bad_text_file_is_not_taken_for_binary(tmp_path):
    for name in set(BAD_TEXT) - {"其实是二进制", "其实是带换行的二进制", "断在词中间"}:
        assert_refused(tmp_path / "坏.vec", *BAD_TEXT[name], binary=None)
    for name in set(BAD_BINARY) - {"空文件", "只有表头", "两个表头", "其实是文本"}:
        assert_refused(tmp_path / "坏.bin", *BAD_BINARY[name], binary=None)


@both
def test_limit_reads_the_first_words_only(tmp_path, binary):
    path, vectors = tmp_path / "a.vec", WordVectors(ODD, extreme_matrix(len(ODD)))
    vectors.save(path, binary)
    damaged = path.read_bytes()[:-3]  # 后面坏了也不看
    path.write_bytes(damaged)
    for n in (1, 3, np.int64(len(ODD) - 1)):
        loaded = WordVectors.load(path, binary, limit=n)
        assert loaded.words == ODD[:n]
        np.testing.assert_array_equal(bits(loaded.matrix), bits(vectors.matrix[:n]))
    for n in (len(ODD), len(ODD) + 5, None):
        with pytest.raises(ValueError, match="第 "):
            WordVectors.load(path, binary, limit=n)
    for n in (0, -1, 2.5, True):
        with pytest.raises(ValueError, match="limit 应为不小于 1 的整数"):
            WordVectors.load(path, binary, limit=n)


def as_file(binary, words, matrix):
    rows = zip(words, np.asarray(matrix, "<f4"), strict=True)
    return f"{len(words)} {len(matrix[0])}\n".encode() + b"".join(
        w + b" " + (row.tobytes() if binary else " ".join(map(str, row)).encode() + b"\n") for w, row in rows)


@both
def test_duplicates_can_be_dropped(tmp_path, binary):
    path = tmp_path / "a.vec"
    path.write_bytes(as_file(binary, [b"a", b"b", b"a", b"c"], [[1, 2], [3, 4], [5, 6], [7, 8]]))
    with pytest.warns(UserWarning, match="a.vec：读了 3 个词；重复的 1 个只留第一个$"):
        loaded = WordVectors.load(path, on_duplicate="first")
    assert loaded.words == ["a", "b", "c"] and loaded.matrix.tolist() == [[1, 2], [3, 4], [7, 8]]
    with pytest.raises(ValueError, match="on_duplicate 应为 error 或 first，收到 'last'"):
        WordVectors.load(path, on_duplicate="last")


@both
@pytest.mark.parametrize("cut", [("很" * 33).encode() + b"\xe5\xbe", "中国".encode()[:-1], "的".encode()[:2]])
def test_a_word_cut_inside_a_character_is_named_and_can_be_skipped(tmp_path, binary, cut):
    path = tmp_path / "a.vec"
    path.write_bytes(as_file(binary, ["的".encode(), cut, "了".encode()], [[1, 2], [3, 4], [5, 6]]))
    with pytest.raises(ValueError, match="第 (3 行|2 个词).*断在半个字里.*on_broken=\"skip\"") as caught:
        WordVectors.load(path)
    assert "GBK" not in str(caught.value)
    with pytest.warns(UserWarning, match="读了 2 个词；跳过断在半个字里的 1 个$"):
        loaded = WordVectors.load(path, on_broken="skip")
    assert loaded.words == ["的", "了"] and loaded.matrix.tolist() == [[1, 2], [5, 6]]
    with pytest.raises(ValueError, match="on_broken 应为 error 或 skip，收到 'ignore'"):
        WordVectors.load(path, on_broken="ignore")


def test_a_gbk_file_is_still_called_gbk(tmp_path):
    path = tmp_path / "a.vec"
    for words in (["的", "了"], ["a", "中国"], ["模", "寰"]):  # 模 的 GBK 恰好也是一个合法的 UTF-8 字符
        path.write_bytes(as_file(False, [w.encode("gbk") for w in words], [[1, 2], [3, 4]]))
        with pytest.raises(ValueError, match="文件就是 GBK 编码"):
            WordVectors.load(path)
    path.write_bytes(as_file(False, [w.encode("gbk") for w in ["的", "了"]], [[1, 2], [3, 4]]))
    with pytest.raises(ValueError, match="一个词也没有留下；2 个词都不是合法的 UTF-8"):
        WordVectors.load(path, on_broken="skip")


def test_blank_lines_at_the_end_are_nothing(tmp_path):
    path = tmp_path / "a.vec"
    for end in ("\n", "\r\n\n", "  \n \n", "\n  "):
        path.write_bytes(("2 2\n的 .5 -1\n了 .5 -1\n" + end).encode())
        with warnings.catch_warnings(action="error"):
            assert WordVectors.load(path).words == ["的", "了"]


@given(st.lists(st.from_regex(r"[-+]?([0-9]{1,25}\.?[0-9]{0,25}|\.[0-9]{1,25})([eE][-+]?[0-9]{1,3})?",
                              fullmatch=True), min_size=1, max_size=5))
def test_numbers_are_read_as_python_reads_them(tmp_path_factory, numbers):
    with np.errstate(over="ignore"):
        expected = np.array([float(x) for x in numbers], np.float32)
    path = tmp_path_factory.mktemp("vectors") / "a.vec"
    path.write_text(f"1 {len(numbers)}\n的 {' '.join(numbers)}\n", encoding="utf-8")
    if np.isfinite(expected).all():
        np.testing.assert_array_equal(bits(WordVectors.load(path).matrix[0]), bits(expected))
    else:
        with pytest.raises(ValueError, match="无穷大"):
            WordVectors.load(path)


def test_long_binary_words_and_files_are_read_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr("textseq.vectors._BLOCK", 7)
    path, vectors = tmp_path / "a.bin", WordVectors(ODD, extreme_matrix(len(ODD)))
    vectors.save(path, binary=True)
    loaded = WordVectors.load(path, binary=True)
    assert loaded.words == ODD
    np.testing.assert_array_equal(bits(loaded.matrix), bits(vectors.matrix))


def peak(call, whole):
    """调用途中多占的内存最多是 whole 的几倍。"""
    gc.collect()
    tracemalloc.start()
    result = call()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most / whole, result


@pytest.mark.parametrize("binary", [pytest.param(False, id="文本", marks=pytest.mark.full),
                                    pytest.param(True, id="二进制")])
def test_saving_and_loading_take_hardly_more_memory_than_the_matrix(tmp_path, binary):
    V, E, path = 5_000 if binary else 500, 800, tmp_path / "a.vec"
    matrix = np.random.default_rng(0).normal(size=(V, E)).astype(np.float32)
    vectors, whole = WordVectors([f"词{i}" for i in range(V)], matrix), matrix.nbytes
    assert peak(lambda: vectors.save(path, binary), whole)[0] < 0.2
    times, loaded = peak(lambda: WordVectors.load(path), whole)
    assert times < 1.3
    np.testing.assert_array_equal(loaded.matrix, matrix)
    if binary:
        times, _ = peak(lambda: WordVectors.load(path).most_similar("词0"), whole)
        assert times < 2.2
