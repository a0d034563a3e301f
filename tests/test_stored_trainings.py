"""data/ 里存下的训练结果，各章都引用：一行不缺，重算几行对得上。

重算一行就要训练一遍：make test-slow 只重算几秒一行的，其余的在 make test-full 里。
"""

import re
import runpy
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from textseq import corpora, gradcheck, lstm, text

DATA = Path(__file__).parents[1] / "data"


def full(*row):
    return pytest.param(*row, marks=pytest.mark.full)


@cache
def build(name):
    return SimpleNamespace(**runpy.run_path(str(DATA / name / "build.py")))


def read(name, keys):
    """results.tsv → 表头，与 {前 keys 列: [其余各列的数]}。"""
    header, rows = read_rows(name, keys)
    return tuple(header), {setting: list(map(float, values)) for setting, values in rows.items()}


def read_rows(name, keys):
    """同上，各列是字样，有的不是数。"""
    header, *rows = (line.split("\t") for line in
                     (DATA / name / "results.tsv").read_text(encoding="utf-8").splitlines())
    return header, {tuple(row[:keys]): row[keys:] for row in rows}


def close(got, stored, tolerances):
    return all(abs(a - b) < t for a, b, t in zip(got, stored, tolerances, strict=True))


def key(*setting):
    return tuple(map(str, setting))


def test_every_setting_is_there_once():
    dimensions, windows, choices, tables = map(build, ("dimensions", "windows", "choices", "two_tables"))
    readings, ends = build("readings"), build("ends")
    wanted = {"dimensions": [key(e, d, s) for e in dimensions.EPOCHS for d in dimensions.DIMS
                             for s in dimensions.SEEDS],
              "windows": [key(*setting, seed) for setting in windows.SETTINGS for seed in windows.SEEDS],
              "choices": [("数数", *"–––––"), *(key(*setting, seed) for setting in choices.settings()
                                              for seed in choices.SEEDS)],
              "two_tables": [key(name, kind, seed) for name in tables.TRAININGS for seed in tables.SEEDS
                             for kind in tables.kinds(name, 0, 0)],
              "readings": [*(key(*setting, seed) for setting in readings.SETTINGS
                             for seed in readings.SEEDS),
                           *(key(*setting, seed) for setting in readings.THUCNEWS
                             for seed in readings.SEEDS[:3])],
              "ends": [key(sample, marks, n, seed) for sample in ends.SAMPLES
                       for marks in ("留着", "去掉") for seed in ends.SEEDS for n in ends.SIZES]}
    for name, settings in wanted.items():
        header, results = read(name, len(settings[0]))
        assert list(results) == settings and header == build(name).COLUMNS


@pytest.mark.parametrize("size", [full(10), full(100)])
def test_training_the_dimensions_again_gives_the_same_quality(size):
    recipe, (_, results) = build("dimensions"), read("dimensions", 3)
    got = recipe.percent(recipe.train(corpus(), 5, size, 1))
    assert close(got, results[key(5, size, 1)][:2], (0.03, 1))


@pytest.mark.full
@pytest.mark.parametrize("setting", [("按段", 2, 2, 1e-3), ("去标点", 5, 5, 1e-3)])
def test_training_the_windows_again_gives_the_same_quality(setting):
    recipe, (_, results) = build("windows"), read("windows", 5)
    name, *rest = setting
    got = ruler().measure(recipe.train(arranged()[name], *rest, 1))
    assert close(got, results[key(*setting, 1)], (2, 2, 0.03, 1))


@pytest.mark.full
@pytest.mark.parametrize("setting", [("CBOW", 0.3, 5, 0.75, 24), ("Skip-gram", 0.1, 5, 0.75, 32)])
def test_training_a_choice_again_gives_the_same_quality(setting):
    recipe, (_, results) = build("choices"), read("choices", 6)
    got = recipe.measure(recipe.train(corpus(), *setting, 1))
    assert close(got[:5], results[key(*setting, 1)][:5], (0.03, 0.04, 0.05, 0.04, 1))


