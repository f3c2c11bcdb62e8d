"""E313–E327: layers, tensors, limits and rows."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E313",
        "not a layer",
        facts="got",
        message="cannot apply {got}",
        label="`->` needs a layer here",
        help="on the right of -> stands an op, a block, a list of layers or a name bound to one",
        explanation="""
            `t -> f` applies the layer `f` to the tensor `t`; `f -> g` joins two layers. A number or a tensor
            cannot be applied. A layer is applied only inside a model or block.
            """,
        example="""
            model Net(width = 16, classes = 10) =
              image(3, 32, 32) -> width -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(width = 16, classes = 10) =
              image(3, 32, 32) -> conv(width, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E314",
        "layer mixed with tensor",
        facts="op",
        message="`{op}` mixes a layer with a tensor",
        label="a layer and a tensor",
        help="apply the layer with ->: x + (x -> f)",
        explanation="""
            Two tensors combine to a tensor, two layers to a layer. A layer beside a tensor is mostly one that
            was not applied yet; inside a block, `in` is the input and `id` the layer that passes it on.
            """,
        example="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              x + conv(16, 3) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              x + (x -> conv(16, 3)) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E315",
        "limit reached",
        facts="what limit",
        message="the spec asks for more than {limit} {what}",
        label="the limit is reached here",
        help="check the ranges and counts of the loops around this place",
        explanation="""
            A spec from a stranger must be safe to check, so the number of layers, the steps of loops and
            the depth of calls are limited. The limits are far above what the published families need; reaching
            one mostly means a loop over a number of channels instead of a depth.
            """,
        example="""
            model Net(classes = 10) =
              image(3, 32, 32) -> [1_000_000 of relu] -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) =
              image(3, 32, 32) -> [3 of relu] -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E316",
        "requirement not met",
        facts="message",
        message="a requirement is not met: {message}",
        label="this is false",
        explanation="""
            `require` states what must hold for the parameters of a definition. The note below the message
            says which use of the definition breaks it.
            """,
        example="""
            model Net(width, classes = 10) {
              require width % 8 == 0, "width must be a multiple of 8"
              image(3, 32, 32) -> conv(width, 3) -> gap -> flatten -> linear(classes)
            }
            variant net = Net(12)
            """,
        fixed="""
            model Net(width, classes = 10) {
              require width % 8 == 0, "width must be a multiple of 8"
              image(3, 32, 32) -> conv(width, 3) -> gap -> flatten -> linear(classes)
            }
            variant net = Net(16)
            """,
    ),
    Entry(
        "E317",
        "invalid argument",
        facts="owner detail",
        message="invalid argument of `{owner}`: {detail}",
        label="in this argument",
        explanation="""
            The op does not take this value. docs/ops.md shows every op's parameters with their types and
            defaults.
            """,
        example="""
            model Net(classes = 10) =
              image(3, 32, 32) -> conv(16, 3, padding = "sme") -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) =
              image(3, 32, 32) -> conv(16, 3, padding = "tf_same") -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E318",
        "row of the wrong length",
        facts="given wanted",
        message="this row has {given} values, the table {wanted} columns",
        label="{given} values",
        help="give one value for each column of the table's head",
        explanation="""
            Every row of a `table` gives a value for each column. A missing comma joins two values into one.
            """,
        example="""
            table stages(out, depth) {
              16, 1
              32
            }
            model Net(classes = 10) {
              x = image(3, 32, 32)
              for i, row in stages { x = x -> layer{i}: [row.depth of conv(row.out, 3)] }
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            table stages(out, depth) {
              16, 1
              32, 2
            }
            model Net(classes = 10) {
              x = image(3, 32, 32)
              for i, row in stages { x = x -> layer{i}: [row.depth of conv(row.out, 3)] }
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E319",
        "model without an image",
        message="a model must start at image(channels, height, width)",
        label="does not start at an image",
        help="begin with image(3, 224, 224) -> …",
        explanation="""
            All shapes follow from the image, so a model says how large it is. What works on any input is a
            `block`.
            """,
        example="""
            model Net(classes = 10) = conv(16, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> conv(16, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E320",
        "variant of the wrong length",
        facts="given wanted",
        message="this variant has {given} values, `variants` {wanted} columns",
        label="{given} values",
        help="give one value for each column; further parameters are passed by name after them",
        explanation="""
            The head of `variants Model(…)` names the parameters that the rows below give, in the same order.
            """,
        example="""
            model Net(width, drop, classes = 10) =
              image(3, 32, 32) -> conv(width, 3) -> gap -> flatten -> dropout(drop) -> linear(classes)
            variants Net(width, drop) {
              net_small: 16
            }
            """,
        fixed="""
            model Net(width, drop, classes = 10) =
              image(3, 32, 32) -> conv(width, 3) -> gap -> flatten -> dropout(drop) -> linear(classes)
            variants Net(width, drop) {
              net_small: 16, 0.1
            }
            """,
    ),
    Entry(
        "E321",
        "number too large",
        message="this number is too large, or not finite",
        label="too large",
        help="check the exponent and the loop it stands in",
        explanation="""
            Results of arithmetic are limited to sizes that a network could have, and must be real numbers.
            """,
        example="""
            model Net(width = 10^400, classes = 10) =
              image(3, 32, 32) -> conv(width, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(width = 10^2, classes = 10) =
              image(3, 32, 32) -> conv(width, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E322",
        "unused result",
        facts="what",
        message="{what} is made here and not used",
        label="has no effect",
        help="bind it (x = …), or join it to the next line with ->",
        explanation="""
            Only the last expression of a body is its result. A layer or tensor made before it and not bound
            would silently be missing from the network. An expression statement in a `for` has no use either.
            """,
        example="""
            model Net(classes = 10) {
              x = image(3, 32, 32)
              x -> conv(16, 3)
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) {
              x = image(3, 32, 32)
              x = x -> conv(16, 3)
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E323",
        "bad image size",
        message="an image has positive whole sizes",
        label="not a positive whole number",
        help="write image(channels, height, width), as in image(3, 224, 224)",
        explanation="""
            `image` takes three integers from 1: channels, height, width. The batch is never written.
            """,
        example="""
            model Net(classes = 10) = image(3, 0, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E324",
        "misplaced image",
        message="image(…) can only be the input of a model, once",
        label="not the model's one input",
        help="start the model with it; inside a block the input is `in`",
        explanation="""
            `image` stands for the input of the whole network, so a model has exactly one, and a block or
            function none. To use the image in two places, bind it to a name.
            """,
        example="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              y = image(3, 32, 32) -> conv(16, 5)
              x + y -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) {
              input = image(3, 32, 32)
              x = input -> conv(16, 3)
              y = input -> conv(16, 5)
              x + y -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E325",
        "layer that reaches no output",
        facts="what",
        message="no output depends on {what}",
        label="computed for nothing",
        help="join it to the result, or remove it",
        explanation="""
            A layer whose output nothing uses would have weights that nothing trains, or silently be missing from
            the network. Mostly a name was bound twice, or another tensor was meant further down. The same holds
            for each of the tensors that `split` gives; one that is not wanted has a name that begins with `_`:
            `left, _right = x -> split(2)`.
            """,
        example="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              _y = x -> conv(32, 3)
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              y = x -> conv(32, 3)
              y -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E326",
        "output outside a model",
        facts="owner",
        message="`{owner}` is no model, so it names no outputs",
        label="only a model has them",
        help="give a tuple back, `(x, y)`, and name the output in the model",
        explanation="""
            `output name = tensor` names what a model gives, such as an auxiliary head. A block or a function gives
            several tensors back as a tuple.
            """,
        example="""
            block Pair {
              x = in -> conv(16, 3)
              output early = x
              x -> conv(16, 3)
            }
            model Net(classes = 10) = image(3, 32, 32) -> Pair -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            block Pair {
              x = in -> conv(16, 3)
              (x, x -> conv(16, 3))
            }
            model Net(classes = 10) {
              x, y = image(3, 32, 32) -> Pair
              output early = x
              y -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E327",
        "name of an output",
        facts="name",
        message="an output cannot be called `{name}`",
        label="not the name of a field",
        explanation="""
            A model with named outputs returns a named tuple, and each name is a field of it: letters, digits and `_`,
            with a letter in front, no word of Python, and none of the methods that every tuple has (`count`, `index`).
            `logits` is the field of the result, which is the last expression of the body.
            """,
        example="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              output index = x -> conv(1, 1)
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              output part = x -> conv(1, 1)
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
)
