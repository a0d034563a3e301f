"""整门课打成一个压缩包，放在 _static/textseq.zip：网站上的人不必有别处的地址，也能拿到课程。

收的是 git 管着的文件；解压来的文件夹没有 git，就收除了虚拟环境与建好的书以外的全部。
时间戳写死，内容不变，包就逐字节相同。
"""

import subprocess
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
SKIPPED = {".venv", "build", "wheels", "logs", "logs_09"}


def course_files(root=ROOT):
    """课程的文件，相对路径，排好序。"""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-z"], capture_output=True)
    if (root / ".git").exists() and listed.returncode == 0:
        names = [name for name in listed.stdout.decode().split("\0") if name]
    else:
        names = [str(path.relative_to(root)) for path in root.rglob("*") if path.is_file()]
    kept = (Path(name) for name in names)
    return sorted(path for path in kept if (root / path).is_file() and not any(
        part in SKIPPED or part == "__pycache__" or part.endswith((".egg-info", ".ipynb_checkpoints"))
        for part in path.parts))


def write_zip(target, root=ROOT):
    """文件都在 textseq/ 文件夹里，可执行的仍可执行。"""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in course_files(root):
            entry = zipfile.ZipInfo(f"textseq/{path.as_posix()}", (2026, 1, 1, 0, 0, 0))
            entry.external_attr = ((root / path).stat().st_mode & 0o777) << 16
            archive.writestr(entry, (root / path).read_bytes(), zipfile.ZIP_DEFLATED)


def setup(app):
    def write(app, error):
        if error is None and app.builder.format == "html":
            write_zip(Path(app.outdir, "_static/textseq.zip"))

    app.connect("build-finished", write)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
