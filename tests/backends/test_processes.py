"""Models in other processes, as torchvision's: pickles, whole saved models, torch.multiprocessing, DataLoader workers.

The other processes are real ones, started elsewhere, with another seed of hashes; the spec is not there any more.
"""

from __future__ import annotations

import copy
import inspect
import os
import pickle
import pickletools
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import archdsl
from archdsl import api
from archdsl.backends import module
from archdsl.diagnostics.core import ArchError
from archdsl.source import Source

PARTS = """
block Unit(out: int, p = 0.1) = conv: conv(out, 3, padding = "tf_same") -> bn: bn -> relu -> drop_path(p)
"""
SPEC = """
use "parts.arch" (Unit)
model Net(classes: int = 5, width: int = 4, aux: bool = false) {
  x = image(3, 9, 9) -> stem: conv(width, 3) -> stage body: [Unit(2 * width), Unit(2 * width)]
  if aux { output extra = x -> gap -> flatten -> aux: linear(classes) }
  x -> gap -> flatten -> fc: linear(classes)
}
variant net = Net()
variant other = Net(width = 8)
"""

READ = """
import pickle, sys, torch
with open(sys.argv[1], "rb") as file:
    found = pickle.load(file)
image = torch.linspace(-1, 1, 3 * 81).view(1, 3, 9, 9)
made = {}
for name, model in found["models"].items():
    made[name] = model(image)
    model.reset_classifier(3) if hasattr(model, "reset_classifier") else None
    made[name, "info"] = [tuple(feature) for feature in model.feature_info]
made["variant"] = (found["variant"].name, found["variant"].changes, found["variant"].source)
made["file"] = [(name, variant.graph.params) for name, variant in found["file"].items()]
made["graph"] = [(node.path, node.shape.dims) for node in found["graph"].nodes]
made["traced"] = found["traced"].traced
made["maps"] = {name: tuple(value.shape) for name, value in torch.load(sys.argv[2], weights_only=False)(image).items()}
torch.save(made, sys.argv[3])
"""

SPAWN = """
import sys, torch
from torch import multiprocessing
from torch.utils.data import DataLoader, Dataset

class Maps(Dataset):
    def __init__(self, model, variant):
        self.model, self.variant = model, variant
    def __len__(self):
        return 2
    def __getitem__(self, index):
        with torch.no_grad():
            return self.model(torch.full((1, 3, 9, 9), float(index))), self.variant.graph.params

def work(model, queue):
    with torch.no_grad():
        queue.put(model(torch.ones(1, 3, 9, 9)).tolist())

if __name__ == "__main__":
    import archdsl
    torch.manual_seed(0)
    model = archdsl.load(sys.argv[1], "net").eval()
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=work, args=(model, queue))
    process.start()
    found = queue.get(timeout=100)
    process.join()
    with torch.no_grad():
        assert found == model(torch.ones(1, 3, 9, 9)).tolist()
    loader = DataLoader(
        Maps(model, archdsl.find(sys.argv[1], "net")), num_workers=1, multiprocessing_context="spawn", batch_size=2
    )
    ((values, params),) = list(loader)
    with torch.no_grad():
        assert torch.equal(values[1], model(torch.ones(1, 3, 9, 9)))
    assert params.tolist() == 2 * [archdsl.find(sys.argv[1], "net").graph.params]
    print("same")
"""


