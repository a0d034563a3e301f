"""课堂单：十八节课各一页，题目取自教案与各章，不漏答案。"""

import re

import handout
import pytest
import worksheets
from pypdf import PdfReader

LESSONS = list(worksheets.lessons())


def test_eighteen_lessons_in_order():
    assert len(LESSONS) == 18
    assert [lesson.chapter for lesson in LESSONS] == sorted(lesson.chapter for lesson in LESSONS)
    assert [lesson.chapter for lesson in LESSONS if lesson.first] == [f"{n:02}" for n in range(1, 11)]


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: f"{lesson.chapter}-{1 if lesson.first else 2}")
def test_a_sheet_asks_and_does_not_answer(lesson):
    notes, slip = worksheets.questions(lesson), worksheets.slip(lesson)
    assert 2 <= len(set(notes)) == len(notes) <= worksheets.NOTES and slip not in notes
    assert all(ask.endswith("？") and "（" not in ask for ask in notes)
    plan = [ask for _, ask in lesson.rows]
    assert all(any(re.sub("（[^）]*）", "", ask).strip() == note for ask in plan) for note in notes)
    page = worksheets.sheet(lesson)
    opening = worksheets.guesses(lesson.chapter)[1] if lesson.first else range(worksheets.SAYINGS)
    assert len(opening) >= 3
    assert page.count("<li>") == len(opening) + len(notes)
    assert "$" not in page and "**" not in page


def test_each_sheet_is_one_page(browser, tmp_path, monkeypatch):
    monkeypatch.setattr(handout, "SITE", tmp_path)
    handout.print_pdf(browser, worksheets.document(handout.FONT), tmp_path / "课堂单.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["课堂单.pdf"]
    pages = [re.sub(r"\s", "", page.extract_text()) for page in PdfReader(tmp_path / "课堂单.pdf").pages]
    assert len(pages) == len(LESSONS)
    for text, lesson in zip(pages, LESSONS, strict=True):
        assert re.sub(r"\s", "", lesson.title) in text and "下课前的纸条" in text
    assert not re.search("[⺀-⿟]", "".join(pages))
