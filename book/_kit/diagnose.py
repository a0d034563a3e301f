"""答案与参考答案差在哪里，用一句话说：正负反了、转置了、差一个倍数、只有开头不对……不说出正确的数。

检查只说“还不对”的时候，批改用它补一句。说不出所以然，就返回空的。
"""

import copy

import numpy as np

NUMBER = (int, float, np.integer, np.floating)


def diagnose(answer, solution, calls):
    """检查用过的各组输入里，头一组两边不同的，差在哪里。"""
    for args in calls:
        given, spare = copy.deepcopy(args), copy.deepcopy(args)
        right = solution(*spare)
        mine = answer(*given)
        if changed_input(args, given) and not changed_input(args, spare):
            return "传进来的数组被改了：要改，先复制一份（x.copy()）"
        if not agree(mine, right):
            return describe(mine, right)
    return ""


def agree(mine, right):
    try:
        return type(mine) is type(right) and describe(mine, right, rough=True) is None
    except (TypeError, ValueError):
        return False


def changed_input(before, after):
    return any(isinstance(a, np.ndarray) and not np.array_equal(a, b, equal_nan=a.dtype.kind in "fc")
               for a, b in zip(before, after, strict=True))


def describe(mine, right, rough=False):
    """一句话；没有差别是 None。rough：只问有没有差别。"""
    if mine is None and right is not None:
        return "返回的是 None：最后一句要 return"
    if isinstance(right, dict):
        return describe_dict(mine, right, rough)
    if isinstance(right, (set, frozenset)):
        return describe_set(mine, right)
    if isinstance(right, (bool, np.bool_)):
        return None if bool(mine) is bool(right) else "真假反了"
    if isinstance(right, str):
        return None if mine == right else describe_text(mine, right)
    if isinstance(right, NUMBER):
        return describe_array(np.asarray(mine, float), np.asarray(right, float), rough)
    if isinstance(right, (tuple, list)) and not all(isinstance(x, NUMBER) for x in right):
        return describe_sequence(mine, right, rough)
    return describe_array(to_array(mine), to_array(right), rough)


def to_array(value):
    return np.asarray(value.detach().numpy() if hasattr(value, "detach") else value)


def describe_dict(mine, right, rough):
    if not isinstance(mine, dict):
        return f"应返回 dict，返回的是 {type(mine).__name__}"
    if mine.keys() != right.keys():
        missing, extra = right.keys() - mine.keys(), mine.keys() - right.keys()
        return f"dict 的键少了 {len(missing)} 个，多了 {len(extra)} 个"
    for key in right:
        if said := describe(mine[key], right[key], rough):
            return f"“{key}”：{said}"
    return None


def describe_set(mine, right):
    if not isinstance(mine, (set, frozenset)):
        return f"应返回 set，返回的是 {type(mine).__name__}"
    missing, extra = len(right - mine), len(mine - right)
    return f"少了 {missing} 个，多了 {extra} 个" if missing or extra else None


def describe_text(mine, right):
    if not isinstance(mine, str):
        return f"应返回字符串，返回的是 {type(mine).__name__}"
    if mine == right[::-1]:
        return "次序反了"
    if mine in right or right in mine:
        return "开头或末尾少了几个字" if len(mine) < len(right) else "开头或末尾多了几个字"
    return "字符串不同"


def describe_sequence(mine, right, rough):
    if not isinstance(mine, (tuple, list)):
        return f"应返回 {len(right)} 项的 {type(right).__name__}，返回的是 {type(mine).__name__}"
    if len(mine) != len(right):
        return f"应有 {len(right)} 项，你的有 {len(mine)} 项：" + (
            "少了，看开头、末尾和条件" if len(mine) < len(right) else "多了，看该跳过的跳过了没有")
    wrong = [i for i, pair in enumerate(zip(mine, right, strict=True)) if describe(*pair, rough=True)]
    if not wrong:
        return None
    if all(describe(a, b, rough=True) is None for a, b in zip(mine, right[::-1], strict=True)):
        return "各项都对，次序反了"
    first, said = wrong[0], describe(mine[wrong[0]], right[wrong[0]], rough)
    where = f"第 {first + 1} 项" if len(wrong) < len(right) else f"{len(right)} 项都不对，头一项"
    rest = "，别的项都对" if len(wrong) == 1 < len(right) else ""
    return f"{where}：{said}{rest}" if said else f"{where}的数不对{rest}"