@pytest.mark.parametrize("name", ["两张都改，1 轮", full("两张都改"), full("只改 Context")])
def test_training_the_two_tables_again_gives_the_same_quality(name):
    recipe, (_, results) = build("two_tables"), read("two_tables", 3)
    last = recipe.snapshots(corpus(), name, 1)[-1]
    for kind, table in recipe.kinds(name, *last).items():
        got = recipe.measure(corpus(), table)
        assert close(got, results[key(name, kind, 1)], (0.03, 0.03, 1, 0.03, 0.05))


@pytest.mark.full
def test_watching_the_epochs_again_gives_the_same_numbers():
    recipe = build("two_tables")
    tables = [E for E, _ in recipe.snapshots(corpus(), "两张都改", 1)]
    stored = (DATA / "two_tables/epochs.tsv").read_text(encoding="utf-8").splitlines()[1:]
    for line, (*setting, settled, kin, cosine) in zip(stored, recipe.watch(corpus(), tables), strict=False):
        assert line.split("\t")[:4] == ["两张都改", "1", *map(str, setting)]
        assert close((settled, kin, cosine), map(float, line.split("\t")[4:]), (4, 3, 0.05))


@pytest.mark.full
def test_counting_again_gives_the_same_quality():
    recipe, (_, results) = build("choices"), read("choices", 6)
    got = recipe.measure(recipe.ppmi(corpus()))
    assert close(got[:5], results["数数", "–", "–", "–", "–", "–"][:5], (0.01, 0.01, 0.02, 0.01, 0.5))


@pytest.mark.parametrize("setting", [
    ("短评", "最后一个真词", "后", 16, 3, 0), ("短评", "直接取末位", "后", 32, 3, 0),
    full(("短评", "直接取末位", "后", 32, 10, 5)), full(("标题", "直接取末位", "后", 64, 10, 0))])
def test_a_reading_again(setting):
    """1,000 条里差 30 条以内；正确的读法，再补 32 格分数不变。"""
    recipe, (_, results) = build("readings"), read("readings", 7)
    name, *how = setting
    got = recipe.measure(recipe.train(clinic(name), *how, 0), clinic(name), *how[1:3])
    assert close(got, results[key(*setting, 0)], (3, 10, 3))
    assert how[0] == recipe.NAIVE or got[2] < 1e-6


@cache
def clinic(name):
    return build("readings").reviews() if name == "短评" else build("readings").titles(DATA / "headlines")


@pytest.mark.parametrize("sample", ["抽样 0", full("全部")])
def test_counting_heads_and_tails_again(sample):
    recipe, (_, results) = build("ends"), read("ends", 4)
    reviews = list(corpora.reviews())
    chosen = [reviews[i] for i in recipe.chosen(sample, len(reviews))]
    tokens, labels = [text.tokenize(r.text) for r in chosen], np.array([r.label for r in chosen])
    for n, seed, *scores in recipe.compare(tokens, labels, "留着"):
        assert results[key(sample, "留着", n, seed)] == [round(x, 2) for x in scores]


def test_the_walls_differ_only_in_where_they_stand():
    whole, line, joined, plain = (arranged()[name] for name in ("按段", "按句", "接成一串", "去标点"))
    assert (whole.ids == line.ids).all() and (whole.ids == joined.ids).all()
    assert joined.sentence.max() == 0 < whole.sentence.max() < line.sentence.max()
    assert "，" in whole.vocab.words and not set("，。、：") & set(plain.vocab.words)


@cache
def gates():
    """data/gates 的表：设定 → 五个网络的成绩。"""
    header, results = read("gates", 7)
    assert header == build("gates").COLUMNS
    return results


def test_every_network_of_the_gates_is_there_once():
    recipe = build("gates")
    toys = [key(*setting, length, seed) for *setting, tested in recipe.plan()
            for seed in recipe.SEEDS for length in tested]
    kept = [f"一直 {n}" for n in recipe.CLAMPS] + [f"只在测试时 {n}" for n in recipe.TESTED]
    kept += [f"遗忘门，{place}" for place in recipe.MARKS]
    titles = [key("书名号", "LSTM", name, "–", 200, "–", "–") for name in kept]
    assert list(gates()) == [*titles, key("书名号", "RNN", "没有门", "–", 200, "–", "–"), *toys]


