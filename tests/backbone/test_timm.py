"""Our networks as models of timm: by name, with timm's arguments, held against timm's own models."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import archdsl
import archdsl.timm
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.verify.randomize import randomize
from archdsl.weights import import_keys
from tests.libraries import declare_operators, reference_model

declare_operators()
import timm  # noqa: E402
from timm.data import resolve_data_config  # noqa: E402
from timm.models import FeatureInfo  # noqa: E402

SPEC = """\
model Net(width: int = 8, dropout_rate: float = 0.3, classes: int = 5) {
  x = image(3, 32, 32) -> conv1: conv(width, 3, stride = 2) -> bn1: bn -> relu
   -> stage layer1: [conv(width, 3), relu] -> stage layer2: [conv(2 * width, 3, stride = 2), relu]
  x -> gap -> flatten -> dropout(dropout_rate) -> fc: linear(classes)
}
variants Net(width) {
  net8:  8
  net16: 16
}
weights own for net8 {
  v1: file = "one.pth", default = true
  v2: file = "two.pth", crop = 0.5, licence = "cc-by-4.0"
}
preprocess Net { size = 32, resize = 40, mean = [0.1, 0.2, 0.3], std = [1, 2, 3], interpolation = "bicubic" }
"""


@pytest.fixture(scope="module", autouse=True)
def _registered() -> None:
    archdsl.timm.register()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """A spec of one's own; what it registers is forgotten again."""
    known = dict(archdsl.timm._registered)
    path = tmp_path / "net.arch"
    path.write_text(SPEC)
    for name in ("one", "two"):
        torch.save(archdsl.load(path, "net8").state_dict(), tmp_path / f"{name}.pth")
    yield path
    for name in archdsl.timm._registered.keys() - known.keys():
        timm.models._registry._clear_model_entries(name)
        timm.models._registry._model_entrypoints.pop(name, None)
        del archdsl.timm._registered[name]


def refused(name: str, code: str = "E642", **options: Any) -> Diagnostic:
    with pytest.raises(ArchError) as caught:
        timm.create_model(name, **options)
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert code != "E642" or name.partition(".")[0] in found.message
    return found


def pair(name: str, model: str, **options: Any) -> tuple[nn.Module, nn.Module]:
    """Ours and timm's with the same weights, randomized."""
    theirs = randomize(reference_model("timm", model)).eval()
    state = import_keys(archdsl.find(name), theirs.state_dict(), "timm" if archdsl.find(name).keymaps else None)
    ours = timm.create_model(f"archdsl_{name}", **options)
    ours.load_state_dict({key: state[key] for key in ours.state_dict()})
    return ours.eval(), theirs


SAME = ("resnet18", "efficientnet_b0", "convnext_atto")
LISTED = ("resnet18", "efficientnet_b0", "convnext_atto")


@pytest.mark.parametrize("name", SAME)
def test_by_name_as_timms_own(name: str) -> None:
    """Logits, features before the head, and what the classifier sees; without a classifier, too."""
    ours, theirs = pair(name, name)
    x = torch.randn(1, 3, 64, 64)
    assert torch.equal(ours(x), theirs(x))
    features = theirs.forward_features(x)
    assert torch.equal(ours.forward_features(x), features)
    assert torch.equal(ours.forward_head(features, pre_logits=True), theirs.forward_head(features, pre_logits=True))
    assert (ours.num_features, ours.num_classes) == (theirs.num_features, theirs.num_classes)
    assert ours.get_classifier().weight.shape == theirs.get_classifier().weight.shape
    for model in (ours, theirs):
        model.reset_classifier(0)
    assert torch.equal(ours(x), theirs(x))


