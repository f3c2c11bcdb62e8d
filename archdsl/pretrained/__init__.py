"""Models in folders and on the hub: the spec's text, the weights, and a config that says which network it is.

`saving` writes such a folder, `loading` reads one, running nothing of it; `config` is what `config.json` says, `folder`
what may be read and how it is written, `card` the model card, `hub` the way to and from a repository.
"""

from __future__ import annotations

from archdsl.pretrained.hub import push_to_hub
from archdsl.pretrained.loading import from_pretrained
from archdsl.pretrained.saving import save_pretrained

__all__ = ["from_pretrained", "push_to_hub", "save_pretrained"]
