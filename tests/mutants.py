"""攻击批改：由程序把参考答案改坏，一处一处地改，看检查拒不拒绝。

    python tests/mutants.py           # 每道练习：改坏了几份，拒绝了几份，放过的是哪些

改法是学生真会犯的：轴、正负、差一、少一项、忘了转置、次序、不复制、写死。改了也仍然对的（等价的）列在
tests/equivalent_mutants.json 里，各有理由；除此以外，一份也不能放过。
"""

import ast
import copy
import json
import sys
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "book/_kit"))
from exercises import Exercise, chapters, read_exercises  # noqa: E402
from grade import judge_all  # noqa: E402

SAME = Path(__file__).with_name("equivalent_mutants.json")
SWAPPED = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.Pow: ast.Mult,
           ast.FloorDiv: ast.Mult, ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
           ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.And: ast.Or, ast.Or: ast.And,
           ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd}


def changed(node: ast.AST) -> Iterator[tuple[str, ast.AST | None]]:
    """一个节点 → (改法, 改成什么)；None 是删去这一句。"""
    if isinstance(node, ast.keyword):
        if node.arg == "axis" and isinstance(node.value, ast.Constant):
            for axis in {0, 1, -1, None} - {node.value.value}:
                yield "轴", ast.keyword("axis", ast.Constant(axis))
    elif isinstance(node, ast.Constant) and type(node.value) in (int, float):
        for step in (1, -1):
            yield "差一", ast.Constant(node.value + step)
    elif isinstance(node, ast.BinOp):
        yield "少一项", node.left
        yield "少一项", node.right
        if type(node.op) in SWAPPED:
            yield "运算", ast.BinOp(node.left, SWAPPED[type(node.op)](), node.right)
        if isinstance(node.op, (ast.MatMult, ast.Sub, ast.Div, ast.Pow)):
            yield "次序", ast.BinOp(node.right, node.op, node.left)
        if isinstance(node.op, ast.MatMult):
            yield "转置", ast.BinOp(node.left, node.op, ast.Attribute(node.right, "T", ast.Load()))
            yield "转置", ast.BinOp(ast.Attribute(node.left, "T", ast.Load()), node.op, node.right)
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPPED:
        yield "比较", ast.Compare(node.left, [SWAPPED[type(node.ops[0])](), *node.ops[1:]], node.comparators)
    elif isinstance(node, ast.BoolOp):
        yield "比较", ast.BoolOp(SWAPPED[type(node.op)](), node.values)
    elif isinstance(node, ast.UnaryOp):
        yield "正负", node.operand
    elif isinstance(node, ast.Attribute) and node.attr == "T":
        yield "转置", node.value
    elif isinstance(node, ast.IfExp):
        yield "少一支", node.body
        yield "少一支", node.orelse
    elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        yield "不取", node.value
    elif isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("copy", "astype"):
            yield "不复制", node.func.value
        for i in range(len(node.keywords)):
            kept = node.keywords[:i] + node.keywords[i + 1:]
            yield "少一个设定", ast.Call(node.func, node.args, kept)
        if len(node.args) == 1 and not isinstance(node.args[0], (ast.Starred, ast.GeneratorExp)):
            yield "少一步", node.args[0]
    elif isinstance(node, (ast.Tuple, ast.List)) and isinstance(node.ctx, ast.Load) and len(node.elts) > 1:
        yield "次序", type(node)(node.elts[::-1], ast.Load())
    elif isinstance(node, (ast.Assign, ast.AugAssign, ast.If, ast.For, ast.Expr)):
        yield "少一句", None


def replace(tree: ast.AST, number: int, new: ast.AST | None) -> str:
    """第 number 个节点换成 new 以后的代码。"""
    tree = copy.deepcopy(tree)
    target = list(ast.walk(tree))[number]

    class Put(ast.NodeTransformer):
        def visit(self, node):
            if node is target:
                return ast.Pass() if new is None else copy.deepcopy(new)
            return self.generic_visit(node)

    return ast.unparse(ast.fix_missing_locations(Put().visit(tree)))


FIXED = """
_answer, _first = {name}, []
def {name}(*args):
    import copy
    _first.append(copy.deepcopy(_answer(*args)))
    return _first[0]
"""
TIMES = """
_answer = {name}
def {name}(*args):
    def change(x):
        if isinstance(x, (tuple, list)):
            return type(x)(map(change, x))
        if isinstance(x, dict):
            return {{k: change(v) for k, v in x.items()}}
        if isinstance(x, (str, set)):
            return type(x)()
        if getattr(x, "dtype", type(x)) == bool:
            return ~x
        return x * {factor}
    return change(_answer(*args))
"""


def mutants(solution: str, name: str) -> list[tuple[str, str]]:
    """参考答案 → [(改法, 改坏了的代码)]，互不相同，也与原来的不同。"""
    tree = ast.parse(solution)
    functions = [f for f in ast.walk(tree) if isinstance(f, (ast.FunctionDef, ast.Lambda))]
    parameters = {id(n) for f in functions for n in ast.walk(f.args)}
    original, found = ast.unparse(tree), {}
    for number, node in enumerate(ast.walk(tree)):
        if id(node) in parameters or isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue   # 参数与说明文字不动
        for how, new in changed(node):
            try:
                code = replace(tree, number, new)
                compile(code, "mutant", "exec")
            except (SyntaxError, ValueError, TypeError):
                continue
            if code != original:
                found.setdefault(code, how)
    fixed = [FIXED.format(name=name), *(TIMES.format(name=name, factor=factor) for factor in (0, -1, 2))]
    found |= {solution + extra: "写死" for extra in fixed}
    return [(how, code) for code, how in found.items()]


def difference(solution: str, code: str) -> str:
    """改动的那几行，写给人看，也用来认等价的。"""
    before = ast.unparse(ast.parse(solution)).splitlines()
    return " / ".join(line.strip() for line in code.splitlines() if line not in before)


def verdicts_of(exercise: Exercise, made: list[tuple[str, str]]) -> list[str]:
    """改坏的各份得到的判语。"""
    return judge_all([(exercise.before, "", code, exercise.check, exercise.solution) for _, code in made])


def is_vague(verdict: str) -> bool:
    """只说还不对，没有说出差在哪里、也没有指出出错的行。"""
    return verdict.startswith("还不对") and ("。" not in verdict or verdict.endswith("的数不对"))


def attack(exercise: Exercise) -> tuple[int, list[str]]:
    """一道练习 → (改坏了几份, 放过的几份的改动)。"""
    made = mutants(exercise.solution, exercise.name)
    verdicts = verdicts_of(exercise, made)
    passed = [code for (_, code), verdict in zip(made, verdicts, strict=True) if verdict.startswith("对了")]
    return len(made), [difference(exercise.solution, code) for code in passed]


def main() -> None:
    same = json.loads(SAME.read_text(encoding="utf-8"))
    for chapter in chapters():
        for exercise in read_exercises(chapter):
            made, passed = attack(exercise)
            known = [p for p in passed if p in same.get(exercise.name, {})]
            print(f"{chapter.stem[:2]} {exercise.name}：{made} 份，拒绝 {made - len(passed)}，"
                  f"等价 {len(known)}", flush=True)
            for line in passed:
                if line not in known:
                    print("    放过：", line, flush=True)


if __name__ == "__main__":
    main()
