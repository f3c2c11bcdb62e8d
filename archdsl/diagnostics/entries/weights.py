"""E501–E515: loading weights and models."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E501",
        "missing key",
        facts="key shape",
        message="the weights lack `{key}` ({shape})",
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
        facts="key shape",
        message="the weights have `{key}` ({shape}), the model has not",
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
        facts="key theirs ours",
        message="the shape of `{key}` is {theirs} in the file, {ours} in the model",
        help="override the parameter that differs, as in classes = 100 for a head",
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
        facts="name suggestion",
        message="unknown checkpoint map `{name}`",
        help=("did you mean `{suggestion}`?", "a map is declared with `checkpoint name for Model`"),
        fence="sh",
        explanation="""
            The spec declares no `checkpoint` of this name for the model.
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
        help="say which one is meant: --checkpoint NAME, or checkpoint=",
        fence="sh",
        explanation="""
            All keys and shapes of the file agree with more than one `checkpoint` of the spec, and these give the
            same tensor different places. Which one is right cannot be told from the file.
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
)