def run(script: str, folder: Path, *arguments: Path | str) -> str:
    path = folder / "script.py"
    path.write_text(script, encoding="utf-8")
    environment = {**os.environ, "PYTHONHASHSEED": "7", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, path, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    return done.stdout


def spec(folder: Path, text: str = SPEC) -> Path:
    (folder / "parts.arch").write_text(PARTS, encoding="utf-8")
    (folder / "net.arch").write_text(text, encoding="utf-8")
    return folder / "net.arch"


def test_in_another_process(tmp_path: Path) -> None:
    torch.manual_seed(0)
    path = spec(tmp_path)
    image = torch.linspace(-1, 1, 3 * 81).view(1, 3, 9, 9)
    models = {
        "plain": archdsl.load(path, "net").eval(),
        "changed": archdsl.load(path, "other", classes=7, image_size=(9, 10)).eval(),
        "shipped": archdsl.load("shufflenet_v2_x0_5").eval(),
    }
    models["replaced"] = copy.deepcopy(models["plain"])
    models["replaced"].fc = nn.Linear(8, 2)
    variant = archdsl.find(path, "net").set({"width": "2 * 3"}).for_image(size=(10, 9)).features(["body"])
    torch.save(archdsl.load("resnet18", features=["layer1", "layer3"], in_channels=3).eval(), tmp_path / "maps.pt")
    found = {
        "models": models,
        "variant": variant,
        "file": archdsl.open(path),
        "graph": archdsl.find(path, "net").graph,
        "traced": archdsl.find(path, "net").traced(),
    }
    (tmp_path / "models.pkl").write_bytes(pickle.dumps(found))
    path.unlink()
    (tmp_path / "elsewhere").mkdir()
    run(READ, tmp_path / "elsewhere", tmp_path / "models.pkl", tmp_path / "maps.pt", tmp_path / "made.pt")
    made = torch.load(tmp_path / "made.pt", weights_only=False)
    for name, model in models.items():
        assert torch.equal(made[name], model(image)), name
        assert made[name, "info"] == [tuple(feature) for feature in model.feature_info]
    assert made["variant"] == (variant.name, variant.changes, variant.source)
    assert made["file"] == [(name, v.graph.params) for name, v in found["file"].items()]
    assert made["graph"] == [(node.path, node.shape.dims) for node in found["graph"].nodes]
    assert made["traced"]
    assert made["maps"] == {"layer1": (1, 64, 3, 3), "layer3": (1, 256, 1, 1)}


@pytest.mark.slow
def test_workers_that_are_spawned(tmp_path: Path) -> None:
    assert run(SPAWN, tmp_path, spec(tmp_path)) == "same\n"


def test_several_results_and_parts(tmp_path: Path) -> None:
    """A module alone, and a named tuple of results, in the process that made them and back."""
    torch.manual_seed(0)
    model = archdsl.load(spec(tmp_path), "net", aux=True).eval()
    results = model(torch.ones(1, 3, 9, 9))
    again = pickle.loads(pickle.dumps(results))
    assert type(again) is type(results)
    assert all(torch.equal(a, b) for a, b in zip(again, results, strict=True))
    part = pickle.loads(pickle.dumps(model.get_submodule("body.0")))
    assert type(part) is type(model.get_submodule("body.0"))


def test_no_source_is_in_a_pickle(tmp_path: Path) -> None:
    """What is read is the text of the spec, which is compiled as any other: nothing of it is run as it stands."""
    model = archdsl.load(spec(tmp_path), "net")
    pickled = pickle.dumps(model)
    names = {
        argument for code, argument, _ in pickletools.genops(pickled) if code.name in ("GLOBAL", "SHORT_BINUNICODE")
    }
    assert "revived" in names
    assert not any("def forward" in name or "archdsl_generated" in name for name in names if name)
    text = pickled.replace(b"conv(width, 3)", b"conv(width, 5)")
    with pytest.raises(ArchError) as raised:  # another network than the state is of
        pickle.loads(text)
    assert [d.code for d in raised.value.diagnostics] == ["E507"]
    hostile = pickled.replace(b"variant net = Net()\n", b"import os\n\n\n\n\n\n\n\n\n\n\n")
    with pytest.raises(ArchError):
        pickle.loads(hostile)


def test_a_new_classifier_of_a_helpers_class_is_the_networks_own() -> None:
    head = 'dropout(0.1) -> fc: conv(classes, 3, stride = 2, padding = "tf_same") -> gap -> flatten'
    text = f"model Net(classes: int = 4) = image(3, 8, 8) -> a: conv(4, 3) -> relu -> {head}\n"
    model = api.open_source(Source("net.arch", text))["Net"].empty()
    made = type(model.fc)
    assert made.__module__ == type(model).__module__
    model.reset_classifier(7)
    assert model.fc.out_channels == 7
    assert type(model.fc) is made


def test_a_derived_class_is_pickled_as_its_own() -> None:
    model = Derived()
    assert type(pickle.loads(pickle.dumps(model))) is Derived
    assert type(copy.deepcopy(model)) is Derived


Base: Any = archdsl.find("resnet18").model_class


class Derived(Base):
    """As a user would write it."""


def test_errors_go_to_other_processes() -> None:
    with pytest.raises(ArchError) as raised:
        archdsl.load("resnet18", clases=3)
    assert str(pickle.loads(pickle.dumps(raised.value))) == str(raised.value)


def test_what_is_said_of_a_network_goes_too() -> None:
    one, two = archdsl.find("googlenet"), archdsl.find("densenet121")
    table = pickle.loads(pickle.dumps(one.table))
    assert [(row.name, row.macs) for row in table.rows] == [(row.name, row.macs) for row in one.table.rows]
    assert table.rows[0].nodes[0].op is one.table.rows[0].nodes[0].op
    assert str(pickle.loads(pickle.dumps(one.diff(two)))) == str(one.diff(two))
    assert pickle.loads(pickle.dumps(one.drawing())) == one.drawing()
    assert set(pickle.loads(pickle.dumps(two.initializers))) == set(two.initializers)
    assert set(pickle.loads(pickle.dumps(two.keymaps))) == set(two.keymaps)


def test_a_graph_of_no_variant_says_so() -> None:
    graph = archdsl.find("resnet18").graph
    assert copy.deepcopy(graph) is graph
    alone = type(graph)(graph.name, graph.root)
    with pytest.raises(TypeError, match="cannot be pickled"):
        pickle.dumps(alone)


STAGES = """
model Net {{
  x = image(3, 8, 8)
  stage {name} {{ x = x -> a: conv(4, 3) -> relu }}
  x -> gap -> flatten -> fc: linear(5)
}}
"""


def test_two_specs_with_the_same_source_have_classes_of_their_own() -> None:
    """Names of stages in braces are not in the source: what is said of them is said of one network only."""
    first, second = (api.open_source(Source("net.arch", STAGES.format(name=n)))["Net"] for n in ("low", "high"))
    assert first.source == second.source
    one = first.empty()
    two = second.empty()
    assert type(one) is not type(two)
    assert one.feature_info.names() == ["low"]
    assert two.feature_info.names() == ["high"]
    assert type(first.empty()) is type(one)


def test_two_specs_with_one_digest_have_classes_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name of a module is a short digest: what is found by it is compared, whatever someone made collide."""
    monkeypatch.setattr(module, "_digest", lambda source, identity: "0")
    text = "model Collide = image(3, 8, 8) -> a: conv({n}, 3) -> gap -> flatten"
    one, two = (api.open_source(Source("net.arch", text.format(n=n)))["Collide"] for n in (4, 5))
    assert [v.empty().a.weight.shape[0] for v in (one, two, one, two)] == [4, 5, 4, 5]
    assert one.module is not two.module
    for variant, width in (one, 4), (two, 5):
        assert f"nn.Conv2d(3, {width}, 3" in inspect.getsource(variant.model_class)
        assert pickle.loads(pickle.dumps(variant.empty())).a.weight.shape[0] == width


def test_a_new_classifier_is_that_of_the_own_spec() -> None:
    """Of two specs with one source the same call gives what each says."""
    text = "model Net(classes: int = 10) = image(3, 8, 8) -> a: conv(4, 3) -> gap -> flatten -> fc: linear({n})\n"
    one, two = (api.open_source(Source("net.arch", text.format(n=n)))["Net"] for n in ("classes", "2 * classes - 10"))
    first, second = one.empty(), two.empty()
    assert one.source.replace("2 * classes - 10", "classes") == one.source
    first.reset_classifier(20)
    second.reset_classifier(20)
    assert (first.fc.out_features, second.fc.out_features) == (20, 30)
