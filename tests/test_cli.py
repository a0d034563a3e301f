"""命令行：从一个文本文件到近邻；torchrun 下两个进程训练出的，与一个进程的一样好。"""

import errno
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import torch

from textseq import __version__, word2vec_train
from textseq.cli import _progress_bar, build_parser, explain, main
from textseq.vectors import WordVectors
from textseq.word2vec_train import Progress

GROUPS = [[f"{g}{i}" for i in range(20)] for g in "甲乙丙"]


def write_corpus(path, sentences=3000):
    rng = np.random.default_rng(0)
    path.write_text("".join(" ".join(rng.choice(GROUPS[i % 3], 8)) + "\n" for i in range(sentences)),
                    encoding="utf-8")
    return path


def purity(path):
    """每个词最近的十个里，同组的占多少。"""
    vectors = WordVectors.load(path)
    near = [w[0] == word[0] for group in GROUPS for word in group
            for w, _ in vectors.most_similar(word, topn=10)]
    return np.mean(near)


def fails(capsys, arguments, code):
    """命令以退出码 code 结束，标准输出是空的；返回错误，它只有一行，在最后。"""
    with pytest.raises(SystemExit) as caught:
        main([str(a) for a in arguments])
    out, err = capsys.readouterr()
    *before, last = err.splitlines()
    assert caught.value.code == code and out == "" and not any("错误" in line for line in before)
    return last


def shell(*arguments, before="pass", **environment):
    """真的另起一个进程；before 是导入命令行之前先做的事。"""
    code = f"import sys; {before}; from textseq.cli import main; main(sys.argv[1:])"
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], timeout=120,
                          env=os.environ | {"OMP_NUM_THREADS": "1"} | environment, capture_output=True)


def test_from_text_to_neighbours(tmp_path, capsys):
    text, vec = write_corpus(tmp_path / "own.txt"), tmp_path / "own.vec"
    main(["vectors", str(text), "-o", str(vec), "--vector-size", "10", "--epochs", "10"])
    assert "24,000 个词次，60 个词" in capsys.readouterr().err
    assert purity(vec) == 1
    main(["similar", str(vec), "甲3", "-n", "4"])
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    assert len(rows) == 4 and all(w[0] == "甲" and 0.5 < float(c) <= 1 for w, c in rows)


@pytest.mark.parametrize("model", ["skipgram", "cbow"])
def test_unsegmented_text_is_cut_by_jieba(tmp_path, capsys, model):
    text, vec = tmp_path / "own.txt", tmp_path / "own.vec"
    text.write_text("我们在北京学习自然语言处理。\n今天天气很好，大家都来学习。\n" * 5, encoding="utf-8")
    main(["vectors", str(text), "-o", str(vec), "--algorithm", model, "--epochs", "1"])
    assert "没有切词，用 jieba 切" in capsys.readouterr().err
    assert {"北京", "自然语言", "大家"} <= set(WordVectors.load(vec).words)


@pytest.mark.parametrize(("arguments", "message"), [
    (["vectors", "没有.txt", "-o", "a.vec"], "找不到文件"),
    (["vectors", "own.txt", "-o", "没有/a.vec"], "没有文件夹"),
    (["vectors", "empty.txt", "-o", "a.vec"], "都是空的"),
    (["vectors", "own.txt", "-o", "a.vec", "--min-count", "99999"], "没有一个词出现过 99999 次"),
    (["vectors", "own.txt", "-o", "a.vec", "--window", "0"], "window 应为不小于 1 的整数"),
    (["similar", "own.txt", "甲"], "own.txt 第 1 行"),
    (["similar", "good.vec", "没有这个词"], "没有这个词"),
])
def test_mistakes_get_one_line_and_leave_no_file(tmp_path, monkeypatch, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    write_corpus(tmp_path / "own.txt", 30)
    (tmp_path / "empty.txt").write_text("\n\n", encoding="utf-8")
    WordVectors(["甲", "乙"], np.eye(2)).save("good.vec")
    assert fails(capsys, arguments, 1).startswith("错误：")
    assert re.search(message, fails(capsys, arguments, 1))
    assert not list(tmp_path.glob("*a.vec"))


@pytest.mark.parametrize("processes", [2, *(pytest.param(n, marks=pytest.mark.full) for n in (4, 8))])
def test_processes_under_torchrun_are_as_good_as_one(tmp_path, processes):
    """学习率乘上进程数，步子的上限不变，所以几个进程都不发散。"""
    text = write_corpus(tmp_path / "own.txt", sentences=6000)
    common = ["vectors", str(text), "--vector-size", "10", "--epochs", "3", "--segmented", "yes"]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, "-m", "torch.distributed.run", f"--nproc-per-node={processes}",
                    "--standalone", "-m", "textseq", *common, "-o", str(tmp_path / "many.vec")],
                   check=True, env=environment, capture_output=True, timeout=300)
    main([*common, "-o", str(tmp_path / "one.vec")])
    assert purity(tmp_path / "many.vec") > 0.99 and purity(tmp_path / "one.vec") > 0.99
    assert (tmp_path / "many.vec").read_bytes() != (tmp_path / "one.vec").read_bytes()


