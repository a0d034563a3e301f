"""真实的 TensorBoard：断着网打开 Tracker 写下的记录，汉字显示得出来，没有一个请求发往别处。"""

import re

import pytest
from tensorboard_pictures import tensorboard
from test_classifier import DEV, TRAIN, toy_model

from conftest import note_problems
from textseq.classifier_fit import fit
from textseq.tracking import Tracker


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    folder = tmp_path_factory.mktemp("记录")
    model = toy_model(cell="none", pooling="mean")
    with Tracker(folder / "第一次") as tracker:
        reports = fit(model, TRAIN, DEV, epochs=2, on_epoch=tracker)
        tracker.summarize(model, DEV, {"lr": 2e-3}, reports)
    with tensorboard(str(folder)) as address:
        yield address


@pytest.fixture(scope="module")
def opened(browser, address):
    """打开一次，各页都在里面看；有错误，或有请求发往别处，就记下来。"""
    page, problems = browser.new_page(locale="zh-CN"), []
    note_problems(page, problems)
    yield page, problems
    page.close()


@pytest.mark.parametrize("tab, text", [
    ("scalars", "准确率/dev"), ("timeseries", "准确率/dev"), ("histograms", "权重/embedding.weight"),
    ("distributions", "权重/embedding.weight"), ("text", "设计/text_summary"), ("pr_curves", "PR/天气"),
    ("hparams", "最好/准确率"), ("graphs", "Main Graph"),
])
def test_each_page_shows_its_record_offline(opened, address, tab, text):
    page, problems = opened
    page.goto(f"{address}/#{tab}")
    page.get_by_text(text).filter(visible=True).first.wait_for()
    assert problems == []


def test_the_projector_finds_a_chinese_label_offline(opened, address):
    page, problems = opened
    page.goto(f"{address}/#projector")
    projector = page.frame_locator("iframe").frame_locator("iframe")
    projector.get_by_text(re.compile(r"Points: [1-9]")).first.wait_for()
    projector.locator("vz-projector-inspector-panel #search-box input").fill("球")
    projector.get_by_text("Nearest points in the original space").wait_for()
    assert problems == []
