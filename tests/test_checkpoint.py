"""检查点：存取不走样，换了设定说得出是哪一项，坏文件有清楚的错误；不用 pickle。"""

import numpy as np
import pytest

from textseq.checkpoint import load_checkpoint, save_checkpoint

ARRAYS = {"E": np.arange(12, dtype=np.float32).reshape(4, 3), "步": np.array([1, 2])}
SETTING = {"model": "cbow", "alpha": 0.05, "词表": 7, "路": ("a", "b")}


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
    ({"alpha": 0.1}, "alpha 当时是 0.05，现在是 0.1"), ({"词表": 8}, "词表 当时是 7，现在是 8"),
    ({"新": 1}, "新 当时是 None，现在是 1"),
])
def test_another_setting_is_refused(tmp_path, change, message):
    path = tmp_path / "c.npz"
    save_checkpoint(path, ARRAYS, 3, SETTING)
    with pytest.raises(ValueError, match=f"c.npz 是用另一套设定存下的：{message}；请改回去"):
        load_checkpoint(path, SETTING | change)


def test_damaged_files_are_refused(tmp_path):
    path = tmp_path / "c.npz"
    save_checkpoint(path, ARRAYS, 3, SETTING)
    whole = path.read_bytes()
    np.savez(tmp_path / "pickled.npz", note=np.array("{}"), E=np.array([{"a": 1}], dtype=object))
    pickled = (tmp_path / "pickled.npz").read_bytes()
    for content in [whole[:n] for n in range(0, len(whole), 97)] + [b"\x80\x04", pickled]:
        path.write_bytes(content)
        with pytest.raises(ValueError, match="c.npz 不是完整的检查点.*请删去它"):
            load_checkpoint(path, SETTING)
