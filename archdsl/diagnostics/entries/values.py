"""E301–E312: types and values of expressions."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E301",
        "wrong type",
        facts="what expected got",
        message="{what} must be {expected}, got {got}",
        label="{got}",
        explanation="""
            Nothing is converted silently: `3.0` is not an integer, `1` is not `true`, `"3"` is not a
            number. Every rounding is named: `int`, `round`, `ceil`, `floor`.
            """,
        example="""
            model Net(classes = 10) =
              image(3, 32, 32) -> conv(16 * 1.5, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) =
              image(3, 32, 32) -> conv(int(16 * 1.5), 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E302",
        "value out of range",
        facts="what expected got",
        message="{what} must be {expected}, got {got}",
        label="{got}",
        explanation="""
            The value has the right type and is outside what the parameter allows.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> dropout(1.5) -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> dropout(0.5) -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E303",
        "not a whole number",
        facts="left right",
        message="{left} / {right} is not a whole number",
        label="a whole number is needed here",
        help="use // to round down, or name the rounding: int, round, ceil, floor",
        explanation="""
            `/` of two integers that divides exactly is an integer; otherwise it is a fraction, which
            cannot stand for a number of channels, a kernel, a stride or a count.
            """,
        example="""
            model Net(depth = 5, classes = 10) =
              image(3, 32, 32) -> [depth / 2 of conv(16, 3)] -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(depth = 5, classes = 10) =
              image(3, 32, 32) -> [depth // 2 of conv(16, 3)] -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E304",
        "operator not defined for these",
        facts="op left right",
        message="`{op}` is not defined for {left} and {right}",
        label="{left} {op} {right}",
        explanation="""
            Arithmetic takes numbers; `+` also joins two lists, and adds two layers or two tensors; `<` and its
            kin order numbers or strings; `and`, `or` and `not` take booleans.
            """,
        example="""
            model Net(depths = [2, 2], classes = 10) =
              image(3, 32, 32) -> conv(depths * 8, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(depths = [2, 2], classes = 10) =
              image(3, 32, 32) -> conv(sum(depths) * 8, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E305",
        "division by zero",
        message="division by zero",
        label="this is 0",
        help="guard it: if n == 0 then … else a / n",
        explanation="""
            The right side of `/`, `//` or `%` is 0.
            """,
        example="""
            model Net(reduction = 0, classes = 10) =
              image(3, 32, 32) -> conv(16 // reduction, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(reduction = 4, classes = 10) =
              image(3, 32, 32) -> conv(16 // reduction, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E306",
        "index outside the list",
        facts="index length",
        message="index {index} is outside a list of {length}",
        label="outside 0..{length}",
        explanation="""
            Lists count from 0, so the last of n members has the index n - 1. A range `a..b` cuts out members
            a to b - 1, and is not clipped to what is there.
            """,
        example="""
            model Net(dims = [16, 32], classes = 10) =
              image(3, 32, 32) -> conv(dims[2], 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(dims = [16, 32], classes = 10) =
              image(3, 32, 32) -> conv(dims[1], 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E307",
        "cannot unpack",
        facts="given wanted",
        message="cannot unpack {given} into {wanted} names",
        label="{wanted} names",
        help="as many names as values; a loop gives members (`for v in list`), or the index too (`for i, v in list`)",
        explanation="""
            The names on the left and the values on the right differ in number. To walk through two lists
            together, use `zip`: `for i, (n, dim) in zip(depths, dims)`.
            """,
        example="""
            model Net(dims = [16, 32], classes = 10) {
              first, second, _third = dims
              image(3, 32, 32) -> conv(first, 3) -> conv(second, 3) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(dims = [16, 32], classes = 10) {
              first, second = dims
              image(3, 32, 32) -> conv(first, 3) -> conv(second, 3) -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E308",
        "lists of different lengths",
        facts="lengths",
        message="zip needs lists of one length, got {lengths}",
        label="lengths {lengths}",
        help="make the lists equally long, or cut one: xs[..n]",
        explanation="""
            `zip` pairs the members of its lists. A member without a partner would be dropped, so this is an
            error; the usual cause is a variant with a depth too many or too few.
            """,
        example="""
            model Net(depths = [2, 2, 2], dims = [16, 32], classes = 10) {
              x = image(3, 32, 32)
              for n, dim in zip(depths, dims) { x = x -> [n of conv(dim, 3)] }
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(depths = [2, 2], dims = [16, 32], classes = 10) {
              x = image(3, 32, 32)
              for i, (n, dim) in zip(depths, dims) { x = x -> layer{i}: [n of conv(dim, 3)] }
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E309",
        "not callable",
        facts="what",
        message="{what} cannot be called",
        label="not an op, a block or a function",
        help="a call needs an op, a block or a function before its brackets; write products with *",
        explanation="""
            Only ops, blocks, functions, and layers whose parameters are not all settled can be called.
            `2(x)` is not a product.
            """,
        example="""
            model Net(width = 16, classes = 10) =
              image(3, 32, 32) -> conv(2(width), 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(width = 16, classes = 10) =
              image(3, 32, 32) -> conv(2 * width, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E310",
        "condition is not a bool",
        facts="got",
        message="a condition must be true or false, got {got}",
        label="{got}",
        help="compare it: n > 0, len(list) > 0",
        explanation="""
            Numbers, strings and lists are neither true nor false. Say what is meant.
            """,
        example="""
            model Net(drop = 0.5, classes = 10) =
              image(3, 32, 32) -> gap -> flatten -> (if drop then dropout(drop) else id) -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(drop = 0.5, classes = 10) =
              image(3, 32, 32) -> gap -> flatten -> (if drop > 0 then dropout(drop) else id) -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E311",
        "not iterable",
        facts="got",
        message="cannot loop over {got}",
        label="{got}",
        help="loop over a list, a table or a range: for i in 0..n",
        explanation="""
            `for` walks through a list, the rows of a table, a range or a `zip`.
            """,
        example="""
            model Net(depth = 3, classes = 10) {
              x = image(3, 32, 32)
              for i in depth { x = x -> layer{i}: conv(16, 3) }
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(depth = 3, classes = 10) {
              x = image(3, 32, 32)
              for i in 0..depth { x = x -> layer{i}: conv(16, 3) }
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E312",
        "body without a result",
        facts="name",
        message="`{name}` has no result",
        label="ends without an expression",
        help="let the last line of the body be its result",
        explanation="""
            The last expression of a body is what a function gives back, or the output of a block or model.
            A binding (`x = …`) is not an expression.
            """,
        example="""
            block Unit(width) {
              x = in -> conv(width, 3) -> relu
            }
            model Net(classes = 10) = image(3, 32, 32) -> Unit(16) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            block Unit(width) {
              x = in -> conv(width, 3)
              x -> relu
            }
            model Net(classes = 10) = image(3, 32, 32) -> Unit(16) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
)
