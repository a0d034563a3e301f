"""训练标题分类器：打乱分批，Adam，截断梯度，看着 dev 早停，断了接着来。

出处：Adam，Kingma & Ba, 2015；梯度截断，Pascanu et al., On the difficulty of training RNNs, 2013。
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from torch.nn import functional as F
from torch.nn.utils import clip_grad_norm_
from torch.nn.utils.rnn import pad_sequence

from textseq.checkpoint import load_checkpoint, save_checkpoint
from textseq.classifier import Classifier
from textseq.corpora import Labelled


class Report(NamedTuple):
    """一轮训练的结果。损失单位奈特，准确率 0 到 1；norm 是截断之前梯度长度的平均。"""
    epoch: int
    train_loss: float
    dev_loss: float
    dev_accuracy: float
    norm: float
    seconds: float


def evaluate(model: Classifier, titles: Iterable[Labelled]) -> tuple[float, float]:
    """在带标签的标题上，(平均损失，准确率)。"""
    texts, labels = zip(*titles, strict=True)
    p, labels = model.probabilities(texts), np.array(labels)
    right = p[np.arange(len(p)), labels]
    return float(-np.log(right.clip(1e-9)).mean()), float((p.argmax(1) == labels).mean())


def fit(model: Classifier, train: Iterable[Labelled], dev: Iterable[Labelled], *, epochs: int = 6,
        batch_size: int = 64, rate: float = 2e-3, clip: float = 1.0, patience: int = 2, seed: int = 1,
        checkpoint: str | Path | None = None,
        on_epoch: Callable[[Classifier, Report], None] | None = None) -> list[Report]:
    """训练，返回各轮的结果；结束时模型是 dev 损失最低的那一轮的。

    Adam，学习率从 rate 线性降到 0，梯度长度截到 clip；dev 损失连续 patience 轮不创新低就停。
    给了 checkpoint，每轮存一次；文件已在就接着训练，单线程时与没有断过逐位相同。
    在 torchrun 下，每一批由各进程平分，梯度取平均。异常：检查点不合 ValueError。
    """
    train, dev = list(train), list(dev)
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    x = [model.encode([title])[0] for title, _ in train]
    y = torch.tensor([label for _, label in train])
    parameters = [p for p in model.parameters() if p.requires_grad]
    adam = torch.optim.Adam(parameters, lr=rate)
    steps = -(-len(train) // batch_size)
    setting = model.fingerprint | {"标题": zlib.crc32(repr((train, dev)).encode()), "轮数": epochs,
                                   "批": batch_size, "rate": rate, "clip": clip, "seed": seed,
                                   "进程数": world}
    best, reports = _restore(checkpoint, setting, model, adam)
    while len(reports) < epochs and not _stuck(reports, patience):
        start, epoch, losses, norms = time.perf_counter(), len(reports), [], []
        rng = np.random.default_rng((seed, epoch))  # 从哪一轮接着训练，随机数都一样
        model.train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed((seed * 1000 + epoch) * world + rank)
            for i, rows in enumerate(_similar_lengths(list(map(len, x)), batch_size, rng)):
                mine = rows[rank::world]
                for group in adam.param_groups:
                    group["lr"] = rate * (1 - (epoch * steps + i) / (epochs * steps))
                adam.zero_grad()
                if len(mine):  # 最后一批可能不够分
                    logits = model(pad_sequence([x[k] for k in mine], batch_first=True))
                    loss = F.cross_entropy(logits, y[torch.from_numpy(mine)], reduction="sum") / len(rows)
                    loss.backward()
                    losses.append(loss.item() * len(rows) / len(mine))
                _add_gradients(parameters, world)
                norms.append(clip_grad_norm_(parameters, clip).item())
                adam.step()
        dev_loss, accuracy = evaluate(model, dev)
        report = Report(epoch + 1, float(np.mean(losses)), dev_loss, accuracy, float(np.mean(norms)),
                        time.perf_counter() - start)
        if not reports or dev_loss < min(r.dev_loss for r in reports):
            best = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        reports.append(report)
        if checkpoint and rank == 0:
            _save(checkpoint, setting, model, adam, best, reports)
        if on_epoch and rank == 0:
            on_epoch(model, report)
    model.load_state_dict(best)
    return reports


def _similar_lengths(lengths: list[int], batch_size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """打乱，每五十批之内按长短排，再打乱各批的次序：一批里长短相近，补齐的格子就少。"""
    order, lengths = rng.permutation(len(lengths)), np.array(lengths)
    size = 50 * batch_size
    chunks = [part[np.argsort(lengths[part], kind="stable")]
              for part in (order[i:i + size] for i in range(0, len(order), size))]
    order = np.concatenate(chunks)
    batches = [order[i:i + batch_size] for i in range(0, len(order), batch_size)]
    return [batches[k] for k in rng.permutation(len(batches))]


def _stuck(reports: list[Report], patience: int) -> bool:
    """最低的 dev 损失，是不是已经过去 patience 轮了。"""
    losses = [r.dev_loss for r in reports]
    return bool(losses) and len(losses) - 1 - int(np.argmin(losses)) >= patience


def _add_gradients(parameters: list[torch.Tensor], world: int) -> None:
    """各进程的梯度加起来；损失除的是整批的条数，加起来就是整批的梯度。"""
    for p in parameters if world > 1 else []:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
        dist.all_reduce(p.grad)


def _save(path: str | Path, setting: dict, model: Classifier, adam: torch.optim.Adam, best: dict,
          reports: list[Report]) -> None:
    arrays = {f"now.{name}": t.numpy() for name, t in model.state_dict().items()}
    arrays |= {f"best.{name}": t.numpy() for name, t in best.items()}
    for k, state in adam.state_dict()["state"].items():
        arrays |= {f"adam.{k}.{name}": np.asarray(value) for name, value in state.items()}
    save_checkpoint(path, arrays | {"reports": np.array(reports)}, len(reports), setting)


def _restore(path: str | Path | None, setting: dict, model: Classifier,
             adam: torch.optim.Adam) -> tuple[dict, list[Report]]:
    """读检查点，放回模型与 Adam；返回最好的权重，和做完的各轮。没有检查点就从头来。"""
    found = load_checkpoint(path, setting) if path else None
    if not found:
        return {}, []
    arrays, _ = found
    part = {kind: {name.removeprefix(kind): torch.from_numpy(a) for name, a in arrays.items()
                   if name.startswith(kind)} for kind in ("now.", "best.", "adam.")}
    model.load_state_dict(part["now."])
    state: dict = {}
    for name, value in part["adam."].items():
        k, name = name.split(".", 1)
        state.setdefault(int(k), {})[name] = value
    adam.load_state_dict(adam.state_dict() | {"state": state})
    return part["best."], [Report(int(row[0]), *map(float, row[1:])) for row in arrays["reports"]]
