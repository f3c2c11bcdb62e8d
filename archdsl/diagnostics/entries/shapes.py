"""E201–E212: shapes that do not fit."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E201",
        "sum of unequal shapes",
        facts="left right",
        message="cannot add {left} and {right}",
        label="{left}",
        help="a sum needs equal shapes: project one side, as in conv(channels, 1, stride = 2)",
        explanation="""
            `+` adds element by element, without broadcasting. In a residual block the shortcut must
            follow every change that the main branch makes: its stride and its number of channels.
            """,
        example="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              main = x -> conv(32, 3, stride = 2)
              main + x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              main = x -> conv(32, 3, stride = 2)
              main + (x -> conv(32, 1, stride = 2)) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E202",
        "concatenation of unequal sizes",
        facts="left right",
        message="cannot concatenate {left} and {right}",
        label="{right}",
        help="height and width must be equal: only the channels are joined",
        explanation="""
            `concat` joins along the channels. All inputs need the same height, width and layout.
            """,
        example="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              y = x -> maxpool(3, stride = 2)
              concat(x, y) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              y = x -> maxpool(3, stride = 2)
              concat(x -> avgpool(3, stride = 2), y) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E203",
        "groups do not divide the channels",
        facts="groups channels",
        message="{groups} groups do not divide {channels} channels",
        label="does not divide {channels}",
        help="choose a number of groups that divides both the input's channels and the output's",
        explanation="""
            A grouped op splits the channels into equal groups. For a convolution the number of groups
            divides the channels of its input and of its output; a depthwise one has one group per channel.
            """,
        example="""
            model Net(classes = 10) =
              image(3, 32, 32) -> conv(16, 3) -> conv(32, 3, groups = 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) =
              image(3, 32, 32) -> conv(16, 3) -> conv(32, 3, groups = 4) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E204",
        "impossible size",
        facts="window input",
        message="impossible size: a window of {window} does not fit {input}",
        label="larger than its input",
        help="use a smaller window, more padding, fewer strides before it, or a larger image",
        explanation="""
            The window (the kernel spread by its dilation) is larger than the padded input, so that the
            output would have no rows or columns. Most often the image is too small for the number of
            strides.
            """,
        example="""
            model Net(classes = 10) =
              image(3, 4, 4) -> conv(16, 7, padding = 0) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) =
              image(3, 32, 32) -> conv(16, 7, padding = 0) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E205",
        "wrong layout",
        facts="op needs got",
        message="`{op}` needs {needs}, got {got}",
        label="got {got}",
        help="convolutions and pools come before flatten; permute changes between nchw and nhwc",
        explanation="""
            A tensor is a feature map (channels first, or channels last after `permute("nhwc")`) or flat.
            Each op says which of these it takes; none is converted silently.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> conv(16, 3) -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> conv(16, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E206",
        "no equal parts",
        facts="what parts",
        message="{what} do not divide into {parts} equal parts",
        label="not a whole number of parts",
        help="choose a number of parts that divides it",
        explanation="""
            The op cuts its input into equal parts, and the remainder would have no place.
            """,
        example="""
            model Net(classes = 10) =
              image(3, 32, 32) -> conv(16, 3) -> channel_shuffle(3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) =
              image(3, 32, 32) -> conv(16, 3) -> channel_shuffle(4) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E207",
        "padding needed for an even kernel",
        facts="kernel",
        message="an even kernel {kernel} has no size-keeping padding",
        label="say which padding is meant",
        help='give padding explicitly: padding = 0, or padding = "tf_same"',
        explanation="""
            Without `padding` an op of stride 1 keeps its size: `dilation * (kernel - 1) / 2` on each side. For an
            even kernel this is not a whole number, so one side would get more; which one is not guessed.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> conv(16, 4) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) =
              image(3, 32, 32) -> conv(16, 4, padding = 1) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E208",
        "product of unequal shapes",
        facts="left right",
        message="cannot multiply {left} and {right}",
        label="{left}",
        help="a product needs equal shapes, or a gate: C×1×1 of the same channels, or 1×H×W of the same size",
        explanation="""
            `*` multiplies element by element. The one broadcast it makes is that of a gate: C×1×1 over
            C×H×W, as in squeeze-and-excitation, or 1×H×W over C×H×W, as in spatial attention.
            """,
        example="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              x * (x -> gap -> conv(8, 1) -> sigmoid) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              x * (x -> gap -> conv(16, 1) -> sigmoid) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E209",
        "range outside the channels",
        facts="range size",
        message="the range {range} lies outside {size}",
        label="outside {size}",
        help="ranges are half-open and begin at 0: 0..n holds 0 to n - 1",
        explanation="""
            The range asks for more than there is. Nothing is clipped.
            """,
        example="""
            model Net(classes = 10) =
              image(3, 32, 32) -> conv(16, 3) -> slice(0, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) =
              image(3, 32, 32) -> conv(16, 3) -> slice(0, 8) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E210",
        "shape does not fit",
        facts="detail",
        message="{detail}",
        label="does not fit",
        fence="text",
        explanation="""
            The op cannot take inputs of these shapes; the message says why. `archdsl check` reports the shape
            of every input that it knows.
            """,
        example="""
            an op whose inputs do not meet its shape rule
            """,
        fixed="""
            inputs that do
            """,
    ),
    Entry(
        "E211",
        "wrong number of inputs",
        facts="op takes got",
        message="`{op}` takes {takes}, got {got}",
        label="got {got}",
        help="several tensors are passed as a tuple: (a, b) -> f; a tuple cannot go to a layer of one input",
        explanation="""
            Most layers take one tensor. A block declared `on (prev, cur)` takes as many as it names, from a
            tuple; `concat` and `+` take two or more.
            """,
        example="""
            block Join() on (a, b) = a + b
            model Net(classes = 10) = image(3, 32, 32) -> Join -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            block Join() on (a, b) = a + b
            model Net(classes = 10) {
              x = image(3, 32, 32)
              (x, x) -> Join -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E212",
        "difference of unequal shapes",
        facts="verb left right",
        message="cannot {verb} {left} and {right}",
        label="{left}",
        help="the two need equal shapes",
        explanation="""
            `-`, `maximum` and `minimum` take two tensors element by element, without broadcasting.
            """,
        example="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              x - (x -> conv(16, 3, stride = 2)) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) {
              x = image(3, 32, 32) -> conv(16, 3)
              x - (x -> conv(16, 3)) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
)