@pytest.mark.parametrize("task, kind, how, T, steps, seed", [
    ("一面旗", "RNN", "正交", 10, 200, 0), full("一面旗", "LSTM", "偏置 5", 40, 200, 1),
    full("一面旗", "LSTM", "偏置 5，f = 1", 40, 200, 0), full("最近的旗", "LSTM", "偏置 1，裁剪", 20, 400, 0),
    full("最近的旗", "LSTM", "f = 1，裁剪", 20, 400, 0), full("一面旗", "RNN", "正交，裁剪", 40, 1000, 0)])
def test_training_the_gates_again_gives_the_same_accuracy(task, kind, how, T, steps, seed):
    """比的是五个网络的平均：别的处理器上，个别网络的结局会变。"""
    stored = gates()[key(task, kind, how, T, steps, T, seed)]
    got = build("gates").train(task, kind, how, T, steps, seed)(T)
    assert abs(got.mean() - sum(stored) / 5) < 8


@cache
def marked():
    return build("gates").Titles()


@pytest.mark.parametrize("name", ["原样", full("f = 1"), full("f = 0"), full("f = i = o = 1")])
def test_training_a_tagger_again_gives_the_same_f1(name):
    recipe = build("gates")
    net = recipe.train_tagger(marked(), "LSTM", recipe.CLAMPS[name], 0)
    stored = gates()[key("书名号", "LSTM", f"一直 {name}", "–", 200, "–", "–")][0]
    assert abs(recipe.f1(marked(), net, recipe.CLAMPS[name]) - stored) < 4


def test_a_clamped_tagger_is_the_library_cell_with_the_same_clamp():
    recipe = build("gates")
    net, ids = recipe.make_tagger("LSTM", 3, 20), torch.randint(20, (2, 7))
    cell = net["cell"]
    params = {"W_xh": cell.weight_ih_l0.T, "W_hh": cell.weight_hh_l0.T,
              "b_h": cell.bias_ih_l0 + cell.bias_hh_l0}
    params = {name: p.detach().numpy() for name, p in params.items()}
    for clamp in ({}, {"f": 1.0}, {"i": 1.0, "o": 1.0}):
        run = lstm.forward(net["E"](ids).detach().numpy(), params, clamp=clamp)
        mine = recipe.read_titles(net, ids, clamp)
        assert torch.allclose(mine, net["out"](torch.tensor(run.h))[..., 0], atol=1e-5)


@cache
def recalled():
    """data/recall 的表：设定 → 存下的数。"""
    header, *rows = (line.split("\t") for line in
                     (DATA / "recall/results.tsv").read_text(encoding="utf-8").splitlines())
    assert tuple(header) == build("recall").COLUMNS
    return {tuple(row[:5]): [float(v) for v in row[5:] if v != "–"] for row in rows}


@cache
def heads():
    return build("recall").Heads()


def test_every_training_of_the_recurrence_is_there_once():
    recipe = build("recall")
    recall = [key("记住第一个", *setting) for setting in recipe.plan()]
    write = [key("写标题", name, "–", steps, seed) for steps in recipe.STEPS for seed in recipe.SEEDS
             for name in ("RNN，平均，份额", "只看最近几个字，查表")]
    assert list(recalled()) == recall + write


@pytest.mark.parametrize("start, T, steps, seed", [
    ("默认", 4, 200, 0), full("正交", 32, 200, 1), full("默认", 32, 200, 0),
    full("默认，谱半径放到 1", 32, 200, 0)])
def test_recalling_the_first_again_gives_the_same_accuracy(start, T, steps, seed):
    stored = recalled()[key("记住第一个", start, T, steps, seed)]
    assert abs(build("recall").recall(T, start, steps, seed).mean() - sum(stored) / 10) < 8


@pytest.mark.full
def test_the_language_model_again_gives_the_same_nats():
    recipe = build("recall")
    scores, context = recipe.measure_lm(heads(), recipe.train_lm(heads(), 500, 0))
    assert close(scores, recalled()[key("写标题", "RNN，平均，份额", "–", 500, 0)], (0.05, 0.03, 0.11))
    assert close(context, recalled()[key("写标题", "只看最近几个字，查表", "–", 500, 0)], (0.06,) * 8)


