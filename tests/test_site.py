"""书的测试：在新文件夹里把警告当错误建一次，再用浏览器逐页看。"""

import json
import os
import re
import subprocess
import sys
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import content_policy
import handout
import nbformat
import pytest
import release
import theme_zh
import yaml
from accessibility import grave_faults
from bs4 import BeautifulSoup
from fontTools.ttLib import TTFont
from measured import read
from playwright.sync_api import expect
from proofs import proof_in, stored
from pypdf import PdfReader
from section_search import glossary_terms
from serving import serve
from test_notebooks import PHONE

from textseq import explore

ROOT = Path(__file__).parents[1]

TOC = yaml.safe_load((ROOT / "book/_toc.yml").read_text(encoding="utf-8"))
PAGES = [TOC["root"]]
PAGES += [chapter["file"] for part in TOC["parts"] for chapter in part["chapters"]]
PAGES += ["book/teaching/01"]   # 十份教案一个样子，看一份
CHAPTERS = [page for page in PAGES if page.startswith("notebooks/")]
MB = 1e6

# 界面里允许的英文：文件名后缀、键名
NAMES = re.compile(r"\.(ipynb|md|pdf)|Ctrl")
# 正文里也不该有的界面英文
LEFTOVERS = [
    "Previous", "Next", "Contents", "Search", "Skip to main content", "Copy", "Copied",
    "Show code cell", "Hide code cell", "Click to show", "Toggle", "Permalink", "Copyright", "By ",
]

FACTS = r"""() => {
  const article = document.querySelector("article") ?? document.querySelector("main");
  const outside = [], labels = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const node = walk.currentNode;
    if (node.parentElement.closest("script, style, noscript, pre, code, .math")) continue;
    if (node.parentElement.closest("nav a, .prev-next-title")) continue;   // 各页的标题
    if (!article.contains(node) && node.data.trim()) outside.push(node.data.trim());
  }
  for (const name of ["title", "aria-label", "placeholder", "data-bs-title", "data-tooltip"])
    for (const node of document.querySelectorAll(`[${name}]`))
      if (!node.closest(".cell_output, .math")) labels.push(node.getAttribute(name));
  const copy = article.cloneNode(true);
  copy.querySelectorAll("script, style, pre, code").forEach((node) => node.remove());
  return {
    outside, labels,
    text: copy.textContent,
    formulas: [document.querySelectorAll(".math").length, document.querySelectorAll(".math > math").length],
    alts: [...article.querySelectorAll("img")].map((image) => image.alt),
  };
}"""

TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
READ_ON = f"""async () => {{   // 从头滚到尾：手机上没滚到的节不排
  for (const section of document.querySelectorAll("article > section > section")) {{
    section.scrollIntoView();
    await ({TWO_FRAMES})();
  }}
}}"""
MATH_FONT = {chr(code) for code in TTFont(ROOT / "book/_static/math_font/STIXTwoMath.woff").getBestCmap()}


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """建好的书所在的文件夹；有任何警告就算失败。"""
    out = tmp_path_factory.mktemp("book")
    command = [sys.executable, "-c", "from jupyter_book.cli.main import main; main()", "build", ROOT]
    command += ["--config", ROOT / "book/_config.yml", "--toc", ROOT / "book/_toc.yml"]
    command += ["--path-output", out, "-W", "-n", "--keep-going"]
    done = subprocess.run(command, capture_output=True, text=True)
    log = done.stdout + done.stderr
    problems = [line for line in log.splitlines() if "WARNING" in line or "ERROR" in line]
    assert done.returncode == 0, "\n".join(problems) or log[-3000:]
    return out / "_build/html"


@pytest.fixture(scope="session")
def served(site):
    """像 `make serve` 那样在本机供应这本书，给出网址。"""
    with serve(site) as address:
        yield address


