#!/usr/bin/env bash
# tensorboardX 2.6.5，2026-11-29：同一秒里在同一个文件夹打开两个 SummaryWriter，第二个清空第一个的文件。
#
# 事件文件的名字只精确到秒（主机名之外没有别的），又以 "wb" 打开。程序很快地先后开两个 writer（例如一格
# notebook 连着运行两遍，或循环里每次训练都开一个），两个就用同一个文件名；前一个已经写进去、已经 close 的
# 记录没有了，没有警告。PyTorch 自带的 SummaryWriter 的文件名里还有进程号与一个计数，不会这样。
#
# 看到的输出：
#   事件文件 1 个；读回的步：[3]（写过 1、2、3）
#
# 谁会弄错：在同一个文件夹里连着记两段训练、以为两段都在的人。绕开的办法：给不同的文件夹，
# 或传 filename_suffix（课程的 Tracker 就这样）。
# 行为变了，本脚本以失败结束。不用课程的代码；不在 CI 里运行。
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tensorboardX==2.6.5 tensorboard==2.21.0 "setuptools<81"
cd "$folder"
"$folder/venv/bin/python" -W ignore - 2>/dev/null <<'PY'
import time
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboardX import SummaryWriter

time.sleep(1.05 - time.time() % 1)  # 从一秒的开头做起，两个 writer 才在同一秒里
for steps in ((1, 2), (3,)):
    writer = SummaryWriter("logs")
    for step in steps:
        writer.add_scalar("loss", step, step)
    writer.close()
files = list(Path("logs").glob("*tfevents*"))
events = EventAccumulator("logs").Reload()
found = [event.step for event in events.Scalars("loss")]
print(f"事件文件 {len(files)} 个；读回的步：{found}（写过 1、2、3）")
assert len(files) == 1 and found == [3], "行为变了"
PY
