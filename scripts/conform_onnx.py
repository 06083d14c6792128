#!/usr/bin/env python3
"""Results for `lfmscope conform` from ONNX Runtime: the pack's model, exported from transformers.

    python scripts/conform_onnx.py PACK results.jsonl
    lfmscope conform PACK results.jsonl

Needs torch, transformers, onnx, onnxscript and onnxruntime. The loop over the experts that were hit cannot be exported (its
length depends on data), so every expert is computed for every token and weighted, most by zero: the same sum. Router, layers,
final norm and logits are outputs of the graph. The tokenizer is not ONNX Runtime's business and not part of the results.
"""

import argparse
import json
from pathlib import Path

import onnxruntime
import torch
import transformers
from transformers.models.lfm2_moe import modeling_lfm2_moe as lfm2

from conform_transformers import Recorder, greedy_rows, lines, model_rows


def dense_experts(self, hidden_states, top_k_index, top_k_weights):
    """The same sum as the loop's, over all experts."""
    shape = (hidden_states.shape[0], self.num_experts)
    weights = torch.zeros(shape, dtype=hidden_states.dtype).scatter(1, top_k_index, top_k_weights)
    gate, up = torch.einsum("td,emd->tem", hidden_states, self.gate_up_proj).chunk(2, dim=-1)
    outputs = torch.einsum("tem,edm->ted", torch.nn.functional.silu(gate) * up, self.down_proj)
    return (outputs * weights[..., None]).sum(1)


class Announcing(torch.nn.Module):
    """The model with what its routers, layers and final norm give as further outputs."""

    def __init__(self, model):
        super().__init__()
        self.model, self.recorder = model, Recorder(model)

    def forward(self, ids):
        logits = self.model(ids, use_cache=False).logits
        recorder = self.recorder
        routers = [part for l in sorted(recorder.router) for part in recorder.router[l]]
        hidden = [recorder.hidden[l] for l in range(len(self.model.model.layers))] + [recorder.hidden["final"]]
        return (logits, *routers, *hidden)


class Session:
    """Looks like the model in transformers, as far as conform_transformers.py needs it. One more token is run than asked for,
    because the exported graph wants two at least; in a causal model it changes nothing before it."""

    def __init__(self, path, n_layers, moe_layers):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        self.n_layers, self.moe_layers = n_layers, moe_layers
        self.router, self.hidden = {}, {}

    def __call__(self, ids, use_cache=False):
        longer = torch.cat((ids, ids[:, -1:]), 1)
        name = self.session.get_inputs()[0].name
        out = [torch.from_numpy(x) for x in self.session.run(None, {name: longer.numpy()})]
        T, routers = ids.shape[1], 3 * len(self.moe_layers)
        for i, l in enumerate(self.moe_layers):
            self.router[l] = [x[:T] for x in out[1 + 3 * i:4 + 3 * i]]
        for i, x in enumerate(out[1 + routers:]):
            self.hidden[i if i < self.n_layers else "final"] = x[:T]
        return type("Output", (), {"logits": out[0][:, :T]})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("output", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        arguments.pack / "model", dtype=torch.float32, attn_implementation="eager", experts_implementation="eager").eval()
    lfm2.Lfm2MoeExperts.forward = dense_experts
    path = arguments.output.with_suffix(".onnx")
    length = torch.export.Dim("length", min=2, max=model.config.max_position_embeddings)
    torch.onnx.export(Announcing(model).eval(), (torch.tensor([[1, 20, 30, 40, 50]]),), str(path), dynamo=True,
                      dynamic_shapes=({1: length},))
    config = model.config
    session = Session(str(path), config.num_hidden_layers, range(config.num_dense_layers, config.num_hidden_layers))
    about = {"section": "about", "class": "f32",
             "runtime": f"ONNX Runtime {onnxruntime.__version__}, CPU, exported from transformers "
                        f"{transformers.__version__} by torch {torch.__version__}"}
    with open(arguments.output, "w", encoding="utf-8") as file:
        for rows in ([about], model_rows(session, arguments.pack, session), greedy_rows(session, arguments.pack)):
            for row in rows:
                file.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
