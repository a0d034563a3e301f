"""训练互动“标题分类器”用的模型，权重取整，存成 model.npz，打包成 model.js，并改写说明里的表。约二十秒。

    python data/classifier/build.py

单精度、单线程、随机种子 1。换一个处理器，训练会把最末几位的差别放大，做出的文件略有不同。
"""

from pathlib import Path

import numpy as np
import torch

from textseq import corpora
from textseq._files import rewrite_table
from textseq.classifier import Classifier, Design, build_vocab
from textseq.classifier_fit import fit
from textseq.evaluation import title_score
from textseq.quantized import pack_table, round_blocks, write_script

FOLDER = Path(__file__).parent
TITLES = FOLDER.parent / "headlines"
NAME = "textseqHeadlines"  # 网页里的全局变量


def train() -> Classifier:
    """互动里用的模型：只学 train.txt，用 dev.txt 定早停。"""
    titles, dev = (corpora.headlines(TITLES, split) for split in ("train", "dev"))
    design = Design(bigrams=True, embedding_size=32, hidden_size=64)
    vocab = build_vocab((title for title, _ in titles), bigrams=True, min_count=3)
    model = Classifier(vocab, titles.classes, design)
    fit(model, titles, dev, epochs=12, lr=8e-3, batch_size=32, max_norm=5.0)
    return model


def tables(model: Classifier) -> dict[str, list[np.ndarray]]:
    """权重分成几张表，每张由几块左右拼成：词向量 (V, E)；每个方向的 LSTM [W_x W_h b] (4H, D+H+1)；
    输出 [W b] (C, H+1)。LSTM 的两个偏置总是相加，并成一个，另一个清零。

    异常：网页里没有写的设计（按词，RNN、GRU），ValueError。
    """
    design = model.design
    # 与模型共用内存，改这里就是改模型
    weight = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    if design.unit != "char" or design.cell not in ("lstm", "none"):
        raise ValueError(f"网页里只会按字、LSTM 或没有循环层的模型，收到 unit={design.unit!r}、"
                         f"cell={design.cell!r}；请换一种设计，或在 headlines.js 里补上")
    found = {"embedding": [weight["embedding.weight"]]}
    for name, end in (("forward", "l0"), ("backward", "l0_reverse")):
        if f"recurrent.bias_ih_{end}" in weight:
            weight[f"recurrent.bias_ih_{end}"] += weight[f"recurrent.bias_hh_{end}"]
            weight[f"recurrent.bias_hh_{end}"][...] = 0
            parts = ("weight_ih", "weight_hh", "bias_ih")
            found[name] = [weight[f"recurrent.{part}_{end}"] for part in parts]
    return found | {"output": [weight["output.weight"], weight["output.bias"]]}


def round_weights(model: Classifier) -> None:
    """权重换成取整以后的。存下的就是它，所以 Python 与网页用的是同一组数。"""
    for blocks in tables(model).values():
        round_blocks(blocks)


def pack(model: Classifier, path: Path, about: str) -> None:
    """写成 model.js：给全局变量赋值，http 与 file:// 的网页都能载入。同一个模型，文件逐字节相同。"""
    packed = {name: pack_table(np.column_stack(blocks)) for name, blocks in tables(model).items()}
    payload = {"about": about, "bigrams": model.design.bigrams, "pooling": model.design.pooling,
               "classes": model.classes, "units": " ".join(model.vocab.real_words), "tables": packed}
    write_script(path, NAME, payload)


def describe(model: Classifier, accuracy: float) -> str:
    """一句话说清是什么模型，准不准；互动的末尾也写着它。"""
    d, count = model.design, len(list(corpora.headlines(TITLES)))
    layer = f"{'双向' if d.bidirectional else '单向'} LSTM" if d.cell == "lstm" else "没有循环层"
    return (f"课程自己写的 {count:,} 条标题，{'单字与二元组' if d.bigrams else '单字'}，{layer}；"
            f"dev 的 500 条认对 {accuracy:.1%}")


def main() -> None:
    torch.set_num_threads(1)
    dev = list(corpora.headlines(TITLES, "dev"))
    model = train()
    (_, before), p = title_score(model, dev), model.probabilities([title for title, _ in dev])
    round_weights(model)
    (_, after), q = title_score(model, dev), model.probabilities([title for title, _ in dev])
    about = describe(model, after)
    model.save(FOLDER / "model.npz")
    pack(model, FOLDER / "model.js", about)
    d, size = model.design, lambda name: f"{(FOLDER / name).stat().st_size / 1e6:.2f} MB"
    rows = [("模型", about),
            ("设计", f"词向量 {d.embedding_size} 维，隐状态 {d.hidden_size} 维，汇总 {d.pooling}"),
            ("字与二元组", f"{len(model.vocab.real_words):,} 个"),
            ("参数", f"{sum(weight.numel() for weight in model.parameters()):,} 个"),
            ("取整之前，dev 认对", f"{before:.1%}"),
            ("取整前后，dev 的概率最多差", f"{np.abs(p - q).max():.3f}"),
            ("`model.npz`", size("model.npz")), ("`model.js`", size("model.js"))]
    print(rewrite_table(FOLDER / "README.md", rows))


if __name__ == "__main__":
    main()
