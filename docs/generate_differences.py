"""Writes docs/differences.md and the pictures in docs/differences: networks that papers compare, at level diff.

python -m docs.generate_differences
"""

from __future__ import annotations

from pathlib import Path

import archdsl
from archdsl.graph.recipe_words import differences
from archdsl.steps import amendments, draw_steps

PAGE = Path(__file__).parent / "differences.md"
FOLDER = PAGE.with_suffix("")

PAIRS = {
    ("resnet50", "resnext50_32x4d"): "Aggregated Residual Transformations (Xie et al., 2016), table 1: twice the width "
    "in the first two layers of a block, in 32 groups. Costs hardly change.",
    (
        "resnet50",
        "seresnet50",
    ): "Squeeze-and-Excitation Networks (Hu et al., 2017), figure 3: a gate before each sum, as timm builds it.",
    ("resnet50", "resnetv2_50"): "Identity Mappings in Deep Residual Networks (He et al., 2016), figure 4e: norm and "
    "activation before each convolution.",
    ("mobilenet_v2", "mobilenet_v3_large"): "Searching for MobileNetV3 (Howard et al., 2019), table 1. Blocks in which "
    "the same layers came and went are drawn once.",
    (
        "convnext_tiny",
        "convnext_small",
    ): "A ConvNet for the 2020s (Liu et al., 2022): 27 blocks for 9 in the third stage, "
    "and a higher rate of stochastic depth.",
    ("resnet50", "convnext_tiny"): "The whole way at once; below, step by step.",
}
CHAINS = {
    "convnext_roadmap": "A ConvNet for the 2020s, figure 2 and table 10: each step amends the one before\n"
    "([the spec](../specs/convnext_roadmap.arch)). The first one is a change of recipe: how it is\n"
    "trained, and what that sets of the network. `archdsl recipe convnext_roadmap original --diff enhanced`:\n\n"
    "{recipes}",
    "convnext_roadmap_b": "The same for the larger networks, table 11.",
}

HEAD = """\
# What differs

`archdsl diff A B` says what came, went and changed between two networks, and `archdsl draw A B` draws it. Neither needs
torch. `python -m docs.generate_differences` writes this page and its pictures.

```
archdsl diff resnet50 resnext50_32x4d                    # a table of stages, then what changed in their blocks
archdsl diff resnet50 :resnet101                         # another variant of the same file
archdsl diff resnet50 --set classes=10 --image 160       # the same network with other arguments
archdsl diff convnext_roadmap                            # a chain of amendments, step by step
archdsl draw resnet50 resnext50_32x4d -o diff.pdf        # level diff; --columns 1 for one column of a paper
archdsl draw resnet18 resnet50 convnext_tiny -o a.svg    # a chain of any networks
archdsl draw convnext_roadmap --level diff -o road.pdf
```

Stages, blocks and layers that correspond are found by their structure: what they are made of, their resolution, their
order, and their labels where both networks have them. Other labels, and other ways to write the same, are no difference
(`conv(64, 3, groups = 64)` and `dwconv(3)` for 64 channels); a width that only follows from the input is none either,
but what it costs is shown. Everything else is: networks are equal if and only if they run the same layers with the same
parameters on the same inputs, in whatever order. How pictures are prepared and how weights begin is said as well, and
which weights of the first network would fit the second.

The exit code is that of `diff`: 0 for equal networks, 1 for others, 2 if they could not be compared.
"""


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    sections = [HEAD]
    kept = set()
    for (first, second), text in PAIRS.items():
        drawing = archdsl.find(first).drawing("diff", other=archdsl.find(second))
        kept.add(_section(sections, f"{first} and {second}", text, drawing.name, drawing.svg))
    for name, text in CHAINS.items():
        file = archdsl.open(name)
        drawing = draw_steps(amendments(file), name)
        text = text.format(recipes=_recipes(file)) if "{recipes}" in text else text
        kept.add(_section(sections, name, text, name, drawing.svg))
    for path in set(FOLDER.glob("*.svg")) - kept:
        path.unlink()
    PAGE.write_text("\n".join(sections), encoding="utf-8")


def _recipes(file: archdsl.ArchFile) -> str:
    """What differs between the two recipes of the roadmap."""
    lines = differences(file.recipes["original"], file.recipes["enhanced"])
    rows = [f"| `{line.setting}` | {_cell(line.text)} | {_cell(line.after)} |" for line in lines]
    return "\n".join(["| | original | enhanced |", "|---|---|---|", *rows])


def _cell(text: str) -> str:
    return f"`{text}`" if text else "–"


def _section(sections: list[str], title: str, text: str, name: str, svg: str) -> Path:
    path = FOLDER / f"{name}.svg"
    path.write_text(svg, encoding="utf-8")
    sections.append(f"## {title}\n\n{text}\n\n![{title}](differences/{path.name})\n")
    return path


if __name__ == "__main__":
    main()
