"""Anki 卡片：写出来再读回，一张不少，公式与标记都对。"""

import json
import sqlite3
import zipfile

import cards
import pytest
from quiz import read_quizzes
from section_search import glossary_terms


@pytest.fixture(scope="module")
def read_back(tmp_path_factory):
    """[(牌名, 问, 答), …]，从写好的 .apkg 里读。"""
    folder = tmp_path_factory.mktemp("cards")
    cards.write(folder / "cards.apkg")
    assert [path.name for path in folder.iterdir()] == ["cards.apkg"]
    with zipfile.ZipFile(folder / "cards.apkg") as package:
        package.extract("collection.anki2", folder)
    with sqlite3.connect(folder / "collection.anki2") as book:
        (decks,) = book.execute("select decks from col").fetchone()
        names = {int(key): deck["name"] for key, deck in json.loads(decks).items()}
        rows = book.execute("select did, flds from cards join notes on notes.id = nid").fetchall()
    return [(names[deck], *fields.split("\x1f")) for deck, fields in rows]


def test_every_term_misconception_and_question_is_a_card(read_back):
    count = {name: sum(deck == f"序列与词::{name}" for deck, *_ in read_back)
             for name in ("术语", "误解", "自测")}
    assert count["术语"] == len(glossary_terms()) and count["自测"] == sum(map(len, read_quizzes().values()))
    assert count["误解"] >= 80 and sum(count.values()) == len(read_back)
    assert all(front and back for _, front, back in read_back)


def test_each_quiz_card_has_its_right_answers(read_back):
    shown = {front: back for deck, front, back in read_back if deck.endswith("自测")}
    for questions in read_quizzes().values():
        for question in questions:
            (back,) = [b for front, b in shown.items() if front.startswith(cards.html(question["question"]))]
            right = [letter for letter, option in zip("甲乙丙丁", question["options"], strict=False)
                     if option["right"]]
            assert [letter for letter in "甲乙丙丁" if f"<b>{letter}　对。</b>" in back] == right


def test_no_markdown_is_left(read_back):
    text = "\n".join(front + back for _, front, back in read_back)
    assert not any(mark in text for mark in ("**", "`", "](", "$"))


@pytest.mark.parametrize("text, want", [
    ("`a < b` 与 $x<y$", r'<code>a &lt; b</code> 与 <span class="math inline">\(x&lt;y\)</span>'),
    ("见[第 05 章](05.ipynb)", "见第 05 章"),
    ("**粗**，$a$", r'<strong>粗</strong>，<span class="math inline">\(a\)</span>'),
    ("<b>x</b>", "&lt;b&gt;x&lt;/b&gt;")])
def test_one_sentence(text, want):
    assert cards.html(text) == want


def test_a_new_edition_keeps_what_was_learnt():
    """编号由章与正面定：再造一次，编号不变，学过的进度就还在。"""
    guids = [[note.guid for deck in cards.package().decks for note in deck.notes] for _ in range(2)]
    assert guids[0] == guids[1] and len(set(guids[0])) == len(guids[0])
