"""批改的工人，由 grade.py 叫：从标准输入读若干题，每判一题往文件里写一行。

一题是 (先运行的, 学生别处写的函数, 学生的答案, 检查, 参考答案)。学生的代码与检查各有各的名字空间：学生改了
print、np，或自己定义了同名的检查，都不影响判分。检查说对的，再换一组输入：参考答案变了、学生的不变，就是写死的。
"""

import ast
import contextlib
import copy
import io
import json
import os
import sys
import threading

import numpy as np
from diagnose import diagnose
from runner import MINE, execute, explain

FROZEN = "换一组输入，返回的还是原来那个：不能把答案写死"


def judge(before, helpers, code, check, solution):
    """一题的判语：检查返回的那句话，出错的说明，或 FROZEN。"""
    ours, theirs = {"__name__": "__main__"}, {"__name__": "__main__"}
    *body, last = ast.parse(check).body          # 最后一句是 print(check_x(x))
    check_name, name = last.value.args[0].func.id, last.value.args[0].args[0].id
    execute(f"{before}\n{solution}", "参考答案", ours)
    exec(compile(ast.Module(body, []), "检查", "exec"), ours)  # noqa: S102
    try:
        execute(before, "前面的格", theirs)
        execute(helpers, "别的格", theirs)
        execute(code, MINE, theirs)
        verdict = str(ours[check_name](theirs[name]))
        calls = recorded(ours[check_name], ours[name])
        if verdict.startswith("还不对"):
            return "。".join(filter(None, [verdict.rstrip("。"), diagnose(theirs[name], ours[name], calls)]))
        frozen = verdict.startswith("对了") and is_frozen(theirs[name], ours[name], calls)
        return FROZEN if frozen else verdict
    except BaseException as error:  # noqa: BLE001  学生的代码什么都可能抛出
        return explain(error)


def recorded(check, solution):
    """检查用过的各组输入。"""
    calls = []

    def watch(*args):
        calls.append(copy.deepcopy(args))
        return solution(*args)

    check(watch)
    return calls


def is_frozen(answer, solution, calls):
    """输入换了，参考答案跟着变，学生的不变。"""
    first = calls[0]
    second = tuple(changed(value, shift) for shift, value in enumerate(first, 1))
    if same(*(solution(*copy.deepcopy(args)) for args in (first, second))):
        return False                             # 这样换看不出来
    try:
        return same(*(answer(*copy.deepcopy(args)) for args in (first, second)))
    except Exception:  # noqa: BLE001  换的输入不一定合题意
        return False


def changed(value, shift):
    """同样形状的另一组输入：数组与列表转几格，小数再放大，单个的数加 1。"""
    if isinstance(value, np.ndarray):
        return np.roll(value * 1.1 if value.dtype.kind == "f" else value, shift, axis=0)
    if isinstance(value, list):
        return value[shift:] + value[:shift]
    if isinstance(value, dict):
        return {key: changed(item, shift) for key, item in value.items()}
    return value + 1 if isinstance(value, (int, float)) else value


def same(a, b):
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (tuple, list)):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b if isinstance(a, (str, set)) else np.array_equal(a, b, equal_nan=True)


def limit_memory(size):
    try:
        import resource
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    except (ImportError, ValueError, OSError):   # Windows 没有；macOS 设不了
        pass


def main(target, seconds, memory, late):
    tasks = json.load(sys.stdin)
    limit_memory(int(memory))
    sys.stdin = io.StringIO()
    with open(target, "w", encoding="utf-8") as file:
        for task in tasks:
            timer = threading.Timer(int(seconds), os._exit, args=(int(late),))
            timer.daemon = True
            timer.start()
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                verdict = judge(*task)
            timer.cancel()
            file.write(json.dumps(verdict, ensure_ascii=False) + "\n")
            file.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
