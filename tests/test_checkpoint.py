"""检查点：存取不走样，换了设定说得出是哪一项，坏文件有清楚的错误；不用 pickle。"""

import numpy as np
import pytest

from textseq._checkpoint import load_checkpoint, save_checkpoint

ARRAYS = {"E": np.arange(12, dtype=np.float32).reshape(4, 3), "步": np.array([1, 2])}
SETTING = {"model": "cbow", "alpha": 0.05, "vocab": 7, "路": ("a", "b")}


def test_round_trip(tmp_path):
    path = tmp_path / "c.npz"
    assert load_checkpoint(path, SETTING) is None
    save_checkpoint(path, ARRAYS, 3, SETTING)
    arrays, done = load_checkpoint(path, SETTING)
    assert done == 3 and arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype
    assert [p.name for p in tmp_path.iterdir()] == ["c.npz"]


@pytest.mark.parametrize(("change", "message"), [
    ({"alpha": 0.1}, "alpha 当时是 0.05，现在是 0.1"), ({"vocab": 8}, "词表换了"),
])
def test_another_setting_is_refused(tmp_path, change, message):
    path = tmp_path / "c.npz"
    save_checkpoint(path, ARRAYS, 3, SETTING)
    with pytest.raises(ValueError, match=f"c.npz 是用另一套设定存下的：{message}；请改回去"):
        load_checkpoint(path, SETTING | change)


def test_a_damaged_file_may_be_deleted_but_a_foreign_one_is_never_called_ours(tmp_path):
    path = tmp_path / "c.npz"
    save_checkpoint(path, ARRAYS, 3, SETTING)
    whole = path.read_bytes()
    for n in range(60, len(whole), 97):
        path.write_bytes(whole[:n])
        with pytest.raises(ValueError, match="c.npz 不完整，读不出来；如果它是训练留下的.*请删去它"):
            load_checkpoint(path, SETTING)


def test_another_programs_file_is_left_alone(tmp_path):
    """不是我们的文件：不说“删去它”，也不把 NumPy 的“可以不安全地读”传下去。"""
    path = tmp_path / "c.npz"
    np.savez(tmp_path / "objects.npz", E=np.array([{"a": 1}], dtype=object))
    np.savez(tmp_path / "plain.npz", E=np.zeros(3), note=np.array("{}"))
    foreign = [b"", b"\x80\x04", "标题\t0\n".encode() * 50, (tmp_path / "objects.npz").read_bytes(),
               (tmp_path / "plain.npz").read_bytes()]
    for content in foreign:
        path.write_bytes(content)
        with pytest.raises(ValueError, match="不是 textseq 存下的") as caught:
            load_checkpoint(path, SETTING)
        assert "删" not in str(caught.value) and "pickle" not in str(caught.value)
    with pytest.raises(ValueError, match="是文件夹"):
        load_checkpoint(tmp_path, SETTING)


def test_what_the_system_refuses_is_not_a_damaged_file(tmp_path, monkeypatch):
    path = tmp_path / "c.npz"
    save_checkpoint(path, ARRAYS, 3, SETTING)
    monkeypatch.setattr("pathlib.Path.open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "x")))
    with pytest.raises(PermissionError):
        load_checkpoint(path, SETTING)


def test_a_checkpoint_of_another_kind_says_so(tmp_path):
    """模型，或另一种训练的检查点：设定的项目都不一样，不说“某一项当时是 None”。"""
    path = tmp_path / "c.npz"
    save_checkpoint(path, ARRAYS, 3, SETTING)
    for setting in ({"epochs": 3}, SETTING | {"新": 1}):
        with pytest.raises(ValueError, match="c.npz 存的是别的东西.*请换一个检查点文件"):
            load_checkpoint(path, setting)
