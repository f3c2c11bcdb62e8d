"""E623–E630: what is asked of a network when it is loaded: parameters, features, strides, other sizes."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E623",
        "no value of the language",
        facts="name got",
        message="the parameter `{name}` cannot be {got}",
        help="a parameter is a number, a bool, a string, or a list of these",
        fence="text",
        explanation="""
            Arguments from Python become plain values of the language once, before anything is made of them: whole
            numbers of any class that has `__index__` (numpy's, members of an IntEnum), finite floats, bools, strings,
            lists and tuples of these. A layer can be given in the language only: `variant.set({"act": "silu"})`.
            """,
        example="""
            archdsl.load("resnet18", classes=None)
            """,
        fixed="""
            archdsl.load("resnet18", classes=10)
            """,
    ),
    Entry(
        "E624",
        "no such feature map",
        facts="index name count",
        message="`{name}` has no feature map number {index}: it has {count}",
        help="number 0 is the first that features=True gives, -1 the last",
        fence="text",
        explanation="""
            `features=` takes names of stages, or numbers of the feature maps that `features=True` gives: the last of
            each resolution, in the order of execution, counted from 0 or, with negative numbers, from the end.
            """,
        example="""
            archdsl.load("resnet18", features=[-2, 7])
            """,
        fixed="""
            archdsl.load("resnet18", features=[-2, -1])
            """,
    ),
    Entry(
        "E625",
        "classes without a classifier",
        facts="name",
        message="`classes` changes nothing: the feature maps of `{name}` come before its classifier",
        help="leave out `classes`, or load the whole network",
        fence="text",
        explanation="""
            With `features` a network ends at the last feature map that is asked for. It has no classifier, whose size
            `classes` would be. A file of weights may have one of any size: it is left aside.
            """,
        example="""
            archdsl.load("resnet18", features=True, classes=10)
            """,
        fixed="""
            archdsl.load("resnet18", features=True)
            """,
    ),
    Entry(
        "E626",
        "not enough memory",
        facts="name params size",
        message="no memory for the {params} parameters of `{name}`, {size}",
        help='device="meta" makes the module without its numbers',
        fence="text",
        explanation="""
            torch could not allocate the weights.
            """,
        example="""
            archdsl.load("resnet18", classes=10_000_000_000)
            """,
        fixed="""
            archdsl.load("resnet18", classes=10_000_000_000, device="meta")
            """,
    ),
    Entry(
        "E627",
        "no such output stride",
        facts="name limit own",
        message="`{name}` has an output stride of {own}, which cannot become {limit}",
        help="strides can be taken away, not added: a smaller number, or {own} for the network as it is",
        fence="text",
        explanation="""
            The output stride is the distance, in pixels of the image, of neighbouring positions of a network's last
            feature maps. `output_stride` takes strides away until it is the one that is asked for.
            """,
        example="""
            archdsl.load("resnet50", output_stride=64)
            """,
        fixed="""
            archdsl.load("resnet50", output_stride=16)
            """,
    ),
    Entry(
        "E628",
        "a layer that cannot be dilated",
        facts="name limit path detail",
        message="`{name}` has no form of output stride {limit}: `{path}` cannot go on there, {detail}",
        label="this layer",
        help="choose a larger output stride, or another network",
        fence="text",
        explanation="""
            Where strides are taken away, what follows looks at positions that lie apart, so that at these it computes
            what it computed before. Of some layers there is no such form in torch: a mean of 3×3 positions has no
            dilation; a fully connected layer that sees all positions would have weights of another size.
            """,
        example="""
            archdsl.load("inception_v3", output_stride=8)
            """,
        fixed="""
            archdsl.load("resnet50", output_stride=8)
            """,
    ),
    Entry(
        "E629",
        "an output stride that the strides do not come to",
        facts="name limit reached",
        message="the strides of `{name}` do not come to {limit}, but to {reached}",
        help="an output stride of {reached}, or of another product of its strides",
        fence="text",
        explanation="""
            A stride is taken away as a whole, so that an output stride is a product of strides that are left.
            """,
        example="""
            archdsl.load("convnext_tiny", output_stride=12)
            """,
        fixed="""
            archdsl.load("convnext_tiny", output_stride=8)
            """,
    ),
    Entry(
        "E630",
        "a question about sizes that has another answer",
        facts="name limit detail",
        message="with an output stride of {limit} it is no longer so in `{name}` that {detail}",
        label="what the network depends on",
        help="such a network cannot be made from the one that the spec means: leave output_stride out",
        fence="text",
        explanation="""
            The spec asks about the size of a tensor, and the network depends on the answer. With strides taken away
            tensors are larger, and the answer is another one: that would be another network.
            """,
        example="""
            archdsl.find("sizes.arch").with_output_stride(8).graph
            """,
        fixed="""
            archdsl.find("sizes.arch").graph
            """,
    ),
)