def test_the_stored_writer_is_the_training_in_the_table():
    recipe = build("recall")
    with np.load(DATA / "recall/writer.npz") as file:
        P = {name: p.astype(np.float32) for name, p in file.items()}
    scores, _ = recipe.measure_lm(heads(), P)
    steps, seed = recipe.WRITER
    assert close(scores, recalled()[key("写标题", "RNN，平均，份额", "–", steps, seed)], (0.005, 0.005, 0.01))


def test_the_gradients_of_the_language_model():
    """E、W_hy、b_y 与循环层的梯度，与有限差分、与自动微分。"""
    recipe, rng = build("recall"), np.random.default_rng(6)
    shapes = {"E": (7, 3), "W_xh": (3, 4), "W_hh": (4, 4), "b_h": 4, "W_hy": (4, 7), "b_y": 7}
    P = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    ids, real = rng.integers(7, size=(2, 6)), np.arange(5) < np.array([[5], [3]])
    batch = recipe.Batch(ids[:, :-1], ids[:, 1:], real)
    slopes = gradcheck.finite_differences(lambda P: recipe.loss_and_grads(P, batch)[0], P)
    leaf = {name: torch.tensor(p, requires_grad=True) for name, p in P.items()}
    h, states = torch.zeros(2, 4).double(), []
    for t in range(5):
        h = torch.tanh(leaf["E"][ids[:, t]] @ leaf["W_xh"] + h @ leaf["W_hh"] + leaf["b_h"])
        states.append(h)
    logits = torch.stack(states, 1)[torch.tensor(real)] @ leaf["W_hy"] + leaf["b_y"]
    torch.nn.functional.cross_entropy(logits, torch.tensor(batch.answers[real])).backward()
    for name, g in recipe.loss_and_grads(P, batch)[1].items():
        assert np.abs(g - slopes[name]).max() < 1e-8 and np.abs(g - leaf[name].grad.numpy()).max() < 1e-8


def test_every_reading_network_is_there_once_with_three_seeds():
    """data/reading_gates：对手在前，然后每种网络三个种子、各种钉法；学习率是试过的里面最好的。"""
    recipe = build("reading_gates")
    header, rows = read_rows("reading_gates", 5)
    rows = list(rows)
    assert tuple(header) == recipe.COLUMNS
    rivals = ["总说外面", *(f"看最近 {k} 个字" for k in recipe.WINDOWS), "不看前文", "看前一个字"]
    assert [row[0] for row in rows[:len(rivals)]] == rivals
    assert [(row[0], row[1], row[4]) for row in rows[len(rivals):]] == [
        (kind, str(seed), recipe.clamp_name(clamp)) for kind in recipe.KINDS for seed in recipe.SEEDS
        for clamp in recipe.CLAMPS[kind]]
    tried = [line.split("\t") for line in
             (DATA / "reading_gates/rates.tsv").read_text(encoding="utf-8").splitlines()[1:]]
    assert [(kind, rate) for kind, rate, _ in tried] == [(kind, str(rate)) for kind in recipe.KINDS
                                                         for rate in recipe.RATES]
    for kind in recipe.KINDS:
        best = min((float(loss), rate) for name, rate, loss in tried if name == kind)[1]
        assert {row[2] for row in rows if row[0] == kind} == {best}


