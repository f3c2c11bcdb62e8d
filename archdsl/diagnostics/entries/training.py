"""E646–E660: training what a spec describes."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E646",
        "no library to train with",
        facts="detail",
        message="training needs timm and torchvision, which cannot be imported: {detail}",
        help="pip install 'archdsl[train]', in the environment of archdsl",
        fence="sh",
        explanation="""
            Optimizers, augmentation and averages of weights are those of timm, which uses torchvision. They are an
            extra, `archdsl[train]`, because only training needs them; torchvision has to be a build for the torch that
            is installed.
            """,
        example="""
            pip install archdsl
            archdsl train resnet18 --recipe a3 --data pictures -o run
            """,
        fixed="""
            pip install 'archdsl[train]'
            archdsl train resnet18 --recipe a3 --data pictures -o run
            """,
    ),
    Entry(
        "E647",
        "no such recipe",
        facts="name variant others suggestion known",
        message="there is no recipe `{name}` for `{variant}`",
        help=(
            "`{name}` is for {others}",
            "did you mean `{suggestion}`?",
            "its recipes are: {known}",
            "a `recipe` item of the spec says how a network is trained (docs/language.md)",
        ),
        fence="sh",
        explanation="""
            A network is trained by a recipe: optimizer, learning rate, augmentation and the rest, as data in the spec.
            `archdsl recipe SPEC` lists those that a network has.
            """,
        example="""
            archdsl train resnet50 --recipe a9 --data pictures -o run
            """,
        fixed="""
            archdsl train resnet50 --recipe a3 --data pictures -o run
            """,
    ),
    Entry(
        "E648",
        "pictures cannot be used",
        facts="path detail",
        message="the pictures in {path} cannot be used: {detail}",
        help="pictures lie in folders by class: DATA/train/CLASS/… and, to test on, DATA/val/CLASS/…",
        fence="sh",
        explanation="""
            The folders in `DATA/train` are the classes, and the pictures in them, however deep, are those of the class.
            Those in `DATA/val` (`valid`, `validation`, `test`) are tested on and have the same classes. Without a
            folder `train`, the folders in DATA itself are the classes.
            """,
        example="""
            archdsl train resnet18 --recipe a3 --data pictures/train/cats -o run
            """,
        fixed="""
            archdsl train resnet18 --recipe a3 --data pictures -o run
            """,
    ),
)
