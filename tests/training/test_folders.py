"""Pictures in folders and in what timm opens: neither more nor fewer than there are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import archdsl
from archdsl.training.folders import find_data
from tests.training.test_train import codes

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
    done = run(*given)
    assert (done.code, codes(done)) == (2, ["E648"]), done.err
    assert "3/2.png" in done.err
    assert not (tmp_path / "run").exists()
