"""E686–E691: `archdsl scale`."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E686",
        "rule that does not fit the network",
        facts="name rule model fits",
        message="`{rule}` gives `{name}`, and `{model}` has no such parameter",
        help=(
            "say what gets it, as --map {fits}={rule}.{name}, or leave it aside: --without {name}",
            "say which parameter gets it: --map PARAMETER={rule}.{name}, or leave it aside: --without {name}",
        ),
        fence="sh",
        explanation="""
            A scaling rule sets the parameters of a network that have the names of its results. A rule of another family
            gives results that the network may have under another name, in another form, or not at all: the depths of
            ResNet are a list. `--map` says what a parameter gets, as an expression of the language over what the rule
            gives (`compound.depth`) and the parameters that the network has (`base.depths`). Nothing is left aside
            unless `--without` says so, since the rule would promise what is not built.
            """,
        example="""
            archdsl scale resnet50 --rule efficientnet:compound
            """,
        fixed="""
            archdsl scale resnet50 --rule efficientnet:compound --map image=compound.resolution \\
              --map "width=8 * round(base.width * compound.width / 8)" \\
              --map "depths=[ceil(n * compound.depth) for n in base.depths]"
            """,
    ),
    Entry(
        "E687",
        "which knob",
        facts="name known",
        message="it is not said along what `{name}` is scaled",
        help="--along KNOB, one of: {known}; or a rule of another family: --rule efficientnet:compound",
        fence="sh",
        explanation="""
            Without `--along` a network is scaled by the rule of its file: the one `scaling` with one parameter that has
            no default. Where there is none, or more than one, the knob has to be named.
            """,
        example="""
            archdsl scale mobilenet_v2
            """,
        fixed="""
            archdsl scale mobilenet_v2 --along width
            """,
    ),
    Entry(
        "E688",
        "no such rule",
        facts="name suggestion known",
        message="there is no scaling rule `{name}`",
        help=("did you mean `{suggestion}`?", "there are: {known}", "the file has none: --rule SPEC:NAME"),
        fence="sh",
        explanation="""
            `--rule NAME` is a `scaling` of the spec, or of the file that its model is from; `--rule SPEC:NAME`
            is one of another file.
            """,
        example="""
            archdsl scale mobilenetv1_100 --rule efficientnet:compund
            """,
        fixed="""
            archdsl scale mobilenetv1_100 --rule efficientnet:compound
            """,
    ),
    Entry(
        "E689",
        "knob that is no number",
        facts="name owner got",
        message="`{name}` of `{owner}` is {got}, and only along a number can be scaled",
        help="archdsl sweep takes values of any kind: --set {name}=VALUE,VALUE",
        fence="sh",
        explanation="""
            A curve and a target need values between two others. Lists, layers and names are for `archdsl sweep`, or for
            `--map`, which computes a list from a number.
            """,
        example="""
            archdsl scale resnet50 --along depths
            """,
        fixed="""
            archdsl scale resnet50 --along width
            """,
    ),
    Entry(
        "E690",
        "target out of reach",
        facts="knob name target detail",
        message="no value of `{knob}` gives `{name}` {target}",
        help="the nearest that was found is {detail}",
        fence="sh",
        explanation="""
            The costs on both sides of a target have to be there before a value can be found between them. They are not
            where the knob changes other costs (the size of the image leaves parameters as they are), or where the spec
            refuses values beyond.
            """,
        example="""
            archdsl scale resnet50 --along image --target params=30M
            """,
        fixed="""
            archdsl scale resnet50 --along width --target params=30M
            """,
    ),
    Entry(
        "E691",
        "rule that begins at another network",
        severity="warning",
        facts="knob value name detail",
        message="at {knob} = {value} the rule does not give `{name}`: {detail}",
        help="scale the network that the rule is about, or say what a parameter gets: --map NAME=base.NAME * …",
        fence="sh",
        explanation="""
            What a rule gives takes the place of what the variant says. Where the rule changes nothing, that should be
            the variant itself; if it is not, the curve begins at another network, from which growth is counted.
            """,
        example="""
            archdsl scale mobilenet_wd2 --rule efficientnet:compound
            """,
        fixed="""
            archdsl scale mobilenet_wd2 --rule efficientnet:compound --map "width=base.width * compound.width"
            """,
    ),
)
