"""主题的小修：补齐没有译文的界面文字，去掉用不着的脚本，给每页一句简介，图滚到跟前才取。

有译文机制的句子放进 CATALOG，压在 Sphinx 和主题的译文之上；
写死在模板里的放进 TEMPLATES，在 Jinja 编译模板之前换掉；写死在正文里的放进 BODY；脚本里的放进 SCRIPTS。
"""

from gettext import NullTranslations
from html import escape
from pathlib import Path

from docutils import nodes
from jinja2.ext import Extension
from pygments.formatters import HtmlFormatter
from pygments.token import Name, Punctuation, Text, Whitespace
from sphinx.locale import translators

CATALOG = {
    "Breadcrumb": "所在位置",
    "Color mode": "配色",
    "Light": "浅色",
    "Dark": "深色",
    "System Settings": "跟随系统",
    "Site navigation": "全书导航",
    "Search": "搜索",
    "Searching": "正在搜索",
    "Download this page": "下载本页",
    "Download notebook file": "下载 notebook",
    "Download source file": "下载源文件",
    "Print to PDF": "打印为 PDF",
    "Fullscreen mode": "全屏",
    "previous": "上一页",
    "previous page": "上一页",
    "next": "下一页",
    "next page": "下一页",
    "Back to top": "回到顶部",
    "Skip to main content": "跳到正文",
    "Permalink to this heading": "本节的链接",
    "Link to this heading": "本节的链接",
    "Link to this image": "这幅图的链接",
    "Link to this table": "这张表的链接",
    "Link to this code": "这段代码的链接",
    "Link to this equation": "这个公式的链接",
    "Link to this term": "这个术语的链接",
}

TEMPLATES = {
    'title="Toggle primary sidebar"': 'title="全书目录" aria-label="全书目录"',
    'title="Toggle secondary sidebar"': 'title="本页内容" aria-label="本页内容"',
    'aria-label="Main"': 'aria-label="全书目录"',
    'aria-label="Page"': 'aria-label="本页内容"',
    '"%s - Home" % docstitle': 'docstitle ~ "，首页"',
    # 链接按钮只有图标时，读屏软件读 aria-label
    '{% if tooltip %}title="{{ translate(tooltip) }}"{% endif %}':
        '{% if tooltip %}title="{{ translate(tooltip) }}"'
        ' aria-label="{{ translate(tooltip) }}"{% endif %}',
    # 第一次来的人，配色一开头就定下；等脚本来定，整页的颜色要算两遍
    'localStorage.getItem("theme") || "{{ default_mode }}"':
        'localStorage.getItem("theme") ||\n'
        '      (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")',
    # 写在属性里的事件，内容安全策略不许运行（content_policy.py）；由 book.js 接手
    '<button onclick="{{ javascript }}"': '<button type="button" data-press="{{ javascript }}"',
    # 样式表已带同一套图标的字体，脚本是重复的一份
    "scripts/fontawesome.js": None,
    # 预先取的脚本同样式表抢路，文字反而晚出来
    '<link rel="preload" as="script"': None,
}

# 没有一页用得着：标签页、搜索词的高亮
UNUSED = ("design-tabs.js", "sphinx_highlight.js")

BODY = {
    # 已有可见的文字“展开／收起”，不需要另一个名字
    '<summary aria-label="Toggle hidden content">': "<summary>",
    # 文献条目的角色不是 listitem，外层就不该是 list
    '<div role="list" class="citation-list">': '<div class="citation-list">',
}

SCRIPTS = {
    # 能滚动的框由 book.js 交给键盘：主题的写法量一个改一个，收起来的代码也量，手机上要停一秒
    "scripts/pydata-sphinx-theme.js": (
        'window.addEventListener("resize",t),new MutationObserver(t).observe('
        'document.getElementById("main-content"),{subtree:!0,childList:!0}),e()', "0"),
    # 当场把文字当程序，内容安全策略不许；汉语没有复数，用不着
    "doctools.js": ("new Function(\n      \"n\",\n      `return (${catalog.plural_expr})`\n    )", "() => 0"),
}


class Chinese(NullTranslations):
    """先查 CATALOG，没有再问原来的译文。"""

    def gettext(self, message):
        return CATALOG.get(message) or super().gettext(message)


class LeanFormatter(HtmlFormatter):
    """普通的名字、标点、空白与底色的字同色，不另包标签：一章少四千多个，手机上快一半。"""

    def format(self, tokens, outfile):
        plain = (Name, Punctuation, Whitespace)
        super().format(((Text if kind in plain else kind, text) for kind, text in tokens), outfile)


class ChineseTemplates(Extension):
    """模板编译之前替换写死的英文；值为 None 时删去所在的整行。"""

    def preprocess(self, source, name, filename=None):
        for old, new in TEMPLATES.items():
            if new is None:
                source = "\n".join(line for line in source.split("\n") if old not in line)
            else:
                source = source.replace(old, new)
        return source


def translate(app, config):
    for catalog in ("sphinx", "booktheme"):
        ours = Chinese()
        ours.add_fallback(translators["general", catalog])
        translators["general", catalog] = ours
    app.translator = translators["general", "sphinx"]   # 模板里的 _() 用的是这一个


def patch_templates(app):
    app.env.settings["image_loading"] = "lazy"   # 图滚到跟前才取
    app.builder.highlighter.formatter = LeanFormatter
    app.builder.templates.environment.add_extension(ChineseTemplates)


def describe_page(app, pagename, templatename, context, doctree):
    """搜索引擎与转发的卡片要的一句话：这一页的第一段正文。"""
    paragraphs = doctree.findall(nodes.paragraph) if doctree else []
    if first := next((p for p in paragraphs if len(p.astext()) > 20), None):
        text = escape(" ".join(first.astext().split())[:120])
        title = escape(app.env.titles[pagename].astext())
        context["metatags"] += (f'<meta name="description" content="{text}">'
                                f'<meta property="og:title" content="{title}">'
                                f'<meta property="og:description" content="{text}">')
    if base := app.config.html_baseurl:   # 图要写全网址：知道发布在哪里才写得出
        context["metatags"] += f'<meta property="og:image" content="{base.rstrip("/")}/_static/preview.png">'


def load_scripts_late(app, pagename, templatename, context, doctree):
    """用不着的不取；其余照原来的次序，等页面的文字画出来再运行。"""
    kept = [script for script in context["script_files"]
            if not str(getattr(script, "filename", script)).endswith(UNUSED)]
    for script in kept:
        name = getattr(script, "filename", None)
        if name and not str(name).endswith("documentation_options.js"):   # 页里接着就要用它
            script.attributes.setdefault("defer", "defer")
    context["script_files"] = kept


def patch_body(app, pagename, templatename, context, doctree):
    for old, new in BODY.items():
        context["body"] = context.get("body", "").replace(old, new)


def patch_script(app, exception):
    if exception is None and app.builder.format == "html":
        for name, (old, new) in SCRIPTS.items():
            script = Path(app.outdir, "_static", name)
            text = script.read_text(encoding="utf-8")
            if old in text:
                script.write_text(text.replace(old, new), encoding="utf-8")


def setup(app):
    app.connect("config-inited", translate)
    app.connect("builder-inited", patch_templates)
    app.connect("html-page-context", patch_body)
    app.connect("html-page-context", describe_page)
    app.connect("html-page-context", load_scripts_late, priority=900)   # 等别的扩展都加完
    app.connect("build-finished", patch_script)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
