"""训练的记录：用 tensorboardX 写事件文件；读回来画图，不必开 TensorBoard。

    with Tracker("logs/lstm") as tracker:
        reports = fit(model, train, dev, on_epoch=tracker)
        tracker.summarize(model, dev, {"rate": 2e-3}, reports)
    read_runs("logs")["lstm"].scalars["准确率/dev"]     # Curve(steps, values)
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from textseq.classifier import Classifier
    from textseq.classifier_fit import Report
    from textseq.corpora import Labelled


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
    """

    def __init__(self, folder: str | Path):
        from tensorboardX import SummaryWriter
        self.writer = SummaryWriter(str(folder), flush_secs=1)  # 默认两分钟才落盘一次

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
        """
        titles, labels = zip(*dev, strict=True)
        rows = [f"|{name}|{value}|" for name, value in (asdict(model.design) | dict(settings)).items()]
        self.writer.add_text("设计", "\n".join(["|设定|值|", "|---|---|", *rows]))
        model.eval()
        with warnings.catch_warnings():  # 计算图靠 torch.jit.trace，它为补齐与打包警告好几句
            warnings.simplefilter("ignore")
            self.writer.add_graph(model, model.to_ids(titles[:2]))
        p = model.probabilities(titles)
        for k, name in enumerate(model.classes):
            self.writer.add_pr_curve(f"PR/{name}", np.array(labels) == k, p[:, k])
        vectors = model.embedding.weight.detach().numpy()[2:2 + units]
        self.writer.add_embedding(vectors, metadata=model.vocab.words[2:2 + units], tag="词向量")
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
        self.writer.close()

    def __enter__(self) -> Tracker:
        return self

    def __exit__(self, *_) -> None:
        self.close()


def read_runs(folder: str | Path) -> dict[str, Run]:
    """读回 folder 下每次训练的记录；键是子文件夹的路径，folder 自己是 "."。

    异常：一个事件文件都没有 FileNotFoundError。没写完的事件文件，读到断处为止。
    """
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    runs = {}
    for path in sorted({file.parent for file in Path(folder).rglob("*tfevents*")}):
        events = EventAccumulator(str(path), size_guidance={"scalars": 0, "histograms": 0}).Reload()
        tags = events.Tags()
        scalars = {tag: Curve(*map(np.array, zip(*((e.step, e.value) for e in events.Scalars(tag)),
                                                 strict=True))) for tag in tags["scalars"]}
        histograms = {tag: [_histogram(e) for e in events.Histograms(tag)] for tag in tags["histograms"]}
        runs[path.relative_to(folder).as_posix()] = Run(scalars, histograms)
    if not runs:
        raise FileNotFoundError(f"{folder} 里没有事件文件（名字里有 tfevents）；"
                                "请检查路径，或先用 Tracker 记录一次训练")
    return runs


def _histogram(event) -> Histogram:
    """事件里只记各格的上界与个数，第一格是空的，它的上界就是左边界；边界收到实际的最小、最大值。"""
    h = event.histogram_value
    return Histogram(event.step, np.clip(h.bucket_limit, h.min, h.max), np.array(h.bucket[1:]))
