"""量互动“自己的文本”：换一个随机的起点，十个近邻还剩几个；训练用几秒。写进 results.tsv，约一分钟。

    python data/own_text/measure.py

在没有窗口的 Chromium 里跑互动自己的程序（tests/ 用的那一个），样例按词切，10 轮，其余是默认的设定，
min_count=1；三个种子，两两相比再平均，一档至多看 60 个词。秒数随机器变，别的不变。
"""

import csv
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
ROOT = FOLDER.parents[1]
LENGTHS = (20_000, 80_000)  # 样例开头这么多个字符
BANDS = ((1, 2), (3, 4), (5, 9), (10, 19), (20, 10**6))
HEADER = ("字符", "次数", "词数", "十个近邻里还剩", "一次训练几秒")

RUN = """async ([length, bands]) => {
    const at = (name) => import(`/textseq/explorables/${name}.js`);
    const { openDictionary, sentencesOf, toIds } = await at("_segment");
    const { learn, newModel } = await at("_skipgram");
    const { nearest } = await at("_vectors");
    const { spec } = await at("own_text");
    const set = Object.fromEntries(Object.entries(spec.state).map(([key, rule]) => [key, rule.default]));
    const dictionary = openDictionary(textseqOwnText, set.own_words);
    const text = textseqOwnText.sample.slice(0, length);
    const corpus = toIds(sentencesOf(text, "word", dictionary), 1);
    const begun = performance.now();
    const runs = [1, 2, 3].map((seed) => {
        const model = newModel({ ...set, ...corpus, seed });
        while (learn(model));
        const { E, embedding: rows, counts } = model;
        const norms = counts.map((_, id) => Math.hypot(...rows.subarray(id * E, (id + 1) * E)));
        return (id) => nearest({ E, rows, norms, counts }, [id]).map(([other]) => other);
    });
    const seconds = (performance.now() - begun) / 3000;
    const kept = (id) => {
        const [a, b, c] = runs.map((near) => near(id));
        const both = (x, y) => x.filter((other) => y.includes(other)).length;
        return (both(a, b) + both(a, c) + both(b, c)) / 3;
    };
    return bands.map(([low, high]) => {
        const ids = [...corpus.counts.keys()].filter((id) =>
            corpus.counts[id] >= low && corpus.counts[id] <= high);
        const some = ids.filter((_, k) => k % Math.ceil(ids.length / 60) === 0);
        return [ids.length, some.map(kept).reduce((x, y) => x + y, 0) / some.length, seconds];
    });
}"""


def measure(length: int) -> list[tuple]:
    """一种长度：各档次数的词有几个，近邻还剩几个，训练几秒。"""
    sys.path[:0] = [str(ROOT / "book/_kit"), str(ROOT / "tests")]
    import chromium
    from serving import serve

    with serve(ROOT) as address, chromium.opened() as browser:
        page = browser.new_page()
        page.goto(f"{address}/data/own_text/README.md")
        page.add_script_tag(path=FOLDER / "own_text.js")
        rows = page.evaluate(RUN, [length, BANDS])
    names = [f"{low}–{high}" if high < 10**6 else f"{low} 以上" for low, high in BANDS]
    return [(length, name, count, f"{kept:.1f}", f"{seconds:.1f}")
            for name, (count, kept, seconds) in zip(names, rows, strict=True)]


def main() -> None:
    rows = [row for length in LENGTHS for row in measure(length)]
    with (FOLDER / "results.tsv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter="\t", lineterminator="\n").writerows([HEADER, *rows])
    print(*rows, sep="\n")


if __name__ == "__main__":
    main()
