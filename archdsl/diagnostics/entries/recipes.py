"""E432–E441: recipes, what they say and for whom."""

from archdsl.diagnostics.entry import Entry

_MODEL = (
    "model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)\n            variant net = Net()"
)
_WHOLE = 'epochs = 90, batch = 256, lr = 0.1, lr_scaling = "linear", optimizer = sgd(momentum = 0.9)'


def _recipe(*lines: str, head: str = "recipe plain", whole: str = _WHOLE, end: str = "size = 32") -> str:
    body = "\n".join(f"              {line}" for line in (whole, *lines, end) if line)
    return f"\n            {_MODEL}\n            {head} {{\n{body}\n            }}\n            "


_COSINE = "schedule = cosine"

ENTRIES = (
    Entry(
        "E432",
        "unknown recipe",
        facts="name suggestion known",
        message="unknown recipe `{name}`",
        label="no such recipe",
        help=("did you mean `{suggestion}`?", "the recipes here are: {known}", "recipes are declared with `recipe`"),
        explanation="""
            A recipe is amended, or begins where another ended, by its name: of a `recipe` of this file, or one that
            `use` brings.
            """,
        example=_recipe(_COSINE) + "recipe longer = plian with { epochs = 180 }\n            ",
        fixed=_recipe(_COSINE) + "recipe longer = plain with { epochs = 180 }\n            ",
    ),
    Entry(
        "E433",
        "unknown setting of a recipe",
        facts="key suggestion known",
        message="unknown setting `{key}`",
        label="neither a setting of recipes nor a parameter of the model",
        help=("did you mean `{suggestion}`?", "the settings are: {known}"),
        explanation="""
            A recipe has the settings of docs/language.md, and parameters of the models that it is `for`. One that is
            for no model in particular sets `dropout_rate` and `drop_path_rate` at most.
            """,
        example=_recipe(_COSINE, "lable_smoothing = 0.1", head="recipe plain for net"),
        fixed=_recipe(_COSINE, "smoothing = 0.1", head="recipe plain for net"),
    ),
    Entry(
        "E434",
        "not a value of this setting",
        facts="key got suggestion known",
        message="`{key}` cannot be {got}",
        label="no such choice",
        help=("did you mean `{suggestion}`?", "it is one of: {known}"),
        explanation="""
            Optimizers, schedules, losses, augmentations and averages are written by their names, with arguments in
            parentheses where they have any: `optimizer = sgd(momentum = 0.9)`.
            """,
        example=_recipe("schedule = cosin"),
        fixed=_recipe("schedule = cosine"),
    ),
    Entry(
        "E435",
        "incomplete recipe",
        facts="name missing",
        message="recipe `{name}` does not say {missing}",
        label="incomplete",
        help="a recipe says all that a training needs; what others share can be amended: `recipe b = a with {{ … }}`",
        explanation="""
            Nothing about a training is guessed: each recipe gives its epochs, batch, optimizer, learning rate, the
            rule by which that follows another batch, its schedule and the size of the images.
            """,
        example=_recipe(),
        fixed=_recipe(_COSINE),
    ),
    Entry(
        "E436",
        "settings that contradict each other",
        facts="detail hint",
        message="{detail}",
        label="contradicts another setting",
        help="{hint}",
        explanation="""
            Two settings of a recipe cannot both hold: a warmup that is longer than the training, a quantity given once
            for all and again for each stage.
            """,
        example=_recipe(_COSINE, "warmup = linear(epochs = 100)"),
        fixed=_recipe(_COSINE, "warmup = linear(epochs = 5)"),
    ),
    Entry(
        "E437",
        "setting without effect",
        facts="key reason hint",
        message="`{key}` has no effect: {reason}",
        label="does nothing here",
        help="{hint}",
        explanation="""
            A setting that nothing uses would be believed by whoever reads the recipe. So it is an error, as is an
            argument of a layer that changes nothing.
            """,
        example=_recipe(_COSINE, "mixup = 0.2, mix_switch = 0.5"),
        fixed=_recipe(_COSINE, "mixup = 0.2, cutmix = 1, mix_switch = 0.5"),
    ),
    Entry(
        "E438",
        "wrong stages of progressive learning",
        facts="detail hint",
        message="{detail}",
        label="in these stages",
        help="{hint}",
        explanation="""
            `progressive(columns) { rows }` has a row for each stage; `progressive(columns) in 4 { … }` two rows, the
            ends of that many stages. Columns are `size`, `magnitude` (of RandAugment), `mixup`, `cutmix`, `erasing`,
            `smoothing`, parameters of the model, and `epochs`, the length of each stage.
            """,
        example=_recipe(_COSINE, "progressive(size) in 4 { 32 }", end=""),
        fixed=_recipe(_COSINE, "progressive(size) in 4 {", "  16", "  32", "}", end=""),
    ),
    Entry(
        "E439",
        "stages that do not cover the epochs",
        facts="given epochs",
        message="the stages have {given} epochs together, the recipe {epochs}",
        label="not the epochs of the recipe",
        help="make the column `epochs` add up to {epochs}, or leave it out: then the stages are equally long",
        explanation="""
            Each epoch belongs to one stage. Without a column `epochs`, all stages are equally long, up to rounding.
            """,
        example=_recipe(_COSINE, "progressive(epochs, size) {", "  30, 16", "  30, 32", "}", end=""),
        fixed=_recipe(_COSINE, "progressive(epochs, size) {", "  30, 16", "  60, 32", "}", end=""),
    ),
    Entry(
        "E440",
        "parameter that the model does not have",
        facts="key model suggestion known",
        message="`{model}` has no parameter `{key}`",
        label="not a parameter of {model}",
        help=("did you mean `{suggestion}`?", "its parameters are: {known}"),
        explanation="""
            Dropout and stochastic depth are parameters of the model, which a recipe sets by their names. Each model
            that a recipe is for must have them.
            """,
        example=_recipe(_COSINE, "drop_path_rate = 0.1", head="recipe plain for net"),
        fixed=_recipe(_COSINE, head="recipe plain for net"),
    ),
    Entry(
        "E441",
        "nothing to take back",
        facts="key",
        message="`{key} = none` takes nothing back",
        label="not set before",
        help="leave it out: what a recipe does not mention is not done",
        explanation="""
            In an amendment, `none` takes back what the amended recipe says. It is for nothing else.
            """,
        example=_recipe(_COSINE) + "recipe other = plain with { warmup = none }\n            ",
        fixed=_recipe(_COSINE, "warmup = linear(5)") + "recipe other = plain with { warmup = none }\n            ",
    ),
)