# 读者的文件：不盖掉，也不混

@pytest.mark.posix
@pytest.mark.parametrize("option", ["-o", "--checkpoint"])
def test_the_corpus_is_never_overwritten(tmp_path, monkeypatch, capsys, option):
    monkeypatch.chdir(tmp_path)
    text = write_corpus(tmp_path / "own.txt", 30)
    before = text.read_bytes()
    os.symlink("own.txt", "link.txt")
    os.link("own.txt", "same.txt")
    for target in ("own.txt", "./own.txt", "link.txt", "same.txt"):
        rest = [] if option == "-o" else ["-o", "a.vec"]
        assert "就是要读的 own.txt" in fails(capsys, ["vectors", "own.txt", option, target, *rest], 1)
    assert text.read_bytes() == before and not list(tmp_path.glob("a.vec"))


def test_only_a_file_of_the_same_kind_is_replaced(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    write_corpus(tmp_path / "own.txt", 60)
    command = ["vectors", "own.txt", "--vector-size", "4", "--epochs", "1", "--min-count", "1", "-o"]
    for content in ("# 我的笔记\n", "标题\t0\n", "PK\x03\x04"):
        (tmp_path / "note.md").write_text(content, encoding="utf-8")
        assert "已经在了，而且是别的文件" in fails(capsys, [*command, "note.md"], 1)
        assert (tmp_path / "note.md").read_text(encoding="utf-8") == content
    (tmp_path / "empty").touch()
    WordVectors(["甲"], np.eye(1)).save("old.vec")
    for name in ("empty", "old.vec"):
        main([*command, name])
        assert len(WordVectors.load(name)) == 60


def test_where_nothing_can_be_written_is_found_before_training(tmp_path, monkeypatch, capsys):
    text = write_corpus(tmp_path / "own.txt", 60)
    monkeypatch.setattr(word2vec_train, "train", lambda *_: pytest.fail("已经开始训练了"))

    def refuse(self, **_):
        raise OSError(errno.EROFS, "Read-only file system", str(self))

    monkeypatch.setattr("pathlib.Path.touch", refuse)
    err = fails(capsys, ["vectors", text, "-o", tmp_path / "a.vec"], 1)
    assert "那里是只读的；请检查路径、权限" in err and "Read-only" not in err


def test_a_full_disk_keeps_the_old_vectors(tmp_path, monkeypatch, capsys):
    """训练完了，存到一半磁盘满了：一句中文，旧文件还在，没有半个文件。"""
    text, vec = write_corpus(tmp_path / "own.txt", 60), tmp_path / "a.vec"
    WordVectors(["旧"], np.eye(1)).save(vec)
    before = vec.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(errno.ENOSPC, "No space left")))
    err = fails(capsys, ["vectors", text, "-o", vec, "--epochs", "1", "--vector-size", "4"], 1)
    assert "磁盘满了" in err and "No space" not in err and vec.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.vec", "own.txt"]


