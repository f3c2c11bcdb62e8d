"""E601–E630: finding a spec, building and drawing it, files and libraries, arguments from Python."""

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
