"""测试守得住模块吗：把 textseq 里的代码一处一处改坏，看它自己的测试红不红。

    python tests/by_hand/mutate_module.py 120          # 随机改 120 处，种子 1；只要 NumPy 的模块，约一小时

改法：比较换一个、加减互换、乘除互换、整数加一、and 与 or 互换、not 去掉、返回值换成 None。
改坏的放在临时文件夹里跑那个模块的测试与文档里的例子，原来的不动；测试卡住超过两分钟也算发现了。
"""

import ast
import copy
import os
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
# 模块 → 它自己的测试；要 torch 训练很久的、画图的、互动的不在内
TESTS = {
    "_checkpoint": ["checkpoint"], "_files": ["files"], "_words": ["vectors", "vocab"],
    "corpora": ["corpora"],
    "evaluation": ["evaluation"], "gradcheck": ["gradcheck"], "lstm": ["lstm"],
    "naive_bayes": ["classifier"], "quantized": ["quantized"], "rnn": ["rnn"], "sequences": ["sequences"],
    "shapes": ["sequences", "word2vec"], "tables": ["tables"], "text": ["text", "segmentation"],
    "vectors": ["vectors", "vectors_format"], "vocab": ["vocab", "vocab_corpus"],
    "word2vec": ["word2vec", "word2vec_negative"],
}
COMPARE = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
           ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is}
BINARY = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult}


def changes(node):
    """一个语法结点的各种改坏的样子。"""
    new = copy.deepcopy(node)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in COMPARE:
        new.ops[0] = COMPARE[type(node.ops[0])]()
        yield new
    elif isinstance(node, ast.BinOp) and type(node.op) in BINARY:
        new.op = BINARY[type(node.op)]()
        yield new
    elif isinstance(node, ast.BoolOp):
        new.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield new
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield node.operand
    elif isinstance(node, ast.Constant) and type(node.value) is int:
        new.value += 1
        yield new
    elif isinstance(node, ast.Return) and node.value is not None:
        new.value = ast.Constant(None)
        yield new


class Swap(ast.NodeTransformer):
    """把第 at 个可改的结点换掉。"""

    def __init__(self, at):
        self.at, self.seen, self.found = at, -1, None

    def visit(self, node):
        for new in changes(node):
            self.seen += 1
            if self.seen == self.at:
                self.found = f"第 {node.lineno} 行：{ast.unparse(node)[:70]} → {ast.unparse(new)[:70]}"
                return ast.copy_location(new, node)
        return self.generic_visit(node)


def count(tree):
    return sum(1 for node in ast.walk(tree) for _ in changes(node))


def is_caught(folder, module, source):
    """改坏的源码放进去，跑它的测试；红了就是发现了。"""
    target = folder / f"textseq/{module}.py"
    before = target.read_text(encoding="utf-8")
    target.write_text(source, encoding="utf-8")
    tests = [f"tests/test_{name}.py" for name in TESTS[module]]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-n0", "-p", "no:nbval", "-p", "no:cacheprovider",
               "--override-ini", "addopts=", "-m", "not full", "--doctest-modules",
               f"textseq/{module}.py", *tests]
    try:
        done = subprocess.run(command, cwd=folder, env=os.environ | {"PYTHONPATH": str(folder)},
                              capture_output=True, timeout=120)
        return done.returncode != 0
    except subprocess.TimeoutExpired:
        return True
    finally:
        target.write_text(before, encoding="utf-8")


def main(n, seed=1):
    rng, survivors = random.Random(seed), []
    sources = {module: (ROOT / f"textseq/{module}.py").read_text(encoding="utf-8") for module in TESTS}
    trees = {module: ast.parse(source) for module, source in sources.items()}
    places = [(module, k) for module, tree in trees.items() for k in range(count(tree))]
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name in ("textseq", "tests", "data", "book", "notebooks"):
            shutil.copytree(ROOT / name, folder / name)
        for name in ("pyproject.toml", "conftest.py"):
            shutil.copy2(ROOT / name, folder)
        red = [module for module, source in sources.items() if is_caught(folder, module, source)]
        if red:
            sys.exit(f"还没改就红了：{'、'.join(red)}；请先让它们绿")
        for done, (module, k) in enumerate(rng.sample(places, n), start=1):
            swap = Swap(k)
            source = ast.unparse(swap.visit(copy.deepcopy(trees[module])))
            if not is_caught(folder, module, source):
                survivors.append(f"{module} {swap.found}")
                print("没发现：", survivors[-1], flush=True)
            if done % 20 == 0:
                print(f"试了 {done}，发现 {done - len(survivors)}", flush=True)
    print(f"可改的有 {len(places)} 处；试了 {n}，发现 {n - len(survivors)}，没发现 {len(survivors)}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 120)