@pytest.mark.linux
def test_a_mapped_file_that_cannot_be_deleted_does_not_lose_the_vectors(tmp_path):
    """Windows 上，还映射在内存里的文件删不掉。这里照样拒绝，向量仍然要存下。"""
    text, vec = write_corpus(tmp_path / "own.txt", 60), tmp_path / "own.vec"
    refuse = """
import os
def mapped(path):
    return any(line.rstrip().endswith(os.path.realpath(path)) for line in open("/proc/self/maps"))
def guard(real):
    def unlink(path, *a, dir_fd=None, **k):
        full = path if dir_fd is None else os.path.join(os.readlink(f"/proc/self/fd/{dir_fd}"), path)
        if mapped(full):
            raise PermissionError(13, "WinError 32", full)
        return real(path, *a, **k) if dir_fd is None else real(path, *a, dir_fd=dir_fd, **k)
    return unlink
os.unlink = os.remove = guard(os.unlink)
"""
    done = shell("vectors", text, "-o", vec, "--vector-size", 4, "--epochs", 1, "--min-count", 1,
                 before=f"exec({refuse!r})", TMPDIR=str(tmp_path))
    assert done.returncode == 0, done.stderr.decode()
    assert len(WordVectors.load(vec)) == 60
    assert sorted(p.name for p in tmp_path.iterdir()) == ["own.txt", "own.vec"]  # 也没有留下临时文件夹


# 替读者作的判断要说出来；什么也没有训练，不能装作训练了

@pytest.mark.parametrize(("lines", "said"), [
    ("我们在北京学习自然语言处理\n", "没有切词，用 jieba 切"), ("我们 在 北京 学习\n", "当作已经切好词"),
    ("使用 Docker 部署 Nginx 反向代理的详细步骤\n", "没有切词"), ("床前明月光\n疑是地上霜\n", "没有切词"),
])
def test_the_decision_about_segmentation_is_said(tmp_path, capsys, lines, said):
    text = tmp_path / "own.txt"
    text.write_text(lines * 40, encoding="utf-8")
    main(["vectors", str(text), "-o", str(tmp_path / "a.vec"), "--epochs", "1", "--sample", "0"])
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(("content", "options", "message"), [
    ("香蕉\n最近\n涨价\n价格\n" * 20, [], "几乎每行只有一个词"),
    ("香蕉\n最近\n涨价\n价格\n" * 20, ["--segmented", "yes"], "没有一对邻居.*一行一句"),
    ("甲 乙 甲 乙\n" * 3, ["--segmented", "yes"], "一步也没有训练.*sample=0"),
])
def test_nothing_trained_is_an_error(tmp_path, monkeypatch, capsys, content, options, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.txt").write_text(content, encoding="utf-8")
    with pytest.raises(SystemExit):
        main(["vectors", "own.txt", "-o", "a.vec", "--min-count", "1", *options])
    assert re.search(f"错误：.*{message}", capsys.readouterr().err) and not (tmp_path / "a.vec").exists()


@pytest.mark.parametrize(("encoding", "said"), [("gbk", "认作 GBK"), ("big5", "认作 Big5")])
def test_the_encoding_is_recognised_and_said(tmp_path, capsys, encoding, said):
    text, vec = tmp_path / "own.txt", tmp_path / "own.vec"
    text.write_bytes("今天 我們 在 台北 學習 大家 都 好\n".replace("們", "们" if encoding == "gbk" else "們")
                     .encode(encoding, errors="ignore") * 30)
    main(["vectors", str(text), "-o", str(vec), "--epochs", "1", "--vector-size", "4"])
    assert said in capsys.readouterr().err and {"今天", "台北"} <= set(WordVectors.load(vec).words)


# 停下、缺东西、写错：一句中文，退出码各不相同

# 后台里（make test &）起的进程不理 Ctrl-C，子进程也跟着不理；这里要它理
LISTEN = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler);"


