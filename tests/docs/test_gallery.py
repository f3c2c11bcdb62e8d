"""The gallery shows every shipped family at both levels, each picture once and well-formed."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from docs.generate_gallery import FOLDER, PAGE, SHOWN
from tests import shipped

TEXT = PAGE.read_text(encoding="utf-8")
PICTURES = re.findall(r"!\[[^]]*\]\(gallery/([^)]*)\)", TEXT)


def test_every_family_is_there() -> None:
    families = list(shipped.families())
    assert re.findall(r"^## (\w+)$", TEXT, re.MULTILINE) == families
    assert len(PICTURES) == 2 * len(families)
    assert set(SHOWN) <= set(families)


def test_the_pictures_are_those_of_the_folder() -> None:
    assert sorted(PICTURES) == sorted(path.name for path in FOLDER.iterdir())
    for path in FOLDER.iterdir():
        assert ET.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"


def test_the_pictures_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 3_000_000
