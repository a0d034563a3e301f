"""互动在真实的 JupyterLab 里：运行单元格，点一下，形状跟着变；词向量与分类器从 JupyterLab 的根目录取来。"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from urllib.parse import urlparse

import pytest
from playwright.sync_api import expect

from textseq import explore

DATA = ["data/neighbors/neighbors.js", "data/classifier/model.js", "data/own_text/own_text.js"]


@pytest.fixture
def jupyterlab(tmp_path):
    """起一个只在本机的 JupyterLab，用临时的配置与运行目录，结束时关掉它和它的内核。"""
    def cell(name):
        stored = {"output_type": "execute_result", "execution_count": 1, "metadata": {},
                  "data": {"text/html": explore.html(name)}}
        return {"cell_type": "code", "id": name, "metadata": {}, "execution_count": 1, "outputs": [stored],
                "source": f'from textseq import explore\nexplore.show("{name}")'}

    root = Path(explore.__file__).parents[1]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    (tmp_path / "notebooks").mkdir()  # 同课程一样：notebook 在 notebooks/，数据在 data/
    cells = [cell(name) for name in ("shape_blocks", "neighbors", "headlines", "own_text")]
    (tmp_path / "notebooks/piece.ipynb").write_text(json.dumps(
        {"cells": cells, "metadata": {"kernelspec": kernel},
         "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
    for path in DATA:
        (tmp_path / path).parent.mkdir(parents=True)
        (tmp_path / path).write_bytes((root / path).read_bytes())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    news = tmp_path / "LAB_SETTINGS_DIR/@jupyterlab/apputils-extension"
    news.mkdir(parents=True)
    (news / "notification.jupyterlab-settings").write_text(
        '{"fetchNews": "false", "checkForUpdates": false}')
    own = {f"JUPYTER{name}": str(tmp_path / name) for name in (
        "_CONFIG_DIR", "_RUNTIME_DIR", "_DATA_DIR", "LAB_SETTINGS_DIR", "LAB_WORKSPACES_DIR")}
    log = open(tmp_path / "lab.log", "wb")
    server = subprocess.Popen(
        [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", "--ip=127.0.0.1",
         f"--port={port}", "--ServerApp.port_retries=0", f"--ServerApp.root_dir={tmp_path}",
         "--IdentityProvider.token=", "--LabApp.extension_manager=readonly"],
        env={**os.environ, **own, "PYTHONPATH": str(root)}, cwd=tmp_path,
        stdout=log, stderr=log, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        wait_until_open(f"{address}/api", server, tmp_path / "lab.log")
        yield f"{address}/lab/tree/notebooks/piece.ipynb"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()
        log.close()


def wait_until_open(address, server, log, seconds=60):
    for _ in range(seconds * 5):
        assert server.poll() is None, f"JupyterLab 没有起来：\n{log.read_text()[-2000:]}"
        try:
            return urllib.request.urlopen(address, timeout=2).close()
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{seconds} 秒内没有等到 JupyterLab：\n{log.read_text()[-2000:]}")


@pytest.mark.full   # 启动 JupyterLab 要二十秒
def test_in_jupyterlab(page, jupyterlab):
    foreign, data = [], []
    page.on("request", lambda request: urlparse(request.url).hostname not in (None, "127.0.0.1")
            and foreign.append(request.url))
    page.on("request", lambda request: "/files/" in request.url and data.append(urlparse(request.url).path))
    page.set_default_timeout(40_000)
    page.goto(jupyterlab)
    # 别处来的 notebook 还不可信，脚本不运行，只有一句说明
    expect(page.locator(".jp-OutputArea-output").first).to_have_text(
        "互动：形状积木。运行上面的单元格，或在网页版里打开，即可操作。", timeout=40_000)
    # 内核连上之前按 Shift+Enter，只会清掉输出，不会运行；状态栏写着 Idle 才算连上
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for()
    page.locator(".jp-CodeCell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    piece = page.locator("[data-explore=shape_blocks]")

    def shape(tensor):
        return piece.locator(f"[data-tensor={tensor}] .shape")

    expect(shape("x")).to_have_text("(B, T, D) = (4, 12, 50)", timeout=40_000)
    piece.get_by_label("batch_first").click()
    expect(shape("x")).to_have_text("(T, B, D) = (12, 4, 50)")
    expect(shape("h_n")).to_have_text("(层×方向, B, H) = (2, 4, 64)")

    # 导览贴着 notebook 的上边：输出外面的几层都不是滚动的框
    piece.get_by_role("button", name="带我走一遍").click()
    tour = piece.get_by_role("group", name="导览")
    for _ in range(4):
        tour.get_by_role("button", name="跳过这步").click()
    tour.get_by_role("button", name="64", exact=True).click()
    tour.get_by_role("button", name="指给我看").click()
    expect(piece.locator(".pointed")).to_be_in_viewport(ratio=1)
    expect(tour).to_be_in_viewport(ratio=1)
    tour.get_by_role("button", name="收起").click()

    # 在互动里打字，不会触发 JupyterLab 的快捷键（dd 删除单元格、a 插入单元格）
    piece.get_by_role("textbox").fill("甲 乙")
    piece.get_by_role("textbox").press("End")
    page.keyboard.type(" dda")
    expect(piece.locator("tbody tr").first).to_contain_text("dda")
    expect(page.locator(".jp-CodeCell")).to_have_count(4)

    page.locator(".jp-CodeCell .cm-content").nth(1).click()
    page.keyboard.press("Shift+Enter")
    words = page.locator("[data-explore=neighbors]")
    words.get_by_role("button", name="打开（约 1 MB）").click()
    expect(words.get_by_role("list", name="近邻").get_by_role("listitem")).to_have_count(10)

    page.locator(".jp-CodeCell .cm-content").nth(2).click()
    page.keyboard.press("Shift+Enter")
    headlines = page.locator("[data-explore=headlines]")
    headlines.get_by_role("button", name="打开（约").click()
    expect(headlines.get_by_role("list", name="各类的概率").get_by_role("listitem")).to_have_count(10)

    page.locator(".jp-CodeCell .cm-content").nth(3).click()
    page.keyboard.press("Shift+Enter")
    own = page.locator("[data-explore=own_text]")
    own.get_by_role("button", name="用样例").click()
    own.get_by_role("slider", name="epochs").fill("1")
    own.locator(".go").click()  # 在 Worker 里训练
    expect(own.locator(".note")).to_contain_text("1 轮走完")
    assert data == [f"/files/{path}" for path in DATA]
    assert foreign == []
