"""评测数据：说明里写的每个数都从文件里重数一遍，词都在语料里，答案只有一个。"""

import re
from collections import Counter
from itertools import chain, combinations
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from textseq import corpora

DATA = Path(__file__).parents[1] / "data/evaluation"
README = (DATA / "README.md").read_text(encoding="utf-8")
DIGITS = "一二三四五六七八九"


@pytest.fixture(scope="module")
def tags():
    """词 → 它在人民日报里各词性的次数。"""
    counted = {}
    for sentence in corpora.people_daily():
        for word, tag in zip(sentence.words, sentence.tags, strict=True):
            counted.setdefault(word, Counter())[tag] += 1
    return counted


@pytest.fixture(scope="module")
def details():
    return rows("word_pairs_detail.tsv", 9)


@pytest.fixture(scope="module")
def relations():
    found = {}
    for line in (DATA / "analogies.tsv").read_text(encoding="utf-8").splitlines():
        if line.startswith(": "):
            assert line[2:] not in found
            pairs = found[line[2:]] = []
        else:
            first, second = line.split("\t")
            pairs.append((first, second))
    return found


def rows(name, width):
    lines = (DATA / name).read_text(encoding="utf-8").splitlines()
    found = [line.split("\t") for line in lines if not line.startswith("#")]
    assert {len(row) for row in found} == {width}
    return found


def promised(header):
    """说明里以 header 开头的那张表：首列 → 其余各列。"""
    table = README.split(f"| {header} |", 1)[1].split("\n\n", 1)[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in table]
    return {first: rest for first, *rest in cells}


def counts(header):
    return {name: int(rest[0]) for name, rest in promised(header).items()}


def number(zh):
    """“七”“十”“十七”“二十”这样不到一百的数。"""
    tens, ten, ones = zh.rpartition("十")
    return 10 * (DIGITS.find(tens or "一") + 1) * bool(ten) + (DIGITS.find(ones) + 1 if ones else 0)


def shortened(short, full):
    """short 的字依次都在 full 里。"""
    rest = iter(full)
    return len(short) < len(full) and all(character in rest for character in short)


def test_both_pair_files_agree(details):
    assert rows("word_pairs.tsv", 3) == [row[:3] for row in details]


def test_scores_are_the_mean_of_three_raters(details):
    for first, second, score, *_, one, two, three in details:
        ratings = [float(one), float(two), float(three)]
        assert all(rating in np.arange(0, 4.5, 0.5) for rating in ratings), (first, second)
        assert re.fullmatch(r"[0-4]\.\d\d", score) and abs(float(score) - np.mean(ratings)) < 0.0051


def test_agreement_between_raters_is_as_stated(details):
    ratings = {name: [float(row[column]) for row in details] for column, name in enumerate("甲乙丙", 6)}
    measured = {
        f"{a}与{b}": f"{spearmanr(ratings[a], ratings[b])[0]:.2f}" for a, b in combinations("甲乙丙", 2)}
    assert measured == {name: rest[0] for name, rest in promised("评分者").items()}


@pytest.mark.parametrize("header, column", [("词性", 3), ("关系", 4), ("频率", 5)])
def test_counts_of_pairs_are_as_stated(details, header, column):
    assert Counter(row[column] for row in details) == counts(header)


def test_score_levels_are_as_stated_and_well_filled(details):
    levels = Counter(min(4, int(float(row[2]) + 0.5)) for row in details)
    assert [levels[level] for level in range(5)] == list(counts("分数").values())
    assert min(levels.values()) >= 30 and levels[0] <= 0.3 * len(details)


def test_no_pair_comes_twice_and_no_word_too_often(details):
    pairs = [frozenset(row[:2]) for row in details]
    assert {len(pair) for pair in pairs} == {2} and len(set(pairs)) == len(pairs)
    limit = int(re.search(r"一个词最多用在 (\d+) 对里", README)[1])
    assert max(Counter(chain.from_iterable(pairs)).values()) == limit <= 4


def test_antonyms_are_spread_over_parts_of_speech(details):
    antonyms = Counter(row[3] for row in details if row[4] == "反义")
    assert min(antonyms[pos] for pos in ("名词", "动词", "形容词")) >= 10


