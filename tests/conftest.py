"""全部测试共用的设置：几个线程，先测哪个文件，浏览器怎样启动，属性测试怎样取样。"""

import functools
import os
import shutil
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlparse

import pytest
from hypothesis import settings

# 一个工人一个线程：两个核上线程再多，只会互相等；要在导入 numpy 之前。notebook 的内核与另起的进程也照着
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

# 各文件约几秒，在一台慢的机器上量的。久的先开始，免得最后只剩一个核在忙；没列出的都短，照原来的次序排在后面
SECONDS = {
    "test_site.py": 180,
    "test_explore_headlines.py": 60,
    "07_word2vec_training.ipynb": 40,
    "test_explore_hosts.py": 67,
    "test_explore_neighbors.py": 40,
    "test_explore_vector_lab.py": 45,
    "10_headline_classifier.ipynb": 72,
    "test_explore_one_step.py": 48,
    "09_tensorboardx.ipynb": 45,
    "06_negative_sampling.ipynb": 35,
    "test_explore_three_gates.py": 33,
    "08_rnn_input_shapes.ipynb": 32,
    "test_word2vec_train.py": 32,
    "test_explore_sliding_window.py": 31,
    "test_explore.py": 31,
    "02_lstm_gates.ipynb": 30,
    "01_rnn_recurrence.ipynb": 30,
    "test_cli_classifier.py": 29,
    "05_cbow_vs_skipgram.ipynb": 28,
    "03_word_vectors.ipynb": 27,
    "test_explore_jupyterlab.py": 27,
    "test_explore_unrolled_loop.py": 25,
    "test_tensorboard_page.py": 24,
    "test_cli.py": 23,
    "test_classifier_resume.py": 23,
    "test_stored_trainings.py": 22,
    "04_training_pairs.ipynb": 20,
    "test_word2vec_resume.py": 16,
    "test_segmentation.py": 15,
    "test_notebooks.py": 14,
    "test_vectors_format.py": 13,
    "test_tracking.py": 12,
    "test_vocab_corpus.py": 12,
    "test_corpora.py": 10,
}


# 同一件事的许多花样，make test 只做几样，其余的在 make test-full 里。各页共用样式表与模板：
# 深色的颜色查这三页，无障碍查这六页
DARK = {"book/index", "book/glossary", "notebooks/07_word2vec_training"}
AXE = DARK | {"book/claims", "notebooks/02_lstm_gates", "notebooks/10_headline_classifier"}
FEW = {"kind": 3, "n": 3}  # 互动图：坏文件、与 Python 相等的设定，各做头几种


def is_one_of_many(item):
    params, places = (getattr(item.callspec, name) for name in ("params", "indices"))
    if item.path.name == "test_site.py":
        allowed = {"test_colours_in_the_dark": DARK, "test_accessible": AXE}.get(item.originalname)
        return allowed is not None and params["visit"] not in allowed
    return item.path.name.startswith("test_explore_") and (
        params.get("theme") == "dark" or params.get("scheme") == "file"  # test_explore.py 查一件的全部
        or any(places.get(name, 0) >= few for name, few in FEW.items()))


@pytest.hookimpl(tryfirst=True)  # 要在 -m 挑选之前
def pytest_collection_modifyitems(items):
    for item in items:
        if hasattr(item, "callspec") and is_one_of_many(item):
            item.add_marker("full")
    items.sort(key=lambda item: -SECONDS.get(item.path.name, 0))


# 机器有快有慢，不限时；固定取样，红绿不靠运气
settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")

EXPLORABLES = Path(__file__).parents[1] / "textseq" / "explorables"
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # 断网：除了本机，什么域名都解析不出
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
]


def find_chromium():
    usual = Path("/usr/bin/chromium")
    return str(usual) if usual.exists() else shutil.which("chromium")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    chromium = find_chromium()
    if chromium is None:
        pytest.fail("找不到 Chromium；Debian/Ubuntu 请先运行：sudo apt install chromium", pytrace=False)
    return {**browser_type_launch_args, "executable_path": chromium, "args": CHROMIUM_ARGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {**browser_context_args, "locale": "zh-CN"}


def note_problems(page, problems):
    """控制台的错误、发往别的主机的请求，都记进 problems。"""
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: m.type == "error" and problems.append(m.text))
    page.on("request", lambda request: urlparse(request.url).scheme in ("http", "https", "ws", "wss")
            and urlparse(request.url).hostname != "127.0.0.1" and problems.append(request.url))


@pytest.fixture
def watched(page):
    """一个页面；测试结束时，控制台没有错误，也没有连过别的主机。"""
    problems = []
    note_problems(page, problems)
    yield page
    assert problems == []


@pytest.fixture
def site(tmp_path):
    """本机的静态网站，给出文件夹与它的网址；各互动的源文件放在 explorables/。"""
    shutil.copytree(EXPLORABLES, tmp_path / "explorables")
    quiet = type("Quiet", (SimpleHTTPRequestHandler,), {"log_message": lambda *args: None})
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(quiet, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield tmp_path, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
