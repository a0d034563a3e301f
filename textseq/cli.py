"""命令行 textseq：训练自己的词向量，查近邻；训练标题分类器，给标题分类，评分；摆出课程。第 07、10 章。

    textseq vectors own.txt -o own.vec          # 一行一句；没有切词的，用 jieba 切
    textseq similar own.vec 北京
    textseq train data/headlines -o model.npz   # THUCNews 格式的文件夹
    textseq predict "油价今晚下调" --model model.npz
    textseq evaluate data/headlines --split test --model model.npz
    textseq course 我的课程                     # 十章 notebook 与数据；textseq site 打开书
    torchrun --nproc-per-node=2 -m textseq vectors own.txt -o own.vec    # train 也可以

没有装成命令时，用 python -m textseq。退出码：0 做完了，1 出了错，2 命令写错了，130 被 Ctrl-C 停下。
"""

from __future__ import annotations

import argparse
import errno
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from textseq import __version__, corpora
from textseq._checkpoint import ZIP
from textseq._files import check_readable, check_target, read_lines, sniff_encoding, temporary
from textseq.course import lay_out_notebooks, lay_out_site
from textseq.vectors import WordVectors

__all__ = ["build_parser", "explain", "main"]

WORD2VEC = re.compile(rb"\s*\d+\s+\d+\s*\n")  # word2vec 格式的第一行
# argparse 的英文 → 中文；它的说法各版本略有不同，认不出的照原样
_ENGLISH = (
    (r"the following arguments are required: (.*)", r"还缺：\1"),
    (r"unrecognized arguments: (.*)", r"不认识：\1"),
    (r"argument (.*?): invalid choice: (.*?) \(choose from (.*)\)", r"\1 应为 \3 之一，收到 \2"),
    (r"argument (.*?): invalid int value: (.*)", r"\1 应为整数，收到 \2"),
    (r"argument (.*?): invalid float value: (.*)", r"\1 应为一个数，收到 \2"),
    (r"argument (.*?): expected one argument", r"\1 后面要写一个值"),
    (r"argument (.*?): expected at least one argument", r"\1 后面至少写一个值"),
    (r"ambiguous option: (.*?) could match (.*)", r"\1 写得不全，可能是 \2"),
)
_SYSTEM = {errno.ENOENT: "找不到", errno.EACCES: "没有权限", errno.EPERM: "没有权限",
           errno.EROFS: "那里是只读的", errno.ENOSPC: "磁盘满了", errno.ENAMETOOLONG: "文件名太长",
           errno.EFBIG: "文件太大，超过了这里许可的大小", errno.EDQUOT: "磁盘配额用完了",
           errno.ENOMEM: "内存不够", errno.EIO: "读写出错",
           errno.EISDIR: "是文件夹", errno.ENOTDIR: "路径里有一段不是文件夹"}

_NO_MEMORY = re.compile(
    "failed to map segment|allocate memory|bad.alloc|not enough memory", re.I)  # torch 的说法


class _Parser(argparse.ArgumentParser):
    """标题、报错都用中文，选项的默认值写在说明后面。"""

    def __init__(self, **options):
        super().__init__(formatter_class=_Help, add_help=False, **options)
        self._positionals.title, self._optionals.title = "参数", "选项"
        self.add_argument("-h", "--help", action="help", help="显示这段说明")

    def error(self, message: str) -> None:
        for english, chinese in _ENGLISH:
            message = re.sub(english, chinese, message)
        hint = ""
        if self.prog.endswith("predict"):
            hint = f"\n以 - 开头的标题写在 -- 之后：{self.prog} -- \"-5℃，北京今晨最冷\""
        self.exit(2, f"{self.format_usage()}错误：{message}{hint}\n")


class _Help(argparse.HelpFormatter):
    def add_usage(self, usage, actions, groups, prefix=None):
        super().add_usage(usage, actions, groups, "用法：" if prefix is None else prefix)

    def _get_help_string(self, action):
        shown = action.default not in (None, argparse.SUPPRESS, False)
        return f"{action.help}（默认 %(default)s）" if shown and action.option_strings else action.help


