#!/usr/bin/env python3
"""Make datasets/tasks/ifeval and datasets/tasks/bfcl: the demo model's own tasks, in the official file formats.

    ./scripts/make_tasks.py            write the files (always the same bytes) and check them
    ./scripts/make_tasks.py --check    compare them with what is there; exit status 1 when anything differs

Needs nothing but Python. What is in the files and why: datasets/tasks/README.md.
"""

import argparse
import sys
from pathlib import Path

from demo_model import tasks, world

TASKS = Path(__file__).resolve().parent.parent / "datasets" / "tasks"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=TASKS, help="directory to write to")
    parser.add_argument("--check", action="store_true", help="write nothing")
    parser.add_argument("--samples", type=int, default=200_000, help="samples of the training text to compare with")
    args = parser.parse_args()
    files = tasks.files()
    complaints = list(tasks.complaints(files, world.World().known(), args.samples))
    for name, text in files.items():
        path = args.output / name
        if not args.check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        elif not path.exists() or path.read_text() != text:
            complaints.append(f"{path} differs from what this program makes")
        print(f"{path}: {len(text.splitlines())} lines")
    sys.exit("\n".join(complaints) or 0)


if __name__ == "__main__":
    main()
