"""Which files are pictures that archdsl made: takes a file's content, says whether one may take its place unasked.

SVG, DOT and HTML show it by how they begin, PNG and PDF by a mark.
"""

from __future__ import annotations

import re
import zlib

_TEXTS = re.compile(
    rb"""<svg\ width="[\d.]+pt"\ height="[\d.]+pt"\s+viewBox="[^"]*"[^>]*>\s*<g\ id="graph0"\ class="graph"
    |<svg\ width="[\d.]+pt"\ height="[\d.]+pt"\ viewBox="[^"]*"\ class="archdsl-chart"
    |digraph\ archdsl\ \{
    |<!doctype\ html>\s+<html\ lang="en">\s+<head>\s+<meta\ charset="utf-8">\s+
     <meta\ http-equiv="Content-Security-Policy"\ content="default-src\ 'none';\ script-src\ 'sha256-""",
    re.VERBOSE,
)
_CREATOR = b"/Creator (archdsl)"
_SIGNATURE, _HEADER = b"\x89PNG\r\n\x1a\n", 25
_SOFTWARE = b"tEXtSoftware\0archdsl"
_CHUNK = (len(_SOFTWARE) - 4).to_bytes(4, "big") + _SOFTWARE + zlib.crc32(_SOFTWARE).to_bytes(4, "big")


def is_ours(content: bytes) -> bool:
    """Whether this is a picture that archdsl wrote, of any format."""
    if content.startswith(_SIGNATURE):
        return _CHUNK in content[:1000]
    if content.startswith(b"%PDF"):
        return _CREATOR in content
    return _TEXTS.match(content) is not None


def marked(content: bytes, format: str) -> bytes:
    """A PNG or PDF that says what made it; any other as it is."""
    if format == "png" and content.startswith(_SIGNATURE):
        end = len(_SIGNATURE) + _HEADER  # of the chunk that comes first
        return content[:end] + _CHUNK + content[end:]
    if format == "pdf" and content.startswith(b"%PDF") and _CREATOR not in content:
        return content.rstrip() + b"\n%" + _CREATOR + b"\n%%EOF\n"
    return content
