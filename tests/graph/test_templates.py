"""Copies of a block are what elaborating it again would give, and equal ones have one template."""

from __future__ import annotations

from typing import Any

import pytest

from archdsl import library
from archdsl.api import find, open_source
from archdsl.graph.ir import Graph, Node, Ref
from archdsl.graph.scopes import BlockScope, ChoiceScope, Scope
from archdsl.semantics import application
from archdsl.semantics.values import Layer
from tests.graph.test_fold import graph

FAMILIES = ["resnet50", "convnext_tiny", "efficientnet_b0", "regnet_y_400mf", "nasnet_mobile", "inception_v3"]


def elaborated(name: str) -> Graph:
    """The graph of a variant whose file is read anew, so that nothing of it was elaborated before."""
    source, *_ = library.locate(library.variants()[name].stem)
    return open_source(source)[name].traced()


def blocks(graph: Graph) -> dict[str, BlockScope]:
    return {scope.path: scope for scope in graph.root.scopes() if isinstance(scope, BlockScope)}


def told(scope: Scope) -> tuple[Any, ...]:
    """Everything about a scope that has a meaning outside it."""
    found: tuple[Any, ...] = (scope.kind, scope.name, scope.path, scope.start, scope.stage, scope.inputs, scope.outputs)
    if isinstance(scope, ChoiceScope):
        found += (str(scope.condition), scope.taken, scope.site.start)
    if isinstance(scope, BlockScope):
        widths = {ref: str(width) for ref, width in scope.widths()}
        given = {
            name: (repr(bound.value), isinstance(bound.value, Layer) or str(bound.expr), bound.explicit)
            for name, bound in scope.arguments.items()
        }
        decided = [(str(decision), decision.refs) for decision in scope.decisions]
        found += (scope.definition, scope.site.start, scope.template.structural, widths, given, decided)
    return found


def computed(node: Node) -> tuple[Any, ...]:
    exprs = {name: str(expr) for name, expr in node.exprs.items()}
    return (node.id, node.path, node.op, node.params, node.inputs, node.input_shapes, node.outputs, exprs)


@pytest.mark.parametrize("name", FAMILIES)
def test_a_copy_is_what_elaborating_again_gives(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    copied = elaborated(name)
    monkeypatch.setattr(application, "instance_key", lambda *given: None)
    anew = elaborated(name)
    for one, other in zip(copied.nodes, anew.nodes, strict=True):
        assert computed(one) == computed(other)
    for mine, its in zip(copied.root.scopes(), anew.root.scopes(), strict=True):
        assert told(mine) == told(its)
    templates = [{id(block.template) for block in blocks(made).values()} for made in (copied, anew)]
    assert len(templates[0]) < len(templates[1]) == len(blocks(anew))


def test_equal_blocks_have_one_template() -> None:
    found = {path: block.template for path, block in blocks(elaborated("resnet50")).items()}
    for stage, depth in zip((1, 2, 3, 4), (3, 4, 6, 3), strict=True):  # the first of each has a projection
        first, *rest = [found[f"layer{stage}.{number}"] for number in range(depth)]
        assert {id(template) for template in rest} == {id(rest[0])}
        assert first is not rest[0]
    drops = [b for b in blocks(elaborated("convnext_tiny")).values() if b.path.startswith("features.5.")]
    rates = [node.params.p for block in drops for node in block.nodes() if node.op.name == "drop_path"]  # type: ignore[attr-defined]
    assert len({id(block.template) for block in drops}) == 1
    assert rates == sorted(set(rates))
    assert len(rates) == 9


def test_a_template_says_widths_of_the_tensors_of_each_instance() -> None:
    made = graph("""
        block Inner(width) { in -> c: conv(2 * width, 1) -> d: conv(width, 1) }
        block Outer(width) { in -> a: Inner(width) -> b: Inner(4) }
        model Net = image(3, 8, 8) -> first: Outer(8) -> s: conv(3, 1) -> second: Outer(8) -> gap -> flatten
        """)
    variant = made.maker
    assert variant is not None
    found = blocks(variant.traced())
    for path in ("first", "second"):
        outer, inner = found[path], found[f"{path}.a"]
        ends = [ref for scope in (inner, outer) for ref in (*scope.inputs, *scope.outputs)]
        assert [str(inner.width(ref)) for ref in inner.inputs + inner.outputs] == ["in_channels", "width"]
        assert [str(outer.width(ref)) for ref in outer.inputs + inner.outputs + outer.outputs] == [
            "in_channels", "width", "4"
        ]  # fmt: skip
        assert len(set(ends)) == 3
        middle = Ref(inner.start, 0)
        assert str(inner.width(middle)) == "2 * width"
        assert outer.known_width(middle) is None
    assert found["first"].template is found["second"].template
    assert found["first.a"].template is found["second.a"].template


def test_blocks_that_are_cut_or_dilated_alike_have_one_template_again() -> None:
    for made in (find("resnet50").features([2, 4]), find("resnet50").with_output_stride(8)):
        found = {path: block.template for path, block in blocks(made.traced()).items()}
        whole = blocks(elaborated("resnet50"))
        assert found.keys() == whole.keys()
        for stage, depth in zip((1, 2, 3, 4), (3, 4, 6, 3), strict=True):
            first, *rest = [found[f"layer{stage}.{number}"] for number in range(depth)]
            assert {id(template) for template in rest} == {id(rest[0])}
            assert first is not rest[0]
    # Of two equal blocks, one gives what is inside it, too: they are no longer the same.
    tapped = blocks(find("resnet50").features(["layer1.1.bn2", "layer1"]).traced())
    assert tapped["layer1.1"].template is not tapped["layer1.2"].template
    assert {ref.node for ref in tapped["layer1.1"].outputs} > {ref.node for ref in tapped["layer1.2"].inputs}
