"""A recipe for torchvision's reference script: `torchrun train.py --model … --epochs …` (references/classification)."""

from __future__ import annotations

from archdsl.backends.trainers.settings import Exported, TrainedNetwork
from archdsl.graph.recipe import Recipe
from archdsl.graph.recipe_parts import (
    Adam,
    AdamW,
    AutoAugment,
    Bce,
    ClipNorm,
    Constant,
    Cosine,
    Exponential,
    Lamb,
    Milestones,
    RandAugment,
    RmsProp,
    RmsPropTf,
    Sgd,
    Step,
    TrivialAugment,
)

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_MOST = 30
"""The last of torchvision's magnitudes of RandAugment, counted from 0."""
_LEAST_START = 1e-8
"""torch's LinearLR begins above 0."""


def for_torchvision(
    recipe: Recipe, model: str | None = None, devices: int = 1, *, network: TrainedNetwork | None = None
) -> Exported:
    """The flags; `model` is torchvision's name of the network, `devices` how many share the recipe's batch."""
    out = Exported("torchvision")
    if model is not None:
        out.settings["model"] = model
    else:
        out.unnamed(network)
    if network is not None:
        _network(network, out)
    _optimizer(recipe, network, out, devices)
    _schedule(recipe, out)
    _augmentation(recipe, out)
    _pictures(recipe, network, out)
    _averages(recipe, out)
    _rest(recipe, out)
    return out


def _network(network: TrainedNetwork, out: Exported) -> None:
    for name, value in network.arguments.items():
        if name != "num_classes":  # as many as there are folders
            out.lacks(f"{name} = {value} of torchvision's model", "its default")
    if network.graph.input_shape.channels != 3:
        out.lacks(f"images of {network.graph.input_shape.channels} channels", "of three")
    pictures = network.pictures
    if pictures is not None and (pictures.mean, pictures.std) != (_MEAN, _STD):
        out.lacks(f"mean {list(pictures.mean)} and std {list(pictures.std)} of the pictures", "ImageNet's")


