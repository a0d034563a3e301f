"""在 Linux 上装作 Windows：没有 fork、SIGKILL、fcntl、resource，工人是线程，标着 posix、linux 的跳过。

    PYTHONPATH=tests/by_hand python -m pytest -p as_on_windows -n0 -m "module and not full" tests

只看得出用没用 Windows 没有的东西；路径、换行、删不掉开着的文件，要真的 Windows 才看得出。
"""

import multiprocessing
import os
import signal
import sys
from types import SimpleNamespace

import pytest

from textseq import _files, word2vec_train

GONE = {os: ("fork", "mkfifo", "killpg", "symlink", "getppid", "setsid", "O_NOFOLLOW"), signal: ("SIGKILL",)}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("posix") or item.get_closest_marker("linux"):
            item.add_marker(pytest.mark.skip(reason="装作 Windows"))


def pytest_collection_finish():
    for module, names in GONE.items():
        for name in names:
            delattr(module, name)
    sys.modules |= {"fcntl": None, "resource": None}
    _files.fcntl, word2vec_train.sys = None, SimpleNamespace(platform="win32")
    real = multiprocessing.get_context

    def get_context(method=None):
        if method == "fork":
            raise ValueError("cannot find context for 'fork'")
        return real(method)

    multiprocessing.get_context = get_context
