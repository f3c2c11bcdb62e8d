"""E675–E678: searches that cannot run, or go on."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E675",
        "no library to search with",
        facts="detail",
        message="this search needs Optuna, which cannot be imported: {detail}",
        help="pip install 'archdsl[search]', in the environment of archdsl",
        fence="sh",
        explanation="""
            A search that learns (`tpe`, `nsga2`) or is kept (`-o`, `--storage`) is Optuna's, an extra. Counting the
            costs of all networks of a space, or of random ones, needs nothing.
            """,
        example="""
            pip install archdsl
            archdsl search regnet regnet_x --minimize macs --sampler tpe
            """,
        fixed="""
            pip install 'archdsl[search]'
            archdsl search regnet regnet_x --minimize macs --sampler tpe
            """,
    ),
    Entry(
        "E676",
        "a study of another search",
        facts="path detail",
        message="{path} holds another search: {detail}",
        help="go on with the same command, or keep this search elsewhere",
        fence="sh",
        explanation="""
            A search that is kept goes on where the same command is given again, by as many processes as there are. The
            space, its conditions, the networks' spec, the objectives and how they are measured have to be the same.
            """,
        example="""
            archdsl search regnet regnet_x --minimize macs -o found
            archdsl search regnet regnet_y --minimize macs -o found
            """,
        fixed="""
            archdsl search regnet regnet_x --minimize macs -o found_x
            archdsl search regnet regnet_y --minimize macs -o found_y
            """,
    ),
    Entry(
        "E677",
        "a study that cannot be read",
        facts="path detail doing other",
        message="cannot {doing} {path}: {detail}",
        help=(
            "{other} takes the folder (-o) of a search that has ended with networks, and with this objective",
            "a study is in a folder (-o), or in a database: --storage sqlite:///study.db",
        ),
        fence="sh",
        explanation="""
            `--storage` takes what SQLAlchemy opens, with its driver installed. `--against` reads `results.json`, which
            a search writes into its folder when it ends.
            """,
        example="archdsl search regnet regnet_x --minimize macs -o found --storage oracel://host/study",
        fixed="archdsl search regnet regnet_x --minimize macs -o found --storage sqlite:///study.db",
    ),
    Entry(
        "E678",
        "an objective that gives no number",
        facts="command detail shell",
        message="{command}: {detail}",
        help=(
            "its status has to be 0; no shell reads the command: for pipes, variables and `;` it is {shell} -c '…'",
            "the last line that the command prints has to be the number",
        ),
        fence="sh",
        explanation="""
            The objective `command` is what a command prints as its last line. It finds the network's PyTorch source in
            the file that ARCHDSL_SOURCE names, and its arguments, as JSON, in ARCHDSL_ARGUMENTS. It is run without a
            shell: what only a shell understands is written `--command "sh -c '…'"`. `latency` and `step` have no number
            where torch cannot run a network: too many images for the memory, nothing that is trained.
            """,
        example="archdsl search regnet regnet_x --maximize command --command true -o found",
        fixed="archdsl search regnet regnet_x --maximize command --command 'python score.py' -o found",
    ),
)
