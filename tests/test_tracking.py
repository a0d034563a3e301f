"""训练的记录：写下什么，读回什么；断了、炸了、被杀，也读得到该有的。"""

import builtins
import doctest
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from google.protobuf import text_format
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig
from tensorboard.util.tensor_util import make_ndarray
from tensorboardX import SummaryWriter
from test_classifier import DEV, TRAIN, toy_model

from textseq import tracking
from textseq.classifier_fit import Report, fit
from textseq.tracking import Tracker, read_runs


def parameters(**values):
    """一个假的模型，只有名字与数值；梯度等于数值的一半。"""
    tensors = {name: torch.tensor(v) for name, v in values.items()}
    for tensor in tensors.values():
        tensor.grad = tensor / 2
    return SimpleNamespace(named_parameters=lambda: tensors.items())


def report(epoch, value=0.1):
    return Report(epoch, value, value / 3, value / 7, value * 9, 0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """一次真的训练：两轮，再 summarize。"""
    folder = tmp_path_factory.mktemp("记录") / "第 一 次"
    model = toy_model(cell="rnn", bigrams=False)
    with Tracker(folder) as tracker:
        reports = fit(model, TRAIN, DEV, epochs=2, on_epoch=tracker)
        tracker.summarize(model, DEV, {"lr": 2e-3, "cell": "rnn"}, reports, units=6)
    return SimpleNamespace(path=folder, model=model, reports=reports)


def test_scalars_come_back_as_the_float32_that_was_written(folder):
    scalars = read_runs(folder.path.parent)["第 一 次"].scalars
    for tag, field in (("损失/train", "train_loss"), ("损失/dev", "dev_loss"),
                       ("准确率/dev", "dev_accuracy"), ("梯度/长度", "grad_norm")):
        assert scalars[tag].steps.tolist() == [1, 2]
        wanted = [getattr(r, field) for r in folder.reports]
        assert np.array_equal(scalars[tag].values, np.float32(wanted))


def test_every_weight_and_gradient_has_a_histogram_each_epoch(folder):
    histograms = read_runs(folder.path)["."].histograms
    names = {name for name, _ in folder.model.named_parameters()}
    assert set(histograms) == {f"{kind}/{name}" for kind in ("权重", "梯度") for name in names}
    sizes = {name: p.numel() for name, p in folder.model.named_parameters()}
    for tag, found in histograms.items():
        assert [h.step for h in found] == [1, 2]
        assert all(h.counts.sum() == sizes[tag.split("/")[1]] for h in found)


@pytest.mark.parametrize("values", [
    np.random.default_rng(0).normal(size=500), np.r_[np.zeros(50), 1.0], [3.0], np.zeros(9), [-2.0, 5.0],
], ids=["正态", "一个在外", "一个数", "全是 0", "两个数"])
def test_histograms_are_numpys(tmp_path, values):
    with Tracker(tmp_path) as tracker:
        tracker(parameters(w=np.array(values)), report(1))
    run = read_runs(tmp_path)["."]
    for tag, scale in (("权重/w", 1), ("梯度/w", 0.5)):
        (h,) = run.histograms[tag]
        values_here = scale * np.array(values)
        assert len(h.edges) == len(h.counts) + 1 and np.all(np.diff(h.edges) >= 0)
        assert h.edges[0] == values_here.min() and h.edges[-1] == values_here.max()
        counts, edges = np.histogram(values_here, bins=64)
        assert h.counts[h.counts > 0].tolist() == counts[counts > 0].tolist()
        inside = h.edges[1:-1]
        assert np.allclose(inside, edges[np.abs(edges[:, None] - inside).argmin(axis=0)])


def test_one_training_is_one_run_and_chinese_labels_stay_chinese(folder):
    assert list(read_runs(folder.path)) == ["."]
    (metadata,) = folder.path.rglob("metadata.tsv")
    labels = metadata.read_text(encoding="utf-8").splitlines()
    assert labels == folder.model.vocab.words[2:8]
    assert any("\u4e00" <= label <= "\u9fff" for label in labels)
    (vectors,) = folder.path.rglob("tensors.tsv")
    assert np.allclose(np.loadtxt(vectors), folder.model.embedding.weight.detach()[2:8], atol=1e-6)


def test_the_other_pages_have_their_records(folder):
    events = EventAccumulator(str(folder.path)).Reload()
    plugins = {plugin: set(events.PluginTagToContent(plugin)) for plugin in ("pr_curves", "text", "hparams")}
    assert plugins["pr_curves"] == {f"PR/{name}" for name in folder.model.classes}
    assert plugins["text"] == {"设计/text_summary"}
    assert len(plugins["hparams"]) == 3 and events.Graph().node
    best = min(folder.reports, key=lambda r: r.dev_loss)
    assert np.float32(events.Scalars("最好/损失")[0].value) == np.float32(best.dev_loss)


def test_pr_curves_count_what_the_model_says(folder):
    """每张表 6 行 127 列：真正、假正、真负、假负、精确率、召回率；第 i 列的门槛是 i / 126。"""
    events = EventAccumulator(str(folder.path)).Reload()
    titles, labels = map(np.array, zip(*DEV, strict=True))
    p = np.floor(folder.model.probabilities(titles) * 126)
    for k, name in enumerate(folder.model.classes):
        table = make_ndarray(events.Tensors(f"PR/{name}")[0].tensor_proto)
        for i in range(127):
            said, true = p[:, k] >= i, labels == k
            assert table[:4, i].tolist() == [(said & true).sum(), (said & ~true).sum(),
                                             (~said & ~true).sum(), (~said & true).sum()]


def test_nothing_is_pickled(folder):
    """事件文件一条一条都合格式，其余都是 UTF-8 的文本。"""
    for path in folder.path.rglob("*"):
        if "tfevents" in path.name:
            assert sum(1 for _ in records(path.read_bytes())) > 10
        elif path.is_file():
            assert path.suffix in (".tsv", ".pbtxt") and path.read_text(encoding="utf-8")


def records(data):
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at:at + 8], "little")
        assert data[at + 12] == 0x09  # protobuf：第 1 号字段，8 字节的时刻；pickle 以 0x80 开头
        yield at, at + 16 + length
        at += 16 + length
    assert at == len(data)


