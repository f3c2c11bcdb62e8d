"""The page of differences: every pair and chain is there, with a picture that is well-formed and says the names."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from docs.generate_differences import CHAINS, FOLDER, PAGE, PAIRS

TEXT = PAGE.read_text(encoding="utf-8")
PICTURES = re.findall(r"!\[[^]]*\]\(differences/([^)]*)\)", TEXT)


def test_the_pictures_are_those_of_the_folder() -> None:
    assert len(PICTURES) == len(PAIRS) + len(CHAINS)
    assert sorted(PICTURES) == sorted(path.name for path in FOLDER.iterdir())


def test_each_picture_is_of_its_networks() -> None:
    for first, second in PAIRS:
        root = ET.parse(FOLDER / f"{first}-{second}.svg").getroot()
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert f"{first} → {second}" in "".join(root.itertext())
    for name in CHAINS:
        assert name in "".join(ET.parse(FOLDER / f"{name}.svg").getroot().itertext())


def test_the_pictures_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_000_000
