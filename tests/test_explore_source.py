"""互动的源码读得下去：行不长，三目不套三目，函数不长，同一个函数只写一次，标题只写一次。"""

import re
import unicodedata
from itertools import combinations
from pathlib import Path

import pytest

from textseq import explore

FOLDER = Path(explore.__file__).parent / "explorables"
SOURCES = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.iterdir())}
SCRIPTS = {name: text for name, text in SOURCES.items() if name.endswith(".js")}
WIDEST, LONGEST = 110, 40
BEFORE_REGEX = re.compile(r"(?:^|[(,=:\[!&|?{};+]|=>|\breturn)\s*$")


def code_only(source):
    """注释、字符串、正则的内容换成空格，长度与行数不变；模板里 ${…} 的代码留着，花括号当括号看。"""
    out, i, inside = list(source), 0, []  # inside：每层 ${ 里还没关的花括号个数

    def blank(start, end):
        out[start:end] = [c if c == "\n" else " " for c in source[start:end]]

    def template(start):
        """从 start（反引号或 } 之后）到反引号或 ${ 为止都是文字。"""
        end = start
        while source[end] != "`" and source[end:end + 2] != "${":
            end += 2 if source[end] == "\\" else 1
        blank(start, end)
        if source[end] == "`":
            return end + 1
        out[end:end + 2] = " ("
        inside.append(0)
        return end + 2

    while i < len(source):
        c = source[i]
        if source.startswith(("//", "/*"), i):
            end = source.find("\n" if source[i + 1] == "/" else "*/", i)
            end = len(source) if end < 0 else end + 2 * (source[i + 1] == "*")
            blank(i, end)
            i = end
        elif c in "\"'" or c == "/" and BEFORE_REGEX.search("".join(out[max(0, i - 30):i])):
            end, group = i + 1, False
            while source[end] != c or group:
                group = c == "/" and (source[end] == "[" or group and source[end] != "]")
                end += 2 if source[end] == "\\" else 1
            blank(i, end + 1)
            out[i] = '"'
            i = end + 1
        elif c == "`":
            out[i] = '"'
            i = template(i + 1)
        elif c == "}" and inside and inside[-1] == 0:
            out[i] = ")"
            inside.pop()
            i = template(i + 1)
        else:
            if inside and c in "{}":
                inside[-1] += 1 if c == "{" else -1
            i += 1
    return "".join(out).replace("`", " ")


def nested_ternaries(code):
    """三目里又有三目的行号：在条件之后的两个分支里，不论隔几层括号。"""
    found, depth, waiting = [], 0, []  # waiting：还没结束的三目各在哪一层
    for mark in re.finditer(r"\?\?=?|\?\.(?!\d)|[?()\[\]{},;]", code):
        c = mark[0]
        if c == "?":
            if waiting:
                found.append(code.count("\n", 0, mark.start()) + 1)
            waiting.append(depth)
        elif c in "([{":
            depth += 1
        elif c in ")]},;":
            waiting = [level for level in waiting if level < depth]
            depth -= c in ")]}"
    return found


def closing(code, start):
    """start 处的括号到哪里关。"""
    depth = 0
    for i in range(start, len(code)):
        depth += (code[i] in "([{") - (code[i] in ")]}")
        if not depth:
            return i
    raise AssertionError("括号不成对")


def function_bodies(code):
    """每个带花括号的函数体：（起行，行数）；箭头函数与 function、方法都算。"""
    for mark in re.finditer(r"\{", code):
        before = code[:mark.start()].rstrip()
        if before.endswith(")"):
            depth, i = 0, len(before) - 1
            while True:
                depth += (before[i] in ")]}") - (before[i] in "([{")
                if not depth:
                    break
                i -= 1
            if re.search(r"\b(?:if|for|while|switch|catch)\s*$", before[:i]):
                continue
        elif not before.endswith("=>"):
            continue
        end = closing(code, mark.start())
        yield code.count("\n", 0, mark.start()) + 1, code.count("\n", mark.start(), end) + 1


