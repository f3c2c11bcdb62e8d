"""Published files onto this machine: by URL into torch.hub's folder, by repository into Hugging Face's cache.

A file that lies there is used; one that does not is fetched, resumed where it broke off, and put in its place whole or
not at all. Its hash is checked before anybody reads it, whoever put it there. `urls` and `hub` are the two ways;
`transfer` speaks HTTP, `places` knows folders and locks, `digests` hashes, `archive` unpacks, `progress` shows how far
it is, `wanted` says what went wrong. Torch-free. Reports E522 to E531.
"""

from __future__ import annotations

from archdsl.weights.download.hub import fetch_hub
from archdsl.weights.download.transfer import Patience
from archdsl.weights.download.urls import fetch_url

__all__ = ["Patience", "fetch_hub", "fetch_url"]