@dataclass
class Visit:
    """一次访问里看到的一切。"""

    page: object
    foreign: list = field(default_factory=list)
    errors: list = field(default_factory=list)
    weight: int = 0

    def open(self, url):
        page = self.page
        page.on("request", self.note_request)
        page.on("requestfailed", lambda request: self.errors.append(f"未取到 {request.url}"))
        page.on("response", self.note_response)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda m: self.errors.append(m.text) if m.type == "error" else None)
        page.goto(url)
        page.evaluate("() => document.fonts.ready")
        self.facts = page.evaluate(FACTS)
        return self

    def note_request(self, request):
        url = urlsplit(request.url)
        if url.scheme in ("http", "https", "ws", "wss") and url.hostname != "127.0.0.1":
            self.foreign.append(request.url)
        if "/webfonts/" in request.url:      # 图标是 book.css 里自己画的，不为它们取 156 kB 的字体
            self.errors.append(f"取了图标字体 {request.url}")

    def note_response(self, response):
        self.weight += int(response.headers.get("content-length", 0))


@pytest.fixture(scope="module")
def context(browser):
    """一个浏览器环境，各页共用缓存。"""
    return browser.new_context(color_scheme="light", locale="zh-CN", viewport={"width": 1280, "height": 900})


@pytest.fixture(scope="module", params=[*PAGES, "search"])
def visit(request, context, served):
    """逐页访问一次；下面的测试只看结果。"""
    page = context.new_page()
    seen = Visit(page).open(f"{served}/{request.param}.html")
    seen.name = request.param
    yield seen
    page.close()


def test_no_foreign_request(visit):
    assert visit.foreign == []


def test_no_error_in_console(visit):
    assert visit.errors == []


# ---- 内容安全策略 ----

def test_every_page_says_what_it_may_load(site):
    """每页一份策略，在一切脚本之前；放行的正是页里的脚本；不提别的主机，没有写在属性里的事件。"""
    pages = [path for path in site.rglob("*.html") if "_static" not in path.relative_to(site).parts]
    assert len(pages) > len(PAGES)
    for path in pages:
        text = path.read_text(encoding="utf-8")
        [policy] = re.findall('<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
        assert not re.search("<script|<link", text[:text.index(policy)]), path
        assert set(re.findall("'sha256-[^']+'", policy)) == set(content_policy.hashes(text)), path
        assert not re.search(r"https?:|\*|'unsafe-eval'|'strict-dynamic'", policy), path
        handlers = BeautifulSoup(text, "html.parser").find_all(
            lambda tag: any(name.startswith("on") for name in tag.attrs))
        assert handlers == [], path


ATTEMPTS = """async () => {
  const seen = new Set(), here = "https://example.org/";
  document.addEventListener("securitypolicyviolation", (event) => seen.add(event.effectiveDirective));
  const add = (tag, more) => document.body.append(Object.assign(document.createElement(tag), more));
  await fetch(here).catch(() => {});
  navigator.sendBeacon(here, "x");
  add("img", { src: `${here}x.png` });
  add("script", { src: `${here}x.js` });
  add("script", { textContent: "globalThis.slipped = 1" });
  add("link", { rel: "stylesheet", href: `${here}x.css` });
  add("iframe", { src: here });
  add("form", { action: here, id: "away" });
  document.querySelector("#away").submit();
  const button = document.createElement("button");
  button.setAttribute("onclick", "globalThis.slipped = 2");
  document.body.append(button);
  button.click();
  setTimeout(() => {   // 直接写在这里的，是测试在跑，浏览器不拦
    try { (0, eval)("globalThis.slipped = 3"); } catch { seen.add("eval"); }
  });
  await new Promise((done) => setTimeout(done, 300));
  return { seen: [...seen].sort(), slipped: globalThis.slipped ?? null, where: location.href };
}"""


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_what_is_foreign_is_refused(page, site, served, scheme):
    """别的主机一样也取不到，塞进来的脚本不运行：从网上打开、双击打开都一样。"""
    base = served if scheme == "http" else site.as_uri()
    page.goto(f"{base}/{TOC['root']}.html")
    tried = page.evaluate(ATTEMPTS)
    assert tried == {"slipped": None, "where": f"{base}/{TOC['root']}.html", "seen": [
        "connect-src", "eval", "form-action", "frame-src", "img-src", "script-src", "script-src-attr",
        "script-src-elem", "style-src-elem"]}


def test_the_scripts_of_a_page_share_no_name():
    """各个脚本写在同一个作用域里：后来的同名函数会顶掉先来的，“在这里做”就打不开。"""
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "book/_static").glob("*.js")]
    names = re.findall(r"^(?:async )?(?:function|const|let) (\w+)", "\n".join(texts), re.M)
    assert len(names) > 20 and [name for name in set(names) if names.count(name) > 1] == []