def functions(source):
    """有名字的函数：名字 → 参数与函数体，空白不计较。"""
    code, found = code_only(source), {}
    for mark in re.finditer(r"\bfunction\*? (\w+)\s*\(", code):
        end = closing(code, code.index("{", closing(code, mark.end() - 1)))
        found[mark[1]] = source[mark.end() - 1:end + 1]
    arguments = r"(?:\([^()]*(?:\([^()]*\)[^()]*)*\)|\w+)"
    for mark in re.finditer(rf"\bconst (\w+) = (?=(?:async )?{arguments} =>)", code):
        end, depth = mark.end(), 0
        while code[end] != ";" or depth:
            depth += (code[end] in "([{") - (code[end] in ")]}")
            end += 1
        found[mark[1]] = source[mark.end():end]
    return {name: re.sub(r"\s+", " ", re.sub(r"//.*", "", body)) for name, body in found.items()}


def width(line):
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)


@pytest.mark.parametrize("name", SOURCES)
def test_no_line_is_too_wide(name):
    """一个汉字占两列。"""
    wide = [(n, width(line)) for n, line in enumerate(SOURCES[name].splitlines(), 1) if width(line) > WIDEST]
    assert wide == []


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_nested_ternaries_and_no_long_functions(name):
    code = code_only(SCRIPTS[name])
    assert nested_ternaries(code) == []
    assert [(line, lines) for line, lines in function_bodies(code) if lines > LONGEST] == []


def test_every_function_is_written_once():
    """两个文件里没有同名同体的函数，也没有换了名字的同一个长函数；共用的名字各互动不另写。"""
    every = {name: functions(source) for name, source in SCRIPTS.items()}
    shared = {name for file in SCRIPTS if file.startswith("_")
              for name in re.findall(r"^export (?:async )?(?:const|function) (\w+)", SCRIPTS[file], re.M)}
    assert {"range", "make", "control", "openData"} <= shared
    for one, two in combinations(every, 2):
        same = [(a, b) for a, body in every[one].items() for b, other in every[two].items()
                if body == other and (a == b or len(body) > 40)]
        assert same == [], f"{one} 与 {two}"
    for name in explore.names():
        assert shared & every[f"{name}.js"].keys() == set(), name


def test_titles_stand_once():
    for name in explore.names():
        title = explore.spec(name)["title"]
        assert SCRIPTS[f"{name}.js"].count(f'"{title}"') == 1, name


def test_nothing_slips_user_text_or_handlers_into_html():
    for name, source in SCRIPTS.items():
        unsafe = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function"
        assert not re.search(unsafe, source), name
        assert not re.search(r"setAttribute\(\s*[\"'`]on|<\w+[^>]*\son\w+=", source), name


# ---- 上面几把尺子自己量得准 ----

@pytest.mark.parametrize(("source", "lines"), [
    ("x = a ? b : c;", []),
    ("x = a ? b : c ? d : e;", [1]),
    ("x = a\n  ? (b ? c : d)\n  : e;", [2]),
    ("x = (a ? b : c) ? d : e;", []),
    ("f(a ? b : c, d ? e : g);", []),
    ("x = a ?? b?.c ?? d; y = p ? q : r;", []),
    ("x = a ? `${b ? 1 : 2}` : '?';", [1]),
    ("x = `${a ? 1 : 2}${b ? 3 : 4}`; // a ? b : c ? d : e", []),
    ("x = a ? list.map((v) => (v ? 1 : 0)) : [];", [1]),
    ("x = { a: b ? 1 : 2, c: d ? 3 : 4 };", []),
    ("x = /a?b?/.test(y) ? \"? : ?\" : /[/?]/;", []),
])
def test_ternaries_are_found(source, lines):
    assert nested_ternaries(code_only(source)) == lines


def test_functions_are_found():
    source = "const f = (a, { b }) => a + b;\nfunction g(x) {\n  if (x) { return 1; }\n  return `}`;\n}\n"
    assert functions(source) == {"f": "(a, { b }) => a + b", "g": "(x) { if (x) { return 1; } return `}`; }"}
    assert list(function_bodies(code_only(source))) == [(2, 4)]
