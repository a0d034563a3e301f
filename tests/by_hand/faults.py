"""出了事会怎样：真的去杀进程、填满磁盘、改坏文件、断网、少给内存，看命令怎么办。

    python tests/by_hand/faults.py          # 种子 1，约一刻钟；只在 Linux 上，满磁盘、只读、断网三项要 root
    python tests/by_hand/faults.py 内存 磁盘   # 只做名字里有这几个字的

每一次只许两种下场：与没出事时逐位相同，或者一句中文。另查没有半个文件、临时文件、没人管的进程。
"""

import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np
import torch._dynamo  # noqa: F401  Adam 走第一步时才导入，要两秒；这里先导入，fork 出来的就快

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT)]
from textseq import cli, quantized, word2vec_train  # noqa: E402
from textseq._checkpoint import read_checkpoint  # noqa: E402

KILLS, PLACES, GB = 50, 30, 2**30
SENTENCE = re.compile(r"^(错误：)?[^\n]*[\u4e00-\u9fff]")
SMALL = ("from textseq import word2vec_train as w; w.PART, w.LEG = 500, 1;"
         "w.train.__defaults__ = (None, None, 0)")
COMMANDS = {
    "vectors": ["vectors", "own.txt", "-o", "own.vec", "--segmented", "yes", "--vector-size", "20",
                "--epochs", "4"],
    "train": ["train", "ti", "-o", "m.npz", "--pretrain", "2", "--epochs", "3", "--batch-size", "16"],
}
RESULT, CHECKPOINT = {"vectors": "own.vec", "train": "m.npz"}, ["--checkpoint", "c.npz"]
rng = np.random.default_rng(1)