def test_the_shipped_readers_give_the_stored_numbers():
    """存下的三个网络再量一遍；不用网络的对手也重算。"""
    recipe = build("reading_gates")
    data, (vocab, nets) = recipe.Data(), recipe.load()
    _, results = read_rows("reading_gates", 5)
    assert vocab.words == data.vocab.words
    for kind, net in nets.items():
        h = net["cell"](net["embedding"](torch.arange(2, 12)[None]))[0]
        own = recipe.read(kind, net, net["embedding"](torch.arange(2, 12)[None]), {})[0]
        assert (h - own).abs().max() < 1e-5                    # 自己写的一步一步，就是 torch 的
        rate = next(row[2] for row in results if row[0] == kind)
        size = str(sum(p.numel() for p in net["cell"].parameters()))
        for clamp in recipe.CLAMPS[kind][:3]:
            stored = results[kind, "1", rate, size, recipe.clamp_name(clamp)]
            got = recipe.measure(data, kind, net, clamp)
            assert close(got, map(float, stored), [0.006] * len(got))
    own = [line.split("\t") for line in
           (DATA / "reading_gates/own.tsv").read_text(encoding="utf-8").splitlines()]
    assert [tuple(own[0]), [row[:2] for row in own[1:]]] == [
        recipe.OWN_COLUMNS, [row[:2] for row in recipe.own_rows(vocab, nets)]]
    for mine, stored in zip(recipe.own_rows(vocab, nets), own[1:], strict=True):
        assert close(map(float, mine[2:]), map(float, stored[2:]), [0.05] * 7)
    for k in recipe.WINDOWS:
        got = recipe.by_distance(data.test, recipe.look_back(data.test, k), recipe.BINS)
        assert close(got, map(float, results[(f"看最近 {k} 个字", *"––––")][:4]), [0.006] * 4)


@cache
def corpus():
    return build("dimensions").read_corpus()


@cache
def arranged():
    return build("windows").read_corpora()


@cache
def ruler():
    return build("windows").Ruler(arranged()["按段"])


@cache
def ladder():
    """data/ladder 的表：(数据, 模型, 训练条数, 种子) → 其余各列。"""
    header, *rows = (line.split("\t") for line in
                     (DATA / "ladder/results.tsv").read_text(encoding="utf-8").splitlines())
    assert tuple(header) == build("ladder").COLUMNS
    return {tuple(row[:4]): row[4:] for row in rows}


@cache
def titles():
    source = corpora.headlines(DATA / "headlines")
    return list(source), list(corpora.headlines(DATA / "headlines", "dev")), source.classes


def test_every_rung_of_the_ladder_is_there_with_three_seeds():
    recipe = build("ladder")
    for data, rungs, total in (("课程", recipe.OWN, "3300"), ("THUCNews", recipe.THUCNEWS, "33590")):
        seeds = {name: [s for d, n, size, s in ladder() if (d, n, size) == (data, name, total)]
                 for name in rungs}
        assert seeds == {name: list(map(str, recipe.SEEDS)) for name in rungs}
        assert (data, "总猜最多的一类", total, "–") in ladder()
        assert (data, "朴素贝叶斯", total, "–") in ladder()
    assert {("THUCNews", name, "33590", str(seed)) for name in recipe.UNSEEN
            for seed in recipe.SEEDS} <= ladder().keys()
    for size in recipe.SIZES:
        assert sum(row[0] == "课程" and row[2] == str(size) for row in ladder()) == 9


def test_naive_bayes_of_the_ladder_again():
    train, dev, classes = titles()
    accuracy, parameters = build("ladder").measure_bayes(train, dev, classes)
    stored = ladder()["课程", "朴素贝叶斯", "3300", "–"]
    assert [f"{accuracy:.2f}", str(parameters)] == stored[:2]


@pytest.mark.parametrize("name, size", [full("平均，字", 3300), ("平均，字与二字", 660),
                                        full("LSTM，字，末态", 3300)])
def test_a_rung_of_the_ladder_again(name, size):
    """500 条里差 15 条以内：别的处理器上，末几位不同，练出来也略有不同。"""
    recipe, (train, dev, classes) = build("ladder"), titles()
    accuracy, parameters, _, rate, _ = ladder()["课程", name, str(size), "1"]
    part = train if size == len(train) else recipe.subset(train, size, 1)
    epochs = recipe.EPOCHS if part is train else 2 * recipe.EPOCHS
    _, got, learned, *_ = recipe.measure(recipe.OWN[name], part, dev, classes, 1, lr=float(rate),
                                         max_norm=5, epochs=epochs)
    assert abs(got - float(accuracy)) <= 3 and learned == int(parameters)


