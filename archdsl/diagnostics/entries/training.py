"""E646–E658: training what a spec describes."""

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
    Entry(
        "E649",
        "batch does not go",
        facts="detail",
        message="the batch cannot be made: {detail}",
        help="--batch says how many images a step has, --micro-batch how many go through the network at a time",
        fence="sh",
        explanation="""
            A step takes as many images as the recipe says, over all devices: each device has the same number, in
            micro-batches of the same size, of pairs where pictures are mixed. Another batch is never taken in
            silence: `--batch` says it, and the learning rate follows by the rule that the recipe names.
            """,
        example="""
            archdsl train resnet18 --recipe a3 --data pictures -o run   # 1,437 pictures, and a3 has a batch of 2,048
            """,
        fixed="""
            archdsl train resnet18 --recipe a3 --data pictures -o run --batch 64
            """,
    ),
    Entry(
        "E650",
        "network is not for these pictures",
        facts="variant detail",
        message="`{variant}` cannot be trained with these pictures: {detail}",
        help=(
            "a network that is trained gives one number for each class: --set classes=10 sets a parameter of the spec"
        ),
        fence="sh",
        explanation="""
            The classes of a network are as many as the folders of pictures. Where its model has a parameter
            `classes`, that is set by itself, and said; where it has not, the numbers must agree. A network with
            several outputs (auxiliary heads) has several losses, of which a recipe says nothing: build it with one.
            """,
        example="""
            archdsl train googlenet --set aux_heads=true --recipe plain --data pictures -o run
            """,
        fixed="""
            archdsl train googlenet --recipe plain --data pictures -o run
            """,
    ),
    Entry(
        "E651",
        "picture cannot be trained with",
        facts="path detail",
        message="cannot read {path}: {detail}",
        help="mend or remove it, and give the same command again: a mended file of the same size goes on",
        fence="sh",
        explanation="""
            A picture that cannot be read is never left out in silence, and never replaced by another. What was
            trained until then is in the checkpoint. Mended, it may have the same number of bytes or another: with
            other pictures a training is another one, and begins anew in another folder.
            """,
        example="""
            archdsl train resnet18 --recipe a3 --data pictures -o run   # cat/17.png is cut off
            """,
        fixed="""
            archdsl train resnet18 --recipe a3 --data pictures -o run   # the file was copied again
            """,
    ),
    Entry(
        "E652",
        "loss is no number",
        facts="what epoch step lr path",
        message="{what} is no number in epoch {epoch}, step {step} (learning rate {lr})",
        help=(
            "a lower learning rate or a longer warmup may help; what was trained before is in {path}",
            "a lower learning rate or a longer warmup may help",
        ),
        fence="text",
        explanation="""
            The loss, in training or on the test pictures, or a weight became infinite or no number. No step from there
            on can be of use, so the training ends, and the last checkpoint, if there is one, is from before. The same
            command would come to the same place again: something has to be another.
            """,
        example="""
            recipe bold for Net = plain with { lr = 100 }
            """,
        fixed="""
            recipe bold for Net = plain with { lr = 0.1 }
            """,
    ),
    Entry(
        "E653",
        "folder is not of this training",
        facts="path detail",
        message="cannot train in {path}: {detail}",
        help="give another folder with -o, or all that it was begun with, to go on",
        fence="sh",
        explanation="""
            A folder holds one training: of one network, by one recipe, with the same pictures, preparation, weights to
            begin with, batch, seed and number of processes. Only such a training can go on from its checkpoint and come
            to what it would have come to. Whatever differs is named, a missing class folder too.
            """,
        example="""
            archdsl train resnet18 --recipe a3 --data pictures -o run
            archdsl train resnet18 --recipe a2 --data pictures -o run
            """,
        fixed="""
            archdsl train resnet18 --recipe a3 --data pictures -o run
            archdsl train resnet18 --recipe a2 --data pictures -o other
            """,
    ),
    Entry(
        "E654",
        "nothing to go on from",
        facts="path detail",
        message="cannot go on from {path}: {detail}",
        help="without --resume a training begins anew in a new folder; delete one that is damaged",
        fence="sh",
        explanation="""
            A training goes on from the checkpoint in its folder. It is written beside the one before and put in its
            place when it is whole, so no kill and no full disk damages it; this one was changed by something else,
            is from another version of archdsl, or is not there.
            """,
        example="""
            archdsl train resnet18 --recipe a3 --data pictures -o run --resume   # there is no folder run
            """,
        fixed="""
            archdsl train resnet18 --recipe a3 --data pictures -o run
            """,
    ),
    Entry(
        "E656",
        "recipe cannot be changed so",
        facts="name detail",
        message="the recipe `{name}` cannot be trained so: {detail}",
        help="write what is meant as a recipe that amends it: recipe mine for Net = {name} with …",
        fence="sh",
        explanation="""
            `--epochs`, `--image` and `--batch` replace one number of a recipe. Where others depend on it (a warmup
            longer than all epochs, sizes that grow from stage to stage) nobody knows what was meant, so that it has
            to be written down.
            """,
        example="""
            archdsl train efficientnet_v2_s --recipe paper_s --image 64 --data pictures -o run
            """,
        fixed="""
            archdsl train efficientnet_v2_s --recipe mine --data pictures -o run
            """,
    ),
    Entry(
        "E658",
        "device does not go",
        facts="what detail hint",
        message="{what} cannot be used: {detail}",
        help="{hint}",
        fence="sh",
        explanation="""
            The device is not there, or torch was built without support for it. Of several processes (torchrun) none
            can go on when one has ended.
            """,
        example="""
            archdsl train resnet18 --recipe a3 --data pictures -o run --device cuda:7
            """,
        fixed="""
            archdsl train resnet18 --recipe a3 --data pictures -o run --device cuda:0
            """,
    ),
)