def test_an_exercise_opens_in_the_built_page(page, served):
    """各个脚本都在时，练习也打得开。"""
    page.goto(f"{served}/{CHAPTERS[0]}.html")
    page.locator(".try-open").first.click()
    expect(page.locator(".try-here").first.get_by_role("button", name="运行", exact=True)).to_be_visible()


def test_the_two_buttons_still_work(page, served):
    """打印、全屏：事件不写在属性里，照样管用。"""
    page.goto(f"{served}/{CHAPTERS[0]}.html")
    page.evaluate("""() => {
        window.pressed = [];
        window.print = () => pressed.push("打印");
        window.toggleFullScreen = () => pressed.push("全屏");
    }""")
    for button in page.locator("[data-press]").all():
        button.dispatch_event("click")
    assert sorted(page.evaluate("pressed")) == ["全屏", "打印"]


def test_every_icon_is_drawn(visit):
    icons = visit.page.locator(".fa-solid, .fas").count()
    assert icons and visit.page.evaluate("""() => [...document.querySelectorAll(".fa-solid, .fas")]
        .filter((icon) => getComputedStyle(icon, "::before").maskImage === "none")
        .map((icon) => icon.className)""") == []


def test_formulas_are_drawn(visit):
    written, drawn = visit.facts["formulas"]
    assert written == drawn
    assert not re.search(r"\$\$|\\[(\[]", visit.facts["text"])
    symbols = set("".join(visit.page.locator("math").all_text_contents()))
    assert {s for s in symbols if not re.match("[一-鿿\u2061]", s)} <= MATH_FONT


def test_an_old_browser_gets_its_formulas(page, served):
    """不会排 MathML 的浏览器，量一个空格得 0：由 MathJax 代排，仍旧不取别处的东西。"""
    page.add_init_script("""const was = Element.prototype.getBoundingClientRect;
      Element.prototype.getBoundingClientRect = function () {
        return this.localName === "mspace" ? new DOMRect() : was.call(this);
      };""")
    seen = Visit(page).open(f"{served}/book/notation.html")
    written = seen.facts["formulas"][0]
    page.wait_for_function("(n) => document.querySelectorAll('mjx-container').length === n", arg=written)
    assert written > 10 and page.locator("mjx-merror").count() == 0
    assert (seen.errors, seen.foreign) == ([], [])


def test_colours_are_set_before_any_script_comes(browser, served):
    """脚本还没到（这里永远不到），深色的人看见的已经是深色；样式表只有一份。"""
    dark = browser.new_context(color_scheme="dark")
    page = dark.new_page()
    page.route("**/*.js*", lambda route: route.abort())
    page.goto(f"{served}/{CHAPTERS[0]}.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.locator("link[rel=stylesheet]:not([media=print])").count() == 1
    dark.close()


def test_guesses_are_kept_and_shown_at_the_end(browser, site, served):
    """开头的猜测留在这个浏览器里，到小结列出来；写的什么，显示的就是什么。存不了也能写。"""
    for name in (CHAPTERS[0], CHAPTERS[9]):
        context = browser.new_context(viewport={"width": 390, "height": 844})
        seen = Visit(context.new_page()).open(f"{served}/{name}.html")
        page, boxes, shown = seen.page, seen.page.locator(".guess"), seen.page.locator(".guesses")
        assert boxes.count() >= 3 and shown.is_hidden()
        boxes.nth(1).fill("<b>一半</b>")
        page.reload()
        assert boxes.nth(1).input_value() == "<b>一半</b>" and boxes.nth(0).input_value() == ""
        assert shown.locator("li").count() == 1 and "你猜：<b>一半</b>" in shown.text_content()
        answer = page.locator("details.answers li").nth(1).text_content()
        assert f"量到：{answer}" in shown.text_content()
        assert (seen.errors, seen.foreign) == ([], [])
        context.close()
    page = browser.new_page()
    page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('no'); }")
    page.goto((site / f"{CHAPTERS[2]}.html").as_uri())
    page.locator(".guess").first.fill("增长")
    assert "你猜：增长" in page.locator(".guesses").text_content()
    page.close()


PROVED = [page for page in PAGES if stored(page)]


