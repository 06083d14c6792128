#!/usr/bin/env python3
"""Results for `lfmscope conform` from transformers: an example of what another runtime has to write.

    python scripts/conform_transformers.py PACK results.jsonl [--dtype float32|bfloat16|float16] [--wrong RULE]
    lfmscope conform PACK results.jsonl

Needs torch, transformers and jinja2. --wrong computes with a deliberate error, to see that `conform` finds it: softmax
(router scores by softmax), bias-in-weights (the expert bias is part of the weights), no-norm (weights not divided by their
sum), no-bias (the bias is not used), rope (base 10000 instead of the configured one), rope-neighbours (pairs of
neighbours are rotated instead of halves), swap-bc (the two gates of the convolution exchanged), no-qk-norm (queries and
keys not normed).
"""

import argparse
import json
from pathlib import Path

import torch
import transformers
from transformers.models.lfm2_moe import modeling_lfm2_moe as lfm2

CLASSES = {"float32": "f32", "float16": "f16", "bfloat16": "bf16"}


def lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def numbers(tensor):
    """What is not finite is written as null: JSON has no NaN."""
    return [x if x == x and abs(x) != float("inf") else None for x in tensor.double().tolist()]


class Recorder:
    """Keeps what the routers, the layers and the final norm gave in the last pass."""

    def __init__(self, model):
        self.router, self.hidden = {}, {}
        for l, layer in enumerate(model.model.layers):
            layer.register_forward_hook(lambda _m, _i, out, l=l: self.hidden.__setitem__(
                l, (out[0] if isinstance(out, tuple) else out)[0]))
            if hasattr(layer.feed_forward, "gate"):
                layer.feed_forward.gate.register_forward_hook(
                    lambda _m, _i, out, l=l: self.router.__setitem__(l, out))
        model.model.embedding_norm.register_forward_hook(lambda _m, _i, out: self.hidden.__setitem__("final", out[0]))


def run(model, ids):
    with torch.no_grad():
        return model(torch.tensor([ids]), use_cache=False).logits[0].float()


def tokenizer_rows(tokenizer, cases):
    for case in cases:
        ids = tokenizer(case["text"], add_special_tokens=case["add_special"],
                        split_special_tokens=not case["parse_special"])["input_ids"]
        yield {"section": "tokenizer", "id": case["id"], "ids": ids}


def template_rows(tokenizer, cases):
    for case in cases:
        text = tokenizer.apply_chat_template(case["messages"], tools=case["tools"] or None, tokenize=False,
                                             add_generation_prompt=case["add_generation_prompt"],
                                             keep_past_thinking=case["keep_past_thinking"])
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        yield {"section": "template", "id": case["id"], "text": text, "ids": ids}


def model_rows(model, pack, recorder):
    """Everything that belongs to a sequence, sequence after sequence; what the layers gave is in the recorder."""
    cases = {name: lines(pack / f"{name}.jsonl") for name in ("router", "hidden", "logits")}
    for sequence in lines(pack / "sequences.jsonl"):
        logits = run(model, sequence["ids"])
        mine = {name: [c for c in rows if c["sequence"] == sequence["id"]] for name, rows in cases.items()}
        for case in mine["router"]:
            scores, weights, selected = (part[case["position"]] for part in recorder.router[case["layer"]])
            yield {"section": "router", "id": case["id"], "logits": numbers(scores), "selected": selected.tolist(),
                   "weights": numbers(weights)}
        for case in mine["hidden"]:
            values = recorder.hidden[case.get("layer", "final")][case["position"]]
            yield {"section": "hidden", "id": case["id"], "values": numbers(values)}
        for case in mine["logits"]:
            yield {"section": "logits", "id": case["id"], "values": numbers(logits[case["position"]])}


