"""What is in one spec: `build`, `check`, `show`, `list`, `explain`, `fmt`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from archdsl.cli.documents.base import DiagnosticJson, Document, Shape, Size, Text
from archdsl.cli.documents.networks import Activations, Macs, Params, PreprocessJson, StageJson, VariantJson

if TYPE_CHECKING:
    from archdsl.api import Variant
    from archdsl.backends.proof import Proof
    from archdsl.graph.ir import Node


class LayerJson(Shape):
    """One node of the graph."""

    path: Text
    op: Text
    label: Text
    inputs: list[Text]
    """The paths of what it reads."""
    output: Size
    params: Params
    macs: Macs
    activations: Activations
    file: Text
    """Where it is written."""
    line: int

    @classmethod
    def differs(cls, node: Node) -> dict[str, Any]:
        span = node.span
        return {
            "op": node.op.name,
            "output": node.shape,
            "params": node.trainable,
            "file": span.source.name,
            "line": span.line,
        }

    @classmethod
    def of_variant(cls, variant: Variant) -> list[Self]:
        """All nodes, in the order of execution."""
        nodes = variant.graph.nodes
        return [cls.of(node, inputs=[nodes[ref.node].path for ref in node.inputs]) for node in nodes]


class ProofJson(Shape):
    """What was found equal to the graph after the source was built and run."""

    device: str
    """`cpu`, or `meta` for a network too large to compute here, where only shapes are compared."""
    params: int
    keys: int
    """Entries of the state_dict."""
    output: list[int]
    """The first of `outputs`."""
    outputs: list[list[int]]
    seconds: float

    @classmethod
    def differs(cls, proof: Proof) -> dict[str, Any]:
        return {"output": proof.outputs[0], "seconds": round(proof.seconds, 3)}


class BuiltJson(Shape):
    """A variant that was built."""

    variant: VariantJson
    stages: list[StageJson]
    path: Text | None
    """Null where the source was printed (`-o -`)."""
    source: Text | None
    """The text of it, with `-o -`."""
    proof: ProofJson | None
    """Null where none was asked for."""


class BuildDocument(Document):
    """PyTorch source that was written, or printed."""

    command: ClassVar[str] = "build"
    file: Text
    built: list[BuiltJson]


class CheckedJson(Shape):
    """A file that was checked."""

    file: Text
    ok: bool
    variants: list[Text]
    """Names; so are `recipes` (those of this file) and `unchecked`."""
    recipes: list[Text]
    unchecked: list[Text]
    """Definitions that nothing uses, so that only their names were checked."""
    diagnostics: list[DiagnosticJson]


class CheckDocument(Document):
    """What was found in files; the diagnostics of the envelope are those of all."""

    command: ClassVar[str] = "check"
    files: list[CheckedJson]


class ShowDocument(Document):
    """Of a file with several variants, none of them named, `variants` alone is filled."""

    command: ClassVar[str] = "show"
    file: Text
    doc: Text
    """Docstrings: of the file, and of the model and the variant that are shown."""
    variants: list[VariantJson]
    variant: VariantJson | None
    stages: list[StageJson]
    layers: list[LayerJson]
    """In the order of execution."""
    preprocess: PreprocessJson | None


class FamilyJson(Shape):
    """A shipped spec."""

    name: Text
    file: Text
    doc: Text
    variants: list[VariantJson]


class ListDocument(Document):
    """What is shipped."""

    command: ClassVar[str] = "list"
    families: list[FamilyJson]


class ExplainDocument(Document):
    """What a code means, at length."""

    command: ClassVar[str] = "explain"
    code: Text
    markdown: Text


class FormattedJson(Shape):
    """A file that was formatted."""

    file: Text
    changed: bool
    """Whether its layout was another."""


class FmtDocument(Document):
    """The files, in canonical layout now (`--check`: not yet)."""

    command: ClassVar[str] = "fmt"
    files: list[FormattedJson]
