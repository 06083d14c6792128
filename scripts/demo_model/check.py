"""Checks of a trained model: greedy answers to new tasks of each kind, perplexity by domain, expert load."""

import math

import torch
import torch.nn.functional as F

from . import corpus, dialogue, heldout, instruction, model as demo, recall, tools
from .chat import IM_END, render
from .train import LoadBalance

BATCH = 32
MAX_NEW_TOKENS = {"instruction": 240, "tools": 140, "dialogue": 70, "recall": 24}
JUDGES = {"instruction": instruction.correct, "tools": tools.correct, "recall": recall.correct}
KINDS = [kind for kind in corpus.KINDS if not kind.startswith("narrative.")]


def check_samples(world, kind, count):
    """Tasks from the check's own seeds; closed-book questions take all known facts alike."""
    for number in range(count):
        rng = corpus.generator("check", f"{kind} {number}")
        if kind == "recall.closed":
            yield recall.closed_question(rng, rng.choice(world.known().facts))
        else:
            yield corpus.draw(rng, world, kind)


class Checker:
    def __init__(self, model, tokenizer, world):
        self.model, self.tokenizer, self.world = model, tokenizer, world
        self.balance = LoadBalance(model)
        self.bos, self.pad = demo.CONFIG["bos_token_id"], demo.CONFIG["pad_token_id"]

    def ids(self, text):
        return [self.bos] + self.tokenizer.encode(text, add_special_tokens=False).ids

    def answers(self, prompts, limit):
        """Greedy continuations up to the end of the turn, in the order of the prompts."""
        encoded = [self.ids(prompt) for prompt in prompts]
        order = sorted(range(len(prompts)), key=lambda i: len(encoded[i]))
        answers = [None] * len(prompts)
        for at in range(0, len(order), BATCH):
            batch = order[at:at + BATCH]
            for i, answer in zip(batch, self.continue_batch([encoded[i] for i in batch], limit)):
                answers[i] = answer
        return answers

    def continue_batch(self, rows, limit):
        width = max(map(len, rows))
        ids = torch.tensor([[self.pad] * (width - len(row)) + row for row in rows])
        mask = torch.tensor([[0] * (width - len(row)) + [1] * len(row) for row in rows])
        with torch.inference_mode():
            full = self.model.generate(input_ids=ids, attention_mask=mask, max_new_tokens=limit, do_sample=False)
        texts = self.tokenizer.decode_batch(full[:, width:].tolist(), skip_special_tokens=False)
        return [text.split(IM_END)[0] for text in texts]

    def verdicts(self, kind, count):
        samples = list(check_samples(self.world, kind, count))
        label = samples[0].label
        if label == "dialogue":
            return self.replays(samples)
        answers = self.answers([s.prompt() for s in samples], MAX_NEW_TOKENS[label])
        return [JUDGES[label](s.task, a) for s, a in zip(samples, answers)]

    def replays(self, samples):
        """All conversations side by side, one agent turn at a time."""
        replays = [dialogue.Replay(s.task) for s in samples]
        while waiting := [r for r in replays if not r.done]:
            prompts = [render(r.messages, dialogue.TOOLS, add_generation_prompt=True) for r in waiting]
            for replay, answer in zip(waiting, self.answers(prompts, MAX_NEW_TOKENS["dialogue"])):
                replay.answer(answer)
        return [r.correct() for r in replays]

    def rates(self, count, kinds=None):
        """{kind: (right, asked)}"""
        rates = {}
        for kind in kinds or KINDS:
            verdicts = self.verdicts(kind, count)
            rates[kind] = (sum(verdicts), len(verdicts))
            print(f"{kind}: {sum(verdicts)} of {len(verdicts)}", flush=True)
        return rates

    def perplexities(self, path):
        """{label: perplexity} over all tokens of the held-out documents but BOS."""
        sums = {}
        self.balance.reset()
        for document in heldout.read(path):
            ids = torch.tensor([self.ids(document["text"])])
            with torch.inference_mode():
                logits = self.model(input_ids=ids[:, :-1], use_cache=False).logits
            loss = F.cross_entropy(logits[0], ids[0, 1:], reduction="sum").item()
            total, tokens = sums.get(document["label"], (0.0, 0))
            sums[document["label"]] = (total + loss, tokens + ids.shape[1] - 1)
        return {label: math.exp(total / tokens) for label, (total, tokens) in sums.items()}

    def load_ratio(self):
        """The largest expert load relative to its layer's mean, over the text whose perplexity was last taken."""
        return self.balance.worst()


def table(rates, perplexities):
    """Both as Markdown."""
    lines = ["| task | right | of | rate |", "|---|--:|--:|--:|"]
    lines += [f"| {kind} | {right} | {asked} | {100 * right / asked:.1f} % |" for kind, (right, asked) in rates.items()]
    lines += ["", "| held-out text | perplexity |", "|---|--:|"]
    lines += [f"| {label} | {value:.3f} |" for label, value in perplexities.items()]
    return "\n".join(lines)
