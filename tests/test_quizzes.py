"""自测题：每章五题，每题恰有一个对的，每个选项都有理由；里面的数在那一章里找得到。"""

import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest
from quiz import quiz_texts, read_quizzes

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("[0-9]*.ipynb"))
QUIZZES = read_quizzes()
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem[:2])


def sentences(quiz):
    for question in quiz:
        yield question["question"]
        for option in question["options"]:
            yield from (option["text"], option["why"])


@each
def test_five_questions_each_with_one_right_option(path):
    quiz = QUIZZES[path.stem[:2]]
    assert len(quiz) == 5
    for question in quiz:
        options = question["options"]
        assert len({option["text"] for option in options}) == len(options) >= 3
        assert sum(option["right"] for option in options) == 1
        assert all(option["why"].endswith("。") and "$" not in option["text"] for option in options)
        longest = max(options, key=lambda option: len(option["text"]))
        assert len(longest["text"]) <= 34


def test_the_right_option_stands_everywhere():
    """对的不总在同一处，也不总是最长的一个。"""
    questions = [question["options"] for quiz in QUIZZES.values() for question in quiz]
    places = Counter(next(i for i, o in enumerate(options) if o["right"]) for options in questions)
    assert all(places[i] >= 10 for i in range(3))
    longest = sum(max(options, key=lambda o: len(o["text"]))["right"] for options in questions)
    assert longest <= 35


@each
def test_numbers_are_those_of_the_chapter(path):
    """带小数点或百分号的数，那一章的正文、代码或输出里都有。"""
    wanted = {number for sentence in sentences(QUIZZES[path.stem[:2]])
              for number in re.findall(r"(?<![\d.])\d[\d,]*(?:\.\d+|(?=%))", sentence)}
    cells = nbformat.read(path, as_version=4).cells
    cells[-1].source = cells[-1].source.replace(quiz_texts()[path.stem[:2]], "")
    stored = " ".join(cell.source + str(cell.get("outputs", "")) for cell in cells)
    assert sorted(number for number in wanted if number not in stored) == []
