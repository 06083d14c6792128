"""Random checkpoints of several shapes and what transformers computes on them, for tests/unit/test_forward.c.

Each case is a directory under tests/golden/model: a checkpoint as users have them (config.json, safetensors) and
`expected/`, the results of transformers in FP32 with eager attention and eager experts:
  tokens [T] I32, logits [T,V], hidden.N [T,D] (embedding, then the stream after each layer, the last one normed),
  router.N.logits [T,E], router.N.selected [T,K] I32, router.N.weights [T,K].

Usage: python scripts/golden/model.py [OUTPUT]        (needs torch, transformers, safetensors)
"""

import json
import shutil
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import (Lfm2Config, Lfm2ForCausalLM, Lfm2MoeConfig, Lfm2MoeForCausalLM, LlamaConfig,
                          LlamaForCausalLM)

SEED = 20260528
EAGER = {"attn_implementation": "eager", "experts_implementation": "eager"}
MOE = dict(vocab_size=160, hidden_size=32, intermediate_size=64, moe_intermediate_size=24, num_hidden_layers=5,
           num_attention_heads=4, num_key_value_heads=2, num_dense_layers=2, num_experts=8, num_experts_per_tok=3,
           layer_types=["conv", "conv", "full_attention", "conv", "full_attention"], max_position_embeddings=256,
           rope_parameters={"rope_type": "default", "rope_theta": 10000.0})
LFM2 = dict(vocab_size=160, hidden_size=32, intermediate_size=96, num_hidden_layers=4, num_attention_heads=4,
            num_key_value_heads=2, layer_types=["conv", "full_attention", "conv", "full_attention"],
            max_position_embeddings=256, block_multiple_of=16, rope_parameters={"rope_type": "default",
                                                                                 "rope_theta": 1e6})
LLAMA = dict(vocab_size=160, hidden_size=32, intermediate_size=56, num_hidden_layers=3, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=256, rms_norm_eps=1e-5, tie_word_embeddings=False,
             rope_parameters={"rope_type": "default", "rope_theta": 10000.0})

# name: (family, changes to the configuration, how it is stored)
CASES = {
    "moe-bf16": (Lfm2MoeForCausalLM, MOE, {}, {"dtype": torch.bfloat16}),
    "moe-odd-sizes": (Lfm2MoeForCausalLM, MOE, dict(hidden_size=36, num_attention_heads=3, num_key_value_heads=1,
                                                    intermediate_size=52, moe_intermediate_size=20, vocab_size=131,
                                                    num_experts=7, num_experts_per_tok=2), {}),
    "moe-conv4-legacy-keys": (Lfm2MoeForCausalLM, MOE, dict(conv_L_cache=4), {"legacy": True}),
    "moe-no-bias-fused": (Lfm2MoeForCausalLM, MOE, dict(use_expert_bias=False), {"fused": True}),
    "moe-unnormalised-scaled": (Lfm2MoeForCausalLM, MOE, dict(norm_topk_prob=False, routed_scaling_factor=1.7), {}),
    "moe-untied-f16": (Lfm2MoeForCausalLM, MOE, dict(tie_word_embeddings=False), {"dtype": torch.float16}),
    "moe-12-experts-sharded": (Lfm2MoeForCausalLM, MOE, dict(num_experts=12, num_experts_per_tok=4), {"shards": 3}),
    "lfm2-adjusted-width": (Lfm2ForCausalLM, LFM2, dict(block_auto_adjust_ff_dim=True, block_ffn_dim_multiplier=1.3),
                            {}),
    "lfm2-legacy-keys": (Lfm2ForCausalLM, LFM2, dict(block_auto_adjust_ff_dim=False), {"legacy": True,
                                                                                       "dtype": torch.bfloat16}),
    "llama-untied": (LlamaForCausalLM, LLAMA, {}, {}),
}
N_TOKENS = 40


def randomise(model, generator):
    """Weights wide enough that every layer matters and routers decide clearly."""
    for name, tensor in model.state_dict().items():
        values = torch.randn(tensor.shape, generator=generator)
        if "norm" in name:
            tensor.copy_(1 + 0.2 * values)
        elif "expert_bias" in name:
            tensor.copy_(0.2 * values)
        elif "conv.conv" in name or "embed_tokens" in name:
            tensor.copy_(0.5 * values)
        else:
            tensor.copy_(values * 1.3 / tensor.shape[-1] ** 0.5)


