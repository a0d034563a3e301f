"""运行一格代码，出错时用中文说明。书页里，try_here.js 把这个文件放进浏览器里的 Python；批改也用它。"""

import ast
import contextlib
import io
import linecache
import traceback

LONGEST = 20_000       # 最多显示多少个字
MINE = "你的代码"


class Screen(io.TextIOBase):
    """写一段，显示一段；太长就只说一句，后面的不再显示。"""

    def __init__(self, show):
        self.show, self.left = show, LONGEST

    def write(self, text):
        if self.left > 0:
            self.show(text[:self.left])
            self.left -= len(text)
            if self.left <= 0:
                self.show(f"\n…… 输出超过 {LONGEST:,} 个字，后面的不显示了\n")
        return len(text)


def run(before, code, check, show):
    """在一个新的名字空间里依次运行三段；后两段的输出、最后一个式子的值、出错的说明都交给 show。"""
    screen, silent, space = Screen(show), io.StringIO(), {"__name__": "__main__"}
    steps = ("前面的格", before, silent), (MINE, code, screen), ("检查", check, screen)
    with contextlib.redirect_stderr(screen):
        try:
            for name, source, out in steps:
                with contextlib.redirect_stdout(out):
                    execute(source, name, space)
        except BaseException as error:  # noqa: BLE001  exit() 与中断也只说一句
            screen.left = max(screen.left, 2_000)   # 出错的话总要看得见
            screen.write(explain(error) + "\n")


def execute(source, name, space):
    """像 notebook 那样：最后一句是式子，就显示它的值。"""
    linecache.cache[name] = len(source), None, source.splitlines(keepends=True), name   # 出错时找得到那一行
    body = ast.parse(source, name).body
    last = body.pop() if body and isinstance(body[-1], ast.Expr) else None
    exec(compile(ast.Module(body, []), name, "exec"), space)  # noqa: S102  读者自己的代码
    if last is not None:
        value = eval(compile(ast.Expression(last.value), name, "eval"), space)  # noqa: S307
        if value is not None:
            print(repr(value))


def explain(error):
    """出错的说明：哪一行，什么错，常见的几种再说怎么办。"""
    if isinstance(error, SyntaxError):
        where = f"第 {error.lineno} 行写得不合语法：{(error.text or '').strip()}\n"
        return f"{where}{type(error).__name__}: {error.msg}"
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == MINE]
    where = f"第 {lines[-1]} 行出错：{linecache.getline(MINE, lines[-1]).strip()}\n" if lines else ""
    return f"{where}{type(error).__name__}: {error}{advice(error)}"


def advice(error):
    if isinstance(error, ModuleNotFoundError):
        return "\n书页里只有 Python 自带的模块、numpy 和 textseq；要用别的，请在自己的电脑上做"
    if isinstance(error, FileNotFoundError):
        return "\n书页里没有课程的数据文件；要用它，请在自己的电脑上做"
    if isinstance(error, OSError) and error.errno == 29:
        return "\n书页里不能用 input()；把要输入的直接写在代码里"
    if isinstance(error, SystemExit):
        return "\n不用 exit()，代码走完就停"
    if isinstance(error, MemoryError):
        return "\n内存不够；数组开小一点"
    return ""
