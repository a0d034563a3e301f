"""文件：认出编码、逐行读、训练之前先看写不写得下、写完才改名、不留垃圾。只用标准库；各章背后的杂务。"""

from __future__ import annotations

import codecs
import contextlib
import os
import re
import shutil
import stat
import uuid
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

_OURS = ".textseq-"  # 临时的文件与文件夹，名字都这样开头
_SAMPLE = 1 << 16  # 看开头这么多字节来认编码
# 最常见的字，繁简都有：解对了编码，每五个汉字里总有一个
_COMMON = frozenset("的一是不了人我在有他這这中大來来上國国個个到說说們们為为子和你地出道也時时年得就"
                    "那要下以生會会自著着去之過过家學学對对可她里後后小么心多天而能好都然沒没日於于起還还"
                    "發发成事只作當当想看文無无開开手十用主行方又如前所本見见經经頭头面公同三已老從从動动")
# 一看开头几个字节就知道不是文本的：(开头，是什么，怎么办)
_NOT_TEXT = (
    (b"\x1f\x8b", "gzip 压缩文件", "请先解压"),
    (b"PK\x03\x04", "zip 一类的文件（.xlsx、.docx、.npz 都是）", "请解压，或另存为纯文本（UTF-8）"),
    (b"\xff\xfe", "UTF-16 编码（Excel 与记事本的“Unicode 文本”）", "请另存为 UTF-8"),
    (b"\xfe\xff", "UTF-16 编码", "请另存为 UTF-8"),
)


def check_readable(path: str | Path) -> Path:
    """能反复读的普通文件就返回它。异常：不在 FileNotFoundError，是文件夹、管道等 ValueError。"""
    path = Path(path)
    if path.is_dir():
        raise ValueError(f"{path} 是文件夹，这里要的是文件；请写出文件名")
    if not path.exists():
        raise FileNotFoundError(f"找不到文件 {path}；请检查路径，当前文件夹是 {Path.cwd().name}/")
    if not path.is_file():
        raise ValueError(f"{path} 不是普通文件（可能是管道）；它要读不止一遍，请先存成文件")
    return path


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """逐行给出 (行号, 去掉换行的内容)；UTF-8（有无 BOM）、GBK 与 Big5 自动认出，大文件不占内存。

    异常：文件不存在 FileNotFoundError；不是文本，或某行解不开，ValueError，带文件名与行号。
    """
    path = check_readable(path)
    encoding = sniff_encoding(path)
    with path.open("rb") as file:
        for number, raw in enumerate(file, start=1):
            if number == 1:
                raw = raw.removeprefix(codecs.BOM_UTF8)
            try:
                line = raw.decode(encoding)
            except UnicodeDecodeError as error:
                raise ValueError(
                    f"{path} 第 {number} 行：第 {error.start + 1} 个字节起不是合法的 {encoding.upper()}；"
                    "文件可能没有下载完整，或混用了两种编码，请另存为 UTF-8") from None
            yield number, line.rstrip("\r\n")


def sniff_encoding(path: str | Path) -> str:
    """看文件的开头认编码：utf-8，gb18030（GBK 的超集）或 big5。

    非 ASCII 的行至少一半能按 UTF-8 解开就是 utf-8；否则 GBK 与 Big5 都解一遍，看谁的常见字多。
    异常：看得出不是文本的（压缩文件、UTF-16），ValueError，说出是什么。
    """
    with Path(path).open("rb") as file:
        sample = file.read(_SAMPLE)
    for magic, what, remedy in _NOT_TEXT:
        if sample.startswith(magic):
            raise ValueError(f"{path} 是 {what}，不能当文本读；{remedy}")
    if sample.count(0) > len(sample) / 8:
        raise ValueError(f"{path} 里有许多零字节，不是文本，或是 UTF-16 编码；请另存为 UTF-8")
    if len(sample) == _SAMPLE:  # 最后一行多半被切断，不算数
        sample = sample[:sample.rfind(b"\n") + 1] or sample[:-4]
    lines = [line for line in sample.splitlines() if not line.isascii()]
    valid = sum(_decodes(line) for line in lines)
    if not lines or 2 * valid >= len(lines) or is_utf8(sample):
        return "utf-8"
    return max(("gb18030", "big5"), key=lambda name: _share_of_common(sample, name))


