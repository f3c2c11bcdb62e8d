"""Every refusal of a shape rule, one constructor per code: facts in, `Problem` out.

The catalogue of diagnostics words the message from the facts; only the help, which needs the shapes, is made here.
"""

from __future__ import annotations

from archdsl.ops.spec import Problem, Shape


def unequal_sum(left: Shape, right: Shape) -> Problem:
    """E201, cannot add: facts left, right (shapes)."""
    return Problem("E201", {"left": left, "right": right}, help=_make_equal(left, right))


def unequal_pair(verb: str, left: Shape, right: Shape) -> Problem:
    """E212, two tensors that an op takes value by value: facts verb (subtract, compare), left, right (shapes)."""
    return Problem("E212", {"verb": verb, "left": left, "right": right}, help=_make_equal(left, right))


def cannot_concatenate(left: Shape, right: Shape) -> Problem:
    """E202, concat of unequal heights, widths or layouts: facts left, right (shapes)."""
    same = left.layout == right.layout
    hint = "only the channels may differ: bring both to the same height and width" if same else _LAYOUT_HELP
    return Problem("E202", {"left": left, "right": right}, help=hint)


def groups_do_not_divide(groups: int, channels: int) -> Problem:
    """E203, groups must divide the channels of input and output: facts groups, channels."""
    nearest = next(n for n in range(min(groups, channels), 0, -1) if channels % n == 0)
    hint = f"groups must divide {channels}; the next smaller number that does is {nearest}"
    return Problem("E203", {"groups": groups, "channels": channels}, "groups", hint)


def impossible_size(shape: Shape, window: tuple[int, int], padding: tuple[int, int]) -> Problem:
    """E204, the window is larger than the padded input: facts window, input (texts such as `7×7`)."""
    size = times((shape.height, shape.width))
    padded = times((shape.height + 2 * padding[0], shape.width + 2 * padding[1]))
    text = size if padding == (0, 0) else f"{padded} ({size} and its padding)"
    return Problem("E204", {"window": times(window), "input": text}, "kernel")


def wrong_layout(op: str, shape: Shape, needs: str = "C×H×W") -> Problem:
    """E205, the op does not work on this layout: facts op, needs (text), got (text)."""
    if shape.layout == "flat":
        got, hint = f"a flat tensor of {shape} values", "flatten only before the classifier"
    elif shape.layout == "hwc":
        hint = f'put `{op}` in front of permute("nhwc"), or permute("nchw") in between'
        got = f"{shape}, channels last"
    else:
        got, hint = f"{shape}, channels first", 'write permute("nhwc") before it'
    return Problem("E205", {"op": op, "needs": needs, "got": got}, help=hint)


def inexact_split(channels: int, parts: int, argument: str | None) -> Problem:
    """E206, the channels do not divide into equal parts: facts what (text), parts."""
    return Problem("E206", {"what": f"{channels} channels", "parts": parts}, argument)


def needs_padding(
    kernel: int | tuple[int, int], choices: str = 'padding = 0, another number, [rows, columns] or "tf_same"'
) -> Problem:
    """E207, no symmetric padding keeps the size (even kernel): facts kernel (text)."""
    text = times(kernel) if isinstance(kernel, tuple) else times((kernel, kernel))
    return Problem("E207", {"kernel": text}, "kernel", f"say which padding is meant: {choices}")


def cannot_multiply(left: Shape, right: Shape) -> Problem:
    """E208, neither equal shapes nor a gate over C×H×W: facts left, right (shapes)."""
    if left.layout == right.layout:
        hint = "shapes must be equal, or one side a gate: one value per channel (C×1×1) or per position (1×H×W)"
    else:
        hint = "do not flatten a gate: keep it C×1×1" if "flat" in (left.layout, right.layout) else _LAYOUT_HELP
    return Problem("E208", {"left": left, "right": right}, help=hint)


def out_of_range(first: int, stop: int, size: int, axis: str, argument: str) -> Problem:
    """E209, a slice reaches outside: facts range (text), size (text)."""
    return Problem("E209", {"range": f"{first}..{stop}", "size": f"{size} {axis}"}, argument)


def refused(detail: str, argument: str | None = None, hint: str | None = None) -> Problem:
    """E210, anything else: facts detail (a sentence)."""
    return Problem("E210", {"detail": detail}, argument, hint)


_LAYOUT_HELP = 'the layouts differ: write permute("nchw") or permute("nhwc") on one side'


def times(pair: tuple[int, int]) -> str:
    """Two sizes as people write them: `7×7`."""
    return f"{pair[0]}×{pair[1]}"


def _make_equal(left: Shape, right: Shape) -> str:
    """The projection that a shortcut needs, where one would do; else what the rule is."""
    if left.layout != right.layout:
        return _LAYOUT_HELP
    big, small = (left, right) if left.height * left.width >= right.height * right.width else (right, left)
    stride, rest = divmod(big.height, small.height)
    if left.layout != "chw" or rest or big.width != stride * small.width:
        return "all inputs must have the same shape"
    if stride == 1:
        return f"project one side: conv({right.channels}, 1) makes {left} into {right}"
    return f"project one side: conv({small.channels}, 1, stride = {stride}) makes {big} into {small}"