def test_an_exploded_run_is_recorded_and_read(tmp_path):
    with Tracker(tmp_path) as tracker:
        tracker(parameters(w=[np.nan, np.inf], u=[1.0, np.nan]), report(1, np.nan))
        tracker(parameters(w=[np.nan, np.nan], u=[np.nan, np.nan]), report(2, np.inf))
    run = read_runs(tmp_path)["."]
    assert np.isnan(run.scalars["损失/train"].values[0]) and np.isinf(run.scalars["损失/train"].values[1])
    assert set(run.histograms) == {"权重/u", "梯度/u"}
    assert run.histograms["权重/u"][0].counts.sum() == 1


def test_missing_folder_says_what_to_do(tmp_path):
    for path in (tmp_path, tmp_path / "没有"):
        with pytest.raises(FileNotFoundError, match="先用 Tracker 记录一次训练"):
            read_runs(path)


@pytest.fixture(scope="module")
def twenty(tmp_path_factory):
    """二十轮、每轮一个数的事件文件：内容，和每条的起止。"""
    folder = tmp_path_factory.mktemp("二十")
    with SummaryWriter(str(folder)) as writer:
        for epoch in range(20):
            writer.add_scalar("损失/dev", 1 / (epoch + 1), epoch)
    (path,) = folder.iterdir()
    data = path.read_bytes()
    return path.name, data, list(records(data))


@pytest.mark.parametrize("cut", [0, 1, 8, 11, 12, 13, -4, -1], ids=lambda c: f"多 {c} 字节")
def test_a_truncated_file_is_read_up_to_the_break(tmp_path, twenty, cut):
    name, data, spans = twenty
    end = spans[7][1] + cut  # 第 0 条是版本，第 1 到 7 条是七个数
    (tmp_path / name).write_bytes(data[:end])
    values = read_runs(tmp_path)["."].scalars["损失/dev"].values
    whole = 7 if cut >= 0 else 6
    assert np.array_equal(values, np.float32(1) / np.arange(1, whole + 1, dtype=np.float32))


