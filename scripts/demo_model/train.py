"""Training: AdamW with warm-up and decay, and expert biases that balance the load."""

import json
import time
from pathlib import Path

import torch
import torch.nn.functional as F

from . import corpus, model as demo
from .chat import IM_END, IM_START, SPECIAL_TOKENS

PEAK_RATE, WARMUP, DECAY_FROM, WEIGHT_DECAY, CLIP = 1.5e-3, 0.02, 0.5, 0.05, 1.0
BIAS_STEP = 0.002
PROMPT_WEIGHT = 0.4         # loss weight of system, user and tool turns; assistant turns and plain text count 1
PHASES = (                  # (up to this share of the run, windows, ids per window, mixture)
    (0.15, 32, 64, corpus.COPYING), (0.25, 16, 128, corpus.COPYING),
    (0.47, 8, 256, corpus.MIX), (0.58, 4, 512, corpus.MIX), (1.00, 2, 1024, corpus.MIX),
)
CHECKPOINT_SECONDS, LOG_STEPS = 600, 20


def rate_at(share):
    """Warm-up, the peak, then a straight line to zero."""
    return PEAK_RATE * min(share / WARMUP, 1.0, (1 - share) / (1 - DECAY_FROM))


def phase_at(share):
    return next(phase[1:] for phase in PHASES if share <= phase[0])


def loss_weights(ids, assistant_id):
    """Weight of each id as a target: less for turns that somebody else writes."""
    start, end = SPECIAL_TOKENS.index(IM_START), SPECIAL_TOKENS.index(IM_END)
    weights, weight = [], 1.0
    for at, token in enumerate(ids):
        if token == start:
            weight = 1.0 if at + 1 < len(ids) and ids[at + 1] == assistant_id else PROMPT_WEIGHT
        weights.append(weight)
        if token == end:
            weight = 1.0
    return weights


def batch_loss(model, batch, assistant_id):
    ids = torch.tensor(batch)
    weights = torch.tensor([loss_weights(row, assistant_id)[1:] for row in batch]).flatten()
    with torch.autocast("cpu", torch.bfloat16):
        logits = model(input_ids=ids[:, :-1], use_cache=False).logits
    losses = F.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten(), reduction="none")
    return (losses * weights).sum() / weights.sum()


class LoadBalance:
    """Counts each expert's tokens and moves its bias against its load."""

    def __init__(self, model):
        self.blocks = demo.moe_blocks(model)
        self.loads = [torch.zeros(demo.CONFIG["num_experts"]) for _ in self.blocks]
        for load, block in zip(self.loads, self.blocks):
            block.gate.register_forward_hook(lambda module, args, out, load=load: self.count(load, out[2]))

    @staticmethod
    def count(load, chosen):
        load += torch.bincount(chosen.flatten(), minlength=len(load))

    def worst(self):
        """The largest load relative to its layer's mean."""
        return max((load.max() / load.mean()).item() for load in self.loads)

    def step(self):
        """Update the biases and start to count anew."""
        for load, block in zip(self.loads, self.blocks):
            block.expert_bias += BIAS_STEP * torch.sign(load.mean() - load)
        self.reset()

    def reset(self):
        for load in self.loads:
            load.zero_()


def optimizer_for(model):
    decayed = [p for p in model.parameters() if p.dim() > 1]
    plain = [p for p in model.parameters() if p.dim() == 1]
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=0.0, betas=(0.9, 0.95), fused=True)


class Run:
    """One training run: its model, optimizer, progress, and its checkpoint file."""

    def __init__(self, directory, world, encode, steps, minutes, mix_file):
        self.directory = Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.world, self.encode, self.mix_file = world, encode, mix_file
        self.steps, self.seconds = steps, minutes and minutes * 60
        self.model = demo.build()
        self.optimizer = optimizer_for(self.model)
        self.balance = LoadBalance(self.model)
        self.step, self.elapsed, self.tokens = 0, 0.0, 0
        if self.checkpoint.exists():
            self.restore()

    @property
    def checkpoint(self):
        return self.directory / "checkpoint.pt"

    def save(self):
        state = {"model": self.model.state_dict(), "optimizer": self.optimizer.state_dict(),
                 "step": self.step, "elapsed": self.elapsed, "tokens": self.tokens}
        beside = self.checkpoint.with_suffix(".part")
        torch.save(state, beside)
        beside.replace(self.checkpoint)

    def restore(self):
        state = torch.load(self.checkpoint)
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.elapsed, self.tokens = state["step"], state["elapsed"], state["tokens"]

    def share(self):
        """How much of the run is done, by steps or by the clock."""
        return min(1.0, self.step / self.steps if self.steps else self.elapsed / self.seconds)

    def mix(self):
        return corpus.read_mix(phase_at(self.share())[2], self.mix_file)

    def log(self, **values):
        line = json.dumps({"step": self.step, "minutes": round(self.elapsed / 60, 2), "tokens": self.tokens, **values})
        print(line, flush=True)
        with open(self.directory / "log.jsonl", "a") as file:
            file.write(line + "\n")

    def train_step(self, stream, assistant_id):
        windows, length, _ = phase_at(self.share())
        batch = [stream.window(length, demo.CONFIG["bos_token_id"]) for _ in range(windows)]
        loss = batch_loss(self.model, batch, assistant_id)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), CLIP)
        for group in self.optimizer.param_groups:
            group["lr"] = rate_at(self.share())
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.tokens += windows * length
        worst = self.balance.worst()
        self.balance.step()
        return loss.item(), worst

    def train(self, assistant_id):
        stream = corpus.Stream(self.world, self.encode, "train", f"from step {self.step}", self.mix())
        saved, recent = self.elapsed, []
        while self.share() < 1:
            began = time.monotonic()
            recent.append(self.train_step(stream, assistant_id))
            self.step += 1
            self.elapsed += time.monotonic() - began
            if self.step % LOG_STEPS == 0:
                losses, loads = zip(*recent)
                self.log(loss=round(sum(losses) / len(losses), 4), max_load=round(sum(loads) / len(loads), 3),
                         rate=round(rate_at(self.share()), 6))
                recent = []
                if self.mix() != stream.mix:
                    stream.use(self.mix())
            if self.elapsed - saved > CHECKPOINT_SECONDS:
                self.save()
                saved = self.elapsed
        self.save()
