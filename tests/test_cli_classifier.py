"""命令行的 train 与 predict：从文件夹到类别；错了只说一行，什么也不写；被杀、两个进程都行。"""

import io
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch
from test_classifier import CLASSES, DEV, TRAIN
from test_cli import fails

from textseq import classifier_fit, classifier_start, corpora
from textseq._checkpoint import save_checkpoint
from textseq.classifier import Classifier
from textseq.cli import main
from textseq.evaluation import title_score

QUICK = ["--pretrain", 20]
ENVIRONMENT = os.environ | {"OMP_NUM_THREADS": "1"}
TORCHRUN = ["-m", "torch.distributed.run", "--nproc-per-node=2", "--standalone"]


def rows(titles):
    return "".join(f"{title}\t{label}\n" for title, label in titles)


SMALL = {"train": rows(TRAIN[:60]), "dev": rows(DEV[:20])}


def write_folder(folder, encoding="utf-8", classes=CLASSES, **splits):
    folder.mkdir()
    for name, content in {"class": "\n".join(classes) + "\n", **SMALL, **splits}.items():
        (folder / f"{name}.txt").write_bytes(content.encode(encoding))
    return folder


def shell(*arguments, launcher=()):
    """真的另起一个进程。"""
    return subprocess.run([sys.executable, *launcher, "-m", "textseq", *map(str, arguments)], timeout=180,
                          env=ENVIRONMENT, capture_output=True, text=True, encoding="utf-8")


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """在小文件夹上用命令行训练出的模型。"""
    folder = write_folder(tmp_path_factory.mktemp("train") / "titles", train=rows(TRAIN))
    done = shell("train", folder, "-o", folder / "m.npz", "--epochs", 3, *QUICK)
    assert done.returncode == 0 and done.stdout == "", done.stderr
    start, speed, *lines = done.stderr.splitlines()
    assert "训练词向量，20 轮" in start and "千词/秒" in speed
    assert [line[:5] for line in lines[:3]] == ["第 1 轮", "第 2 轮", "第 3 轮"]
    assert lines[3].startswith("留下第 ") and lines[3].endswith(f"存到 {folder / 'm.npz'}")
    return folder / "m.npz"


def test_from_a_folder_to_classes(model, capsys):
    main(["predict", "雨雪风云", " 射门  进球 ", "--model", str(model)])
    out, err = capsys.readouterr()
    table = [line.split("\t") for line in out.splitlines()]
    assert err == ""
    assert [row[0] for row in table] == ["雨雪风云", "射门 进球"]
    assert [row[1].split()[0] for row in table] == ["天气", "足球"]
    for row in table:
        percents = [float(cell.split()[1].rstrip("%")) for cell in row[1:]]
        assert len(percents) == 3 and percents == sorted(percents, reverse=True)
        assert sum(percents) == pytest.approx(100, abs=0.2)


def test_the_saved_model_is_the_one_fit_returns(model):
    loaded = Classifier.load(model)
    assert loaded.classes == CLASSES and loaded.design.bigrams and loaded.design.cell == "lstm"
    assert sorted(p.name for p in model.parent.iterdir()) == ["class.txt", "dev.txt", "m.npz", "train.txt"]


def test_unknown_and_very_long_titles_have_an_answer(model, capsys):
    main(["predict", "龘龘", "晴" * 5000, "--model", str(model)])
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 2 and err == "“龘龘”里没有一个训练时见过的字词，下面只是猜\n"


@pytest.mark.parametrize("options", [["--unit", "word"], ["--cell", "gru"]])
def test_gbk_one_class_and_options(tmp_path, capsys, options):
    folder = write_folder(tmp_path / "甲", "gbk", ["天气"], train="晴天有雨\t0\n大风大雪\t0\n", dev="风\t0\n")
    main(["train", str(folder), "-o", str(tmp_path / "m.npz"), "--epochs", "1", "--pretrain", "1", *options])
    main(["predict", "大风", "--model", str(tmp_path / "m.npz")])
    assert capsys.readouterr().out == "大风\t天气 100.0%\n"
    assert getattr(Classifier.load(tmp_path / "m.npz").design, options[0][2:]) == options[1]