@pytest.mark.parametrize("name", PROVED)
def test_every_proof_leads_to_a_cell(site, name):
    """正文的数都是链接，链接的那一格都在；一个公式里有几个数的，不做链接。"""
    links = BeautifulSoup((site / f"{name}.html").read_text("utf-8"), "html.parser").select("a.proof")
    assert len(stored(name)) - len(links) <= len(stored(name)) // 8
    for page, cell in {tuple(link["href"].split("#")) for link in links if link.has_attr("href")}:
        text = (site / name).parent.joinpath(page or f"{Path(name).name}.html").read_text("utf-8")
        assert f' id="{cell}"' in text, (page, cell)


SHOWN = "[...document.querySelectorAll('#proof-box:popover-open')].map((box) => box.innerText).join()"


@pytest.mark.parametrize("scheme, width", [("light", 1280), ("dark", 390)])
@pytest.mark.parametrize("name, kinds", [
    (CHAPTERS[1], ("p > a.proof", "td a.proof", "a.proof:has(math)")),
    ("book/claims", ("tr:nth-child(2) a.proof", "td:nth-child(3) a.proof", "td:nth-child(4) a.proof"))])
def test_a_number_opens_its_proof(browser, served, name, kinds, scheme, width):
    """点正文、表、公式里的数：弹出的那一行印着它；Esc 收起；跳到的那一格在眼前。"""
    context = browser.new_context(color_scheme=scheme, viewport={"width": width, "height": 800})
    seen = Visit(context.new_page()).open(f"{served}/{name}.html")
    page = seen.page
    for kind in kinds:
        number = page.locator(f"article {kind}[data-href*=cell]:visible").last
        number.click()
        assert not number.get_attribute("href")
        written = re.sub(r"[^\d.%-]", "", number.inner_text().split("=")[-1].split("≈")[-1])
        assert proof_in(page.locator("#proof-box .line").inner_text(), read(written)), written
        page.keyboard.press("Escape")
        assert page.evaluate(SHOWN) == "" and page.url.endswith(f"{name}.html")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    number.click()
    cell = number.get_attribute("data-href").split("#")[1]
    page.get_by_role("link", name="跳到那一格").click()
    page.wait_for_url(f"**#{cell}")
    page.evaluate(TWO_FRAMES)
    assert 0 <= page.locator(f"#{cell}").evaluate("(cell) => cell.getBoundingClientRect().top") < 400
    assert (seen.errors, seen.foreign) == ([], [])
    context.close()


def test_numbers_with_the_keyboard(page, served):
    """平时 Tab 不经过一个个数；按了“看数的出处”就经过，回车打开，Esc 回到那个数。"""
    page.goto(f"{served}/book/claims.html")
    assert page.locator("a.proof[tabindex], a.proof[href]").count() == 0
    button = page.get_by_role("button", name="看数的出处")
    button.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    first = page.locator("a.proof").first
    first.focus()
    for key in ("Enter", " "):
        page.keyboard.press(key)
        assert "1.62" in page.evaluate(SHOWN)
        page.keyboard.press("Escape")
        assert page.evaluate(SHOWN) == "" and first.evaluate("(a) => a === document.activeElement")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "跳到那一格"
    assert grave_faults(page) == []
    switch(page, "dark")
    assert grave_faults(page, runOnly=["color-contrast"]) == []
    page.keyboard.press("Escape")
    button.press("Enter")
    assert page.locator("a.proof[tabindex]").count() == 0


def test_a_number_is_a_link_without_scripts(browser, served):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{served}/book/claims.html")
    page.locator("a.proof").first.click()
    page.wait_for_url(f"**/{CHAPTERS[0]}.html#cell-*")
    context.close()


def test_the_themes_slow_loop_is_gone(site):
    """主题换了版本，替换就会落空：两份都在，手机又要停一秒。"""
    script, doctools = ((site / "_static" / name).read_text(encoding="utf-8") for name in theme_zh.SCRIPTS)
    assert "scrollWidth>e.clientWidth" in script and "Documentation.PLURAL_EXPR = () => 0;" in doctools
    for name, (old, _) in theme_zh.SCRIPTS.items():
        assert old not in (site / "_static" / name).read_text(encoding="utf-8")


