"""训练被打断，或几个进程一起训练：随时 kill -9，接着训练逐位相同；各进程步调一致。"""

import multiprocessing
import os
import signal
import sys
import warnings

import numpy as np
import pytest
import torch
import torch.distributed as dist
from test_classifier import DEV, TRAIN, toy_model
from test_classifier_fit import NOISY, same, weights

from textseq import _files, classifier_fit
from textseq.classifier import Classifier, build_vocab
from textseq.classifier_fit import Report, fit

SETTINGS = {"epochs": 8, "batch_size": 20, "lr": 0.01, "patience": 9}
# 只有 Linux 上用到它；Windows 没有 fork
fork = multiprocessing.get_context("fork" if sys.platform == "linux" else None)


@pytest.mark.parametrize("stop_after", [1, 2])
def test_resuming_gives_the_unbroken_result_bit_for_bit(tmp_path, stop_after):
    settings = {"epochs": 4, "lr": 0.01, "patience": 9}
    whole = toy_model(dropout=0.3, unit_dropout=0.2)
    reports = fit(whole, TRAIN, DEV, **settings)

    def power_cut(model, report):
        if report.epoch == stop_after:
            raise KeyboardInterrupt

    path = tmp_path / "half.npz"
    with pytest.raises(KeyboardInterrupt):
        fit(toy_model(dropout=0.3, unit_dropout=0.2), TRAIN, DEV, checkpoint=path,
            on_epoch=power_cut, **settings)
    resumed = toy_model(dropout=0.3, unit_dropout=0.2)
    again = fit(resumed, TRAIN, DEV, checkpoint=path, **settings)
    assert [r[:5] for r in again] == [r[:5] for r in reports]
    assert all(torch.equal(a, b) for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(),
                                                 strict=True))
    with pytest.raises(ValueError, match="half.npz 是用另一套设定存下的：标题（train 或 dev）换了"):
        fit(toy_model(dropout=0.3, unit_dropout=0.2), TRAIN[1:], DEV, checkpoint=path, **settings)


def test_the_best_epoch_before_the_cut_is_not_forgotten(tmp_path, monkeypatch):
    """第 1 轮最好，第 2 轮之后停电：从第 2 轮的权重接着训练，最后留下的仍是第 1 轮的。"""
    losses = iter([1.0, 2.0, 3.0] * 2)
    monkeypatch.setattr(classifier_fit, "title_score", lambda model, titles: (next(losses), 0.5))
    whole, broken = [], []

    def power_cut(model, report):
        broken.append(weights(model))
        if len(broken) == 2:
            raise KeyboardInterrupt
    settings = {"epochs": 3, "patience": 9}
    fit(toy_model(), TRAIN, DEV, on_epoch=lambda m, r: whole.append(weights(m)), **settings)
    settings |= {"checkpoint": tmp_path / "c.npz", "on_epoch": power_cut}
    with pytest.raises(KeyboardInterrupt):
        fit(toy_model(), TRAIN, DEV, **settings)
    model = toy_model()
    reports = fit(model, TRAIN, DEV, **settings)
    assert all(same(a, b) for a, b in zip(whole, broken, strict=True))
    assert [r.dev_loss for r in reports] == [1, 2, 3] and same(model.state_dict(), whole[0])
    assert all(isinstance(r, Report) and isinstance(r.epoch, int) for r in reports)


@pytest.mark.parametrize(("change", "name"), [
    ({"seed": 2}, "seed"), ({"epochs": 5}, "epochs"), ({"batch_size": 32}, "batch_size"),
    ({"lr": 0.02}, "lr"), ({"max_norm": 2.0}, "max_norm"), ({"dev": DEV[1:]}, "标题"),
    ({"train": TRAIN[::-1]}, "标题"),
])
def test_a_checkpoint_of_another_training_is_refused(tmp_path, change, name):
    settings = {"train": TRAIN, "dev": DEV, "epochs": 1, "checkpoint": tmp_path / "c.npz"}
    fit(toy_model(), **settings)
    with pytest.raises(ValueError, match=f"c.npz 是用另一套设定存下的：{name}(.*换了| 当时.*)；请改回去"):
        fit(toy_model(), **settings | change)


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    settings = {"train": TRAIN, "dev": DEV, "epochs": 1, "checkpoint": tmp_path / "c.npz"}
    first = toy_model()
    table = np.random.default_rng(0).normal(size=first.embedding.weight.shape).astype(np.float32)
    fit(first, **settings)
    smaller = build_vocab([title for title, _ in TRAIN], min_count=3 * len(TRAIN))
    others = {"hidden_size": toy_model(hidden_size=5), "pooling": toy_model(pooling="mean"),
              "dropout": toy_model(dropout=0.1), "unit": toy_model(unit="word"),
              "classes": Classifier(first.vocab, ["晴", "雨", "雪"], first.design),
              "词表": Classifier(smaller, first.classes, first.design),
              "起始词向量": Classifier(first.vocab, first.classes, first.design, vectors=table),
              "freeze": Classifier(first.vocab, first.classes, first.design, freeze=True)}
    for name, model in others.items():
        with pytest.raises(ValueError, match=f"用另一套设定存下的：{name}(换了| 当时是)"):
            fit(model, **settings)


def train_and_save(folder, started=None, dies_in_epoch=0):
    """训练一遍，存下模型；dies_in_epoch 那一轮的检查点写好了还没改名，就 kill -9 自己。"""
    torch.set_num_threads(1)
    replace, writes = os.replace, iter(range(1, 99))

    def dying(source, target):
        if next(writes) == dies_in_epoch:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target)

    _files.os.replace = dying
    model = toy_model(**NOISY)
    fit(model, TRAIN, DEV, checkpoint=folder / "c.npz",
        on_epoch=lambda *_: started and started.set(), **SETTINGS)
    model.save(folder / "model.npz")