@pytest.mark.parametrize(("arguments", "message"), [
    (["train", "没有"], "找不到文件 没有.class.txt"),
    (["train", "缺"], "缺/ 里找不到 dev.txt；现有：class.txt、train.txt"),
    (["train", "错行"], "train.txt 第 3 行：应为“标题<TAB>类别编号”"),
    (["train", "错号"], "dev.txt 第 2 行：类别编号应为 0…2 的整数，收到 '7'"),
    (["train", "空train"], "train 里一条标题也没有"),
    (["train", "空dev"], "dev 里一条标题也没有"),
    (["train", "好", "-o", "没有/m.npz"], "没有文件夹 没有；请先建好它，或换一个 -o"),
    (["train", "好", "-o", "好/train.txt"], "就是要读的 .*train.txt"),
    (["train", "好", "--checkpoint", "好/dev.txt"], "就是要读的 .*dev.txt"),
    (["train", "好", "-o", "笔记.md"], "笔记.md 已经在了，而且是别的文件"),
    (["train", "好", "--lr", "-1"], "lr 与 max_norm 应大于 0，收到 lr=-1"),
    (["train", "好", "--seed", "20240101123456789"], "seed 应小于 2 的 50 次方"),
    (["predict", "晴", "--model", "笔记.md"], "笔记.md 不是 textseq 存下的文件"),
    (["evaluate", "好", "--model", "m.npz"], "好/ 里找不到 test.txt"),
    (["evaluate", "别的", "--split", "dev", "--model", "m.npz"], "class.txt 的类别是 猫、狗，模型的是"),
    (["train", "好", "-o", "好"], "好 是文件夹；-o 要的是文件名"),
    (["train", "好", "--checkpoint", "没有/c.npz"], "没有文件夹 没有；.*换一个 --checkpoint"),
    (["train", "好", "-o", "a.npz", "--checkpoint", "./a.npz"], "是同一个文件"),
    (["train", "好", "--checkpoint", "坏.npz"], "坏.npz 不完整，读不出来"),
    (["train", "好", "--checkpoint", "词向量.npz"], "词向量.npz 存的是别的东西"),
    (["train", "好", "--epochs", "0"], "epochs 应为不小于 1 的整数，收到 0"),
    (["train", "好", "--seed", "-1"], "seed 应为不小于 0 的整数，收到 -1"),
    (["predict", "晴"], "找不到模型 model.npz；请先训练"),
    (["predict", "晴", "--model", "坏.npz"], "坏.npz 不完整，读不出来"),
    (["predict", "晴", "--model", "好"], "好 是文件夹"),
    (["predict", "晴", "--model", "词向量.npz"], "词向量.npz 是训练途中的检查点，不是模型"),
    (["predict", "晴", "--model", "缺一块.npz"], "缺一块.npz 不是完整的分类器"),
    (["predict", "晴", "", "--model", "m.npz"], "第 2 条标题是空的"),
    (["predict", " \u3000", "--model", "m.npz"], "第 1 条标题是空的"),
])
def test_mistakes_get_one_line_and_leave_no_file(tmp_path, monkeypatch, model, capsys, arguments, message):
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "好")
    (write_folder(tmp_path / "缺") / "dev.txt").unlink()
    write_folder(tmp_path / "错行", train="晴\t0\n\n没有类别\n")
    write_folder(tmp_path / "错号", dev="晴\t0\n雨\t7\n")
    write_folder(tmp_path / "空train", train="\n")
    write_folder(tmp_path / "空dev", dev="")
    write_folder(tmp_path / "别的", classes=["猫", "狗"])
    (tmp_path / "笔记.md").write_text("# 我的笔记", encoding="utf-8")
    data = model.read_bytes()
    (tmp_path / "m.npz").write_bytes(data)
    (tmp_path / "坏.npz").write_bytes(data[:len(data) // 2])
    save_checkpoint("词向量.npz", {"E": np.eye(3), "C": np.eye(3)}, 1, {"model": "cbow", "alpha": 0.2})
    with np.load(model) as file:
        np.savez("缺一块.npz", **{name: file[name] for name in file.files if not name.startswith("output")})
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    monkeypatch.setattr(classifier_start, "pretrain", lambda *_, **__: pytest.fail("已经在训练词向量了"))
    assert re.match(f"错误：.*{message}", fails(capsys, arguments, 1))
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_mistake_in_a_real_shell():
    done = shell("predict", "晴", "--model", "没有.npz")
    assert done.returncode == 1 and done.stdout == ""
    assert done.stderr.startswith("错误：找不到") and done.stderr.count("\n") == 1


def arrays(path):
    with np.load(path) as file:
        return {name: file[name].tobytes() for name in file.files}


def first_epoch(lines):
    """第一行“第 n 轮”的 n。"""
    return next(int(line.split()[1]) for line in lines if line.startswith("第 "))


@pytest.mark.posix
@pytest.mark.full
def test_killed_and_resumed_from_the_shell(tmp_path, capsys):
    """两次，一报告新的一轮就 kill -9；第三次做完，与没有断过逐位相同。"""
    folder = write_folder(tmp_path / "titles")
    common = ["train", folder, *QUICK, "--epochs", 12, "--checkpoint", tmp_path / "c.npz"]
    main([*map(str, common[:-2]), "-o", str(tmp_path / "whole.npz")])
    capsys.readouterr()
    command = [sys.executable, "-m", "textseq", *map(str, common), "-o", str(tmp_path / "m.npz")]
    epochs = []
    for _ in range(2):
        with subprocess.Popen(command, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True,
                              encoding="utf-8") as process:
            epochs.append(first_epoch(process.stderr))
            process.kill()
        assert process.returncode == -signal.SIGKILL and not (tmp_path / "m.npz").exists()
    main([*map(str, common), "-o", str(tmp_path / "m.npz")])
    err = capsys.readouterr().err
    epochs.append(first_epoch(io.StringIO(err)))
    assert "千词/秒" not in err  # 词向量有自己的检查点，不重新训练
    assert 1 == epochs[0] < epochs[1] < epochs[2]
    assert arrays(tmp_path / "m.npz") == arrays(tmp_path / "whole.npz")
    for change, name in ((["--seed", 2], "seed"), (["--cell", "rnn"], "cell"), (["--epochs", 6], "epochs")):
        message = fails(capsys, [*common, *change, "-o", tmp_path / "m.npz"], 1)
        assert f"c.npz 是用另一套设定存下的：{name} 当时是" in message
    left = {p.name for p in tmp_path.iterdir() if p.name[0] != "."}
    assert left == {"c.npz", "c.vectors.npz", "m.npz", "titles", "whole.npz"}


@pytest.mark.full
def test_the_same_command_under_torchrun(tmp_path):
    folder = write_folder(tmp_path / "titles", train=rows(TRAIN))
    done = shell("train", folder, "-o", tmp_path / "two.npz", "--epochs", 3, *QUICK, launcher=TORCHRUN)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("第 1 轮") == 1 and done.stderr.count("存到") == 1  # 只有 0 号说话
    assert Classifier.load(tmp_path / "two.npz").predict("雨雪风云")[0][0] == "天气"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["titles", "two.npz"]


def test_titles_from_standard_input_or_a_whole_file(model, monkeypatch, capsys):
    """- 从标准输入读，一行一条；一个参数里有好几行，也是好几条；空行不算。"""
    monkeypatch.setattr("sys.stdin", io.StringIO("雨雪风云\n\n射门进球\n"))
    main(["predict", "-", "--model", str(model)])
    by_line = capsys.readouterr().out
    assert [line.split("\t")[0] for line in by_line.splitlines()] == ["雨雪风云", "射门进球"]
    main(["predict", "雨雪风云\n\n射门进球\n", "--model", str(model)])
    assert capsys.readouterr().out == by_line
    main(["predict", "--model", str(model), "--", "-5℃，雨雪"])
    assert capsys.readouterr().out.startswith("-5℃，雨雪\t")


def test_the_score_is_the_librarys(tmp_path, model, capsys):
    folder = write_folder(tmp_path / "titles", dev=rows(DEV))
    main(["evaluate", str(folder), "--split", "dev", "--model", str(model)])
    loss, accuracy = title_score(Classifier.load(model), corpora.headlines(folder, "dev"))
    assert capsys.readouterr().out == f"dev\t{len(DEV)} 条\t准确率 {accuracy:.1%}\t损失 {loss:.3f} 奈特\n"


def test_training_uses_one_thread(tmp_path, monkeypatch):
    """小矩阵上多线程只会互相等，慢好几倍；一个线程，才与没有断过逐位相同。"""
    folder = write_folder(tmp_path / "titles")
    threads, real = [], classifier_fit.fit
    monkeypatch.setattr(classifier_fit, "fit",
                        lambda *a, **k: threads.append(torch.get_num_threads()) or real(*a, **k))
    torch.set_num_threads(4)
    try:
        main(["train", str(folder), "-o", str(tmp_path / "m.npz"), "--epochs", "1", "--pretrain", "0"])
    finally:
        torch.set_num_threads(1)
    assert threads == [1]
