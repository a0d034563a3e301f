"""做互动“自己的文本”要用的 own_text.js：分词的词典，和样例文本；改写说明里的表。约半分钟。

    python data/own_text/build.py

词典从《人民日报》1998 年 1 月的人工切分里数出来，每十段留一段不数，用来量分词的 F1。
样例是课程自己的正文，从 notebooks/ 里取：去掉代码、公式、表格与标记。正文改了，样例不必跟着重做。
"""

import gzip
import json
import math
import re
import unicodedata
from collections import Counter
from pathlib import Path

from textseq import corpora, text
from textseq._files import rewrite_table
from textseq.evaluation import segmentation_score
from textseq.quantized import write_script

FOLDER = Path(__file__).parent
NOTEBOOKS = FOLDER.parents[1] / "notebooks"
LONGEST = 7    # 词典里最长的词有几个字
HAN = "\u3400-\u9fff\uf900-\ufaff〇"
ONE = f"[^{HAN}\\W_]+"
RUN = re.compile(f"[{HAN}]+|{ONE}(?:[-'’.]{ONE})*|\\S")  # 一串汉字；一串字母、数字；别的单独一个


def cut(run: str, words: dict[str, int], total: int) -> list[str]:
    """一串汉字 → 词：各词概率的乘积最大的切法。词典里没有的单字，当作出现过半次。"""
    best, back = [0.0], [0]
    for end in range(1, len(run) + 1):
        options = []
        for start in range(max(0, end - LONGEST), end):
            count = words.get(run[start:end], 0.5 if end - start == 1 else 0)
            if count:
                options.append((best[start] + math.log(count / total), start))
        score, start = max(options)
        best.append(score)
        back.append(start)
    pieces, end = [], len(run)
    while end:
        pieces.append(run[back[end]:end])
        end = back[end]
    return pieces[::-1]


def longest(run: str, words: dict[str, int], total: int) -> list[str]:
    """最简单的对手：从左到右，每次取词典里最长的词。"""
    pieces, start = [], 0
    while start < len(run):
        end = next((e for e in range(min(len(run), start + LONGEST), start + 1, -1)
                    if run[start:e] in words), start + 1)
        pieces.append(run[start:end])
        start = end
    return pieces


def segment(sentence: str, words: dict[str, int], total: int, how=cut) -> list[str]:
    """一句话 → 词；只有汉字要查词典，total 是词典里各词次数的和。"""
    parts = RUN.findall(unicodedata.normalize("NFKC", sentence))
    return [word for part in parts
            for word in (how(part, words, total) if re.match(f"[{HAN}]", part) else [part])]


def split_corpus() -> tuple[list[tuple[str, ...]], list[tuple[str, ...]]]:
    """《人民日报》：数词典的九成，留着量 F1 的一成；每十段留一段。"""
    sentences = [tuple(unicodedata.normalize("NFKC", w) for w in s.words) for s in corpora.people_daily()]
    return [s for i, s in enumerate(sentences) if i % 10], sentences[::10]


def dictionary(sentences: list[tuple[str, ...]]) -> dict[str, int]:
    """全是汉字、不太长的词与次数，从多到少；一样多的照字的编号排，压缩后小一些。"""
    counts = Counter(word for words in sentences for word in words
                     if len(word) <= LONGEST and re.fullmatch(f"[{HAN}]+", word))
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def f1(held: list[tuple[str, ...]], how) -> str:
    """一种切法在留着的段上的 F1。"""
    score = segmentation_score([text.word_spans(words) for words in held],
                               [text.word_spans(how("".join(words))) for words in held])
    return f"{score['f1']:.1%}"


def prose(markdown: str) -> str:
    """一格正文去掉代码、公式、表格、网页标记与链接的地址，一段一行。"""
    for pattern, instead in ((r"```.*?```|\$\$.*?\$\$", "\n"), (r"\$[^$\n]*\$", " "),
                             (r"!?\[([^\]]*)\]\([^)]*\)", r"\1"), (r"`([^`]*)`", r"\1"),
                             (r"<!--.*?-->|</?[a-z][^>]*>|https?://\S+", "")):
        markdown = re.sub(pattern, instead, markdown, flags=re.DOTALL)
    rows = (re.sub(r"^[#>\-\d. ]+|[*]", "", row).strip() for row in markdown.splitlines() if "|" not in row)
    return "\n".join(row for row in rows if re.search(f"[{HAN}]", row))


def sample() -> str:
    """课程十章的正文，前后相接。"""
    notebooks = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(NOTEBOOKS.glob("*.ipynb"))]
    cells = (prose("".join(cell["source"])) for notebook in notebooks for cell in notebook["cells"]
             if cell["cell_type"] == "markdown")
    return "\n".join(cell for cell in cells if cell)


def main() -> None:
    train, held = split_corpus()
    words, own = dictionary(train), sample()
    total = sum(words.values())
    path = FOLDER / "own_text.js"
    write_script(path, "textseqOwnText", {"words": " ".join(words), "counts": list(words.values()),
                                          "sample": own})
    size = path.stat().st_size
    rows = [("词典", f"{len(words):,} 个词，最长 {LONGEST} 个字"),
            ("样例", f"课程的正文，{len(own):,} 个字符"),
            ("文件大小", f"{size / 1e6:.2f} MB，压缩后 {len(gzip.compress(path.read_bytes())) / 1e6:.2f} MB"),
            ("分词 F1，最大概率（互动里用的）", f1(held, lambda s: segment(s, words, total))),
            ("分词 F1，同一部词典，从左到右取最长", f1(held, lambda s: segment(s, words, total, longest))),
            ("分词 F1，一字一词", f1(held, lambda s: segment(s, {}, 0, longest))),
            ("分词 F1，jieba 精确模式", f1(held, lambda s: text.tokenize(s)))]
    print(rewrite_table(FOLDER / "README.md", rows))


if __name__ == "__main__":
    main()
