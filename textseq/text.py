"""文本：清洗、分词、分句，以及分词的评分。"""

import functools
import itertools
import logging
import re
import warnings
from collections.abc import Iterable

with warnings.catch_warnings():  # Python 3.12 起，jieba 的旧正则写法会引出 SyntaxWarning
    warnings.simplefilter("ignore")
    import jieba

jieba.setLogLevel(logging.CRITICAL + 10)  # 词典加载的提示会写到 stderr，让 notebook 测试失败

MODES = ("accurate", "full", "search")
_HALF_WIDTH = {ord(c): ord(c) - 0xFEE0 for c in
               "０１２３４５６７８９．％ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ"
               "ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ"}
# jieba 的 HMM 对一段连续未登录字的耗时随长度的平方增长，所以超长的文本先分段，尽量断在标点处
_PIECE = re.compile(r".{1,999}(?:[，。！？；：、\s]|$)|.{1,1000}", re.DOTALL)
_SENTENCE = re.compile(r".+?(?:[。！？!?…]+[”’」』）)》]*|\n|$)", re.DOTALL)


def clean(text: str) -> str:
    """全角字母、数字与 ．％ 变半角，连续空白变一个空格，去掉两端空白；其余标点与繁体字不动。"""
    _check_text(text)
    return re.sub(r"\s+", " ", text.translate(_HALF_WIDTH)).strip()


def split_sentences(text: str) -> list[str]:
    """在 。！？… 与换行之后断句，句末的引号、括号跟着前一句走。"""
    _check_text(text)
    return [s for s in (m.strip() for m in _SENTENCE.findall(text)) if s]


def tokenize(text: str, mode: str = "accurate", hmm: bool = True,
             user_words: Iterable[str] = ()) -> list[str]:
    """用 jieba 把一段文本切成词，去掉空白词；空文本得到空列表。

    mode 为 "accurate"（精确模式，每个字恰好落在一个词里）、"full"（全模式，词典里
    有的词全列出，会重叠）或 "search"（搜索引擎模式，在精确模式上再切长词，会重叠）。
    hmm 决定是否用 HMM 猜测词典里没有的词；"full" 不用 HMM。
    user_words 只影响这一次调用，不改动 jieba 的全局词典。

    异常：text 不是字符串 TypeError；mode 不认识 ValueError。
    出处：jieba 0.42.1，github.com/fxsjy/jieba。
    """
    _check_text(text)
    if mode not in MODES:
        raise ValueError(f"mode 应为 {'、'.join(MODES)} 之一，收到 {mode!r}")
    if isinstance(user_words, str):
        raise TypeError(f"user_words 应为词的列表，收到字符串 {user_words!r}；"
                        f"只有一个词时请写 [{user_words!r}]")
    tokenizer = _tokenizer(tuple(user_words))
    words = []
    for piece in _PIECE.findall(text) if len(text) > 1000 else [text]:
        if mode == "search":
            words += tokenizer.lcut_for_search(piece, HMM=hmm)
        else:
            words += tokenizer.lcut(piece, cut_all=mode == "full", HMM=hmm)
    return [w for w in words if w.strip()]


def word_spans(words: Iterable[str]) -> set[tuple[int, int]]:
    """首尾相接的词 → 区间集合：["我", "十分"] → {(0, 1), (1, 3)}。"""
    ends = list(itertools.accumulate(map(len, words)))
    return set(zip([0, *ends], ends, strict=False))


def find_spans(text: str, mode: str = "accurate", hmm: bool = True,
               user_words: Iterable[str] = ()) -> set[tuple[int, int]]:
    """切词，给出每个词在 text 里的起止位置；参数同 tokenize，会重叠的两种模式也算得清。"""
    spans, start, size = set(), 0, 0
    for word in tokenize(text, "accurate" if mode == "search" else mode, hmm, user_words):
        if mode == "full":  # 从左到右按起点列词；起点相同时后列的更长，否则起点已经右移
            start = text.index(word, start if len(word) > size else start + 1)
        else:
            start = text.index(word, start + size)
        size = len(word)
        spans.add((start, start + size))
        if mode == "search":  # 精确模式切出的长词里，再列出词典收的两字词、三字词
            dictionary = _tokenizer(tuple(user_words)).FREQ
            spans |= {(i, i + n) for n in (2, 3) if n < size
                      for i in range(start, start + size - n + 1) if dictionary.get(text[i:i + n])}
    return spans


@functools.lru_cache(maxsize=4)
def _tokenizer(user_words: tuple[str, ...]) -> jieba.Tokenizer:
    """带用户词的分词器是独立的一份；不带用户词时用 jieba 自己的那一份，省一次加载。"""
    if not user_words:
        return jieba.dt
    tokenizer = jieba.Tokenizer()
    for word in user_words:
        tokenizer.add_word(word)
    return tokenizer


def _check_text(text: str) -> None:
    if not isinstance(text, str):
        raise TypeError(f"需要一个字符串，收到 {type(text).__name__}：{str(text)[:30]!r}；"
                        "多条文本请逐条传入")
