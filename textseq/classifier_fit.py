"""训练标题分类器：打乱分批，Adam，裁剪梯度，看着 dev 早停，断了接着来。第 09、10 章。

出处：Adam，Kingma & Ba, 2015；梯度裁剪，Pascanu et al., On the difficulty of training RNNs, 2013。
"""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.distributed as dist
from torch.nn import functional as F
from torch.nn.utils import clip_grad_norm_
from torch.nn.utils.rnn import pad_sequence

from textseq._checkpoint import load_checkpoint, save_checkpoint
from textseq.classifier import Classifier
from textseq.corpora import Labelled, check_labels
from textseq.evaluation import title_score
from textseq.shapes import check_integer

__all__ = ["MONITORS", "Recipe", "Report", "check_recipe", "check_resume", "fit"]


class Report(NamedTuple):
    """一轮训练的结果。损失单位奈特，准确率 0 到 1；grad_norm 是裁剪之前梯度长度的平均。

    train_loss 是边训练边记的，dropout 开着，所以常比 dev_loss 高。
    """
    epoch: int
    train_loss: float
    dev_loss: float
    dev_accuracy: float
    grad_norm: float
    seconds: float


MONITORS = {"loss": lambda r: r.dev_loss, "accuracy": lambda r: -r.dev_accuracy}  # 越低越好


class Recipe(NamedTuple):
    """训练的设定，即 fit 的同名参数。"""
    epochs: int
    batch_size: int
    lr: float
    max_norm: float
    patience: int
    monitor: str
    seed: int


def fit(model: Classifier, train: Iterable[Labelled], dev: Iterable[Labelled], *,
        epochs: int = 10, batch_size: int = 64, lr: float = 3e-3, max_norm: float = 5.0,
        patience: int = 2, monitor: str = "loss", seed: int = 1,
        checkpoint: str | Path | None = None,
        on_epoch: Callable[[Classifier, Report], None] | None = None) -> list[Report]:
    """训练，返回各轮的结果；结束时模型是 dev 上最好的那一轮的。

    Adam，学习率从 lr 线性降到 0，梯度长度裁到 max_norm；最好，指 monitor="loss" 时损失最低，
    "accuracy" 时准确率最高；连续 patience 轮没有更好就停。
    给了 checkpoint，每轮存一次；文件已在就接着训练，单线程时与没有断过逐位相同。
    在 torchrun 下，每一批由各进程平分，梯度加起来；报告、停不停以 0 号进程在 dev 上的结果为准。
    异常：设定不对，标题是空的，类别编号越界，检查点不合，或训练发散，ValueError。

    >>> from textseq.classifier import Design, build_vocab
    >>> train = [("油价下调", 0), ("主队取胜", 1)] * 8
    >>> design = Design(embedding_size=8, hidden_size=4)
    >>> model = Classifier(build_vocab(title for title, _ in train), ["财经", "体育"], design)
    >>> len(fit(model, train, train, epochs=3))
    3
    """
    recipe = check_recipe(Recipe(epochs, batch_size, lr, max_norm, patience, monitor, seed))
    train, dev = (check_labels(name, titles, model.classes)
                  for name, titles in (("train", train), ("dev", dev)))
    learned = [p for p in model.parameters() if p.requires_grad]
    adam = torch.optim.Adam(learned, lr=lr, fused=True)  # 词向量表大，快好几倍
    setting, score = _setting(model, train, dev, recipe), MONITORS[monitor]
    best, reports = _restore(checkpoint, setting, model, adam)
    x = [model.to_ids([title])[0] for title, _ in train]
    y = torch.tensor([label for _, label in train])
    while len(reports) < epochs and not _stuck(list(map(score, reports)), patience):
        report = _one_epoch(model, adam, x, y, dev, len(reports), recipe)
        if score(report) < min(map(score, reports), default=np.inf):
            best = {name: tensor.clone() for name, tensor in model.state_dict().items()}
        reports.append(report)
        if checkpoint and _rank() == 0 and np.isfinite(report.dev_loss):
            _save(checkpoint, setting, model, adam, best, reports)
        if on_epoch and _rank() == 0:
            on_epoch(model, report)
        if not np.isfinite(report.dev_loss):
            raise ValueError(f"训练发散了：第 {report.epoch} 轮，dev 损失是 {report.dev_loss}；"
                             f"请把 lr 从 {lr} 减到十分之一再试")
    model.load_state_dict(best)
    model.eval()
    return reports


