"""全部测试共用的设置：先测哪个文件，浏览器怎样启动，属性测试怎样取样。"""

import os
import shutil
import sys
from pathlib import Path
from urllib.parse import urlparse

import chromium
import pytest
from hypothesis import settings
from serving import serve

# 各文件约几秒，在一台慢的机器上量的。久的先开始，免得最后只剩一个核在忙；没列出的都短，照原来的次序排在后面
SECONDS = {
    "test_site.py": 101,
    "10_headline_classifier.ipynb": 52,
    "test_explore_tours.py": 40,
    "test_explore_hosts.py": 34,
    "test_try_here.py": 33,
    "test_explore_headlines.py": 33,
    "09_tensorboardx.ipynb": 28,
    "06_negative_sampling.ipynb": 25,
    "07_word2vec_training.ipynb": 22,
    "05_cbow_vs_skipgram.ipynb": 21,
    "test_cli.py": 21,
    "test_cli_classifier.py": 21,
    "test_explore_reading_gates.py": 24,
    "test_explore_own_text.py": 30,
    "test_explore_neighbors.py": 20,
    "test_explore_vector_lab.py": 20,
    "test_classifier_resume.py": 20,
    "08_rnn_input_shapes.ipynb": 20,
    "test_stored_trainings.py": 19,
    "test_tensorboard_page.py": 19,
    "test_tracking.py": 18,
    "01_rnn_recurrence.ipynb": 18,
    "test_word2vec_train.py": 17,
    "03_word_vectors.ipynb": 15,
    "test_explore_one_step.py": 15,
    "test_slides.py": 15,
    "test_explore_jupyterlab.py": 14,
    "test_explore.py": 13,
    "02_lstm_gates.ipynb": 13,
    "04_training_pairs.ipynb": 12,
    "test_notebooks.py": 12,
    "test_explore_three_gates.py": 12,
    "test_vectors_format.py": 11,
    "test_word2vec_resume.py": 10,
    "test_segmentation.py": 9,
    "test_explore_sliding_window.py": 9,
    "test_explore_unrolled_loop.py": 9,
    "test_corpora.py": 8,
}


# 同一件事的许多花样，平时只做几样，其余的在 make test-full 里。各页共用样式表与模板：
# 深色的颜色查这三页，无障碍查这四页
DARK = {"book/index", "book/glossary", "notebooks/04_training_pairs"}
AXE = DARK | {"notebooks/10_headline_classifier"}
# 每样要几秒、守的东西又窄的：make test 不跑，make test-slow 跑；.ci/run 两样都跑
SLOW = {"test_stored_trainings.py", "test_slides.py", "test_tensorboard_page.py", "test_explore_own_text.py",
        "test_explore_reading_gates.py"}
SLOW |= {
    "test_one_exercise_of_each_chapter", "test_a_whole_class", "test_other_right_answers_are_accepted",
    "test_from_a_folder_to_classes", "test_every_writing_cell_of_the_chapter_runs_again",
    "test_a_killed_program_leaves_its_epochs", "test_whatever_is_saved_comes_back_bit_for_bit",
    "test_groups_come_apart_and_zero_negatives_collapse", "test_a_very_wide_window_fits_in_memory",
    "test_words_with_the_same_neighbours_come_together", "test_frequency_bands_follow_the_corpus",
    "test_only_positives_collapse_and_negatives_rescue", "test_walking_too_far_is_said",
    "test_weights_do_not_depend_on_what_was_read_before", "test_a_browser_that_cannot",
    "test_the_release_opens_the_whole_site", "test_the_release_lays_out_a_course_that_runs",
    "test_a_chapter_is_printed", "test_accessible", "test_colours_in_the_dark", "test_numbers_equal_python",
    "test_numbers_are_read_as_python_reads_them", "test_the_saved_model_is_the_one_fit_returns",
    "test_a_question_leads_to_its_section", "test_every_term_is_explained",
    "test_every_proof_leads_to_a_cell",
}
FEW = {"kind", "n", "tab", "widget"}  # 互动图与 TensorBoard：坏文件、设定、页、宿主里的图，各做头两种


def is_one_of_many(item):
    params, places = (getattr(item.callspec, name) for name in ("params", "indices"))
    if item.path.name == "test_site.py":
        allowed = {"test_colours_in_the_dark": DARK, "test_accessible": AXE}.get(item.originalname)
        return allowed is not None and params["visit"] not in allowed
    return item.path.name.startswith(("test_explore_", "test_tensorboard_page")) and (
        params.get("theme") == "dark" or params.get("scheme") == "file"  # test_explore.py 查一件的全部
        or any(places.get(name, 0) >= 2 for name in FEW))


SOURCES = (Path(__file__).parents[1] / "textseq").glob("*.py")
MODULES = {path.stem.strip("_") for path in SOURCES} - {"explore"}


def is_of_a_module(item):
    """test_word2vec_negative.py 是 word2vec 的；要浏览器的不算。"""
    name = f"{item.path.stem}_"
    return any(name.startswith(f"test_{module}_") for module in MODULES) and not (
        {"page", "browser"} & set(item.fixturenames))


SYSTEMS = {"posix": os.name == "posix", "linux": sys.platform == "linux"}


@pytest.hookimpl(tryfirst=True)  # 要在 -m 挑选之前
def pytest_collection_modifyitems(items):
    for item in items:
        if hasattr(item, "callspec") and is_one_of_many(item):
            item.add_marker("full")
        if is_of_a_module(item):
            item.add_marker("module")
        for system, here in SYSTEMS.items():
            if not here and item.get_closest_marker(system):
                item.add_marker(pytest.mark.skip(reason=f"只在 {system} 上跑"))
        if SLOW & {item.path.name, getattr(item, "originalname", None)}:
            item.add_marker("slow")
    items.sort(key=lambda item: -SECONDS.get(item.path.name, 0))


# 机器有快有慢，不限时；固定取样，红绿不靠运气
settings.register_profile("course", deadline=None, derandomize=True)
settings.load_profile("course")

EXPLORABLES = Path(__file__).parents[1] / "textseq" / "explorables"


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    path = chromium.find()
    if path is None:
        pytest.fail(chromium.MISSING, pytrace=False)
    return {**browser_type_launch_args, "executable_path": path, "args": chromium.ARGS}


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
    with serve(tmp_path) as address:
        yield tmp_path, address