@pytest.mark.posix
def test_ctrl_c_says_how_to_go_on(tmp_path):
    """两个工人正在训练时按 Ctrl-C：退出码 130，一句话，没有调用栈，没有留下进程。"""
    text, checkpoint = write_corpus(tmp_path / "own.txt"), tmp_path / "c.npz"
    code = (LISTEN + "import sys; from textseq import cli, word2vec_train as w; w.PART = 2_000;"
            "w.train.__defaults__ = (None, None, 0); cli.main(sys.argv[1:])")  # 每一程都存检查点
    command = [sys.executable, "-c", code, "vectors", str(text), "-o", str(tmp_path / "a.vec"),
               "--segmented", "yes", "--epochs", "5000", "--workers", "2", "--vector-size", "8",
               "--checkpoint", str(checkpoint)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, encoding="utf-8",
                          start_new_session=True) as process:
        assert "个词次" in process.stderr.readline()
        while not checkpoint.exists():  # 第一轮训练完，存下检查点
            assert process.poll() is None
            time.sleep(0.02)
        os.killpg(process.pid, signal.SIGINT)
        err = process.communicate(timeout=60)[1]
    assert process.returncode == 130 and "已停止；" in err and "Traceback" not in err
    assert "同样的命令接着训练" in err
    with pytest.raises(ProcessLookupError):  # 这一组进程都没有了；刚结束的，系统收走要一会儿
        for _ in range(200):
            os.killpg(process.pid, 0)
            time.sleep(0.02)


@pytest.mark.linux
def test_ctrl_c_while_the_workers_start_is_not_lost(tmp_path):
    """fork 的钩子里抛出的 KeyboardInterrupt 会被 Python 吞掉；这里就在钩子里按一次 Ctrl-C。"""
    text = write_corpus(tmp_path / "own.txt")
    code = (LISTEN + "import os, sys, threading; from textseq import cli, word2vec_train as w;"
            "w.PART = 2_000;"  # 下面这个线程会替主线程收信号
            "threading.Thread(target=threading.Event().wait, daemon=True).start();"
            "once = [1]; press = lambda: once and [os.kill(os.getpid(), once.pop() * signal.SIGINT),"
            "*range(10**6)]; os.register_at_fork(after_in_parent=press);"
            "cli.main(sys.argv[1:])")
    command = [sys.executable, "-c", code, "vectors", str(text), "-o", str(tmp_path / "a.vec"),
               "--segmented", "yes", "--epochs", "5000", "--workers", "2", "--vector-size", "8"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=60)
    assert done.returncode == 130 and "已停止" in done.stderr and "Traceback" not in done.stderr


def test_a_missing_package_is_named(tmp_path):
    text = write_corpus(tmp_path / "own.txt", 30)
    done = shell("vectors", text, "-o", tmp_path / "a.vec", before="sys.modules['torch'] = None")
    err = done.stderr.decode()
    assert done.returncode == 1 and err.startswith("错误：没有安装 torch") and err.count("\n") == 1
    assert ".[lab]" in err


def test_output_that_the_terminal_cannot_show_does_not_stop_it(tmp_path):
    matrix = np.array([[1, .1], [1, .12], [1, .3], [1, .5]])
    WordVectors(["开心", "高兴", "😂", "快乐"], matrix).save(tmp_path / "e.vec")
    done = shell("similar", tmp_path / "e.vec", "开心", PYTHONIOENCODING="gbk")
    lines = done.stdout.decode("gbk").splitlines()
    assert done.returncode == 0 and [line.split("\t")[0] for line in lines] == ["高兴", r"\U0001f602", "快乐"]


def test_a_binary_file_of_vectors_is_recognised(tmp_path, capsys):
    WordVectors(["甲", "乙", "丙"], np.eye(3) + 0.1).save(tmp_path / "a.bin", binary=True)
    main(["similar", str(tmp_path / "a.bin"), "甲", "-n", "1", "--limit", "2"])
    assert capsys.readouterr().out.startswith("乙\t")


@pytest.mark.linux
def test_a_dead_worker_is_one_sentence(tmp_path, monkeypatch, capsys):
    """一个工人被系统杀掉（例如内存不够）：退出码 1，一句话，说怎么办，不存半成品。"""
    text = write_corpus(tmp_path / "own.txt", 15_000)
    parent = os.getpid()

    def die(*_):
        if os.getpid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(word2vec_train, "make_batches", die)
    command = ["vectors", text, "-o", tmp_path / "a.vec", "--workers", "2", "--segmented", "yes"]
    err = fails(capsys, command, 1)
    assert "训练的一个工人中途退出了" in err and "workers" in err and not (tmp_path / "a.vec").exists()


