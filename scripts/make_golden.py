#!/usr/bin/env python3
"""Makes the golden data under tests/golden anew: runs every script in scripts/golden, or those that are named.

    python3 -m venv build/venv
    build/venv/bin/pip install torch transformers tokenizers safetensors gguf ml_dtypes numpy
    make golden PYTHON=build/venv/bin/python            (or: build/venv/bin/python scripts/make_golden.py formats model)

The oracles are the Python packages above; each script names those it needs and the versions its data was made with. Data
is seeded: with the same versions nothing changes, and `git diff --stat tests/golden` shows what another version does
differently. The tests themselves need no Python.
"""

import argparse
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = sorted(path for path in (ROOT / "scripts" / "golden").glob("*.py") if not path.stem.startswith("_"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=f"of {', '.join(path.stem for path in PARTS)} (all)")
    wanted = parser.parse_args().parts
    unknown = set(wanted) - {path.stem for path in PARTS}
    if unknown:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    failed = []
    for path in PARTS:
        if wanted and path.stem not in wanted:
            continue
        started = time.monotonic()
        print(f"== {path.relative_to(ROOT)}", flush=True)
        if subprocess.run([sys.executable, str(path)], cwd=ROOT).returncode != 0:
            failed.append(path.stem)
        print(f"   {time.monotonic() - started:.0f} s", flush=True)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
