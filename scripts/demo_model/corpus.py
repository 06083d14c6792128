"""All kinds of samples, their mixture, and streams of training windows."""

import json
import random
from pathlib import Path

from . import dialogue, drills, instruction, narrative, recall, tools

KINDS = narrative.KINDS | instruction.KINDS | tools.KINDS | dialogue.KINDS | recall.KINDS
LABELS = ("narrative", "instruction", "tools", "dialogue", "recall")

# Shares of the training text in tokens, by kind. COPYING comes first: attention learns to copy from short, dense
# exercises within some hundred steps, and everything else that answers from the prompt builds on it.
COPYING = {"drill.copy": 0.6, "drill.lookup": 0.15, "drill.quiz": 0.05, "recall.closed": 0.1, "narrative.portrait": 0.1}
MIX = {
    "narrative.portrait": 0.08, "narrative.story": 0.02,
    "instruction.single": 0.11, "instruction.double": 0.07, "instruction.choice": 0.003,
    "tools.simple": 0.03, "tools.multiple": 0.03, "tools.parallel": 0.03, "tools.irrelevance": 0.02, "drill.series": 0.12,
    "dialogue.desk": 0.05, "drill.shift": 0.13,
    "recall.closed": 0.11, "recall.needle": 0.01, "recall.multi_needle": 0.02, "recall.variables": 0.02, "recall.reading": 0.015,
    "drill.quiz": 0.10, "drill.copy": 0.02, "drill.lookup": 0.03,
}
LARGEST_CUT = 60        # tokens that a sample may lose at the end of a window


def generator(purpose, number):
    """Seeded by purpose ("train", "held-out", "check"), so that the purposes never share a sample's seed."""
    return random.Random(f"lfmscope demo model/{purpose}/{number}")


def draw(rng, world, kind):
    return (KINDS | drills.KINDS)[kind](rng, world)


def read_mix(mix, path):
    """A mixture with the shares that a JSON file, if there is one, overrides."""
    overrides = json.loads(Path(path).read_text()) if path and Path(path).exists() else {}
    unknown = set(overrides) - set(MIX)
    if unknown:
        raise ValueError(f"{path}: unknown kinds {sorted(unknown)}")
    return mix | overrides


class Stream:
    """Endless samples whose kinds keep to their token shares: next comes the kind that lags behind most, loosely."""

    def __init__(self, world, encode, purpose, number, mix):
        self.world, self.encode = world, encode
        self.rng = generator(purpose, number)
        self.waiting = None         # a long sample that had no room in the last window
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
        """`length + 1` ids: BOS, then samples, the last one cut; one that would lose much waits for the next window."""
        ids, self.waiting = [bos] + (self.waiting or []), None
        while len(ids) <= length:
            sample = self.next_ids()
            if self.waiting is None and len(ids) + len(sample) > length + LARGEST_CUT:
                self.waiting = sample
            else:
                ids += sample
        return ids[:length + 1]