@pytest.mark.parametrize("bit", range(0, 8, 3))
def test_a_flipped_bit_stops_the_reading_there(tmp_path, twenty, bit):
    name, data, spans = twenty
    at = spans[8][0] + 20
    (tmp_path / name).write_bytes(data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1:])
    assert len(read_runs(tmp_path)["."].scalars["损失/dev"].values) == 7


def test_an_empty_file_is_a_run_without_curves(tmp_path):
    (tmp_path / "events.out.tfevents.1.x").write_bytes(b"")
    assert read_runs(tmp_path)["."] == ({}, {})


def test_a_killed_program_leaves_its_epochs(tmp_path):
    """没有 close 就被杀（这里是 os._exit，什么都不收拾）：一秒以前的都在。"""
    program = ("import os, sys, time; from types import SimpleNamespace as S\n"
               "from textseq.tracking import Tracker\n"
               "tracker, model = Tracker(sys.argv[1]), S(named_parameters=lambda: [])\n"
               "for k in (1, 2, 3):\n"
               "    tracker(model, S(epoch=k, train_loss=k, dev_loss=k, dev_accuracy=k, grad_norm=k))\n"
               "    time.sleep(0.2)\n"
               "time.sleep(2)\n"
               "os._exit(9)\n")
    assert subprocess.run([sys.executable, "-c", program, str(tmp_path)]).returncode == 9
    assert read_runs(tmp_path)["."].scalars["损失/dev"].values.tolist() == [1, 2, 3]


def test_tags_are_written_as_they_are(tmp_path):
    """tensorboardX 会把标签里的空格、标点换成下划线；课程的标签都不用它们。"""
    with Tracker(tmp_path) as tracker:
        tracker(parameters(**{"recurrent.weight_hh_l0": [1.0]}), report(1))
        tracker.writer.add_scalar("损失（奈特）", 1.0, 1)
    run = read_runs(tmp_path)["."]
    assert set(run.scalars) == {"损失/train", "损失/dev", "准确率/dev", "梯度/长度", "损失_奈特_"}
    assert set(run.histograms) == {"权重/recurrent.weight_hh_l0", "梯度/recurrent.weight_hh_l0"}


def gbk_by_default(file, mode="r", buffering=-1, encoding=None, *rest, **named):
    """中文 Windows 的 open：没有写明编码的文本，用 GBK。"""
    if "b" not in mode:
        encoding = encoding or "gbk"
    return builtins.open(file, mode, buffering, encoding, *rest, **named)


@pytest.mark.parametrize("system", ["utf-8", "gbk"])
def test_the_projector_files_are_utf8_whatever_the_system(tmp_path, monkeypatch, system):
    if system == "gbk":
        monkeypatch.setattr("tensorboardX.embedding.open", gbk_by_default, raising=False)
    model = toy_model(cell="none", pooling="mean")
    with Tracker(tmp_path / "第一次") as tracker:
        reports = fit(model, TRAIN, DEV, epochs=1, on_epoch=tracker)
        tracker.summarize(model, DEV, {"lr": 2e-3}, reports, units=6)
    (path,) = tmp_path.rglob("projector_config.pbtxt")
    (found,) = text_format.Parse(path.read_bytes().decode("utf-8"), ProjectorConfig()).embeddings
    assert found.tensor_name == "embedding:00000"
    assert np.loadtxt(path.parent / found.tensor_path).shape == (6, 8)
    labels = (path.parent / found.metadata_path).read_bytes().decode("utf-8")
    assert labels.splitlines() == model.vocab.words[2:8]


def losses(folder, run="."):
    return read_runs(folder)[run].scalars["损失/dev"]


def record(folder, epochs, value, **how):
    with Tracker(folder, **how) as tracker:
        for epoch in epochs:
            tracker(parameters(w=[1.0]), report(epoch, value))


def test_a_used_folder_is_refused_and_left_alone(tmp_path):
    record(tmp_path / "甲", (1, 2, 3), 0.3)
    before = {path: path.read_bytes() for path in (tmp_path / "甲").iterdir()}
    with pytest.raises(FileExistsError, match="甲 里已有一次训练的记录（1 个事件文件）") as error:
        Tracker(tmp_path / "甲")
    assert "请换一个文件夹名，或先删去旧记录" in str(error.value)
    assert {path: path.read_bytes() for path in (tmp_path / "甲").iterdir()} == before
    record(tmp_path, (1, 2), 0.6)  # 记录在子文件夹里，不碍事
    assert losses(tmp_path).steps.tolist() == [1, 2]


