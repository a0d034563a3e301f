#!/usr/bin/env bash
# jieba 0.42.1，2026-11-29：HMM=False 时，小数与百分数都被切开。
#
# lcut 的 HMM 参数，说明里讲的是“要不要用 HMM 猜词典里没有的词”。可是把 12.3% 连成一个词的正则也在
# HMM 那一步里，所以关掉它，“12.3%”成了 12 / . / 3 / %，整数的百分数“50%”也成了 50 / %。
#
# 看到的输出：
#   HMM=True   上涨 12.3% 收 50% 的 税
#   HMM=False  上涨 12 . 3 % 收 50 % 的 税
#
# 谁会弄错：为了结果稳定或更快而关掉 HMM，去切财经、统计文本的人；数字被切断，词表里多出一堆单独的数。
# 行为变了，本脚本以失败结束。不用课程的代码；不在 CI 里运行。
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check jieba==0.42.1 "setuptools<81"
"$folder/venv/bin/python" -W ignore - <<'PY'
import logging

import jieba

jieba.setLogLevel(logging.CRITICAL)
text = "上涨12.3%收50%的税"
found = {hmm: jieba.lcut(text, HMM=hmm) for hmm in (True, False)}
for hmm, words in found.items():
    print(f"HMM={hmm!s:<5}", *words)
assert "12.3%" in found[True] and "50%" in found[True], "HMM=True 的切法变了"
assert found[False] == ["上涨", "12", ".", "3", "%", "收", "50", "%", "的", "税"], "HMM=False 的切法变了"
PY
