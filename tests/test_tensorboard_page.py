"""真实的 TensorBoard：断着网打开 Tracker 写下的记录，汉字显示得出来，没有一个请求发往别处。"""

import re

import pytest
from tensorboard_pictures import tensorboard
from test_classifier import DEV, TRAIN, toy_model

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


@pytest.mark.parametrize("tab, text", [
    ("scalars", "准确率/dev"), ("timeseries", "准确率/dev"), ("histograms", "权重/embedding.weight"),
    ("distributions", "权重/embedding.weight"), ("text", "设计/text_summary"), ("pr_curves", "PR/天气"),
    ("hparams", "最好/准确率"), ("graphs", "Main Graph"),
])
def test_each_page_shows_its_record_offline(watched, address, tab, text):
    watched.goto(f"{address}/#{tab}")
    watched.get_by_text(text).first.wait_for()


def test_the_projector_finds_a_chinese_label_offline(watched, address):
    watched.goto(f"{address}/#projector")
    projector = watched.frame_locator("iframe").frame_locator("iframe")
    projector.get_by_text(re.compile(r"Points: [1-9]")).first.wait_for()
    projector.locator("vz-projector-inspector-panel #search-box input").fill("球")
    projector.get_by_text("Nearest points in the original space").wait_for()
