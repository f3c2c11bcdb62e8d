"""Exit codes; 0 is fine, and 130 (`archdsl.cli.INTERRUPTED`) an interruption."""

FINDINGS = 1
"""Errors in a spec, or differences where they are what was asked for."""
COULD_NOT_RUN = 2
"""No such file, bad usage."""
