"""Run benchmarks: `python -m benchmarks.run [NAME …] [--rounds N]`, from the repository's root.

Exits with 1 where a bound does not hold.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.cases import CASES, environment


def main() -> int:
    """Parse the command line, run the chosen benchmarks and print one line a result."""
    parser = argparse.ArgumentParser(description="Ratios of archdsl's times to its peers', measured alternately.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which (default all): {', '.join(CASES)}")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of each comparison (default %(default)s)")
    options = parser.parse_args()
    if unknown := set(options.names) - CASES.keys():
        parser.error(f"no benchmark named {', '.join(sorted(unknown))}")

    print(", ".join(f"{key} {value}" for key, value in environment().items()))
    missed = 0
    for name in options.names or CASES:
        print(f"\n{name}: {CASES[name].__doc__}")
        for result in CASES[name](options.rounds):
            print(result, flush=True)
            missed += not result.holds
    if missed:
        print(f"\n{missed} bounds do not hold")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
