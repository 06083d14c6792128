"""The demo model: configuration, building, export in the official on-disk form, loading back."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import Lfm2MoeConfig, Lfm2MoeForCausalLM

from .chat import BOS, IM_END, SPECIAL_TOKENS
from .tokenizer import VOCAB_SIZE

LAYERS = "conv conv full_attention conv full_attention conv full_attention conv".split()
CONFIG = dict(
    vocab_size=VOCAB_SIZE, hidden_size=256, intermediate_size=768, moe_intermediate_size=256,
    num_hidden_layers=len(LAYERS), layer_types=LAYERS, num_dense_layers=2, num_experts=10, num_experts_per_tok=3,
    num_attention_heads=8, num_key_value_heads=4, conv_L_cache=3, conv_bias=False, tie_word_embeddings=True,
    norm_topk_prob=True, use_expert_bias=True, routed_scaling_factor=1.0, norm_eps=1e-5, max_position_embeddings=4096,
    rope_parameters={"rope_theta": 1e6, "rope_type": "default"},
    bos_token_id=SPECIAL_TOKENS.index(BOS), eos_token_id=SPECIAL_TOKENS.index(IM_END), pad_token_id=0,
)


def build(seed=1):
    torch.manual_seed(seed)
    model = Lfm2MoeForCausalLM(Lfm2MoeConfig(**CONFIG))
    model.set_experts_implementation("grouped_mm")
    return model


def moe_blocks(model):
    return [layer.feed_forward for layer in model.model.layers[CONFIG["num_dense_layers"]:]]


def official_tensors(state):
    """Names and types as the family's checkpoints have them: experts one by one, bf16, the expert bias in F32."""
    tensors = {}
    for name, value in state.items():
        prefix, _, leaf = name.rpartition(".")
        if name == "lm_head.weight":
            continue
        if leaf == "gate_up_proj":
            for expert, fused in enumerate(value):
                tensors[f"{prefix}.{expert}.w1.weight"], tensors[f"{prefix}.{expert}.w3.weight"] = fused.chunk(2)
        elif leaf == "down_proj":
            tensors |= {f"{prefix}.{expert}.w2.weight": down for expert, down in enumerate(value)}
        else:
            tensors[name] = value
    return {name: value.to(torch.float32 if name.endswith("expert_bias") else torch.bfloat16).contiguous().clone()
            for name, value in tensors.items()}


def export(state, directory):
    """config.json, generation_config.json, model.safetensors."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    weights = directory / "model.safetensors"
    save_file(official_tensors(state), str(weights), metadata={"format": "pt"})
    weights.chmod(0o644)
    config = {"architectures": ["Lfm2MoeForCausalLM"], "model_type": "lfm2_moe", "dtype": "bfloat16",
              "head_dim": CONFIG["hidden_size"] // CONFIG["num_attention_heads"], "initializer_range": 0.02,
              "use_cache": True, **CONFIG}
    generation = {key: CONFIG[key] for key in ("bos_token_id", "eos_token_id", "pad_token_id")} | {"do_sample": False}
    for name, content in (("config.json", config), ("generation_config.json", generation)):
        (directory / name).write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")


def load(directory):
    """The saved bf16 checkpoint in float32; an error when keys are missing or unexpected."""
    model, info = Lfm2MoeForCausalLM.from_pretrained(directory, dtype=torch.float32, output_loading_info=True)
    wrong = {key: names for key, names in info.items() if names}
    if wrong:
        raise ValueError(f"{directory}: {wrong}")
    model.set_experts_implementation("grouped_mm")
    return model.eval()
