"""textseq：《序列与词》用的小模块。

一个文件一个题目，用到哪个导入哪个：

    from textseq import text, vocab, sequences, corpora, figures, explore

`import textseq` 本身不带入 torch 与 matplotlib，瞬间完成。
"""

__version__ = "0.1.0"