def test_the_linear_rungs_learn_and_the_weights_of_bayes_help():
    """还没有学，什么标题都一样；学了之后，加权的平均高些。空的、全没见过的标题也有答案。"""
    recipe, (train, dev, classes) = build("ladder"), titles()
    some = recipe.subset(train, 660, 1)
    for kind in (recipe.Linear, recipe.Weighted):
        blank, one, strange = kind(some, classes).probabilities(["", dev[0].text, "囍"])
        assert np.allclose(blank, one) and np.allclose(blank, strange)
    plain, weighted = ([recipe.title_score(fit_one(some, classes, seed), dev).accuracy
                        for seed in recipe.SEEDS] for fit_one in (recipe.fit_linear, recipe.fit_weighted))
    learned = recipe.fit_weighted(some, classes, 1).probabilities(["", "囍"])
    assert np.allclose(learned.sum(axis=1), 1) and np.allclose(*learned)
    bayes = recipe.measure_bayes(some, dev, classes)[0] / 100
    assert np.mean(weighted) > np.mean(plain) and min(plain) > bayes - 0.1, (plain, weighted, bayes)
    assert recipe.grams("油")[-2:] == ["^ 油 $", "/油"]


def test_the_weight_of_a_unit_is_the_log_ratio_of_its_frequencies():
    """r 逐个数出来的一样：单位在这一类与别的类里的次数，各加 0.5，再除以各自的总数。"""
    recipe, (train, _, classes) = build("ladder"), titles()
    some = recipe.subset(train, 330, 1)
    model = recipe.Weighted(some, classes)
    words = model.vocab.real_words
    sets = [(set(recipe.grams(title)), label) for title, label in some]
    for k in (0, 7):
        here, elsewhere = (np.array([sum(word in units for units, label in sets if (label == k) is same)
                                     for word in words]) + 0.5 for same in (True, False))
        wanted = np.log(here / (here.sum() + 1)) - np.log(elsewhere / (elsewhere.sum() + 1))
        assert np.allclose(model.r[2:, k], wanted, atol=1e-5)
    assert not model.r[:2].any()


def test_two_models_are_averaged_title_by_title():
    recipe, (train, dev, classes) = build("ladder"), titles()
    some, texts = recipe.subset(train, 330, 1), [text for text, _ in dev[:9]]
    models = recipe.fit_linear(some, classes, 1), recipe.fit_weighted(some, classes, 1)
    both = recipe.Together(models, classes)
    assert np.allclose(both.probabilities(texts),
                       (models[0].probabilities(texts) + models[1].probabilities(texts)) / 2)
    assert sum(p.numel() for p in both.parameters()) == sum(
        p.numel() for model in models for p in model.parameters())


def test_the_tables_of_the_real_titles_are_the_records():
    """说明里“与谁合起来”那张表、最好一级的三个种子，都是记录里的。"""
    readme = (DATA / "ladder/README.md").read_text(encoding="utf-8")
    header, *rows = (line.split("\t") for line in
                     (DATA / "ladder/partners.tsv").read_text(encoding="utf-8").splitlines())
    found = {}
    for _, one, other, score, *_ in rows:
        found.setdefault((one, other), []).append(float(score))
    table = readme.partition("谁与谁合起来才更好")[2].partition("\n\n不加权")[0]
    means = [float(line.split("|")[3]) for line in table.splitlines() if re.match(r"\|.*\d \|$", line)]
    assert means == [round(float(np.mean(scores)), 2) for scores in found.values()]
    recipe = build("ladder")
    for name in (recipe.TOGETHER, recipe.WEIGHTED):
        scores = [float(ladder()["THUCNews", name, "33590", str(seed)][0]) for seed in recipe.SEEDS]
        assert f"{np.mean(scores):.2f}%" in readme
    assert all(f"{float(ladder()['THUCNews', recipe.TOGETHER, '33590', s][0]):.2f}%" in readme for s in "123")


def test_subsets_are_balanced_and_differ_by_seed():
    train, _, classes = titles()
    a, again, b = (build("ladder").subset(train, 330, seed) for seed in (1, 1, 2))
    assert a == again != b and len(set(a)) == 330
    assert {sum(label == k for _, label in a) for k in range(len(classes))} == {33}
