"""章里的练习，与一段代码要先运行的那些：书页、测试、批改共用这一份。

每道练习是三格：空白（标签 exercise）、检查（标签 check）、参考答案（下一格 <details> 里的代码块）。
"""

import ast
import functools
import re
import symtable
from pathlib import Path
from typing import NamedTuple

import nbformat

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


class Exercise(NamedTuple):
    """一道练习。before 是检查与空白要先运行的代码；title 是“练习 2：往回走一步”那样的标题。"""
    name: str
    title: str
    stub: str
    before: str
    check: str
    solution: str


def chapters():
    return sorted(NOTEBOOKS.glob("[0-9]*.ipynb"))


def tags(cell):
    return cell.metadata.get("tags", [])


@functools.cache
def read_exercises(notebook):
    """一章的练习，按次序。"""
    cells = nbformat.read(notebook, as_version=4).cells
    found, before, title = [], [], ""
    for index, cell in enumerate(cells):
        if cell.cell_type == "markdown":
            title = (re.findall(r"^### (练习.*)$", cell.source, flags=re.M) or [title])[-1]
            continue
        if "exercise" in tags(cell):
            at = next(i for i in range(index, len(cells)) if "check" in tags(cells[i]))
            check, answer = cells[at].source, cells[at + 1].source
            solution = re.search(r"<details>.*?```python\n(.*?)```", answer, flags=re.S)[1]
            name = ast.parse(cell.source).body[-1].name
            found.append(Exercise(name, title, cell.source, needed(before, f"np\n{cell.source}\n{check}"),
                                  check, solution))
        before.append(cell.source)
    return tuple(found)


# --- 一段代码要先运行哪些 -----------------------------------------------------------------

def globals_used(code):
    """代码里用到、而不是函数自己的名字。"""
    def walk(table):
        names = {s.get_name() for s in table.get_symbols()
                 if s.is_referenced() and (s.is_global() or table.get_type() == "module")}
        return names.union(*map(walk, table.get_children()))

    return walk(symtable.symtable(code, "cell", "exec"))


def names_bound(statement):
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return {statement.name}
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return {alias.asname or alias.name.partition(".")[0] for alias in statement.names}
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


def source_of(statement, cell, wanted):
    """这一句的原文；import 只留要用的名字。"""
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        statement.names = [alias for alias in statement.names
                           if (alias.asname or alias.name.partition(".")[0]) in wanted]
        return ast.unparse(statement)
    first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", []))])
    return "\n".join(cell.splitlines()[first - 1:statement.end_lineno])


def needed(cells, code):
    """cells 里、code 要用到的语句：从后往前，谁给出了还缺的名字就留下谁。"""
    missing, kept = globals_used(code), []
    for cell in reversed(cells):
        for statement in reversed(ast.parse(cell).body):
            wanted = names_bound(statement) & missing
            if wanted:
                kept.append(source_of(statement, cell, wanted))
                missing = (missing - wanted) | globals_used(kept[-1])
    return "\n".join(reversed(kept))
