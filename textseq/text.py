"""文本：清洗、分句、分词，把标题拆成字与二元组。第 02–04、08–10 章。"""

import functools
import itertools
import logging
import re
import warnings
from collections.abc import Iterable, Sequence

with warnings.catch_warnings():  # Python 3.12 起，jieba 的旧正则写法会引出 SyntaxWarning
    warnings.simplefilter("ignore")
    import jieba

jieba.setLogLevel(logging.CRITICAL + 10)  # 词典加载的提示会写到 stderr，让 notebook 测试失败

__all__ = ["MODES", "clean", "find_spans", "split_sentences", "split_units", "tokenize",
           "with_bigrams", "word_spans"]

MODES = ("accurate", "full", "search")
_HALF_WIDTH = {ord(c): ord(c) - 0xFEE0 for c in
               "０１２３４５６７８９．％ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ"
               "ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ"}
# jieba 的 HMM 对一段连续未登录字的耗时随长度的平方增长，所以超长的文本先分段，尽量断在标点处
_PIECE = re.compile(r".{1,999}(?:[，。！？；：、\s]|$)|.{1,1000}", re.DOTALL)
_SENTENCE = re.compile(r".+?(?:[。！？!?…]+[”’」』）)》]*|\n|$)", re.DOTALL)


def clean(text: str) -> str:
    """全角字母、数字与 ．％ 变半角，连续空白变一个空格，去掉两端空白；其余标点与繁体字不动。

    异常：text 不是字符串，TypeError。

    >>> clean("　ＣＰＩ 同比上涨　２．３％。")
    'CPI 同比上涨 2.3%。'
    """
    _check_text(text)
    return re.sub(r"\s+", " ", text.translate(_HALF_WIDTH)).strip()


def split_sentences(text: str) -> list[str]:
    """在 。！？… 与换行之后断句，句末的引号、括号跟着前一句走。异常：同 clean。

    >>> split_sentences("他说：“走吧！”我没有动。天黑了")
    ['他说：“走吧！”', '我没有动。', '天黑了']
    """
    _check_text(text)
    return [s for s in (m.strip() for m in _SENTENCE.findall(text)) if s]


def tokenize(text: str, mode: str = "accurate", hmm: bool = True,
             user_words: Iterable[str] = ()) -> list[str]:
    """用 jieba 把一段文本切成词，去掉空白词；空文本得到空列表。

    mode 为 "accurate"（精确模式，每个字恰好落在一个词里）、"full"（全模式，词典里
    有的词全列出，会重叠）或 "search"（搜索引擎模式，在精确模式上再切长词，会重叠）。
    hmm 决定是否用 HMM 猜测词典里没有的词，"full" 不用 HMM。小数与百分数也靠它：关掉之后一律拆开。

    user_words 是自己的词，只影响这一次调用，不改动 jieba 的全局词典；大小写、全角半角要与文本一致。
    jieba 只让汉字、字母、数字与 + # & . _ % - 连成词，别处一定断开；自己的词里有别的符号、空格或
    全角字母时，先在文本里把它整个划出来，其余的再交给 jieba，所以一定切得出来（有重叠时从左到右，
    同一处取长的）。没有这些符号的，jieba 照词频挑切法，与别的词重叠时不一定切得出来。

    异常：text 不是字符串，或 user_words 不是词的列表，TypeError；mode 不认识，或有空的词，ValueError。
    出处：jieba 0.42.1，github.com/fxsjy/jieba。

    >>> tokenize("中华女子学院招男生")
    ['中华', '女子', '学院', '招', '男生']
    >>> tokenize("上涨12.3%"), tokenize("上涨12.3%", hmm=False)
    (['上涨', '12.3%'], ['上涨', '12', '.', '3', '%'])
    >>> tokenize("迈克尔·乔丹来了", user_words=["迈克尔·乔丹"])
    ['迈克尔·乔丹', '来', '了']
    """
    _check_text(text)
    if mode not in MODES:
        raise ValueError(f"mode 应为 {'、'.join(MODES)} 之一，收到 {mode!r}")
    tokenizer, kept = _tokenizer(_check_user_words(user_words))
    if mode == "full":
        words = [w for w in _cut(tokenizer, text, cut_all=True) if w.strip()]
        if not kept:
            return words
        spans = _full_spans(text, words)
        spans |= {(m.start(), m.start() + len(w)) for w in kept
                  for m in re.finditer(f"(?={re.escape(w)})", text)}
        return [text[start:end] for start, end in sorted(spans)]
    parts = re.split(f"({'|'.join(map(re.escape, kept))})", text) if kept else [text]
    words = []
    for k, part in enumerate(parts):  # 奇数号是划出来的词
        words += [part] if k % 2 else _cut(tokenizer, part, HMM=hmm)
    if mode == "search":
        words = [part for word in words
                 for part in (*(word[i:j] for i, j in _inner(word, tokenizer)), word)]
    return [w for w in words if w.strip()]


