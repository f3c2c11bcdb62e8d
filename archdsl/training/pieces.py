"""The pieces of a recipe as ordinary objects of torch and timm, for people with training loops of their own.

    >>> from archdsl.training import Pieces
    >>> pieces = Pieces("resnet50", "a2")
    >>> model = pieces.model()  # with the stochastic depth of the recipe
    >>> optimizer = pieces.optimizer(model, batch=256)  # LAMB; its learning rate follows the batch as the recipe says

The engine of `archdsl train` is made of them, too. Optimizers, augmentation, Mixup, averages and losses are timm's or
torch's; what is here says which, with what.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

from archdsl import api, arguments
from archdsl.diagnostics.core import errors_raised
from archdsl.diagnostics.suggest import closest
from archdsl.graph.depth import depth
from archdsl.graph.ir import Graph
from archdsl.graph.recipe import Recipe
from archdsl.graph.recipe_parts import ClipAdaptive, ClipNorm, CrossEntropy, Sgd
from archdsl.quiet import import_torch
from archdsl.training import data, transforms
from archdsl.training.libraries import import_timm
from archdsl.training.recipes import recipe_of
from archdsl.variant import Variant

if TYPE_CHECKING:
    import torch
    from PIL import Image
    from torch import nn

    Transform = Callable[[Image.Image], torch.Tensor]


class Pieces:
    """A variant and a recipe, and what is made of them. Raises ArchError where either is not known.

    `epoch` chooses the stage of progressive learning, for what changes from stage to stage: `model`, `loss`, `mixup`,
    `transforms`. Sizes, epochs and batch are the recipe's; `recipe` may be one with others
    (`variant.recipes["a2"].changed(epochs=5)`).
    """

    def __init__(self, variant: Variant | str | os.PathLike[str], recipe: Recipe | str) -> None:
        if not isinstance(variant, Variant):
            variant = api.find(arguments.path("variant", variant, "a variant, or the name of one"))
        self.given = variant
        self.recipe = recipe_of(variant, recipe)

    @cached_property
    def variant(self) -> Variant:
        """The variant with what the recipe sets of its parameters (stochastic depth, dropout), for images of its size.

        Of progressive learning, as it is in the last stage.
        """
        return self.variant_at(self.recipe.epochs - 1)

    def variant_at(self, epoch: int) -> Variant:
        """The variant as it is trained in an epoch. A recipe for any network sets what this one has."""
        recipe = self._at(epoch)
        known = self.given.parameters
        set_here = {name: value for name, value in recipe.parameters.items() if name in known or recipe.targets}
        return self.given.override(set_here).for_image(size=recipe.size)

    @cached_property
    def tested(self) -> Variant:
        """The variant for images of the size that it is tested at."""
        return self.variant.for_image(size=self.recipe.test_size or self.recipe.size)

    def _at(self, epoch: int) -> Recipe:
        """The recipe as it is in an epoch; raises ValueError for one that it has not."""
        if not 0 <= arguments.whole("epoch", epoch) < self.recipe.epochs:
            raise ValueError(f"epoch = {epoch}: the epochs of {self.recipe.name} are 0 to {self.recipe.epochs - 1}")
        return self.recipe.at(epoch)

    # --- model ---------------------------------------------------------------------------------

    def model(self, *, seed: int | None = None, device: torch.device | str | None = None) -> nn.Module:
        """A new module, as it is trained at first, initialized as the spec and the recipe say."""
        import_torch()
        import torch

        from archdsl.backends.module import construct

        if seed is not None:
            torch.manual_seed(seed)
        variant = self.variant_at(0)
        try:
            model = construct(variant.model_class, device=device)
        except MemoryError:
            raise variant.too_large() from None
        self.set_up(model)
        if self.recipe.head_scale is not None:
            with torch.no_grad():
                for name in self.heads:
                    model.get_parameter(name).mul_(self.recipe.head_scale)
        return model

    @cached_property
    def heads(self) -> tuple[str, ...]:
        """The names of the classifiers' parameters."""
        return tuple(node.weight_path(weight) for node in self.variant_at(0).classifiers for weight in node.weights)

    def set_up(self, model: nn.Module) -> None:
        """Set what a recipe says of layers beside their weights: the momentum of batch norm."""
        from torch import nn

        if self.recipe.bn_momentum is not None:
            for module in model.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.momentum = self.recipe.bn_momentum

    def recompute(self, model: nn.Module, stages: Sequence[str] | None = None) -> list[str]:
        """Gradient checkpointing of the blocks of some stages (None: of all blocks): they keep only their input, and
        compute the rest again for the gradients. Gives their paths; raises ArchError E122 for what is no stage with
        blocks. The same numbers come out, running statistics included.
        """
        from archdsl.backends.recompute import recompute

        found: dict[str, list[str]] = {}
        for group in depth(self.variant.graph).groups:
            if group.scope is not None and group.scope.path:
                found.setdefault(group.stage, []).append(group.scope.path)
        names = list(found) if stages is None else arguments.several("stages", stages, "a list of names of stages")
        with errors_raised() as bag:
            for name in names:
                if name not in found:
                    facts = {
                        "variant": self.variant.name,
                        "suggestion": closest(name, found),
                        "known": ", ".join(found),
                    }
                    bag.report("E122", None, name=name, facts=facts)
        paths = [path for name in names for path in found[name]]
        recompute([model.get_submodule(path) for path in paths], enable=True)
        return paths

    # --- optimizer -----------------------------------------------------------------------------

    def parameter_groups(self, model: nn.Module) -> list[dict[str, Any]]:
        """The parameters by what decays and how deep they lie: `params`, `names`, `weight_decay`, and `lr_scale` where
        the recipe has layer-wise decay; timm's schedulers multiply the learning rate by it.

        Raises ValueError for a model that is not this variant's. Parameters without `requires_grad` are left out.
        """
        recipe, names = self.recipe, dict(model.named_parameters())
        found = {key: (weight, node) for key, weight, node in self.variant.graph.state() if weight.trainable}
        unknown = [name for name in names if name not in found]
        if unknown:
            raise ValueError(
                f"{unknown[0]} is no parameter of {self.variant.name}: its groups are those of its own model"
            )
        deep = _depths(self.variant.graph) if recipe.layer_decay != 1.0 else {}
        deepest = max(deep.values(), default=0)
        groups: dict[tuple[int, bool], dict[str, Any]] = {}
        for name, parameter in names.items():
            if not parameter.requires_grad:
                continue
            weight, node = found[name]
            decays = not _exempt_from_decay(recipe.no_decay, node.op.role, node.op.name, weight.name)
            step = deep.get(name, 0)
            group: dict[str, Any] = {"params": [], "names": [], "weight_decay": recipe.weight_decay if decays else 0.0}
            if deep:
                group["lr_scale"] = recipe.layer_decay ** (deepest - step)
            group = groups.setdefault((step, decays), group)
            group["params"].append(parameter)
            group["names"].append(name)
        # In timm's order, as the norm of all gradients is rounded otherwise in another.
        return list(groups.values()) if deep else [groups[key] for key in sorted(groups)]

    def optimizer(self, model: nn.Module, *, batch: int | None = None) -> torch.optim.Optimizer:
        """The optimizer over `parameter_groups`; for steps of another batch, with the learning rate that the recipe's
        rule gives."""
        import_timm()
        from timm.optim import create_optimizer_v2

        part = self.recipe.optimizer
        given = part.model_dump()
        name = {"rmsprop_tf": "rmsproptf"}.get(part.word, part.word)
        if isinstance(part, Sgd):
            name = "sgd" if given.pop("nesterov") else "momentum"
        groups = [{k: v for k, v in group.items() if k != "names"} for group in self.parameter_groups(model)]
        lr = self.recipe.scaled_lr(self.recipe.batch if batch is None else arguments.positive("batch", batch))
        optimizer: torch.optim.Optimizer = create_optimizer_v2(
            groups, opt=name, lr=lr, weight_decay=self.recipe.weight_decay, **given
        )
        return optimizer

    def schedule(self, optimizer: torch.optim.Optimizer, steps: int) -> Any:
        """timm's Scheduler with the recipe's learning rate: `step(epoch)` and `step_update(updates)`, whichever the
        recipe goes by, set it. `steps` are those of an epoch. It is set to that of the beginning."""
        from archdsl.training.scheduler import scheduler

        return scheduler(self.recipe, optimizer, arguments.positive("steps", steps))

    def clip(self, model: nn.Module) -> None:
        """Clip the gradients as the recipe says, if it does."""
        part = self.recipe.clip
        if part is not None:
            import_timm()
            from timm.utils import dispatch_clip_grad

            mode = "norm" if isinstance(part, ClipNorm) else "agc" if isinstance(part, ClipAdaptive) else "value"
            # Adaptive clipping is of all layers but the last, as its paper and timm's train.py have it.
            free = self.heads if isinstance(part, ClipAdaptive) else ()
            clipped = [parameter for name, parameter in model.named_parameters() if name not in free]
            dispatch_clip_grad(clipped, part.most, mode=mode)

    # --- loss and pictures ---------------------------------------------------------------------

    def loss(self, *, epoch: int = 0) -> nn.Module:
        """The loss in training: of mixed targets where `mixup` gives some, else of class numbers."""
        import_timm()
        from timm.loss import BinaryCrossEntropy, SoftTargetCrossEntropy
        from torch import nn

        recipe = self._at(epoch)
        mixed, loss = bool(recipe.mixup or recipe.cutmix), recipe.loss
        made: nn.Module
        if isinstance(loss, CrossEntropy):
            made = SoftTargetCrossEntropy() if mixed else nn.CrossEntropyLoss(label_smoothing=recipe.smoothing)
        else:
            smoothing = 0.0 if mixed else recipe.smoothing  # of mixed targets it is in them
            made = BinaryCrossEntropy(smoothing=smoothing, target_threshold=loss.threshold, sum_classes=loss.sum)
        return made

    def mixup(self, classes: int, *, epoch: int = 0) -> Any | None:
        """timm's Mixup, which takes and gives a batch of pictures and targets; None where the recipe mixes nothing."""
        recipe = self._at(epoch)
        if not (recipe.mixup or recipe.cutmix):
            return None
        import_timm()
        from timm.data import Mixup

        return Mixup(
            mixup_alpha=recipe.mixup,
            cutmix_alpha=recipe.cutmix,
            prob=recipe.mix_probability,
            switch_prob=recipe.mix_switch,
            mode=recipe.mix_mode,
            label_smoothing=recipe.smoothing,
            num_classes=arguments.positive("classes", classes),
        )

    def transforms(self, *, train: bool, epoch: int = 0) -> Transform:
        """From a picture (Pillow) to the model's input: with augmentation, or as it is tested."""
        if train:
            return transforms.training(self.variant_at(epoch), self._at(epoch))
        return transforms.testing(self.given, self.recipe)

    def sampler(self, pictures: int, *, epoch: int, seed: int = 0) -> list[int]:
        """The order in which an epoch takes the pictures, repeated augmentation included."""
        return data.order(pictures, self.recipe.repeats, epoch=epoch, seed=seed)

    def ema(self, model: nn.Module, *, batch: int | None = None) -> Any | None:
        """The average of weights that the recipe asks for: `update(model, step)` after each step, counted from 1."""
        if self.recipe.ema is None:
            return None
        from archdsl.training.average import moving_average

        return moving_average(
            self.recipe, model, self.recipe.batch if batch is None else arguments.positive("batch", batch)
        )


def _depths(graph: Graph) -> dict[str, int]:
    """How deep each weight lies, from 0, the stem, in blocks; by state_dict key."""
    found = depth(graph)
    layers = [found.stem, *(group.nodes for group in found.groups), found.head]
    filled = [nodes for nodes in layers if nodes]
    return {
        node.weight_path(weight): step for step, nodes in enumerate(filled) for node in nodes for weight in node.weights
    }


def _exempt_from_decay(kinds: Sequence[str], role: str, op: str, weight: str) -> bool:
    """Whether the recipe says that such a weight does not decay."""
    if op == "layer_scale":
        return "layer_scale" in kinds
    if role == "norm":
        return "norm" in kinds
    return "bias" in kinds and weight == "bias"