@pytest.mark.parametrize("name", LISTED)
def test_feature_maps_as_timms_own(name: str) -> None:
    """A list, with timm's own FeatureInfo; values bit for bit."""
    ours, theirs = pair(name, name, features_only=True, out_indices=(1, -1))
    maps = timm.create_model(name, features_only=True, out_indices=(1, -1)).eval()
    maps.load_state_dict(remapped(maps, theirs))
    x = torch.randn(1, 3, 64, 64)
    found, wanted = ours(x), maps(x)
    assert type(found) is list
    assert len(found) == 2
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))
    assert isinstance(ours.feature_info, FeatureInfo)
    for facts in ("channels", "reduction"):
        assert getattr(ours.feature_info, facts)() == getattr(maps.feature_info, facts)()
    assert len(ours.feature_info.info) == len(maps.feature_info.info)
    assert ours.feature_info.module_name() == archdsl.load(name, features=[1, -1], device="meta").feature_info.names()


def remapped(listed: nn.Module, whole: nn.Module) -> dict[str, torch.Tensor]:
    """The weights of a whole model of timm's under the names of its FeatureListNet, which are flattened."""
    state = whole.state_dict()
    return {key: state[key if key in state else key.replace("stages_", "stages.").replace("stem_", "stem.")]
            for key in listed.state_dict()}  # fmt: skip


@pytest.mark.parametrize(("name", "stride"), [("efficientnet_b0", 16), ("convnext_atto", 8)])
def test_an_output_stride_as_timms_own(name: str, stride: int) -> None:
    ours, theirs = pair(name, name, features_only=True, output_stride=stride)
    maps = timm.create_model(
        name, features_only=True, output_stride=stride, out_indices=tuple(range(len(ours.feature_info.info)))
    ).eval()
    maps.load_state_dict(remapped(maps, theirs))
    x = torch.randn(1, 3, 64, 64)
    assert all(torch.equal(a, b) for a, b in zip(ours(x), maps(x), strict=True))
    assert ours.feature_info.reduction() == maps.feature_info.reduction()
    assert max(ours.feature_info.reduction()) == stride


@pytest.mark.parametrize("indices", [(0,), (1, 2), (-2, -1), 2, None, [0, 3]], ids=str)
def test_indices(indices: Any) -> None:
    """As timm has them: numbers, from the end, or the last so many. None: the default of each."""
    chosen = {} if indices is None else {"out_indices": indices}
    models = [timm.create_model(name, features_only=True, **chosen)
              for name in ("archdsl_convnext_atto", "convnext_atto")]  # fmt: skip
    ours, theirs = (model.feature_info for model in models)
    assert (ours.channels(), ours.reduction()) == (theirs.channels(), theirs.reduction())
    x = torch.randn(1, 3, 64, 64)
    assert [value.shape for value in models[0](x)] == [value.shape for value in models[1](x)]