def test_frequency_bands_follow_the_corpus(details, tags):
    for first, second, _, _, _, band, *_ in details:
        rarer = min(tags[first].total(), tags[second].total())
        assert band == ("常见" if rarer >= 50 else "少见" if rarer <= 20 else "中等"), (first, second)


def test_every_word_is_in_the_corpus_at_least_five_times(details, relations, tags):
    assert "次数不少于 5 的词盖住 100% 的词对和 100% 的类比题" in README
    words = {word for row in details for word in row[:2]} | {
        word for pair in chain.from_iterable(relations.values()) for word in pair}
    assert [word for word in words if word not in tags or tags[word].total() < 5] == []


def test_gensim_reads_every_pair(details):
    """三列才不会被 gensim 悄悄跳过；拿分数当相似度，相关系数应当是 1。"""
    from gensim.models import KeyedVectors

    class Echo(KeyedVectors):
        def similarity(self, first, second):
            return scores[first, second]

    scores = {(row[0], row[1]): float(row[2]) for row in details}
    vectors = Echo(1)
    words = sorted(set(chain.from_iterable(scores)))
    vectors.add_vectors(words, np.ones((len(words), 1), "float32"))
    _, spearman, unknown = vectors.evaluate_word_pairs(DATA / "word_pairs.tsv")
    assert spearman[0] == pytest.approx(1) and unknown == 0


def test_categories_and_questions_are_as_stated(relations):
    stated = {name: (int(pairs), int(asked)) for name, (pairs, asked, _) in promised("类别").items()}
    assert {name: (len(p), len(p) * (len(p) - 1)) for name, p in relations.items()} == stated
    asked = [questions for _, questions in stated.values()]
    total = sum(pairs for pairs, _ in stated.values())
    assert f"共 {len(stated)} 类，{total} 对词，{sum(asked)} 道题；" in README
    assert f"最大的一类占 {100 * max(asked) / sum(asked):.0f}%" in README
    assert f"{sum(asked)} 道类比题" in README
    assert len(stated) >= 10 and sum(asked) >= 1500 and max(asked) <= 0.35 * sum(asked)


def test_every_question_has_one_answer(relations):
    """同一类里一个词只出现一次；全部类别里没有重复的词对，反过来也没有。"""
    for name, pairs in relations.items():
        assert max(Counter(chain.from_iterable(pairs)).values()) == 1, name
    pairs = [frozenset(pair) for pair in chain.from_iterable(relations.values())]
    assert len(set(pairs)) == len(pairs)


@pytest.mark.parametrize("name, holds", [
    ("负责人—单位", lambda a, b: a == b + "长"),
    ("领域—专家", lambda a, b: b == a + "家"),
    ("数—序数", lambda a, b: b == "第" + a),
    ("数字—汉字", lambda a, b: int(a) == number(b)),
    ("全称—简称", lambda a, b: shortened(b, a)),
    ("地名—代表队", lambda a, b: b == a + "队"),
    ("城市—带“市”的全称", lambda a, b: b == a + "市"),
])
def test_relations_of_form_hold(relations, name, holds):
    assert [pair for pair in relations[name] if not holds(*pair)] == []


@pytest.mark.parametrize("name, column, tag", [
    ("省—省会", 0, "ns"), ("省—省会", 1, "ns"), ("国家—首都", 0, "ns"), ("国家—首都", 1, "ns"),
    ("国家—总统", 1, "nr"), ("地名—简称", 1, "j"),
])
def test_names_are_mostly_used_as_names(relations, tags, name, column, tag):
    """地名、人名、简称在语料里的标注也多半是地名、人名、简称。"""
    words = [pair[column] for pair in relations[name]]
    assert [word for word in words if tags[word][tag] * 2 < tags[word].total()] == []


def test_capitals_of_provinces_and_countries_do_not_mix(relations):
    capitals = [b for name in ("省—省会", "国家—首都") for _, b in relations[name]]
    assert len(set(capitals)) == len(capitals)
    countries = {a for a, _ in relations["国家—首都"]}
    provinces = {a for a, _ in relations["省—省会"]}
    assert countries.isdisjoint(provinces) and (countries | provinces).isdisjoint(capitals)
    others = {a for a, _ in relations["国家—货币"] + relations["国家—总统"]}
    assert others.isdisjoint(provinces | set(capitals))
