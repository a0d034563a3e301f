"""投影用的幻灯片：每章一份，从 notebook 里取，不另写一遍；断网、双击就能放。

    make slides             # build/slides/index.html 列出十章

一张只讲一件事：节名、笔记的话、一个问题、一件展品（图、互动、公式、代码、几行输出）、一两句结论。
展品照规矩挑：一节里的图与互动全要；一样也没有，就要第一个公式、第一段短的代码或输出；什么也没有的节不上。
规矩挑得不好的格，加标签改：slide 是要它的输出，slide-code 是要它的代码，no-slide 是不要。问题是展品前面带
问号的最后一句，结论是展品后面的第一句；其余的话与教师页的教案放进讲者备注。
"""

import base64
import re
import shutil
import sys
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import nbformat
from exercises import NOTEBOOKS, chapters, tags
from prose import cells_of, plan, reader
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

ROOT = NOTEBOOKS.parent
sys.path.insert(0, str(ROOT / "book/_ext"))
from formulas import to_mathml  # noqa: E402

OUT = ROOT / "build/slides"
REVEAL = Path(find_spec("sphinx_revealjs").submodule_search_locations[0], "_static/revealjs")
LINES, COLUMNS = 12, 92        # 代码与输出至多这么大，再大后排看不清

ROOM = 850                     # 节名以外还有多高（px）
BIG = {"图": ("引文", "公式", "问题", "图", "结论"), "互动": ("问题", "互动")}   # 大的展品，同它放在一起的
HIDDEN = {"hide-input", "hide-cell"}
PRINTED = ("输出", "结果")
WANTED = {"输出": "slide", "结果": "slide", "代码": "slide-code"}               # 加了标签就要

# reveal.js 里写死的英文；帮助页（?）与跳页（G）也是英文，不开
CHINESE = {
    "dist/reveal.js": {"Resume presentation": "继续"},
    "plugin/notes/notes.js": {
        "reveal.js - Speaker View": "讲者备注", "Loading speaker view...": "正在打开备注…",
        ">Upcoming<": ">下一张<", ">Time <": ">时间 <", "Click to Reset": "点一下归零", ">Notes<": ">备注<",
        "'Layout'": "'版式'", "'Default'": "'平常'", "'Wide'": "'宽'", "'Tall'": "'高'",
        "'Notes only'": "'只有备注'", "'en-US', { hour12: true,": "'zh-CN', { hour12: false,",
        "Cross origin error.<br>The speaker window can only be opened from the same origin.":
            "备注要从幻灯片里按 S 打开。",
        "Error connecting to main window.<br>Please try closing and reopening the speaker view.":
            "与幻灯片断了联系，请关掉这个窗口，再按一次 S。",
        "Speaker view popup failed to open. Please make sure popups are allowed and reopen the speaker view.":
            "备注的窗口被浏览器拦下了，请允许弹出窗口，再按一次 S。",
    },
}


class Block(NamedTuple):
    """notebook 里的一块：标题、话、引文、列表、表、公式、代码、输出、结果（一张表）、图、互动。

    幻灯片上另有引子、问题、结论。    text 是原文、HTML 或图的 base64。
    """
    kind: str
    text: str
    tags: tuple = ()           # 格的标签
    extra: str = ""            # 标题的级、图的标题


class Slide(NamedTuple):
    """一张：节名，各块，备注的 HTML。"""
    title: str
    blocks: list
    notes: str = ""


# --- 读 notebook --------------------------------------------------------------------------

MARKDOWN = reader(to_mathml, breaks=True)
KINDS = {"heading_open": "标题", "paragraph_open": "话", "blockquote_open": "引文", "table_open": "表",
         "bullet_list_open": "列表", "ordered_list_open": "列表", "math_block": "公式"}
PICTURE = re.compile(r"!\[([^]]*)\]\(([^)]+)\)")


def prose_blocks(source):
    """一个文字格 → 各块；<details> 里的答案与旁支不要。"""
    lines, folded = source.splitlines(), False
    for token in MARKDOWN.parse(source):
        if token.type == "html_block":
            folded = (folded or "<details" in token.content) and "</details>" not in token.content
        elif token.level == 0 and token.type in KINDS and not folded:
            text = "\n".join(lines[slice(*token.map)]).strip()
            kind = "公式" if text.startswith("$$") else KINDS[token.type]
            if picture := PICTURE.fullmatch(text):
                image = base64.b64encode((NOTEBOOKS / picture[2]).read_bytes()).decode()
                yield Block("图", image, extra=picture[1])
            else:
                yield Block(kind, text.lstrip("# ") if kind == "标题" else text, extra=token.tag)


