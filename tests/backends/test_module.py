"""The generated source as a live nn.Module: introspection, copies, compilation, dtypes, devices."""

from __future__ import annotations

import copy
import inspect
import io
import pickle
import shutil
import traceback
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archdsl
from archdsl.verify.randomize import randomize
from tests import libraries
from tests.backends import checks

SMALL = ("shufflenet_v2_x0_5", "resnet18")


def image(size: int = 64, batch: int = 2) -> Tensor:
    return torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def model() -> nn.Module:
    torch.manual_seed(0)
    return checks.randomize(archdsl.load("resnet18", classes=10)).eval()


@torch.no_grad()
def test_traceback_shows_generated_lines(model: nn.Module) -> None:
    with pytest.raises(RuntimeError) as caught:
        model(torch.zeros(1, 5, 64, 64))
    text = "".join(traceback.format_exception(caught.value))
    assert "<archdsl resnet18 " in text
    assert "x = F.relu(self.bn1(self.conv1(x)), inplace=True)" in text


def test_source_can_be_inspected(model: nn.Module) -> None:
    block = type(model.get_submodule("layer1.0"))
    assert inspect.getsource(block).startswith("class Basic(nn.Module):\n")
    assert inspect.getdoc(block) == "Figure 5, left: two 3×3 convolutions."
    assert "def forward(self, x: Tensor) -> Tensor:" in inspect.getsource(type(model).forward)


@torch.no_grad()
def test_copies(model: nn.Module) -> None:
    expected = model(image())
    buffer = io.BytesIO()
    torch.save(model, buffer)
    buffer.seek(0)
    for other in (
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
        torch.load(buffer, weights_only=False),
    ):
        assert type(other) is type(model)
        assert torch.equal(other(image()), expected)
        next(other.parameters()).zero_()
    assert torch.equal(model(image()), expected)


@torch.no_grad()
def test_state_round_trip(model: nn.Module) -> None:
    other = archdsl.load("resnet18", classes=10)
    other.load_state_dict(model.state_dict())
    assert torch.equal(other.eval()(image()), model(image()))


def test_training_mode() -> None:
    model = archdsl.load("efficientnet_b0")
    assert model.training
    assert all(module.training for module in model.modules())
    drops = [m for m in model.modules() if type(m).__name__ in ("DropPath", "Dropout")]
    assert len(drops) > 5
    model.eval()
    assert not any(module.training for module in model.modules())
    with torch.no_grad():
        assert torch.equal(model(image()), model(image()))
        model.train()
        assert not torch.equal(model(image()), model(image()))


def test_drop_path_by_its_definition() -> None:
    """Huang et al. 2016: a sample is dropped with probability p, and kept ones are scaled by 1 / (1 - p)."""
    model = archdsl.load("convnext_tiny", drop_path_rate=0.5)
    (drop,) = [m for m in model.modules() if type(m).__name__ == "DropPath"][-1:]
    torch.manual_seed(0)
    kept = drop.train()(torch.ones(10_000, 1, 1, 1)).flatten()
    assert set(kept.unique().tolist()) == {0.0, 2.0}
    assert (kept == 0).float().mean().item() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16, torch.float16])
def test_dtype(dtype: torch.dtype) -> None:
    model = archdsl.load("shufflenet_v2_x0_5", dtype=dtype)
    floats = [t for t in model.state_dict().values() if t.is_floating_point()]
    assert {t.dtype for t in floats} == {dtype}
    assert model.eval()(image().to(dtype)).dtype == dtype


def test_meta_device() -> None:
    model = archdsl.load("resnet18", device="meta")
    assert {t.device.type for t in model.state_dict().values()} == {"meta"}
    assert model(torch.empty(1, 3, 224, 224, device="meta")).shape == (1, 1000)


