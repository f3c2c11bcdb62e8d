"""Names of other libraries: each is understood, has a name here, or is said to be absent; none is taken for a typo."""

from __future__ import annotations

import inspect

import pytest

from archdsl.diagnostics.foreign import ABSENT, ABSENT_PARAMETERS, ABSENT_SETTINGS, FOREIGN, SETTINGS
from archdsl.diagnostics.suggest import meant
from archdsl.ops import OPS
from archdsl.semantics.builtins import BUILTINS
from archdsl.syntax.hints import NAMES
from tests.semantics.helpers import only

KNOWN = [*OPS, *BUILTINS, "id"]
KERAS = """
    ActivityRegularization Add AdditiveAttention AlphaDropout Attention Average AveragePooling1D AveragePooling2D
    AveragePooling3D BatchNormalization Bidirectional Concatenate Conv1D Conv1DTranspose Conv2D Conv2DTranspose Conv3D
    Conv3DTranspose ConvLSTM1D ConvLSTM2D ConvLSTM3D Cropping1D Cropping2D Cropping3D Dense DepthwiseConv1D
    DepthwiseConv2D Dropout ELU EinsumDense Embedding Flatten GRU GRUCell GaussianDropout GaussianNoise
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D
    GlobalMaxPooling3D GroupNormalization GroupQueryAttention Identity InputLayer LSTM LSTMCell LayerNormalization
    LeakyReLU MaxPooling1D MaxPooling2D MaxPooling3D Maximum Minimum MultiHeadAttention Multiply Normalization PReLU
    Permute RNN ReLU RepeatVector Reshape Resizing SeparableConv1D SeparableConv2D SimpleRNN Softmax SpatialDropout1D
    SpatialDropout2D SpatialDropout3D SpectralNormalization Subtract TimeDistributed UnitNormalization UpSampling1D
    UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D
""".split()
"""keras.layers of Keras 3 that are layers of networks."""

INTERNAL = {
    "Optional", "assert_int_or_pair", "boolean_dispatch", "handle_torch_function", "has_torch_function",
    "has_torch_function_unary", "has_torch_function_variadic",
}  # fmt: skip
"""What torch.nn.functional has for itself."""


def torch_names() -> list[str]:
    from torch import nn
    from torch.nn import functional

    functions = [n for n in dir(functional) if not n.startswith("_") and callable(getattr(functional, n))]
    return [
        name
        for name in [*nn.modules.__all__, *functions]
        if name not in INTERNAL and not inspect.isclass(getattr(functional, name, None))
    ]


def plain(name: str) -> str:
    return name.replace("_", "").lower()


def test_tables_are_plain_and_name_what_there_is() -> None:
    assert not FOREIGN.keys() & ABSENT.keys()
    assert all(name == plain(name) for name in [*FOREIGN, *ABSENT])
    parameters = {name for op in OPS.values() for name in op.parameter_names}
    assert set(FOREIGN.values()) <= {*KNOWN, *parameters}
    assert not {plain(op) for op in OPS} & {*FOREIGN, *ABSENT}
    assert all(name == plain(name) for name in [*ABSENT_PARAMETERS, *SETTINGS, *ABSENT_SETTINGS])


