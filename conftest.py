"""不论测哪里、单跑哪一章，都照着的两件事：几个线程，nbval 怎样比（tests/comparing.py）。"""

import os

# 一个工人一个线程：两个核上线程再多，只会互相等；要在导入 numpy 之前。notebook 的内核与另起的进程也照着
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}


def pytest_configure(config):
    if config.pluginmanager.hasplugin("nbval"):
        from comparing import install
        install(config)