def _optimizer(recipe: Recipe, network: TrainedNetwork | None, out: Exported, devices: int) -> None:
    given, optimizer = out.settings, recipe.optimizer
    given |= {"epochs": recipe.epochs, "batch_size": max(1, recipe.batch // devices), "lr": recipe.lr}
    if recipe.batch % devices:
        out.lacks(f"the batch of {recipe.batch}", f"{devices} devices share {recipe.batch // devices * devices}")
    match optimizer:
        case Sgd():
            given |= {"opt": "sgd_nesterov" if optimizer.nesterov else "sgd", "momentum": optimizer.momentum}
        case RmsProp():
            given |= {"opt": "rmsprop", "momentum": optimizer.momentum}
            if (optimizer.alpha, optimizer.eps) != (0.9, 0.0316):
                out.lacks(f"RMSProp with alpha {optimizer.alpha:g}, eps {optimizer.eps:g}", "0.9 and 0.0316")
        case RmsPropTf():
            given |= {"opt": "rmsprop", "momentum": optimizer.momentum}
            out.lacks("TensorFlow's RMSProp", "torch's, alpha 0.9 and eps 0.0316")
        case AdamW():
            given["opt"] = "adamw"
            if optimizer != AdamW():
                out.lacks("AdamW's betas and eps", "torch's defaults")
        case Adam() | Lamb():
            given["opt"] = "adamw"
            out.lacks(f"the optimizer {optimizer.word}", "AdamW, which wants another learning rate")
    given["weight_decay"] = recipe.weight_decay
    if "norm" in recipe.no_decay:
        given["norm_weight_decay"] = 0.0
    if "bias" in recipe.no_decay:
        given["bias_weight_decay"] = 0.0
    if "layer_scale" in recipe.no_decay and (network is None or network.scales_layers):
        out.lacks("no weight decay of layer scale", "it decays")


def _schedule(recipe: Recipe, out: Exported) -> None:
    given, warmup, lr = out.settings, recipe.warmup, recipe.lr
    if recipe.updates == "step":
        out.lacks("a learning rate for each step", "one for each epoch")
    if recipe.lr_noise is not None:
        out.lacks("noise on the learning rate", "none")
    match recipe.schedule:
        case Cosine(end=end):
            given |= {"lr_scheduler": "cosineannealinglr", "lr_min": float(end)}
        case Step(factor=factor, every=every):
            whole = max(1, round(every))
            given |= {"lr_scheduler": "steplr", "lr_step_size": whole, "lr_gamma": factor ** (whole / every)}
            if whole != every:
                out.lacks(f"steps of {every:g} epochs", f"of {whole}, and as much smaller")
        case Milestones(at=at, factor=factor):
            given |= {"lr_scheduler": "steplr", "lr_step_size": at[0], "lr_gamma": factor}
            before = warmup.epochs if warmup is not None and warmup.mode == "prefix" else 0
            every_step = tuple(range(at[0], int(recipe.epochs - before), at[0]))
            if at != every_step:
                out.lacks(f"milestones at {', '.join(map(str, at))}", f"a step every {at[0]} epochs")
        case Exponential(factor=factor, every=every):
            given |= {"lr_scheduler": "exponentiallr", "lr_gamma": factor ** (1 / every)}
        case Constant():
            given |= {"lr_scheduler": "steplr", "lr_step_size": recipe.epochs, "lr_gamma": 1.0}
    if warmup is None:
        return
    whole = max(1, round(warmup.epochs))
    if whole != warmup.epochs:
        out.lacks(f"a warmup of {warmup.epochs:g} epochs", f"{whole}, a whole number")
    start = warmup.factor if warmup.factor is not None else (warmup.start or 0.0) / lr
    given |= {"lr_warmup_epochs": whole, "lr_warmup_method": "linear", "lr_warmup_decay": max(start, _LEAST_START)}
    if start < _LEAST_START:
        out.lacks("a warmup from 0", f"from {_LEAST_START:g} of the learning rate")
    if warmup.mode != "prefix":
        what = "takes the schedule's place" if warmup.mode == "replace" else "multiplies the schedule"
        out.lacks(f"a warmup that {what}", "the schedule begins after it")


def _augmentation(recipe: Recipe, out: Exported) -> None:
    given = out.settings
    given["label_smoothing"] = float(recipe.smoothing)
    given |= {"mixup_alpha": float(recipe.mixup), "cutmix_alpha": float(recipe.cutmix)}
    if recipe.mixup or recipe.cutmix:
        if recipe.mix_probability != 1:
            out.lacks(f"mixing {recipe.mix_probability:.0%} of the batches", "all of them")
        if recipe.mix_switch != 0.5 and recipe.mixup and recipe.cutmix:
            out.lacks(f"CutMix for {recipe.mix_switch:.0%} of the batches", "for half of them")
        if recipe.mix_mode != "batch":
            out.lacks(f"a share for each {recipe.mix_mode}", "one for each batch")
    match recipe.augment:
        case TrivialAugment():
            given["auto_augment"] = "ta_wide"
        case AutoAugment(policy=policy):
            given["auto_augment"] = "imagenet"
            if policy != "imagenet":
                out.lacks(f"AutoAugment's policy {policy}", "torchvision's")
        case RandAugment():
            magnitude = recipe.augment.magnitude
            if magnitude is None:
                magnitude = recipe.stages[-1].values["magnitude"]
            theirs = min(_MOST, round(_MOST / 10 * magnitude))
            given |= {"auto_augment": "ra", "ra_magnitude": theirs}
            out.lacks(
                f"this RandAugment (magnitude {magnitude:g} of 10)",
                f"torchvision's, whose operations differ, with {theirs} of {_MOST}",
            )
    given["random_erase"] = float(recipe.erasing)
    if recipe.erasing and (recipe.erasing_fill, recipe.erasing_count) != ("zeros", 1):
        out.lacks(f"erasing with {recipe.erasing_fill}", "one rectangle of zeros")
    if recipe.repeats > 1:
        given |= {"ra_sampler": True, "ra_reps": recipe.repeats}
    if isinstance(recipe.loss, Bce):
        out.lacks("binary cross entropy", "cross entropy")


def _pictures(recipe: Recipe, network: TrainedNetwork | None, out: Exported) -> None:
    given = out.settings
    pictures = None if network is None else network.pictures
    test = recipe.test_size or recipe.size
    squash = recipe.test_squash or (pictures is not None and pictures.squash)
    if squash:
        resize = test
    elif pictures is not None:
        resize = pictures.resized(test)
    else:
        resize = recipe.test_resize or int(test / (recipe.test_crop or 1))
    if pictures is None and not squash and recipe.test_resize is None and recipe.test_crop is None:
        out.lacks("how large the picture is before the crop of the test", f"{resize}; the networks' specs say it")
    given |= {"train_crop_size": recipe.size, "val_crop_size": test, "val_resize_size": resize}
    if squash:
        out.lacks("pictures squashed into the square for the test", "they are cropped")
    both = recipe.interpolation if recipe.interpolation != "random" else "bilinear"
    given["interpolation"] = both
    if recipe.interpolation == "random":
        out.lacks("interpolation at random", "bilinear")
    tested = recipe.test_interpolation if pictures is None else pictures.interpolation
    if tested is not None and tested != both:
        out.lacks(f"{tested} interpolation for the test", f"{both}, as in training")
    if tuple(recipe.crop_scale) != (0.08, 1):
        out.lacks(f"crops from {recipe.crop_scale[0]:g} to {recipe.crop_scale[1]:g} of the area", "0.08 to 1")
    if tuple(recipe.crop_ratio) != (3 / 4, 4 / 3):
        out.lacks("these proportions of crops", "3:4 to 4:3")
    if recipe.flip != 0.5:
        out.lacks(f"flips of {recipe.flip:.0%}", "of half the pictures")
    for what, value in (("colour jitter", recipe.color_jitter), ("noise along the colours", recipe.lighting)):
        if value:
            out.lacks(f"{what} of {value:g}", "none")


def _averages(recipe: Recipe, out: Exported) -> None:
    ema = recipe.ema
    if recipe.average is not None:
        out.lacks(f"the mean of the {recipe.average.word} {recipe.average.count} checkpoints", "none")
    if ema is None:
        return
    # The script keeps 1 - (1 - decay) · batch · every / epochs.
    decay = ema.decay if ema.adjusted else 1 - (1 - ema.decay) * recipe.epochs / (recipe.batch * ema.every)
    out.settings |= {"model_ema": True, "model_ema_steps": ema.every, "model_ema_decay": decay}
    if ema.start != "copy":
        what = "a moving average from the first step" if ema.start == "plain" else "TensorFlow's ramp of the average"
        out.lacks(what, "weights are copied during the warmup")


def _rest(recipe: Recipe, out: Exported) -> None:
    if isinstance(recipe.clip, ClipNorm):
        out.settings["clip_grad_norm"] = recipe.clip.most
    elif recipe.clip is not None:
        out.lacks(f"clipping by {recipe.clip.word}", "none")
    for name, value in recipe.parameters.items():
        out.lacks(f"{name} = {value}", "the script takes the model's own")
    for what, value in (
        ("layer-wise decay", recipe.layer_decay if recipe.layer_decay != 1 else None),
        ("momentum of batch norm", recipe.bn_momentum),
        ("scale of the classifier's weights", recipe.head_scale),
    ):
        if value is not None:
            out.lacks(f"{what} of {value:g}", "none")
    if recipe.after is not None:
        out.lacks(f"the weights of recipe {recipe.after} to begin with", "give --weights, if torchvision has them")
    if recipe.progressive is not None:
        names = ", ".join(recipe.progressive.columns)
        out.lacks(f"stages in which {names} grow", f"the last one's size, {recipe.size}, throughout")
