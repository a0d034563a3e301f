"""说明里的例子：每个模块的 >>> 都运行一遍，结果与写着的相同；公开的函数个个有例子，模块说明写着第几章。"""

import doctest
import functools
import importlib
import inspect
import pkgutil
import re

import matplotlib
import pytest

import textseq

matplotlib.use("agg")

MODULES = sorted(name for _, name, _ in pkgutil.iter_modules(textseq.__path__) if name != "__main__")

KINDS = (classmethod, staticmethod, property, functools.cached_property)


def load(name):
    return importlib.import_module(f"textseq.{name}")


def public(module):
    """__all__ 里的函数，与类里不带下划线的方法、属性。"""
    for name in module.__all__:
        thing = getattr(module, name)
        if getattr(thing, "__module__", None) != module.__name__:
            continue  # 常量、别名，或从别的模块来的
        if inspect.isfunction(thing):
            yield name, thing
        elif inspect.isclass(thing):
            inherited = dir(tuple) if issubclass(thing, tuple) else ()
            yield from ((f"{name}.{key}", value) for key, value in vars(thing).items()
                        if not key.startswith("_") and key not in inherited and inspect.getdoc(value)
                        and (callable(value) or isinstance(value, KINDS)))


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_print_what_they_say(name):
    results = doctest.testmod(load(name), optionflags=doctest.REPORT_NDIFF)
    assert results.failed == 0
    assert results.attempted or name.startswith("_")


@pytest.mark.parametrize("name", MODULES)
def test_every_public_function_has_an_example(name):
    module = load(name)
    assert re.search(r"第 \d\d|各章", module.__doc__), f"{name} 的说明没有写第几章"
    if not name.startswith("_"):
        assert [key for key, thing in public(module) if ">>>" not in inspect.getdoc(thing)] == []


@pytest.mark.parametrize("name", MODULES)
def test_all_names_exactly_what_is_public(name):
    module = load(name)
    own = {key for key, thing in vars(module).items() if not key.startswith("_")
           and (inspect.isfunction(thing) or inspect.isclass(thing)) and thing.__module__ == module.__name__}
    if not name.startswith("_"):
        assert len(set(module.__all__)) == len(module.__all__) and own <= set(module.__all__)
        assert all(hasattr(module, key) for key in module.__all__)
