"""Shape rules refuse what torch would refuse or misread; parameters are checked strictly."""

from __future__ import annotations

import string
from typing import Any

import pytest
from pydantic import ValidationError

from archdsl.diagnostics.catalogue import describe, entries
from archdsl.ops import OPS, Problem, Shape
from tests.ops.build import arguments_of

IMAGE, ONE, HWC, FLAT = Shape(8, 9, 9), Shape(8, 1, 1), Shape(8, 9, 9, "hwc"), Shape(8, layout="flat")
Bad = tuple[str, str, str | None, dict[str, Any], tuple[Shape, ...]]

BAD: tuple[Bad, ...] = (
    ("E201", "add", None, {}, (IMAGE, Shape(16, 5, 5))),
    ("E201", "add", None, {}, (IMAGE, IMAGE, ONE)),
    ("E201", "add", None, {}, (Shape(8, 8, 8), Shape(8, 8, 8, "hwc"))),
    ("E202", "concat", None, {}, (IMAGE, Shape(8, 9, 8))),
    ("E202", "concat", None, {}, (ONE, FLAT)),
    ("E203", "conv", "groups", {"out": 8, "kernel": 3, "groups": 3}, (IMAGE,)),
    ("E203", "conv", "groups", {"out": 6, "kernel": 3, "groups": 4}, (IMAGE,)),
    ("E203", "std_conv", "groups", {"out": 6, "kernel": 3, "groups": 4}, (IMAGE,)),
    ("E203", "groupnorm", "groups", {"groups": 32}, (IMAGE,)),
    ("E204", "conv", "kernel", {"out": 8, "kernel": 11, "padding": 0}, (IMAGE,)),
    ("E204", "conv", "kernel", {"out": 8, "kernel": (1, 5), "padding": (3, 0), "dilation": 3}, (IMAGE,)),
    ("E204", "dwconv", "kernel", {"kernel": 11, "padding": 0}, (IMAGE,)),
    ("E204", "maxpool", "kernel", {"kernel": 3, "padding": 0, "stride": 2}, (Shape(8, 2, 9),)),
    ("E204", "avgpool", "kernel", {"kernel": 7, "padding": 0, "stride": 1}, (Shape(8, 6, 6),)),
    ("E205", "conv", None, {"out": 8, "kernel": 3}, (FLAT,)),
    ("E205", "conv", None, {"out": 8, "kernel": 3}, (HWC,)),
    ("E205", "maxpool", None, {"kernel": 3}, (FLAT,)),
    ("E205", "gap", None, {}, (FLAT,)),
    ("E205", "bn", None, {}, (HWC,)),
    ("E205", "groupnorm", None, {"groups": 2}, (HWC,)),
    ("E205", "lrn", None, {"size": 5}, (FLAT,)),
    ("E205", "grn", None, {}, (FLAT,)),
    ("E205", "prelu", None, {"per_channel": True}, (HWC,)),
    ("E205", "adaptive_avgpool", None, {"size": 2}, (FLAT,)),
    ("E205", "channel_shuffle", None, {"groups": 2}, (HWC,)),
    ("E205", "pad", None, {"left": 1, "right": 1, "top": 1, "bottom": 1}, (FLAT,)),
    ("E205", "crop", None, {"left": 1, "right": 1, "top": 1, "bottom": 1}, (HWC,)),
    ("E205", "subsample", None, {"stride": 2}, (FLAT,)),
    ("E205", "resize", None, {"scale_factor": 2}, (FLAT,)),
    ("E205", "pixel_shuffle", None, {"upscale_factor": 2}, (HWC,)),
    ("E205", "pixel_unshuffle", None, {"downscale_factor": 2}, (FLAT,)),
    ("E205", "conv_transpose", None, {"out": 8, "kernel": 3}, (HWC,)),
    ("E205", "instancenorm", None, {}, (HWC,)),
    ("E205", "blurpool", None, {}, (FLAT,)),
    ("E205", "dropout2d", None, {}, (FLAT,)),
    ("E205", "channel_conv", None, {"kernel": 3}, (IMAGE,)),
    ("E205", "channel_conv", None, {"kernel": 3}, (Shape(8, 1, 1, "hwc"),)),
    ("E205", "softmax", None, {"over": "positions"}, (FLAT,)),
    ("E205", "affine", None, {"scale": [1.0] * 8, "shift": [0.0] * 8}, (HWC,)),
    ("E205", "permute", None, {"layout": "nhwc"}, (HWC,)),
    ("E205", "permute", None, {"layout": "nchw"}, (IMAGE,)),
    ("E205", "permute", None, {"layout": "nhwc"}, (FLAT,)),
    ("E206", "split", "parts", {"parts": 3}, (IMAGE,)),
    ("E206", "channel_shuffle", "groups", {"groups": 3}, (IMAGE,)),
    ("E207", "conv", "kernel", {"out": 8, "kernel": 2}, (IMAGE,)),
    ("E207", "conv", "kernel", {"out": 8, "kernel": (3, 4)}, (IMAGE,)),
    ("E207", "maxpool", "kernel", {"kernel": 2}, (IMAGE,)),
    ("E207", "avgpool", "kernel", {"kernel": 2, "stride": 2}, (IMAGE,)),
    ("E203", "conv_transpose", "groups", {"out": 6, "kernel": 3, "groups": 4}, (IMAGE,)),
    ("E203", "conv_transpose", "groups", {"out": 6, "kernel": 3, "groups": 3}, (IMAGE,)),
    ("E206", "pixel_shuffle", "upscale_factor", {"upscale_factor": 3}, (IMAGE,)),
    ("E206", "softmax", "branches", {"branches": 3}, (IMAGE,)),
    ("E206", "glu", None, {}, (Shape(7, 9, 9),)),
    ("E207", "conv_transpose", "kernel", {"out": 8, "kernel": 2, "stride": 2}, (IMAGE,)),
    ("E204", "blurpool", "kernel", {"kernel": 5, "padding": 0}, (Shape(8, 4, 4),)),
    ("E210", "conv_transpose", "output_padding", {"out": 8, "kernel": 3, "stride": 2, "output_padding": 2}, (IMAGE,)),
    ("E210", "conv_transpose", "output_padding", {"out": 8, "kernel": 3, "output_padding": 1}, (IMAGE,)),
    ("E210", "conv_transpose", "padding", {"out": 8, "kernel": 3, "padding": (1, 6)}, (IMAGE,)),
    ("E210", "resize", None, {}, (IMAGE,)),
    ("E210", "resize", "scale_factor", {"size": 3, "scale_factor": 2}, (IMAGE,)),
    ("E210", "resize", "size", {"size": 3}, (IMAGE, IMAGE)),
    ("E210", "resize", "scale_factor", {"scale_factor": 3}, (IMAGE, IMAGE)),
    ("E210", "resize", "scale_factor", {"scale_factor": 0.1}, (IMAGE,)),
    ("E210", "resize", "scale_factor", {"scale_factor": 1e9}, (IMAGE,)),
    ("E210", "resize", "align_corners", {"scale_factor": 2, "align_corners": False}, (IMAGE,)),
    ("E210", "resize", "antialias", {"scale_factor": 2, "mode": "area", "antialias": True}, (IMAGE,)),
    ("E210", "pixel_unshuffle", "downscale_factor", {"downscale_factor": 2}, (IMAGE,)),
    ("E210", "pad", "left", {"left": 9, "right": 0, "top": 0, "bottom": 0, "mode": "reflect"}, (IMAGE,)),
    ("E210", "pad", "bottom", {"left": 0, "right": 0, "top": 0, "bottom": 10, "mode": "circular"}, (IMAGE,)),
    ("E210", "pad", "value", {"left": 1, "right": 0, "top": 0, "bottom": 0, "mode": "reflect", "value": 1}, (IMAGE,)),
    ("E210", "blurpool", "padding", {"kernel": 3}, (Shape(8, 1, 9),)),
    ("E210", "instancenorm", None, {}, (ONE,)),
    ("E210", "channel_conv", "kernel", {"kernel": 4}, (ONE,)),
    ("E210", "channel_conv", "kernel", {"kernel": 19, "padding_mode": "circular"}, (ONE,)),
    ("E210", "softmax", "branches", {"over": "positions", "branches": 2}, (IMAGE,)),
    ("E212", "sub", None, {}, (IMAGE, ONE)),
    ("E212", "maximum", None, {}, (IMAGE, FLAT)),
    ("E208", "mul", None, {}, (Shape(1, 9, 9), ONE)),
    ("E208", "mul", None, {}, (IMAGE, Shape(4, 1, 1))),
    ("E208", "mul", None, {}, (IMAGE, FLAT)),
    ("E208", "mul", None, {}, (HWC, ONE)),
    ("E208", "mul", None, {}, (IMAGE, Shape(8, 9, 1))),
    ("E209", "slice", "stop", {"start": 0, "stop": 9}, (IMAGE,)),
    ("E210", "slice", "start", {"start": 4, "stop": 4}, (IMAGE,)),
    ("E210", "crop", "left", {"left": 4, "right": 5, "top": 0, "bottom": 0}, (IMAGE,)),
    ("E210", "crop", "top", {"left": 0, "right": 0, "top": 0, "bottom": 9}, (IMAGE,)),
    ("E210", "maxpool", "padding", {"kernel": 3, "padding": 2}, (IMAGE,)),
    ("E210", "maxpool", "padding", {"kernel": 3, "dilation": 2}, (IMAGE,)),
    ("E210", "maxpool", "ceil_mode", {"kernel": 3, "padding": "tf_same", "ceil_mode": True}, (IMAGE,)),
    ("E210", "layer_scale", "dims", {}, (HWC,)),
    ("E210", "affine", "scale", {"scale": [1.0], "shift": [0.0] * 8}, (IMAGE,)),
    ("E210", "affine", "shift", {"scale": [1.0] * 8, "shift": [0.0]}, (IMAGE,)),
)


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad[0]} {bad[1]}")
def test_refused_with_code_argument_and_words(bad: Bad) -> None:
    code, name, argument, arguments, inputs = bad
    op = OPS[name]
    problem = op.shape(op.params(**arguments), inputs)
    assert isinstance(problem, Problem)
    assert problem.code == code
    assert problem.argument == argument
    assert argument is None or argument in op.parameter_names
    wording = entries()[code].message
    needed = {field for _, field, _, _ in string.Formatter().parse(wording) if field}
    assert needed <= set(problem.facts)
    assert all(str(problem.facts[field]) in describe(code, problem.facts).message for field in needed)