def test_arguments_that_are_honoured(own: Path) -> None:
    assert archdsl.timm.register(own) == ("archdsl_net8", "archdsl_net16")
    x = torch.randn(2, 1, 48, 40)
    model = timm.create_model("archdsl_net8", num_classes=3, in_chans=1, img_size=(48, 40), drop_rate=0.0, width=6)
    assert model(x).shape == (2, 3)
    assert model.conv1.weight.shape == (6, 1, 3, 3)
    assert next(m for m in model.modules() if isinstance(m, nn.Dropout)).p == 0
    assert model.pretrained_cfg["num_classes"] == 3
    assert timm.create_model("archdsl_net8", global_pool="avg", drop_path_rate=None, bn_eps=None).num_classes == 5
    pooled = timm.create_model("archdsl_net8", num_classes=0).eval()
    assert pooled(x.expand(2, 3, -1, -1)).shape == (2, 16)
    unpooled = timm.create_model("archdsl_net8", num_classes=0, global_pool="").eval()
    for each in (unpooled, copy.deepcopy(unpooled), pickle.loads(pickle.dumps(unpooled))):
        assert each(x.expand(2, 3, -1, -1)).shape == (2, 16, 12, 10)
    unpooled.reset_classifier(7)
    assert unpooled(x.expand(2, 3, -1, -1)).shape == (2, 7)
    half = timm.create_model("archdsl_net8", dtype=torch.bfloat16, device="meta")
    assert (half.fc.weight.dtype, half.fc.weight.device.type) == (torch.bfloat16, "meta")
    only = timm.create_model("archdsl_net8", features_only=True, num_classes=0)
    assert [value.shape[1] for value in only(torch.randn(1, 3, 32, 32))] == only.feature_info.channels()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"act_layer": "silu"}, "no parameter of its spec"),
        ({"norm_layer": nn.Identity}, "no parameter of its spec"),
        ({"drop_path_rate": 0.1}, "no parameter for this rate"),
        ({"global_pool": "max"}, "the pool is what the spec says"),
        ({"global_pool": ""}, "num_classes = 0 belongs to it"),
        ({"features_only": True, "global_pool": "avg"}, "nothing pools"),
        ({"out_indices": (1,)}, "features_only is false"),
        ({"features_only": True, "out_indices": (9,)}, "none of number 9"),
        ({"features_only": True, "out_indices": (1, 0)}, "in the order of execution"),
        ({"features_only": True, "out_indices": (1, 1)}, "in the order of execution"),
        ({"features_only": True, "out_indices": 9}, "feature maps, not 9"),
        ({"features_only": True, "feature_cls": "hook"}, "no parameter of its spec"),
        ({"num_classes": 3, "classes": 3}, "`classes` says the same"),
        ({"drop_rate": 0.1, "dropout_rate": 0.2}, "`dropout_rate` says the same"),
        ({"num_classes": -1}, "cannot have -1 classes"),
        ({"num_classes": True}, "a number of classes, not True"),
        ({"pretrained_cfg": {"num_classes": 3}}, "a tag chooses"),
        ({"pretrained_cfg_overlay": {"hf_hub_id": "x/y"}}, "only `file`"),
        ({"pretrained_cfg_overlay": {"file": "x.pth"}}, "pretrained is false"),
        ({"cache_dir": "x"}, "TORCH_HOME"),
        ({"pruned": True}, "no parameter of its spec"),
    ],
    ids=str,
)
def test_arguments_that_are_not(own: Path, options: dict[str, Any], words: str) -> None:
    archdsl.timm.register(own)
    assert words in refused("archdsl_net8", **options).message


def test_a_word_that_was_meant(own: Path) -> None:
    archdsl.timm.register(own)
    assert refused("archdsl_net8", featuresonly=True).help == "did you mean `features_only`?"
    assert refused("archdsl_net8", widht=3).help == "did you mean `width`?"
    refused("archdsl_net8", "E625", features_only=True, num_classes=3)
    refused("archdsl_net8", "E301", width="wide")


