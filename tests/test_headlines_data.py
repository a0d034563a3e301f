"""data/headlines：格式、平衡、长短、三份之间不漏题，与说明相符。"""

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from textseq import corpora, naive_bayes

FOLDER = Path(__file__).parents[1] / "data/headlines"
SPLITS = {"train": 330, "dev": 50, "test": 50}  # 每类几条
TITLES = {split: list(corpora.headlines(FOLDER, split)) for split in SPLITS}
EVERY = [title for rows in TITLES.values() for title, _ in rows]


def pieces(title, n):
    return {title[i:i + n] for i in range(len(title) - n + 1)}


def test_ten_classes_as_in_the_notes():
    names = "财经 房产 股票 教育 科技 社会 时政 体育 游戏 娱乐".split()
    assert corpora.headlines(FOLDER).classes == tuple(names)


@pytest.mark.parametrize("split", SPLITS)
def test_every_split_is_balanced(split):
    assert Counter(label for _, label in TITLES[split]) == dict.fromkeys(range(10), SPLITS[split])


def test_titles_are_clean_and_of_the_right_length():
    lengths = sorted(map(len, EVERY))
    assert lengths[0] >= 8 and lengths[-1] <= 32 and 18 <= lengths[len(lengths) // 2] <= 20
    assert all(title == title.strip() and "\t" not in title for title in EVERY)
    assert len(set(EVERY)) == len(EVERY)


def test_no_ten_characters_in_more_than_three_titles():
    counts = Counter(piece for title in EVERY for piece in pieces(title, 10))
    assert max(counts.values()) <= 3


def test_no_near_duplicate_leaks_from_one_split_to_another():
    where = defaultdict(list)  # 二字串 → 出现在哪几条
    rows = [(split, pieces(title, 2), title) for split, titles in TITLES.items() for title, _ in titles]
    for i, (_, grams, _) in enumerate(rows):
        for gram in grams:
            where[gram].append(i)
    for i, (split, grams, title) in enumerate(rows):
        shared = Counter(j for gram in grams for j in where[gram] if j > i)
        for j, n in shared.items():
            other, theirs, near = rows[j]
            if split != other:
                assert n / len(grams | theirs) < 0.4, f"{title}（{split}）与 {near}（{other}）太像"


def test_the_readme_tells_the_same_story():
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    for split, n in SPLITS.items():
        assert f"`{split}.txt`" in readme and f"{10 * n:,}" in readme
    assert f"{len(EVERY):,} 条" in readme


def test_the_naive_bayes_score_in_the_readme():
    """与第 10 章的阶梯同一个模型；README 里 test.txt 的那个数由此而来。"""
    model = naive_bayes.count_units(TITLES["train"], range(10))
    right = [naive_bayes.guess_label(model, title) == label for title, label in TITLES["test"]]
    accuracy = 100 * sum(right) / len(right)
    assert f"`test.txt` 上是 {accuracy:.1f}%" in (FOLDER / "README.md").read_text(encoding="utf-8"), accuracy
