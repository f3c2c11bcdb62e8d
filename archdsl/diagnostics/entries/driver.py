"""E601–E618: finding a spec, building and drawing it, files and libraries."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E601",
        "no such spec",
        facts="name hint",
        message="there is no spec `{name}`",
        help=("{hint}", "give a path to a .arch file, or a name that `archdsl list` shows"),
        fence="sh",
        explanation="""
            A spec is named by its path, by the name of a shipped file or by the name of a shipped variant.
            """,
        example="""
            archdsl check resent50
            """,
        fixed="""
            archdsl check resnet50
            """,
    ),
    Entry(
        "E602",
        "spec cannot be read",
        facts="path detail hint",
        message="cannot read {path}: {detail}",
        help=("{hint}", "a spec is a text file in UTF-8, NAME.arch; `archdsl list` shows what is shipped"),
        fence="sh",
        explanation="""
            There is no such file here, and none of that name is shipped; or it could not be read as text: a folder, a
            pipe or a device, a link to something that is no spec, missing rights, or another encoding.
            """,
        example="""
            archdsl check specs/
            """,
        fixed="""
            archdsl check specs/resnet.arch
            """,
    ),
    Entry(
        "E603",
        "several variants",
        facts="name variants",
        message="`{name}` has several variants, choose one",
        help="its variants are: {variants}",
        fence="sh",
        explanation="""
            The command works on one network, and the file declares more than one.
            """,
        example="""
            archdsl show resnet.arch --layers
            """,
        fixed="""
            archdsl show resnet.arch:resnet50 --layers
            """,
    ),
    Entry(
        "E604",
        "generated source failed its proof",
        facts="detail",
        message="the generated source failed its proof: {detail}",
        help="this is a fault of archdsl, not of the spec: please report it with the spec",
        fence="text",
        explanation="""
            Before a module is handed out, its source is built and compared with the graph: the names and
            shapes of all weights, and the shape of the output. They disagree, so nothing is handed out.
            """,
        example="""
            a graph whose generated module has another parameter
            """,
        fixed="""
            none that a spec could make; a rewording of the spec may avoid it
            """,
    ),
    Entry(
        "E605",
        "cannot override",
        facts="name suggestion",
        message="cannot override `{name}`: the model has no such parameter",
        help=("did you mean `{suggestion}`?", "overrides change parameters of the model"),
        fence="sh",
        explanation="""
            An override names a parameter of the model, such as `classes`. One that changes nothing is an error.
            """,
        example="""
            archdsl check resnet50 --set clases=100
            """,
        fixed="""
            archdsl check resnet50 --set classes=100
            """,
    ),
    Entry(
        "E606",
        "no variant in the file",
        facts="path",
        message="{path} declares no variant",
        help="add one: variant name = Model(…)",
        fence="text",
        explanation="""
            A file of blocks and models describes no network until a `variant` settles the parameters.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
    ),
    Entry(
        "E607",
        "cannot write",
        facts="path detail",
        message="cannot write {path}",
        help="{detail}",
        fence="sh",
        explanation="""
            The folder is absent or may not be written to, or there is a file that archdsl did not write.
            """,
        example="""
            archdsl build resnet50 -o no/such/folder/resnet50.py
            """,
        fixed="""
            archdsl build resnet50 -o resnet50.py
            """,
    ),
    Entry(
        "E608",
        "image cannot be read",
        facts="path detail",
        message="cannot read the image {path}",
        help=("{detail}", "give a PNG or JPEG file"),
        fence="sh",
        explanation="""
            The file is absent, damaged or not an image.
            """,
        example="""
            archdsl predict resnet50 --weights resnet50.pth cat.txt
            """,
        fixed="""
            archdsl predict resnet50 --weights resnet50.pth cat.jpg
            """,
    ),
    Entry(
        "E609",
        "declaration missing",
        facts="what name",
        message="`{name}` declares no {what}",
        help="add a preprocess declaration for the model, with its labels",
        fence="text",
        explanation="""
            To classify an image file, the spec must say how pixels become the input (size, mean, standard
            deviation) and what the classes are called. Neither is guessed.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            preprocess Net { mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] }
            """,
    ),
    Entry(
        "E610",
        "no engine for a picture",
        facts="format detail",
        message="cannot draw {format}: {detail}",
        help="install Graphviz, or write DOT (-o FILE.dot) and render it elsewhere",
        fence="sh",
        explanation="""
            Pictures are laid out by Graphviz: the engine of the package graphviz-pure, which comes with archdsl, or the
            `dot` of the system, which is used with `--engine dot` or where there is no other. None could be run.
            """,
        example="""
            archdsl draw resnet50 -o resnet50.pdf --engine dot
            """,
        fixed="""
            archdsl draw resnet50 -o resnet50.pdf
            """,
    ),
    Entry(
        "E611",
        "drawing failed",
        facts="detail",
        message="Graphviz failed: {detail}",
        help="this is a fault of archdsl or Graphviz, not of the spec; `-o FILE.dot` writes what it was given",
        fence="sh",
        explanation="""
            The engine was run and gave no picture, or took longer than two minutes.
            """,
        example="""
            archdsl draw resnet50 -o resnet50.svg --engine dot
            """,
        fixed="""
            archdsl draw resnet50 -o resnet50.svg
            """,
    ),
    Entry(
        "E612",
        "nothing to verify",
        message="no variant has a `reference`",
        help="say which model of which library it equals: `reference torchvision for NAME`",
        fence="text",
        explanation="""
            `archdsl verify` compares variants with the models of libraries that the spec names. There is none, so
            nothing would be compared.
            """,
        example="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            """,
        fixed="""
            model Net(classes = 10) = image(3, 32, 32) -> gap -> flatten -> linear(classes)
            variant net = Net()
            reference timm for net
            """,
    ),
    Entry(
        "E613",
        "no such block to draw",
        facts="name suggestion names",
        message="the network has no block `{name}` to draw",
        help=("did you mean `{suggestion}`?", "its blocks are: {names}", "it has none of more than one layer"),
        fence="sh",
        explanation="""
            `--block` names a block definition that the network uses. A block of a single layer, with its normalization
            and activation, is a box in the drawings of others and has none of its own.
            """,
        example="""
            archdsl draw resnet50 -o block.svg --level blocks --block Botleneck
            """,
        fixed="""
            archdsl draw resnet50 -o block.svg --level blocks --block Bottleneck
            """,
    ),
    Entry(
        "E614",
        "no such part",
        facts="path name suggestion",
        message="`{name}` has no part `{path}`",
        help=("did you mean `{suggestion}`?", "`archdsl show SPEC --layers` lists the paths"),
        fence="sh",
        explanation="""
            `--expand` opens a block of the picture, or what is around a layer. It takes a path: the labels from the
            model down, joined by dots, as in the names of weights.
            """,
        example="""
            archdsl draw resnet50 --level graph --expand layer9
            """,
        fixed="""
            archdsl draw resnet50 --level graph --expand layer3.1
            """,
    ),
    Entry(
        "E616",
        "output cannot be written",
        facts="what detail",
        message="cannot write to {what}: {detail}",
        help="what was printed is not complete",
        fence="sh",
        explanation="""
            Standard output is closed, or what it leads to is full. A pipe whose reader has left is no error: the
            command ends quietly.
            """,
        example="""
            archdsl show resnet50 > /dev/full
            """,
        fixed="""
            archdsl show resnet50 > resnet50.txt
            """,
    ),
    Entry(
        "E617",
        "too much for a picture",
        facts="name what level count limit",
        message="`{name}` has {count} {what}: a picture of level {level} has at most {limit}",
        help="open less of it",
        fence="sh",
        explanation="""
            Nobody can read a picture of thousands of parts, and it would take minutes to lay out. Levels that fold what
            repeats, the HTML page, and the tables of `show` and `diff` have no such limit.
            """,
        example="""
            archdsl draw huge.arch --level graph --depth 9
            """,
        fixed="""
            archdsl draw huge.arch -o huge.html
            """,
    ),
    Entry(
        "E618",
        "variant left out",
        facts="name",
        message="`{name}` ends in `:` and names no variant",
        help="write the variant after the `:`, or leave that out",
        fence="sh",
        explanation="""
            SPEC:VARIANT chooses a variant of a file. With nothing after the `:`, as a variable of a script that is
            empty leaves it, another network than the one that was meant would be taken.
            """,
        example="""
            archdsl show resnet.arch:
            """,
        fixed="""
            archdsl show resnet.arch:resnet50
            """,
    ),
)
