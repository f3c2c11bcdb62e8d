"""Writes grammar/arch.parser, what Lark makes of grammar/arch.lark: `python -m docs.generate_parser`.

To be run after every change of the grammar, and for another version of Lark; a test says so.
"""

from __future__ import annotations

from pathlib import Path

from archdsl.syntax.grammar import SAVED, grammar_text, save_grammar
from archdsl.syntax.parser import CALLBACKS

if __name__ == "__main__":
    (Path(__file__).parents[1] / "grammar" / SAVED).write_bytes(save_grammar(grammar_text(), CALLBACKS))
