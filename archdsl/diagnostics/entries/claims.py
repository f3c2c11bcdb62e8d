"""E401–E417: what a spec claims and configures: expect, init, preprocess, checkpoint, reference."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E401",
        "claim not met",
        facts="what variant expected actual",
        message="{what} of `{variant}` should be {expected}, the graph has {actual}",
        label="the graph has {actual}",
        help="if the figure is the paper's, compare the layers with `archdsl show --layers`; else correct the claim",
        explanation="""
            `expect` states published figures, and the graph disagrees. A figure with a suffix
            (`4.09G`) is compared to as many digits as it shows, a plain integer exactly.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            expect net { params = 30 }
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            expect net { params = 40 }
            """,
    ),
    Entry(
        "E402",
        "unknown claim",
        facts="name suggestion known",
        message="unknown claim `{name}`",
        label="cannot be checked",
        help=("did you mean `{suggestion}`?", "these can be claimed: {known}"),
        explanation="""
            `expect` holds figures that follow from the graph, and `top1`, the published accuracy in percent, which is
            recorded and shown. Others, speeds say, belong into the docstring.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            expect net { parms = 40 }
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            expect net { params = 40 }
            """,
    ),
    Entry(
        "E403",
        "unknown initializer",
        facts="name suggestion known",
        message="unknown initializer `{name}`",
        label="no such initializer",
        help=("did you mean `{suggestion}`?", "there are: {known}"),
        explanation="""
            `init` names initializers by their terms in the field: `kaiming_normal`, `xavier_uniform`,
            `normal`, `constant` and the like.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> conv(16, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            init Net { conv: kaming_normal(mode = "fan_out", nonlinearity = "relu") }
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> conv(16, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            init Net { conv: kaiming_normal(mode = "fan_out", nonlinearity = "relu") }
            """,
    ),
    Entry(
        "E404",
        "init rule without effect",
        facts="pattern suggestion",
        message="`{pattern}` matches no weight of the model",
        label="matches nothing",
        help=("did you mean `{suggestion}`?", "name an op of the model, or a pattern of its paths in quotes"),
        explanation="""
            A rule of `init` is for an op or its kind (`conv`, `dwconv`, `norm`), mostly for its `weight` or, as
            in `conv.bias`, for another one; or for a pattern of paths (`"layer*.conv3"`, `"*.bn3.bias"`), where
            `*` stands for any characters. A rule that matches nothing in any variant would leave weights
            initialized otherwise than is written.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> fc: linear(classes)
            variant net = Net()
            init Net { "head": normal(std = 0.01) }
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> fc: linear(classes)
            variant net = Net()
            init Net { "fc": normal(std = 0.01) }
            """,
    ),
    Entry(
        "E405",
        "unknown preprocess key",
        facts="key suggestion known",
        message="unknown preprocess key `{key}`",
        label="unknown key",
        help=("did you mean `{suggestion}`?", "the keys are: {known}"),
        explanation="""
            `preprocess` says how an image file becomes the model's input: its resizing, crop, mean and
            standard deviation. No key is skipped.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            preprocess Net { maen = [0.485, 0.456, 0.406] }
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            preprocess Net { mean = [0.485, 0.456, 0.406] }
            """,
    ),
    Entry(
        "E406",
        "malformed checkpoint pattern",
        facts="detail",
        message="this checkpoint pattern cannot be read: {detail}",
        label="in this pattern",
        help='write "blocks.{{s}}.{{i}}.conv" = "stages.{{s + 1}}.{{i}}.conv"',
        fence="text",
        explanation="""
            A rule of `checkpoint` has another library's names on the left and ours on the right. A name in
            braces stands for a whole number, the same on both sides; it may be added to or multiplied
            (`{i + 1}`, `{2 * i}`), and on our side have a range (`{i in 4..8}`). Their side may also use what
            `count` numbers. Where one side begins with `*.`, so does the other: the rule is for what is inside.
            """,
        example="""
            "blocks.{s.conv" = "stages.{s}.conv"
            """,
        fixed="""
            "blocks.{s}.conv" = "stages.{s}.conv"
            """,
    ),
    Entry(
        "E407",
        "checkpoint rule without effect",
        facts="pattern suggestion",
        message="`{pattern}` matches no weight of the model",
        label="matches nothing",
        help=(
            "did you mean `{suggestion}`?",
            "compare it with the paths that `archdsl show SPEC:VARIANT --layers` prints",
        ),
        fence="text",
        explanation="""
            Every rule of `checkpoint` must name at least one weight of some variant, and every `count` a path;
            one that does not is mostly a slip in a path. Of several rules for a weight the last one counts.
            """,
        example="""
            "blocks.{i}.conv" = "layers.{i}.conv"     where the paths begin with layer.0
            """,
        fixed="""
            "blocks.{i}.conv" = "layer.{i}.conv"
            """,
    ),
    Entry(
        "E408",
        "two weights get one key",
        facts="key",
        message="two weights of the model get the key `{key}`",
        label="given again",
        help="make one of the patterns narrower",
        fence="text",
        explanation="""
            A map of keys goes both ways, so every key of ours belongs to one key of theirs.
            """,
        example="""
            "a.{i}" = "layer.{i}"
            "a.0"   = "stem"
            """,
        fixed="""
            "a.{i}" = "layer.{i}"
            "stem"  = "stem"
            """,
    ),
    Entry(
        "E409",
        "unknown reference library",
        facts="name suggestion known",
        message="unknown library `{name}`",
        label="cannot be compared with",
        help=("did you mean `{suggestion}`?", "a reference is a model of one of: {known}"),
        explanation="""
            `reference` says which model of which library a variant equals, and `archdsl verify` compares them. It
            has to know how the library's models are built.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            reference torchvison for net
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            reference torchvision for net
            """,
    ),
    Entry(
        "E410",
        "unknown reference key",
        facts="key suggestion known",
        message="unknown reference key `{key}`",
        label="unknown key",
        help=("did you mean `{suggestion}`?", "the keys are: {known}"),
        explanation="""
            The keys of a `reference` say how its comparison is done. What the library's model is built with stands in
            parentheses after `with`.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            reference torchvision for net { size = [64, 65] }
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            reference torchvision for net { sizes = [64, 65] }
            """,
    ),
    Entry(
        "E411",
        "difference without a reason",
        facts="key",
        message="`{key}` needs its reason",
        label="differences are allowed here",
        help='say why in a line of its own before it: "the library sums in another order"',
        explanation="""
            A variant equals its reference bit for bit, unless the reference says why it cannot: the same sum in
            another order, say. The reason is printed beside the difference.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            reference torchvision for net { tolerance = 1e-9 }
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            reference torchvision for net {
              "The mean is summed in another order."
              tolerance = 1e-9
            }
            """,
    ),
    Entry(
        "E412",
        "no plain name of a model",
        facts="library name",
        message="{name} is no name of a model",
        label="not a plain name",
        help="give the name of the constructor as {library} lists it: letters, digits, `_` and `-`",
        explanation="""
            Libraries load weights, from files and over the network, by what stands in a name: an address, a path, a
            tag. A reference is a network and not its weights, so that only names of constructors are passed on.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            reference timm for net = "hf-hub:timm/net"
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            reference timm for net = "net"
            """,
    ),
    Entry(
        "E413",
        "argument that is not passed on",
        facts="name library suggestion known",
        message="`{name}` is not passed on to {library}",
        label="not an argument of a reference",
        help=("did you mean `{suggestion}`?", "what {library} may be given is: {known}"),
        explanation="""
            A reference passes on what a network is made of: sizes and rates. Arguments of libraries also load weights,
            from files and over the network; none of these, and nothing that is not listed, is passed on.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            reference timm for net with (checkpoint_path = "net.pth")
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            reference timm for net with (num_classes = 10)
            """,
    ),
    Entry(
        "E414",
        "value that an argument of a library does not take",
        facts="name expected got",
        message="`{name}` must be {expected}, got {got}",
        label="not passed on",
        help="write the value itself: {expected}",
        explanation="""
            Each argument that a reference may pass on has its kind of values. Nothing else reaches a library.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            reference timm for net with (drop_rate = "half")
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            reference timm for net with (drop_rate = 0.5)
            """,
    ),
    Entry(
        "E415",
        "shape in a checkpoint that a weight does not have",
        facts="wanted detail",
        message="this line is for tensors {wanted}: {detail}",
        label="not its shape",
        help="give our side the weight's own shape; of a variant that differs a `checkpoint` of its own has the line",
        fence="text",
        explanation="""
            A line of `checkpoint` may say that a tensor has another shape there. What it says of our side is tested
            with every weight that the line names. Where variants differ, a `checkpoint` of the same name for one of
            them has its own line.
            """,
        example="""
            "*.gamma" [C] = "*.layer_scale" [C, 1]     where layer_scale is 96×1×1
            """,
        fixed="""
            "*.gamma" [C] = "*.layer_scale" [C, 1, 1]
            """,
    ),
    Entry(
        "E416",
        "two shapes in a checkpoint that do not hold the same numbers",
        facts="detail",
        message="this line does not say which numbers are which: {detail}",
        label="here",
        help='write both shapes, with the same sizes and ones between them: "gamma" [C] = "layer_scale" [C, 1, 1]',
        fence="text",
        explanation="""
            A tensor that has another shape there has the same numbers in the same order, so that a map goes both ways
            without a loss: both sides list the same sizes, and ones between them.
            """,
        example="""
            "head.weight" [O, I] = "fc.weight" [I, O, 1, 1]
            """,
        fixed="""
            "head.weight" [O, I] = "fc.weight" [O, I, 1, 1]
            """,
    ),
    Entry(
        "E417",
        "shapes in a checkpoint that are the same",
        facts="shape",
        message="both sides of this line have the shape {shape}",
        label="the same shape",
        help="leave both out: a tensor has the same shape on both sides unless its line says otherwise",
        fence="text",
        explanation="""
            Shapes stand in a `checkpoint` only where they differ.
            """,
        example="""
            "gamma" [C] = "layer_scale" [C]
            """,
        fixed="""
            "gamma" = "layer_scale"
            """,
    ),
)
