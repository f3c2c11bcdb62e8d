"""E522–E534: files that are published, what stands between them and this machine, and parts of larger ones."""

from archdsl.diagnostics.entry import Entry

_BY_HAND = """
            The message says where the file is published, its hash, and where it is looked for: fetched by other means
            and put there, it is checked and used.
"""

ENTRIES = (
    Entry(
        "E522",
        "not an address",
        facts="what detail",
        message="`{what}` is not where a file can be fetched from: {detail}",
        help="give an https address that ends in a file's name, or a repository `owner/name` and a file in it",
        fence="text",
        explanation="""
            Files are fetched by https and http, and from repositories of Hugging Face's hub, by nothing else: what an
            address says is never run, and no local file is read by it.
            """,
        example="""
            fetch_url("ftp://example.org/resnet50.pth")
            """,
        fixed="""
            fetch_url("https://example.org/resnet50.pth")
            """,
    ),
    Entry(
        "E523",
        "server not reached",
        facts="name detail",
        message="cannot fetch {name}: {detail}",
        help="without a network: fetch the address elsewhere, and put the file in its place, which is named here",
        fence="sh",
        explanation=f"""
            There is no network, no such server, or HF_HUB_OFFLINE says that none is to be used. Proxies are those of
            the environment (https_proxy, no_proxy).{_BY_HAND}""",
        example="""
            HF_HUB_OFFLINE=1 archdsl predict resnet50 cat.jpg
            """,
        fixed="""
            archdsl predict resnet50 --weights resnet50.safetensors cat.jpg
            """,
    ),
    Entry(
        "E524",
        "published file is not there",
        facts="name status",
        message="cannot fetch {name}: the server answers {status}",
        help="it may have moved, or be for some only: HF_TOKEN is the hub's password",
        fence="sh",
        explanation=f"""
            The server knows no such file (404), or does not give it to everybody (401, 403). Repositories of the hub
            that are private, or whose licence has to be accepted, need a token.{_BY_HAND}""",
        example="""
            archdsl predict net.arch cat.jpg
            """,
        fixed="""
            HF_TOKEN=… archdsl predict net.arch cat.jpg
            """,
    ),
    Entry(
        "E525",
        "server does not serve",
        facts="name detail wait",
        message="cannot fetch {name}: {detail}",
        help=("it asks to wait {wait} seconds: try again then", "it was asked several times: try again later"),
        fence="text",
        explanation=f"""
            The server is overloaded (503), broken (500) or was asked too often (429). It is asked several times, as
            long after each other as it says itself, unless that is more than a minute.{_BY_HAND}""",
        example="""
            429 Too Many Requests, Retry-After: 3600
            """,
        fixed="""
            200 OK
            """,
    ),
    Entry(
        "E526",
        "download broke off",
        facts="name detail",
        message="cannot fetch {name}: {detail}",
        help="try again: what came so far is kept where the server allows to go on from it",
        fence="text",
        explanation=f"""
            The connection ended, or nothing came, several times in a row.{_BY_HAND}""",
        example="""
            the connection broke off after 41,000,000 of 102,540,417 bytes
            """,
        fixed="""
            102,540,417 of 102,540,417 bytes
            """,
    ),
    Entry(
        "E527",
        "published file is another one",
        facts="name expected got",
        message="{name} is not the file that is stated: its hash is {got}, not {expected}",
        help="do not use it: it was replaced where it is published, changed on the way, or the hash is mistyped",
        fence="text",
        explanation="""
            The hash of a published file is stated with it and checked before anything of the file is read, each time
            that it is used. What has another one is other weights, and is not kept.
            """,
        example="""
            fetch_url("https://example.org/resnet50.pth", sha256="0676ba61")
            """,
        fixed="""
            fetch_url("https://example.org/resnet50.pth", sha256="11ad3fa6")
            """,
    ),
    Entry(
        "E528",
        "not the file",
        facts="name detail",
        message="cannot fetch {name}: {detail}",
        help="open the address in a browser to see what is there now",
        fence="text",
        explanation=f"""
            Something comes that cannot be the file: a web page (of a network that wants a login first), other bytes
            than are stated, redirects in a circle or from https to http.{_BY_HAND}""",
        example="""
            Content-Type: text/html
            """,
        fixed="""
            Content-Type: application/octet-stream
            """,
    ),
    Entry(
        "E529",
        "no place for a download",
        facts="name folder detail",
        message="cannot put {name} into {folder}: {detail}",
        help="TORCH_HOME is where the files of URLs lie, HF_HOME those of the hub",
        fence="sh",
        explanation="""
            The folder cannot be made or written to, is a file, or its disk is full; or another file has the name, and
            the hash that this name carries: it is what other programs look for there. Files of URLs lie where torch.hub
            has them (`$TORCH_HOME/hub/checkpoints`, in `~/.cache/torch` if it is not set), those of the hub where
            huggingface_hub has them (`$HF_HOME/hub`).
            """,
        example="""
            TORCH_HOME=/root archdsl predict resnet50 cat.jpg
            """,
        fixed="""
            TORCH_HOME=/tmp/torch archdsl predict resnet50 cat.jpg
            """,
    ),
    Entry(
        "E530",
        "huggingface_hub is needed",
        facts="repo detail",
        message="the repository {repo} of Hugging Face's hub is read and written by huggingface_hub: {detail}",
        help="pip install 'archdsl[hub]'",
        fence="sh",
        explanation="""
            Repositories of Hugging Face's hub are read and written by its own library, with its cache and its tokens.
            It is an extra of archdsl: nothing else needs it.
            """,
        example="""
            pip install archdsl
            """,
        fixed="""
            pip install 'archdsl[hub]'
            """,
    ),
    Entry(
        "E531",
        "unusable archive",
        facts="name detail",
        message="cannot unpack {name}: {detail}",
        help="an archive of weights is a zip file with one file in it",
        fence="text",
        explanation="""
            Some libraries publish each file of weights in a zip archive of its own. Its only file is unpacked, under
            the archive's name, and its hash and size are those that are stated.
            """,
        example="""
            resnet18.pth.zip: resnet18.pth, LICENSE
            """,
        fixed="""
            resnet18.pth.zip: resnet18.pth
            """,
    ),
    Entry(
        "E532",
        "no weights given",
        facts="name why known",
        message="no weights are given for `{name}`, and {why}",
        help=("name one of these, or a file: {known}", "give a file: --weights FILE"),
        fence="sh",
        explanation="""
            Where no weights are given, those are taken that the spec says are the default (`default = true` in a row of
            its `weights`). They are weights of the network as it stands in the file: for one with other parameters they
            have to be named.
            """,
        example="""
            archdsl predict my_net.arch cat.jpg
            """,
        fixed="""
            archdsl predict my_net.arch --weights trained.pth cat.jpg
            """,
    ),
    Entry(
        "E533",
        "no keys with this prefix",
        facts="path prefix known",
        message="no key of {path} begins with `{prefix}`",
        help="they begin with {known}",
        fence="sh",
        explanation="""
            `--prefix` and `prefix=` say what the keys of this network begin with in a file of a larger one.
            """,
        example="""
            archdsl predict resnet50 --weights detector.pth --prefix body. cat.jpg
            """,
        fixed="""
            archdsl predict resnet50 --weights detector.pth --prefix backbone. cat.jpg
            """,
    ),
    Entry(
        "E534",
        "two keys of one name",
        facts="path first second name",
        message="`{first}` and `{second}` of {path} are both `{name}` without their prefixes",
        help="take one part of the file: one --prefix",
        fence="sh",
        explanation="""
            Of the parts of a file that prefixes choose, two have a weight of the same name. Which one is meant cannot
            be told.
            """,
        example="""
            archdsl predict resnet50 --weights dino.pth --prefix student. --prefix teacher. cat.jpg
            """,
        fixed="""
            archdsl predict resnet50 --weights dino.pth --prefix teacher. cat.jpg
            """,
    ),
)
