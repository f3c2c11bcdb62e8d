"""E501–E521: loading weights and models, what patterns of names may ask for."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E501",
        "missing key",
        facts="what",
        message="the weights lack {what}",
        help="choose the checkpoint map that fits the file, or the variant that it belongs to",
        fence="sh",
        explanation="""
            The model has a weight that the file does not. Weights are loaded completely or not at all.
            """,
        example="""
            archdsl predict resnet50 --weights resnet34.pth cat.jpg
            """,
        fixed="""
            archdsl predict resnet34 --weights resnet34.pth cat.jpg
            """,
    ),
    Entry(
        "E502",
        "unexpected key",
        facts="what",
        message="the weights have {what}, which the model has not",
        help="choose the checkpoint map that fits the file, or the variant that it belongs to",
        fence="sh",
        explanation="""
            The file holds a weight that the model does not have. Dropping it would load another network
            than the file's.
            """,
        example="""
            archdsl predict resnet18 --weights resnet34.pth cat.jpg
            """,
        fixed="""
            archdsl predict resnet34 --weights resnet34.pth cat.jpg
            """,
    ),
    Entry(
        "E503",
        "weight of another shape",
        facts="theirs ours classes",
        message="{theirs} in the file, {ours} in the model",
        help=(
            "if that is the classifier, the file is of {classes} classes: say classes={classes}",
            "override the parameter that differs, as in classes = 100 for a head",
        ),
        fence="sh",
        explanation="""
            The name agrees and the size does not: mostly another number of classes, another width or another
            variant.
            """,
        example="""
            archdsl predict resnet50 --weights resnet50_cifar100.pth cat.jpg
            """,
        fixed="""
            archdsl predict resnet50 --set classes=100 --weights resnet50_cifar100.pth cat.jpg
            """,
    ),
    Entry(
        "E504",
        "weights cannot be read",
        facts="path detail",
        message="cannot read the weights {path}: {detail}",
        help="give a safetensors file, or a state_dict saved by torch.save",
        fence="sh",
        explanation="""
            The file is absent, damaged, or holds more than tensors. Only weights are ever read: a file that
            would have to run code to be read is refused.
            """,
        example="""
            archdsl predict resnet50 --weights whole_model.pth cat.jpg
            """,
        fixed="""
            archdsl predict resnet50 --weights state_dict.pth cat.jpg
            """,
    ),
    Entry(
        "E505",
        "unknown checkpoint map",
        facts="name suggestion known",
        message="unknown checkpoint map `{name}`",
        help=(
            "did you mean `{suggestion}`?",
            "known are: {known}; a map is declared with `checkpoint name for Model`",
            "a map is declared with `checkpoint name for Model`",
        ),
        fence="sh",
        explanation="""
            By whose names weights go is said by the name of a `checkpoint` of the spec, or of a library of which the
            spec has a `reference`; `own` are the spec's own names. There is none of this name for this network.
            """,
        example="""
            archdsl predict resnet50 --weights resnet50.pth --checkpoint tim cat.jpg
            """,
        fixed="""
            archdsl predict resnet50 --weights resnet50.pth --checkpoint timm cat.jpg
            """,
    ),
    Entry(
        "E506",
        "several checkpoint maps fit",
        facts="names",
        message="several checkpoint maps fit the weights: {names}",
        help="say which one is meant: --checkpoint NAME (of `archdsl convert` --from NAME), or checkpoint=",
        fence="sh",
        explanation="""
            All keys and shapes of the file agree with more than one `checkpoint` of the spec (or with its own names,
            `own`), and these give the same tensor different places, or its colours another order. Which one is right
            cannot be told from the file.
            """,
        example="""
            archdsl predict net --weights net.pth cat.jpg
            """,
        fixed="""
            archdsl predict net --weights net.pth --checkpoint timm cat.jpg
            """,
    ),
    Entry(
        "E507",
        "saved model of another version",
        facts="name",
        message="the saved model `{name}` was made by an archdsl that writes other source for it",
        help="load its weights instead: save model.state_dict(), and give the file to archdsl.load(weights=…)",
        fence="text",
        explanation="""
            A pickled model holds its spec and its state. The spec is compiled again where it is read, and the source
            that this archdsl generates is not the one that the state was made by, so that the state could mean
            something else. A state_dict depends on the spec only.
            """,
        example="""
            torch.save(model, "model.pt")
            """,
        fixed="""
            torch.save(model.state_dict(), "model.pt")
            """,
    ),
    Entry(
        "E508",
        "number too large for the dtype",
        facts="key value theirs ours",
        message="`{key}` holds {value}, which is infinite in {ours}",
        help=(
            "load the weights as what they are: dtype={theirs}",
            "no dtype holds it: load the weights for the channels that they are of",
        ),
        fence="text",
        explanation="""
            The file's numbers have a larger range than the model's: a finite weight would become infinite, and the
            network another one.
            """,
        example="""
            archdsl.load("resnet50", weights="trained_in_float64.pth")
            """,
        fixed="""
            archdsl.load("resnet50", weights="trained_in_float64.pth", dtype=torch.float64)
            """,
    ),
    Entry(
        "E509",
        "weights that need a scale",
        facts="key dtype",
        message="`{key}` holds {dtype} numbers, which are no weights without their scales",
        help="write the weights as float16, bfloat16 or float32, with their scales applied",
        fence="text",
        explanation="""
            Formats of eight bits and fewer are stored with factors, in the file or beside it, by which the numbers are
            to be multiplied. How is a matter of the program that wrote them; taken as they stand, the numbers would be
            those of another network.
            """,
        example="""
            archdsl.load("resnet50", weights="quantized_fp8.safetensors")
            """,
        fixed="""
            archdsl.load("resnet50", weights="bfloat16.safetensors")
            """,
    ),
    Entry(
        "E510",
        "keys under another name",
        facts="where other share prefix option",
        message="{share} keys of the {where} begin with `{prefix}`, those of the {other} do not",
        help=(
            "take these alone, under the rest of their names: {option}, or prefix=",
            "the file is of a part of this network: load it into a network that is this part",
        ),
        fence="sh",
        explanation="""
            All or most names in the file would be those of the model, but for what they begin with: the file is of a
            larger network that has this one as a part (a detector and its backbone), or of such a part alone.
            `--prefix` takes the keys that begin so, and leaves the others aside; given several times, those of each.
            """,
        example="""
            archdsl predict resnet50 --weights mmpretrain.pth cat.jpg
            """,
        fixed="""
            archdsl predict resnet50 --weights mmpretrain.pth --prefix backbone. --prefix head. cat.jpg
            """,
    ),
    Entry(
        "E511",
        "several sets of weights",
        facts="path names",
        message="{path} holds several sets of weights: {names}",
        help="say which one is meant: --weights-set NAME, or weights_set=",
        fence="sh",
        explanation="""
            Training scripts keep a model's weights, and averages of them over the steps (EMA), in one file. Both are
            weights of the network and give other results, so neither is taken unasked.
            """,
        example="""
            archdsl predict resnet50 --weights last.pth cat.jpg
            """,
        fixed="""
            archdsl predict resnet50 --weights last.pth --weights-set ema cat.jpg
            """,
    ),
    Entry(
        "E512",
        "unknown set of weights",
        facts="path name known suggestion",
        message="{path} holds no single set of weights that `{name}` means",
        help=(
            "did you mean `{suggestion}`?",
            "it holds these: {known}",
            "it is one set of weights, without a name: leave the choice out",
        ),
        fence="sh",
        explanation="""
            A set is chosen by its name in the file, or by words of its name that no other set has (`ema` is
            `state_dict_ema`).
            """,
        example="""
            archdsl predict resnet50 --weights last.pth --weights-set averaged cat.jpg
            """,
        fixed="""
            archdsl predict resnet50 --weights last.pth --weights-set ema cat.jpg
            """,
    ),
    Entry(
        "E513",
        "too many rules",
        facts="what count limit",
        message="{count} {what} in one file, of which {limit} are allowed",
        label="with this",
        help="a rule can stand for many weights: by an op's name, by `*` in a path, by a hole for numbers",
        fence="text",
        explanation="""
            The rules of `init` and the lines of `checkpoint` are held against all weights of all variants, so their
            number is limited. What needs more is generated, and has a pattern.
            """,
        example="""
            checkpoint timm for Net {
              "blocks.0.conv.weight" = "stages.0.conv.weight"
              "blocks.1.conv.weight" = "stages.1.conv.weight"
              …
            }
            """,
        fixed="""
            checkpoint timm for Net {
              "blocks.{i}.conv" = "stages.{i}.conv"
            }
            """,
    ),
    Entry(
        "E514",
        "too much to compare",
        facts="what limit",
        message="{what} would have to be compared with weights more than {limit} times",
        help="write fewer patterns, or such as agree with fewer names but for their numbers",
        fence="text",
        explanation="""
            Patterns are counted against the names that they may match, over all variants of a file, before anything is
            compared: a file is checked within seconds whatever it says.
            """,
        example="""
            init Net {
              "*a*": zeros
              "*b*": zeros
              …
            }
            """,
        fixed="""
            init Net {
              conv: zeros
            }
            """,
    ),
    Entry(
        "E515",
        "no probabilities",
        facts="name path",
        message="what `{name}` gives for {path} is not a number (NaN)",
        help="the weights hold NaN or infinite numbers, or such as lead to them: take those of an earlier step",
        fence="sh",
        explanation="""
            Training that diverged leaves weights that are no numbers. Whatever class came first would mean nothing.
            """,
        example="""
            archdsl predict resnet50 --weights diverged.pth cat.jpg
            """,
        fixed="""
            archdsl predict resnet50 --weights before.pth cat.jpg
            """,
    ),
    Entry(
        "E516",
        "another network of this name",
        facts="library model name reason",
        message="{library}'s {model} is another network than {name}, so that there are no names of {library}'s",
        help="{reason}",
        fence="sh",
        explanation="""
            A library has a model of this name, and the spec's `reference` says in which it differs. Files for one do
            not belong into the other, whatever their weights are called.
            """,
        example="""
            archdsl convert resnet50.pth --of resnet50 --to pytorchcv -o out.pth
            """,
        fixed="""
            archdsl convert resnet50.pth --of resnet50 --to timm -o out.pth
            """,
    ),
    Entry(
        "E517",
        "no format of weights",
        facts="path",
        message="which format {path} is to have cannot be told from its name",
        help="end it with .safetensors, or with .pth, .pt or .bin for what torch.save writes",
        fence="sh",
        explanation="""
            Weights are written as safetensors or by torch.save, as the name of the file says.
            """,
        example="""
            archdsl convert resnet50.pth --of resnet50 --to timm -o resnet50.h5
            """,
        fixed="""
            archdsl convert resnet50.pth --of resnet50 --to timm -o resnet50.safetensors
            """,
    ),
    Entry(
        "E519",
        "no such weights",
        facts="name variant suggestion known",
        message="`{name}` is neither a file nor the name of weights of `{variant}`",
        help=(
            "did you mean `{suggestion}`?",
            "published: {known}",
            "nothing is published for `{variant}`: give a file",
        ),
        fence="sh",
        explanation="""
            Weights are a file, or one of those that the spec lists with `weights`: by the whole name, by the tag alone
            where only one has it, or `default`. `archdsl weights SPEC:VARIANT` lists them.
            """,
        example="""
            archdsl predict resnet50 --weights IMAGENET1K_V3 cat.jpg
            """,
        fixed="""
            archdsl predict resnet50 --weights IMAGENET1K_V2 cat.jpg
            """,
    ),
    Entry(
        "E520",
        "a name that several weights have",
        facts="name names",
        message="`{name}` can mean {names}",
        help="write the whole name; a file is `./NAME`",
        fence="sh",
        explanation="""
            A tag alone, or the name of a file in the current folder, is enough where it can mean one thing only.
            """,
        example="""
            archdsl predict resnet50 --weights in1k cat.jpg
            """,
        fixed="""
            archdsl predict resnet50 --weights pytorchcv/resnet50b.in1k cat.jpg
            """,
    ),
    Entry(
        "E521",
        "weights that cannot be loaded so",
        facts="name detail hint",
        message="`{name}` cannot be loaded: {detail}",
        help="{hint}",
        fence="text",
        explanation="""
            Some published files are no weights of the network as it stands: the spec says why (`refused`). Others have
            no classifier, and serve for feature maps, or with new classes.
            """,
        example="""
            archdsl.load("convnext_tiny", weights="timm/convnext_tiny.dinov3_lvd1689m")
            """,
        fixed="""
            archdsl.load("convnext_tiny", weights="timm/convnext_tiny.dinov3_lvd1689m", classes=10)
            """,
    ),
)
