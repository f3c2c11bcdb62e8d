"""A recipe for timm's train.py: `python train.py --config FILE.yaml --data-dir …`.

Names and meanings are those of timm 1.0.29 and later, the first whose train.py knows sizes that grow.
"""

from __future__ import annotations

from math import ceil

from archdsl.backends.trainers.settings import Exported, Setting, TrainedNetwork, setting
from archdsl.graph.recipe import Recipe
from archdsl.graph.recipe_parts import (
    Adam,
    AdamW,
    AutoAugment,
    Bce,
    ClipAdaptive,
    ClipNorm,
    ClipValue,
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

_FULL = 10
"""The magnitude of RandAugment at which timm stops, unless `mmax` says more."""
_OWN = {"drop_rate": "drop", "drop_path_rate": "drop_path", "num_classes": "num_classes"}
"""Arguments of a model that train.py passes on from settings of its own."""
_FILLS = {"noise": "pixel", "colour": "rand", "zeros": "const"}


def for_timm(
    recipe: Recipe, model: str | None = None, devices: int = 1, *, network: TrainedNetwork | None = None
) -> Exported:
    """The configuration; `model` is timm's name of the network, `devices` how many share the recipe's batch."""
    out = Exported("timm")
    if model is not None:
        out.settings["model"] = model
    else:
        out.unnamed(network)
    _data(recipe, network, out)
    _optimizer(recipe, network, out, devices)
    _schedule(recipe, out)
    _augmentation(recipe, out, devices)
    _network(recipe, network, out)
    _averages(recipe, out)
    _progressive(recipe, out)
    return out


def _data(recipe: Recipe, network: TrainedNetwork | None, out: Exported) -> None:
    channels = 3 if network is None else network.graph.input_shape.channels
    out.settings["input_size"] = [channels, recipe.size, recipe.size]
    test = recipe.test_size or recipe.size
    if recipe.test_size is not None and recipe.test_size != recipe.size:
        out.lacks(f"testing at {test}", f"train.py tests at the size it trains at; validate.py --img-size {test}")
    pictures = None if network is None else network.pictures
    if recipe.test_squash or (pictures is not None and pictures.squash):
        out.lacks("pictures squashed into the square for the test", "train.py crops; validate.py --crop-mode squash")
        out.settings["crop_pct"] = 1.0
    elif pictures is not None:
        out.settings["crop_pct"] = _crop(test, pictures.resized(test))
    elif recipe.test_crop is not None or recipe.test_resize is not None:
        out.settings["crop_pct"] = recipe.test_crop or _crop(test, recipe.test_resize or test)
    interpolation = recipe.test_interpolation if pictures is None else pictures.interpolation
    if interpolation is not None:
        out.settings["interpolation"] = interpolation
    if pictures is not None:
        out.settings |= {"mean": list(pictures.mean), "std": list(pictures.std)}
    elif network is not None:
        out.lacks("how pictures are normalized", "no `preprocess` says it; as timm has it of its model")
    if recipe.data == "imagenet22k":
        out.lacks("ImageNet-22k", "give --data-dir, and --class-map where the folders need one")


def _crop(side: int, resized: int) -> float:
    """The share that timm makes `resized` of again: it divides by it and rounds down."""
    share = side / resized
    return share if int(side / share) == resized else side / (resized + 0.5)


# --- optimizer and learning rate -------------------------------------------------------------


def _optimizer(recipe: Recipe, network: TrainedNetwork | None, out: Exported, devices: int) -> None:
    given, optimizer = out.settings, recipe.optimizer
    if recipe.batch % devices:
        out.lacks(f"the batch of {recipe.batch}", f"{devices} devices share {recipe.batch // devices * devices}")
    given["batch_size"] = max(1, recipe.batch // devices)
    match optimizer:
        case Sgd():
            given |= {"opt": "sgd" if optimizer.nesterov else "momentum", "momentum": optimizer.momentum}
        case Adam() | AdamW() | Lamb():
            given |= {"opt": optimizer.word, "opt_betas": list(optimizer.betas), "opt_eps": optimizer.eps}
        case RmsProp() | RmsPropTf():
            name = optimizer.word.replace("_", "")
            given |= {"opt": name, "momentum": optimizer.momentum, "opt_eps": optimizer.eps}
            given["opt_kwargs"] = {"alpha": optimizer.alpha}
    if isinstance(optimizer, Lamb) and optimizer.max_grad_norm != 1:
        given["opt_kwargs"] = {"max_grad_norm": optimizer.max_grad_norm}
    given["weight_decay"] = recipe.weight_decay
    if recipe.weight_decay:
        _decays(recipe, network, out)
    if recipe.layer_decay != 1:
        given["layer_decay"] = recipe.layer_decay
    match recipe.clip:
        case ClipNorm() | ClipValue() | ClipAdaptive():
            mode = "agc" if isinstance(recipe.clip, ClipAdaptive) else recipe.clip.word
            given |= {"clip_grad": recipe.clip.most, "clip_mode": mode}


def _decays(recipe: Recipe, network: TrainedNetwork | None, out: Exported) -> None:
    """timm leaves out whatever has one dimension, and biases."""
    left = [{"bias": "biases", "norm": "norms"}[name] for name in ("bias", "norm") if name not in recipe.no_decay]
    if network is not None:
        if network.scales_layers and "layer_scale" not in recipe.no_decay:
            left.append("layer scale")
        left += sorted({
            node.op.name
            for node in network.graph.nodes
            for weight in node.weights
            if node.op.role != "norm" and node.op.name != "layer_scale"
            if weight.trainable and weight.name != "bias" and len(weight.shape) < 2
        })  # fmt: skip
    if left:
        out.lacks(f"weight decay of {' and '.join(left)}", "train.py decays nothing of one dimension")


def _schedule(recipe: Recipe, out: Exported) -> None:
    given, warmup = out.settings, recipe.warmup
    if recipe.lr_scaling == "none":
        given["lr"] = recipe.lr
    else:
        given |= {"lr_base": recipe.lr, "lr_base_size": recipe.batch, "lr_base_scale": recipe.lr_scaling}
    epochs = recipe.epochs
    given["warmup_epochs"] = 0
    if warmup is not None:
        whole = ceil(warmup.epochs)
        if whole != warmup.epochs:
            out.lacks(f"a warmup of {warmup.epochs:g} epochs", f"{whole}, a whole number")
        start = recipe.lr * warmup.factor if warmup.factor is not None else warmup.start or 0.0
        given |= {"warmup_epochs": whole, "warmup_lr": float(start)}
        if warmup.mode == "prefix":
            given["warmup_prefix"] = True
            epochs -= whole
        elif warmup.mode == "multiply":
            out.lacks("a warmup that multiplies the schedule", "it takes the schedule's place")
    if recipe.updates == "step":
        given["sched_on_updates"] = True
    given["epochs"] = epochs
    match recipe.schedule:
        case Cosine(end=end):
            given |= {"sched": "cosine", "min_lr": float(end)}
        case Step(factor=factor, every=every):
            given |= {"sched": "step", "decay_epochs": float(every), "decay_rate": factor}
        case Milestones(at=at, factor=factor):
            # timm compares milestones with the epoch after this one; with the step after it, it is a step early.
            early = recipe.updates == "epoch"
            given |= {"sched": "multistep", "decay_milestones": [m + early for m in at], "decay_rate": factor}
            if not early:
                out.lacks("milestones at the step", "train.py is a step early")
        case Exponential(factor=factor, every=every):
            given |= {"sched": "step", "decay_epochs": 1.0, "decay_rate": factor ** (1 / every)}
            if recipe.updates == "step":
                out.lacks("a learning rate that falls with each step", "it falls with each epoch")
        case Constant():
            given["sched"] = "constant"
    if recipe.lr_noise is not None:
        noise = recipe.lr_noise
        given |= {"lr_noise": [noise.start, noise.end], "lr_noise_pct": noise.limit, "lr_noise_std": noise.std}
        given["seed"] = noise.seed


# --- augmentation and loss -------------------------------------------------------------------


def _augmentation(recipe: Recipe, out: Exported, devices: int) -> None:
    given = out.settings
    given |= {"scale": list(recipe.crop_scale), "ratio": list(recipe.crop_ratio), "hflip": float(recipe.flip)}
    given |= {"train_interpolation": recipe.interpolation, "color_jitter": float(recipe.color_jitter)}
    match recipe.augment:
        case RandAugment():
            given["aa"] = _randaugment(recipe, recipe.augment, out)
        case AutoAugment(policy=policy):
            given["aa"] = "original" if policy == "imagenet" else policy
            if policy == "imagenet":
                out.lacks("torchvision's AutoAugment", "the paper's policy with timm's operations")
        case TrivialAugment():
            out.lacks("TrivialAugment", "train.py has none; no augmentation in its place")
    if recipe.augment is not None and recipe.color_jitter:
        out.lacks(f"colour jitter of {recipe.color_jitter:g}", "train.py leaves it out beside `aa`")
    if recipe.lighting:
        out.lacks(f"noise along the colours of {recipe.lighting:g}", "none")
    if recipe.repeats > 1 and devices == 1:
        out.lacks(
            f"{recipe.repeats} repeats of a picture on one device", "train.py repeats where several train together"
        )
    given |= {"aug_repeats": float(recipe.repeats if recipe.repeats > 1 else 0)}
    given |= {"reprob": float(recipe.erasing), "remode": _FILLS[recipe.erasing_fill], "recount": recipe.erasing_count}
    given |= {"mixup": float(recipe.mixup), "cutmix": float(recipe.cutmix), "mixup_prob": float(recipe.mix_probability)}
    given |= {"mixup_switch_prob": float(recipe.mix_switch), "mixup_mode": recipe.mix_mode}
    given["smoothing"] = float(recipe.smoothing)
    if isinstance(recipe.loss, Bce):
        given["bce_loss"] = True
        if recipe.loss.sum:
            given["bce_sum"] = True
        if recipe.loss.threshold is not None:
            given["bce_target_thresh"] = float(recipe.loss.threshold)


def _randaugment(recipe: Recipe, augment: RandAugment, out: Exported) -> str:
    """`rand-m9-n2-mstd0.5-inc1`"""
    magnitude = augment.magnitude
    if magnitude is None:
        magnitude = recipe.stages[-1].values["magnitude"]
    if magnitude != int(magnitude):
        out.lacks(f"RandAugment's magnitude of {magnitude:g}", f"{int(magnitude)}, a whole number")
    words = ["rand", f"m{int(magnitude)}", f"n{augment.layers}"]
    words += [f"mstd{augment.std:g}"] if augment.std else []
    words += [f"mmax{ceil(magnitude)}"] if magnitude > _FULL else []
    words += [f"p{augment.probability:g}"] if augment.probability != 0.5 else []
    return "-".join([*words, "inc1"] if augment.increasing else words)


# --- network, averages, progressive learning -------------------------------------------------


def _network(recipe: Recipe, network: TrainedNetwork | None, out: Exported) -> None:
    given, ours = out.settings, dict(recipe.parameters)
    if network is not None:
        _arguments(network, out)
    for name, theirs in (("dropout_rate", "drop"), ("drop_path_rate", "drop_path")):
        if name in ours:
            given[theirs] = float(ours.pop(name))
    if "classes" in ours:
        given["num_classes"] = int(ours.pop("classes"))
    if network is not None:
        _rates(network, out)
    for name, value in ours.items():
        out.lacks(f"{name} = {value} of the model", "give --model-kwargs, if timm's has it")
    if recipe.bn_momentum is not None:
        given["bn_momentum"] = recipe.bn_momentum
    if recipe.head_scale is not None:
        given["head_init_scale"] = recipe.head_scale
    if recipe.after is not None:
        out.lacks(f"the weights of recipe {recipe.after} to begin with", "give --initial-checkpoint")


def _arguments(network: TrainedNetwork, out: Exported) -> None:
    """What timm's model is made with to equal the network; train.py has names of its own for some of it."""
    more: dict[str, Setting] = {}
    for name, value in network.arguments.items():
        if name in _OWN:
            out.settings[_OWN[name]] = setting(value)
        elif name != "in_chans":  # the first of `input_size`
            more[name] = setting(value)
    if more:
        out.settings["model_kwargs"] = more
    classes = network.graph.root.arguments.get("classes")
    if classes is not None and type(classes.value) is int:
        out.settings["num_classes"] = classes.value


def _rates(network: TrainedNetwork, out: Exported) -> None:
    """Dropout and stochastic depth that nothing has named yet; without a word train.py takes none."""
    for op, theirs, parameter in (("dropout", "drop", "dropout_rate"), ("drop_path", "drop_path", "drop_path_rate")):
        rates = {float(node.params.p) for node in network.graph.nodes if node.op.name == op}  # type: ignore[attr-defined]
        if theirs in out.settings or not any(rates):
            continue
        known = network.graph.root.arguments.get(parameter)
        if known is not None and type(known.value) in (int, float):
            out.settings[theirs] = float(known.value)
        elif op == "dropout" and len(rates) == 1:
            out.settings[theirs] = rates.pop()
        else:
            out.lacks(f"{parameter} up to {max(rates):g} in the network", "none; give --drop or --drop-path")


def _averages(recipe: Recipe, out: Exported) -> None:
    given, ema = out.settings, recipe.ema
    if recipe.average is not None:
        out.lacks(f"the mean of the {recipe.average.word} {recipe.average.count} checkpoints", "avg_checkpoints.py")
    if ema is None:
        return
    kept = recipe.ema_decay()
    assert kept is not None
    given |= {"model_ema": True, "model_ema_decay": kept ** (1 / ema.every)}
    if ema.every > 1:
        per_step = kept ** (1 / ema.every)
        out.lacks(f"a moving average of every {ema.every} steps ({kept:g})", f"of every step, {per_step:.7g}")
    if ema.start == "copy":
        out.lacks("copying the weights during the warmup", "they are averaged from the first step")
    elif ema.start == "ramp":
        given["model_ema_warmup"] = True
        out.lacks("TensorFlow's ramp of the moving average", "timm's: 1 - (1 + n)^(-2/3)")


def _progressive(recipe: Recipe, out: Exported) -> None:
    if recipe.progressive is None:
        return
    stages = [recipe.at(stage.first) for stage in recipe.stages]
    sizes = [stage.size for stage in stages]
    if len(set(sizes)) > 1:
        out.settings |= {"train_img_sizes": list(sizes), "train_size_schedule": "progressive"}
        out.settings["train_size_random_mix"] = 0.0
        out.lacks(f"{len(sizes)} stages", "sizes are drawn for each batch, around one that moves from first to last")
        if recipe.progressive.lengths is not None:
            out.lacks(f"stages of {', '.join(map(str, recipe.progressive.lengths))} epochs", "equal ones")
    for column in recipe.progressive.columns:
        if column != "size":
            first, last = recipe.stages[0].values[column], recipe.stages[-1].values[column]
            if first == last:
                _held(column, last, out)
                continue
            _held(column, last, out)
            out.lacks(f"{column} that grows from {first:g} to {last:g}", f"{last:g} throughout")


def _held(column: str, value: float, out: Exported) -> None:
    """The last stage's value, for all of them."""
    names = {"erasing": "reprob", "dropout_rate": "drop", "drop_path_rate": "drop_path"}
    if column != "magnitude":
        out.settings[names.get(column, column)] = float(value)
