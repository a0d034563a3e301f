"""互动：一份 ES 模块，在 JupyterLab、VS Code 与静态网页里都能操作，不用服务器，也不联网。各章。

    explore.show("shape_blocks", max_L=8)   # notebook 里：单元格的最后一行
    explore.html("shape_blocks")            # 同一段 HTML，给网页用
    explore.module("shape_blocks")          # 自足的模块，交给 anywidget 的 _esm

每种互动是 explorables/ 里的一个 .js 与同名的 .css，遵守 anywidget 的约定：导出 { render }，render 返回
拆除的函数；并导出 spec：一段 JSON，写着标题、每个状态的说明、默认值与范围。Python 用它检查参数，
JavaScript 用它造控件。以下划线开头的文件大家共用，带样式的另有同名的 .css；_tour_名字.js 是那一件的
导览，一步一步的数据。要在 Worker 里跑的文件，整份源码写成一个字符串，网页用它当场造 Worker。
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass, field
from html import escape
from pathlib import Path

__all__ = ["Explorable", "html", "module", "names", "show", "spec"]

_FOLDER = Path(__file__).parent / "explorables"
_SPEC = "export const spec = "
_STYLE = '{ palette: "", base: "", piece: "" }'
_IMPORT = re.compile(r'^import \{([^}]*)\} from "\./(_\w+)\.js";$', re.M)
_SOURCE = re.compile(r'^(const \w+ = )""; // 换成 (_\w+)\.js 的源码$', re.M)
_EXPORT = re.compile(r"^export ((?:async )?(?:const|function) (\w+))", re.M)
_dumps = functools.partial(json.dumps, ensure_ascii=False)


def names() -> list[str]:
    """现有的互动。

    >>> names()[:2]
    ['headlines', 'neighbors']
    """
    return sorted(path.stem for path in _FOLDER.glob("[a-z]*.js"))


def spec(name: str) -> dict:
    """互动的标题（title）与状态说明（state）。异常：没有这种互动，ValueError。

    >>> spec("shape_blocks")["title"]
    '形状积木'
    """
    if name not in names():
        raise ValueError(f"没有名叫 {name!r} 的互动；现有：{'、'.join(names())}")
    source = _read(f"{name}.js")
    found, _ = json.JSONDecoder().raw_decode(source, source.index(_SPEC) + len(_SPEC))
    for rule in found["state"].values():
        if isinstance(rule["default"], list):  # 长的文本一行一行地写
            rule["default"] = "\n".join(rule["default"])
    return found


@dataclass(frozen=True)
class Explorable:
    """一个互动和它的起始状态；放在单元格末尾就显示出来。"""

    name: str
    state: dict = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"互动：{spec(self.name)['title']}"

    def _repr_html_(self) -> str:
        return html(self.name, **self.state)


def show(name: str, **state) -> Explorable:
    """在 notebook 里显示一个互动；state 改掉起始状态，例如 batch_first=False。

    异常：没有这种互动、没有这个状态、值不合范围，ValueError。

    >>> show("shape_blocks", max_L=8)
    互动：形状积木
    """
    _complete(name, state)
    return Explorable(name, state)


def html(name: str, **state) -> str:
    """互动的整段 HTML：参数相同，结果就逐字相同，所以 nbval 可以比较它。异常同 show。

    >>> html("three_gates").splitlines()[0][:42]
    '<div data-explore="three_gates"><p>互动：三个门。'
    """
    payload = {"name": name, "state": _complete(name, state), "module": module(name)}
    # JSON 里的 < 写成 \u003c，源码或句子里有 </script> 也不会提前结束脚本
    packed = _dumps(payload).replace("<", "\\u003c")
    words = f"互动：{escape(spec(name)['title'])}。运行上面的单元格，或在网页版里打开，即可操作。"
    return (f'<div data-explore="{name}"><p>{words}</p></div>\n'
            f"<script>({_read('_mount.js')})(document.currentScript, {packed})</script>")


def module(name: str) -> str:
    """样式、共用的文件与互动自己拼成一份 ES 模块，不再 import 别的，可以直接作 anywidget 的 _esm：

        rules = explore.spec(name)["state"].items()
        traits = {key: traitlets.Any(rule["default"]).tag(sync=True) for key, rule in rules}
        type("Piece", (anywidget.AnyWidget,), {"_esm": explore.module(name), **traits})()

    异常：没有这种互动，ValueError。

    >>> 'from "./' in module("three_gates")                     # 不再 import 别的文件
    False
    """
    spec(name)
    source = _join(name, used := set())
    with_style = [file for file in sorted(used) if (_FOLDER / f"{file}.css").is_file()]
    own = "".join(_read(f"{file}.css") for file in sorted(with_style, key=name.__eq__))  # 自己的在后
    styles = {"palette": _read("_palette.css"), "base": _read("_base.css"), "piece": own}
    return source.replace(_STYLE, _dumps(styles, indent=2))


def _join(file: str, done: set[str]) -> str:
    """一个文件，前面接上它用到、还没接过的：各是一个同名的对象，各在各的作用域里，重名不相干。"""
    if file in done:
        return ""
    done.add(file)
    source = _read(f"{file}.js")
    before = "".join(_join(found[2], done) for found in _IMPORT.finditer(source))
    source = _IMPORT.sub(r"const {\1} = \2;", source)
    source = _SOURCE.sub(lambda found: found[1] + _dumps(_join(found[2], set())) + ";", source)
    if not file.startswith("_"):
        return before + source
    exports = ", ".join(found[2] for found in _EXPORT.finditer(source))
    source = _EXPORT.sub(r"\1", source)
    return f"{before}const {file} = (() => {{\n{source}return {{ {exports} }};\n}})();\n\n"


def _complete(name: str, state: dict) -> dict:
    """默认值补上没给的状态；给了的逐个检查。"""
    rules = spec(name)["state"]
    if unknown := [key for key in state if key not in rules]:
        raise ValueError(f"{name} 没有状态 {unknown[0]!r}；可以设定的有：{'、'.join(rules)}")
    for key, value in state.items():
        if wanted := _mismatch(value, rules[key]):
            raise ValueError(f"{name} 的 {key} 应为{wanted}，收到 {str(value)[:40]!r}；"
                             f"不写就用默认值 {rules[key]['default']!r}")
    return {key: state.get(key, rule["default"]) for key, rule in rules.items()}


def _mismatch(value: object, rule: dict) -> str:
    """值合乎说明时返回空串，否则返回“应该是什么”。"""
    if "choices" in rule:
        wanted, ok = f" {'、'.join(map(repr, rule['choices']))} 之一", value in list(rule["choices"])
    elif isinstance(rule["default"], bool):
        wanted, ok = " True 或 False", isinstance(value, bool)
    elif "min" in rule:
        wanted = f" {rule['min']} 到 {rule['max']} 的整数"
        ok = type(value) is int and rule["min"] <= value <= rule["max"]
    else:
        wanted = f"不超过 {rule['max_chars']} 个字符的文本"
        ok = isinstance(value, str) and len(value) <= rule["max_chars"]
    return "" if ok else wanted


def _read(file: str) -> str:
    return (_FOLDER / file).read_text(encoding="utf-8")