def test_every_name_of_torch_and_keras_is_known() -> None:
    ours = {plain(name) for name in KNOWN}
    names = [*torch_names(), *KERAS]
    assert len(names) > 300
    unknown = [name for name in names if plain(name) not in {*ours, *FOREIGN, *ABSENT} and name not in NAMES]
    assert unknown == []


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [
        ("ConvTranspose2d", "conv_transpose"),
        ("deconv", "conv_transpose"),
        ("Conv2DTranspose", "conv_transpose"),
        ("upsample", "resize"),
        ("interpolate", "resize"),
        ("avg_pool", "avgpool"),
        ("max_pool2d", "maxpool"),
        ("AdaptiveAvgPool2d", "adaptive_avgpool"),
        ("batchnorm", "bn"),
        ("BatchNorm2d", "bn"),
        ("batch_norm", "bn"),
        ("Dropout2d", "dropout2d"),
        ("SpatialDropout2D", "dropout2d"),
        ("StochasticDepth", "drop_path"),
        ("LeakyReLU", "leaky_relu"),
        ("PixelShuffle", "pixel_shuffle"),
        ("depth_to_space", "pixel_shuffle"),
        ("Conv2d", "conv"),
        ("Dense", "linear"),
        ("ELU", "elu"),
        ("BlurPool2d", "blurpool"),
        ("Swish", "silu"),
        ("InstanceNorm2d", "instancenorm"),
        ("subtract", "sub"),
        ("GlobalAveragePooling2D", "gap"),
        ("chunk", "split"),
        ("Identity", "id"),
    ],
)
def test_what_it_is_called_here(name: str, suggestion: str) -> None:
    assert meant(name, KNOWN) == (suggestion, None)
    assert only(f"model M = image(3, 8, 8) -> {name}(2) -> gap").help == f"did you mean `{suggestion}`?"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("attention", "sequences of tokens"),
        ("MultiheadAttention", "sequences of tokens"),
        ("LSTM", "recurrent"),
        ("conv1d", "channel_conv"),
        ("Conv3d", "three dimensions"),
        ("DeformConv2d", "depend on the image"),
        ("grid_sample", "computed places"),
        ("roi_align", "regions"),
        ("SeparableConv2D", "dwconv(3)"),
        ("GlobalMaxPool2d", "adaptive_maxpool(1)"),
        ("CrossEntropyLoss", "losses"),
        ("RMSNorm", "groupnorm"),
        ("ReflectionPad2d", 'mode = "reflect"'),
        ("Embedding", "tokens"),
        ("view", "flatten"),
        ("einsum", "matrices"),
    ],
)
@pytest.mark.parametrize("written", ["{}", "{}(4)", "a: {}"])
def test_what_is_absent_is_said_to_be(name: str, words: str, written: str) -> None:
    found = only(f"model M = image(3, 8, 8) -> {written.format(name)} -> gap")
    assert found.code == "E101"
    assert words in (found.help or "")
    assert "did you mean" not in (found.help or "")


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("conv(in_channels = 3, out = 4, kernel = 3)", "input channels are not written"),
        ('conv(4, 3, padding_mode = "reflect")', 'mode = "reflect"'),
        ('conv(4, 3, activation = "relu")', "-> relu"),
        ("relu(inplace = true)", "follows from the network"),
        ("bn(num_features = 3)", "input channels"),
        ("softmax(dim = 1)", "axis"),
        ("conv(4, kernel_size = 3)", "did you mean `kernel`?"),
        ("leaky_relu(negative_slope = 0.1)", "did you mean `slope`?"),
        ("resize(scale = 2)", "did you mean `scale_factor`?"),
        ("dropout(rate = 0.1)", "did you mean `p`?"),
    ],
)
def test_arguments_of_other_libraries(written: str, words: str) -> None:
    found = only(f"model M = image(3, 8, 8) -> {written} -> gap")
    assert found.code == "E102"
    assert words in (found.help or "")


def test_a_name_of_the_file_goes_first() -> None:
    text = "block Attention = conv(4, 3)\nmodel M = image(3, 8, 8) -> attention -> gap"
    assert only(text).help == "did you mean `Attention`?"


def test_defaults_know_them_too() -> None:
    text = "default {}(eps = 1e-3)\nmodel M = image(3, 8, 8) -> bn -> gap"
    assert only(text.format("BatchNorm2d")).help == "did you mean `bn`?"
    assert "recurrent" in (only(text.format("lstm")).help or "")


def test_what_the_language_page_says_is_absent_is() -> None:
    """The names of its list are not ops, and each has words of its own."""
    from pathlib import Path

    page = Path(__file__).parents[2].joinpath("docs", "language.md").read_text(encoding="utf-8")
    section = page.split("\n## What is absent\n")[1].split("\n## ")[0]
    rows = [row for row in section.splitlines() if row.startswith("| ") and "`" in row]
    names = [cell for row in rows for cell in row.split("|")[1].replace("`", "").replace(" ", "").split(",")]
    assert len(names) > 30
    assert [name for name in names if plain(name) not in ABSENT] == []
