"""E114–E122: members of things: attributes, columns, paths, labels; types, unused names, stages."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E114",
        "unknown attribute",
        facts="name type suggestion",
        message="{type} has no `{name}`",
        label="unknown attribute",
        help=("did you mean `{suggestion}`?", "a tensor has channels, height and width; a row has its table's columns"),
        explanation="""
            Only tensors (`x.channels`, `x.height`, `x.width`) and records (`row.out`) have attributes.
            """,
        example="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              x -> conv(x.chanels, 3) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              x -> conv(x.channels, 3) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E115",
        "unknown column",
        facts="name owner suggestion",
        message="`{owner}` has no `{name}`",
        label="unknown column",
        help=("did you mean `{suggestion}`?", "the columns of `variants` are parameters of its model"),
        explanation="""
            The head of `variants Model(…)` names parameters of the model, in the order of the values below.
            A row of a `table` has the columns of the table's head.
            """,
        example="""
            model Net(width, classes = 10) = image(3, 32, 32) -> conv(width, 3) -> gap -> flatten -> linear(classes)
            variants Net(widht) {
              net_small: 16
            }
            """,
        fixed="""
            model Net(width, classes = 10) = image(3, 32, 32) -> conv(width, 3) -> gap -> flatten -> linear(classes)
            variants Net(width) {
              net_small: 16
            }
            """,
    ),
    Entry(
        "E116",
        "path outside the allowed folders",
        facts="path detail",
        message="`{path}` lies outside the folders a spec may read",
        label="not allowed",
        help=("{detail}", "put the file beside this one, or below it"),
        explanation="""
            A spec reads files only from its own folder, from folders below it, and from the shipped specs. Absolute
            paths and `..` are refused, and so are links that lead elsewhere and files that are not called `.arch`, so
            that a spec from a stranger cannot look around.
            """,
        example="""
            use "../../home/common.arch" (SqueezeExcite)
            block Unit(width: int) = conv(width, 3) -> SqueezeExcite(width // 4)
            """,
        fixed="""
            use "common.arch" (SqueezeExcite)
            block Unit(width: int) = conv(width, 3) -> SqueezeExcite(width // 4)
            """,
    ),
    Entry(
        "E117",
        "reserved name",
        facts="name",
        message="`{name}` is reserved",
        label="cannot be defined",
        help="choose another name",
        explanation="""
            `in`, `id` and `image` keep their meaning everywhere; ops and built-in functions cannot be defined
            again; words of Python's grammar (`class`, `lambda`), what begins with two underscores, and a few names
            that generated source needs for itself (`self`, `torch`, `in_channels`) cannot be names of definitions,
            parameters or bindings. Other names of Python (`type`, `open`) can.
            """,
        example="""
            block image() = conv(16, 3)
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            block Stem() = conv(16, 3)
            model Net(classes = 10) = image(3, 32, 32) -> Stem -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E118",
        "wrong label",
        facts="text",
        message="`{text}` is not a valid label",
        label="in this label",
        help="a component is made of letters, digits and `_`; components are joined by single dots",
        explanation="""
            Labels become keys of a `state_dict` and attributes of modules. After its expressions are filled
            in, a label must be one or more components joined by dots, none of them empty. A component cannot
            be the name of something that every torch module has (`forward`, `type`, `training`).
            """,
        example="""
            model Net(classes = 10) {
              x = image(3, 32, 32)
              for i in 0..2 { x = x -> layer.{["", "b"][i]}: conv(16, 3) }
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) {
              x = image(3, 32, 32)
              for i in 0..2 { x = x -> layer.{["a", "b"][i]}: conv(16, 3) }
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E119",
        "override of a parameter that does not exist",
        facts="name owner suggestion",
        message="`{owner}` has no parameter `{name}` to override",
        label="overrides nothing",
        help=("did you mean `{suggestion}`?", "an amendment changes parameters of the model"),
        explanation="""
            `variant new = old with (…)` changes parameters that the model has. An override that changes nothing
            would leave the network silently different from what is written, so it is an error.
            """,
        example="""
            model Net(width, classes = 10) = image(3, 32, 32) -> conv(width, 3) -> gap -> flatten -> linear(classes)
            variant net = Net(16)
            variant net_wide = net with (widths = 32)
            """,
        fixed="""
            model Net(width, classes = 10) = image(3, 32, 32) -> conv(width, 3) -> gap -> flatten -> linear(classes)
            variant net = Net(16)
            variant net_wide = net with (width = 32)
            """,
    ),
    Entry(
        "E120",
        "unknown type",
        facts="name suggestion known",
        message="unknown type `{name}`",
        label="no such type",
        help=("did you mean `{suggestion}`?", "the types are: {known}"),
        explanation="""
            A parameter may declare its type: `int`, `float`, `bool`, `string`, `list`, `layer`, `tensor` or
            `record`. A list may say what its members are: `list(int)`.
            """,
        example="""
            model Net(width: itn = 16, classes = 10) =
              image(3, 32, 32) -> conv(width, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(width: int = 16, classes = 10) =
              image(3, 32, 32) -> conv(width, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E121",
        "unused name",
        facts="name what",
        message="`{name}` is never used",
        label="{what}",
        help="remove it; a name that begins with `_` may stay unused",
        severity="warning",
        explanation="""
            An import, a parameter or a binding that nothing reads is mostly left over, or stands for another name
            that was misspelt. This is a warning: the network is what the text says.
            """,
        example="""
            block Unit(width, stride = 1) = conv(width, 3)
            model Net(classes = 10) = image(3, 32, 32) -> Unit(16) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            block Unit(width, stride = 1) = conv(width, 3, stride)
            model Net(classes = 10) = image(3, 32, 32) -> Unit(16) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E122",
        "no such stage",
        facts="variant name suggestion known",
        message="`{variant}` has no stage `{name}` that ends with one feature map",
        label="not a stage",
        help=(
            "did you mean `{suggestion}`?",
            "its stages are {known}",
            "mark its stages: stage name: f, or stage name {{ … }}",
        ),
        fence="text",
        explanation="""
            `archdsl.load(…, features=[…])` takes feature maps by the names of stages, which `archdsl show` prints.
            """,
        example="""
            archdsl.load("resnet50", features=["layer5"])
            """,
        fixed="""
            archdsl.load("resnet50", features=["layer4"])
            """,
    ),
    Entry(
        "E124",
        "braces in a text that is no label",
        facts="name",
        message="`{{{name}}}` in a text stays as it is",
        label="only labels take values in braces",
        help='to name a layer, write the text as its label: `"{{{name}}}.x": f`; else leave the braces out',
        explanation="""
            Values are put into labels, `layer{i}: f` or `"{p}.x": f`, and into nothing else. A string that is
            an argument or a message is taken as it is written.
            """,
        example="""
            block Unit(mode: string) = if mode == "wide" then conv(32, 3) else conv(16, 3)
            model Net(kind: string = "wide") = image(3, 32, 32) -> Unit("{kind}") -> gap -> flatten -> linear(10)
            variant net = Net()
            """,
        fixed="""
            block Unit(mode: string) = if mode == "wide" then conv(32, 3) else conv(16, 3)
            model Net(kind: string = "wide") = image(3, 32, 32) -> Unit(kind) -> gap -> flatten -> linear(10)
            variant net = Net()
            """,
    ),
)