def check_target(option: str, path: Path, inputs: Iterable[Path] = (),
                 replaces: re.Pattern[bytes] | None = None) -> None:
    """训练之前先看结果写不写得下：免得白等，也免得盖掉读者的文件。

    path 不能是 inputs 里的文件；已有的文件，开头要合乎 replaces（同一种文件）才可以换掉。
    异常：ValueError、FileNotFoundError，或写不进去时的 OSError。
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(f"没有文件夹 {path.parent}；请先建好它，或换一个 {option}")
    if path.is_dir():
        raise ValueError(f"{path} 是文件夹；{option} 要的是文件名，例如 {path / 'model.npz'}")
    for other in inputs:
        if other.exists() and path.exists() and path.samefile(other):
            raise ValueError(f"{option} {path} 就是要读的 {other}，写下去会盖掉它；请换一个名字")
    if path.is_file() and path.stat().st_size:
        if not os.access(path, os.W_OK):
            raise PermissionError(13, "这个文件是只读的", str(path))
        with path.open("rb") as file:
            if replaces and not replaces.match(file.read(200)):
                raise ValueError(f"{option} {path} 已经在了，而且是别的文件；为免盖掉它，请换一个名字")
    if _is_plain(path):
        with _named(path), temporary(_folder(path), Path.touch):
            pass


def write_atomically(path: str | Path, content: str | bytes | Iterable[bytes]) -> None:
    """先写临时文件，落了盘再改名：中途断电也不会留下半个文件。

    content 可以是一块一块的字节，不必整个放在内存里。符号链接写到它指的文件；权限照旧；
    管道、设备不能改名，直接写进去。
    """
    given, path = path, Path(os.path.realpath(path))
    if isinstance(content, (str, bytes)):
        content = [content.encode("utf-8") if isinstance(content, str) else content]
    if not _is_plain(path):
        with path.open("wb") as file:
            file.writelines(content)
        return
    with _named(given), temporary(path.parent, Path.touch) as new:
        with new.open("wb") as file:
            if path.exists():
                os.chmod(new, stat.S_IMODE(path.stat().st_mode))
            file.writelines(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, path)
    _sync_folder(path.parent)


@contextlib.contextmanager
def temporary(folder: Path, make: Callable[[Path], None]) -> Iterator[Path]:
    """folder 里的一个临时文件或文件夹，由 make（Path.touch、Path.mkdir）造出来，用完删去。

    用着的时候锁着它；kill -9 留下的没有人锁，下一个来的人扫掉。Windows 没有这种锁，就不扫。
    """
    for old in folder.glob(_OURS + "[0-9a-f]" * 12):
        if (lock := _lock(old, wait=False)) is not None:
            _remove(old)
            os.close(lock)
    while True:
        path = folder / f"{_OURS}{uuid.uuid4().hex[:12]}"  # 不带原来的名字，原来的再长也放得下
        make(path)
        lock = _lock(path)
        if path.exists():
            break
        if lock is not None:  # 刚造好，还没锁上，就被别人扫走了：再造一个
            os.close(lock)
    try:
        yield path
    finally:
        _remove(path)
        if lock is not None:
            os.close(lock)


def rewrite_table(path: Path, rows: Iterable[tuple[str, str]]) -> str:
    """换掉说明文件里以“| 项目 |”开头的那张表，返回新表。"""
    table = "".join(f"| {name} | {value} |\n" for name, value in (("项目", "数"), *rows))
    table = table.replace("\n", "\n|---|---|\n", 1)
    text = path.read_text(encoding="utf-8")
    write_atomically(path, re.sub(r"\| 项目 \|.*?\n(?=\n)", lambda _: table, text, flags=re.S))
    return table


def _is_plain(path: Path) -> bool:
    """普通文件，或还没有这个文件。"""
    return path.is_file() or not path.exists()


@contextlib.contextmanager
def _named(path: str | Path) -> Iterator[None]:
    """系统的错误里说读者写的名字，不说临时文件的。"""
    try:
        yield
    except OSError as error:
        if error.errno:
            error.filename = str(path)
        raise


def _folder(path: Path) -> Path:
    """文件真正所在的文件夹：符号链接看它指的。"""
    return Path(os.path.realpath(path)).parent


def _lock(path: Path, wait: bool = True) -> int | None:
    """锁住，返回打开的文件号，关掉它就放开；锁不了（wait=False 时别人锁着，或没有这种锁），None。"""
    if fcntl is None:
        return None
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            return handle
        except OSError:
            os.close(handle)
    return None


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """改名也落盘；Windows 不能打开文件夹，也用不着。"""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _decodes(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _share_of_common(sample: bytes, encoding: str) -> float:
    """按这种编码解开，汉字里有多少是最常见的字；解不开的字节也占份。"""
    text = sample.decode(encoding, errors="replace")
    wide = [c for c in text if c > "\x7f"]
    return sum(c in _COMMON for c in wide) / max(len(wide), 1)


def is_utf8(sample: bytes) -> bool:
    """合法的 UTF-8，只是末尾可以断在一个字中间。"""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(sample, final=False)
    except UnicodeDecodeError:
        return False
    return True
