"""What `--json` prints: each shape is declared once, here, and docs/json.md is generated from it.

Takes what Python users get (variants, stage tables, differences, plans …), gives models of pydantic: a field is read
from the attribute of its name, or `of` says where it comes from. A module for each group of commands; the envelope is
in `base`, what several commands print in `networks`. They are imported where JSON is printed, and only there.

Keys are only ever added; a change of any other kind raises `base.VERSION`.
"""