def main(arguments: list[str] | None = None) -> None:
    """解析命令并执行；读者的错（文件不在、格式不对、词没有）只说一句话，不打印调用栈。

    arguments 不给就是命令行里写的。异常：SystemExit，带退出码。

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     WordVectors(["猫", "狗", "车"], [[1, 0], [0.8, 0.6], [0, 1]]).save(f"{folder}/a.vec")
    ...     main(["similar", f"{folder}/a.vec", "猫", "-n", "1"])  # doctest: +NORMALIZE_WHITESPACE
    狗	0.800
    """
    for stream in (sys.stdout, sys.stderr):  # GBK 的终端写不出的字，换成编号，不中断
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")
    options = vars(build_parser().parse_args(arguments))
    run, _ = options.pop("run"), options.pop("命令")
    try:
        run(**options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        kept = options.get("checkpoint")
        remedy = (f"检查点在 {kept}，用同样的命令接着训练" if kept and kept.exists() else
                  "没有检查点；下次加上 --checkpoint，停下也能接着来" if "checkpoint" in options else "")
        _stop(130, "\n已停止" + (f"；{remedy}" if remedy else ""))
    except BrokenPipeError:  # textseq similar … | head：下游不看了
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        _stop(1)
    except (ValueError, OSError, KeyError, RuntimeError, ImportError, MemoryError) as error:
        _stop(1, f"错误：{explain(error)}")


def build_parser() -> argparse.ArgumentParser:
    """全部命令与选项。

    >>> build_parser().parse_args(["similar", "own.vec", "北京"]).n
    10
    """
    parser = _Parser(prog="textseq", description="序列与词：训练与使用词向量、标题分类器")
    parser.add_argument("--version", action="version", version=f"textseq {__version__}",
                        help="显示版本")
    commands = parser.add_subparsers(required=True, metavar="命令", title="命令", dest="命令")
    for name, about, add, run in (
            ("vectors", "训练词向量", _vectors_options, _train_vectors),
            ("similar", "查近邻", _similar_options, _print_similar),
            ("train", "训练标题分类器", _train_options, _train_classifier),
            ("predict", "给标题分类", _predict_options, _print_classes),
            ("evaluate", "给训练好的分类器评分", _evaluate_options, _print_score),
            ("course", "摆出十章 notebook 与数据，不用网", _course_options, _lay_out_course),
            ("site", "打开随包带着的书，不用网", _site_options, _open_site)):
        command = commands.add_parser(name, help=about, description=about)
        add(command.add_argument)
        command.set_defaults(run=run)
    return parser


def _vectors_options(add: Callable) -> None:
    add("text", type=Path, metavar="文本", help="文本文件，一行一句")
    add("-o", "--output", type=Path, required=True, metavar="文件",
        help="存到哪里，word2vec 文本格式")
    add("--algorithm", choices=["skipgram", "cbow"], default="skipgram", help="哪种模型")
    add("--segmented", choices=["auto", "yes", "no"], default="auto",
        help="文本是否已经用空格切好词；auto 看开头一千行")
    add("--vector-size", type=int, default=100, metavar="数", help="向量的维数")
    add("--window", type=int, default=5, metavar="数", help="左右各看几个词")
    add("--negative", type=int, default=5, metavar="数", help="每对几个负样本")
    add("--alpha", type=float, metavar="数", help="起始学习率；不写时 skipgram 用 0.05，cbow 用 0.2")
    add("--sample", type=float, default=1e-3, metavar="数", help="越小，常见词丢得越多；0 不丢")
    add("--epochs", type=int, default=5, metavar="数", help="走几轮")
    add("--min-count", type=int, default=5, metavar="数", help="出现不到这么多次的词不要")
    add("--seed", type=int, default=1, metavar="数", help="随机数的种子")
    add("--workers", type=int, default=1, metavar="数", help="几个进程一起训练；1 时结果逐位可重复")
    add("--device", default="cpu", metavar="设备", help="cpu、cuda 或 mps")
    add("--checkpoint", type=Path, metavar="文件",
        help="训练途中存检查点；断了之后，同样的命令接着训练")


def _similar_options(add: Callable) -> None:
    add("vectors", type=Path, metavar="词向量", help="word2vec 格式的词向量，文本与二进制都行")
    add("word", nargs="+", metavar="词", help="一个词，或几个词的平均")
    add("-n", type=int, default=10, metavar="数", help="列出几个")
    add("--limit", type=int, metavar="数", help="只读开头这么多个词，文件很大时用")


def _train_options(add: Callable) -> None:
    add("folder", type=Path, metavar="文件夹", help="里面有 class.txt、train.txt、dev.txt")
    add("-o", "--output", type=Path, default=Path("model.npz"), metavar="文件", help="存到哪里")
    add("--unit", choices=["char", "word"], default="char", help="按字还是按词")
    add("--cell", choices=["lstm", "gru", "rnn", "none"], default="lstm",
        help="循环层；none 没有循环层，取词向量的平均")
    add("--pretrain", type=int, default=20, metavar="数",
        help="先在这些标题上训练词向量，几轮；0 从随机数开始")
    add("--epochs", type=int, default=10, metavar="数", help="至多几轮")
    add("--batch-size", type=int, default=64, metavar="数", help="一批几条")
    add("--lr", type=float, metavar="数", help="起始学习率；不写时 0.003，--cell none 时 0.01")
    add("--patience", type=int, default=2, metavar="数", help="几轮没有更好就停")
    add("--monitor", choices=["loss", "accuracy"], default="loss",
        help="早停看 dev 的损失还是准确率")
    add("--seed", type=int, default=1, metavar="数", help="随机数的种子")
    add("--checkpoint", type=Path, metavar="文件",
        help="途中存检查点（词向量的存在旁边）；断了之后，同样的命令接着训练")


def _predict_options(add: Callable) -> None:
    add("title", nargs="+", metavar="标题", help="一条或几条标题；- 从标准输入读，一行一条")
    add("--model", type=Path, default=Path("model.npz"), metavar="文件", help="train 存下的文件")


def _evaluate_options(add: Callable) -> None:
    add("folder", type=Path, metavar="文件夹", help="里面有 class.txt 与要评的那一份")
    add("--split", default="test", metavar="名字", help="哪一份：train、dev、test")
    add("--model", type=Path, default=Path("model.npz"), metavar="文件", help="train 存下的文件")


def _course_options(add: Callable) -> None:
    add("folder", type=Path, help="放在哪个文件夹，新的或空的")


def _site_options(add: Callable) -> None:
    add("folder", type=Path, nargs="?", default=Path("textseq-site"), help="放在哪个文件夹")
    add("--no-browser", action="store_true", help="只摆好，不打开浏览器")


def _train_vectors(text: Path, output: Path, algorithm: str, segmented: str, min_count: int,
                  alpha: float | None, checkpoint: Path | None, **settings) -> None:
    """训练并存下词向量；在 torchrun 下，由 0 号进程报告进度、存文件。"""
    import torch

    from textseq.shapes import check_integer
    from textseq.vocab import encode_corpus
    from textseq.word2vec_fast import Settings
    from textseq.word2vec_train import train

    check_readable(text)
    _check_targets(output, WORD2VEC, checkpoint, [text])
    check_integer("min_count", min_count)
    settings = Settings(alpha=alpha or {"skipgram": 0.05, "cbow": 0.2}[algorithm], **settings)
    torch.set_num_threads(1)
    with _processes(settings.device) as say, temporary(_scratch(), _private) as folder:
        text = _segmented_text(text, segmented, folder, say)
        corpus = encode_corpus(corpora.lines(text), min_count, folder=folder)
        say(f"{len(corpus.ids):,} 个词次，{len(corpus.vocab.real_words):,} 个词")
        tables = train(algorithm, corpus, settings, _progress_bar(), checkpoint)
        if say is not _silent:
            words = corpus.vocab.real_words
            WordVectors(words, tables.embedding[-len(words):], copy=False).save(output)
        del corpus  # Windows 上，还映射着的文件删不掉
        say(f"存到 {output}")


def _train_classifier(folder: Path, output: Path, unit: str, cell: str, pretrain: int,
                     lr: float | None, checkpoint: Path | None, **settings) -> None:
    """训练并存下分类器，每轮报告一行；在 torchrun 下，由 0 号进程报告、存文件。"""
    import torch

    from textseq import classifier_start
    from textseq.classifier import Classifier, Design, build_vocab
    from textseq.classifier_fit import MONITORS, Recipe, check_recipe, check_resume, fit
    from textseq.shapes import check_integer

    check_integer("pretrain", pretrain, least=0)
    design = Design(unit=unit, cell=cell, bigrams=unit == "char",
                    pooling="mean" if cell == "none" else "max")
    lr = lr or (1e-2 if cell == "none" else 3e-3)
    recipe = check_recipe(Recipe(lr=lr, max_norm=5.0, **settings))
    inputs = [folder / f"{name}.txt" for name in ("class", "train", "dev")]
    _check_targets(output, ZIP, checkpoint, inputs)
    train, dev = (corpora.headlines(folder, split) for split in ("train", "dev"))
    rows = {name: corpora.check_labels(name, part, train.classes)
            for name, part in (("train", train), ("dev", dev))}
    torch.set_num_threads(1)  # 一步的矩阵小，多线程只会互相等
    with _processes() as say:
        titles = [title for title, _ in rows["train"]]
        vocab = build_vocab(titles, design.unit, design.bigrams)
        model = Classifier(vocab, train.classes, design, seed=recipe.seed)
        if checkpoint:
            check_resume(checkpoint, model, rows["train"], rows["dev"], recipe)
        if pretrain:
            say(f"先在 {len(titles):,} 条标题上训练词向量，{pretrain} 轮")
            model.start_from(classifier_start.pretrain(
                vocab, titles, design, epochs=pretrain, seed=recipe.seed,
                on_progress=_progress_bar(), checkpoint=_beside(checkpoint)))
        reports = fit(model, rows["train"], rows["dev"], checkpoint=checkpoint,
                      on_epoch=lambda _, report: _say_epoch(report, say), **recipe._asdict())
        best = min(reports, key=MONITORS[recipe.monitor])
        if say is not _silent:
            model.save(output)
        say(f"留下第 {best.epoch} 轮的：dev 准确率 {best.dev_accuracy:.1%}；存到 {output}")


def _print_similar(vectors: Path, word: list[str], n: int, limit: int | None) -> None:
    """每行一个近邻和余弦相似度。"""
    loaded = WordVectors.load(check_readable(vectors), limit=limit)
    for neighbour, cosine in loaded.most_similar(word, topn=n):
        print(f"{neighbour}\t{cosine:.3f}")


def _print_classes(title: list[str], model: Path) -> None:
    """每条标题一行：最像的三类和概率。异常：标题是空的 ValueError。"""
    from textseq.classifier import Classifier
    from textseq.vocab import UNK_ID
    titles = [line for one in title for line in (sys.stdin if one == "-" else one.split("\n"))]
    titles = [" ".join(one.split()) for one in titles]
    if title == ["-"] or len(titles) > len(title):  # 成批的：末尾的空行不算
        titles = [one for one in titles if one]
    if not titles or "" in titles:
        number = titles.index("") + 1 if titles else 1
        raise ValueError(f"第 {number} 条标题是空的；请在引号里写上标题")
    loaded = Classifier.load(model)
    for one in titles:
        if not (loaded.to_ids([one]) > UNK_ID).any():
            print(f"“{one}”里没有一个训练时见过的字词，下面只是猜", file=sys.stderr)
        print(one, *(f"{name} {p:.1%}" for name, p in loaded.predict(one)[:3]), sep="\t")


def _print_score(folder: Path, split: str, model: Path) -> None:
    """一份带标签的标题上的条数、准确率与平均损失。"""
    from textseq.classifier import Classifier
    from textseq.evaluation import title_score
    titles, loaded = corpora.headlines(folder, split), Classifier.load(model)
    if titles.classes != loaded.classes:
        raise ValueError(f"{folder}/class.txt 的类别是 {'、'.join(titles.classes)}，"
                         f"模型的是 {'、'.join(loaded.classes)}；请换成训练时的那一份")
    rows = list(titles)
    loss, accuracy = title_score(loaded, rows)
    print(f"{split}\t{len(rows):,} 条\t准确率 {accuracy:.1%}\t损失 {loss:.3f} 奈特")


def _lay_out_course(folder: Path) -> None:
    notebooks = lay_out_notebooks(folder)
    print(f"课程在 {folder}；动手：jupyter lab \"{notebooks}\"（要先装好 textseq[lab]）")


def _open_site(folder: Path, no_browser: bool) -> None:
    index = lay_out_site(folder).resolve()
    print(f"书在这里：{index.as_uri()}")
    if not no_browser:
        import webbrowser
        webbrowser.open(index.as_uri())


def _progress_bar() -> Callable:
    """word2vec_train.train 的 on_progress：在终端里改写同一行，别处（重定向）每隔十秒写一行。

    速度只算这一次的：接着训练时，上次做完的不算。
    """
    start = shown = time.monotonic()
    live = sys.stderr.isatty()

    def show(progress) -> None:
        nonlocal shown
        now, done = time.monotonic(), progress.words == progress.total
        if live or done or now - shown > 10:
            shown = now
            speed = (progress.words - progress.begun) / max(now - start, 1e-9)
            left = "" if done else f"还要 {_clock((progress.total - progress.words) / speed)}  "
            line = (f"{progress.words / progress.total:4.0%}  {speed / 1000:,.0f} 千词/秒  "
                    f"{left}损失 {progress.loss:.3f} 奈特")
            print(f"\r{line}\x1b[K" if live else line, end="\n" if done or not live else "",
                  file=sys.stderr, flush=True)

    return show


def explain(error: BaseException) -> str:
    """错误 → 一行中文。

    >>> explain(FileNotFoundError(errno.ENOENT, "No such file", "own.txt"))
    'own.txt：找不到；请检查路径、权限与剩下的空间，或换一个地方'
    """
    if isinstance(error, ModuleNotFoundError) and error.name:
        return (f"没有安装 {error.name}，这个命令要用它；"
                'pip install "textseq[lab]"，在课程文件夹里是 pip install -e ".[lab]"')
    if isinstance(error, MemoryError) or _NO_MEMORY.search(str(error)):
        return ("内存不够；请关掉别的程序，或减小语料"
                "（vectors 还可以减小 --vector-size，train 减小 --batch-size）")
    if isinstance(error, OSError) and error.errno:
        where = f"{error.filename}：" if error.filename is not None else "读写文件时："
        reason = _SYSTEM.get(error.errno, error.strerror)
        return f"{where}{reason}；请检查路径、权限与剩下的空间，或换一个地方"
    message = str(error.args[0] if isinstance(error, KeyError) and error.args else error)
    return " ".join(message.split()) or type(error).__name__


def _stop(code: int, message: str = "") -> None:
    if message:
        print(message, file=sys.stderr)
    sys.exit(code)


def _silent(message: str) -> None:
    """torchrun 的其余进程不说话。"""


@contextmanager
def _processes(device: str = "cpu") -> Iterator[Callable[[str], None]]:
    """在 torchrun 下与其他进程连起来；给出说话的函数，只有 0 号进程真的说。"""
    import torch.distributed as dist
    launched = {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= os.environ.keys()
    if launched:
        dist.init_process_group("nccl" if device.startswith("cuda") else "gloo")
    try:
        first = not launched or dist.get_rank() == 0
        yield (lambda message: print(message, file=sys.stderr, flush=True)) if first else _silent
    finally:
        if launched:
            dist.destroy_process_group()


def _scratch() -> Path:
    """系统放临时文件的地方。"""
    return Path(tempfile.gettempdir())


def _private(folder: Path) -> None:
    """只有自己能看的文件夹：里面是读者的语料。"""
    folder.mkdir(mode=0o700)


def _check_targets(output: Path, kind: re.Pattern[bytes], checkpoint: Path | None,
                   inputs: list[Path]) -> None:
    """结果与检查点都写得下，不盖掉读者的文件。"""
    check_target("-o", output, inputs, kind)
    if checkpoint:
        check_target("--checkpoint", checkpoint, inputs, ZIP)
        if os.path.realpath(checkpoint) == os.path.realpath(output):
            raise ValueError(f"-o 与 --checkpoint 是同一个文件 {output}；请换一个，免得互相盖掉")


def _segmented_text(text: Path, segmented: str, folder: Path, say: Callable) -> Path:
    """切好词的文本；编码与切没切词，怎么认的都说出来。"""
    encoding = sniff_encoding(text)
    if encoding != "utf-8":
        say(f"{text} 认作 {'GBK' if encoding == 'gb18030' else 'Big5'} 编码")
    if segmented == "auto":
        found = corpora.looks_segmented(text)
        if found.one_per_line:
            raise ValueError(f"{text}：{found.reason}；词向量要整句的文本，请一行一句。"
                             "真是一行一句短话的，请写明 --segmented yes（已切词）或 no（没切词）")
        say(f"{text}：{found.reason}，" + ("当作已经切好词（不对就加 --segmented no）" if found else
                                          "没有切词，用 jieba 切（已经切好的，请加 --segmented yes）"))
        segmented = "yes" if found else "no"
    return text if segmented == "yes" else _segment(text, folder / "segmented.txt")


def _segment(source: Path, target: Path) -> Path:
    """逐行切词，写成用空格隔开的文本。"""
    from textseq.text import tokenize
    with target.open("w", encoding="utf-8") as file:
        for _, line in read_lines(source):
            file.write(" ".join(tokenize(line)) + "\n")
    return target


def _beside(checkpoint: Path | None) -> Path | None:
    """起始词向量的检查点，放在旁边：c.npz → c.vectors.npz。"""
    return checkpoint and checkpoint.with_suffix(f".vectors{checkpoint.suffix or '.npz'}")


def _say_epoch(report, say: Callable) -> None:
    say(f"第 {report.epoch} 轮  损失 {report.train_loss:.3f} 奈特  dev {report.dev_accuracy:.1%}"
        f"  {report.seconds:.0f} 秒")


def _clock(seconds: float) -> str:
    """剩余时间：90 → 1 分 30 秒。"""
    minutes, seconds = divmod(int(seconds + 0.5), 60)
    return f"{minutes} 分 {seconds:02} 秒" if minutes else f"{seconds} 秒"