class Place:
    """一个干净的文件夹：语料、标题，放临时文件的 tmp/；做完看留下了什么。"""

    def __init__(self, name):
        self.name, self.folder = name, Path(tempfile.mkdtemp(prefix="faults-"))
        lines = [" ".join(f"{'甲乙丙'[i % 3]}{k}" for k in np.random.default_rng(i).integers(20, size=8))
                 for i in range(2000)]
        (self.folder / "own.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        for part in ("ti", "tmp"):
            (self.folder / part).mkdir()
        for part, n in (("class", 10), ("train", 60), ("dev", 20)):
            rows = (ROOT / f"data/headlines/{part}.txt").read_text(encoding="utf-8").splitlines()[:n]
            (self.folder / f"ti/{part}.txt").write_text("\n".join(rows) + "\n", encoding="utf-8")
        self.given = set(self.folder.rglob("*"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def result(self):
        path = self.folder / RESULT[self.name]
        return path.read_bytes() if path.exists() else None

    def start(self, arguments):
        """fork 出一个进程做这条命令（导入已经做完，从这里起算）；份小，检查点存得勤。"""
        if pid := os.fork():
            return pid
        os.setsid()
        os.chdir(self.folder)
        tempfile.tempdir = str(self.folder / "tmp")
        word2vec_train.PART, word2vec_train.LEG = 500, 1
        word2vec_train.train.__defaults__ = (None, None, 0)
        out = os.open("out", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(out, 1), os.dup2(out, 2)
        try:
            cli.main(arguments)
        except SystemExit as stopped:
            os._exit(stopped.code or 0)
        os._exit(0)

    def forked(self, arguments):
        """做完它，返回退出码。"""
        return os.waitstatus_to_exitcode(os.waitpid(self.start(arguments), 0)[1])

    def shell(self, arguments, before=SMALL, prefix=(), limit=None, **environment):
        """另起一个 Python 进程，先做 before，再做这条命令。"""
        code = f"import os, sys; {before}; from textseq import cli; cli.main(sys.argv[1:])"
        return subprocess.run([*prefix, sys.executable, "-c", code, *arguments], cwd=self.folder, text=True,
                              capture_output=True, timeout=300, preexec_fn=limit, encoding="utf-8",
                              env=os.environ | {"PYTHONPATH": str(ROOT), "TMPDIR": str(self.folder / "tmp"),
                                                "OMP_NUM_THREADS": "1"} | environment)

    def check_clean(self, *allowed):
        allowed = {self.folder / name for name in ("out", RESULT[self.name], *allowed)}
        litter = {path for path in set(self.folder.rglob("*")) - self.given - allowed
                  if not path.name.startswith("torchinductor_")}      # torch 自己的缓存
        assert not litter, f"留下了 {sorted(p.name for p in litter)}"


WHOLE = {}


def whole(name, before=SMALL):
    """没出事时的结果。"""
    if (name, before) not in WHOLE:
        with Place(name) as place:
            assert place.shell(COMMANDS[name], before=before).returncode == 0
            WHOLE[name, before] = place.result
    return WHOLE[name, before]


def fate(done, name, result, old=None, before=SMALL):
    """下场：同样的结果，或那一句话；别的都算出错。"""
    if done.returncode == 0:
        assert result == whole(name, before), "做完了，结果却不一样"
        return "同样的结果"
    said = [line for line in done.stderr.strip().splitlines() if "错误" in line or "Error" in line]
    last = (done.stderr.strip().splitlines() or [f"（没有话，退出码 {done.returncode}）"])[-1]
    assert "Traceback" not in done.stderr and len(said) == 1 and SENTENCE.match(last) and said[0] == last, (
        f"退出码 {done.returncode}：{done.stderr[-300:]}")
    assert done.returncode == 1 and result in (None, old), "没做完，却留下了结果"
    return re.sub(r"^错误：", "", last)


def group_is_gone(pid):
    for _ in range(250):
        try:
            os.killpg(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.02)
    return False


def kill_once(place, arguments, seconds, name):
    pid = place.start(arguments)
    time.sleep(seconds)
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)
    hit = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL
    assert group_is_gone(pid), "工人还在"
    if "--workers" not in arguments:
        assert place.result in (None, whole(name)), "结果写了一半"
    for kept in place.folder.glob("c*.npz"):
        read_checkpoint(kept)
    return hit


def killed(name, options):
    arguments, hits = [*COMMANDS[name], *options], 0
    with Place(name) as place:
        begun = time.monotonic()
        assert place.forked(arguments) == 0
        duration = time.monotonic() - begun
    for moment in rng.uniform(0, duration, KILLS // 5 if "--workers" in options else KILLS):
        with Place(name) as place:
            hits += kill_once(place, arguments, moment, name)
            assert place.forked(arguments) == 0, (place.folder / "out").read_text()[-300:]
            assert "--workers" in options or place.result == whole(name), "再来一次，结果不一样"
            place.check_clean("c.npz", "c.vectors.npz")
    yield f"{hits} 次杀在半路；再来一次，" + ("做完了" if "--workers" in options else "同样的结果")


def shut(place, name, arguments, before=SMALL, **how):
    """做一次，说下场，查干净。"""
    old, done = place.result, place.shell(arguments, before=before, **how)
    said = fate(done, name, place.result, old, SMALL if "sys.modules" in before else before)
    place.check_clean("c.npz", "c.vectors.npz")
    return said


@contextlib.contextmanager
def disk(folder, size="64k", fill=True):
    """一个小磁盘挂在 folder 上；fill：只剩几 KB。"""
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], check=True)
    try:
        if fill:
            with contextlib.suppress(OSError), (folder / "占着的").open("wb", buffering=0) as file:
                while file.write(bytes(4096)):
                    pass
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def full_disk(name):
    for what, options in (("结果", ["-o", "满/r"]), ("检查点", ["--checkpoint", "满/c.npz"]),
                          ("临时文件", [])):
        with Place(name) as place, disk(place.folder / "满"):
            place.given |= {place.folder / "满", place.folder / "满/占着的"}
            environment = {} if options else {"TMPDIR": str(place.folder / "满")}
            yield f"{what}：" + shut(place, name, [*COMMANDS[name], *options], **environment)


def read_only(name):
    for option in ("-o", "--checkpoint"):
        with Place(name) as place, disk(place.folder / "只读", fill=False):
            place.given |= {place.folder / "只读"}
            subprocess.run(["mount", "-o", "remount,ro", place.folder / "只读"], check=True)
            yield shut(place, name, [*COMMANDS[name], option, "只读/r.npz"])


def too_large(name):
    with Place(name) as place:
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # noqa: E731
        yield shut(place, name, [*COMMANDS[name], "--checkpoint", "c.npz"], limit=limit)


def cut_while_writing(name):
    """正在写的时候被杀：写完还没有改名。再来一次，结果一样，临时文件扫掉了。"""
    arguments = [*COMMANDS[name], *CHECKPOINT]
    for times in (0, 2, 4):     # 写一次要落盘两次：文件，文件夹
        with Place(name) as place:
            before = (f"{SMALL}; left = list(range({times})); real = os.fsync;"
                      "os.fsync = lambda f: left.pop() * 0 or real(f) if left else os.kill(os.getpid(), 9)")
            assert place.shell(arguments, before=before).returncode == -signal.SIGKILL
            assert list(place.folder.glob(".textseq-*")) and place.result in (None, whole(name))
            yield shut(place, name, arguments)


def two_writers(name):
    arguments = [*COMMANDS[name], *CHECKPOINT]
    for _ in range(5):
        with Place(name) as place:
            pids = [place.start(arguments) for _ in range(3)]
            codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
            assert codes == [0, 0, 0] and place.result == whole(name), (place.folder / "out").read_text()
            place.check_clean("c.npz", "c.vectors.npz")
            yield "同样的结果"


def damaged(content):
    """截短 PLACES 处，翻一位 PLACES 处。"""
    for n in rng.integers(1, len(content), PLACES):
        yield content[:n]
    for n, bit in zip(rng.integers(len(content), size=PLACES), rng.integers(8, size=PLACES), strict=True):
        yield content[:n] + bytes([content[n] ^ 1 << bit]) + content[n + 1:]


def fork_fate(place, name, arguments):
    code = place.forked(arguments)
    err = (place.folder / "out").read_text(encoding="utf-8")
    return fate(subprocess.CompletedProcess([], code, "", err), name, place.result)


def bad_checkpoint(name):
    with Place(name) as place:
        assert place.forked([*COMMANDS[name], *CHECKPOINT]) == 0
        good = (place.folder / "c.npz").read_bytes()
        for content in damaged(good):
            (place.folder / RESULT[name]).unlink(missing_ok=True)
            (place.folder / "c.npz").write_bytes(content)
            yield fork_fate(place, name, [*COMMANDS[name], *CHECKPOINT])


def bad_model(name):
    with Place(name) as place:
        for content in damaged(whole("train")):
            (place.folder / "m.npz").write_bytes(content)
            code = place.forked(["predict", "油价下调", "--model", "m.npz"])
            said = (place.folder / "out").read_text(encoding="utf-8")
            assert said.startswith("错误：") and said.count("\n") == 1 if code else True, said[-300:]
            yield said.strip().removeprefix("错误：") if code else "同样的结果"


def bad_packed(_):
    good = (ROOT / "data/neighbors/neighbors.js").read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "neighbors.js"
        path.write_bytes(good)
        vectors, counts = quantized.load_quantized(path)
        for content in damaged(good):
            path.write_bytes(content)
            try:
                other, others = quantized.load_quantized(path)
            except ValueError as error:
                yield re.sub(r"（.*?）", "", str(error).replace(str(path), "neighbors.js"))
                continue
            same = (other.words, others) == (vectors.words, counts) and (other.matrix == vectors.matrix).all()
            assert same, "坏了，却照样读"
            yield "同样的结果"


def missing(name):
    for package in ("torch", "jieba"):
        with Place(name) as place:
            arguments = ["no" if x == "yes" else x for x in COMMANDS[name]]
            if package == "jieba" and name == "train":
                arguments += ["--unit", "word"]
            yield shut(place, name, arguments, before=f"sys.modules['{package}'] = None")


def no_font(_):
    with Place("train") as place:
        code = "from textseq import figures; figures.use_style()"
        gone = place.shell([], before=f"sys.modules['pylopdf_fonts_zh_cn'] = None; {code}").stderr
        assert "ModuleNotFoundError: " in gone, gone[-300:]
        yield gone.strip().splitlines()[-1].removeprefix("ModuleNotFoundError: ")


def narrow(name):
    for prefix in (["unshare", "-n"], ["taskset", "-c", "0"]):
        with Place(name) as place:
            yield f"{prefix[0]}：" + shut(place, name, COMMANDS[name], prefix=prefix)


def threads(name):
    for n in "124":
        with Place(name) as place:
            yield shut(place, name, COMMANDS[name], OMP_NUM_THREADS=n, OPENBLAS_NUM_THREADS=n)


def low_memory(name):
    for size in (0.1, 0.25, 0.4, 0.6, 0.8, 1, 1.2, 1.5, 2, 3, 4):
        with Place(name) as place:
            limit = lambda size=size: resource.setrlimit(resource.RLIMIT_AS, (int(size * GB),) * 2)  # noqa: E731
            yield shut(place, name, COMMANDS[name], before="pass", limit=limit)


def too_wide(name):
    """内存在训练时才不够：词向量宽到放不下。"""
    if name == "vectors":
        with Place(name) as place:
            limit = lambda: resource.setrlimit(resource.RLIMIT_AS, (6 * GB, 6 * GB))  # noqa: E731
            yield shut(place, name, [*COMMANDS[name], "--vector-size", str(10**8)], limit=limit)


ROWS = {
    "kill -9": lambda name: killed(name, []),
    "kill -9，有检查点": lambda name: killed(name, CHECKPOINT),
    "kill -9，两个工人": lambda name: killed(name, ["--workers", "2"]) if name == "vectors" else (),
    "写到一半被杀": cut_while_writing, "三个进程写同一个文件": two_writers, "磁盘满了": full_disk,
    "文件夹只读": read_only, "文件大小有限": too_large, "检查点坏了": bad_checkpoint,
    "模型坏了": lambda name: bad_model(name) if name == "train" else (),
    "打包的词向量坏了": lambda name: bad_packed(name) if name == "vectors" else (),
    "没有装某个包": missing, "没有字体": lambda name: no_font(name) if name == "train" else (),
    "断网；只给一个核": narrow, "一、二、四个线程": threads, "内存小": low_memory, "内存中途不够": too_wide,
}


def main(wanted):
    wrong = 0
    print("| 出什么事 | 命令 | 次数 | 下场 |\n|---|---|---|---|")
    for title, row in ROWS.items():
        for name in COMMANDS if not wanted or any(w in title for w in wanted) else ():
            ends, bad = Counter(), Counter()
            tries = iter(row(name))
            try:
                ends.update(tries)
            except AssertionError as error:
                bad[f"**{error}**"] += 1
            wrong += len(bad)
            said = "；".join(f"{text}（{n}）" for text, n in [*ends.most_common(), *bad.items()])
            if said:
                print(f"| {title} | {name} | {sum(ends.values())} | {said} |", flush=True)
    sys.exit(f"{wrong} 项不对" if wrong else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
