"""docs/json.md is what archdsl/cli/documents declares, and its examples are what the commands print."""

from __future__ import annotations

from archdsl.cli.app import COMMANDS
from docs.generate_json import EXAMPLES, PAGE, documents, page
from tests.libraries import declare_operators


def test_page_is_up_to_date() -> None:
    declare_operators()  # for timm and pytorchcv, which import torchvision
    assert PAGE.read_text(encoding="utf-8") == page(), "run: python -m docs.generate_json"


def test_every_command_has_a_document_and_an_example() -> None:
    assert list(EXAMPLES) == list(COMMANDS)
    assert {kind.command for kind in documents()} == set(COMMANDS)