def test_a_link_lands_on_its_section_on_a_phone(context, served):
    """手机上没滚到的节先不排；从别处跳来，落脚点仍是那一节的标题。"""
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{served}/{CHAPTERS[0]}.html")
    sections = page.evaluate("[...document.querySelectorAll('article > section > section')].map((s) => s.id)")
    for name in sections[3:-1:4]:
        page.goto("about:blank")
        page.goto(f"{served}/{CHAPTERS[0]}.html#{name}")
        page.evaluate(TWO_FRAMES)
        page.wait_for_function("""(id) => {
          const { top } = document.querySelector(`[id='${id}'] > h2`).getBoundingClientRect();
          return top >= 0 && top < 200;
        }""", arg=name, timeout=5000)
    page.close()


def test_interface_is_chinese(visit):
    english = [
        text
        for text in visit.facts["outside"] + visit.facts["labels"]
        if re.search("[A-Za-z]{2}", NAMES.sub("", text)) and not re.search("[一-鿿]", text)
    ]
    assert english == []
    if visit.name != "book/glossary":   # 术语表本来就列英文
        assert [word for word in LEFTOVERS if word in visit.facts["text"]] == []


def test_images_have_chinese_alt(visit):
    assert [alt for alt in visit.facts["alts"] if not re.search("[一-鿿]", alt)] == []


def test_page_is_light(visit):
    assert visit.weight < (1 if visit.name == TOC["root"] else 3) * MB


def test_outputs_fit_a_phone(context, served):
    """窄屏上，一句句的话折行，对齐成列的缩小；字不小于 10 px，放不下的不到四成。"""
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{served}/notebooks/07_word2vec_training.html")
    page.evaluate(READ_ON)
    found = page.evaluate("""() => [...document.querySelectorAll(".cell_output pre")].map((pre) =>
        [pre.scrollWidth - pre.clientWidth, parseFloat(getComputedStyle(pre).fontSize)])""")
    figure = page.locator(".cell_output img").first.bounding_box()
    page.close()
    assert figure["width"] >= PHONE
    assert min(size for _, size in found) >= 10
    assert sum(over > 1 for over, _ in found) < 0.4 * len(found)


def switch(page, theme):
    """换一种配色；不要渐变，等新的样子画出来。"""
    page.emulate_media(color_scheme=theme, reduced_motion="reduce")
    page.wait_for_function("(theme) => document.documentElement.dataset.theme === theme", arg=theme)
    page.evaluate(TWO_FRAMES)


def test_accessible(visit):
    assert grave_faults(visit.page) == []


def test_colours_in_the_dark(visit):
    """两种配色的结构相同，深色只需再查颜色；当场换过去，不必再打开一次。"""
    errors = len(visit.errors)
    switch(visit.page, "dark")
    assert visit.errors[errors:] == visit.foreign == []
    assert grave_faults(visit.page, runOnly=["color-contrast"]) == []
    switch(visit.page, "light")


def test_no_sideways_scroll_on_phone(visit):
    visit.page.set_viewport_size({"width": 390, "height": 844})
    visit.page.evaluate(READ_ON)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_every_page_describes_itself(visit):
    """转发出去、被搜到时，有一句话说这一页讲什么。"""
    if visit.name != "search":
        for selector in ("meta[name=description]", "meta[property='og:description']"):
            (text,) = visit.page.locator(selector).evaluate_all("(all) => all.map((meta) => meta.content)")
            assert re.search("[一-鿿]{4}", text) and 20 < len(text) <= 120


def test_images_are_lazy_and_open_at_full_size(visit):
    images = visit.page.evaluate("""() => [...document.querySelectorAll("article img")].map((image) =>
      [image.loading, image.closest("a")?.href === image.src, image.closest("a")?.ariaLabel ?? ""])""")
    assert all(loading == "lazy" and same and label.startswith("看原图") for loading, same, label in images)
    if visit.name in CHAPTERS:
        assert len(images) >= 4


def test_print_shows_only_the_text(visit):
    visit.page.emulate_media(media="print")
    shown = [
        selector
        for selector in (".bd-sidebar-primary", ".bd-sidebar-secondary", ".bd-header-article")
        if visit.page.locator(selector).first.is_visible()
    ]
    visit.page.emulate_media(media="screen")
    assert shown == []


