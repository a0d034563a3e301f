"""word2vec 的快速训练：负采样的 Skip-gram 与 CBOW，参数的名字与 gensim 相同。

    vectors = train_skipgram(sentences, vector_size=100, window=5, negative=5)

一步怎样更新在 word2vec_fast.py；这里管一步之外的事：一份一份地喂语料，学习率衰减，几个工人，
几个进程，检查点。第 05、07 章。出处：不加锁地同改两张表，Niu et al., Hogwild!, 2011。
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import functools
import inspect
import multiprocessing
import os
import signal
import sys
import threading
import time
import warnings
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
import torch.distributed as dist

from textseq._checkpoint import load_checkpoint, save_checkpoint
from textseq.vectors import WordVectors
from textseq.vocab import FIRST, EncodedCorpus, encode_corpus
from textseq.word2vec import keep_probability, noise_distribution
from textseq.word2vec_fast import Settings, make_batches, step_size, update_tables

__all__ = ["LEG", "PART", "NothingTrained", "Progress", "Tables", "train", "train_cbow",
           "train_skipgram"]

PART = 50_000    # 语料按这么多词次分份，一份一份地准备训练数据
LEG = 10         # 一程：每个工人做完这么多份，报告一次进度，存检查点；两个进程合起来做完这么多份，合并一次


class Tables(NamedTuple):
    """训练好的两张表，都是 (V, E)。"""
    embedding: np.ndarray
    context: np.ndarray


class NothingTrained(ValueError):
    """语料里没有可训练的：没有一对邻居，或降采样全丢掉了；两张表还是随机的起点。"""


class Progress(NamedTuple):
    """训练到哪里了：words 是读过的词次，total 是全部轮次的词次，loss 是每个正样本的损失（奈特）。

    begun 是这一次开始时已经读过的词次：接着训练时不是 0。
    """
    words: int
    total: int
    loss: float
    begun: int = 0


def _explicit(function: Callable) -> Callable:
    """把 **settings 换成写明的参数：Settings 的各项与 train 的三项；写错的名字用中文回答。"""
    types = {f.name: f.type for f in dataclasses.fields(Settings)}
    fields = {f.name: f.default for f in dataclasses.fields(Settings)} | OTHERS
    fields |= DEFAULTS.get(function.__name__, {})
    keywords = [inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default,
                                  annotation=types.get(name, inspect.Parameter.empty))
                for name, default in fields.items()]
    first = [p for p in inspect.signature(function).parameters.values() if p.name != "settings"]

    @functools.wraps(function)
    def checked(*args, **kwargs) -> WordVectors:
        for name in kwargs.keys() - fields.keys() - {p.name for p in first}:
            near = difflib.get_close_matches(name, fields, n=1, cutoff=0.5)
            hint = GENSIM.get(name) or (f"是不是 {near[0]}？" if near else "")
            raise TypeError(f"{function.__name__} 没有 {name} 这个参数；{hint}"
                            f"可用的有：{'、'.join(['min_count', *fields])}")
        return function(*args, **kwargs)

    checked.__signature__ = inspect.Signature([*first, *keywords], return_annotation="WordVectors")
    return checked


OTHERS = {"on_progress": None, "checkpoint": None, "checkpoint_seconds": 30}
DEFAULTS = {"train_cbow": {"alpha": 0.2}}
GENSIM = {"size": "gensim 4 起它叫 vector_size；", "iter": "gensim 4 起它叫 epochs；",
          "sg": "train_skipgram 与 train_cbow 是两个函数，不用 sg；", "hs": "这里只有负采样；",
          "lr": "在 word2vec 里学习率叫 alpha；", "max_vocab_size": "请用 min_count；"}


@_explicit
def train_skipgram(sentences: Iterable[Sequence[str]] | EncodedCorpus, min_count: int = 5,
                   **settings) -> WordVectors:
    """用 Skip-gram 训练词向量。

    sentences 是切好词的句子，或 encode_corpus 的结果；出现不到 min_count 次的词不要。
    vector_size 是向量的维数，window 是左右各看几个词，negative 是每对几个负样本，epochs 是走几轮；
    alpha 是起始学习率，降到 min_alpha；sample 越小，常见词丢得越多；workers 是几个进程一起训练；
    其余见 Settings。on_progress、checkpoint、checkpoint_seconds（秒）见 train。
    异常：参数的名字不对 TypeError；值不合理，没有训练对，或训练发散，ValueError。

    >>> sentences = [["猫", "吃", "鱼"], ["狗", "吃", "肉"]] * 50
    >>> vectors = train_skipgram(sentences, vector_size=8, sample=0, epochs=1)
    >>> len(vectors), vectors.vector_size
    (5, 8)
    """
    return _train_vectors("skipgram", sentences, min_count, settings)


@_explicit
def train_cbow(sentences: Iterable[Sequence[str]] | EncodedCorpus, min_count: int = 5,
               **settings) -> WordVectors:
    """用 CBOW 训练词向量，参数同 train_skipgram。

    平均数的梯度要平分给各个上下文词，所以 alpha 的默认值是 Skip-gram 的四倍。

    >>> sentences = [["猫", "吃", "鱼"], ["狗", "吃", "肉"]] * 50
    >>> "猫" in train_cbow(sentences, vector_size=8, sample=0, epochs=1)
    True
    """
    return _train_vectors("cbow", sentences, min_count, DEFAULTS["train_cbow"] | settings)


def _train_vectors(model: str, sentences, min_count: int, settings: dict) -> WordVectors:
    how = {name: settings.pop(name) for name in OTHERS if name in settings}
    settings = Settings(**settings)  # 先看设定对不对，再数词频
    corpus = (sentences if isinstance(sentences, EncodedCorpus)
              else encode_corpus(sentences, min_count))
    tables = train(model, corpus, settings, **how)
    return WordVectors(corpus.vocab.real_words, tables.embedding[FIRST:], copy=False)


def train(model: str, corpus: EncodedCorpus, s: Settings,
          on_progress: Callable[[Progress], None] | None = None,
          checkpoint: str | Path | None = None, checkpoint_seconds: float = 30) -> Tables:
    """训练两张表，返回 Tables。model 是 "skipgram" 或 "cbow"。

    语料分成份，做完几份算一程，报告一次进度。给了 checkpoint，每隔 checkpoint_seconds 秒
    存一次；文件已在就接着训练，单线程时与没有断过逐位相同。在 torchrun 下，各进程轮流领份，
    每程结束时合并（见 _merge）；取平均会把常见词的改动缩小到进程数分之一，所以学习率乘上进程数
    （Goyal et al., Accurate, Large Minibatch SGD, 2017）。
    异常：设定不对，检查点不合，没有可训练的（NothingTrained），或训练发散，ValueError；
    工人中途退出 RuntimeError。

    >>> corpus = encode_corpus([["猫", "吃", "鱼"], ["狗", "吃", "肉"]] * 50)
    >>> tables = train("cbow", corpus, Settings(vector_size=8, sample=0, epochs=1))
    >>> tables.embedding.shape == tables.context.shape == (len(corpus.vocab), 8)
    True
    """
    _check_corpus(corpus)
    rank, world = (dist.get_rank(), dist.get_world_size()) if dist.is_initialized() else (0, 1)
    N = len(corpus.ids)
    E, C = _start_tables(len(corpus.vocab), s)
    parts = [(epoch, start) for epoch in range(s.epochs) for start in range(0, N, PART)]
    together = (LEG if world <= 2 else world) * s.workers  # 进程多了，各做完一份就合并
    legs = [parts[i:i + together] for i in range(0, len(parts), together)]
    setting, done = _setting(model, corpus, s, world), 0
    if checkpoint and (found := load_checkpoint(checkpoint, setting)):
        arrays, done = found
        E.copy_(torch.from_numpy(arrays["E"]))
        C.copy_(torch.from_numpy(arrays["C"]))

    train_part = _part_trainer(model, corpus, replace(s, alpha=s.alpha * world), E, C)
    workers = max(1, min(s.workers, N // PART))  # 语料太小，人多了反而互相踩
    saved, begun = time.monotonic(), _words(legs[done - 1], N) if done else 0
    for number, leg in enumerate(legs[done:], start=done + 1):
        before = (E.clone(), C.clone()) if world > 1 else ()
        losses = _train_parts(train_part, leg[rank::world], workers)
        _check_losses(losses, s, epoch=leg[0][0])
        for table, old in zip((E, C), before):  # noqa: B905  一个进程时没有 before
            _merge(table, old)
        if on_progress and rank == 0:
            on_progress(Progress(_words(leg, N), s.epochs * N, losses.mean(), begun))
        late = number == len(legs) or time.monotonic() - saved >= checkpoint_seconds
        if checkpoint and rank == 0 and late:
            arrays = {"E": E.cpu().numpy(), "C": C.cpu().numpy()}
            save_checkpoint(checkpoint, arrays, number, setting)
            saved = time.monotonic()
    if not C.any():  # 上下文表从 0 开始，走过一步就不全是 0 了
        raise NothingTrained("一步也没有训练：语料太小，降采样把词都丢掉了；"
                             "请加大语料，或用 sample=0（命令行是 --sample 0）")
    return Tables(E.cpu().numpy(), C.cpu().numpy())


def _words(leg: list[tuple[int, int]], N: int) -> int:
    """做完这一程，一共读过多少词次。"""
    epoch, start = leg[-1]
    return epoch * N + min(start + PART, N)


def _check_corpus(corpus: EncodedCorpus) -> None:
    """至少有一对邻居，否则没有可训练的。"""
    N = len(corpus.ids)
    for start in range(0, N, PART):
        sentence = corpus.sentence[start:start + PART + 1]
        if (sentence[1:] == sentence[:-1]).any():
            return
    raise NothingTrained(f"没有一对邻居：{N:,} 个词次，每句都只剩一个词；语料应当一行一句，"
                         "词用空格隔开，"
                         "不是一行一个词；若是少见的词丢掉以后才剩一个，请减小 min_count")


def _check_losses(losses: np.ndarray, s: Settings, epoch: int) -> None:
    if not (losses < 2 * (1 + s.negative) * np.log(2)).all():  # 抛硬币的两倍；NaN 也算
        raise ValueError(f"训练发散了：第 {epoch + 1} 轮，每个正样本的损失到了 {losses.max():.3g} 奈特，"
                         f"比乱猜还差一倍；请把 alpha 从 {s.alpha} 减半再试")


def _setting(model: str, corpus: EncodedCorpus, s: Settings, world: int) -> dict:
    """存进检查点的设定：其中一样变了，就不是接着训练。在哪个设备上算可以改，所以不在里面。"""
    how = {name: value for name, value in asdict(s).items() if name != "device"}
    words = repr((corpus.vocab.words, corpus.vocab.counts)).encode()
    return {"model": model, "world_size": world, **how, "vocab": zlib.crc32(words),
            "ids": _checksum(corpus.ids), "sentence": _checksum(corpus.sentence)}


def _checksum(array: np.ndarray) -> int:
    """校验和；语料可能在磁盘上，一段一段地读。"""
    total = 0
    for start in range(0, len(array), PART):
        total = zlib.crc32(np.ascontiguousarray(array[start:start + PART]), total)
    return total


def _start_tables(V: int, s: Settings) -> tuple[torch.Tensor, torch.Tensor]:
    """词向量表从很小的随机数开始，上下文表从 0 开始，与 word2vec 的 C 程序相同。"""
    start = np.random.default_rng(s.seed).uniform(-0.5, 0.5, (V, s.vector_size)) / s.vector_size
    E = torch.tensor(start, dtype=getattr(torch, s.dtype), device=s.device)
    C = torch.zeros_like(E)
    if s.workers > 1:  # 各个工人改的是同一张表
        try:
            E.share_memory_(), C.share_memory_()
        except RuntimeError:
            raise ValueError(f"共享内存放不下两张表（各 {E.nbytes / 2**20:.0f} MB）；请用 workers=1，"
                             "或给容器更大的共享内存（docker run --shm-size=2g）") from None
    return E, C


def _part_trainer(model: str, corpus: EncodedCorpus, s: Settings, E: torch.Tensor,
                  C: torch.Tensor) -> Callable[[tuple[int, int]], float]:
    """训练一份语料的函数：收 (第几轮, 从第几个词次起)，改两张表，返回最后一步的损失。"""
    per_epoch, counts = -(-len(corpus.ids) // PART), np.asarray(corpus.vocab.counts)
    keep = keep_probability(counts, s.sample) if s.sample else np.ones(len(counts))
    noise = noise_distribution(counts, s.ns_exponent)
    groups, pace = step_size(model, counts * keep, noise, s)

    @torch.inference_mode()
    def train_part(part: tuple[int, int]) -> float:
        epoch, start = part
        rng = np.random.default_rng((s.seed, epoch, start))  # 从哪一份接着训练，随机数都一样
        ids, sentence = (np.asarray(a[start:start + PART]) for a in corpus[:2])
        batches = make_batches(model, ids, sentence, keep, noise, rng, s, groups)
        for i, batch in enumerate(batches):
            progress = (epoch + (start // PART + i / len(batches)) / per_epoch) / s.epochs
            alpha = s.alpha + (s.min_alpha - s.alpha) * progress
            wrong, fooled = update_tables(E, C, batch, alpha, pace)
        if not batches:  # 降采样把这一份全丢了
            return 0.0
        surprise = (-(1 - p).clamp(min=1e-7).log() for p in (wrong, fooled))  # 取对数之前不让它到 0
        loss = sum((w * x).sum() for w, x in zip((batch.near, batch.weight), surprise, strict=True))
        return float(loss / batch.near.sum().clamp(min=1))

    return train_part


def _train_parts(train_part: Callable[[tuple[int, int]], float], parts: list[tuple[int, int]],
                 workers: int) -> np.ndarray:
    """训练几份语料，返回各份的损失；多个工人不加锁地同改两张表。

    工人是 fork 出来的进程：线程要抢 Python 的全局锁，两个线程只快三成。Linux 以外只好用线程。
    """
    if workers == 1 or not parts:
        return np.array([train_part(part) for part in parts])
    if sys.platform != "linux":
        with ThreadPoolExecutor(workers) as pool:
            return np.array(list(pool.map(train_part, parts)))
    if multiprocessing.current_process().daemon:
        raise ValueError("这个进程自己是别人的工人（daemon），不能再开工人；请用 workers=1")
    losses = torch.full((len(parts),), torch.nan).share_memory_()

    parent = os.getpid()

    def work(first: int) -> None:
        torch.set_num_threads(1)
        for i in range(first, len(parts), workers):
            if os.getppid() != parent:  # 父进程被 kill -9，工人不再独自往下做
                return
            losses[i] = train_part(parts[i])

    fork = multiprocessing.get_context("fork")
    team = [fork.Process(target=work, args=(first,)) for first in range(workers)]
    try:
        with _interrupt_later(), warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 起，有别的线程时 fork 会警告
            for process in team:
                process.start()
        for process in team:
            process.join()
    finally:  # 按了 Ctrl-C，工人也停
        for process in team:
            process.terminate()
            process.join()
    if failed := [process.exitcode for process in team if process.exitcode]:
        raise RuntimeError(f"训练的一个工人中途退出了（退出码 {failed[0]}），原因见上面的输出；"
                           "内存不够时，请减少 workers 或 vector_size")
    return losses.numpy()


@contextlib.contextmanager
def _interrupt_later() -> Iterator[None]:
    """这一段里按 Ctrl-C，做完这一段再停；这一段里 fork 出的进程不理 Ctrl-C，由父进程叫停。

    fork 前后的钩子（logging、random 都有）里抛出的 KeyboardInterrupt 会被 Python 吞掉，训练就停不下来。
    只遮住信号不够：别的线程会替主线程收下它。
    """
    if threading.current_thread() is not threading.main_thread():  # 处理信号的总是主线程
        yield
        return
    pressed: list[tuple] = []
    before = signal.signal(signal.SIGINT, lambda *signal: pressed.append(signal))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed and callable(before):
        before(*pressed[0])


def _merge(table: torch.Tensor, before: torch.Tensor) -> None:
    """各进程从同一张表 before 出发，各走各的；每一行的改动，在改过它的进程之间取平均。

    常见的词人人都改，取平均；少见的词只有一个进程见过，就用那一份，不被没见过它的拖回去。
    """
    change = table - before
    changed = (change != 0).any(dim=1, keepdim=True).to(table.dtype)
    for total in (change, changed):
        dist.all_reduce(total)
    table.copy_(before + change / changed.clamp(min=1))