def test_every_code_of_shape_rules_is_covered() -> None:
    assert {bad[0] for bad in BAD} == {f"E{number}" for number in range(201, 213)} - {"E211"}


def test_a_sum_names_the_projection_that_mends_it() -> None:
    problem = OPS["add"].shape(OPS["add"].params(), (Shape(256, 56, 56), Shape(512, 28, 28)))
    assert isinstance(problem, Problem)
    assert "conv(512, 1, stride = 2)" in str(problem.help)
    assert (str(problem.facts["left"]), str(problem.facts["right"])) == ("256×56×56", "512×28×28")


@pytest.mark.parametrize(
    ("name", "arguments", "kind", "at"),
    [
        ("conv", {"out": 8, "kernel": True}, "size_type", "kernel"),
        ("conv", {"out": 8, "kernel": 3.0}, "size_type", "kernel"),
        ("conv", {"out": 8, "kernel": "3"}, "size_type", "kernel"),
        ("conv", {"out": 8, "kernel": None}, "size_type", "kernel"),
        ("conv", {"out": 8, "kernel": [1, 2, 3]}, "size_type", "kernel"),
        ("conv", {"out": 8, "kernel": [3, True]}, "size_type", "kernel"),
        ("conv", {"out": 8, "kernel": 0}, "greater_than_equal", "kernel"),
        ("conv", {"out": 8, "kernel": [3, 0]}, "greater_than_equal", "kernel"),
        ("conv", {"out": 8, "kernel": 3, "padding": "same"}, "size_type", "padding"),
        ("conv", {"out": 8, "kernel": 3, "padding": -1}, "greater_than_equal", "padding"),
        ("conv", {"out": True, "kernel": 3}, "int_type", "out"),
        ("conv", {"out": 8.0, "kernel": 3}, "int_type", "out"),
        ("conv", {"out": 0, "kernel": 3}, "greater_than_equal", "out"),
        ("conv", {"out": 8, "kernel": 3, "bias": 1}, "bool_type", "bias"),
        ("conv", {"out": 8, "kernel": 3, "strides": 2}, "extra_forbidden", "strides"),
        ("conv", {"kernel": 3}, "missing", "out"),
        ("std_conv", {"out": 8, "kernel": 3, "padding": "tf_same"}, "size_type", "padding"),
        ("bn", {"eps": True}, "float_type", "eps"),
        ("bn", {"eps": "1e-3"}, "float_type", "eps"),
        ("bn", {"eps": float("inf")}, "less_than", "eps"),
        ("bn", {"eps": 8}, "less_than", "eps"),
        ("dropout", {"p": 1.5}, "less_than_equal", "p"),
        ("drop_path", {"p": 1}, "less_than", "p"),
        ("layer_scale", {"dims": 2}, "literal_error", "dims"),
        ("layer_scale", {"dims": True}, "literal_error", "dims"),
        ("affine", {"scale": [True], "shift": [0.0]}, "float_type", "scale"),
        ("permute", {"layout": "nwhc"}, "literal_error", "layout"),
        ("maxpool", {"kernel": 3, "stride": "tf_same"}, "size_type", "stride"),
        ("gap", {"size": 1}, "extra_forbidden", "size"),
        ("resize", {"scale_factor": 0}, "greater_than", "scale_factor"),
        ("resize", {"scale_factor": True}, "size_type", "scale_factor"),
        ("resize", {"scale_factor": [2, 2, 2]}, "size_type", "scale_factor"),
        ("resize", {"scale_factor": float("nan")}, "size_type", "scale_factor"),
        ("resize", {"size": 7.0}, "size_type", "size"),
        ("resize", {"size": 7, "mode": "linear"}, "literal_error", "mode"),
        ("conv_transpose", {"out": 8, "kernel": 3, "padding": "tf_same"}, "size_type", "padding"),
        ("softmax", {"branches": 1}, "greater_than_equal", "branches"),
        ("threshold", {"threshold": 0.1}, "missing", "value"),
    ],
)
def test_wrong_arguments_make_one_error_at_the_argument(name: str, arguments: Any, kind: str, at: str) -> None:
    with pytest.raises(ValidationError) as caught:
        OPS[name].params(**arguments)
    (error,) = caught.value.errors()
    assert error["loc"][0] == at
    assert error["type"] == kind


def test_whole_numbers_are_good_floats_and_lists_good_pairs() -> None:
    assert arguments_of("dropout", p=0).model_dump() == {"p": 0.0}
    params = arguments_of("conv", out=8, kernel=[1, 7], stride=[2, 1])
    assert params.model_dump(include={"kernel", "stride"}) == {"kernel": (1, 7), "stride": (2, 1)}
    hash(params)
