#!/usr/bin/env python3
"""Time `lfmscope score ifeval` and the official checkers side by side, on the same responses.

    pip install --no-deps lm-eval && pip install 'nltk==3.9.1' langdetect immutabledict packaging
    NLTK_DATA=... ./scripts/bench_scorers.py --data input_data.jsonl --responses responses.jsonl

The official checkers are those that lm-eval packages (lm_eval/tasks/ifeval, the same as google-research's); only these files are
imported, not lm-eval as a whole, which would take seconds longer. They need NLTK's punkt_tab data (NLTK_DATA names its directory).
Responses are lines of {"key", "response"}, one per prompt. Each side runs --repeat times; the fastest run counts.
"""

import argparse
import importlib.util
import json
import os
import resource
import subprocess
import sys
import time
import types
from pathlib import Path


def cpu(who):
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def import_official():
    """lm_eval.tasks.ifeval.utils without the packages above it."""
    path = Path(importlib.util.find_spec("lm_eval").submodule_search_locations[0])
    for name, folder in (("lm_eval", path), ("lm_eval.tasks", path / "tasks"), ("lm_eval.tasks.ifeval", path / "tasks" / "ifeval")):
        sys.modules[name] = types.ModuleType(name)
        sys.modules[name].__path__ = [str(folder)]
    from lm_eval.tasks.ifeval import utils
    return utils


def rows(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def score_official(args):
    """In a process of its own: prints times and verdicts as JSON."""
    began = cpu(resource.RUSAGE_SELF)
    import langdetect
    utils = import_official()
    langdetect.DetectorFactory.seed = 0
    imported = cpu(resource.RUSAGE_SELF)
    documents = {row["key"]: row for row in rows(args.data)}
    results = [utils.process_results(documents[row["key"]], [row["response"]]) for row in rows(args.responses)]
    scored = cpu(resource.RUSAGE_SELF)
    verdicts = [[r["inst_level_strict_acc"], r["inst_level_loose_acc"]] for r in results]
    print(json.dumps({"import": imported - began, "score": scored - imported, "verdicts": verdicts}))


def run_official(args):
    command = [sys.executable, __file__, "--official", "--data", args.data, "--responses", args.responses]
    before = cpu(resource.RUSAGE_CHILDREN)
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout.splitlines()[-1])
    return found | {"whole": cpu(resource.RUSAGE_CHILDREN) - before}


def run_ours(args, verdicts):
    command = [args.program, "score", "ifeval", "--data", args.data, "--responses", args.responses, "--verdicts", verdicts,
               "--threads", "1", "--quiet"]
    before, began = cpu(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    return cpu(resource.RUSAGE_CHILDREN) - before, time.monotonic() - began


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--responses", required=True)
    parser.add_argument("--program", default="build/lfmscope")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--official", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.official:
        return score_official(args)
    verdicts = f"{args.responses}.verdicts-{os.getpid()}"
    ours = min(run_ours(args, verdicts) for _ in range(args.repeat))
    found = [[row["strict"], row["loose"]] for row in rows(verdicts)]
    Path(verdicts).unlink()
    official = [run_official(args) for _ in range(args.repeat)]
    best = {key: min(run[key] for run in official) for key in ("import", "score", "whole")}
    same = sum(a == b for a, b in zip(found, official[0]["verdicts"]))
    print(f"responses                                  {len(found)}, equal verdicts {same}")
    print(f"lfmscope, whole process, one thread        {ours[0]:8.3f} s CPU, {ours[1]:.3f} s on the clock")
    print(f"official, scoring alone                    {best['score']:8.3f} s CPU, {best['score'] / ours[0]:.1f} times as long")
    print(f"official, imports and scoring              {best['import'] + best['score']:8.3f} s CPU, "
          f"{(best['import'] + best['score']) / ours[0]:.1f} times")
    print(f"official, whole process with the interpreter {best['whole']:6.3f} s CPU, {best['whole'] / ours[0]:.1f} times")


if __name__ == "__main__":
    main()
