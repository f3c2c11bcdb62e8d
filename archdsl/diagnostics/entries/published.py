"""E418–E426: what a spec says of published weights."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E418",
        "unknown library of weights",
        facts="name suggestion known",
        message="unknown library `{name}`",
        label="whose names?",
        help=("did you mean `{suggestion}`?", "the names in the file are those of one of: {known}"),
        explanation="""
            `weights` says whose names the tensors of its files have: a library's that `reference` knows, those of a
            `checkpoint` of the spec, or `own`, the spec's own names. They are never guessed.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            weights tim for net { v1: file = "net.safetensors" }
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            weights own for net { v1: file = "net.safetensors" }
            """,
    ),
    Entry(
        "E419",
        "weights whose names are not known here",
        facts="library name detail",
        message="it is not known how {library}'s names are those of `{name}`",
        label="no map, no reference",
        help=(
            "{detail}",
            "say `reference {library} for {name}` if the names are the same, or give their map as a `checkpoint`",
        ),
        explanation="""
            A file in a library's names is read with the `checkpoint` of this name. Where there is none, its names are
            the spec's own, if a `reference` says that the library has this network.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            weights timm for net { v1: file = "net.safetensors" }
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            reference timm for net
            weights timm for net { v1: file = "net.safetensors" }
            """,
    ),
    Entry(
        "E420",
        "unknown key of weights",
        facts="key suggestion known",
        message="unknown weights key `{key}`",
        label="not known",
        help=("did you mean `{suggestion}`?", "known: {known}"),
        explanation="""
            A row of `weights` says where a file is, what is published about it, and how pictures are prepared for it
            where that is not what `preprocess` says.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            weights own for net { v1: file = "net.safetensors", top_1 = 71.2 }
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            weights own for net { v1: file = "net.safetensors", top1 = 71.2 }
            """,
    ),
    Entry(
        "E421",
        "weights that are nowhere, or at two places",
        facts="name both",
        message="it must be said once where `{name}` is",
        label="where is the file?",
        help=(
            "{both} are two places: give one",
            "give `url`, or `hub` (and `file` in it), or `package` and `file`, or `file` beside the spec",
        ),
        explanation="""
            Each file of weights is at one place: an address, a repository of the Hugging Face hub, a Python package,
            or a path beside the spec.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            weights own for net { v1: top1 = 71.2 }
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            weights own for net { v1: file = "net.safetensors", top1 = 71.2 }
            """,
    ),
    Entry(
        "E422",
        "weights at no place",
        facts="what detail",
        message="`{what}` is no place of a file",
        label="not a place",
        help="{detail}",
        explanation="""
            Files of weights are fetched by http and https, from repositories of the Hugging Face hub, or lie beside
            the spec or below it: a spec from a stranger cannot look around.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            weights own for net { v1: file = "../net.safetensors" }
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            weights own for net { v1: file = "net.safetensors" }
            """,
    ),
    Entry(
        "E423",
        "weights without a hash",
        facts="detail",
        message="the hash of these weights is not given rightly",
        label="hash",
        help="{detail}",
        explanation="""
            What comes over the network is checked before anything in it is read. `sha256` and `sha1` are the digest
            of the file or its first digits, as the names of published files carry them (`resnet50-0676ba61.pth`). The
            Hugging Face hub states the hash itself.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            weights own for net { v1: url = "https://example.org/net.pth" }
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            weights own for net { v1: url = "https://example.org/net.pth", sha256 = "0676ba61" }
            """,
    ),
    Entry(
        "E424",
        "two default weights",
        facts="name",
        message="`{name}` has two default weights",
        label="also the default",
        help="`default = true` says which weights are meant where none are named: leave it at one",
        explanation="""
            At most one of the files of a variant is its default, over all libraries.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            weights own for net { v1: file = "a.pth", default = true
              v2: file = "b.pth", default = true }
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            weights own for net { v1: file = "a.pth"
              v2: file = "b.pth", default = true }
            """,
    ),
    Entry(
        "E425",
        "a tag that is no name",
        facts="name",
        message="`{name}` cannot be the name of weights",
        label="no name",
        help="letters, digits and `_ . + -`, as in `a1_in1k`",
        explanation="""
            Weights are chosen by the name of their row, the tag, on the command line too.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            weights own for net { "my tag": file = "net.pth" }
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            weights own for net { my_tag: file = "net.pth" }
            """,
    ),
    Entry(
        "E426",
        "list of weights that holds something else",
        facts="name",
        message="`{name}` is a list of weights, and this is something else",
        label="no `weights` item",
        help="move it into the spec, which alone says what the networks are",
        fence="text",
        explanation="""
            The file that `weights "…"` names is read only when weights are asked for. It has `weights` items and a
            docstring, and nothing that changes a network.
            """,
        example="""
            # weights/net.arch, of which net.arch says: weights "weights/net.arch"
            weights own for net { v1: file = "net.safetensors" }
            variant net_wide = net with (width = 32)
            """,
        fixed="""
            # weights/net.arch, of which net.arch says: weights "weights/net.arch"
            weights own for net { v1: file = "net.safetensors" }
            """,
    ),
)
