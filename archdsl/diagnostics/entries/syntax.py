"""E001–E011: the text does not follow the grammar."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E001",
        "unexpected character",
        facts="char",
        message="unexpected character `{char}`",
        label="not part of the language",
        help="remove it, or put it into a string",
        explanation="""
            The character has no meaning in a spec outside strings and comments. Text copied from a
            paper often holds typographic quotes, a long dash or `×` where `"`, `-` and `*` are meant.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> conv(4 × 16, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> conv(4 * 16, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E002",
        "unexpected token",
        facts="found expected",
        message="unexpected {found}",
        label=("expected {expected}", "not expected here"),
        explanation="""
            The text is right up to this place and cannot go on like this. The fault may lie just
            before it: a comma or an operator left out, a bracket closed too early.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> conv(16 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> conv(16, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E003",
        "unexpected end of file",
        facts="expected",
        message="the file ends too early",
        label=("expected {expected}", "something is missing here"),
        explanation="""
            The last item is not finished: its body, an argument or the right side of an operator is
            missing.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> conv(16, 3) ->
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> conv(16, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E004",
        "unclosed bracket",
        facts="bracket",
        message="`{bracket}` is never closed",
        label="opened here",
        help="close it where its list, arguments or body end",
        explanation="""
            Every `(`, `[` and `{` needs its partner. Inside `(…)` and `[…]` line ends do not count, so
            the place at which the text stops making sense can be far below the bracket.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> conv(16, 3 -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> conv(16, 3) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E005",
        "unterminated string",
        message="this string has no end",
        label="begins here",
        help='close it with `"` on the same line',
        explanation="""
            A string begins and ends with `"`. A quotation mark inside a string is written `\\"`.
            """,
        example="""
            "Deep Residual Learning for Image Recognition
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            "Deep Residual Learning for Image Recognition"
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E006",
        "bad label interpolation",
        facts="detail",
        message="this label cannot be read: {detail}",
        label="in this label",
        help="interpolate with braces around an expression: layer{{i + 1}}",
        explanation="""
            A label is made of names, dots and expressions in braces: `features.{2 * i}`. The braces
            hold one expression and must be closed before the `:`.
            """,
        example="""
            model Net(classes = 10) {
              x = image(3, 32, 32)
              for i in 0..2 { x = x -> layer{}: conv(16, 3) }
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) {
              x = image(3, 32, 32)
              for i in 0..2 { x = x -> layer{i + 1}: conv(16, 3) }
              x -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
    ),
    Entry(
        "E007",
        "bad number",
        facts="text",
        message="`{text}` is not a number",
        help="numbers look like 64, 25_557_032, 0.1, 1e-3 or 4.09G",
        explanation="""
            Numbers are decimal. Underscores may separate digits; a fraction has digits on both sides of
            its point; the suffixes `K`, `M` and `G` multiply by 10^3, 10^6 and 10^9.
            """,
        example="""
            default bn(eps = 1e)
            model Net(classes = 10) = image(3, 32, 32) -> bn -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            default bn(eps = 1e-3)
            model Net(classes = 10) = image(3, 32, 32) -> bn -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E008",
        "chained comparison",
        message="comparisons do not chain",
        label="a second comparison",
        help="join two comparisons with and: 0 < x and x < 10",
        explanation="""
            Languages disagree on what `a < b < c` means, so it means nothing here.
            """,
        example="""
            fn drop(rate) = if 0 < rate < 1 then dropout(rate) else id
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> drop(0.5) -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            fn drop(rate) = if 0 < rate and rate < 1 then dropout(rate) else id
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> drop(0.5) -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E009",
        "too large or too deep",
        facts="what limit",
        message="{what} exceeds the limit of {limit}",
        help="split it: a definition can be used by name, a file imported with `use`",
        fence="text",
        explanation="""
            Size and nesting of a file are limited, so that a spec from a stranger can be checked in
            bounded time and memory. The limits are far above what the published families need.
            """,
        example="""
            brackets nested thousands deep, or a file of many megabytes
            """,
        fixed="""
            fn or block for the repeated part, for for the repetition
            """,
    ),
    Entry(
        "E010",
        "misplaced item",
        facts="what",
        message="{what} cannot stand here",
        help="definitions stand at the top level of a file, `use` and `default` before them",
        explanation="""
            Items (`block`, `fn`, `model`, `variants`, …) stand side by side in the file and never inside
            a body; a body holds bindings, `if`, `for`, `require` and its result.
            """,
        example="""
            model Net(classes = 10) {
              block Stem() = conv(16, 3) -> relu
              image(3, 32, 32) -> Stem -> gap -> flatten -> linear(classes)
            }
            variant net = Net()
            """,
        fixed="""
            block Stem() = conv(16, 3) -> relu
            model Net(classes = 10) = image(3, 32, 32) -> Stem -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E011",
        "lone carriage return",
        message="a carriage return stands here without a newline",
        label="shown as the end of a line by some programs, not at all by others",
        help="end lines with a newline (LF), or with both (CR LF)",
        fence="text",
        explanation="""
            A line ends in a newline (LF) or, as on Windows, in a carriage return and a newline (CR LF), which mean the
            same wherever a text comes from. A carriage return alone is the end of a line to some programs and nothing
            to others: a comment would end there or go on to the next line, and a reader could not see which.
            """,
        example="""
            # a comment<CR>model Net = …
            """,
        fixed="""
            # a comment<LF>model Net = …
            """,
    ),
)