def in_a_process(*arguments, wait=None):
    """另起一个进程训练，至多等 wait 秒，还没完就 kill -9；返回退出码。"""
    with warnings.catch_warnings():  # Python 3.12 起，父进程里有别的线程时 fork 会警告
        warnings.simplefilter("ignore", DeprecationWarning)
        process = fork.Process(target=train_and_save, args=arguments)
        process.start()
    if wait is not None:
        arguments[1].wait(60)
        process.join(wait)
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
    process.join(120)
    return process.exitcode


def arrays(path):
    with np.load(path) as file:
        return {name: file[name].tobytes() for name in file.files}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    assert in_a_process(folder) == 0
    return arrays(folder / "model.npz")


@pytest.mark.linux
def test_killed_ten_times_it_ends_as_if_never_killed(tmp_path, whole):
    rng, killed = np.random.default_rng(0), 0
    while not (tmp_path / "model.npz").exists():
        wait = rng.uniform(0, 0.05) if killed < 10 else None
        killed += in_a_process(tmp_path, fork.Event(), wait=wait) == -signal.SIGKILL
    assert killed > 2 and arrays(tmp_path / "model.npz") == whole


@pytest.mark.linux
def test_killed_while_writing_the_old_checkpoint_stands(tmp_path, whole):
    assert in_a_process(tmp_path, None, 1) == -signal.SIGKILL and not (tmp_path / "c.npz").exists()
    assert in_a_process(tmp_path, None, 3) == -signal.SIGKILL
    with np.load(tmp_path / "c.npz") as file:
        assert len(file["reports"]) == 2
    assert in_a_process(tmp_path, None, 7) == -signal.SIGKILL  # 又做了六轮，死在存模型的时候
    assert not (tmp_path / "model.npz").exists()
    assert in_a_process(tmp_path) == 0 and arrays(tmp_path / "model.npz") == whole
    assert {p.name for p in tmp_path.iterdir() if p.name[0] != "."} == {"c.npz", "model.npz"}


def member(rank, folder, settings, dev_losses):
    """两个进程里的一个；dev_losses 给各自的 dev 损失：尾数不同，停不停也要一致。"""
    torch.set_num_threads(1)
    dist.init_process_group("gloo", f"file://{folder}/meet", rank=rank, world_size=2)
    if dev_losses:
        script = iter(dev_losses[rank])
        classifier_fit.title_score = lambda model, titles: (next(script), 0.5)
    model = toy_model(**settings.pop("design", {}))
    calls = []
    reports = fit(model, TRAIN[:101], DEV, on_epoch=lambda m, r: calls.append(r), **settings)
    assert not (rank and calls)
    model.save(folder / f"{rank}.npz")
    np.save(folder / f"{rank}.npy", np.array(reports)[:, :5])
    dist.destroy_process_group()


def two_processes(folder, settings, dev_losses=()):
    """两个进程一起训练；返回各自的报告。"""
    folder.mkdir()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        team = [fork.Process(target=member, args=(rank, folder, dict(settings), dev_losses))
                for rank in (0, 1)]
        for process in team:
            process.start()
    for process in team:
        process.join(60)
        process.kill()  # 步调不一，就会一直等下去
    assert [process.exitcode for process in team] == [0, 0]
    assert arrays(folder / "0.npz") == arrays(folder / "1.npz")
    first, second = (np.load(folder / f"{rank}.npy") for rank in (0, 1))
    assert np.array_equal(first, second)
    return first


@pytest.mark.linux
@pytest.mark.parametrize("batch_size", [20, pytest.param(1, marks=pytest.mark.full)])
def test_two_processes_share_each_batch(tmp_path, batch_size):
    """不丢弃时，与一个进程只差在加法的次序；一批只有一条时，另一个进程空着。"""
    settings = {"epochs": 3, "batch_size": batch_size, "lr": 0.01, "patience": 9}
    reports = two_processes(tmp_path / "two", settings)
    alone = toy_model()
    wanted = fit(alone, TRAIN[:101], DEV, **settings)
    assert np.allclose(reports, np.array(wanted)[:, :5], atol=1e-3)
    together = Classifier.load(tmp_path / "two/0.npz").probabilities(["晴雨", "题卷"])
    assert np.abs(together - alone.probabilities(["晴雨", "题卷"])).max() < 1e-3


@pytest.mark.linux
def test_two_processes_stop_together_and_resume_together(tmp_path):
    """1 号进程自己看，dev 一轮比一轮差；说了算的是 0 号。"""
    settings = {"epochs": 5, "lr": 0.01, "patience": 1, "design": NOISY}
    losses = [[5, 4, 3, 2, 3.0], [1, 2, 3, 4, 5.0]]
    assert len(two_processes(tmp_path / "stop", settings, losses)) == 5
    settings |= {"patience": 9, "checkpoint": tmp_path / "c.npz"}
    whole = two_processes(tmp_path / "whole", settings)
    again = two_processes(tmp_path / "again", settings)  # 做完了的检查点：不再训练
    assert np.array_equal(whole, again)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["again", "c.npz", "stop", "whole"]
    with pytest.raises(ValueError, match="world_size 当时是 2，现在是 1"):
        fit(toy_model(**settings.pop("design")), TRAIN[:101], DEV, **settings)
