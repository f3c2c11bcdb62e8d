"""`use`, `default`, `variants`, `expect`, `init` and `preprocess`: what a file says beside its bodies."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from archdsl import api, library
from archdsl.api import ArchFile
from archdsl.diagnostics.core import ArchError, Bag
from archdsl.graph.settings import Preprocess, assign_initializers
from archdsl.semantics.settings import init_rules, preprocess_of
from archdsl.source import Source
from tests.semantics.helpers import check, codes, net, only, places


def _codes(path: Path) -> list[str]:
    try:
        return [d.code for d in ArchFile(library.read(path)).check() if d.severity == "error"]
    except ArchError as error:
        return [d.code for d in error.diagnostics if d.severity == "error"]


# --- use -------------------------------------------------------------------------------------


def test_defaults_are_those_of_the_file_of_the_definition(tmp_path: Path) -> None:
    (tmp_path / "parts.arch").write_text("default conv(bias = false)\nblock Unit(f: layer) = conv(4, 3) -> f\n")
    main = tmp_path / "main.arch"
    main.write_text('use "parts.arch" (Unit)\n' + net("image(3, 8, 8) -> conv(4, 3) -> Unit(conv(4, 3))"))
    made = api.open(main)["net"].graph
    biases = {node.path: len(node.weights) == 2 for node in made.nodes if node.op.name == "conv"}
    # The layer that is passed was written in main.arch.
    assert biases == {"conv1": True, "unit1.conv1": False, "unit1.conv2": True}


def test_imports_come_from_beside_the_file_or_below_it(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "parts.arch").write_text("fn a(n) = n\n")
    (tmp_path / "secret.arch").write_text("fn a(n) = n\n")
    main = tmp_path / "main.arch"
    use = net("image(3, 8, a(8))")
    main.write_text('use "below/parts.arch" (a)\n' + use)
    assert _codes(main) == []
    inner = tmp_path / "below" / "main.arch"
    for path in ("../secret.arch", str(tmp_path / "secret.arch"), "x/../../secret.arch", "C:secret.arch", "~/a.arch"):
        inner.write_text(f'use "{path}" (a)\n' + use)
        assert _codes(inner) == (["E110"] if path.startswith("~") else ["E116"])
    (tmp_path / "below" / "link.arch").symlink_to(tmp_path / "secret.arch")
    inner.write_text('use "link.arch" (a)\n' + use)
    assert _codes(inner) == ["E116"]


def test_files_cannot_import_each_other(tmp_path: Path) -> None:
    (tmp_path / "a.arch").write_text('use "b.arch" (g)\nfn f(n) = g(n)\n')
    (tmp_path / "b.arch").write_text('use "a.arch" (f)\nfn g(n) = f(n)\n')
    assert _codes(tmp_path / "a.arch") == ["E112"]
    (tmp_path / "c.arch").write_text('use "c.arch" (f)\nfn f(n) = n\n')
    assert _codes(tmp_path / "c.arch")[:1] == ["E112"]


def test_imports_are_not_passed_on_and_clash_with_definitions(tmp_path: Path) -> None:
    (tmp_path / "a.arch").write_text("fn f(n) = n\n")
    (tmp_path / "b.arch").write_text('use "a.arch" (f)\nfn g(n) = f(n)\n')
    main = tmp_path / "main.arch"
    main.write_text('use "b.arch" (f)\n' + net("image(3, 8, f(8))"))
    (error,) = ArchFile(library.read(main)).check()
    assert (error.code, "`a.arch`" in (error.help or "")) == ("E111", True)
    main.write_text('use "a.arch" (f)\nfn f(n) = n + 1\n' + net("image(3, 8, f(8))"))
    assert _codes(main) == ["E106"]


def test_errors_of_an_imported_file_are_shown_there(tmp_path: Path) -> None:
    (tmp_path / "a.arch").write_text("fn f(n) = m\n")
    main = tmp_path / "main.arch"
    main.write_text('use "a.arch" (f)\n' + net("image(3, 8, f(8))"))
    with pytest.raises(ArchError) as caught:
        api.open(main)
    (found,) = [d for d in caught.value.diagnostics if d.severity == "error"]
    assert found.span is not None
    assert found.span.source.name.endswith("a.arch")
    (tmp_path / "a.arch").write_text("fn f(n) = = n\n")
    assert all(code.startswith("E00") for code in _codes(main))
    assert _codes(main)


# --- variants --------------------------------------------------------------------------------

MODEL = (
    "model Net(width, depth = 1, classes = 10) =\n"
    "  image(3, 8, 8) -> [depth of conv(width, 3)] -> gap -> flatten -> linear(classes)\n"
)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("variants Net(width, deep) {\n  a: 4, 2\n}", "E115", "deep"),
        ("variants Net(width) {\n  a: 4, 5\n}", "E320", "a: 4, 5"),
        ("variants Net(width, depth) {\n  a: 4\n}", "E320", "a: 4"),
        ("variants Net(width) {\n  a: 4, width = 5\n}", "E104", "width"),
        ("variants Net(width) {\n  a: 4, deep = 5\n}", "E102", "deep"),
        ("variants Net(width) {\n  a: 4\n  a: 5\n}", "E106", "a"),
        ("variants Nat(width) {\n  a: 4\n}", "E109", "Nat"),
        ("variant a = Nat(4)", "E109", "Nat"),
        ("variant a = Net(4, 1, 10, 3)", "E105", "3"),
        ("variant a = Net(wid = 4)", "E102", "wid"),
        ("variant a = Net(4)\nvariant b = a with (wid = 4)", "E119", "wid"),
        ("variant a = Net(4)\nvariant b = a with (5)", "E105", "5"),
        ("variant a = Net(4)\nvariant b = c with (width = 5)", "E108", "c"),
        ("variant a = b with (width = 4)\nvariant b = a with (width = 5)", "E113", "a"),
        ("variant a = Net()", "E103", "a"),
        ("variant a = Net(4 / 0)", "E305", "0"),
        ("variant a = Net(unknown)", "E101", "unknown"),
        ("variant a = Net(4.5)", "E301", "width"),
        ("variant a = Net(..3)", "E301", "..3"),
        ("variant a = Net(4)\nexpect b { params = 1 }", "E108", "b"),
        ("variant a = Net(4)\nexpect a { parms = 1 }", "E402", "parms"),
        ("variant a = Net(4)\nexpect a { params = 1 }", "E401", "1"),
        ("variant a = Net(4)\nexpect a { params = width }", "E301", "width"),
        ("variant a = Net(4)\nexpect a { top1 = width }", "E301", "width"),
        ("variant a = Net(4)\nexpect a { top1 = 100.1 }", "E302", "100.1"),
        ("variant a = Net(4)\nexpect a { top1 = 0.01K }", "E302", "0.01K"),
        ("variant a = Net(4)\nexpect a { top1 = 81 }\nexpect a { top1 = 82 }", "E106", "top1"),
    ],
)
def test_faults_of_variants(text: str, code: str, place: str) -> None:
    assert places(MODEL + text + "\n") == [(code, place)]


def test_variants_amend_others_in_any_order() -> None:
    text = (
        MODEL
        + "variant c = b with (depth = 3)\nvariant b = a with (width = 8)\n"
        + "variants Net(width) {\n  a: 4, classes = 5\n}\n"
    )
    file = ArchFile(Source("test.arch", text))
    assert [d for d in file.check() if d.severity == "error"] == []
    assert list(file) == ["c", "b", "a"]
    # conv 3·8·9 + 8, twice 8·8·9 + 8, linear 8·5 + 5
    assert file["c"].graph.params == 224 + 2 * 584 + 45
    assert file["c"].configured.lineage == ("c", "b", "a", "Net")


def test_scaling_rules_are_spread_into_models() -> None:
    scaling = (
        'scaling grow(phi, alpha = 2) {\n  require phi < 3, "too far"\n  width = 4 * alpha^phi\n  depth = phi\n}\n'
    )
    text = MODEL + scaling + "variant a = Net(..grow(phi = 2))\n"
    file = ArchFile(Source("test.arch", text))
    assert file.check() == ()
    assert [node.params.out for node in file["a"].graph.nodes if node.op.name == "conv"] == [16, 16]  # type: ignore[attr-defined]
    assert codes(MODEL + scaling + "variant a = Net(..grow(phi = 3))\n") == ["E316"]
    assert codes(MODEL + scaling + "variant a = Net(8, ..grow(phi = 1))\n") == ["E104"]
    assert codes(MODEL + scaling.replace("depth =", "height =") + "variant a = Net(..grow(phi = 1))\n") == ["E102"]


@pytest.mark.parametrize(("count", "holds"), [(162, True), (161, False), (163, False)])
def test_claims_are_exact_for_plain_integers(count: int, holds: bool) -> None:
    """By hand: 3·4·9 + 4 of the convolution and 4·10 + 10 of the classifier."""
    expected = [] if holds else ["E401"]
    assert codes(MODEL + f"variant a = Net(4)\nexpect a {{ params = {count} }}\n") == expected


@pytest.mark.parametrize(
    ("claim", "holds"),
    # MACs: 3·4·9 on 8×8 and 4·10, by hand 6912 + 40 = 6952
    [
        ("6952", True),
        ("6951", False),
        ("6.952K", True),
        ("6.95K", True),
        ("7K", True),
        ("6.94K", False),
        ("6.9K", False),
    ],
)
def test_claims_hold_to_the_digits_they_show(claim: str, holds: bool) -> None:
    assert codes(MODEL + f"variant a = Net(4)\nexpect a {{ macs = {claim} }}\n") == ([] if holds else ["E401"])


def test_accuracies_are_recorded_for_the_network_they_were_published_of() -> None:
    text = MODEL + "variant a = Net(4)\nvariant b = a with (width = 8)\nexpect a { params = 162, top1 = 76.13 }\n"
    file = ArchFile(Source("test.arch", text))
    assert file.check() == ()
    assert file["a"].published == {"top1": Decimal("76.13")}
    assert file["b"].published == {}
    assert file["a"].override({"width": 8}).published == {}
    assert file["a"].set({"width": "8"}).published == {}


# --- init ------------------------------------------------------------------------------------

INIT_MODEL = net(
    "image(3, 8, 8) -> stem: conv(4, 3) -> bn1: bn -> dwconv(3) -> s: layer_scale(1e-6)\n"
    "  -> gap -> flatten -> fc: linear(2)"
)


def _assigned(rules: str) -> dict[str, str]:
    file = ArchFile(Source("test.arch", INIT_MODEL + rules + "\n"))
    assert not [d for d in file.check() if d.severity == "error"], [str(d) for d in file.check()]
    bag = Bag()
    variant = file["net"]
    made = init_rules(file.program, variant.configured, variant.graph, bag)
    assert not len(bag)
    return {key: rule.initializer for key, rule in assign_initializers(made, variant.graph).items()}


def test_initializers_go_by_op_role_weight_and_path() -> None:
    assert _assigned("init Net { conv: zeros }") == {"stem.weight": "zeros", "dwconv1.weight": "zeros"}
    assert _assigned("init Net { dwconv: zeros }") == {"dwconv1.weight": "zeros"}
    assert _assigned("init Net { conv.bias: zeros }") == {"stem.bias": "zeros", "dwconv1.bias": "zeros"}
    assert _assigned("init Net { bn: ones, norm.bias: zeros }") == {"bn1.weight": "ones", "bn1.bias": "zeros"}
    assert _assigned("init Net { layer_scale: zeros }") == {"s": "zeros"}
    assert _assigned('init Net { "fc": zeros }') == {"fc.weight": "zeros"}
    assert _assigned('init Net { "fc.bias": zeros }') == {"fc.bias": "zeros"}
    assert _assigned('init Net { "fc*": zeros }') == {"fc.weight": "zeros", "fc.bias": "zeros"}
    assert _assigned('init Net { "*.bias": zeros }') == {
        "stem.bias": "zeros", "bn1.bias": "zeros", "dwconv1.bias": "zeros", "fc.bias": "zeros",
    }  # fmt: skip


def test_the_last_rule_wins_and_variants_come_after_models() -> None:
    assert _assigned("init Net { conv: zeros, dwconv: ones }") == {"stem.weight": "zeros", "dwconv1.weight": "ones"}
    assert _assigned("init Net { dwconv: ones, conv: zeros }") == {"stem.weight": "zeros", "dwconv1.weight": "zeros"}
    both = "init net { linear: ones }\ninit Net { linear: zeros }"
    assert _assigned(both) == {"fc.weight": "ones"}


def test_rules_come_along_with_an_imported_model(tmp_path: Path) -> None:
    (tmp_path / "parts.arch").write_text(INIT_MODEL + "init Net { conv: zeros, linear: zeros }\n")
    main = tmp_path / "main.arch"
    main.write_text('use "parts.arch" (Net)\nvariant mine = Net()\ninit mine { linear: ones }\n')
    file = api.open(main)
    made = init_rules(file.program, file["mine"].configured, file["mine"].graph, Bag())
    found = {key: rule.initializer for key, rule in assign_initializers(made, file["mine"].graph).items()}
    assert found == {"stem.weight": "zeros", "dwconv1.weight": "zeros", "fc.weight": "ones"}


@pytest.mark.parametrize(
    ("rule", "code", "place"),
    [
        ("conv: kaming_normal", "E403", "kaming_normal"),
        ("conv: kaiming_normal(mod = 1)", "E102", "mod"),
        ('conv: kaiming_normal("fan_x")', "E317", '"fan_x"'),
        ("conv: normal()", "E103", "normal()"),
        ("conv: normal(-1)", "E302", "-1"),
        ('conv: normal("a")', "E301", '"a"'),
        ("conv: uniform(1, 0)", "E317", "0"),
        ("conv: zeros(1)", "E105", "1"),
        ("conv: constant(1 / 0)", "E305", "0"),
        ("conv: 3", "E301", "3"),
        ("cnov: zeros", "E404", "cnov"),
        ("conv.wieght: zeros", "E404", "conv.wieght"),
        ("relu: zeros", "E404", "relu"),
        ('"head*": zeros', "E404", '"head*"'),
        ('"bn1.running_mean": zeros', "E404", '"bn1.running_mean"'),
        ("bn: kaiming_normal", "E317", "bn"),
    ],
)
def test_faults_of_init(rule: str, code: str, place: str) -> None:
    assert places(f"{INIT_MODEL}init Net {{ {rule} }}\n") == [(code, place)]


def test_targets_of_settings() -> None:
    assert places(f"{INIT_MODEL}init Nett {{ conv: zeros }}\n") == [("E109", "Nett")]
    assert places(f"{INIT_MODEL}preprocess nett {{ size = 8 }}\n") == [("E108", "nett")]
    assert places(f"{INIT_MODEL}preprocess Net, nett {{ size = 8 }}\n") == [("E108", "nett")]


def test_a_rule_needs_to_match_in_one_variant_only() -> None:
    model = "model Net(deep) = image(3, 8, 8) -> [conv(4, 3) if deep, relu]\n"
    text = model + "variants Net(deep) {\n  a: false\n  b: true\n}\n"
    assert codes(text + "init Net { conv: zeros }\n") == []
    assert codes(text + "init a { conv: zeros }\n") == ["E404"]


# --- preprocess ------------------------------------------------------------------------------


def _preprocess(items: str) -> Preprocess | None:
    file = ArchFile(Source("test.arch", INIT_MODEL + items + "\n"))
    assert not [d for d in file.check() if d.severity == "error"], [str(d) for d in file.check()]
    return preprocess_of(file.program, file["net"].configured, Bag())


def test_what_is_said_of_several_is_said_of_each() -> None:
    model = "model Net(classes: int = 10) = image(3, 8, 8) -> gap -> flatten -> fc: linear(classes)\n"
    text = (
        f"{model}variant a = Net\nvariant b = Net\nvariant c = Net\n"
        'preprocess a, b { size = 8 }\ninit c, a { linear: zeros }\ncheckpoint theirs for b, c { "head" = "fc" }\n'
    )
    file = ArchFile(Source("test.arch", text))
    assert list(file.check()) == []
    prepared = {name: preprocess_of(file.program, file[name].configured, Bag()) is not None for name in "abc"}
    assert prepared == {"a": True, "b": True, "c": False}
    rules = {name: len(init_rules(file.program, file[name].configured, file[name].graph, Bag())) for name in "abc"}
    assert rules == {"a": 1, "b": 0, "c": 1}
    assert {name: list(file[name].keymaps) for name in "abc"} == {"a": [], "b": ["theirs"], "c": ["theirs"]}


def test_preprocessing_of_a_variant_overrides_that_of_its_model() -> None:
    assert _preprocess("") is None
    general = 'preprocess Net { size = 224, resize = 256, mean = [0.5], std = [0.25], labels = "imagenet1k" }'
    found = _preprocess('preprocess net { resize = 236, interpolation = "bicubic" }\n' + general)
    assert found == Preprocess(
        size=224, resize=236, mean=(0.5,), std=(0.25,), labels="imagenet1k", interpolation="bicubic"
    )
    found = _preprocess(general + "\npreprocess net { crop = 0.875 }")
    assert found is not None
    assert (found.resize, found.resized(224)) == (None, 256)


@pytest.mark.parametrize(
    ("entries", "code", "place"),
    [
        ("maen = [1]", "E405", "maen"),
        ("size = 224.0", "E301", "224.0"),
        ("size = 0", "E302", "0"),
        ("mean = 0.5", "E301", "0.5"),
        ("crop = 2", "E302", "2"),
        ('interpolation = "cubic"', "E317", '"cubic"'),
        ("mean = [0.5], std = [1, 1]", "E317", "[0.5]"),
        ("crop = 0.5, resize = 9", "E317", "0.5"),
        ("labels = 3", "E301", "3"),
        ("size = 30000", "E302", "30000"),
        ("resize = 1000000", "E302", "1000000"),
        ("crop = 1e-9", "E302", "1e-9"),
        ("size = 5000, crop = 0.25", "E317", "0.25"),
        ("size = 32, resize = 20", "E317", "20"),
        ("resize = 2", "E317", "2"),
        ("size = big", "E101", "big"),
    ],
)
def test_faults_of_preprocess(entries: str, code: str, place: str) -> None:
    assert places(f"{INIT_MODEL}preprocess net {{ {entries} }}\n") == [(code, place)]


def test_a_file_without_faults_has_no_findings() -> None:
    assert check(MODEL + "variant a = Net(4)\n") == ()
    assert only(MODEL + "variant a = Net(4, 3.5)\n").code == "E301"