def test_a_worker_of_a_cluster_without_torchrun_is_one_process(tmp_path, monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "1")
    text = write_corpus(tmp_path / "own.txt", 60)
    main(["vectors", str(text), "-o", str(tmp_path / "a.vec"), "--epochs", "1", "--vector-size", "4"])
    assert (tmp_path / "a.vec").exists()


@pytest.mark.parametrize(("arguments", "message"), [
    (["--device", "cuda"], "device='cuda' 在这台机器上用不了"), (["--device", "gpu"], "收到 'gpu'"),
    (["--epochs", "0"], "epochs 应为不小于 1"), (["--min-count", "-3"], "min_count 应为不小于 1"),
])
def test_settings_are_checked_before_the_corpus_is_read(tmp_path, monkeypatch, capsys, arguments, message):
    if arguments[-1] == "cuda" and torch.cuda.is_available():
        pytest.skip("这台机器有 CUDA")
    text = write_corpus(tmp_path / "own.txt", 30)
    monkeypatch.setattr("textseq.corpora.lines", lambda *_: pytest.fail("已经在读语料了"))
    assert message in fails(capsys, ["vectors", text, "-o", tmp_path / "a.vec", *arguments], 1)


@pytest.mark.parametrize(("arguments", "message"), [
    ([], "还缺：命令"), (["vectors"], "还缺：文本"), (["vectors", "a", "-o"], "--output 后面要写一个值"),
    (["vectors", "a", "-o", "b", "--window", "x"], "--window 应为整数"),
    (["train", "a", "--cell", "foo"], "--cell 应为 .*lstm.* 之一"),
    (["similar", "a", "b", "--zzz"], "不认识：--zzz"),
    (["predict", "-5℃！北京今晨最冷"], "以 - 开头的标题写在 -- 之后"),
])
def test_a_wrong_command_is_answered_in_chinese_with_code_2(capsys, arguments, message):
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    err = capsys.readouterr().err
    assert caught.value.code == 2 and err.startswith("用法：") and re.search(message, err)


def test_the_advice_when_memory_runs_out_names_options_that_exist():
    advice = re.findall(r"(\w+) (?:还可以)?减小 (--[\w-]+)", explain(MemoryError()), re.A)
    commands = build_parser()._subparsers._group_actions[0].choices
    assert [name for name, _ in advice] == ["vectors", "train"]
    assert all(option in commands[name]._option_string_actions for name, option in advice)


def test_every_option_is_explained_and_shows_its_default(capsys):
    for command in ([], ["vectors"], ["similar"], ["train"], ["predict"], ["evaluate"]):
        with pytest.raises(SystemExit) as caught:
            main([*command, "--help"])
        text = capsys.readouterr().out
        assert caught.value.code == 0 and not re.search("usage|optional|positional|show this|default", text)
        if command:
            parser = build_parser()._subparsers._group_actions[0].choices[command[0]]
            shown = parser._get_formatter()._get_help_string
            assert all(action.help for action in parser._actions)
            assert all("默认" in shown(a) for a in parser._actions
                       if a.option_strings and a.default not in (None, "==SUPPRESS=="))
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out == f"textseq {__version__}\n"


def test_progress_after_a_resume_counts_only_this_run(capsys, monkeypatch):
    clock = iter([100.0, 101.0, 110.0, 120.0])
    monkeypatch.setattr("time.monotonic", lambda: next(clock))
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    show = _progress_bar()
    for words in (9_100_000, 9_500_000, 10_000_000):
        show(Progress(words, 10_000_000, 1.5, begun=9_000_000))
    lines = capsys.readouterr().err.split("\r")[1:]
    assert [re.search(r"([\d,]+) 千词", line)[1] for line in lines] == ["100", "50", "50"]
    assert [re.search(r"还要 (.*?)  ", line) and re.search(r"还要 (.*?)  ", line)[1] for line in lines] == [
        "9 秒", "10 秒", None]
    assert all("\x1b[K" in line for line in lines)
