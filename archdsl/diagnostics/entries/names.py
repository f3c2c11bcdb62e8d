"""E101–E113: names, parameters, imports."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E101",
        "unknown name",
        facts="name suggestion",
        message="unknown name `{name}`",
        label="not defined here",
        help=("did you mean `{suggestion}`?", "define it before its use, or import it with `use`"),
        explanation="""
            A name is a parameter, a binding made above, a definition of this file, an imported one, an
            op or a built-in function. Nothing else is in scope.
            """,
        example="""
            model Net(classes = 10) {
              width = 16
              image(3, 32, 32) -> conv(widht, 3) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) {
              width = 16
              image(3, 32, 32) -> conv(width, 3) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E102",
        "unknown parameter",
        facts="name owner suggestion known",
        message="`{owner}` has no parameter `{name}`",
        label="unknown parameter",
        help=("did you mean `{suggestion}`?", "its parameters are: {known}"),
        explanation="""
            An argument is never skipped: each must name a parameter of what is called. Ops use
            PyTorch's terms in short: `kernel`, `stride`, `padding`, `dilation`, `groups`, `bias`.
            docs/ops.md lists them.
            """,
        example="""
            model Net(classes = 10) =
              image(3, 32, 32) -> conv(16, kernel_size = 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) =
              image(3, 32, 32) -> conv(16, kernel = 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E103",
        "missing argument",
        facts="name owner",
        message="`{owner}` needs `{name}`",
        label="`{name}` is missing",
        help="pass it, or give the parameter a default",
        explanation="""
            A parameter without a default must be passed, by position or by name.
            """,
        example="""
            block Unit(width) = conv(width, 3) -> relu
            model Net(classes = 10) = image(3, 32, 32) -> Unit() -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            block Unit(width) = conv(width, 3) -> relu
            model Net(classes = 10) = image(3, 32, 32) -> Unit(16) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E104",
        "argument given twice",
        facts="name owner",
        message="`{name}` of `{owner}` is given twice",
        label="given again",
        help="keep one of the two; positional arguments fill the parameters in their order",
        explanation="""
            The same parameter has two values: two by name, or one by position and one by name.
            """,
        example="""
            model Net(classes = 10) =
              image(3, 32, 32) -> conv(16, 3, kernel = 5) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) =
              image(3, 32, 32) -> conv(16, kernel = 5) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E105",
        "too many positional arguments",
        facts="owner limit given",
        message="`{owner}` takes at most {limit} positional arguments, {given} are given",
        label="one too many",
        explanation="""
            There are more values than parameters. Naming the arguments (`stride = 2`) shows which one
            has no place.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> relu(16) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> relu -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E106",
        "name defined twice",
        facts="name",
        message="`{name}` is defined twice",
        label="defined again",
        help="rename one of the two, or remove it",
        explanation="""
            Definitions of a file, its imports, parameters of one definition and columns of one table
            have distinct names. Only a binding inside a body may be made again (`x = x -> relu`).
            """,
        example="""
            block Unit() = conv(16, 3)
            block Unit() = conv(32, 3)
            model Net(classes = 10) = image(3, 32, 32) -> Unit -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            block Narrow() = conv(16, 3)
            block Wide() = conv(32, 3)
            model Net(classes = 10) = image(3, 32, 32) -> Narrow -> Wide -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E107",
        "path used twice",
        facts="path what",
        message="two {what} `{path}`",
        label="used again",
        help="give one of them another label (in a loop, with its index: layer{{i + 1}}); weights cannot be shared",
        explanation="""
            The path of labels is the name of the layer's weights in a checkpoint, so it belongs to one
            layer. To use one layer's weights twice is not what a second `->` means: every use is fresh.
            A stage is a row of the table and the name of a feature map, so two stages cannot share one either.
            """,
        example="""
            model Net(classes = 10) {
              x = image(3, 32, 32)
              for i in 0..2 { x = x -> layer: conv(16 * 2^i, 3) }
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) {
              x = image(3, 32, 32)
              for i in 0..2 { x = x -> layer{i + 1}: conv(16 * 2^i, 3) }
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E108",
        "unknown variant",
        facts="name suggestion",
        message="unknown variant `{name}`",
        label="no such variant",
        help=("did you mean `{suggestion}`?", "variants are declared with `variants` or `variant`"),
        explanation="""
            `expect`, `preprocess` and `variant … = other with (…)` speak of a variant by its name; it must be
            declared in this file or imported.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net_small = Net()
            expect net_smal { params = 40 }
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net_small = Net()
            expect net_small { params = 40 }
            """,
    ),
    Entry(
        "E109",
        "unknown model",
        facts="name suggestion",
        message="unknown model `{name}`",
        label="no such model",
        help=("did you mean `{suggestion}`?", "a model is declared with `model`"),
        explanation="""
            `variants`, `variant`, `init` and `checkpoint` belong to a `model` of this file or an imported one. A
            `block` is not a model: it does not start at an image.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Nett()
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E110",
        "imported file not found",
        facts="path",
        message="`{path}` is not found",
        label="no such file",
        help="the path is relative to this file, or names a shipped spec",
        explanation="""
            `use` looks beside the file that says it, then among the specs shipped with archdsl.
            """,
        example="""
            use "comon.arch" (SqueezeExcite)
            block Unit(width: int) = conv(width, 3) -> SqueezeExcite(width // 4)
            """,
        fixed="""
            use "common.arch" (SqueezeExcite)
            block Unit(width: int) = conv(width, 3) -> SqueezeExcite(width // 4)
            """,
    ),
    Entry(
        "E111",
        "name not in the imported file",
        facts="name path suggestion",
        message="`{path}` does not define `{name}`",
        label="not defined there",
        help=("did you mean `{suggestion}`?",),
        explanation="""
            Blocks, functions, tables, scaling rules, models and variants of a file can be imported. What
            the file itself imports is not passed on: import it from where it is defined.
            """,
        example="""
            use "common.arch" (Squeeze)
            block Unit(width: int) = conv(width, 3) -> Squeeze(width // 4)
            """,
        fixed="""
            use "common.arch" (SqueezeExcite)
            block Unit(width: int) = conv(width, 3) -> SqueezeExcite(width // 4)
            """,
    ),
    Entry(
        "E112",
        "files import each other",
        facts="chain",
        message="files import each other: {chain}",
        label="closes the circle",
        help="move what both need into a third file",
        fence="text",
        explanation="""
            A file cannot, by way of its imports, import itself: neither could be read first.
            """,
        example="""
            a.arch: use "b.arch" (B)
            b.arch: use "a.arch" (A)
            """,
        fixed="""
            a.arch: use "common.arch" (A, B)
            b.arch: use "common.arch" (A, B)
            """,
    ),
    Entry(
        "E113",
        "definition uses itself",
        facts="chain",
        message="a definition uses itself: {chain}",
        label="used here",
        help="repeat with `for`, or with `n of` in a list",
        explanation="""
            There is no recursion: every spec is sure to end. Repetition is a loop over a range, a list
            or a table.
            """,
        example="""
            fn stack(n) = if n == 0 then id else conv(16, 3) -> stack(n - 1)
            model Net(classes = 10) = image(3, 32, 32) -> stack(3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            fn stack(n) = [n of conv(16, 3)]
            model Net(classes = 10) = image(3, 32, 32) -> stack(3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
)
