"""References whose names or sizes differ from ours: seen through a spec's `checkpoint` map, made to run at any size."""

from __future__ import annotations

from torch import Tensor, nn

import archdsl
from archdsl.weights.loading import import_keys


def any_size(model: nn.Module, *paths: str) -> nn.Module:
    """`model` with the average pools at `paths`, whose kernel is the feature map of one image size, made global."""
    for path in paths:
        assert isinstance(model.get_submodule(path), nn.AvgPool2d)
        model.set_submodule(path, nn.AdaptiveAvgPool2d(1))
    return model


class Renamed(nn.Module):
    """A reference under our names: its layers with weights at our paths, by the map of the spec that fits its keys.

    It computes with the reference itself, so that the comparisons for equal names can be used. Raises ArchError if no
    map fits.
    """

    def __init__(self, theirs: nn.Module, family: str, variant: str) -> None:
        super().__init__()
        self.whole = [theirs]  # in a list, so that it is no child: its own names are not to be seen
        keys = theirs.state_dict()
        found = import_keys(archdsl.find(family, variant), keys)
        assert len(found) == len(keys)
        ours_of = {id(value): key for key, value in found.items()}
        paths = {key.rpartition(".")[0]: ours_of[id(value)].rpartition(".")[0] for key, value in keys.items()}
        rest = nn.Module()
        for number, (path, module) in enumerate(theirs.named_modules()):
            # A layer may hold others without weights, as timm's batch norms hold their activation.
            if path in paths and any(True for child in module.children() for _ in child.parameters()):
                for name, parameter in module.named_parameters(recurse=False):  # of no layer: layer scale
                    ours = ours_of[id(keys[f"{path}.{name}"])]
                    self._level(ours.rpartition(".")[0]).register_parameter(ours.rpartition(".")[2], parameter)
            elif path in paths:
                self._place(paths[path], module)
            elif not list(module.children()):
                rest.add_module(str(number), module)
        self.add_module("without_weights", rest)

    def _place(self, path: str, module: nn.Module) -> None:
        level, _, name = path.rpartition(".")
        self._level(level).add_module(name, module)

    def _level(self, path: str) -> nn.Module:
        parent: nn.Module = self
        for level in path.split(".") if path else ():
            if level not in parent._modules:
                parent.add_module(level, nn.Module())
            parent = parent.get_submodule(level)
        return parent

    def train(self, mode: bool = True) -> Renamed:
        self.whole[0].train(mode)
        super().train(mode)
        return self

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = self.whole[0](x)
        return result
