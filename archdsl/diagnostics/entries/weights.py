"""E501–E505: loading weights."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E501",
        "missing key",
        facts="key shape",
        message="the weights lack `{key}` {shape}",
        help="choose the checkpoint map that fits the file, or the variant that it belongs to",
        fence="sh",
        explanation="""
            The model has a weight that the file does not. Weights are loaded completely or not at all.
            """,
        example="""
            archdsl run resnet50 --weights resnet34.pth cat.jpg
            """,
        fixed="""
            archdsl run resnet34 --weights resnet34.pth cat.jpg
            """,
    ),
    Entry(
        "E502",
        "unexpected key",
        facts="key shape",
        message="the weights have `{key}` {shape}, the model has not",
        help="choose the checkpoint map that fits the file, or the variant that it belongs to",
        fence="sh",
        explanation="""
            The file holds a weight that the model does not have. Dropping it would load another network
            than the file's.
            """,
        example="""
            archdsl run resnet18 --weights resnet34.pth cat.jpg
            """,
        fixed="""
            archdsl run resnet34 --weights resnet34.pth cat.jpg
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
            archdsl run resnet50 --weights resnet50_cifar100.pth cat.jpg
            """,
        fixed="""
            archdsl run resnet50 --set classes=100 --weights resnet50_cifar100.pth cat.jpg
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
            archdsl run resnet50 --weights whole_model.pth cat.jpg
            """,
        fixed="""
            archdsl run resnet50 --weights state_dict.pth cat.jpg
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
            archdsl run resnet50 --weights resnet50.pth --keys tim cat.jpg
            """,
        fixed="""
            archdsl run resnet50 --weights resnet50.pth --keys timm cat.jpg
            """,
    ),
)