def test_opening_in_the_dark(browser, served):
    """一打开就是深色：首页和最后一章，配色是深的，没有错误。"""
    dark = browser.new_context(color_scheme="dark", locale="zh-CN")
    for name in (TOC["root"], CHAPTERS[-1]):
        seen = Visit(dark.new_page()).open(f"{served}/{name}.html")
        assert seen.page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert (seen.errors, seen.foreign) == ([], [])
        written, drawn = seen.facts["formulas"]
        assert written == drawn
    dark.close()


@pytest.mark.parametrize("name", ["book/index", "book/setup"])
def test_the_whole_course_can_be_downloaded(page, served, name):
    page.goto(f"{served}/{name}.html")
    with page.expect_download() as got:
        page.get_by_role("link", name="下载整门课").click()
    with zipfile.ZipFile(got.value.path()) as archive:
        assert {"textseq/Makefile", "textseq/README.md", "textseq/book/index.md"} <= set(archive.namelist())
        assert archive.testzip() is None
    assert 18.5 < Path(got.value.path()).stat().st_size / 1e6 < 19.5   # 页面上写着 19 MB


@pytest.fixture(scope="module")
def installed(site, tmp_path_factory):
    """make release 造的 wheel 装进一个空文件夹；返回 (文件夹, 在那里运行 python 的办法)。"""
    folder = tmp_path_factory.mktemp("发布 版")
    release.write_site(folder / "site.zip", site)
    wheel = release.write_wheel(folder, folder / "site.zip")
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-index", "--no-deps",
                    "--target", folder / "env", wheel], check=True)

    def run(*arguments, cwd=folder):
        done = subprocess.run([sys.executable, *arguments], cwd=cwd, text=True, capture_output=True,
                              env=os.environ | {"PYTHONPATH": str(folder / "env"), "MPLBACKEND": "agg"})
        assert done.returncode == 0, done.stderr[-800:]
        return done.stdout

    return folder, run


def test_the_release_opens_the_whole_site(installed, site, page):
    folder, run = installed
    assert run("-m", "textseq", "site", "书", "--no-browser").startswith("书在这里：file://")
    laid = {path.relative_to(folder / "书") for path in (folder / "书").rglob("*") if path.is_file()}
    assert laid == {path.relative_to(site) for path in release.site_files(site)}
    seen = Visit(page).open((folder / "书/book/index.html").as_uri())
    assert (seen.errors, seen.foreign) == ([], [])


def test_the_release_lays_out_a_course_that_runs(installed):
    """装好的包摆出的课程：第 01 章的开头在那里运行，用的是装好的 textseq。"""
    folder, run = installed
    run("-m", "textseq", "course", "课程")
    for name in CHAPTERS:
        assert (folder / f"课程/{name}.ipynb").is_file()
    chapter = nbformat.read(folder / f"课程/{CHAPTERS[0]}.ipynb", 4)
    code = [cell.source for cell in chapter.cells if cell.cell_type == "code"][:6]
    printed = run("-c", "\n".join([*code, "import textseq; print(textseq.__file__)"]),
                  cwd=folder / "课程/notebooks")
    assert Path(printed.split("\n")[-2]).is_relative_to(folder / "env")


def test_a_chapter_is_printed(site, browser, tmp_path, monkeypatch):
    """讲义：书签就是各节的标题，查得到复制得对，折叠的代码与答案不印，网站里不留东西。"""
    monkeypatch.setattr(handout, "SITE", site)
    before = set(site.rglob("*"))
    (made,) = handout.write(tmp_path, browser, [CHAPTERS[3]])
    assert set(site.rglob("*")) == before
    pdf = PdfReader(made)
    text = re.sub(r"\s", "", "".join(sheet.extract_text() for sheet in pdf.pages))
    article = handout.article(CHAPTERS[3], {CHAPTERS[3]})
    (_, sections) = pdf.outline
    headings = [heading.get_text() for heading in article.find_all("h2")]
    marks = [mark.title for mark in sections if not isinstance(mark, list)]
    assert [title for title in marks if title in headings] == headings   # 互动图的标题也在书签里
    folded = article.select("details:not(details details)")
    answers = [re.sub(r"\s", "", node.get_text()) for node in folded]
    assert len(answers) > 5 and not any(answer[:60] in text for answer in answers)
    assert not re.search("[⺀-⿟]", text)
    assert 8 < len(pdf.pages) < 40


