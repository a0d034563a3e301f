"""训练标题分类器：打乱分批，Adam，裁剪梯度，看着 dev 早停，断了接着来。

出处：Adam，Kingma & Ba, 2015；梯度裁剪，Pascanu et al., On the difficulty of training RNNs, 2013。
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
    """一轮训练的结果。损失单位奈特，准确率 0 到 1；norm 是裁剪之前梯度长度的平均。

    train_loss 是边训练边记的，dropout 开着，所以常比 dev_loss 高。
    """
    epoch: int
    train_loss: float
    dev_loss: float
    dev_accuracy: float
    norm: float
    seconds: float


MONITORS = {"loss": lambda r: r.dev_loss, "accuracy": lambda r: -r.dev_accuracy}  # 越低越好


def evaluate(model: Classifier, titles: Iterable[Labelled]) -> tuple[float, float]:
    """在带标签的标题上，(平均损失，准确率)；对的那一类概率不到 1e-9，也按 1e-9 算。

    异常：一条也没有，或类别编号不在模型的类别里，ValueError。
    """
    texts, labels = zip(*_checked("titles", titles, model), strict=True)
    p, labels = model.probabilities(texts), np.array(labels)
    right = p[np.arange(len(p)), labels]
    return float(-np.log(right.clip(1e-9)).mean()), float((p.argmax(1) == labels).mean())


def fit(model: Classifier, train: Iterable[Labelled], dev: Iterable[Labelled], *, epochs: int = 10,
        batch_size: int = 64, rate: float = 3e-3, clip: float = 5.0, patience: int = 2,
        monitor: str = "loss", seed: int = 1, checkpoint: str | Path | None = None,
        on_epoch: Callable[[Classifier, Report], None] | None = None) -> list[Report]:
    """训练，返回各轮的结果；结束时模型是 dev 上最好的那一轮的。

    Adam，学习率从 rate 线性降到 0，梯度长度裁到 clip；最好，指 monitor="loss" 时损失最低，
    "accuracy" 时准确率最高；连续 patience 轮没有更好就停。
    给了 checkpoint，每轮存一次；文件已在就接着训练，单线程时与没有断过逐位相同。
    在 torchrun 下，每一批由各进程平分，梯度加起来；报告、停不停以 0 号进程在 dev 上的结果为准。
    异常：设定不对，标题是空的，类别编号越界，检查点不合，或训练发散，ValueError。
    """
    for name, value, least in (("epochs", epochs, 1), ("batch_size", batch_size, 1),
                               ("patience", patience, 1), ("seed", seed, 0)):
        if not isinstance(value, int) or value < least:
            raise ValueError(f"{name} 应为不小于 {least} 的整数，收到 {value!r}")
    if monitor not in MONITORS:
        raise ValueError(f"monitor 应为 {'、'.join(MONITORS)} 之一，收到 {monitor!r}")
    if not (rate > 0 and clip > 0):
        raise ValueError(f"rate 与 clip 应大于 0，收到 rate={rate}，clip={clip}；不裁剪请用 clip=math.inf")
    train, dev = _checked("train", train, model), _checked("dev", dev, model)
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    x = [model.encode([title])[0] for title, _ in train]
    y = torch.tensor([label for _, label in train])
    learned = [p for p in model.parameters() if p.requires_grad]
    adam = torch.optim.Adam(learned, lr=rate, fused=True)  # 词向量表大，快好几倍
    steps = -(-len(train) // batch_size)
    setting = model.fingerprint | {"标题": zlib.crc32(repr((train, dev)).encode()), "轮数": epochs,
                                   "批": batch_size, "rate": rate, "clip": clip, "seed": seed,
                                   "monitor": monitor, "进程数": world,
                                   "词向量冻结": not model.embedding.weight.requires_grad,
                                   "起始词向量之和": round(model.embedding.weight.double().sum().item(), 2)}
    best, reports = _restore(checkpoint, setting, model, adam)
    while len(reports) < epochs and not _stuck(list(map(MONITORS[monitor], reports)), patience):
        start, epoch = time.perf_counter(), len(reports)
        rng = np.random.default_rng((seed, epoch))  # 从哪一轮接着训练，随机数都一样
        batches = _similar_lengths(list(map(len, x)), batch_size, rng)
        rates = [rate * (1 - (epoch * steps + i) / (epochs * steps)) for i in range(steps)]
        model.train()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed((seed * 1000 + epoch) * world + rank)
            total, norm = _one_epoch(model, adam, x, y, zip(batches, rates, strict=True), clip, rank, world)
        total, dev_loss, accuracy = _agree(total, *evaluate(model, dev), world)
        report = Report(epoch + 1, total / len(train), dev_loss, accuracy, norm,
                        time.perf_counter() - start)
        if MONITORS[monitor](report) < min(map(MONITORS[monitor], reports), default=np.inf):
            best = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        reports.append(report)
        healthy = np.isfinite(dev_loss)
        if checkpoint and rank == 0 and healthy:
            _save(checkpoint, setting, model, adam, best, reports)
        if on_epoch and rank == 0:
            on_epoch(model, report)
        if not healthy:
            raise ValueError(f"训练发散了：第 {epoch + 1} 轮，dev 损失是 {dev_loss}；"
                             f"请把 rate 从 {rate} 减到十分之一再试")
    model.load_state_dict(best)
    model.eval()
    return reports


def _one_epoch(model: Classifier, adam: torch.optim.Adam, x: list[torch.Tensor], y: torch.Tensor,
               batches: Iterable[tuple[np.ndarray, float]], clip: float, rank: int,
               world: int) -> tuple[float, float]:
    """走完一轮的各批（下标，学习率）→ (本进程那几份的损失之和，梯度长度的平均)。"""
    parameters, total, norms = adam.param_groups[0]["params"], 0.0, []
    for rows, rate in batches:
        mine = rows[rank::world]
        adam.param_groups[0]["lr"] = rate
        adam.zero_grad()
        if len(mine):  # 最后一批可能不够分
            logits = model(pad_sequence([x[k] for k in mine], batch_first=True))
            loss = F.cross_entropy(logits, y[torch.from_numpy(mine)], reduction="sum") / len(rows)
            loss.backward()
            total += loss.item() * len(rows)
        _add_gradients(parameters, world)
        norms.append(clip_grad_norm_(parameters, clip).item())
        adam.step()
    return total, float(np.mean(norms))


def _checked(name: str, titles: Iterable[Labelled], model: Classifier) -> list[Labelled]:
    """标题的列表；是空的，或编号越界，就报错。"""
    titles, classes = list(titles), len(model.classes)
    if not titles:
        raise ValueError(f"{name} 里一条标题也没有；请检查文件是不是空的")
    if bad := [row for row in titles if not 0 <= row[1] < classes]:
        title, label = bad[0]
        raise ValueError(f"{name} 里的类别编号应为 0…{classes - 1}，收到 {label!r}（{title[:20]!r}）；"
                         "请对照模型的 classes，第一类是 0 号")
    return titles


def _similar_lengths(lengths: list[int], batch_size: int, rng: np.random.Generator) -> list[np.ndarray]:
    """打乱，每五十批之内按长短排，再打乱各批的次序：一批里长短相近，补齐的格子就少。"""
    order, lengths = rng.permutation(len(lengths)), np.array(lengths)
    size = 50 * batch_size
    chunks = [part[np.argsort(lengths[part], kind="stable")]
              for part in (order[i:i + size] for i in range(0, len(order), size))]
    order = np.concatenate(chunks)
    batches = [order[i:i + batch_size] for i in range(0, len(order), batch_size)]
    return [batches[k] for k in rng.permutation(len(batches))]


def _stuck(scores: list[float], patience: int) -> bool:
    """最好的一轮（分最低），是不是已经过去 patience 轮了。"""
    return bool(scores) and len(scores) - 1 - int(np.argmin(scores)) >= patience


def _add_gradients(parameters: list[torch.Tensor], world: int) -> None:
    """各进程的梯度加起来；损失除的是整批的条数，加起来就是整批的梯度。"""
    for p in parameters if world > 1 else []:
        if p.grad is None:
            p.grad = torch.zeros_like(p)
        dist.all_reduce(p.grad)


def _agree(total: float, loss: float, accuracy: float, world: int) -> tuple[float, float, float]:
    """各进程的训练损失加起来；dev 的结果以 0 号为准：尾数差一点，就可能有的停、有的还在等梯度。"""
    sums, found = (torch.tensor(row, dtype=torch.float64) for row in ([total], [loss, accuracy]))
    if world > 1:
        dist.all_reduce(sums)
        dist.broadcast(found, src=0)
    return sums.item(), *found.tolist()


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
