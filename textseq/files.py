"""文件：认出编码、逐行读、写完才改名。只用标准库。"""

import codecs
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

_SAMPLE = 1 << 16  # 看开头这么多字节来认编码


def read_lines(path: str | Path) -> Iterator[tuple[int, str]]:
    """逐行给出 (行号, 去掉换行的内容)；UTF-8（有无 BOM）与 GBK 自动认出，大文件不占内存。

    异常：文件不存在 FileNotFoundError；某行解不开 ValueError，带文件名与行号。
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"找不到文件 {path}；请检查路径，当前文件夹是 {Path.cwd().name}/")
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
    """看文件开头的非 ASCII 行：至少一半能按 UTF-8 解开就是 utf-8，否则按 gb18030（GBK 的超集）。"""
    with Path(path).open("rb") as file:
        sample = file.read(_SAMPLE)
    if len(sample) == _SAMPLE:  # 最后一行多半被切断，不算数
        sample = sample[:sample.rfind(b"\n") + 1] or sample[:-4]
    lines = [line for line in sample.splitlines() if not line.isascii()]
    valid = sum(_decodes(line) for line in lines)
    return "gb18030" if lines and 2 * valid < len(lines) and not _cut_short(sample) else "utf-8"


def write_atomically(path: str | Path, content: str | bytes) -> None:
    """先写临时文件，写完再改名：中途断电也不会留下半个文件。"""
    path = Path(path)
    data = content.encode("utf-8") if isinstance(content, str) else content
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    try:
        with temporary.open("xb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _decodes(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _cut_short(sample: bytes) -> bool:
    """整段是 UTF-8，只是末尾断在一个字中间。"""
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        decoder.decode(sample, final=False)
    except UnicodeDecodeError:
        return False
    return True