def test_two_trackers_at_once_do_not_empty_each_other(tmp_path):
    """都在空文件夹上打开，先写的算数；同一秒里接着写，文件名也不同。"""
    first, second = Tracker(tmp_path), Tracker(tmp_path)
    first(parameters(w=[1.0]), report(1, 0.7))
    with pytest.raises(FileExistsError, match="已有一次训练的记录"):
        second(parameters(w=[1.0]), report(1, 0.9))
    first.close()
    for epoch in (2, 3):
        record(tmp_path, (epoch,), 0.7, resume=True)
    assert len(list(tmp_path.glob("*tfevents*"))) == 3
    assert losses(tmp_path).steps.tolist() == [1, 2, 3]
    assert np.allclose(losses(tmp_path).values, 0.7 / 3)


def test_writing_after_close_keeps_what_was_there(tmp_path):
    tracker = Tracker(tmp_path)
    for epoch in (1, 2, 3):
        tracker(parameters(w=[1.0]), report(epoch, 0.7))
        tracker.close()
    assert losses(tmp_path).steps.tolist() == [1, 2, 3]


def test_a_training_that_never_started_leaves_the_folder_free(tmp_path):
    with pytest.raises(ValueError, match="lr"), Tracker(tmp_path) as tracker:
        fit(toy_model(), TRAIN, DEV, lr=-1, on_epoch=tracker)
    record(tmp_path, (1,), 0.7)
    assert losses(tmp_path).steps.tolist() == [1]


def test_a_resumed_training_continues_its_record(tmp_path):
    """跑完三轮，和两轮之后断了再接：记录里每一个数都相同。"""
    def go(folder, checkpoint, resume=False, stop_after=9):
        def stop(model, r):
            tracker(model, r)
            if r.epoch == stop_after:
                raise KeyboardInterrupt
        with Tracker(folder, resume=resume) as tracker:
            fit(toy_model(), TRAIN, DEV, epochs=3, patience=9, checkpoint=checkpoint, on_epoch=stop)

    go(tmp_path / "不断", tmp_path / "甲.npz")
    with pytest.raises(KeyboardInterrupt):
        go(tmp_path / "断过", tmp_path / "乙.npz", stop_after=2)
    go(tmp_path / "断过", tmp_path / "乙.npz", resume=True)
    assert losses(tmp_path, "断过").steps.tolist() == [1, 2, 3]
    runs = read_runs(tmp_path)
    for tag, curve in runs["不断"].scalars.items():
        assert np.array_equal(curve.values, runs["断过"].scalars[tag].values)


@pytest.mark.parametrize("steps, kept", [
    ([1, 2, 3, 4, 5, 1, 2, 3], [5, 6, 7]), ([1, 2, 3, 4, 3, 4, 5], [0, 1, 4, 5, 6]), ([1, 1], [1]),
], ids=["又训练一次，短些", "从第 3 步接着来", "只有一步"])
def test_steps_that_restart_are_no_zigzag(tmp_path, steps, kept):
    """别的工具写的：第 k 个数就是 k，所以留下的是哪几个看得出来。"""
    with SummaryWriter(str(tmp_path)) as writer:
        for k, step in enumerate(steps):
            writer.add_scalar("损失/dev", k, step)
            writer.add_histogram("权重/w", np.full(3, k + 0.5), step)
    with pytest.warns(UserWarning, match="步数重复或退回过.*只取后来的"):
        run = read_runs(tmp_path)["."]
    assert run.scalars["损失/dev"].values.tolist() == kept
    assert run.scalars["损失/dev"].steps.tolist() == [steps[k] for k in kept]
    assert [(h.step, h.edges[0]) for h in run.histograms["权重/w"]] == [(steps[k], k + 0.5) for k in kept]


def test_a_single_training_reads_without_a_warning(folder, recwarn):
    read_runs(folder.path)
    assert not [w for w in recwarn if issubclass(w.category, UserWarning)]