def greedy_rows(model, pack):
    for case in lines(pack / "greedy.jsonl"):
        ids, top = list(case["prompt"]), []
        for _ in case["ids"]:
            logprobs = run(model, ids)[-1].double().log_softmax(-1)
            best = logprobs.topk(10)
            top.append([[int(i), float(p)] for i, p in zip(best.indices, best.values)])
            ids.append(top[-1][0][0])
        yield {"section": "greedy", "id": case["id"], "ids": ids[len(case["prompt"]):], "top": top}


# --- deliberate errors ---


def wrong_router(rule):
    def forward(self, hidden_states, expert_bias=None):
        logits = torch.nn.functional.linear(hidden_states, self.weight)
        scores = logits.softmax(-1) if rule == "softmax" else logits.sigmoid()
        choice = scores if rule == "no-bias" else scores + expert_bias
        selected = torch.topk(choice, k=self.top_k, dim=-1).indices
        weights = torch.gather(choice if rule == "bias-in-weights" else scores, 1, selected)
        if rule != "no-norm":
            weights = weights / (weights.sum(-1, keepdim=True) + 1e-6)
        return logits, weights * self.routed_scaling_factor, selected

    lfm2.Lfm2MoeTopKRouter.forward = forward


def make_wrong(rule, model):
    if rule in ("softmax", "bias-in-weights", "no-norm", "no-bias"):
        wrong_router(rule)
    elif rule == "rope":
        width = model.config.hidden_size // model.config.num_attention_heads
        model.model.pos_emb.inv_freq = 1 / 10000 ** (torch.arange(0, width, 2).float() / width)
    elif rule == "rope-neighbours":
        def rotate(q, k, cos, sin, unsqueeze_dim=1):
            half = cos.shape[-1] // 2
            cos, sin = (x[..., :half].repeat_interleave(2, -1).unsqueeze(unsqueeze_dim) for x in (cos, sin))
            turn = lambda x: torch.stack((-x[..., 1::2], x[..., ::2]), -1).flatten(-2)
            return q * cos + turn(q) * sin, k * cos + turn(k) * sin
        lfm2.apply_rotary_pos_emb = rotate
    elif rule == "swap-bc":
        for layer in model.model.layers:
            if hasattr(layer, "conv"):
                b, c, x = layer.conv.in_proj.weight.data.chunk(3)
                layer.conv.in_proj.weight.data = torch.cat((c, b, x))
    elif rule == "no-qk-norm":
        for layer in model.model.layers:
            if hasattr(layer, "self_attn"):
                layer.self_attn.q_layernorm = layer.self_attn.k_layernorm = torch.nn.Identity()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--dtype", choices=CLASSES, default="float32")
    parser.add_argument("--wrong", choices=["softmax", "bias-in-weights", "no-norm", "no-bias", "rope",
                                            "rope-neighbours", "swap-bc", "no-qk-norm"])
    arguments = parser.parse_args()
    torch.set_num_threads(1)  # enough for a model of this size
    tokenizer = transformers.AutoTokenizer.from_pretrained(arguments.pack / "model")
    model = transformers.AutoModelForCausalLM.from_pretrained(
        arguments.pack / "model", dtype=getattr(torch, arguments.dtype), attn_implementation="eager",
        experts_implementation="eager").eval()
    if arguments.wrong:
        make_wrong(arguments.wrong, model)
    about = {"section": "about", "class": CLASSES[arguments.dtype],
             "runtime": f"transformers {transformers.__version__}, torch {torch.__version__}, {arguments.dtype}"
                        + (f", wrong on purpose: {arguments.wrong}" if arguments.wrong else "")}
    with open(arguments.output, "w", encoding="utf-8") as file:
        for rows in ([about], tokenizer_rows(tokenizer, lines(arguments.pack / "tokenizer.jsonl")),
                     template_rows(tokenizer, lines(arguments.pack / "template.jsonl")),
                     model_rows(model, arguments.pack, Recorder(model)), greedy_rows(model, arguments.pack)):
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