def output_blocks(cell):
    for output in cell.outputs:
        data = output.get("data", {})
        if "image/png" in data:
            yield Block("图", data["image/png"], tags(cell), data["text/plain"].splitlines()[0][2:])
        elif "data-explore" in data.get("text/html", ""):
            yield Block("互动", data["text/html"], tags(cell))
        elif 'class="result"' in data.get("text/html", ""):
            yield Block("结果", data["text/html"], tags(cell))
        elif output.get("name") == "stdout":
            yield Block("输出", output.text.rstrip(), tags(cell))


def blocks(notebook):
    """一章的各块，按次序；练习的格不要。"""
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "markdown":
            yield from prose_blocks(cell.source)
        elif not {"setup", "exercise", "check"}.intersection(tags(cell)):
            yield Block("代码", cell.source, tags(cell))
            yield from output_blocks(cell)


def sections(notebook):
    """[(标题, 级, 这一节的各块), …]。"""
    found = []
    for block in blocks(notebook):
        if block.kind == "标题":
            found.append((block.text, block.extra, []))
        else:
            found[-1][2].append(block)
    return found


# --- 句子 ---------------------------------------------------------------------------------

def sentences(text):
    """一段话的各句；括号、引号、公式、粗体里的句号不断开。"""
    found = [""]
    for piece in re.findall(r".+?(?:[。！？]+(?![”）。！？])|$)", text.replace("\n", "")):
        if piece.startswith("**") and found[-1].count("**") % 2:     # 粗体到句号为止
            found[-1:] = [f"{found[-1]}**", ""]
            piece = piece[2:]
        found[-1] += piece
        s = found[-1]
        if (s.count("（") == s.count("）") and s.count("“") == s.count("”")
                and s.count("$") % 2 == 0 and s.count("**") % 2 == 0):
            found.append("")
    return [s.strip() for s in found if s.strip()]


def said(found):
    """各段话的句子；整段在括号里的旁白，与只在书页上才有意义的句子不算。"""
    return [s for block in found if block.kind == "话" and not re.fullmatch("（.*）", block.text)
            for s in sentences(block.text) if not re.search("折叠|点开|收起来|[上下]一格", s)]


def first_run(found):
    """接着的一段话：第一串相连的。"""
    start = next((i for i, block in enumerate(found) if block.kind == "话"), len(found))
    end = next((i for i in range(start, len(found)) if found[i].kind != "话"), len(found))
    return said(found[start:end])


def last_run(found):
    """前面的一段话：最后一串相连的。"""
    end = next((i for i in range(len(found), 0, -1) if found[i - 1].kind == "话"), 0)
    start = next((i for i in range(end, 0, -1) if found[i - 1].kind != "话"), 0)
    return said(found[start:end])


def question(before):
    """展品跟前的那一串话里，最后一个带问号的句子，太短就连同前一句；没有就是空。"""
    run = last_run(before)
    at = max((i for i, s in enumerate(run) if "？" in s), default=None)
    if at is None:
        return ""
    if at and len(run[at]) < 14 and ("？" in run[at - 1] or len(run[at - 1]) <= 45):
        return run[at - 1] + run[at]
    return run[at] if len(run[at]) > 6 else ""


def finding(after, not_this):
    """展品后面的第一句，短就再要一句；另加用粗体写的结论，第一句太长就只要它。引出下文的（以冒号结尾）不要。"""
    if after and after[0].kind == "列表":
        return re.sub(r"^(?:-|1\.)\s+", "", after[0].text.splitlines()[0])
    found = [s for s in first_run(after) if s not in not_this and not s.endswith("：")]
    two = "".join(found[:2])
    first = two if len(two) < 70 or len(found[0]) < 24 else found[0]
    bold = next((s for s in found if re.match(r"\*\*.{8,}。?\*\*", s) and s not in first), "")
    return bold if bold and len(first) > 80 else first + bold


# --- 挑展品 -------------------------------------------------------------------------------

