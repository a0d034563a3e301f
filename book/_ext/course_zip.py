"""整门课打成一个压缩包，放在 _static/textseq.zip：网站上的人不必有别处的地址，也能拿到课程。

收的是 git 管着的文件；解压来的文件夹没有 git，就收除了虚拟环境与建好的书以外的全部。
时间戳写死，内容不变，包就逐字节相同。
"""

import shutil
import subprocess
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
SKIPPED = {"build", "wheels", "logs", "logs_09", "__pycache__"}


def course_files(root=ROOT):
    """课程的文件，相对路径，排好序。"""
    if (root / ".git").exists() and shutil.which("git"):
        listed = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True, check=True)
        paths = [Path(name) for name in listed.stdout.decode().split("\0") if name]
        return sorted(path for path in paths if (root / path).is_file())
    paths = (path.relative_to(root) for path in root.rglob("*") if path.is_file())
    return sorted(path for path in paths if not any(map(is_left_out, path.parts[:-1])))


def is_left_out(folder):
    return (folder in SKIPPED or folder.endswith(".egg-info")
            or folder.startswith(".") and folder != ".ci")   # 虚拟环境、各种缓存


def write_zip(target, root=ROOT, replaced=None):
    """文件都在 textseq/ 文件夹里，可执行的仍可执行；replaced 里的换成别的文件的内容。"""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in course_files(root):
            entry = zipfile.ZipInfo(f"textseq/{path.as_posix()}", (2026, 1, 1, 0, 0, 0))
            entry.external_attr = ((root / path).stat().st_mode & 0o777) << 16
            source = (replaced or {}).get(path, root / path)
            archive.writestr(entry, source.read_bytes(), zipfile.ZIP_DEFLATED)


def setup(app):
    def write(app, error):
        if error is None and app.builder.format == "html":
            write_zip(Path(app.outdir, "_static/textseq.zip"))

    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