def test_variants_side_by_side() -> None:
    """Two variants have two classes of one name, and do not disturb each other; one variant has one."""
    one, two = archdsl.load("resnet18"), archdsl.load("resnet50")
    assert type(one).__name__ == type(two).__name__ == "ResNet"
    assert type(one) is not type(two)
    assert type(one).__module__ != type(two).__module__
    assert type(archdsl.load("resnet18")) is type(one)
    assert type(archdsl.load("resnet18", classes=10)) is not type(one)
    for model in (one, two):
        assert model.eval()(image(32)).shape == (2, 1000)


@pytest.mark.parametrize("variant", ["resnet18", "convnext_tiny", "shufflenet_v2_x0_5"])
@torch.no_grad()
def test_channels_last(variant: str) -> None:
    model = checks.randomize(archdsl.load(variant)).eval().double()
    expected = model(image().double())
    moved = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    actual = moved(image().double().to(memory_format=torch.channels_last))
    torch.testing.assert_close(actual, expected, rtol=1e-9, atol=1e-9 * expected.abs().max().item())


@torch.no_grad()
def test_bfloat16(model: nn.Module) -> None:
    expected = model(image())
    actual = copy.deepcopy(model).to(torch.bfloat16)(image().bfloat16()).float()
    error = (actual - expected).norm() / expected.norm()
    assert error < 0.1  # 8 bits of mantissa, 18 layers


@pytest.mark.skipif(shutil.which("cc") is None, reason="torch.compile needs a C compiler")
@pytest.mark.slow
@torch.no_grad()
def test_compile() -> None:
    """As a whole, without a graph break."""
    model = checks.randomize(archdsl.load("shufflenet_v2_x0_5", classes=10)).eval()
    compiled = torch.compile(model, fullgraph=True)
    torch.testing.assert_close(compiled(image(32)), model(image(32)), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("variant", ["resnet18", "efficientnet_b0", "convnext_tiny", "densenet121"])
def test_export(variant: str) -> None:
    """torch.export takes the whole forward, conditions on attributes included."""
    model = checks.randomize(archdsl.load(variant)).eval()
    program = torch.export.export(model, (image(),))
    with torch.no_grad():
        torch.testing.assert_close(program.module()(image()), model(image()), rtol=1e-4, atol=1e-4)


# --- on a GPU ----------------------------------------------------------------------------------


def on_gpu(variant: str) -> tuple[nn.Module, nn.Module]:
    """torchvision's model and ours, with the same randomized weights, on the GPU."""
    theirs = randomize(libraries.reference_model("torchvision", variant))
    mine = archdsl.load(variant, device="cuda")
    mine.load_state_dict(theirs.state_dict())
    return theirs.cuda().eval(), mine.eval()


@pytest.mark.gpu
@pytest.mark.parametrize("variant", ["resnet50", "densenet121", "convnext_tiny", "efficientnet_b0"])
@torch.no_grad()
def test_equal_on_gpu(variant: str) -> None:
    theirs, mine = on_gpu(variant)
    x = image(224, 4).cuda()
    torch.backends.cudnn.deterministic = True
    torch.testing.assert_close(mine(x), theirs(x), rtol=1e-4, atol=1e-4)


@pytest.mark.gpu
@pytest.mark.parametrize("variant", ["resnet50", "convnext_tiny"])
@torch.no_grad()
def test_bfloat16_channels_last_on_gpu(variant: str) -> None:
    theirs, mine = on_gpu(variant)
    options: dict[str, Any] = {"dtype": torch.bfloat16, "memory_format": torch.channels_last}
    x = image(224, 4).cuda().to(**options)
    expected, actual = theirs.to(**options)(x).float(), mine.to(**options)(x).float()
    assert (actual - expected).norm() / expected.norm() < 0.02


@pytest.mark.gpu
@pytest.mark.parametrize("variant", ["resnet50", "efficientnet_b0"])
@torch.no_grad()
def test_compile_on_gpu(variant: str) -> None:
    _, mine = on_gpu(variant)
    x = image(224, 4).cuda()
    compiled = torch.compile(mine, fullgraph=True)
    expected = mine(x)
    assert (compiled(x) - expected).norm() / expected.norm() < 1e-2
