"""训练：与二十行的写法相同，早停，留最好的一轮，随机数，报错。"""

import math

import numpy as np
import pytest
import torch
import torch.distributed as dist
from test_classifier import DEV, TRAIN, toy_model
from torch.nn import functional as F

from textseq import classifier_fit
from textseq.classifier import Classifier, build_vocab
from textseq.classifier_fit import _similar_lengths, fit
from textseq.evaluation import title_score

NOISY = {"dropout": 0.3, "unit_dropout": 0.2}
WEIGHTS = ("recurrent.weight_hh_l0_reverse", "embedding.weight", "output.bias")


def weights(model):
    return {name: tensor.clone() for name, tensor in model.state_dict().items()}


def same(a, b):
    return all(torch.equal(a[name], b[name]) for name in a)


def note_seed(model, seeds):
    if model.training:
        seeds.append(torch.initial_seed())


def plain_training(model, train, epochs, batch_size, lr, max_norm):
    """最直白的写法：不补齐，一条一条地算，梯度自己截断，学习率自己降；返回每轮之后的权重。"""
    adam, done, kept = torch.optim.Adam(model.parameters(), lr=lr), 0, []
    lengths = [len(model.to_ids([title])[0]) for title, _ in train]
    total = epochs * -(-len(train) // batch_size)
    for epoch in range(epochs):
        for rows in _similar_lengths(lengths, batch_size, np.random.default_rng((1, epoch))):
            adam.zero_grad()
            for k in rows:
                title, label = train[k]
                loss = F.cross_entropy(model(model.to_ids([title])), torch.tensor([label])) / len(rows)
                loss.backward()
            length = math.sqrt(sum(float((p.grad ** 2).sum()) for p in model.parameters()))
            for p in model.parameters():
                p.grad *= min(1.0, max_norm / length)
            adam.param_groups[0]["lr"] = lr * (1 - done / total)
            adam.step()
            done += 1
        kept.append(weights(model))
    return kept


def test_it_is_the_plain_training(monkeypatch):
    """120 条分成三批，最后一批不满；dev 损失第 2 轮最低，于是留下第 2 轮的。"""
    settings = {"epochs": 3, "batch_size": 44, "lr": 0.01, "max_norm": 0.1}
    kept = plain_training(toy_model(), TRAIN[:120], **settings)
    losses = iter([3.0, 1.0, 2.0])
    monkeypatch.setattr(classifier_fit, "title_score", lambda model, titles: (next(losses), 0.5))
    found = []
    model = toy_model()
    reports = fit(model, TRAIN[:120], DEV, on_epoch=lambda m, r: found.append(weights(m)), **settings)
    for mine, plain in zip(found, kept, strict=True):
        assert all(torch.allclose(mine[name], plain[name], atol=2e-5) for name in WEIGHTS)
    assert not torch.allclose(kept[1]["output.bias"], kept[2]["output.bias"], atol=1e-4)
    assert same(model.state_dict(), found[1]) and not model.training
    assert [r.dev_loss for r in reports] == [3, 1, 2] and [r.epoch for r in reports] == [1, 2, 3]


def test_the_norm_is_the_mean_over_the_batches(monkeypatch):
    norms = iter(torch.tensor([1.0, 2.0, 3.0, 6.0]))
    monkeypatch.setattr(classifier_fit, "clip_grad_norm_", lambda *_: next(norms))
    report, = fit(toy_model(), TRAIN, DEV, epochs=1, batch_size=77)
    assert report.grad_norm == 3


def test_the_report_counts_every_title_once():
    """学习率几乎是 0，训练损失就是全体的平均损失；一批装下全部时，norm 是整个梯度的长度。"""
    model = toy_model()
    report, = fit(model, TRAIN, DEV, epochs=1, lr=1e-12, batch_size=77)
    assert report.train_loss == pytest.approx(title_score(model, TRAIN)[0], abs=1e-5)
    assert (report.dev_loss, report.dev_accuracy) == pytest.approx(title_score(model, DEV), abs=1e-6)
    assert 0 < report.seconds < 60
    report, = fit(model, TRAIN, DEV, epochs=1, lr=1e-12, batch_size=999, max_norm=1e-3)
    model.zero_grad()
    labels = torch.tensor([label for _, label in TRAIN])
    F.cross_entropy(model(model.to_ids([title for title, _ in TRAIN])), labels).backward()
    length = math.sqrt(sum(float((p.grad ** 2).sum()) for p in model.parameters()))
    assert report.grad_norm == pytest.approx(length, rel=1e-4) and length > 1e-3


def test_evaluate_by_hand():
    model = toy_model()
    p = [dict(model.predict(title)) for title, _ in DEV]
    right = [row[model.classes[label]] for row, (_, label) in zip(p, DEV, strict=True)]
    loss, accuracy = title_score(model, iter(DEV))
    assert loss == pytest.approx(-np.mean(np.log(right)), abs=1e-6)
    assert accuracy == np.mean([r == max(row.values()) for r, row in zip(right, p, strict=True)])
    with torch.no_grad():
        model.output.bias[0] = 1e4  # 别的类概率是 0，损失仍是有限的数
    assert title_score(model, DEV[:3]) == pytest.approx((2 / 3 * -math.log(1e-9), 1 / 3), rel=1e-5)


@pytest.mark.parametrize(("losses", "patience", "stops", "best"), [
    ([3, 2, 2.5, 2.4, 1, 1], 2, 4, 2), ([3, 2, 2.5, 2.4, 1, 1], 3, 6, 5),
    ([2, 2, 2, 2, 2, 2], 2, 3, 1), ([1, 2, 0.5, 2, 3, 0], 1, 2, 1), ([6, 5, 4, 3, 2, 1], 1, 6, 6),
])
def test_it_stops_when_it_should_and_keeps_the_best(monkeypatch, tmp_path, losses, patience, stops, best):
    script, kept = iter(losses), []
    monkeypatch.setattr(classifier_fit, "title_score", lambda model, titles: (next(script), 0.5))
    settings = {"epochs": 6, "lr": 0.01, "patience": patience, "checkpoint": tmp_path / "c.npz"}
    model = toy_model()
    reports = fit(model, TRAIN[:30], DEV, on_epoch=lambda m, r: kept.append(weights(m)), **settings)
    assert len(reports) == len(kept) == stops and same(model.state_dict(), kept[best - 1])
    again = toy_model()  # 停下之后再来一次，不再训练，结果一样
    assert fit(again, TRAIN[:30], DEV, on_epoch=lambda m, r: pytest.fail("又训练了"), **settings) == reports
    assert same(again.state_dict(), kept[best - 1])


def test_every_epoch_has_its_own_batches_and_dropout(monkeypatch):
    batches, seeds = [], []
    monkeypatch.setattr(classifier_fit, "_similar_lengths",
                        lambda *a: batches.append(_similar_lengths(*a)) or batches[-1])
    for seed in (1, 2):
        model = toy_model(**NOISY)
        model.register_forward_pre_hook(lambda m, _: note_seed(m, seeds))
        fit(model, TRAIN, DEV, epochs=3, seed=seed, patience=9)
    assert len({tuple(np.concatenate(rows)) for rows in batches}) == 6 and len(set(seeds)) == 6


def test_batches_hold_every_title_once_and_similar_lengths_together():
    lengths = np.random.default_rng(0).integers(3, 30, 1003).tolist()
    batches = _similar_lengths(lengths, 10, np.random.default_rng(1))
    assert sorted(np.concatenate(batches)) == list(range(1003))
    assert sorted(map(len, batches)) == [3] + [10] * 100
    spread = [np.ptp([lengths[k] for k in rows]) for rows in batches]
    assert np.mean(spread) < 2
    batches = _similar_lengths(lengths[:500], 10, np.random.default_rng(1))  # 正好五十批，一起排的
    means = [np.mean([lengths[k] for k in rows]) for rows in batches]
    assert abs(np.corrcoef(means, np.arange(50))[0, 1]) < 0.5  # 各批的次序也打乱了
    assert len(_similar_lengths([5], 10, np.random.default_rng(1))) == 1


def test_chance_comes_from_the_seed_alone():
    """不动全局的随机数，也不受它影响。"""
    results = []
    for outside in (5, 6):
        torch.manual_seed(outside)
        np.random.seed(outside)
        before = torch.get_rng_state(), np.random.get_state()[1].copy()
        model = toy_model(**NOISY)
        fit(model, TRAIN, DEV, epochs=2)
        title_score(model, DEV)
        assert torch.equal(torch.get_rng_state(), before[0]) and (np.random.get_state()[1] == before[1]).all()
        results.append(weights(model))
    other = toy_model(**NOISY)
    fit(other, TRAIN, DEV, epochs=2, seed=2)
    assert same(*results) and not same(results[0], weights(other))


@pytest.mark.parametrize(("change", "message"), [
    ({"epochs": 0}, "epochs 应为不小于 1 的整数，收到 0"), ({"patience": 0}, "patience 应为不小于 1"),
    ({"batch_size": 0}, "batch_size 应为不小于 1"), ({"seed": -1}, "seed 应为不小于 0"),
    ({"epochs": 1.5}, "收到 1.5"), ({"lr": 0}, "应大于 0，收到 lr=0"), ({"lr": math.nan}, "lr=nan"),
    ({"max_norm": -1.0}, "max_norm=-1.0"), ({"train": []}, "train 里一条标题也没有"),
    ({"dev": []}, "dev 里一条标题也没有"),
    ({"dev": [("晴", -1)]}, "dev 里的类别编号应为 0…2 的整数，收到 -1"),
    ({"train": [("晴", 3)]}, "train 里的类别编号应为 0…2 的整数，收到 3（'晴'）"),
])
def test_mistakes_are_named(change, message):
    with pytest.raises(ValueError, match=message):
        fit(toy_model(), **{"train": TRAIN, "dev": DEV, "epochs": 1} | change)


def test_divergence_is_an_error_and_never_a_checkpoint(tmp_path):
    seen = []
    with pytest.raises(ValueError, match="训练发散了：第 1 轮，dev 损失是 nan；请把 lr 从 1e.30 减到"):
        fit(toy_model(cell="none"), TRAIN, DEV, lr=1e30, checkpoint=tmp_path / "c.npz",
            on_epoch=lambda model, report: seen.append(report.dev_loss))
    assert len(seen) == 1 and not list(tmp_path.iterdir())  # 记录里看得见那一轮


def test_one_title_one_class_and_batches_of_one():
    model = Classifier(build_vocab(["晴晴"]), ["天气"])
    reports = fit(model, [("晴晴", 0)], [("雨", 0)], epochs=9)
    assert len(reports) == 3 and reports[-1].dev_loss < 1e-6 and model.predict("雪") == [("天气", 1.0)]
    assert len(fit(toy_model(), TRAIN[:5], DEV, batch_size=1, epochs=1)) == 1


@pytest.mark.parametrize("design", [{}, {"cell": "none", "pooling": "mean"},
                                    {"pooling": "last", "bigrams": True}])
def test_every_design_learns_and_the_padding_stays_zero(design):
    model = toy_model(**NOISY | design)
    fit(model, [*TRAIN, ("", 0)], DEV, epochs=6, lr=0.03, patience=6)
    assert title_score(model, DEV)[1] > 0.9 and not model.embedding.weight[0].any()


def test_each_process_drops_its_own_units(monkeypatch):
    """同一轮里各进程的随机数不同；seed、轮、进程三样，有一样不同就不同。"""
    seeds = []
    monkeypatch.setattr(dist, "is_initialized", lambda: True)
    monkeypatch.setattr(dist, "get_world_size", lambda: 2)
    for call in ("all_reduce", "broadcast"):
        monkeypatch.setattr(dist, call, lambda *_, **__: None)
    for rank in (0, 1):
        monkeypatch.setattr(dist, "get_rank", lambda rank=rank: rank)
        model = toy_model(**NOISY)
        model.register_forward_pre_hook(lambda m, _: note_seed(m, seeds))
        fit(model, TRAIN, DEV, epochs=2, patience=9)
    assert len(set(seeds)) == 4
