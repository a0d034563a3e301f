#!/usr/bin/env bash
# latex2mathml 3.81.1 与 math-core 0.9.0（Python 3.11，Linux，2026-11-30）：多行公式换成 MathML，两家都不报错，结果都不对。
#
# 行为
#   latex2mathml 不认识 aligned：不出表，几行接成一行，对齐用的 & 原样写进 <mi>&</mi>，没有转义，整段不是合法的 XML；
#   同样的内容写成 align 才有 <mtable>。
#   math-core 有表，可是换行后面的行距 \\[4pt] 当成正文，页面上多出“[4pt]”几个字。
# 看到的输出（下面的检查就是照它写的）
#   latex2mathml aligned：没有 mtable，有 <mi>&</mi>，XML 解析器报错
#   latex2mathml align：有 mtable
#   math-core：有 mtable，文字里有 [4pt]
# 谁会弄错：在静态网站、试卷、电子书里用它们预先排公式的人。程序不报错，要看页面才知道；aligned 与 \\[4pt] 又都很常见。
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check latex2mathml==3.81.1 math-core==0.9.0
"$work/venv/bin/python" - <<'PY'
import re
from xml.etree import ElementTree

from latex2mathml.converter import convert
from math_core import LatexToMathML

rows = r"a &= b \\ c &= d"
flat = convert(rf"\begin{{aligned}} {rows} \end{{aligned}}")
assert "<mtable" not in flat and "<mi>&</mi>" in flat
try:
    ElementTree.fromstring(flat)
except ElementTree.ParseError as error:
    print("latex2mathml aligned：没有 mtable，有 <mi>&</mi>，XML 解析器报错：", error)
else:
    raise AssertionError("成了合法的 XML")
assert "<mtable" in convert(rf"\begin{{align}} {rows} \end{{align}}")
print("latex2mathml align：有 mtable")

spaced = LatexToMathML().convert_with_local_state(
    r"\begin{aligned} a &= b \\[4pt] c &= d \end{aligned}", displaystyle=True)
text = re.sub("<[^>]+>", "", spaced)
assert "<mtable" in spaced and "[4pt]" in text.replace(" ", ""), text
print("math-core：有 mtable，文字里有 [4pt]：", text)
PY
