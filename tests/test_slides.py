"""幻灯片：每章一份，从 notebook 里取；一张放得下，后排看得清，断网能放，互动能操作。"""

import re
from pathlib import Path

import pytest
import slides
from exercises import chapters

CHAPTERS = [path.stem for path in chapters()]
each = pytest.mark.parametrize("name", CHAPTERS)

# 一份里的每一张：按到最后一下，找出伸到外面的、要滚动的、字太小的；互动自己滚动，公式的上下标本来就小
FAULTS = """() => [...Array(Reveal.getTotalSlides()).keys()].flatMap((n) => {
  Reveal.slide(n, 0, 99);
  const page = Reveal.getCurrentSlide().querySelector(".page");
  const faults = [];
  for (const node of page.querySelectorAll("*")) {
    if (node.parentElement.closest(".explore, math")) continue;
    const { left, right, top, bottom, width } = node.getBoundingClientRect();
    if (width && (left < 0 || top < 0 || right > 1920 || bottom > 1080)) faults.push("伸到外面");
    if (!node.matches(".explore, math") && getComputedStyle(node).display !== "inline"
        && node.scrollWidth > node.clientWidth + 1) faults.push("要滚动");
    const hasText = [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
    if (hasText && parseFloat(getComputedStyle(node).fontSize) < 24) faults.push("字太小");
  }
  return faults.map((fault) => `第 ${n + 1} 张${fault}`);
})"""


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """写出来的文件夹，与各章的各张。"""
    folder = tmp_path_factory.mktemp("幻灯片") / "slides"
    return folder, slides.write_all(folder)


@pytest.fixture
def show(built, watched):
    """打开一章，1920×1080；结束时控制台没有错误，也没有连过别的主机。"""
    def show(name):
        watched.set_viewport_size({"width": 1920, "height": 1080})
        watched.goto((built[0] / f"{name}.html").as_uri())
        return watched
    return show


@each
def test_every_slide_fits_and_can_be_read_from_the_back(show, name):
    assert show(name).evaluate(FAULTS) == []


@each
def test_one_deck_per_chapter_with_its_headings(built, name):
    deck, path = built[1][name], slides.NOTEBOOKS / f"{name}.ipynb"
    titles = [title for title, _, _ in slides.sections(path)]
    assert deck[0].title == titles[0].partition(" ")[2]
    assert 12 <= len(deck) <= 25
    assert {slide.title for slide in deck[1:]} <= {*titles, "先猜一猜"}


@each
def test_all_figures_and_explorables_are_shown(built, name):
    found = list(slides.blocks(slides.NOTEBOOKS / f"{name}.ipynb"))
    shown = [block for slide in built[1][name] for block in slide.blocks]
    assert [b for b in found if b.kind in slides.BIG] == [b for b in shown if b.kind in slides.BIG]


def test_no_deck_names_another_host_or_leaves_raw_latex(built):
    for page in built[0].glob("*.html"):
        text = re.sub("<script>.*?</script>|<annotation.*?</annotation>", "",
                      page.read_text(encoding="utf-8"), flags=re.S)
        assert not re.search(r"""(?:src|href)=["'](?:https?:)?//""", text), page.name
        assert not re.search(r"\$[^$<\n]*\\[a-z]+", text), page.name


def test_the_index_lists_every_deck(built):
    index = (built[0] / "index.html").read_text(encoding="utf-8")
    assert re.findall(r'<a href="(\w+)\.html"', index) == CHAPTERS


def test_reveal_speaks_chinese():
    """换掉的每句英文，reveal.js 里都还有；没有了，就是换了版本，要重新看一遍。"""
    for name, words in slides.CHINESE.items():
        text = Path(slides.REVEAL, name).read_text(encoding="utf-8")
        assert [english for english in words if english not in text] == []


def go_to(page, *parts):
    """翻到第一张几样都有的，返回它的编号。"""
    at = page.evaluate("""(parts) => [...document.querySelectorAll(".slides > section")].findIndex(
        (slide) => parts.every((part) => slide.querySelector(part)))""", parts)
    page.evaluate(f"Reveal.slide({at})")
    return at


def test_the_question_comes_first_then_the_figure_then_the_finding(show):
    page = show("01_rnn_recurrence")
    go_to(page, ".ask", "img", ".told")
    slide = page.locator("section.present")
    seen = []
    for _ in range(3):
        seen.append([slide.locator(part).is_visible() for part in (".ask", "img", ".told")])
        page.keyboard.press("ArrowRight")
    assert seen == [[True, False, False], [True, True, False], [True, True, True]]


def test_keys_in_an_explorable_do_not_turn_the_page(show):
    page = show("04_training_pairs")
    at = go_to(page, "[data-explore]")
    slider = page.locator("section.present input[type=range]").first
    slider.click(position={"x": 5, "y": 16})
    before = int(slider.input_value())
    page.keyboard.press("ArrowRight")
    assert int(slider.input_value()) == before + 1
    assert page.evaluate("Reveal.getIndices().h") == at
    page.keyboard.press("PageDown")
    assert page.evaluate("Reveal.getIndices().h") == at + 1


def test_an_explorable_finds_its_data(show):
    page = show("03_word_vectors")
    go_to(page, "[data-explore]")
    page.locator("section.present .open button").click()
    page.get_by_text("余弦相似度最大的十个词").wait_for()


def test_sentences_are_not_cut_inside_brackets_quotes_or_formulas():
    assert slides.sentences("甲（乙。丙）丁。“戊？”己。$a$ **庚。辛**。**壬。**（癸。）") == [
        "甲（乙。丙）丁。", "“戊？”己。", "$a$ **庚。辛**。", "**壬。**", "（癸。）"]
