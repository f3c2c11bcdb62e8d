"""E450–E458: design spaces, what varies in them and over which values."""

from archdsl.diagnostics.entry import Entry

_MODEL = (
    "model Net(width: int, depth: int = 1) {\n"
    "              x = image(3, 32, 32)\n"
    "              for i in 0..depth { x = x -> conv{i}: conv(width, 3) }\n"
    "              x -> gap -> flatten -> fc: linear(10)\n"
    "            }\n"
    "            variant net = Net(8)"
)


def _space(*lines: str, name: str = "small") -> str:
    body = "\n".join(f"              {line}" for line in lines)
    return f"\n            {_MODEL}\n            space {name} for Net {{\n{body}\n            }}\n            "


ENTRIES = (
    Entry(
        "E450",
        "unknown space",
        facts="name suggestion known",
        message="unknown space `{name}`",
        help=("did you mean `{suggestion}`?", "the spaces here are: {known}", "spaces are declared with `space`"),
        explanation="""
            A search goes through a space of the file that SPEC means, by its name.
            """,
        example="archdsl search regnet regnetx",
        fixed="archdsl search regnet regnet_x",
        fence="sh",
    ),
    Entry(
        "E451",
        "nothing that varies",
        facts="name",
        message="`{name}` cannot vary over this",
        label="no range, list or distribution",
        help="write 1..9, [3, 5, 7], uniform(0, 1, step = 0.1), log_uniform(8, 256, step = 8) or each(4, 1..9)",
        explanation="""
            What varies in a space is a range of whole numbers (`1..9`, without the 9), a list of choices, numbers in
            steps between two that are included (`uniform`, and `log_uniform`, where small ones are as likely as large
            ones), or a list of several of these (`each(4, 1..9)`). A value that does not vary is given with `=`.
            """,
        example=_space("width in 8"),
        fixed=_space("width in [8, 16]"),
    ),
    Entry(
        "E452",
        "a name of a space that does nothing",
        facts="name model suggestion known",
        message="`{name}` is no parameter of {model}, and nothing else reads it",
        label="does nothing",
        help=("did you mean `{suggestion}`?", "the parameters of {model} are: {known}"),
        explanation="""
            What a space names is a parameter of its model, or a number from which others of its lines follow.
            """,
        example=_space("widht in [8, 16]", "width = 8"),
        fixed=_space("width in [8, 16]"),
    ),
    Entry(
        "E453",
        "a space that leaves parameters open",
        facts="name missing model",
        message="space `{name}` does not say {missing}",
        label="incomplete",
        help="let it vary (`in`), give it a value (`=`), or make the space one for a variant of {model}, which has one",
        explanation="""
            Nothing is guessed: what has no default in the model is given by the space, or by the variant that the
            space is `for`.
            """,
        example=_space("depth in 1..4"),
        fixed=_space("depth in 1..4", "width = 8"),
    ),
    Entry(
        "E454",
        "a domain with wrong numbers",
        facts="detail",
        message="{detail}",
        label="this cannot be",
        explanation="""
            `uniform(low, high, step)` and `log_uniform(low, high, step)` hold both of their ends, which are multiples
            of the step, as in pycls; with three whole numbers the values are ints. A list names each choice once.
            """,
        example=_space("width in log_uniform(8, 100, step = 8)"),
        fixed=_space("width in log_uniform(8, 96, step = 8)"),
    ),
    Entry(
        "E455",
        "a space in which nothing varies",
        facts="name",
        message="nothing varies in space `{name}`",
        label="one network at most",
        help="let something vary: width in [8, 16]; one network is a variant",
        explanation="""
            A space holds several networks.
            """,
        example=_space("width = 8"),
        fixed=_space("width in [8, 16]"),
    ),
    Entry(
        "E456",
        "a name that is a cost's",
        facts="name",
        message="`{name}` is a cost of the network",
        label="what conditions call a cost",
        help="choose another name",
        explanation="""
            In the conditions of a space `macs`, `params`, `activations`, `layers`, `weights`, `memory`, `training`,
            `intensity` and `seconds` are the costs of the network: `require macs < 400M`. Nothing that varies can have
            these names.
            """,
        example=_space("layers in 1..4", "width = 8 * layers"),
        fixed=_space("count in 1..4", "width = 8 * count"),
    ),
    Entry(
        "E457",
        "a space for no network",
        facts="name",
        message="`{name}` does not say which networks it is a space of",
        label="of which model?",
        help="say it: space {name} for MODEL = … with {{ … }}",
        explanation="""
            A space that amends another of its file is for the same model or variant. One of another file is for a
            network there: what it is for here has to be said.
            """,
        example="""
            use "regnet.arch" (regnet_x)
            space shallow = regnet_x with { depth in 12..16 }
            """,
        fixed="""
            use "regnet.arch" (RegNet, regnet_x)
            space shallow for RegNet = regnet_x with { depth in 12..16 }
            """,
    ),
    Entry(
        "E458",
        "space in which no network was found",
        severity="warning",
        facts="name tried condition count",
        message="the conditions of `{name}` refuse {tried}",
        label="no network is found",
        help="{count} are refused by: {condition}",
        explanation="""
            `check` looks for a network in each space: among all of its points, or among 1,000 random ones. A search
            would find none either, or would take long for each. Conditions on costs are not among those that are asked
            here.
            """,
        example=_space("width in [8, 16]", "require width > 16"),
        fixed=_space("width in [8, 16]", "require width > 8"),
    ),
)
