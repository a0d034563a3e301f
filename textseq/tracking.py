"""训练的记录：用 tensorboardX 写事件文件；读回来画图，不必开 TensorBoard。第 09、10 章。

    with Tracker("logs/lstm") as tracker:
        reports = fit(model, train, dev, on_epoch=tracker)
        tracker.summarize(model, dev, {"lr": 2e-3}, reports)
    read_runs("logs")["lstm"].scalars["准确率/dev"]     # Curve(steps, values)
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from textseq.vocab import FIRST

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter

    from textseq.classifier import Classifier
    from textseq.classifier_fit import Report
    from textseq.corpora import Labelled

__all__ = ["Curve", "Histogram", "Run", "Tracker", "read_runs"]


class Curve(NamedTuple):
    """一条标量曲线：轮数与数值，形状都是 (n,)。"""
    steps: np.ndarray
    values: np.ndarray


class Histogram(NamedTuple):
    """某一轮的直方图：edges (b+1,) 是各格的边界，counts (b,) 是落进去的个数。"""
    step: int
    edges: np.ndarray
    counts: np.ndarray


class Run(NamedTuple):
    """一次训练写下的记录，键是标签。"""
    scalars: dict[str, Curve]
    histograms: dict[str, list[Histogram]]


class Tracker:
    """fit 的 on_epoch：每轮写下损失、准确率、梯度长度，各层权重与梯度的直方图。

    梯度是这一轮最后一批的，裁剪之后。用 with，或最后调用 close()，记录才完整；程序被杀，最多丢一秒。
    一次训练一个文件夹；断了接着训练（fit 的 checkpoint），用 resume=True 接着记。
    异常：文件夹里已有记录，FileExistsError；旧的记录不会动它。

    >>> import tempfile
    >>> from textseq.classifier import Classifier, Design, build_vocab
    >>> from textseq.classifier_fit import fit
    >>> titles = [("油价下调", 0), ("主队取胜", 1)] * 4
    >>> model = Classifier(build_vocab(title for title, _ in titles), ["财经", "体育"],
    ...                    Design(cell="none", pooling="mean", embedding_size=4))
    >>> with tempfile.TemporaryDirectory() as logs:
    ...     with Tracker(f"{logs}/平均") as tracker:
    ...         reports = fit(model, titles, titles, epochs=2, on_epoch=tracker)
    ...     run = read_runs(logs)["平均"]
    >>> run.scalars["损失/dev"].steps
    array([1, 2])
    >>> list(run.histograms)[:2]
    ['权重/embedding.weight', '梯度/embedding.weight']
    """

    def __init__(self, folder: str | Path, resume: bool = False):
        self.folder, self.resume = Path(folder), resume
        self._check_unused()
        self.folder.mkdir(parents=True, exist_ok=True)

    def _check_unused(self) -> None:
        found = len(list(self.folder.glob("*tfevents*")))
        if found and not self.resume:
            raise FileExistsError(
                f"{self.folder} 里已有一次训练的记录（{found} 个事件文件），再写就混成一条线；"
                "请换一个文件夹名，或先删去旧记录；断了接着训练的，用 resume=True")

    @cached_property
    def writer(self) -> SummaryWriter:
        """到写第一个数时才打开：设定有错的训练，和 torchrun 里不写记录的进程，都不留下空文件。

        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     list(Tracker(folder).folder.iterdir())
        []
        """
        from tensorboardX import SummaryWriter
        self._check_unused()
        self.resume = True  # 关了再写，是接着写自己的
        # 默认两分钟才落盘一次；文件名里只有秒，同一秒打开的两个会同名，后一个清空前一个
        return SummaryWriter(str(self.folder), flush_secs=1, filename_suffix=f".{time.time_ns()}")

    def __call__(self, model: Classifier, report: Report) -> None:
        for tag, value in (("损失/train", report.train_loss), ("损失/dev", report.dev_loss),
                           ("准确率/dev", report.dev_accuracy), ("梯度/长度", report.grad_norm)):
            self.writer.add_scalar(tag, value, report.epoch)
        for name, parameter in model.named_parameters():
            self._histogram(f"权重/{name}", parameter, report.epoch)
            if parameter.grad is not None:
                self._histogram(f"梯度/{name}", parameter.grad, report.epoch)

    def summarize(self, model: Classifier, dev: Iterable[Labelled], settings: Mapping[str, object],
                  reports: Sequence[Report], units: int = 500) -> None:
        """训练之后：设计（文字）、计算图、各类的 PR 曲线、最常见的 units 个字的词向量、超参数。

        与超参数写在一起的“最好”，是 dev 损失最低的那一轮。

        >>> import tempfile
        >>> from textseq.classifier import Classifier, build_vocab
        >>> from textseq.classifier_fit import fit
        >>> train = [("油价下调", 0), ("主队取胜", 1)] * 4
        >>> model = Classifier(build_vocab(title for title, _ in train), ["财经", "体育"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with Tracker(folder) as tracker:
        ...         reports = fit(model, train, train, epochs=1, on_epoch=tracker)
        ...         tracker.summarize(model, train, {"lr": 3e-3}, reports)
        ...     sorted(read_runs(folder)["."].scalars)[:2]
        ['准确率/dev', '损失/dev']
        """
        titles, labels = zip(*dev, strict=True)
        design = asdict(model.design) | dict(settings)
        rows = [f"|{name}|{value}|" for name, value in design.items()]
        self.writer.add_text("设计", "\n".join(["|设定|值|", "|---|---|", *rows]))
        training = model.training
        model.eval()
        with warnings.catch_warnings():  # 计算图靠 torch.jit.trace，它为补齐与打包警告好几句
            warnings.simplefilter("ignore")
            self.writer.add_graph(model, model.to_ids(titles[:2]))
        model.train(training)
        p = model.probabilities(titles)
        for k, name in enumerate(model.classes):
            self.writer.add_pr_curve(f"PR/{name}", np.array(labels) == k, p[:, k])
        vectors = model.embedding.weight.detach().numpy()[FIRST:FIRST + units]
        # 标签只用 ASCII：tensorboardX 按系统的编码写 projector_config.pbtxt，TensorBoard 按 UTF-8 读
        self.writer.add_embedding(vectors, metadata=model.vocab.real_words[:units], tag="embedding")
        best = min(reports, key=lambda report: report.dev_loss)
        self._hparams(dict(settings), {"最好/准确率": best.dev_accuracy, "最好/损失": best.dev_loss})

    def _hparams(self, settings: dict, results: dict[str, float]) -> None:
        """与 add_hparams 写的一样，但写在这次训练里：它会另开一个子文件夹，看起来像多了一次训练。"""
        from tensorboardX.summary import hparams
        for part in hparams(settings, results):
            self.writer.file_writer.add_summary(part)
        for tag, value in results.items():
            self.writer.add_scalar(tag, value)

    def _histogram(self, tag: str, tensor, step: int) -> None:
        values = tensor.detach().numpy().ravel()
        if len(values := values[np.isfinite(values)]):  # 训练炸了，剩下的全是 NaN，没有可画的
            self.writer.add_histogram(tag, values, step, bins=64)

    def close(self) -> None:
        if writer := self.__dict__.pop("writer", None):
            writer.close()

    def __enter__(self) -> Tracker:
        return self

    def __exit__(self, *_) -> None:
        self.close()


def read_runs(folder: str | Path) -> dict[str, Run]:
    """读回 folder 下每次训练的记录；键是子文件夹的路径，folder 自己是 "."。

    步数重复或退回过（别的工具在同一个文件夹里又训练了一次），只取后来的，并发出警告。
    异常：一个事件文件都没有 FileNotFoundError。没写完的事件文件，读到断处为止。

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as logs:
    ...     with Tracker(f"{logs}/lstm") as tracker:
    ...         for epoch in (1, 2):
    ...             tracker.writer.add_scalar("损失/dev", 1 / epoch, epoch)
    ...     read_runs(logs)["lstm"].scalars
    {'损失/dev': Curve(steps=array([1, 2]), values=array([1. , 0.5]))}
    """
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    runs = {}
    for path in sorted({file.parent for file in Path(folder).rglob("*tfevents*")}):
        read = EventAccumulator(str(path), size_guidance={"scalars": 0, "histograms": 0}).Reload()
        scalars = {tag: read.Scalars(tag) for tag in read.Tags()["scalars"]}
        histograms = {tag: read.Histograms(tag) for tag in read.Tags()["histograms"]}
        if any(len(_last_training(events)) < len(events)
               for events in (*scalars.values(), *histograms.values())):
            warnings.warn(f"{path} 里的步数重复或退回过，像是在同一个文件夹里训练了两次；"
                          "只取后来的，请一次训练一个文件夹", stacklevel=2)
        runs[path.relative_to(folder).as_posix()] = Run(
            {tag: _curve(_last_training(events)) for tag, events in scalars.items()},
            {tag: [_histogram(event) for event in _last_training(events)]
             for tag, events in histograms.items()})
    if not runs:
        raise FileNotFoundError(f"{folder} 里没有事件文件（名字里有 tfevents）；"
                                "请检查路径，或先用 Tracker 记录一次训练")
    return runs


def _last_training(events: list) -> list:
    """同一步写过两次，或步数退回，以后写的为准：从前的记录里，这一步和它以后的都不要。"""
    kept = []
    for event in events:
        while kept and kept[-1].step >= event.step:
            kept.pop()
        kept.append(event)
    return kept


def _curve(events: list) -> Curve:
    return Curve(np.array([e.step for e in events]), np.array([e.value for e in events]))


def _histogram(event) -> Histogram:
    """事件里只记各格的上界与个数，第一格是空的，它的上界就是左边界；边界收到实际的最小、最大值。"""
    h = event.histogram_value
    return Histogram(event.step, np.clip(h.bucket_limit, h.min, h.max), np.array(h.bucket[1:]))