def lines_on_slide(text):
    """占几行，折行也算；一个汉字两列。结果表数它的行。"""
    if text.startswith("<table"):
        return text.count("<tr>") + text.count("<caption>")
    return sum(1 + sum(1 + (ord(c) > 0x2E7F) for c in line) // COLUMNS for line in text.splitlines())


def is_small(block):
    """放得下的：几行输出；没有收起来的短代码（看得见的代码都是要讲的）。"""
    if block.kind == "代码" and (HIDDEN.intersection(block.tags) or "def " not in block.text):
        return False
    return block.kind in ("代码", *PRINTED) and lines_on_slide(block.text) <= LINES


def is_wanted(block):
    return block.kind in BIG or WANTED.get(block.kind) in block.tags


def exhibits(level, found):
    """一节里的展品在 found 里的下标；三级小节只要图、互动与有标签的。"""
    kept = [i for i, block in enumerate(found) if "no-slide" not in block.tags]
    chosen = [i for i in kept if is_wanted(found[i])]
    if chosen or level == "h3":
        return chosen
    formula = [i for i in kept if found[i].kind == "公式"][:1]
    small = [i for i in kept if is_small(found[i])][:1]
    if small and found[small[0]].kind in PRINTED:
        return small               # 公式不占一张，同输出在一起
    return sorted(formula + small) or [i for i in kept if found[i].kind in ("列表", "表")][:1]


# --- 一节 → 几张 --------------------------------------------------------------------------

def words_before(before, ask, exhibit, is_first):
    """展品前面的：引文、列表，公式连同引出它的一句，没有别的引子时这一节的第一句，问题。"""
    words, last = [], ""
    for block in [*before, exhibit]:
        if block.kind == "公式":
            words.append(Block("引子", "" if last == ask else last))
        if block is not exhibit and block.kind in ("引文", "列表", "公式"):
            words.append(block)
        last = (said([block]) or [""])[-1]
    if is_first and not ask and not any(block.kind == "引子" for block in words):
        words.append(Block("引子", (said(before) or [""])[0]))
    return [*words, Block("问题", ask)]


def with_partner(found, at):
    """代码带上它的输出，输出带上它看得见的代码。"""
    pair = found[at - 1:at + 1] if found[at].kind in PRINTED else found[at:at + 2]
    together = [b.kind for b in pair] in (["代码", "输出"], ["代码", "结果"])
    return pair if together and not HIDDEN.intersection(pair[0].tags) else [found[at]]


def height(block):
    """在幻灯片上大约多高（px）。"""
    if block.kind == "结果":
        return 54 * lines_on_slide(block.text) + 30
    if block.kind in ("代码", "输出"):
        return 42 * lines_on_slide(block.text) + 60
    if block.kind == "公式":
        return 100 * (block.text.count(r"\\") + 1) + 24
    return 60 * sum(1 + len(line) // 42 for line in block.text.splitlines()) + 24


def shrink(content, exhibit):
    """大的展品旁边只放几样，公式只放最近的一个；小的一张放不下，就依次去掉有输出的代码、列表、公式和引子、结论。"""
    if kinds := BIG.get(exhibit.kind):
        formulas = [b for b in content if b.kind == "公式"][:-1]
        return [b for b in content if b.kind in kinds and b not in formulas]
    kept = exhibit
    if exhibit.kind == "代码":
        kept = next((b for b in content if b.kind in PRINTED), exhibit)
    for kinds in (("代码",), ("列表",), ("公式", "引子"), ("结论",)):
        if sum(map(height, content)) > ROOM:
            content = [b for b in content if b is kept or b.kind not in kinds]
    return content


def section_slides(title, level, found, remark=""):
    """一节的几张，一件展品一张。"""
    picked = exhibits(level, found)
    edges = [0, *(at + 1 for at in picked)]
    befores = [found[edge:at] for edge, at in zip(edges, picked, strict=False)]
    asks = [*map(question, befores), ""]
    slides = []
    for n, (at, before) in enumerate(zip(picked, befores, strict=True)):
        after = befores[n + 1] if n + 1 < len(picked) else found[at + 1:]
        told = finding(after, asks[n + 1])
        if found[at].kind == "图" and not (told or asks[n]):      # 图后面没有话，就用图前面的
            told = next((s for s in last_run(before)[-1:] if len(s) < 50 and not s.endswith("：")), "")
        words = words_before(before, asks[n], found[at], n == 0)
        content = [b for b in (*words, *with_partner(found, at), Block("结论", told)) if b.text]
        content = shrink(content, found[at])
        notes = "".join(html_of(b) for b in (*before, *after) if b.kind in ("话", "列表"))
        slides.append(Slide(title, content, remark * (n == 0) + notes))
    return slides


# --- 一章 ---------------------------------------------------------------------------------

def teacher_remarks(number):
    """这一章的教案：“5–13 运行……”那几行，按引号里的节名记下 → [(节名, 一句话的 HTML)]。"""
    rows = re.findall(r"^\| (\d+–\d+) \| (.*?) \| (.*?) \|$", plan(number), re.M)
    return [(name, MARKDOWN.render(f"**第 {minutes} 分钟**：{do}。{ask}"))
            for minutes, do, ask in rows for name in re.findall("“([^”]+)”", do)]


def remark_for(title, remarks):
    return "".join(html for name, html in remarks if title.startswith(name))


def opening(title, found):
    """封面，和“先猜一猜”。"""
    number, _, name = title.partition(" ")
    quote = next(b for b in found if b.kind == "引文")
    start = next(i for i, b in enumerate(found) if b.text.startswith("**先猜一猜"))
    guess = [b for b in found[start:] if b.kind in ("引文", "列表")]
    if lead := found[start].text.removeprefix("**先猜一猜。**").strip():
        guess.insert(0, Block("引子", lead))
    return [Slide(name, [Block("章号", f"第 {number} 章"), quote]),
            Slide("先猜一猜", guess)]


def misconceptions(title, found, per_slide=6):
    """常见误解：先给话，全班表决，按一下出一行的结论；怎样推翻它在备注里。"""
    rows = [cells_of(row) for row in next(b.text for b in found if b.kind == "表").splitlines()[2:]]
    count = -(-len(rows) // per_slide)
    slides = []
    for n in range(count):
        part = rows[n * len(rows) // count:(n + 1) * len(rows) // count]
        body = "".join(f"<tr><td>{MARKDOWN.renderInline(row[0])}</td>" + "".join(
            f'<td class="fragment" data-fragment-index="{k}">{MARKDOWN.renderInline(cell)}</td>'
            for cell in row[1:3]) + "</tr>" for k, row in enumerate(part))
        notes = "".join(MARKDOWN.render(f"{row[0]}：{row[3]}") for row in part)
        slides.append(Slide(title, [Block("表决", f'<table class="vote">{body}</table>')], notes))
    return slides


def closing(parts):
    """常见误解、小结、练习。"""
    by_title = {title: found for title, _, found in parts}
    summary = [b for b in by_title["小结"] if b.kind in ("话", "列表")]
    exercises = "　".join(title for title in by_title if title.startswith("练习 "))
    return [*misconceptions("常见误解", by_title["常见误解"]),
            Slide("小结", [*summary, Block("练习", exercises)])]


def chapter_slides(notebook):
    """一章的各张。"""
    (title, _, first), *parts = sections(notebook)
    remarks = teacher_remarks(title[:2])
    slides = opening(title, first)
    for name, level, found in parts:
        if name == "常见误解":
            break
        slides += section_slides(name, level, found, remark_for(name, remarks))
    return slides + closing(parts)


# --- 写成网页 -----------------------------------------------------------------------------

PAGE = """<!doctype html>
<html lang="zh-CN" data-theme="light" data-content_root="_assets/">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="_assets/book.css">
<link rel="stylesheet" href="_assets/reveal.css">
<link rel="stylesheet" href="_assets/slides.css">
{body}
</html>
"""
DECK = """<div class="reveal"><div class="slides">
{sections}
</div></div>
<script src="_assets/reveal.js"></script>
<script src="_assets/notes.js"></script>
<script src="_assets/zoom.js"></script>
<script>
Reveal.initialize({{
  width: 1920, height: 1080, margin: 0, maxScale: 4, center: false, hash: true, transition: "none",
  backgroundTransition: "none", controls: false, slideNumber: "c/t", help: false, jumpToSlide: false,
  progress: false,
  // 在互动里按方向键，是拨它的控件；翻页用 PageDown、PageUp，或先点一下空白处
  keyboardCondition: (event) => event.key.startsWith("Page") || !event.target.closest("[data-explore]"),
  plugins: [RevealNotes, RevealZoom],
}});
</script>"""


CLASSES = {"引子": "lead", "问题": "ask", "结论": "told", "章号": "number", "练习": "exercises"}
LAYOUTS = {"图": "side", "互动": "play", "章号": "cover"}


def html_of(block):
    if block.kind == "图":
        return f'<img alt="{escape(block.extra)}" src="data:image/png;base64,{block.text.strip()}">'
    if block.kind == "互动":
        return f'<div class="explore">{block.text}</div>'
    if block.kind == "代码":
        return highlight(block.text, PythonLexer(), HtmlFormatter(cssclass="code"))
    if block.kind == "输出":
        return f'<pre class="output">{escape(block.text)}</pre>'
    if block.kind in ("表决", "结果"):
        return block.text
    if block.kind in CLASSES:
        return f'<p class="{CLASSES[block.kind]}">{MARKDOWN.renderInline(block.text)}</p>'
    return MARKDOWN.render(block.text)


def slide_html(slide):
    """有问题的一张，先问；图、输出、结论按一下出一样。图放在右边，别的话都在左边。"""
    layout = next((LAYOUTS[b.kind] for b in slide.blocks if b.kind in LAYOUTS), "")
    heading = "h1" if layout == "cover" else "h2"
    asked = any(block.kind == "问题" for block in slide.blocks)
    words, figure = [f"<{heading}>{MARKDOWN.renderInline(slide.title)}</{heading}>"], []
    for block in slide.blocks:
        html = html_of(block)
        if asked and block.kind in ("图", *PRINTED, "结论"):
            html = f'<div class="fragment" data-fragment-index="{int(block.kind == "结论")}">{html}</div>'
        (figure if block.kind == "图" else words).append(html)
    body = f"<div>{''.join(words)}</div>{''.join(figure)}" if figure else "".join(words)
    notes = f'<aside class="notes">{slide.notes}</aside>' if slide.notes else ""
    return f'<section><div class="page {layout}">{body}</div>{notes}</section>'


def deck(notebook):
    slides = chapter_slides(notebook)
    body = DECK.format(sections="\n".join(map(slide_html, slides)))
    return PAGE.format(title=escape(slides[0].title), body=body), slides


def write_assets(folder):
    """各份合用的：reveal.js、样式、公式的字体、互动要取的数据。"""
    folder.mkdir(parents=True)
    for name in ("dist/reveal.css", "dist/reveal.js", "plugin/notes/notes.js",
                 "plugin/zoom/zoom.js"):
        text = (REVEAL / name).read_text(encoding="utf-8")
        for english, chinese in CHINESE.get(name, {}).items():
            text = text.replace(english, chinese)
        (folder / Path(name).name).write_text(text, encoding="utf-8")
    (folder / "_static").mkdir()      # 互动按了“打开”，到 data-content_root 的 _static 里取
    for data in ("neighbors/neighbors.js", "classifier/model.js", "reading_gates/readers.js",
                 "own_text/own_text.js"):
        shutil.copy(ROOT / "data" / data, folder / "_static")
    static = ROOT / "book/_static"
    shutil.copytree(static / "math_font", folder / "math_font")
    shutil.copy(static / "book.css", folder)
    colours = HtmlFormatter(style="a11y-high-contrast-light", cssclass="code").get_style_defs()
    own = Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
    (folder / "slides.css").write_text(f"{colours}\n{own}", encoding="utf-8")


def write_all(target=OUT):
    """写出各章与目录，返回 {章: 它的各张}。"""
    shutil.rmtree(target, ignore_errors=True)
    write_assets(target / "_assets")
    decks = {}
    for chapter in chapters():
        page, decks[chapter.stem] = deck(chapter)
        (target / f"{chapter.stem}.html").write_text(page, encoding="utf-8")
    items = "".join(f'<li><a href="{stem}.html">{stem[:2]}　{escape(found[0].title)}</a> {len(found)} 张</li>'
                    for stem, found in decks.items())
    body = f'<main class="index"><h1>幻灯片</h1><ul>{items}</ul></main>'
    (target / "index.html").write_text(PAGE.format(title="幻灯片", body=body), encoding="utf-8")
    return decks


def main():
    write_all()
    print(f"幻灯片在 {(OUT / 'index.html').relative_to(ROOT)}，用浏览器打开")


if __name__ == "__main__":
    main()