def check_resume(checkpoint: str | Path, model: Classifier, train: Iterable[Labelled],
                 dev: Iterable[Labelled], recipe: Recipe) -> None:
    """检查点接不接得上；起始词向量还没有放好，所以不看它。异常：接不上，ValueError。

    >>> from textseq.vocab import Vocab
    >>> model = Classifier(Vocab(["油", "价"], [3, 2]), ["财经", "体育"])
    >>> recipe = Recipe(3, 64, 3e-3, 5.0, 2, "loss", 1)
    >>> check_resume("还没有.npz", model, [("油价", 0)], [("油价", 0)], recipe)   # 没有就从头来
    """
    load_checkpoint(checkpoint, _setting(model, list(train), list(dev), recipe), ("start_vectors",))


def check_recipe(recipe: Recipe) -> Recipe:
    """设定都合理就返回它，整数都换成普通的 int。异常：ValueError，说出是哪一项。

    >>> check_recipe(Recipe(np.int64(3), 64, 3e-3, 5.0, 2, "loss", 1)).epochs
    3
    """
    least = {"epochs": 1, "batch_size": 1, "patience": 1, "seed": 0}
    recipe = recipe._replace(**{name: check_integer(name, getattr(recipe, name), low)
                                for name, low in least.items()})
    if recipe.seed >= 2**50:
        raise ValueError(f"seed 应小于 2 的 50 次方，收到 {recipe.seed}；请换一个小一点的种子")
    if recipe.monitor not in MONITORS:
        raise ValueError(f"monitor 应为 {'、'.join(MONITORS)} 之一，收到 {recipe.monitor!r}")
    if not (recipe.lr > 0 and recipe.max_norm > 0):
        raise ValueError(f"lr 与 max_norm 应大于 0，收到 lr={recipe.lr}，max_norm={recipe.max_norm}；"
                         "不裁剪请用 max_norm=math.inf")
    return recipe


def _one_epoch(model: Classifier, adam: torch.optim.Adam, x: Sequence[torch.Tensor],
               y: torch.Tensor, dev: list[Labelled], epoch: int, recipe: Recipe) -> Report:
    """训练第 epoch 轮（从 0 数），在 dev 上评一次。"""
    start, world = time.perf_counter(), _world()
    rng = np.random.default_rng((recipe.seed, epoch))  # 从哪一轮接着训练，随机数都一样
    batches = _similar_lengths(list(map(len, x)), recipe.batch_size, rng)
    steps = len(batches)
    rates = [recipe.lr * (1 - (epoch * steps + i) / (recipe.epochs * steps)) for i in range(steps)]
    model.train()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed((recipe.seed * 1000 + epoch) * world + _rank())
        total, norms = 0.0, []
        for rows, rate in zip(batches, rates, strict=True):
            loss, norm = _one_batch(model, adam, x, y, rows, rate, recipe.max_norm)
            total += loss
            norms.append(norm)
    total, dev_loss, accuracy = _agree(total, *title_score(model, dev), world)
    return Report(epoch + 1, total / len(x), dev_loss, accuracy, float(np.mean(norms)),
                  time.perf_counter() - start)


def _one_batch(model: Classifier, adam: torch.optim.Adam, x: Sequence[torch.Tensor],
               y: torch.Tensor, rows: np.ndarray, lr: float,
               max_norm: float) -> tuple[float, float]:
    """一批走一步 → (本进程那一份的损失之和，裁剪之前的梯度长度)。"""
    parameters, mine, total = adam.param_groups[0]["params"], rows[_rank()::_world()], 0.0
    adam.param_groups[0]["lr"] = lr
    adam.zero_grad()
    if len(mine):  # 最后一批可能不够分
        logits = model(pad_sequence([x[k] for k in mine], batch_first=True))
        loss = F.cross_entropy(logits, y[torch.from_numpy(mine)], reduction="sum") / len(rows)
        loss.backward()
        total = loss.item() * len(rows)
    _add_gradients(parameters)
    norm = clip_grad_norm_(parameters, max_norm).item()
    adam.step()
    return total, norm


def _similar_lengths(lengths: list[int], batch_size: int,
                     rng: np.random.Generator) -> list[np.ndarray]:
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


def _rank() -> int:
    return dist.get_rank() if dist.is_initialized() else 0


def _world() -> int:
    return dist.get_world_size() if dist.is_initialized() else 1


def _add_gradients(parameters: list[torch.Tensor]) -> None:
    """各进程的梯度加起来；损失除的是整批的条数，加起来就是整批的梯度。"""
    for p in parameters if _world() > 1 else []:
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


def _setting(model: Classifier, train: list[Labelled], dev: list[Labelled],
             recipe: Recipe) -> dict:
    """存进检查点的设定：其中一样变了，就不是接着训练。耐心可以改，所以不在里面。"""
    weight = model.embedding.weight
    how = {name: value for name, value in recipe._asdict().items() if name != "patience"}
    return model.fingerprint | how | {
        "titles": zlib.crc32(repr((train, dev)).encode()), "world_size": _world(),
        "start_vectors": round(weight.double().sum().item(), 2)}


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
