#!/usr/bin/env bash
# nbformat 5.11.1、jsonschema 4.26.0、rfc3987-syntax 1.1.0、lark 1.3.1，2026-11-30：
# 单独装 nbformat，导入只要零点几秒；与 JupyterLab 装在一起，同一句 import nbformat 要慢好几倍。
#
# JupyterLab 带来 jsonschema 的附加组 format-nongpl，里面有 rfc3987-syntax。nbformat 导入 jsonschema，
# jsonschema 一见到它就导入，它在导入时把 IRI 的语法编译成近四十个 Lark 分析器，一个也还没有用到。
# nbval、nbconvert、jupyter-book 的每个进程都导入 nbformat，每次都付这笔时间。
#
# 看到的输出（一台慢的两核机器；秒数随机器变，脚本只查个数与倍数）：
#   只有 nbformat：0 个 Lark 分析器，0.2 秒
#   加上 format-nongpl：39 个 Lark 分析器，3.0 秒
#
# 谁会弄错：嫌 notebook 的测试慢，去怪内核启动或单元格的人；几个工人一起跑，这笔时间还要乘上工人数。
# 行为变了，本脚本以失败结束。不用课程的代码；不在 CI 里运行。
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
pip() { "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "$@"; }
cat > "$folder/count.py" <<'PY'
import importlib.util
import sys
import time

built = 0
if importlib.util.find_spec("lark"):
    import lark
    start = lark.Lark.__init__

    def counted(self, *args, **options):
        global built
        built += 1
        start(self, *args, **options)

    lark.Lark.__init__ = counted
before = time.perf_counter()
import nbformat  # noqa: E402, F401

seconds = time.perf_counter() - before
print(f"{sys.argv[1]}：{built} 个 Lark 分析器，{seconds:.1f} 秒")
print(built, seconds, file=open(sys.argv[2], "w"))
PY
pip nbformat==5.11.1 jsonschema==4.26.0
"$folder/venv/bin/python" "$folder/count.py" "只有 nbformat" "$folder/alone"
pip "jsonschema[format-nongpl]==4.26.0" rfc3987-syntax==1.1.0 lark==1.3.1
"$folder/venv/bin/python" "$folder/count.py" "加上 format-nongpl" "$folder/together"
read -r alone quick < "$folder/alone"
read -r together slow < "$folder/together"
test "$alone" = 0 && test "$together" -ge 30 || { echo "分析器的个数变了"; exit 1; }
"$folder/venv/bin/python" -c "import sys; sys.exit(not $slow > 2 * $quick)" || { echo "不再慢了"; exit 1; }
