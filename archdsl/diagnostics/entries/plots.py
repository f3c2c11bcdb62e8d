"""E666–E667: what cannot be plotted."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E666",
        "nothing to plot",
        facts="what",
        message="none of these networks has a published {what}",
        help="`expect` of a spec records top1, and `archdsl weights` lists published files; or draw costs: --y params",
        fence="sh",
        explanation="""
            Accuracies in plots are published ones: those that the spec records with `expect`, or of the weights that
            it lists. Networks without one are left out, and here all are.
            """,
        example="""
            archdsl plot mine.arch
            """,
        fixed="""
            archdsl plot mine.arch --y params
            """,
    ),
    Entry(
        "E667",
        "too many points",
        facts="count limit",
        message="a plot of {count} points is more than {limit}",
        help="name fewer networks; `archdsl sweep --csv` prints the numbers",
        fence="sh",
        explanation="""
            Beyond some hundred points no name has room, and beyond this bound a picture shows nothing.
            """,
        example="""
            archdsl plot resnet50 --set classes=1..5000 --y params
            """,
        fixed="""
            archdsl plot resnet50 --set classes=10,100,1000 --y params
            """,
    ),
)