def test_the_examples_in_the_docstrings():
    result = doctest.testmod(tracking)
    assert result.attempted > 5 and result.failed == 0


CHAPTER = Path(__file__).parents[1] / "notebooks" / "09_tensorboardx.ipynb"


@pytest.fixture
def chapter(tmp_path, monkeypatch):
    """第 09 章“四份记录”以前的代码格（画图的不要），和一个放它的文件夹，旁边有 data/。"""
    shutil.copytree(CHAPTER.parents[1] / "data" / "headlines", tmp_path / "data" / "headlines")
    (tmp_path / "notebooks").mkdir()
    monkeypatch.chdir(tmp_path / "notebooks")
    cells = json.loads(CHAPTER.read_text(encoding="utf-8"))["cells"]
    end = next(k for k, c in enumerate(cells) if "".join(c["source"]).startswith("## 四份记录"))
    sources = ["".join(c["source"]) for c in cells[:end] if c["cell_type"] == "code"]
    return [s for s in sources if "plt.show()" not in s], {}


def run(source, namespace):
    exec(source, namespace)  # noqa: S102  课程自己的代码


def test_every_writing_cell_of_the_chapter_runs_again(chapter, monkeypatch):
    """在中文 Windows 的编码下；写记录的格运行两次，第二次换了学习率。数据与轮数只留一点，为了快；
    结果自然不同，格里对结果的断言不要。"""
    monkeypatch.setattr("tensorboardX.embedding.open", gbk_by_default, raising=False)
    monkeypatch.setattr(SummaryWriter, "add_graph", lambda *_: None)  # 最慢，也不在这里查
    (setup, reading, *rest), namespace = chapter
    for folder in ("logs", "logs_09/我的"):
        record(folder, (1, 2), 0.7)
    Path("logs_09/第09章写的.txt").touch()
    run(setup, namespace)
    run(reading, namespace)
    namespace.update(train=namespace["train"][:60], dev=namespace["dev"][:20])
    for source in rest:
        source = re.sub(r"sleep\([\d.]+\)", "sleep(0.1)", source.replace("epochs=10", "epochs=1"))
        source = re.sub(r"\n *assert .*", "", source)
        run(source, namespace)
        if "new_folder(" in source:
            run(source.replace("(100, 1000, 10_000)", "(50, 500)"), namespace)
    runs = read_runs("logs_09")
    assert sorted(runs) == sorted(["我的", "手写/学习率 50", "手写/学习率 500", "零件/字向量的平均",
                                   "零件/字向量的平均/设定", *(f"诊断/{k}" for k in "甲乙丙丁"),
                                   *(f"消失/{k}" for k in ("RNN", "LSTM", "LSTM 遗忘门偏置 3"))])
    assert len(list(Path("logs_09").rglob("*tfevents*"))) == len(runs)  # 一次训练一个事件文件
    assert len(runs["手写/学习率 50"].scalars["损失/dev"].steps) == 41
    assert losses("logs").steps.tolist() == losses("logs_09", "我的").steps.tolist() == [1, 2]
    for path in Path("logs_09").rglob("projector_config.pbtxt"):
        (found,) = text_format.Parse(path.read_bytes().decode("utf-8"), ProjectorConfig()).embeddings
        assert found.tensor_name == "embedding:00000"


def test_the_chapter_leaves_what_others_wrote(chapter):
    (setup, reading, *_), namespace = chapter
    record("logs_09/手写", (1, 2), 0.7)
    run(setup, namespace)
    run(reading, namespace)
    with pytest.raises(FileExistsError, match="logs_09 不是本章写的，没有动它；请先把它改名"):
        namespace["new_folder"]("手写")
    assert losses("logs_09/手写").steps.tolist() == [1, 2]


def test_the_chapter_started_elsewhere_says_where_to_go(chapter, tmp_path, monkeypatch):
    (setup, reading, *_), namespace = chapter
    monkeypatch.chdir(tmp_path)
    record("logs/我的", (1, 2), 0.7)
    run(setup, namespace)
    with pytest.raises(AssertionError, match="现在的文件夹是 .*；请换到 notebooks/，再从头运行"):
        run(reading, namespace)
    assert losses("logs", "我的").steps.tolist() == [1, 2]
