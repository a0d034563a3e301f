"""讲义：建好的书印成 PDF，整本一份，各章各一份；课堂单另印一份，一节课一页。

各页的正文接成一页 HTML，用无窗口的 Chromium 打印：互动图印的是打开时的样子，折叠的答案不印。
目录的页码要印过一遍才知道，所以印两遍；书签来自标题。
"""

import sys
from html import escape
from importlib.util import find_spec
from pathlib import Path

import chromium
import yaml
from bs4 import BeautifulSoup
from print_font import write_font
from pypdf import PdfReader
from worksheets import document as worksheets

ROOT = Path(__file__).parents[2]
SITE = ROOT / "build/_build/html"
FONT = Path(find_spec("pylopdf_fonts_zh_cn").origin).parent / "NotoSansSC-Regular.otf"
TITLE = "《序列与词：循环神经网络与词向量实验课》讲义"
LINKING = ("href", "for", "aria-labelledby", "aria-describedby", "aria-controls")
DROPPED = ".headerlink, .copybtn, .try-here, .try-here-note, script[type='application/json']"
LEFT_OUT = ("book/bibliography", "book/explorables", "book/quiz")   # 各章已列；在网上做；各章末尾已有


def pages():
    """全书各页的名字，照目录的次序。"""
    toc = yaml.safe_load((ROOT / "book/_toc.yml").read_text(encoding="utf-8"))
    chapters = [chapter for part in toc["parts"] for chapter in part["chapters"]]
    listed = [page["file"] for chapter in chapters for page in (chapter, *chapter.get("sections", []))]
    return [name for name in (toc["root"], *listed) if name not in LEFT_OUT]


def article(name, inside):
    """一页的正文；编号前加页名，免得与别页的相同；指向收在一起的页的链接，改成本文档里的。"""
    page = BeautifulSoup((SITE / f"{name}.html").read_text(encoding="utf-8"), "html.parser")
    body = page.select_one("article")
    for node in body.select(DROPPED):
        node.decompose()
    for node in body.find_all(id=True):
        node["id"] = f"{name}:{node['id']}"
    for node in body.find_all(True):
        for attribute in LINKING:
            if value := node.get(attribute):
                node[attribute] = moved(name, value, inside) if attribute == "href" else f"{name}:{value}"
        if (source := node.get("src")) and not source.startswith(("data:", "http")):
            node["src"] = (Path(name).parent / source).as_posix()
    body["id"] = f"{name}:"
    return body


def moved(name, link, inside):
    if link.startswith(("http", "mailto")):
        return link
    path, _, anchor = link.partition("#")
    target = (SITE / name).parent.joinpath(path).resolve().relative_to(SITE).as_posix() if path else name
    target = target.removesuffix(".html")
    return f"#{target}:{anchor}" if target in inside else link


def document(names, numbers=None):
    """几页接成的一页 HTML；numbers 是各页的页码，给了就印目录。"""
    bodies = [article(name, set(names)) for name in names]
    titles = [body.find("h1").get_text() for body in bodies]
    rows = "".join(f'<li><a href="#{name}:">{escape(title)}</a><span>{numbers.get(name, 0)}</span></li>'
                   for name, title in zip(names, titles, strict=True)) if numbers is not None else ""
    contents = f'<div class="cover"><p>{TITLE}</p><ol>{rows}</ol></div>' if rows else ""
    sheets = "".join(f'<link rel="stylesheet" href="_static/{name}.css">'
                     for name in ("site", "print", "handout"))
    return (f'<!DOCTYPE html><html lang="zh-CN" data-theme="light"><head><meta charset="utf-8">{sheets}'
            f"<title>{escape(titles[0])}</title></head><body>{contents}"
            + "".join(map(str, bodies)) + "</body></html>")


# 互动图有自己的字体表，里面的中文也换成这一份：正文的整个换，代码的只换汉字
HAN = ("Noto Sans SC", "Noto Sans CJK SC", "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei")
CODE = ("DejaVu Sans Mono", "Menlo", "Consolas")
FACES = [f'"{name}"; src: url(handout.ttf)' for name in HAN]
FACES += [f'"{name}"; src: local("{name}"); unicode-range: U+0-2E7F' for name in CODE]
FACES += [f'"{name}"; src: url(handout.ttf); unicode-range: U+2E80-FFFF' for name in CODE]
STYLE = "".join(f"@font-face {{ font-family: {face}; }}\n" for face in FACES) + """
html[data-theme] { --han: "Noto Sans SC"; --pst-font-family-base: "Noto Sans SC";
  --pst-font-family-monospace: "DejaVu Sans Mono", "Noto Sans SC", monospace; background: #fff; }
@page { @bottom-center { content: counter(page); font: 9pt "Noto Sans SC"; color: #555; } }
body { background: #fff; }
article { break-before: page; }
article details:not([open], .quiz) { display: none; }
article .cell_output img { max-width: 11cm; }
article table { break-inside: auto !important; }
tr { break-inside: avoid; }
.cover p { font-size: 20pt; margin: 24pt 0 18pt; }
.cover ol { list-style: none; padding: 0; }
.cover li { display: flex; justify-content: space-between; margin: 6pt 0; }
"""


def print_pdf(browser, html, target):
    """先写临时文件，再改名。"""
    source = SITE / "handout.html"
    source.write_text(html, encoding="utf-8")
    page = browser.new_page(locale="zh-CN")
    page.goto(source.as_uri())
    page.evaluate("document.fonts.ready")
    made = target.with_suffix(".part")
    page.pdf(path=made, format="A4", outline=True, tagged=True, print_background=True)
    page.close()
    source.unlink()
    made.replace(target)


def page_numbers(pdf, names):
    """各页从第几页开始，照书签的第一层。"""
    reader = PdfReader(pdf)
    starts = [reader.get_destination_page_number(mark) + 1
              for mark in reader.outline if not isinstance(mark, list)]
    return dict(zip(names, starts, strict=True))


def write(folder, browser, names=None):
    """整本一份，各章各一份，写进 folder；names 给了，只写这几章。返回写好的文件。"""
    if not (SITE / "book/index.html").is_file():
        sys.exit(f"{SITE} 里没有建好的书；请先 make book")
    folder.mkdir(parents=True, exist_ok=True)
    every = pages()
    text = "".join(article(name, set(every)).get_text() for name in names or every)
    write_font(FONT, SITE / "_static/handout.ttf", text + "0123456789")
    (SITE / "_static/handout.css").write_text(STYLE, encoding="utf-8")
    try:
        made = [] if names else [print_whole(browser, folder / "handout.pdf", every)]
        for name in names or (name for name in every if name.startswith("notebooks/")):
            made.append(folder / f"{Path(name).name}.pdf")
            print_pdf(browser, document([name]), made[-1])
    finally:
        for left in ("handout.html", "_static/handout.ttf", "_static/handout.css"):
            (SITE / left).unlink(missing_ok=True)
    return made


def print_whole(browser, target, names):
    """第一遍为了知道页码，第二遍才把页码印进目录。"""
    numbers = {}
    for _ in range(2):
        print_pdf(browser, document(names, numbers), target)
        numbers = page_numbers(target, names)
    return target


def main():
    with chromium.opened() as browser:
        folder = ROOT / "build/handout"
        made_files = write(folder, browser)
        print_pdf(browser, worksheets(FONT), folder / "worksheets.pdf")
        for made in [*made_files, folder / "worksheets.pdf"]:
            size, count = made.stat().st_size / 1e6, len(PdfReader(made).pages)
            print(f"{size:6.1f} MB  {count:4d} 页  {made.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
