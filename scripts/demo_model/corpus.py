"""All kinds of samples, their mixture, and streams of training windows."""

import json
import random
from pathlib import Path

from . import dialogue, drills, instruction, narrative, recall, tools

KINDS = narrative.KINDS | instruction.KINDS | tools.KINDS | dialogue.KINDS | recall.KINDS
LABELS = ("narrative", "instruction", "tools", "dialogue", "recall")

# Shares of the training text in tokens, by kind.
MIX = {
    "narrative.portrait": 0.10, "narrative.story": 0.04,
    "instruction.single": 0.12, "instruction.double": 0.08, "instruction.choice": 0.01,
    "tools.simple": 0.03, "tools.multiple": 0.04, "tools.parallel": 0.03, "tools.irrelevance": 0.02, "drill.series": 0.10,
    "dialogue.desk": 0.04, "drill.shift": 0.12,
    "recall.closed": 0.08, "recall.needle": 0.01, "recall.multi_needle": 0.02, "recall.variables": 0.01, "recall.reading": 0.01,
    "drill.quiz": 0.08, "drill.copy": 0.03, "drill.lookup": 0.03,
}


def generator(purpose, number):
    """Seeded by purpose ("train", "held-out", "check"), so that the purposes never share a sample's seed."""
    return random.Random(f"lfmscope demo model/{purpose}/{number}")


def draw(rng, world, kind):
    return (KINDS | drills.KINDS)[kind](rng, world)


def read_mix(path):
    """The mixture in force: MIX, with the shares that a JSON file may override while training runs."""
    overrides = json.loads(Path(path).read_text()) if path and Path(path).exists() else {}
    unknown = set(overrides) - set(MIX)
    if unknown:
        raise ValueError(f"{path}: unknown kinds {sorted(unknown)}")
    return MIX | overrides


class Stream:
    """Endless samples whose kinds keep to their token shares: next comes the kind that lags behind most, loosely."""

    def __init__(self, world, encode, purpose, number, mix):
        self.world, self.encode = world, encode
        self.rng = generator(purpose, number)
        self.use(mix)

    def use(self, mix):
        """Keep to these shares from now on."""
        self.mix = mix
        self.tokens = dict.fromkeys((kind for kind in mix if mix[kind] > 0), 0)

    def next_ids(self):
        kind = min(self.tokens, key=lambda k: (self.tokens[k] + 100) / self.mix[k] * self.rng.uniform(0.5, 1.5))
        ids = self.encode(draw(self.rng, self.world, kind).render())
        self.tokens[kind] += len(ids)
        return ids

    def window(self, length, bos):
        """`length + 1` ids: BOS, then samples up to the end, the last one cut."""
        ids = [bos]
        while len(ids) <= length:
            ids += self.next_ids()
        return ids[:length + 1]