def word_spans(words: Iterable[str]) -> set[tuple[int, int]]:
    """首尾相接的词 → 区间集合，每个词从第几个字起、到第几个字前。

    >>> sorted(word_spans(["我", "十分", "高兴"]))
    [(0, 1), (1, 3), (3, 5)]
    """
    ends = list(itertools.accumulate(map(len, words)))
    return set(zip([0, *ends], ends, strict=False))


def find_spans(text: str, mode: str = "accurate", hmm: bool = True,
               user_words: Iterable[str] = ()) -> set[tuple[int, int]]:
    """切词，给出每个词在 text 里的起止位置；参数同 tokenize，会重叠的两种模式也算得清。

    >>> sorted(find_spans("清华大学", "full"))
    [(0, 2), (0, 4), (1, 3), (2, 4)]
    """
    user_words = _check_user_words(user_words)  # 生成器只能走一遍，先变成元组
    if mode == "full":
        return _full_spans(text, tokenize(text, mode, hmm, user_words))
    tokenizer, _ = _tokenizer(user_words)
    spans, end = set(), 0
    for word in tokenize(text, "accurate" if mode == "search" else mode, hmm, user_words):
        start = text.index(word, end)
        end = start + len(word)
        spans.add((start, end))
        if mode == "search":
            spans |= {(start + i, start + j) for i, j in _inner(word, tokenizer)}
    return spans


def split_units(title: str, unit: str = "char") -> list[str]:
    """标题 → 字（unit="char"）或词（"word"）；大写变小写，全角数字变半角，空白不要。

    >>> split_units("ＮＢＡ 季后赛"), split_units("NBA季后赛", "word")
    (['n', 'b', 'a', '季', '后', '赛'], ['nba', '季后赛'])
    """
    text = clean(title).lower()
    return tokenize(text) if unit == "word" else [c for c in text if not c.isspace()]


def with_bigrams(units: Sequence[str]) -> list[str]:
    """每个单位与下一个连成的二元组，最后一个后面补 $，所以与 units 一样长。

    >>> with_bigrams(["本", "科", "生"])
    ['本科', '科生', '生$']
    """
    return [a + b for a, b in itertools.pairwise([*units, "$"])]


def _cut(tokenizer: jieba.Tokenizer, text: str, **how: bool) -> list[str]:
    """jieba 的切法；太长的文本一段一段地切。"""
    pieces = _PIECE.findall(text) if len(text) > 1000 else [text]
    return [word for piece in pieces for word in tokenizer.lcut(piece, **how)]


def _inner(word: str, tokenizer: jieba.Tokenizer) -> list[tuple[int, int]]:
    """搜索引擎模式：长词里面，词典收的两字词，再是三字词。"""
    return [(i, i + n) for n in (2, 3) if n < len(word) for i in range(len(word) - n + 1)
            if tokenizer.FREQ.get(word[i:i + n])]


def _full_spans(text: str, words: Iterable[str]) -> set[tuple[int, int]]:
    """全模式的词在哪里：从左到右按起点列；起点相同时后列的更长，否则起点已经右移。"""
    spans, start, size = set(), 0, 0
    for word in words:
        start = text.index(word, start if len(word) > size else start + 1)
        size = len(word)
        spans.add((start, start + size))
    return spans


def _check_user_words(user_words: Iterable[str]) -> tuple[str, ...]:
    if isinstance(user_words, str):
        raise TypeError(f"user_words 应为词的列表，收到字符串 {user_words!r}；"
                        f"只有一个词时请写 [{user_words!r}]")
    user_words = tuple(user_words)
    for word in user_words:
        if not isinstance(word, str):
            raise TypeError(f"user_words 里的词应为字符串，收到 {word!r}；请给词的列表")
        if not word.strip():
            raise ValueError(f"user_words 里有空的词 {word!r}；请删去它")
    return user_words


@functools.lru_cache(maxsize=4)
def _tokenizer(user_words: tuple[str, ...]) -> tuple[jieba.Tokenizer, tuple[str, ...]]:
    """分词器，与 jieba 留不住、要先划出来的词（长的在前）。

    带用户词的分词器是独立的一份；不带用户词时用 jieba 自己的那一份，省一次加载。
    """
    kept = {word for word in user_words if not jieba.re_han_default.fullmatch(word)}
    plain = [word for word in user_words if word not in kept]
    tokenizer = jieba.Tokenizer() if plain else jieba.dt
    tokenizer.initialize()
    for word in plain:
        tokenizer.add_word(word)
    return tokenizer, tuple(sorted(kept, key=len, reverse=True))


def _check_text(text: str) -> None:
    if not isinstance(text, str):
        raise TypeError(f"需要一个字符串，收到 {type(text).__name__}：{str(text)[:30]!r}；"
                        "多条文本请逐条传入")