def test_all_explorables_are_on_one_page(page, served):
    page.goto(f"{served}/book/explorables.html")
    pieces = page.locator("[data-explore]")
    shown = pieces.evaluate_all("(all) => all.map((piece) => piece.dataset.explore)")
    assert sorted(shown) == sorted(explore.names())
    drawn = "(all) => all.map((piece) => Boolean(piece.querySelector('.textseq-explore')))"
    expect(pieces.first.get_by_role("heading", level=2)).to_be_visible()
    assert pieces.evaluate_all(drawn)[3:] == [False] * 7   # 远处的还没画，走近了才画
    for piece, name in zip(pieces.all(), shown, strict=True):
        piece.scroll_into_view_if_needed()
        expect(piece.get_by_role("heading", level=2)).to_have_text(explore.spec(name)["title"])
    assert all(pieces.evaluate_all(drawn))


@pytest.mark.parametrize("width", [1280, 390])
def test_a_tour_stays_below_the_header(page, served, width):
    """导览贴在页头下面，讲到的控件也在屏幕里：外面几层不是滚动的框。"""
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{served}/notebooks/08_rnn_input_shapes.html")
    piece = page.locator("[data-explore=shape_blocks]")
    piece.get_by_role("button", name=re.compile("带我走一遍|接着走")).click()
    tour = piece.get_by_role("group", name="导览")
    tour.get_by_role("button", name="从头再来").click()
    for _ in range(4):
        tour.get_by_role("button", name="跳过这步").click()
    tour.get_by_role("button", name="64", exact=True).click()
    tour.get_by_role("button", name="指给我看").click()
    header = page.locator(".bd-header-article").bounding_box()
    panel, control = tour.bounding_box(), piece.locator(".pointed").bounding_box()
    assert header["y"] + header["height"] - 1 <= panel["y"] < 60
    assert panel["y"] + panel["height"] < control["y"] and control["y"] + control["height"] < 800
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_focus_is_seen_on_every_button(page, served):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(f"{served}/{CHAPTERS[0]}.html")
    buttons = page.locator(".bd-header-article button:visible, .bd-header-article .btn:visible")
    assert buttons.count() >= 4
    for button in buttons.all():
        page.keyboard.press("Shift")   # 用着键盘，:focus-visible 才算数
        button.focus()
        style = button.evaluate("(b) => [getComputedStyle(b).outlineStyle, getComputedStyle(b).outlineWidth]")
        assert style == ["solid", "3px"], button.get_attribute("aria-label")


def test_root_leads_to_the_book(page, served):
    page.goto(served + "/")
    page.wait_for_url(f"{served}/{TOC['root']}.html")


@pytest.mark.parametrize("name", [
    TOC["root"], CHAPTERS[0], *(pytest.param(name, marks=pytest.mark.full) for name in CHAPTERS[1:])])
def test_pages_work_as_files(context, site, name):
    """双击打开也能读：首页和各章（公式、互动都在那里）。"""
    page = context.new_page()
    seen = Visit(page).open((site / f"{name}.html").as_uri())
    assert (seen.errors, seen.foreign) == ([], [])
    written, drawn = seen.facts["formulas"]
    assert written == drawn
    page.close()


@pytest.fixture(params=["http", "file"])
def search_page(request, site, served):
    return f"{served}/search.html" if request.param == "http" else (site / "search.html").as_uri()


