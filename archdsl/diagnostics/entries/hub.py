"""E633–E645: models in folders and on the hub, our networks as timm's."""

from archdsl.diagnostics.entry import Entry

ENTRIES = (
    Entry(
        "E633",
        "no folder of a model",
        facts="path detail suggestion",
        message="no model can be read from {path}: {detail}",
        help=(
            "did you mean `{suggestion}`?",
            "`archdsl.save_pretrained(model, folder)` writes one; a repository of the hub is `owner/name`",
        ),
        fence="text",
        explanation="""
            A folder of a model has `config.json`, `model.safetensors` and the text of its spec. What names neither such
            a folder nor a repository cannot be loaded.
            """,
        example="""
            archdsl.from_pretrained("modles/bees")
            """,
        fixed="""
            archdsl.from_pretrained("models/bees")
            """,
    ),
    Entry(
        "E634",
        "config that says something else",
        facts="path key detail",
        message="`{key}` of {path} {detail}",
        label="{detail}",
        help="`archdsl.save_pretrained` writes this file; what it does not write has no meaning here",
        fence="text",
        explanation="""
            `config.json` is read as data and checked completely: a key that is missing, unknown or there twice, a value
            of another type, text that is no JSON. Nothing in it is guessed, and nothing is run.
            """,
        example="""
            {"library_name": "archdsl", "architecture": 50, …}
            """,
        fixed="""
            {"library_name": "archdsl", "architecture": "resnet50", …}
            """,
    ),
    Entry(
        "E635",
        "config that contradicts the spec",
        facts="path key said found",
        message="{path} says that `{key}` is {said}, the spec beside it gives {found}",
        label="the spec gives {found}",
        help="one of the two was changed after they were saved: save the model again",
        fence="text",
        explanation="""
            The config repeats facts of the network (classes, features, the shape of its image) for those who do not
            read the spec. They are compared with it: a folder in which they differ is none that was saved.
            """,
        example="""
            {"architecture": "resnet50", "num_classes": 10, "changes": [], …}
            """,
        fixed="""
            {"architecture": "resnet50", "num_classes": 10, "changes": [{"override": {"classes": 10}}], …}
            """,
    ),
    Entry(
        "E636",
        "file of a model that is not read",
        facts="path detail",
        message="{path} is not read: {detail}",
        help="a model is read from regular files in its own folder, and from nothing else",
        fence="text",
        explanation="""
            Whoever made the folder decides what is in it: links may lead anywhere, files may be devices, or longer than
            memory. So nothing outside the folder is read (in the hub's cache: outside the folder of the repository),
            and no more of a file than it may have.
            """,
        example="""
            ln -s /etc/passwd models/bees/config.json
            """,
        fixed="""
            archdsl.save_pretrained(model, "models/bees")
            """,
    ),
    Entry(
        "E637",
        "another network than was saved",
        facts="path theirs ours",
        message="the spec in {path} is another network in archdsl {ours} than when it was saved by {theirs}",
        help="install that version, or compare the two by `archdsl show SPEC --layers` and save the model anew",
        fence="text",
        explanation="""
            The config holds a digest of every layer, parameter, shape and connection of the network that was saved.
            Where the spec gives another one, because its text was changed or because another version of archdsl reads
            it otherwise, the weights belong to another network, even if all of them fit.
            """,
        example="""
            sed -i 's/stride = 2/stride = 1/' models/bees/resnet.arch
            """,
        fixed="""
            archdsl.load("models/bees/resnet.arch", "resnet50", weights="models/bees/model.safetensors")
            """,
    ),
    Entry(
        "E638",
        "model that cannot be saved",
        facts="name detail",
        message="{name} cannot be saved as its spec: {detail}",
        help="say it in the spec, or keep `model.state_dict()`",
        fence="text",
        explanation="""
            What is saved is the spec and the weights, and what is loaded is what the spec says. A model that was
            changed by hand (another layer in place of one, another rate of dropout), or whose class is another, would
            come back as another network.
            """,
        example="""
            model = archdsl.load("resnet18")
            model.relu = torch.nn.GELU()
            archdsl.save_pretrained(model, "models/bees")
            """,
        fixed="""
            model = archdsl.load("mine.arch")
            archdsl.save_pretrained(model, "models/bees")
            """,
    ),
    Entry(
        "E639",
        "file that is somebody's",
        facts="path detail",
        message="{path} is not overwritten: {detail}",
        help="choose another folder, or say `overwrite=True`",
        fence="text",
        explanation="""
            `save_pretrained` replaces what an earlier one wrote, as it wrote it. A file that somebody else made or has
            changed since is kept, and then nothing is written at all. Other files in the folder are left alone.
            """,
        example="""
            archdsl.save_pretrained(model, "my/specs")
            """,
        fixed="""
            archdsl.save_pretrained(model, "my/models/bees")
            """,
    ),
    Entry(
        "E640",
        "hub out of reach",
        facts="repo address detail",
        message="{repo} at {address}: {detail}",
        help="check the name, the revision, the network and your token (`hf auth login`)",
        fence="text",
        explanation="""
            A repository is fetched, or a folder uploaded, by huggingface_hub, with its cache, its token and its
            settings (HF_HOME, HF_ENDPOINT, HF_HUB_OFFLINE, HF_TOKEN). What it says is shown.
            """,
        example="""
            archdsl.from_pretrained("me/modle")
            """,
        fixed="""
            archdsl.from_pretrained("me/model")
            """,
    ),
    Entry(
        "E641",
        "library that cannot be imported",
        facts="what name extra detail",
        message="{what} needs {name}, which cannot be imported: {detail}",
        help=(
            "pip install 'archdsl[{extra}]'",
            '{name} is installed, and another library is not as it needs it: `python -c "import {name}"` shows where',
        ),
        fence="sh",
        explanation="""
            Libraries that only some commands need are extras, and imported by those alone.
            """,
        example="""
            pip install archdsl
            """,
        fixed="""
            pip install 'archdsl[timm]'
            """,
    ),
    Entry(
        "E642",
        "argument of timm that cannot be honoured",
        facts="argument name detail suggestion",
        message="`{argument}` cannot be honoured for `{name}`: {detail}",
        help=("did you mean `{suggestion}`?", "leave it out, or say it in the spec"),
        fence="text",
        explanation="""
            timm's models take arguments that choose other layers, pools and rates. Ours are what their spec says: an
            argument that would change something else than a parameter of the spec is refused, never ignored.
            """,
        example="""
            timm.create_model("archdsl_resnet50", act_layer="silu")
            """,
        fixed="""
            timm.create_model("archdsl_resnet50", drop_rate=None)
            """,
    ),
    Entry(
        "E643",
        "name that timm has already",
        facts="name owner",
        message="timm has a model `{name}` already, of {owner}",
        help='`register(…, prefix="mine_")` puts something else in front of the names',
        fence="text",
        explanation="""
            A name means one network. `archdsl.timm.register` never takes one that timm, or another spec, has given.
            Registering the same spec again changes nothing.
            """,
        example="""
            archdsl.timm.register("my.arch", prefix="")
            """,
        fixed="""
            archdsl.timm.register("my.arch", prefix="mine_")
            """,
    ),
)
