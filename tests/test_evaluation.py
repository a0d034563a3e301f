"""evaluation：读评测数据；等级相关对照 scipy，词对与类比的得分对照 gensim。"""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from textseq import evaluation
from textseq.evaluation import Hits, Pair, Similarity
from textseq.vectors import WordVectors

NUMBERS = st.lists(st.tuples(st.integers(-3, 3), st.floats(-1e6, 1e6)), min_size=2, max_size=30)


def random_vectors(V=60, E=5, seed=0):
    return WordVectors([f"词{i}" for i in range(V)], np.random.default_rng(seed).normal(size=(V, E)))


def to_gensim(vectors):
    from gensim.models import KeyedVectors
    model = KeyedVectors(vectors.vector_size)
    model.add_vectors(vectors.words, vectors.matrix)
    return model


def write(path, content):
    path.write_text(content, encoding="utf-8")
    return path


# 数据文件

def test_pairs_with_and_without_details(tmp_path):
    path = write(tmp_path / "pairs.tsv", "# 词一\t词二\t分数\n\n"
                 "快\t慢\t2.67\t形容词\t反义\t常见\n猫\t狗\t3\n")
    first, second = evaluation.load_pairs(path)
    assert first == Pair("快", "慢", 2.67, "形容词", "反义", "常见")
    assert second == Pair("猫", "狗", 3.0, pos="", relation="", band="")


def test_analogies_by_category(tmp_path):
    path = write(tmp_path / "analogies.tsv", "# 注释\n: 首都\n中国\t北京\n日本\t东京\n\n: 反义\n大\t小\n")
    relations = evaluation.load_analogies(path)
    assert relations == {"首都": [("中国", "北京"), ("日本", "东京")], "反义": [("大", "小")]}


@pytest.mark.parametrize(("content", "line"), [
    ("猫\t狗\n", 1), ("猫 狗 3\n", 1), ("猫\t狗\t三\n", 1), ("猫\t狗\tnan\n", 1), ("猫\t狗\t\n", 1),
    ("\t狗\t3\n", 1), ("猫\t\t3\n", 1), ("猫\t狗\t3\n# 注释\n快\t慢\t形容词\n", 3),
])
def test_a_bad_pair_is_an_error_with_its_line(tmp_path, content, line):
    with pytest.raises(ValueError, match=f"pairs.tsv 第 {line} 行：应为“词一<TAB>词二<TAB>分数”"):
        evaluation.load_pairs(write(tmp_path / "pairs.tsv", content))


@pytest.mark.parametrize(("content", "line"), [
    ("中国\t北京\n", 1), (": \n", 1), (": 首都\n中国\n", 2), (": 首都\n中国\t北京\t亚洲\n", 2),
    (": 首都\n中国\t\n", 2), (": 首都\n中国\t北京\n中国\t北京\n", 3),
    (": 首都\n中国\t北京\n: 反义\n大\t小\n: 首都\n", 5),
])
def test_a_bad_analogy_is_an_error_with_its_line(tmp_path, content, line):
    with pytest.raises(ValueError, match=f"analogies.tsv 第 {line} 行：应为新的“: 类别”"):
        evaluation.load_analogies(write(tmp_path / "analogies.tsv", content))


# 等级相关

@given(NUMBERS)
def test_spearman_agrees_with_scipy(numbers):
    from scipy import stats
    for x, y in itertools.product(zip(*numbers, strict=True), repeat=2):
        if len(set(x)) > 1 and len(set(y)) > 1:
            expected = stats.spearmanr(x, y).statistic
            assert evaluation.spearman(x, y) == pytest.approx(expected, abs=1e-12)


def test_spearman_averages_ties_and_knows_when_there_is_no_order():
    assert evaluation.spearman([1, 2, 3], [10, 200, 3000]) == pytest.approx(1)
    assert evaluation.spearman([1, 1, 2], [1, 2, 3]) == pytest.approx(3 ** 0.5 / 2)  # 名次 1.5、1.5、3
    assert all(math.isnan(evaluation.spearman(x, y)) for x, y in [([], []), ([1], [2]), ([5, 5], [1, 2])])
    for x, y in [([1, 2], [1, 2, 3]), ([1, math.nan], [1, 2]), ([[1, 2]], [[1, 2]])]:
        with pytest.raises(ValueError, match="一样长、没有 NaN"):
            evaluation.spearman(x, y)


# 得分

