"""合并一次要传多久：几个网络命名空间当几台机器，网卡限速，量合并两张表的时间，与纸上推算的比。约三分钟。

    sudo .venv/bin/python tests/by_hand/bench_network.py  # 写成 build/network.json；要 Linux、iproute2

每台“机器”的网卡收、发各限在同一个速度；量五次合并，取中位数。推算：两张表的改动，和每行改没改过，共
2V(E + 1) 个 4 字节的数，排成一圈传，每台收、发各 2(n − 1)/n 份，除以网速；不算协议的开销，也不算合并时的
计算。不限速的那几格，量到的大半是计算；几台“机器”其实挤在这一台的核上，真有几台时会快些。
"""

import json
import os
import subprocess
import sys
import time

import numpy as np
import torch
import torch.distributed as dist
from bench import ROOT, cpu_name

from textseq.word2vec_train import _merge

RATES = (100, 1000, None)      # Mbit 每秒；None 是不限
MACHINES = (2, 4)
TABLES = ((14_992, 100),)   # V 与维数
PORT = 29500


def shell(*commands):
    for command in commands:
        subprocess.run(command.split(), check=True)


def wire(n, rate):
    """n 台机器接在一个交换机上，收、发都限速；rate 是 None 就不限。"""
    shell("ip link add textseq type bridge", "ip link set textseq up")
    limit = f"root tbf rate {rate}mbit burst 256kb latency 100ms"
    for k in range(n):
        shell(f"ip netns add textseq{k}",
              f"ip link add outside{k} type veth peer name inside netns textseq{k}",
              f"ip link set outside{k} master textseq up",
              f"ip -n textseq{k} addr add 10.99.0.{k + 1}/24 dev inside",
              f"ip -n textseq{k} link set inside up", f"ip -n textseq{k} link set lo up")
        if rate:
            shell(f"tc qdisc add dev outside{k} {limit}",
                  f"tc -n textseq{k} qdisc add dev inside {limit}")


def unwire(n):
    for k in range(n):
        subprocess.run(["ip", "netns", "del", f"textseq{k}"], check=False)
    subprocess.run(["ip", "link", "del", "textseq"], check=False)


def worker(rank, n, V, E):
    """一台机器：合并六次，第一次不算；0 号写出各次的秒数。"""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", init_method=f"tcp://10.99.0.1:{PORT}", rank=rank, world_size=n)
    before = torch.zeros(V, E)
    seconds = []
    for _ in range(6):
        tables = torch.rand(V, E), torch.rand(V, E)
        dist.barrier()
        start = time.perf_counter()
        for table in tables:
            _merge(table, before)
        seconds.append(time.perf_counter() - start)
    if rank == 0:
        print(json.dumps(seconds[1:]))
    dist.destroy_process_group()


def measure(n, rate, V, E):
    """合并一次的秒数：中位数，与推算。"""
    environment, team = os.environ | {"GLOO_SOCKET_IFNAME": "inside", "OMP_NUM_THREADS": "1"}, []
    try:
        wire(n, rate)
        for k in range(n):
            inside = ["ip", "netns", "exec", f"textseq{k}", sys.executable, __file__]
            team.append(subprocess.Popen([*inside, *map(str, (k, n, V, E))], env=environment,
                                         stdout=subprocess.PIPE))
        printed = [process.communicate(timeout=600)[0] for process in team]
    finally:
        for process in team:
            process.kill()
        unwire(n)
    if codes := [process.returncode for process in team if process.returncode]:
        raise RuntimeError(f"有一台“机器”中途退出了（退出码 {codes[0]}）")
    expected = 2 * (n - 1) / n * 2 * V * (E + 1) * 4 * 8 / (rate * 1e6) if rate else 0
    return {"机器": n, "Mbit每秒": rate, "V": V, "E": E, "推算的秒": round(expected, 3),
            "量到的秒": round(float(np.median(json.loads(printed[0]))), 3)}


def main():
    (ROOT / "build").mkdir(exist_ok=True)
    rows = []
    for V, E in TABLES:
        for rate in RATES:
            for n in MACHINES:
                rows.append(measure(n, rate, V, E))
                print(rows[-1], flush=True)
    record = {"处理器": cpu_name(), "torch": torch.__version__, "结果": rows}
    (ROOT / "build/network.json").write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n",
                                             encoding="utf-8")


if __name__ == "__main__":
    worker(*map(int, sys.argv[1:])) if len(sys.argv) > 1 else main()