def describe_array(mine, right, rough):
    if mine.shape != right.shape:
        swapped = "，轴的次序反了" if mine.shape == right.shape[::-1] else ""
        return f"形状应为 {right.shape}，你的是 {mine.shape}{swapped}"
    if mine.dtype.kind not in "bifu" or right.dtype.kind not in "bifu":
        return None if np.array_equal(mine, right) else describe_places(mine != right)
    mine, right = mine.astype(float), right.astype(float)
    wrong = ~np.isclose(mine, right, rtol=1e-6, atol=1e-9, equal_nan=True)
    if not wrong.any():
        return None
    return "不同" if rough else (
        describe_relation(mine, right) or describe_places(wrong) or describe_ratio(mine, right))


def describe_relation(mine, right):
    """整个数组之间的关系：坏数、正负、次序、转置、倍数、平移。"""
    if not np.isfinite(mine).all():
        return "里面有 nan 或无穷大：除以 0，或对 0 取了对数"
    for said, other in (("正负号反了", -right), ("正好是倒数", invert(right)), ("正好是平方", right ** 2),
                        ("少开了方，或多平方了一次", np.sqrt(np.abs(right))), ("正好是 1 减去它", 1 - right)):
        if np.allclose(mine, other):
            return said
    for axis in range(right.ndim):
        if right.shape[axis] > 1 and np.allclose(mine, np.flip(right, axis)):
            return f"沿第 {axis} 轴的次序反了"
        for step in (1, -1):
            if right.shape[axis] > 2 and np.allclose(mine, np.roll(right, step, axis)):
                return f"沿第 {axis} 轴错开了一格"
    if right.ndim == 2 and right.shape[0] == right.shape[1] and np.allclose(mine, right.T):
        return "转置了：行与列对调一下"
    if not mine.any():
        return "全是 0：什么也没有加进去"
    if right.size > 1 and np.ptp(mine) < 1e-12:
        return "每个数都一样：该逐项算的，算成了一个数"
    return describe_scale(mine, right)


def invert(x):
    with np.errstate(divide="ignore"):
        return np.where(x == 0, np.inf, 1 / np.where(x == 0, 1, x))


def describe_scale(mine, right):
    alive = np.abs(right) > 1e-12
    if right.size > 1 and np.allclose((mine - right).ravel(), (mine - right).ravel()[0]):
        return "每个数都差同一个数：看加的、减的那一项"
    if alive.any() and not mine[~alive].any():
        ratio = mine[alive] / right[alive]
        if np.allclose(ratio, ratio.ravel()[0]):
            size = "大" if abs(ratio.ravel()[0]) > 1 else "小"
            said = f"每个数都{size}了同一个倍数" if right.size > 1 else f"偏{size}了"
            return f"{said}：看乘的、除的那一项，或该求和的求了平均"
    return ""


def describe_ratio(mine, right):
    """倍数沿一个轴不变：求和、求平均、归一化时选错了轴。"""
    if right.ndim > 1 and (np.abs(right) > 1e-12).all():
        ratio = mine / right
        for axis in range(right.ndim):
            if np.allclose(ratio, ratio.take([0], axis)):
                return f"各个倍数不同，但沿第 {axis} 轴都一样：看是沿哪个轴求和、求平均的"
    return ""


def describe_places(wrong):
    """哪里不对：只在开头、末尾、对角线、几行几列里。"""
    if wrong.ndim == 0 or wrong.all():
        return ""
    for axis in range(wrong.ndim):
        places = np.flatnonzero(wrong.any(axis=tuple(set(range(wrong.ndim)) - {axis})))
        if len(places) == wrong.shape[axis]:
            continue
        where = f"第 {axis} 轴上" if wrong.ndim > 1 else ""
        if (places == np.arange(len(places))).all():
            return f"{where}只有开头 {len(places)} 个不对，后面的都对"
        if (places == np.arange(wrong.shape[axis] - len(places), wrong.shape[axis])).all():
            return f"{where}只有末尾 {len(places)} 个不对，前面的都对"
        return f"{where}只有编号 {'、'.join(map(str, places[:6]))} 的不对，其余的都对"
    if wrong.ndim == 2 and wrong.shape[0] == wrong.shape[1]:
        if (np.diag(np.diag(wrong)) == wrong).all():
            return "只有对角线上不对"
        if not np.diag(wrong).any():
            return "对角线上对，别处不对"
    return f"{wrong.size} 个数里 {wrong.sum()} 个不对，零散在各处：看条件、掩码，或有没有重复的编号"
