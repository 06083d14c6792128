"""Held-out text with domain labels, from seeds that training never uses."""

import json
from pathlib import Path

from . import corpus

DOCUMENTS = {"narrative": 7, "instruction": 7, "tools": 7, "dialogue": 9, "recall": 7}
MIN_TOKENS, MAX_TOKENS = 700, 1100


def document(world, encode, label, number):
    """Samples of one domain, all of its kinds in turn, until the document is long enough."""
    rng = corpus.generator("held-out", f"{label} {number}")
    kinds = [kind for kind in corpus.KINDS if kind.startswith(label + ".")]
    rng.shuffle(kinds)
    text, size = "", 0
    for turn in range(100):
        sample = corpus.draw(rng, world, kinds[turn % len(kinds)]).render()
        length = len(encode(sample))
        if size + length > MAX_TOKENS:
            break
        text, size = text + sample, size + length
        if size >= MIN_TOKENS:
            break
    return text


def write(path, world, encode):
    """The documents as JSON lines {"text", "label"}; prints their sizes."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    sizes = dict.fromkeys(DOCUMENTS, 0)
    with open(path, "w") as file:
        for label, count in DOCUMENTS.items():
            for number in range(count):
                text = document(world, encode, label, number)
                sizes[label] += len(encode(text))
                file.write(json.dumps({"text": text, "label": label}) + "\n")
    for label, size in sizes.items():
        print(f"{label:12} {DOCUMENTS[label]:3} documents {size:6} tokens")
    print(f"{'total':12} {sum(DOCUMENTS.values()):3} documents {sum(sizes.values()):6} tokens")


def read(path):
    return [json.loads(line) for line in Path(path).read_text().splitlines()]