def test_pretrained(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The default, the one that the tag names, or a file; with other classes and channels, as timm does it."""
    archdsl.timm.register(own)
    one, two = (torch.load(tmp_path / f"{name}.pth") for name in ("one", "two"))
    assert torch.equal(timm.create_model("archdsl_net8", pretrained=True).fc.weight, one["fc.weight"])
    assert torch.equal(timm.create_model("archdsl_net8.v2", pretrained=True).fc.weight, two["fc.weight"])
    monkeypatch.chdir(tmp_path)
    Path("v3").write_bytes((tmp_path / "two.pth").read_bytes())
    refused("archdsl_net8.v3", "E519", pretrained=True)  # a tag, not a file of the current folder
    overlay = {"file": str(tmp_path / "two.pth")}
    model = timm.create_model("archdsl_net8.v2", pretrained=True)
    facts = {key: model.pretrained_cfg[key] for key in ("tag", "license", "crop_pct", "num_classes")}
    assert facts == {"tag": "v2", "license": "cc-by-4.0", "crop_pct": 0.5, "num_classes": 5}
    archdsl.save_pretrained(model, tmp_path / "m")
    assert 'license: "cc-by-4.0"' in (tmp_path / "m" / "README.md").read_text()
    assert archdsl.from_pretrained(tmp_path / "m").pretrained_cfg["crop_pct"] == 0.5
    listed = timm.create_model("archdsl_net8", pretrained=True, pretrained_cfg_overlay=overlay, features_only=True)
    assert torch.equal(listed.conv1.weight, two["conv1.weight"])
    other = timm.create_model("archdsl_net8", pretrained=True, num_classes=2, in_chans=1)
    assert torch.equal(other.conv1.weight, one["conv1.weight"].sum(1, keepdim=True))
    assert other.fc.weight.shape == (2, 16)
    assert "pretrained is false" in refused("archdsl_net8.v2").message
    refused("archdsl_net8.v3", "E519", pretrained=True)
    refused("archdsl_net16", "E519", pretrained=True)
    refused("archdsl_net8.v1", pretrained=True, pretrained_cfg_overlay=overlay)
    model = timm.create_model("archdsl_net8", checkpoint_path=str(tmp_path / "two.pth"))
    assert torch.equal(model.fc.weight, two["fc.weight"])
    with pytest.raises(RuntimeError, match="size mismatch"):
        timm.create_model("archdsl_net16", checkpoint_path=str(tmp_path / "two.pth"))


def test_its_data_config(own: Path) -> None:
    archdsl.timm.register(own)
    found = resolve_data_config({}, model=timm.create_model("archdsl_net8"))
    assert found == {
        "input_size": [3, 32, 32],
        "interpolation": "bicubic",
        "mean": [0.1, 0.2, 0.3],
        "std": [1.0, 2.0, 3.0],
        "crop_pct": 0.8,
        "crop_mode": "center",
    }


def test_again_and_changed(own: Path, tmp_path: Path) -> None:
    """The same again is nothing new, and no warning; a text that changed is read anew."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        before = timm.list_models("archdsl_*")
        assert len(archdsl.timm.register()) == len(set(archdsl.timm.register())) > 200
        assert timm.list_models("archdsl_*") == before
        archdsl.timm.register(own)
        archdsl.timm.register(own)
        own.write_text(SPEC.replace("net16: 16", "net4: 4").replace("net8:  8", "net8:  10"))
        assert timm.create_model("archdsl_net8").conv1.out_channels == 8  # as it was when it was registered
        assert archdsl.timm.register(own) == ("archdsl_net8", "archdsl_net4")
    assert timm.create_model("archdsl_net8").conv1.out_channels == 10
    refused("archdsl_net16", "E108")
    assert "archdsl_net4" in timm.list_models(module="archdsl_models")
    assert timm.create_model("archdsl_net4", device="meta").conv1.out_channels == 4


def test_a_name_that_is_taken(own: Path, tmp_path: Path) -> None:
    """timm's, or that of another spec; then none of the file is registered."""
    before = timm.list_models("*")
    other = tmp_path / "other" / "net.arch"
    other.parent.mkdir()
    other.write_text(SPEC.replace("net16", "resnet50").split("weights own")[0])
    for prefix, names in (
        ("", "`resnet50` already, of its own"),
        ("archdsl_", "`archdsl_resnet50` already, of a spec"),
    ):
        with pytest.raises(ArchError) as caught:
            archdsl.timm.register(other, prefix=prefix)
        (found,) = caught.value.diagnostics
        assert found.code == "E643"
        assert names in found.message
    assert timm.list_models("*") == before
    assert archdsl.timm.register(other, prefix="mine_") == ("mine_net8", "mine_resnet50")
    archdsl.timm.register(own, prefix="ours_")
    assert timm.create_model("mine_resnet50", device="meta").conv1.out_channels == 16
    with pytest.raises(ArchError):
        archdsl.timm.register(own, prefix="mine_")


def test_a_family_by_its_name() -> None:
    assert archdsl.timm.register("van")[:2] == ("archdsl_van_b0", "archdsl_van_b1")


def test_the_module_is_there_when_asked_for() -> None:
    code = "import archdsl, sys; archdsl.timm.register; print([n for n in ('timm', 'torch') if n in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_without_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(ArchError) as caught:
        archdsl.timm.register()
    assert caught.value.diagnostics[0].code == "E641"
    assert "pip install 'archdsl[timm]'" in str(caught.value.diagnostics[0].help)


def test_where_torchvision_is_of_another_build() -> None:
    """An error of ours, not what the import raised."""
    code = "import archdsl; archdsl.timm.register()"
    hide = "import sys, types; sys.modules['torchvision'] = types.ModuleType('torchvision'); "
    done = subprocess.run([sys.executable, "-c", hide + code], capture_output=True, text=True)
    assert "error[E641]: archdsl.timm.register needs timm, which cannot be imported" in done.stderr
    assert "timm is installed" in done.stderr
    assert "pip install" not in done.stderr


def test_lists_go_where_models_go(tmp_path: Path) -> None:
    """Copies, pickles, TorchScript, folders."""
    model = timm.create_model("archdsl_efficientnet_b0", features_only=True, out_indices=(0, 2)).eval()
    x = torch.randn(1, 3, 64, 64)
    wanted = model(x)
    archdsl.save_pretrained(model, tmp_path / "m")
    others = [
        copy.deepcopy(model),
        pickle.loads(pickle.dumps(model)),
        torch.jit.script(model),
        archdsl.from_pretrained(tmp_path / "m"),
    ]
    for other in others:
        found = other(x)
        assert type(found) is list
        assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))
    assert others[1].feature_info.channels() == model.feature_info.channels() == [16, 40]


