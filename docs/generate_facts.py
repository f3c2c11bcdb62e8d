"""Writes specs/facts.json, what `archdsl list` shows: `python -m docs.generate_facts`. A test compares the two."""

from __future__ import annotations

import json
from pathlib import Path

from archdsl.cli.recorded import FILE, document

PAGE = Path(__file__).parents[1] / "specs" / FILE


def facts() -> str:
    """The content of the file: one variant a line."""
    content = document()
    lines = []
    for name, family in content["families"].items():
        variants = ",\n".join("   " + json.dumps(variant, ensure_ascii=False) for variant in family.pop("variants"))
        head = json.dumps(family, ensure_ascii=False)
        lines.append(f'  {json.dumps(name)}: {head[:-1]}, "variants": [' + (f"\n{variants}" if variants else "") + "]}")
    families = ",\n".join(lines)
    return f'{{\n "version": {json.dumps(content["version"])},\n "families": {{\n{families}\n }}\n}}\n'


if __name__ == "__main__":
    PAGE.write_text(facts(), encoding="utf-8")
