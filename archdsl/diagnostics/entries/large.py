"""E329–E338: joined sequences, what is too large to be built, tensors as parameters."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E329",
        "joined or added",
        facts="left right",
        message="`+` of {left} and {right} could join them, or add what they give",
        label="joined or added?",
        help="to join sequences, write `[..a, ..b]`; to add what each gives for the same input, `add(a, b)`",
        explanation="""
            `+` adds what layers give for the same input, and joins lists; a sequence is a layer and is written as a
            list, so that both could be meant. `[..a, ..b]` has the members of both. `add(a, b)` is their sum, and so is
            `+` where one of them has a label or is no sequence: `[conv(8, 3), bn] + id`.
            """,
        example="""
            model Net(widths = [16, 32], classes = 10) {
              layers = [conv(8, 3)]
              for width in widths { layers = layers + [conv(width, 3), relu] }
              image(3, 32, 32) -> features: layers -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(widths = [16, 32], classes = 10) {
              layers = [conv(8, 3)]
              for width in widths { layers = [..layers, conv(width, 3), relu] }
              image(3, 32, 32) -> features: layers -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E330",
        "size too large",
        facts="what got limit",
        message="{what} is {got}; a size is at most {limit}",
        label="too large",
        help="check the factors and loops that it was computed with",
        explanation="""
            Channels, height and width of a feature map, and the whole numbers that an op is given (outputs, kernel,
            stride, padding, dilation, groups, factors), are limited to what a network could have.
            """,
        example="""
            model Net(width = 10^9, classes = 10) =
              image(3, 32, 32) -> conv(width, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(width = 10^3, classes = 10) =
              image(3, 32, 32) -> conv(width, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E331",
        "tensor too large",
        facts="what shape limit",
        message="{what} would be {shape}, more than {limit} elements",
        label="too large",
        help="check the factors and loops that it was computed with",
        explanation="""
            A tensor, the output of a layer for one image or a weight, is limited to what a machine could hold.
            """,
        example="""
            model Net(size = 500_000, classes = 10) =
              image(3, size, size) -> conv(16, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(size = 500, classes = 10) =
              image(3, size, size) -> conv(16, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E332",
        "too many parameters",
        facts="limit",
        message="the network has more than {limit} parameters",
        label="passed the limit here",
        help="check the factors and loops that its widths were computed with",
        explanation="""
            The elements of all weights of a network together are limited to what a machine could hold.
            """,
        example="""
            model Net(width = 300_000, classes = 10) =
              image(3, 32, 32) -> [20 of conv(width, 1)] -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(width = 300, classes = 10) =
              image(3, 32, 32) -> [20 of conv(width, 1)] -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E333",
        "too many branches",
        facts="what got limit",
        message="the {what} are {got}; there may be {limit}",
        label="too many",
        help="join them in steps, `total = total + x` in the loop, or check the loops that made them",
        explanation="""
            What comes together in one layer, and what one layer, block or network gives, is limited to what a picture
            can show and Python can compile: each is a wire of its own.
            """,
        example="""
            model Net(classes = 10) {
              xs = [image(3, 32, 32)]
              for i in 0..300 {
                xs = xs + [xs[i] -> conv(3, 3)]
              }
              add(..xs) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) {
              x = image(3, 32, 32)
              total = x
              for _i in 0..300 {
                x = x -> conv(3, 3)
                total = total + x
              }
              total -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E338",
        "tensor as a parameter",
        facts="name owner",
        message="`{name}` of `{owner}` cannot be a tensor",
        label="only a function takes tensors",
        help="a rule computes numbers; pass `x.channels`",
        explanation="""
            A parameter of a block or a model is what it is configured with: numbers, strings, lists, layers. The
            tensors that a block sees are its inputs, `in` or those named after `on`; the one of a model is its
            `image(…)`. A function takes tensors, and lists of them, as any other argument.
            """,
        example="""
            block Join(width, skip: tensor) = concat(in, skip) -> conv(width, 3)
            model Net(classes = 10) = image(3, 32, 32) -> conv(16, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            block Join(width) on (x, skip) {
              concat(x, skip) -> conv(width, 3)
            }
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              (x, x -> conv(16, 3)) -> Join(16) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
)
