"""学生版：十章的 notebook 去掉参考答案与存着的输出，装进整门课的压缩包，发给学生。

    make assignments        # build/学生版.zip；build/学生版/ 里是单个的 notebook
"""

import re
import shutil
import sys
from pathlib import Path

import nbformat
from exercises import NOTEBOOKS, chapters

ROOT = NOTEBOOKS.parent
sys.path.insert(0, str(ROOT / "book/_ext"))
from course_zip import write_zip  # noqa: E402

# 答案都收在 <details> 里；别的 <details>（旁支的话）留着
ANSWERS = re.compile(r"<details>\s*<summary>(?:参考答案|写好了，点开)[^<]*</summary>.*?</details>", re.S)

TOLD = re.compile("[；。]参考答案折叠在每题之后")


def student_version(notebook):
    """没有参考答案、没有输出的一份。"""
    book = nbformat.read(notebook, as_version=4)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
        else:
            cell.source = TOLD.sub("", ANSWERS.sub("", cell.source)).strip()
    book.cells = [cell for cell in book.cells if cell.source]
    return book


def main():
    folder = ROOT / "build/学生版"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for chapter in chapters():
        nbformat.write(student_version(chapter), folder / chapter.name)
    replaced = {Path("notebooks", chapter.name): folder / chapter.name for chapter in chapters()}
    write_zip(folder.with_suffix(".zip"), replaced=replaced)
    print(f"学生版在 {folder.relative_to(ROOT)}，整门课在 {folder.with_suffix('.zip').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