@pytest.mark.parametrize(
    ("decoder", "encoder"), [("Unet", "resnet50"), ("FPN", "resnet18"), ("FPN", "efficientnet_b0")]
)
def test_segmentation_models_pytorch(decoder: str, encoder: str) -> None:
    """Its networks on ours and on timm's: the same loss, and the same weights after a step."""
    import segmentation_models_pytorch as smp

    made = []
    for name in (encoder, f"archdsl_{encoder}"):
        torch.manual_seed(0)
        model = getattr(smp, decoder)(f"tu-{name}", encoder_weights=None, classes=2).train()
        made.append(model)
    theirs, ours = made
    variant = archdsl.find(encoder).features(listed=True)
    ours_shapes = {key: weight.shape for key, weight, _ in variant.whole.graph.state()}
    keymap = variant.keymaps.get("timm")
    names = dict.fromkeys(ours_shapes) if keymap is None else keymap.apply(ours_shapes).theirs
    listed = {key.removeprefix("encoder.model."): value for key, value in theirs.state_dict().items()}
    for key, value in ours.encoder.model.state_dict().items():
        value.copy_(listed[names[key] or key])
    decoder_state = {k: v for k, v in theirs.state_dict().items() if not k.startswith("encoder.")}
    assert not ours.load_state_dict(decoder_state, strict=False).unexpected_keys
    for module in (*theirs.modules(), *ours.modules()):  # timm's own has no rates where ours has those of the paper
        if type(module).__name__ in ("DropPath", "Dropout", "Dropout2d"):
            module.eval()
    before = {key: value.clone() for key, value in decoder_state.items()}
    x, target = torch.randn(2, 3, 32, 32), torch.rand(2, 2, 32, 32)
    losses = []
    for model in made:
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        loss = (model(x) - target).square().mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] == losses[1]
    after = {key.removeprefix("encoder.model."): value for key, value in theirs.state_dict().items()}
    for key, value in ours.encoder.model.state_dict().items():
        assert torch.equal(value, after[names[key] or key]), key
    key = next(iter(decoder_state))
    assert torch.equal(ours.state_dict()[key], after[key])
    assert not torch.equal(after[key], before[key])