def test_similarity_score_agrees_with_gensim_and_counts_what_it_skips(tmp_path):
    vectors, rng = random_vectors(), np.random.default_rng(1)
    pairs = [Pair(f"词{a}", f"词{b}", round(s, 2)) for a, b, s in
             zip(rng.integers(0, 70, 80), rng.integers(0, 70, 80), rng.uniform(0, 4, 80), strict=True)]
    path = write(tmp_path / "pairs.tsv", "".join(f"{p.a}\t{p.b}\t{p.score}\n" for p in pairs))
    assert evaluation.load_pairs(path) == pairs
    mine = evaluation.similarity_score(vectors, pairs)
    _, theirs, missing = to_gensim(vectors).evaluate_word_pairs(str(path))
    assert mine.rho == pytest.approx(theirs.statistic, abs=1e-12)
    assert mine.used == sum(int(p.a[1:]) < 60 and int(p.b[1:]) < 60 for p in pairs) and mine.total == 80
    assert missing == pytest.approx(100 * (80 - mine.used) / 80)


def test_similarity_score_without_any_known_pair():
    score = evaluation.similarity_score(random_vectors(), [Pair("猫", "狗", 3)])
    assert math.isnan(score.rho) and score[1:] == (0, 1) and isinstance(score, Similarity)


def relations_for(seed, V=45):
    """有缺词的，有丁与丙同词的，有一个词在几对里出现的。"""
    ids = np.random.default_rng(seed).integers(0, V, (2, 12, 2))
    return {name: [*dict.fromkeys((f"词{a}", f"词{b}") for a, b in rows), ("词0", "缺")]
            for name, rows in zip(("一类", "二类"), ids, strict=True)}


@pytest.mark.parametrize("seed", range(4))
def test_analogy_score_agrees_with_gensim(tmp_path, seed):
    vectors, relations = random_vectors(V=40, E=3, seed=seed), relations_for(seed)
    questions = {name: [(*p, *q) for p, q in itertools.permutations(pairs, 2)]
                 for name, pairs in relations.items()}
    path = write(tmp_path / "questions.txt", "".join(
        f": {name}\n" + "".join(" ".join(q) + "\n" for q in qs) for name, qs in questions.items()))
    _, sections = to_gensim(vectors).evaluate_word_analogies(
        str(path), restrict_vocab=None, case_insensitive=False)
    mine = evaluation.analogy_score(vectors, relations)
    for section in sections[:-1]:
        hits, used, total = mine[section["section"]]
        assert hits == len(section["correct"]) and used == hits + len(section["incorrect"])
        assert total == len(questions[section["section"]]) > used
    assert evaluation.total_hits(mine).hits == len(sections[-1]["correct"]) > 0


@pytest.mark.parametrize("topn", [1, 3, 10, 100])
def test_analogy_score_is_most_similar_question_by_question(topn):
    vectors, relations = random_vectors(V=40, E=3), relations_for(seed=9)
    for name, score in evaluation.analogy_score(vectors, relations, topn).items():
        known = [pair for pair in relations[name] if pair[0] in vectors and pair[1] in vectors]
        hits = sum(d in [word for word, _ in vectors.analogy(a, b, c, topn)]
                   for (a, b), (c, d) in itertools.permutations(known, 2))
        n, m = len(known), len(relations[name])
        assert score == Hits(hits, n * (n - 1), m * (m - 1))
        assert score.rate == hits / (n * (n - 1)) and type(score.hits) is int


def test_a_perfect_model_answers_everything_and_a_collapsed_one_nothing():
    words = ["中国", "北京", "日本", "东京", "法国", "巴黎", "苹果"]
    countries = {"首都": [("中国", "北京"), ("日本", "东京"), ("法国", "巴黎")]}
    rows = np.array([[*np.eye(3)[i // 2], i % 2] for i in range(6)] + [[0, 0, 0, -1]])
    assert evaluation.analogy_score(WordVectors(words, rows), countries) == {"首都": Hits(6, 6, 6)}
    same = WordVectors([*words[::-1]], np.ones((7, 4)))  # 所有的词挤成一点：并列不能算对
    assert evaluation.analogy_score(same, countries)["首都"] == Hits(0, 6, 6)


def test_categories_add_up_and_an_unanswerable_one_has_no_rate():
    relations = {"全缺": [("猫", "狗"), ("大", "小")], "一对": [("词0", "词1")]}
    scores = evaluation.analogy_score(random_vectors(), relations)
    assert scores == {"全缺": Hits(0, 0, 2), "一对": Hits(0, 0, 0)} and math.isnan(scores["全缺"].rate)
    assert evaluation.total_hits({"甲": Hits(1, 2, 6), "乙": Hits(3, 4, 20)}) == Hits(4, 6, 26)
