"""首页的旅程图：数字与课里的代码一致，README 用的那张没有过时。"""

import xml.etree.ElementTree as ET
from pathlib import Path

import journey
import numpy as np

ROOT = Path(__file__).parents[1]


def test_numbers_follow_the_seven_steps():
    r = journey.run()
    assert ["".join(words) for words in r.words] == journey.HEADLINES
    assert [r.vocab.decode(row[row > 0]) for row in r.ids] == r.words
    assert r.ids.shape == (3, journey.MAX_L) and (r.ids[:, -1] == 0).all()   # 每条都补过
    assert r.x.shape == (*r.ids.shape, journey.D) and r.h.shape == (*r.ids.shape, journey.H)
    assert (r.x[r.ids == 0] == 0).all()
    n = len(r.words[0])
    assert np.abs(r.h[0, n] - r.h[0, n - 1]).max() > 0.1     # 图中说：PAD 那一步隐状态还在变
    assert r.p.shape == (len(journey.LABELS),) and np.isclose(r.p.sum(), 1)


def test_drawing_shows_what_was_computed():
    r, svg = journey.run(), ET.fromstring(journey.poster())
    drawn = ["".join(t.itertext()) for t in svg.iter("{http://www.w3.org/2000/svg}text")]
    ids = [s for s in drawn if s.isdigit() and len(s) <= 2]
    assert ids.count("0") == (r.ids == 0).sum()
    assert [f"{p:.2f}" for p in r.p] == drawn[-len(r.p) * 2 + 1::2]
    assert set(r.words[0]) <= set(drawn)


def test_page_is_accessible_and_names_every_step():
    html = journey.page()
    body = ET.fromstring(html[html.index("<ol"):])
    assert len(body) == 7
    for svg in body.iter("svg"):
        assert svg.find("title").text and svg.find("desc").text


def test_picture_of_the_readme_is_current():
    stored = (ROOT / "book/_static/journey.svg").read_text(encoding="utf-8")
    assert stored == journey.poster(), "请重画：python book/_ext/journey.py"