def disk_tensors(model, dtype, fused):
    """The state in the names of the published files: experts one by one unless `fused`, the bias in FP32."""
    out = {}
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and model.config.tie_word_embeddings:
            continue
        stored = tensor.to(torch.float32 if name.endswith("expert_bias") else dtype)
        if fused or not name.endswith(("gate_up_proj", "down_proj")) or tensor.dim() != 3:
            out[name] = stored.contiguous()
            continue
        prefix = name.rsplit(".", 1)[0]
        for expert, matrix in enumerate(stored):
            if name.endswith("gate_up_proj"):
                w1, w3 = matrix.chunk(2)
                out[f"{prefix}.{expert}.w1.weight"] = w1.contiguous()
                out[f"{prefix}.{expert}.w3.weight"] = w3.contiguous()
            else:
                out[f"{prefix}.{expert}.w2.weight"] = matrix.contiguous()
    return out


def disk_config(config, legacy):
    data = json.loads(config.to_json_string(use_diff=False))
    keep = {"architectures", "model_type", "vocab_size", "hidden_size", "intermediate_size", "moe_intermediate_size",
            "num_hidden_layers", "num_attention_heads", "num_key_value_heads", "num_dense_layers", "num_experts",
            "num_experts_per_tok", "layer_types", "max_position_embeddings", "rope_parameters", "norm_eps",
            "rms_norm_eps", "conv_L_cache", "conv_bias", "tie_word_embeddings", "norm_topk_prob", "use_expert_bias",
            "routed_scaling_factor", "block_auto_adjust_ff_dim", "block_ffn_dim_multiplier", "block_multiple_of"}
    data = {key: value for key, value in data.items() if key in keep}
    if legacy:
        data["rope_theta"] = data.pop("rope_parameters")["rope_theta"]
        data["tie_embedding"] = data.pop("tie_word_embeddings")
        data["conv_dim"] = data["hidden_size"]
        types = data.pop("layer_types")
        data["full_attn_idxs"] = [i for i, kind in enumerate(types) if kind == "full_attention"]
        if data["model_type"] == "lfm2":
            data["block_ff_dim"] = data.pop("intermediate_size")
    return data


def write_checkpoint(directory, tensors, config, shards):
    (directory / "config.json").write_text(json.dumps(config, indent=1) + "\n")
    if shards == 1:
        save_file(tensors, directory / "model.safetensors", metadata={"format": "pt"})
        return
    names = sorted(tensors)
    weight_map = {}
    for shard in range(shards):
        file_name = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
        part = {name: tensors[name] for name in names[shard::shards]}
        save_file(part, directory / file_name, metadata={"format": "pt"})
        weight_map |= {name: file_name for name in part}
    index = {"metadata": {"total_size": sum(t.nbytes for t in tensors.values())}, "weight_map": weight_map}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index, indent=1, sort_keys=True) + "\n")


def expected(model, tokens):
    """Runs transformers and records logits, hidden states and every router's decisions."""
    records = {}

    def record(layer):
        def hook(_module, _inputs, outputs):
            logits, weights, selected = outputs
            records[f"router.{layer}.logits"] = logits.clone()
            records[f"router.{layer}.weights"] = weights.clone()
            records[f"router.{layer}.selected"] = selected.to(torch.int32)
        return hook

    for index, layer in enumerate(model.model.layers):
        gate = getattr(getattr(layer, "feed_forward", None), "gate", None)
        if gate is not None:
            gate.register_forward_hook(record(index))
    with torch.no_grad():
        out = model(tokens[None], output_hidden_states=True, use_cache=False)
    for index, hidden in enumerate(out.hidden_states):
        records[f"hidden.{index}"] = hidden[0].clone()
    return {"tokens": tokens.to(torch.int32), "logits": out.logits[0].clone(), **records}


def make_case(root, name, family, base, changes, storage):
    config_class = family.config_class
    generator = torch.Generator().manual_seed(SEED + sum(name.encode()))
    model = family._from_config(config_class(**{**base, **changes}), dtype=torch.float32, **(
        EAGER if family is Lfm2MoeForCausalLM else {"attn_implementation": "eager"})).eval()
    randomise(model, generator)
    dtype = storage.get("dtype", torch.float32)
    tensors = disk_tensors(model, dtype, storage.get("fused", False))
    with torch.no_grad():  # the reference computes with the values that were stored
        for key, tensor in model.state_dict().items():
            if not key.endswith("expert_bias"):
                tensor.copy_(tensor.to(dtype).float())
    directory = root / name
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "expected").mkdir(parents=True)
    write_checkpoint(directory, tensors, disk_config(model.config, storage.get("legacy", False)),
                     storage.get("shards", 1))
    tokens = torch.randint(0, model.config.vocab_size, (N_TOKENS,), generator=generator)
    save_file(expected(model, tokens), directory / "expected" / "model.safetensors")
    (directory / "expected" / "config.json").write_text('{"model_type": "expected results, see scripts/golden/model.py"}\n')


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else "tests/golden/model")
    torch.set_num_threads(1)
    for name, (family, base, changes, storage) in CASES.items():
        make_case(root, name, family, base, changes, storage)
        print(name)


if __name__ == "__main__":
    main()
