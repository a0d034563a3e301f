"""命令行：训练自己的词向量，查近邻；训练标题分类器，给标题分类。

    python -m textseq vectors own.txt -o own.vec          # 一行一句；没有切词的，用 jieba 切
    python -m textseq similar own.vec 北京
    python -m textseq train data/headlines -o model.npz   # THUCNews 格式的文件夹
    python -m textseq predict "油价今晚下调" --model model.npz
    torchrun --nproc-per-node=2 -m textseq vectors own.txt -o own.vec    # train 也可以
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from textseq._files import read_lines
from textseq.vectors import WordVectors


class Lines:
    """文本文件，每行一句，用空格隔开词；可以反复遍历，不整个读进内存。"""

    def __init__(self, path: Path):
        self.path = path

    def __iter__(self) -> Iterator[list[str]]:
        return (line.split() for _, line in read_lines(self.path))


def main(arguments: list[str] | None = None) -> None:
    """解析命令并执行；读者的错（文件不在、格式不对、词没有）只说一句话，不打印调用栈。"""
    parser = argparse.ArgumentParser(prog="python -m textseq", description="序列与词：训练与使用")
    commands = parser.add_subparsers(required=True, metavar="命令")

    vectors = commands.add_parser("vectors", help="训练词向量")
    vectors.add_argument("text", type=Path, help="文本文件，一行一句")
    vectors.add_argument("-o", "--output", type=Path, required=True, help="存到哪里，word2vec 文本格式")
    vectors.add_argument("--model", choices=["skipgram", "cbow"], default="skipgram")
    vectors.add_argument("--segmented", choices=["auto", "yes", "no"], default="auto",
                         help="文本是否已经用空格切好词；auto 看开头一千行")
    for name, kind in (("vector-size", int), ("window", int), ("negative", int), ("alpha", float),
                       ("epochs", int), ("min-count", int), ("seed", int), ("workers", int),
                       ("device", str)):
        vectors.add_argument(f"--{name}", type=kind, default=argparse.SUPPRESS)
    vectors.add_argument("--checkpoint", type=Path, help="训练途中存检查点；断了之后，同样的命令接着训练")
    vectors.set_defaults(run=train_vectors)

    similar = commands.add_parser("similar", help="查近邻")
    similar.add_argument("vectors", type=Path, help="word2vec 文本格式的词向量")
    similar.add_argument("word", nargs="+", help="一个词，或几个词的平均")
    similar.add_argument("-n", type=int, default=10, help="列出几个")
    similar.set_defaults(run=print_similar)

    train = commands.add_parser("train", help="训练标题分类器")
    train.add_argument("folder", type=Path, help="文件夹，里面有 class.txt、train.txt、dev.txt")
    train.add_argument("-o", "--output", type=Path, default=Path("model.npz"), help="存到哪里")
    train.add_argument("--unit", choices=["char", "word"], default="char", help="按字还是按词")
    train.add_argument("--cell", choices=["lstm", "gru", "rnn", "none"], default="lstm",
                       help="none 没有循环层，取词向量的平均")
    train.add_argument("--pretrain", type=int, default=20,
                       help="先在这些标题上训练词向量，几轮；0 从随机数开始")
    for name, kind in (("epochs", int), ("batch-size", int), ("rate", float), ("patience", int)):
        train.add_argument(f"--{name}", type=kind, default=argparse.SUPPRESS)
    train.add_argument("--monitor", choices=["loss", "accuracy"], default="loss",
                       help="早停看 dev 的损失还是准确率")
    train.add_argument("--seed", type=int, default=1)
    train.add_argument("--checkpoint", type=Path, help="每轮存检查点；断了之后，同样的命令接着训练")
    train.set_defaults(run=train_classifier)

    predict = commands.add_parser("predict", help="给标题分类")
    predict.add_argument("title", nargs="+", help="一条或几条标题")
    predict.add_argument("--model", type=Path, default=Path("model.npz"), help="train 存下的文件")
    predict.set_defaults(run=print_classes)

    options = vars(parser.parse_args(arguments))
    try:
        options.pop("run")(**options)
    except (ValueError, OSError, KeyError) as error:
        message = str(error.args[0] if isinstance(error, KeyError) else error)
        sys.exit(f"错误：{' '.join(message.split())}")  # 只说一行


def check_targets(output: Path, checkpoint: Path | None) -> None:
    """训练之前先看结果存不存得下，免得白等。"""
    for option, path in (("-o", output), ("--checkpoint", checkpoint)):
        if path and not path.parent.is_dir():
            raise FileNotFoundError(f"没有文件夹 {path.parent}；请先建好它，或换一个 {option}")
        if path and path.is_dir():
            raise IsADirectoryError(f"{path} 是文件夹；{option} 要的是文件名，例如 {path / 'model.npz'}")
    if checkpoint and checkpoint.resolve() == output.resolve():
        raise ValueError(f"-o 与 --checkpoint 是同一个文件 {output}；请换一个，免得互相盖掉")


def train_vectors(text: Path, output: Path, model: str, segmented: str, checkpoint: Path | None,
                  **settings) -> None:
    """训练并存下词向量；在 torchrun 下，由 0 号进程报告进度、存文件。"""
    import torch
    import torch.distributed as dist

    from textseq.vocab import encode_corpus
    from textseq.word2vec_train import train_cbow, train_skipgram

    check_targets(output, checkpoint)
    torch.set_num_threads(1)
    if "WORLD_SIZE" in os.environ:
        dist.init_process_group("nccl" if settings.get("device", "cpu").startswith("cuda") else "gloo")
    first = not dist.is_initialized() or dist.get_rank() == 0
    say = (lambda message: print(message, file=sys.stderr)) if first else (lambda message: None)

    with tempfile.TemporaryDirectory() as folder:
        if segmented == "no" or (segmented == "auto" and not looks_segmented(text)):
            say(f"{text} 没有切词，用 jieba 切（已经切好的，请加 --segmented yes）")
            text = segment(text, Path(folder) / "segmented.txt")
        corpus = encode_corpus(Lines(text), settings.pop("min_count", 5), folder=folder)
        say(f"{len(corpus.ids):,} 个词次，{len(corpus.vocab) - 2:,} 个词")
        train = train_skipgram if model == "skipgram" else train_cbow
        vectors = train(corpus, checkpoint=checkpoint, on_progress=progress_bar(), **settings)
    if first:
        vectors.save(output)
        say(f"存到 {output}")
    if dist.is_initialized():
        dist.destroy_process_group()


def train_classifier(folder: Path, output: Path, unit: str, cell: str, pretrain: int, seed: int,
                     checkpoint: Path | None, **settings) -> None:
    """训练并存下分类器，每轮报告一行；在 torchrun 下，由 0 号进程报告、存文件。"""
    import torch
    import torch.distributed as dist

    from textseq import corpora
    from textseq.classifier import Classifier, Design, build_vocab
    from textseq.classifier_fit import fit
    from textseq.classifier_start import pretrain as pretrained

    check_targets(output, checkpoint)
    train, dev = (corpora.headlines(folder, split) for split in ("train", "dev"))
    if "WORLD_SIZE" in os.environ:
        torch.set_num_threads(1)
        dist.init_process_group("gloo")
    pooling, rate = ("mean", 1e-2) if cell == "none" else ("max", 3e-3)
    design = Design(unit=unit, cell=cell, bigrams=unit == "char", pooling=pooling)
    titles = [title for title, _ in train]
    vocab = build_vocab(titles, design.unit, design.bigrams)
    vectors = pretrained(vocab, titles, design, epochs=pretrain, seed=seed) if pretrain else None
    model = Classifier(vocab, train.classes, design, vectors, seed=seed)

    def show(model, report) -> None:
        print(f"第 {report.epoch} 轮  损失 {report.train_loss:.3f} 奈特  dev {report.dev_accuracy:.1%}"
              f"  {report.seconds:.0f} 秒", file=sys.stderr, flush=True)

    fit(model, train, dev, seed=seed, checkpoint=checkpoint, on_epoch=show, **{"rate": rate} | settings)
    if not dist.is_initialized() or dist.get_rank() == 0:
        model.save(output)
        print(f"存到 {output}", file=sys.stderr)
    if dist.is_initialized():
        dist.destroy_process_group()


def print_classes(title: list[str], model: Path) -> None:
    """每条标题一行：最像的三类和概率。异常：标题是空的 ValueError。"""
    from textseq.classifier import Classifier
    loaded = Classifier.load(model)
    title = [" ".join(one.split()) for one in title]
    if "" in title:
        raise ValueError(f"第 {title.index('') + 1} 条标题是空的；请在引号里写上标题")
    for one in title:
        if not (loaded.to_ids([one]) > 1).any():
            print(f"“{one}”里没有一个训练时见过的字词，下面只是猜", file=sys.stderr)
        print(one, *(f"{name} {p:.1%}" for name, p in loaded.predict(one)[:3]), sep="\t")


def looks_segmented(path: Path) -> bool:
    """开头一千行里，空格隔开的一段平均不到六个字，就当作切好了词。"""
    pieces = [piece for _, line in islice(read_lines(path), 1000) for piece in line.split()]
    if not pieces:
        raise ValueError(f"{path} 开头一千行都是空的；请检查文件")
    return sum(map(len, pieces)) < 6 * len(pieces)


def segment(source: Path, target: Path) -> Path:
    """逐行切词，写成用空格隔开的文本。"""
    from textseq.text import tokenize
    with target.open("w", encoding="utf-8") as file:
        for _, line in read_lines(source):
            file.write(" ".join(tokenize(line)) + "\n")
    return target


def progress_bar():
    """train 的 on_progress：在终端里改写同一行，别处（重定向、记录）每隔十秒写一行。"""
    start = shown = time.monotonic()
    live = sys.stderr.isatty()

    def show(progress) -> None:
        nonlocal shown
        now, done = time.monotonic(), progress.words == progress.total
        if live or done or now - shown > 10:
            shown = now
            speed = progress.words / (now - start) / 1000
            line = (f"{progress.words / progress.total:4.0%}  {speed:,.0f} 千词/秒  "
                    f"损失 {progress.loss:.3f} 奈特")
            print(f"\r{line}" if live else line, end="\n" if done or not live else "",
                  file=sys.stderr, flush=True)

    return show


def print_similar(vectors: Path, word: list[str], n: int) -> None:
    """每行一个近邻和余弦相似度。"""
    for neighbour, cosine in WordVectors.load(vectors).most_similar(word, topn=n):
        print(f"{neighbour}\t{cosine:.3f}")


if __name__ == "__main__":
    main()