QUERIES = json.loads((ROOT / "tests/search_queries.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("kind, enough", [("问法", 22), ("没有调过的", 9)])
def test_a_question_leads_to_its_page(page, search_page, kind, enough):
    """学的人会打的问法：排第一的是哪一页。"""
    page.goto(search_page)
    first = page.evaluate("(all) => all.map((q) => searchBook(q).found[0]?.section.name)",
                          [query for query, _ in QUERIES[kind]])
    right = [any(name.split("/")[1].startswith(want) for want in wanted)
             for name, (_, wanted) in zip(first, QUERIES[kind], strict=True)]
    assert sum(right) >= enough, [q for (q, _), ok in zip(QUERIES[kind], right, strict=True) if not ok]


@pytest.mark.parametrize("number", ["2013", "64", "0.05"])
def test_a_bare_number_is_found(page, served, number):
    """只有数字也答得出，而且是整个的数：64 不在 amd64、640 里。"""
    page.goto(f"{served}/search.html")
    ask = "(number) => searchBook(number).found.slice(0, 3).map(({ section }) => section.prose)"
    prose = page.evaluate(ask, number)
    assert len(prose) == 3
    assert all(re.search(rf"(?<![\w.]){re.escape(number)}(?!\w)", text) for text in prose)


SECTIONS = {
    "梯度消失怎么办": "记忆线上的梯度：遗忘门的连乘", "过拟合怎么办": "过拟合了吗：背得下来，不等于会",
    "pack_padded_sequence": "打包：让 RNN 在真正的末尾停下", "训练好的模型怎么保存": "保存模型，连同它的词表",
    "h_n 形状": "RNN 吃什么、吐什么", "余弦相似度公式": "余弦：只看方向，不看长短",
    "训练集 测试集 区别": "测试集，只用一次", "类比 国王 女人": "类比：九千道题，不是一道"}


@pytest.mark.parametrize("query, title", [
    pytest.param(*pair, marks=[] if k < 3 else pytest.mark.full) for k, pair in enumerate(SECTIONS.items())])
def test_a_question_leads_to_its_section(page, served, query, title):
    page.goto(f"{served}/search.html?q={quote(query)}")
    top = page.locator("#search-results li:not(.term)").filter(has_text=title).first
    assert top.evaluate("(li) => [...li.parentNode.children].indexOf(li)") < 5
    top.get_by_role("link").click()
    page.wait_for_url("**#*")
    heading = page.locator("section[id]").filter(has=page.get_by_role("heading", name=title)).last
    assert heading.evaluate("(section) => `#${section.id}` === decodeURIComponent(location.hash)")


def test_every_term_is_explained(page, search_page):
    """术语表的每个词，中文、英文、别名，都答得出；两个词连写也行。"""
    terms = glossary_terms()
    assert len(terms) >= 60
    words = [word for chinese, english, _, aliases in terms for word in (chinese, english, *aliases)]
    words += [a[0] + b[0] for a, b in zip(terms, terms[1:], strict=False)]
    page.goto(search_page)
    ask = "(words) => words.filter((word) => word.length > 1 && !searchBook(word).terms.length)"
    assert page.evaluate(ask, words) == []
    assert page.evaluate("() => searchBook('魑魅魍魉').found.length") == 0   # 没有的词确实搜不到


def test_typing_a_query(page, search_page):
    seen = Visit(page).open(search_page)
    page.locator("main input[name=q]").fill("补零")
    term = page.locator("#search-results li.term")
    assert "补齐 padding：" in term.inner_text()
    page.keyboard.press("Enter")
    first = page.locator("#search-results li:not(.term)").first
    assert "notebooks/08_rnn_input_shapes.html" in first.get_by_role("link").get_attribute("href")
    assert page.locator("#search-results mark").filter(has_text="补齐").count() > 0
    page.locator("main input[name=q]").fill("<b>魑魅</b>")
    assert "没有一节提到" in page.get_by_role("status").inner_text()
    assert seen.errors == []


def test_the_plans_link_to_sections_and_pieces(page, served):
    """教案里“运行”“看”“打开互动图”后面引号里的名字，都是链接，指着真有的地方；每节课至少三个。"""
    lessons = []
    for chapter in CHAPTERS:
        page.goto(f"{served}/book/teaching/{Path(chapter).name[:2]}.html")
        lessons += page.evaluate("""() => [...document.querySelectorAll("article table")]
          .filter((table) => table.innerText.startsWith("分钟"))
          .map((table) => [table.innerText, [...table.querySelectorAll("a:not(.proof)")]
            .map((a) => [a.innerText, a.href])])""")
    assert len(lessons) == 18
    for text, links in lessons:
        assert len(links) >= 3, text[:60]
        named = re.findall(r"(?:运行|看|互动图)(“[^“”]+”)", text)
        assert set(named) <= {name for name, _ in links}
    for href in {href for _, links in lessons for _, href in links}:
        path, _, anchor = href.removeprefix(served + "/").partition("#")
        assert (f'id="{anchor}"' if anchor else "<h1>") in page.request.get(f"{served}/{path}").text(), href
