"""textseq 的规矩：只往下导入，导入要轻，文件要短。"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "textseq"
LAYERS = {
    1: {"_files", "_words", "text", "shapes", "figures", "tables", "explore", "gradcheck"},
    2: {"sequences", "rnn", "corpora", "vectors", "_checkpoint", "course"},
    3: {"vocab", "lstm", "word2vec", "evaluation", "quantized", "naive_bayes"},
    4: {"word2vec_fast", "classifier"},
    5: {"word2vec_train", "classifier_fit"},
    6: {"tracking", "classifier_start"},
    7: {"cli"},
    8: {"__main__"},
}
LAYER_OF = {name: layer for layer, names in LAYERS.items() for name in names}
SOURCES = sorted(p for p in PACKAGE.glob("*.py") if p.stem != "__init__")


def imports(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def siblings(path):
    """导入了哪些自己的模块；__version__ 一类的名字不算。"""
    names = {name.split(".")[1] for name in imports(path) if name.startswith("textseq.")}
    return names & LAYER_OF.keys()


def test_every_file_has_a_layer():
    assert {p.stem for p in SOURCES} == set(LAYER_OF)


def test_a_file_imports_only_from_lower_layers():
    upward = [f"{path.stem} → {name}" for path in SOURCES for name in siblings(path)
              if LAYER_OF[name] >= LAYER_OF[path.stem]]
    assert upward == []


def test_no_pickle_and_no_network():
    unwanted = {"pickle", "shelve", "dill", "joblib", "urllib", "requests", "socket", "http"}
    assert [(path.name, name) for path in SOURCES for name in imports(path)
            if name.split(".")[0] in unwanted] == []


def test_functions_fit_on_a_screen():
    """一个函数至多 40 行，不算说明；一行至多 100 个字符。"""
    long = []
    for path in SOURCES:
        source = path.read_text(encoding="utf-8")
        long += [f"{path.name} 第 {n} 行" for n, line in enumerate(source.splitlines(), start=1)
                 if len(line) > 100]
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                start = node.body[0].end_lineno if ast.get_docstring(node) else node.lineno
                if node.end_lineno - start > 40:
                    long.append(f"{path.name} 的 {node.name}")
    assert long == []


@pytest.mark.parametrize("statement, forbidden", [
    ("import textseq", {"torch", "matplotlib", "numpy", "jieba"}),
    ("from textseq import text, vocab, sequences, corpora, explore", {"torch", "matplotlib", "snownlp"}),
])
def test_importing_is_light(statement, forbidden):
    code = f"{statement}; import sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert not forbidden & set(loaded.split())
