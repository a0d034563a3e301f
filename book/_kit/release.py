"""make release：没有网的教室要的几个文件，放进 build/release/，打印大小。

- textseq-….whl：模块，带着整个网站；网站里有整门课。装上之后 textseq course、textseq site，不用网。
- site.zip：整个网站，解压后双击 book/index.html。
- slides.zip：十章的幻灯片，make slides 做好的；解压后双击 index.html。
- handout.pdf、worksheets.pdf：整本讲义与课堂单，make handout 印好的。
- cards.apkg：Anki 卡片。
"""

import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "book/_ext"))

import cards  # noqa: E402
from course_zip import course_files  # noqa: E402

SITE = ROOT / "build/_build/html"
SLIDES = ROOT / "build/slides"
HANDOUTS = [ROOT / "build/handout" / name for name in ("handout.pdf", "worksheets.pdf")]
RELEASE = ROOT / "build/release"
PACKED = {".zip", ".whl", ".tgz", ".png", ".woff", ".woff2", ".gz"}   # 压不动的，原样收


def site_files(site):
    """网站的文件；源码映射与建书的中间文件不要。"""
    skipped = {".map", ".doctree", ".pickle"}
    return sorted(path for path in site.rglob("*") if path.is_file() and path.suffix not in skipped)


def write_site(target, site=SITE):
    """整个网站打成一个包。"""
    if not (site / "book/index.html").is_file():
        sys.exit(f"{site} 里没有建好的书；请先 make book")
    write_zip(target, site)


def write_zip(target, site):
    """一个文件夹打成一个包；内容不变，包就逐字节相同。"""
    with zipfile.ZipFile(target, "w") as archive:
        for path in site_files(site):
            entry = zipfile.ZipInfo(path.relative_to(site).as_posix(), (2026, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            kind = zipfile.ZIP_STORED if path.suffix in PACKED else zipfile.ZIP_DEFLATED
            archive.writestr(entry, path.read_bytes(), kind)


def stage(folder, site_zip):
    """造 wheel 的文件夹：模块、说明、许可，加上 site.zip。"""
    for path in course_files():
        if path.parts[0] == "textseq" or path.name in ("pyproject.toml", "README.md", "LICENSE") \
                and len(path.parts) == 1:
            target = folder / path
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, target)
    shutil.copy2(site_zip, folder / "textseq/site.zip")


def write_wheel(target, site_zip):
    """造出 wheel，返回它的路径。不另建环境，不用网。"""
    with tempfile.TemporaryDirectory() as folder:
        stage(Path(folder), site_zip)
        command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        done = subprocess.run([*command, "--wheel-dir", target, folder], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"wheel 没有造成：{done.stderr.strip()[-300:]}")
    return max(target.glob("textseq-*.whl"), key=lambda path: path.stat().st_mtime)


def release(target=RELEASE):
    """全部文件，[路径]。"""
    target.mkdir(parents=True, exist_ok=True)
    site_zip, deck = target / "site.zip", target / "cards.apkg"
    write_site(site_zip)
    cards.write(deck)
    made = [write_wheel(target, site_zip), site_zip, deck]
    if SLIDES.is_dir():
        made.append(target / "slides.zip")
        write_zip(made[-1], SLIDES)
    made += [Path(shutil.copy2(path, target)) for path in HANDOUTS if path.is_file()]
    return made


if __name__ == "__main__":
    for made in release():
        print(f"{made.stat().st_size / 1e6:6.1f} MB  {re.sub(f'^{ROOT}/', '', str(made))}")
