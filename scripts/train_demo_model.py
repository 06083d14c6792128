#!/usr/bin/env python3
"""Make lfmscope's demo model: corpus, tokenizer, training, export, checks, held-out text.

Set up once, in a virtual environment:

    python3 -m venv venv && . venv/bin/activate
    pip install torch 'transformers>=5' tokenizers safetensors

Then, from nothing to the shipped files (about 80 minutes on two cores, no GPU):

    ./scripts/train_demo_model.py tokenizer
    ./scripts/train_demo_model.py train --minutes 80
    ./scripts/train_demo_model.py export
    ./scripts/train_demo_model.py held-out
    ./scripts/train_demo_model.py check

`train` goes on from its last checkpoint when it is started again. All text is generated from fixed seeds; the seeds of
training, held-out text and checks never meet. Training by the clock (--minutes) takes as many steps as the machine
manages, so only a run with --steps can be repeated exactly.
"""

import argparse
import os
from pathlib import Path

DATASETS = Path(__file__).resolve().parent.parent / "datasets"
MODEL, HELD_OUT, WORK = DATASETS / "demo-model", DATASETS / "held-out" / "held-out.jsonl", Path("build/demo-model")


def command_corpus(args):
    """Print samples of the corpus."""
    from demo_model import corpus, world
    invented = world.World()
    for kind in args.kinds or corpus.KINDS:
        rng = corpus.generator("train", f"shown {kind}")
        for _ in range(args.count):
            print(f"# {kind}\n{corpus.draw(rng, invented, kind).render()}")


def command_tokenizer(args):
    """Train the tokenizer and save it with its configuration."""
    from demo_model import tokenizer, world
    invented = world.World()
    tokenizer.save(tokenizer.train(invented), args.model)
    tokenizer.verify_template(args.model, invented)


def command_train(args):
    """Train, or go on training; the log goes to WORK/log.jsonl."""
    import torch
    from demo_model import tokenizer, train, world
    torch.set_num_threads(args.threads)
    trained = tokenizer.load(args.model)
    run = train.Run(args.work, world.World().known(), tokenizer.encoder(trained), args.steps, args.minutes, args.mix)
    run.train(trained.token_to_id("assistant"))


def command_export(args):
    """Write the last checkpoint as a Hugging Face directory and load it back."""
    import torch
    from demo_model import model
    checkpoint = torch.load(args.work / "checkpoint.pt")
    model.export(checkpoint["model"], args.model)
    parameters = model.load(args.model).num_parameters()
    print(f"step {checkpoint['step']:,}, {checkpoint['tokens']:,} tokens: {parameters:,} parameters, "
          f"{(args.model / 'model.safetensors').stat().st_size:,} bytes in {args.model}")


def command_held_out(args):
    """Write the labelled held-out documents."""
    from demo_model import heldout, tokenizer, world
    heldout.write(args.held_out, world.World(), tokenizer.encoder(tokenizer.load(args.model)))


def command_check(args):
    """Measure task rates and perplexities of the exported model; with --card, put them into its README."""
    import torch
    from demo_model import card, check, model, tokenizer, world
    torch.set_num_threads(args.threads)
    checker = check.Checker(model.load(args.model), tokenizer.load(args.model), world.World())
    rates = checker.rates(args.count, args.kinds)
    perplexities = checker.perplexities(args.held_out)
    table = check.table(rates, perplexities)
    print(table)
    print(f"largest expert load: {checker.load_ratio():.2f} of the mean")
    if args.card:
        checkpoint = torch.load(args.work / "checkpoint.pt")
        training = f"{checkpoint['step']:,} steps, {checkpoint['tokens']:,} tokens"
        card.write(args.model, table, checker.load_ratio(), checker.model.num_parameters(), training,
                   len(checker.world.known().facts))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=MODEL, help="directory of the exported model")
    parser.add_argument("--work", type=Path, default=WORK, help="directory of checkpoint and log")
    parser.add_argument("--held-out", type=Path, default=HELD_OUT, help="held-out documents, JSON lines")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="threads of PyTorch")
    commands = parser.add_subparsers(dest="command", required=True)

    def add(name, function):
        command = commands.add_parser(name, help=function.__doc__.splitlines()[0])
        command.set_defaults(run=function)
        return command

    show = add("corpus", command_corpus)
    show.add_argument("kinds", nargs="*", help="kinds of samples (default: all)")
    show.add_argument("--count", type=int, default=2, help="samples of each kind")
    add("tokenizer", command_tokenizer)
    train = add("train", command_train)
    budget = train.add_mutually_exclusive_group(required=True)
    budget.add_argument("--steps", type=int, help="length of the run in steps")
    budget.add_argument("--minutes", type=float, help="length of the run in minutes of training")
    train.add_argument("--mix", type=Path, help="JSON file {kind: share} that overrides the mixture; read again while training")
    add("export", command_export)
    add("held-out", command_held_out)
    check = add("check", command_check)
    check.add_argument("kinds", nargs="*", help="kinds of tasks (default: all)")
    check.add_argument("--count", type=int, default=200, help="items of each kind")
    check.add_argument("--card", action="store_true", help="write the model's README with the table; needs WORK")
    return parser.parse_args()


if __name__ == "__main__":
    args = arguments()
    args.run(args)
