"""Pictures in folders and in what timm opens: neither more nor fewer than there are, read as `predict` reads them."""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import archdsl
from archdsl.training.datasets import find_data
from tests.training.conftest import codes, weights

Run = Callable[..., Any]


def picture(path: Path, shade: int = 0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (8, 8), shade).save(path)
    return path


@pytest.mark.parametrize("target", [".", "../dog"])
def test_a_folder_counts_once(tmp_path: Path, target: str) -> None:
    for kind in ("cat", "dog"):
        picture(tmp_path / "train" / kind / "1.png")
    outside = picture(tmp_path / "more" / "2.png").parent
    (tmp_path / "train" / "cat" / "more").symlink_to(outside)
    assert find_data(str(tmp_path)).train.counts == {"cat": 2, "dog": 1}
    (tmp_path / "train" / "cat" / "again").symlink_to(target)
    with pytest.raises(archdsl.ArchError, match=r"is a link to .*: its pictures would count twice"):
        find_data(str(tmp_path))


def test_other_files_are_left_out_and_said(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    for number in range(10):
        picture(tmp_path / "train" / f"{number}" / "1.png")
    picture(tmp_path / "val" / "1" / "1.png")
    for name in ("train/3/a.gif", "train/4/B.GIF", "train/4/notes", "train/5/.DS_Store", "val/1/x.txt"):
        (tmp_path / name).touch()
    shown = run("train", net, "--recipe", "plain", "--data", tmp_path, "--batch", 8, "--plan").out
    assert "differs: pictures: other files are left out (1 without an ending, 2 .gif)" in shown
    assert "differs: test pictures: other files are left out (1 .txt)" in shown


def test_parts_under_other_names_are_no_classes(tmp_path: Path) -> None:
    for name in ("Train/cat/1.png", "val/cat/1.png"):
        picture(tmp_path / name)
    if os.path.isdir(tmp_path / "train"):
        pytest.skip("names are the same in either case here")
    with pytest.raises(archdsl.ArchError, match="there is no folder `train`"):
        find_data(str(tmp_path))


def test_a_link_that_leads_nowhere_is_said(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    for number in range(10):
        picture(tmp_path / "train" / f"{number}" / "1.png")
    (tmp_path / "train" / "3" / "2.png").symlink_to("nowhere.png")
    given = ("train", net, "--recipe", "plain", "--data", tmp_path, "--batch", 8, "-o", tmp_path / "run")
    for more in ((), ("--plan",)):
        done = run(*given, *more)
        assert (done.code, codes(done)) == (2, ["E648"]), done.err
        assert "3/2.png" in done.err
    assert not (tmp_path / "run").exists()


def test_nothing_is_held_out_of_one_folder(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    for name in ("image_folder", "folder"):
        found = find_data(f"torch/{name}@{digits / 'train'}")
        assert (len(found.train), found.test) == (256, None)
        with pytest.raises(archdsl.ArchError, match="is a part of them and no class"):
            find_data(f"torch/{name}@{digits}")


@pytest.mark.parametrize("root", ["", "pictures/", "./"])
def test_an_archive_has_the_parts_of_its_folders(digits: Path, tmp_path: Path, root: str) -> None:
    with tarfile.open(tmp_path / "d.tar", "w") as file:
        for split in ("train", "val"):
            file.add(digits / split, f"{root}{split}")
    whole, found = find_data(str(digits)), find_data(str(tmp_path / "d.tar"))
    assert found.test is not None
    assert whole.test is not None
    assert (found.train.classes, found.train.counts) == (whole.train.classes, whole.train.counts)
    assert (found.test.classes, found.test.counts) == (whole.test.classes, whole.test.counts)
    for split in ("train", "test"):
        ours, theirs = getattr(whole, split), getattr(found, split)
        assert sorted(_pixels(ours)) == sorted(_pixels(theirs))
    assert found.train.digest != found.test.digest


def _pixels(found: Any) -> list[tuple[int, bytes]]:
    return [(target, image.tobytes()) for image, target in map(found.image, range(len(found)))]


def test_an_archive_of_other_formats_and_of_unknown_classes(tmp_path: Path) -> None:
    one = [picture(tmp_path / "one" / name) for name in ("train/cat/1.bmp", "train/dog/1.PNG", "val/eel/1.bmp")]

    def archive(files: list[Path]) -> str:
        with tarfile.open(tmp_path / "d.tar", "w") as file:
            for path in files:
                file.add(path, path.relative_to(tmp_path / "one"))
        return str(tmp_path / "d.tar")

    assert find_data(archive(one[:2])).train.counts == {"cat": 1, "dog": 1}
    for files, words in (
        (one, "`eel` is no class of the training pictures"),
        (one[2:], "there is no folder `train`"),
        ([], "it holds no pictures"),
    ):
        with pytest.raises(archdsl.ArchError, match=words):
            find_data(archive(files))


def test_only_a_part_that_there_is_not_may_be_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged test set ends it; `datasets` and torchvision say of an unknown one that it is unknown."""
    import timm.data

    class Split:
        def __init__(self, classes: list[str]) -> None:
            self.class_to_idx = {name: number for number, name in enumerate(classes)}

        def __len__(self) -> int:
            return 4

    answers: dict[str, Any] = {}

    def create(name: str, root: object, split: str, **_: object) -> Any:
        if isinstance(answers[split], Exception):
            raise answers[split]
        return Split(answers[split])

    monkeypatch.setattr(timm.data, "create_dataset", create)
    unknown = ValueError("Unknown split \"validation\". Should be one of ['train'].")
    answers.update(train=["a", "b"], validation=unknown, test=unknown)
    assert find_data("hfds/x").test is None
    answers.update(test=["a", "b"])
    assert find_data("hfds/x").test is not None
    answers.update(test=["b", "a"])
    with pytest.raises(archdsl.ArchError, match="there are other classes in it"):
        find_data("hfds/x")
    answers.update(validation=RuntimeError("Dataset not found"))
    with pytest.raises(archdsl.ArchError, match="Dataset not found"):
        find_data("hfds/x")


def test_pictures_lie_in_folders_by_class(tmp_path: Path) -> None:
    for name in ("train/10/a/1.png", "train/9/2.png", "train/9/10.png", "train/9/readme.txt", "val/9/3.JPG"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    found = find_data(str(tmp_path))
    assert found.train.classes == ("9", "10")
    assert [file[:2] for file in found.train.files] == [("9/2.png", 0), ("9/10.png", 0), ("10/a/1.png", 1)]
    assert found.test is not None
    assert (found.test.classes, [file[:2] for file in found.test.files]) == (("9", "10"), [("9/3.JPG", 0)])
    assert find_data(str(tmp_path / "train")).test is None
    (tmp_path / "val" / "11").mkdir()
    (tmp_path / "train" / "empty").mkdir()
    for remove, words in (("train/empty", "`empty` holds no pictures"), ("val/11", "`11` is no class")):
        with pytest.raises(archdsl.ArchError) as caught:
            find_data(str(tmp_path))
        assert words in caught.value.diagnostics[0].message
        (tmp_path / remove).rmdir()
    with pytest.raises(archdsl.ArchError):
        find_data(str(tmp_path / "train" / "10" / "a"))


def test_what_timm_opens_is_trained_with_as_the_folder_is(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    with tarfile.open(tmp_path / "digits.tar", "w") as file:
        file.add(digits / "train", "train")
    given = ("train", net, "--recipe", "plain", "--epochs", 2, "--workers", 0, "-o")
    for name, data in (
        ("f", digits / "train"),
        ("tar", tmp_path / "digits.tar"),
        ("torch", f"torch/folder@{digits / 'train'}"),
    ):
        done = run(*given, tmp_path / name, "--data", data)
        assert done.code == 0, done.err
    # The order of the pictures in a tar file is its own; torchvision sorts as we do here.
    one, tar, torchvision = (weights(tmp_path / name) for name in ("f", "tar", "torch"))
    assert tar.keys() == one.keys()
    assert all(torch.equal(one[key], torchvision[key]) for key in one)
    assert (
        json.loads((tmp_path / "tar" / "run.json").read_text())["pictures"]["classes"]
        == json.loads((tmp_path / "f" / "run.json").read_text())["pictures"]["classes"]
    )
    for data, words in (("wds/digits", "as a stream"), ("torch/nothing@x", "nothing"), (tmp_path / "no.tar", "no.tar")):
        refused = run(*given, tmp_path / "refused", "--data", data)
        assert (refused.code, codes(refused)) == (2, ["E648"])
        assert words in refused.err


def test_16_bits_and_colour_are_read_as_predict_reads_them(tmp_path: Path) -> None:
    from archdsl.training.data import Pictures, Place

    place = tmp_path / "train" / "a"
    place.mkdir(parents=True)
    Image.new("I;16", (8, 8), 32768).save(place / "1.png")
    Image.new("RGB", (8, 8), (128, 128, 128)).save(place / "2.png")
    from archdsl.transform import in_mode

    pictures: Any = Pictures(find_data(str(tmp_path)).train, lambda image: in_mode(image, "L").getpixel((0, 0)), ())
    assert [pictures[Place(0, n)] for n in range(2)] == [(128, 0), (128, 0)]
