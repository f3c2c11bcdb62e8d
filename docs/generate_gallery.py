"""Writes docs/gallery.md and the pictures in docs/gallery: every shipped family at levels overview and blocks.

python -m docs.generate_gallery [FAMILY…]
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from archdsl import api, library
from archdsl.api import ArchFile, Variant

PAGE = Path(__file__).parent / "gallery.md"
FOLDER = PAGE.with_suffix("")
SHOWN = {
    "resnet": "resnet50",
    "preresnet": "preresnet50",
    "senet": "seresnet50",
    "shufflenet_v1": "shufflenet_g3_w1",
    "shufflenet_v2": "shufflenet_v2_x1_0",
    "nasnet": "nasnetalarge",
    "mobilenet_v3": "mobilenet_v3_large",
    "regnet": "regnet_y_400mf",
    "convnext_v2": "convnextv2_tiny",
    "convnext_roadmap": "roadmap_inverted",
    "convnext_roadmap_b": "roadmap_b_moved_up",
    "resnet_d": "resnet50d",
    "densenet_cifar": "densenet100_k12_bc_cifar10",
}
"""The variant shown of a family, where it is not the first."""

HEAD = """\
# Gallery

Every family that is shipped, as `archdsl draw` shows it: the overview, and the blocks it is made of. Nothing in these
pictures is drawn by hand or adjusted for one family. `python -m docs.generate_gallery` writes this page and them.

```
archdsl draw resnet50 -o resnet50.pdf                    # the overview, for a page of two columns
archdsl draw resnet50 -o resnet50.svg --columns 1        # for one column: top down
archdsl draw resnet50 -o blocks.pdf --level blocks       # its blocks
```

In the blocks, `C` is the number of channels of a block's input. Expressions are over its parameters, as far as they
differ between the blocks of one form, and hold for all of these; the numbers beside them are those of all of them: one,
both, or the least and the greatest. ⊕ adds, ⊗ multiplies, ‖ concatenates.
"""


def families() -> Iterator[tuple[str, Variant, ArchFile]]:
    """Every family with the variant that stands for it."""
    for name in library.families():
        file = api.open_source(library.locate(name)[0])
        if file:
            yield name, file[SHOWN.get(name, next(iter(file)))], file


def main(only: list[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    sections = [HEAD]
    kept = set()
    for name, variant, file in families():
        title = " ".join(file.docstring.split()).partition(":")[0].partition("(")[0].strip()
        sections.append(f"## {name}\n\n{title}; here {variant.name}.\n")
        for level in ("overview", "blocks"):
            path = FOLDER / f"{variant.name}-{level}.svg"
            kept.add(path)
            if not only or name in only:
                path.write_text(variant.drawing(level).svg, encoding="utf-8")
            sections.append(f"![{variant.name}: {level}](gallery/{path.name})\n")
    for path in set(FOLDER.glob("*.svg")) - kept:
        path.unlink()
    PAGE.write_text("\n".join(sections), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
