"""标题分类器：一串字（或词）→ 词向量 → 循环层 → 汇总 → 类别；预测与存取。第 09、10 章。

    model = Classifier(build_vocab(titles), classes, Design(cell="lstm", pooling="max"))
    reports = fit(model, train, dev)                       # 训练在 classifier_fit.py
    model.predict("中华女子学院：本科层次仅1专业招男生")     # [("教育", 0.98), …]

出处：双向循环层，Schuster & Paliwal, Bidirectional Recurrent Neural Networks, 1997；
沿时间取最大值，Conneau et al., Supervised Learning of Universal Sentence Representations, 2017。
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from textseq._checkpoint import read_checkpoint, save_checkpoint
from textseq.sequences import pad_sequences
from textseq.shapes import check_integer
from textseq.text import split_units, with_bigrams
from textseq.vocab import PAD_ID, UNK_ID, Vocab

__all__ = ["CELLS", "POOLINGS", "Classifier", "Design", "build_vocab"]

CELLS = {"lstm": nn.LSTM, "rnn": nn.RNN, "gru": nn.GRU, "none": None}
POOLINGS = ("last", "max", "mean")
FORMAT = 2  # 存盘格式的版本


@dataclass(frozen=True)
class Design:
    """模型的设计，与权重一起存盘。

    unit 是 "char"（字）或 "word"（jieba 的词）；bigrams=True 时，每个位置再看它与下一个合起来的二元组。
    cell="none" 没有循环层，汇总的就是词向量，次序不管；这时 hidden_size、bidirectional 不起作用。
    unit_dropout 是训练时把字、词、二元组随机换成 <unk> 的比例：少见的二元组靠不住，别只认它们。
    pooling 把各步的隐状态汇总成一个：last 取最后一步（双向时是两头），max、mean 跳过补齐的位置。
    异常：没有这种单位、循环层、汇总，或大小、比例不合理，ValueError。

    >>> Design(cell="gru", bidirectional=False).hidden_size
    128
    """
    unit: str = "char"
    bigrams: bool = False
    cell: str = "lstm"
    bidirectional: bool = True
    pooling: str = "max"
    embedding_size: int = 64
    hidden_size: int = 128
    dropout: float = 0.4
    unit_dropout: float = 0.3

    def __post_init__(self) -> None:
        choices = {"unit": ("char", "word"), "cell": tuple(CELLS), "pooling": POOLINGS}
        for name, allowed in choices.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} 应为 {'、'.join(allowed)} 之一，收到 {getattr(self, name)!r}")
        for name in ("embedding_size", "hidden_size"):
            object.__setattr__(self, name, check_integer(name, getattr(self, name)))
        for name in ("dropout", "unit_dropout"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} 是比例，应在 0（含）到 1 之间，收到 {getattr(self, name)!r}")


def build_vocab(titles: Iterable[str], unit: str = "char", bigrams: bool = False,
                min_count: int = 2) -> Vocab:
    """建词表：单位与二元组编在一起；只出现一次的都当作 <unk>，<unk> 才有东西可学。

    >>> build_vocab(["油价下调", "油价上调"], bigrams=True).real_words
    ['油', '价', '调', '油价', '调$']
    """
    rows = (split_units(title, unit) for title in titles)
    return Vocab.build((row + with_bigrams(row) if bigrams else row for row in rows), min_count)


class Classifier(nn.Module):
    """标题分类器。vectors 给出起始的词向量表 (V, E)，freeze=True 时不再改它。

    >>> vocab = build_vocab(["油价下调", "油价上调"])
    >>> model = Classifier(vocab, ["财经", "体育"], Design(embedding_size=4, hidden_size=3))
    >>> model(model.to_ids(["油价下调", "油"])).shape      # 两条标题，两类的分数
    torch.Size([2, 2])
    """

    def __init__(self, vocab: Vocab, classes: Sequence[str], design: Design | None = None,
                 vectors: np.ndarray | None = None, freeze: bool = False, seed: int = 1):
        super().__init__()
        self.vocab, self.classes = vocab, tuple(classes)
        self.design = d = design or Design()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embedding = nn.Embedding(len(vocab), d.embedding_size, padding_idx=0)
            nn.init.normal_(self.embedding.weight, std=0.1)
            inputs = d.embedding_size * (2 if d.bigrams else 1)
            outputs = inputs
            if cell := CELLS[d.cell]:
                self.recurrent = cell(inputs, d.hidden_size, batch_first=True,
                                      bidirectional=d.bidirectional)
                outputs = d.hidden_size * (2 if d.bidirectional else 1)
            self.output = nn.Linear(outputs, len(self.classes))
        if vectors is not None:
            self.start_from(vectors)
        with torch.no_grad():
            self.embedding.weight[0] = 0
        self.embedding.weight.requires_grad_(not freeze)

    @torch.no_grad()
    def start_from(self, vectors: np.ndarray) -> None:
        """词向量表换成 vectors，<pad> 那一行仍是 0。异常：形状不是 (V, E)，或有 NaN，ValueError。

        >>> vocab = build_vocab(["油价下调", "油价上调"])
        >>> model = Classifier(vocab, ["财经", "体育"], Design(embedding_size=4, hidden_size=3))
        >>> model.start_from(np.ones((len(vocab), 4)))
        >>> model.embedding.weight.sum(1).tolist()
        [0.0, 4.0, 4.0, 4.0, 4.0]
        """
        vectors = np.asarray(vectors, dtype=np.float32)
        if vectors.shape != (wanted := tuple(self.embedding.weight.shape)):
            raise ValueError(f"vectors 的形状应为 (V, E) = {wanted}，收到 {vectors.shape}")
        if not np.isfinite(vectors).all():
            raise ValueError("vectors 里有 NaN 或无穷大；请减小训练词向量的学习率，重新训练")
        self.embedding.weight.copy_(torch.from_numpy(vectors))
        self.embedding.weight[0] = 0

    def to_ids(self, titles: Sequence[str]) -> torch.Tensor:
        """标题 → 编号 (B, T, 1)；用二元组时是 (B, T, 2)。空标题当作一个 <unk>。

        >>> model = Classifier(build_vocab(["油价下调", "油价上调"]), ["财经", "体育"])
        >>> model.to_ids(["油价", "涨"])[..., 0].tolist()
        [[2, 3], [1, 0]]
        """
        rows = [split_units(title, self.design.unit) for title in titles]
        columns = [rows, [with_bigrams(row) for row in rows]] if self.design.bigrams else [rows]
        ids = [pad_sequences([self.vocab.encode(row) or [UNK_ID] for row in column])
               for column in columns]
        return torch.from_numpy(np.stack(ids, axis=2))

    def hidden(self, x: torch.Tensor) -> torch.Tensor:
        """每一步的隐状态，补齐的位置是 0。形状：(B, T, 列) → (B, T, H 或 2H)；没有循环层，就是词向量。

        >>> vocab = build_vocab(["油价下调", "油价上调"])
        >>> model = Classifier(vocab, ["财经", "体育"], Design(embedding_size=4, hidden_size=3))
        >>> model.hidden(model.to_ids(["油价", "涨"])).shape               # 双向，各 3 维
        torch.Size([2, 2, 6])
        """
        if self.training and self.design.unit_dropout:
            stay = torch.rand(x.shape, device=x.device) >= self.design.unit_dropout
            x = x.where(stay | (x == PAD_ID), UNK_ID)
        e = F.dropout(self.embedding(x).flatten(2), self.design.dropout, self.training)
        if self.design.cell == "none":
            return e
        lengths = (x[..., 0] != PAD_ID).sum(1).cpu()
        packed = pack_padded_sequence(e, lengths, batch_first=True, enforce_sorted=False)
        h, _ = self.recurrent(packed)
        return pad_packed_sequence(h, batch_first=True, total_length=x.shape[1])[0]

    def pool(self, h: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        """各步的隐状态 → 一个向量，不看补齐的位置。形状：(B, T, H) → (B, H)。

        >>> model = Classifier(build_vocab(["油价下调", "油价上调"]), ["财经", "体育"])
        >>> x = torch.tensor([[[2], [3], [0]]])                             # 最后一格是补齐的
        >>> model.pool(torch.tensor([[[-2.0], [-1.0], [0.0]]]), x).tolist()
        [[-1.0]]
        """
        mask = x[..., :1] != PAD_ID
        if self.design.pooling == "max":
            return h.masked_fill(~mask, -torch.inf).amax(1)
        if self.design.pooling == "mean":
            return h.sum(1) / mask.sum(1)
        last = h[torch.arange(len(h)), mask.sum((1, 2)) - 1]
        if self.design.cell == "none" or not self.design.bidirectional:
            return last
        half = self.design.hidden_size  # 反向的那一半从右往左读，读完时在第 0 步
        return torch.cat((last[:, :half], h[:, 0, half:]), 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """编号 → 各类的分数（logits）。形状：(B, T, 列) → (B, C)。

        >>> model = Classifier(build_vocab(["油价下调", "油价上调"]), ["财经", "体育"])
        >>> model(torch.tensor([[[2], [3], [0]]])).shape
        torch.Size([1, 2])
        """
        v = self.pool(self.hidden(x), x)
        return self.output(F.dropout(v, self.design.dropout, self.training))

    @torch.inference_mode()
    def probabilities(self, titles: Sequence[str], batch_size: int = 256) -> np.ndarray:
        """各类的概率，(N, C)；长短相近的一起算，结果按原来的次序。训练还是评估的状态，算完照旧。

        异常：不是标题的列表，TypeError。

        >>> model = Classifier(build_vocab(["油价下调", "油价上调"]), ["财经", "体育"])
        >>> model.probabilities(["油价", "涨"]).sum(axis=1).round(3).tolist()
        [1.0, 1.0]
        """
        if isinstance(titles, str):
            raise TypeError(f"应为标题的列表，收到字符串 {titles[:20]!r}；一条标题请用 predict")
        if odd := [title for title in titles if not isinstance(title, str)]:
            raise TypeError(f"标题应为字符串，收到 {odd[0]!r}；请检查读进来的数据")
        training = self.training
        self.eval()
        order = np.argsort([len(title) for title in titles], kind="stable")
        found = np.zeros((len(titles), len(self.classes)), dtype=np.float32)
        for i in range(0, len(order), batch_size):
            rows = order[i:i + batch_size]
            found[rows] = self(self.to_ids([titles[k] for k in rows])).softmax(1).numpy()
        self.train(training)
        return found

    def predict(self, title: str) -> list[tuple[str, float]]:
        """一条标题 → [(类别, 概率), …]，从大到小。

        >>> model = Classifier(build_vocab(["油价下调", "油价上调"]), ["财经"])
        >>> model.predict("油价")                                          # 只有一类，没有选择
        [('财经', 1.0)]
        """
        p = self.probabilities([title])[0]
        return [(self.classes[k], float(p[k])) for k in np.argsort(-p, kind="stable")]

    @property
    def fingerprint(self) -> dict:
        """设计、类别、词表与冻结，换了一样就不是同一个模型。

        >>> model = Classifier(build_vocab(["油价下调", "油价上调"]), ["财经", "体育"])
        >>> model.fingerprint["classes"], model.fingerprint["cell"]
        (['财经', '体育'], 'lstm')
        """
        return {"format": FORMAT, "classes": list(self.classes),
                "vocab": zlib.crc32(repr(self.vocab.words).encode()),
                "freeze": not self.embedding.weight.requires_grad, **asdict(self.design)}

    def save(self, path: str | Path) -> None:
        """存成一个 npz：权重、词表、切分的设定与指纹；不用 pickle。

        >>> import tempfile
        >>> model = Classifier(build_vocab(["油价下调", "油价上调"]), ["财经", "体育"])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save(f"{folder}/model.npz")
        ...     same = Classifier.load(f"{folder}/model.npz")
        >>> same.predict("油价") == model.predict("油价")
        True
        """
        arrays = {name: tensor.numpy() for name, tensor in self.state_dict().items()}
        words = json.dumps([self.vocab.real_words, self.vocab.real_counts], ensure_ascii=False)
        save_checkpoint(path, arrays | {"vocab": np.array(words)}, 0, self.fingerprint)

    @classmethod
    def load(cls, path: str | Path) -> Classifier:
        """读 save 存下的文件。异常：文件不在 FileNotFoundError；坏了，或词表与指纹不合，ValueError。

        >>> Classifier.load("没有.npz")
        Traceback (most recent call last):
        FileNotFoundError: 找不到模型 没有.npz；请先训练：textseq train，或用 --model 指明
        """
        if not Path(path).exists():
            raise FileNotFoundError(f"找不到模型 {path}；请先训练：textseq train，或用 --model 指明")
        arrays, _, setting = read_checkpoint(path)
        if "vocab" not in arrays:
            raise ValueError(f"{path} 是训练途中的检查点，不是模型；请用 train 的 -o 存下的文件")
        if setting.get("format") != FORMAT:
            raise ValueError(f"{path} 是别的版本存下的（格式 {setting.get('format')}，"
                             f"这里是 {FORMAT}）；请重新训练")
        try:
            vocab = Vocab(*json.loads(str(arrays.pop("vocab"))))
            known = Design.__dataclass_fields__
            design = Design(**{name: v for name, v in setting.items() if name in known})
            model = cls(vocab, setting["classes"], design, freeze=setting["freeze"])
            model.load_state_dict({name: torch.from_numpy(a) for name, a in arrays.items()})
        except (KeyError, TypeError, RuntimeError, ValueError):
            raise ValueError(f"{path} 不是完整的分类器；请重新训练") from None
        if changed := [k for k, v in model.fingerprint.items() if setting.get(k) != v]:
            name = {"vocab": "词表"}.get(changed[0], changed[0])
            raise ValueError(f"{path} 的{name}与指纹不合，文件被改过；请重新训练")
        return model.eval()
