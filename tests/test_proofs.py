"""书里的数与它的出处：账本跟得上正文，出处都还在、取整后正好是那个数，没有出处的说得出为什么。"""

import re
from functools import cache

import pytest
from measured import LEDGERS, PAGES, ROOT, find, places, proves, read, sources
from proofs import bring_up_to_date, holds, path_of, stored

AGAIN = "请运行 python book/_kit/proofs.py"
MOST_DEFINITIONS = 0.06   # 不是量出来的数，至多占这么多


@cache
def true(page, at):
    """账本第 at 条的出处还成立吗；alter_prose.py 要问几百遍。"""
    return holds(stored(page)[at])


def faults(page, texts):
    """一页的话（[(第几格, Markdown)]）与它的账对不上的地方。"""
    ledger, new = stored(page), places(texts)
    found = [f"正文是 {place.written}（{place.near}），账上是 {one['number']}（{one['near']}）；{AGAIN}"
             for one, place in zip(ledger, new, strict=False)
             if (one["number"], one["near"]) != (place.written, place.near)]
    if len(ledger) != len(new):
        found.append(f"正文有 {len(new)} 个数，账上有 {len(ledger)} 个；{AGAIN}")
    return found + [f"{one['number']}（{one['near']}）的出处不在了，或没有出处；{AGAIN}"
                    for at, one in enumerate(ledger) if not true(page, at)]


@pytest.mark.parametrize("name", PAGES)
def test_every_number_has_its_proof(name):
    assert faults(name, sources(name)) == []


def test_every_page_with_numbers_has_a_ledger_and_no_other():
    assert set(LEDGERS.glob("*.json")) == {path_of(page) for page in PAGES if places(sources(page))}


def entries():
    return [one for page in PAGES for one in stored(page)]


def test_each_has_one_kind_of_proof():
    for one in entries():
        kinds = {"cell", "code", "record", "test", "definition"} & one.keys() or {"from"} & one.keys()
        assert len(kinds) == 1, one
        assert set(one) <= {"number", "near", "line", "from", *kinds}, one


def test_definitions_are_few_and_say_why():
    reasons = [one["definition"] for one in entries() if "definition" in one]
    assert all(len(reason) >= 6 for reason in reasons)
    assert len(reasons) < MOST_DEFINITIONS * len(entries())


def test_the_tests_named_are_there():
    for name in {one["test"] for one in entries() if "test" in one}:
        path, _, function = name.partition("::")
        assert re.search(rf"^def {function}\(", (ROOT / path).read_text(encoding="utf-8"), re.M), name


def test_a_claim_is_proved_in_its_own_chapter():
    """“笔记的话”一行的数，都出自这一行所指的那一章。"""
    for one, place in zip(stored("book/claims"), places(sources("book/claims")), strict=True):
        chapter = re.search(r"notebooks/(\w+)\.ipynb", place.block)[1]
        where = one.get("cell") or one.get("code") or f"{chapter}/"
        assert where.startswith(f"{chapter}/"), one


# --- 什么算量出来的数，怎样才算同一个数 ---------------------------------------------------

@pytest.mark.parametrize("text, numbers", [
    ("平均 52.1%，最好的 83%", ["52.1%", "83%"]), ("从 -0.18 到 0.5", ["-0.18", "0.5"]),
    ("第 3 步变了 2e-06", ["2e-06"]), ("50-300 维", []), ("训练 1,500 步，15 个里 5 个", ["1,500"]),
    ("耗时 3 秒，38 对", ["3", "38"]), ("1 万 5 千个词", ["1 万 5 千"]), ("torch 2.13.0，word2vec", []),
])
def test_what_is_a_measured_number(text, numbers):
    assert [match[0] for match in find(text)] == numbers


@pytest.mark.parametrize("tex, numbers", [
    (r"h \approx -0.130", ["-0.130"]), (r"10{,}000", ["10{,}000"]), ("10^{-12.4}", ["10^{-12.4}"]),
    (r"6 \times 10^{-12}", [r"6 \times 10^{-12}"]), ("h_{12} + 3", []), ("0.9^{10}", ["0.9"]),
])
def test_what_is_measured_in_a_formula(tex, numbers):
    assert [match[0] for match in find(tex, formula=True)] == numbers


@pytest.mark.parametrize("printed, written, yes", [
    ("0.5214", "0.52", True), ("98.46", "98.5%", True), ("0.521", "52.1%", True), ("0.5214", "0.53", False),
    ("-0.18", "0.18", True), ("0.18", "-0.18", False), ("1002", "1,002", True), ("9.2", "9", True),
    ("-12.4", "10^{-12.4}", True), ("5.93e-12", r"6 \times 10^{-12}", True), ("15,000", "1 万 5 千", True),
    ("52%", "0.52", False), ("5", "5.0", True), ("50", "52%", False), ("1", "100%", False),
])
def test_rounding_gives_exactly_the_number(printed, written, yes):
    assert proves(read(printed), read(written)) is yes


def one(line, number, **more):
    return {"number": number, "near": "", "cell": "02_lstm_gates/3dc085e1", "line": line, **more}


def test_a_proof_that_is_gone_does_not_hold():
    line = "RNN 长 40：平均 52.1%，15 个里 0 个过 90%"
    assert holds(one(line, "52.1%"))
    assert not holds(one(line, "52.2%"))                                # 数改了
    assert not holds(one(line.replace("52.1", "52.2"), "52.2%"))        # 那一格没有印过这一行
    assert not holds(one(line, "52.1%") | {"cell": "02_lstm_gates/53b3b9fd"})
    assert holds(one(line, "37.9%", **{"from": "90 - 52.1"}))
    assert not holds(one(line, "37.9%", **{"from": "90.5 - 52.6"}))     # 算式里的数没有印过
    assert not holds({"number": "37.9%", "near": ""})


@pytest.mark.parametrize("new", ["58.3%", "69.0%"])     # 哪里都没有印过；别的一行印着
def test_an_altered_number_finds_no_proof_by_itself(new):
    """正文的 66.1% 改掉，再运行一次命令：只在原来那一格找，找不到就等人来看，运行几次都一样。"""
    page, old = "notebooks/02_lstm_gates", "平均 66.1%，15 个里"
    texts = [(at, text.replace(old, f"平均 {new}，15 个里")) for at, text in sources(page)]
    made, fresh = bring_up_to_date(page, stored(page), texts)
    assert [one["number"] for one in fresh] == [new] and "66.1%" in fresh[0]["missing"]
    assert bring_up_to_date(page, made, texts) == (made, [])
    assert bring_up_to_date(page, made, sources(page))[0] == stored(page)    # 改回来，什么都没有变


def test_other_words_keep_the_proofs():
    page = "notebooks/02_lstm_gates"
    texts = [(at, text.replace("也不是学习率挑得不巧", "也试过别的学习率")) for at, text in sources(page)]
    made, fresh = bring_up_to_date(page, stored(page), texts)
    assert fresh == [] and len(made) == len(stored(page))
    assert all(a == b | {"near": a["near"]} for a, b in zip(made, stored(page), strict=True))
