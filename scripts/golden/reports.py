#!/usr/bin/env python3
"""Writes tests/golden/reports/*.json: synthetic result files for the tests of `lfmscope report`.

The numbers are invented: smooth curves with seeded noise, of the size that a small model's comparison has. They are
not measurements. Run from the project root: python3 scripts/golden/reports.py
"""
import json
import math
import random
from pathlib import Path

OUT = Path("tests/golden/reports")
LAYERS, EXPERTS, TOP_K = 8, 10, 3
ATTENTION = {2, 5, 7}
LABELS = {"narrative": 1.0, "instruction": 0.7, "tools": 0.25, "dialogue": 0.9, "recall": 2.6}
FORMATS = {
    "q8_0": dict(bits=8.5, kld=2.7e-6, ratio=1.00012, top1=0.99958, overlap=0.9989, error=0.0031),
    "fp8_e4m3": dict(bits=8.01, kld=3.4e-4, ratio=1.0011, top1=0.9952, overlap=0.9862, error=0.021),
    "q4_0": dict(bits=4.5, kld=1.7e-3, ratio=1.0037, top1=0.9905, overlap=0.969, error=0.064),
}
NOTE = "synthetic numbers for tests, no measurement"
rng = random.Random(7)


def digits(value, n=6):
    return float(f"{value:.{n}g}")


def shift(overlap):
    return {
        "overlap": digits(overlap),
        "shared": digits(2 * overlap / (1 + overlap)),
        "exact_set": digits(1 - 2.2 * (1 - overlap)),
        "gate_kl": digits((1 - overlap) ** 1.5 * 0.05),
        "mass_moved": digits((1 - overlap) * 0.35),
    }


def cumulative(mean):
    """A log-normal curve whose mean is `mean`, sampled at log-spaced values."""
    sigma = 1.9
    centre = math.log(mean) - sigma * sigma / 2
    pairs = []
    for i in range(100):
        value = 10 ** (math.log10(mean) - 4.5 + 7 * i / 99)
        pairs.append([digits(value), digits(0.5 * (1 + math.erf((math.log(value) - centre) / sigma / math.sqrt(2))))])
    return pairs


def candidate(name, f):
    kld = f["kld"]
    layers = []
    for layer in range(LAYERS):
        error = f["error"] * (0.35 + 0.65 * layer / (LAYERS - 1)) * (1 + 0.12 * rng.uniform(-1, 1))
        entry = {
            "layer": layer,
            "operator": "attention" if layer in ATTENTION else "conv",
            "relative_l2": digits(error),
            "cosine": digits(1 - error * error / 2, 9),
            "sqnr_db": digits(-20 * math.log10(error)),
        }
        if layer >= 2:
            entry["router"] = shift(1 - (1 - f["overlap"]) * (0.5 + layer / LAYERS) * (1 + 0.2 * rng.uniform(-1, 1)))
        layers.append(entry)
    labels = [
        {
            "label": label, "positions": 2048, "documents": 8,
            "kld_mean": digits(kld * weight), "kld_stderr": digits(kld * weight * 0.11),
            "perplexity": digits(4.1 * f["ratio"]), "reference_perplexity": 4.1,
            "perplexity_ratio": digits(1 + (f["ratio"] - 1) * weight), "top1_agreement": digits(1 - (1 - f["top1"]) * weight),
        }
        for label, weight in LABELS.items()
    ]
    return {
        "name": name, "weights": name, "bits_per_weight": f["bits"], "bytes": int(15_700_000 * f["bits"] / 8),
        "fallback_matrices": 0, "perplexity": digits(3.874 * f["ratio"]), "perplexity_ratio": f["ratio"],
        "perplexity_ratio_stderr": digits(abs(f["ratio"] - 1) * 0.18 + 8e-5), "nll_mean": digits(math.log(3.874 * f["ratio"])),
        "kld": {"mean": kld, "stderr": digits(kld * 0.06), "median": digits(kld * 0.16), "p90": digits(kld * 2.1),
                "p95": digits(kld * 4.0), "p99": digits(kld * 14.2), "p99_9": digits(kld * 61), "max": digits(kld * 420)},
        "kld_bootstrap": {"low": digits(kld * 0.89), "high": digits(kld * 1.12)},
        "top1_agreement": f["top1"], "top1_agreement_stderr": digits((1 - f["top1"]) * 0.1),
        "top5_overlap": digits(1 - (1 - f["top1"]) * 1.6), "delta_p": {"mean": digits(-kld / 3), "rms": digits(math.sqrt(kld) / 4)},
        "router": shift(f["overlap"]), "layers": layers, "labels": labels, "kld_cumulative": cumulative(kld),
    }


def compare():
    return {
        "schema": "lfmscope-compare", "version": "0.1.0", "note": NOTE,
        "command": "lfmscope compare datasets/demo-model q8_0 fp8_e4m3 q4_0 --file datasets/held-out/held-out.jsonl --special --json",
        "positions": 10240, "documents": 40, "context": 512, "score": "half", "tokens": 20480,
        "reference": {"name": "datasets/demo-model", "weights": "bf16", "bits_per_weight": 16.0, "bytes": 31_400_000,
                      "perplexity": 3.874, "perplexity_stderr": 0.061, "nll_mean": digits(math.log(3.874))},
        "candidates": [candidate(name, f) for name, f in FORMATS.items()],
    }


def points(f):
    rows = []
    for layer in range(LAYERS):
        mixer = ["q", "k", "v", "attention"] if layer in ATTENTION else ["B", "C", "x", "conv"]
        growth = 0.35 + 0.65 * layer / (LAYERS - 1)
        for point in ["operator_norm", *mixer, "operator", "ffn_norm", "feed_forward", "residual"]:
            weight = {"operator": 1.5, "feed_forward": 1.9, "residual": 1.0, "k": 0.6}.get(point, 0.9)
            error = f["error"] * growth * weight * (1 + 0.15 * rng.uniform(-1, 1))
            rows.append({"layer": layer, "point": point, "relative_l2": digits(error), "cosine": digits(1 - error * error / 2, 9),
                         "sqnr_db": digits(-20 * math.log10(error)), "cka": digits(1 - error * error / 3, 9),
                         "max_channel_error": digits(error * 6), "max_channel": rng.randrange(256)})
    return rows


def traces():
    return {
        "schema": "lfmscope-trace-compare", "version": "0.1.0", "note": NOTE,
        "command": "lfmscope compare reference.h5 q8_0.h5 fp8_e4m3.h5 q4_0.h5 --json",
        "reference": {"file": "reference.h5", "name": "demo-model", "weights": "bf16"},
        "candidates": [
            {"file": f"{name}.h5", "name": "demo-model", "weights": name, "tokens": 4096, "points": points(f),
             "routers": [{"layer": layer, **shift(1 - (1 - f["overlap"]) * (0.5 + layer / LAYERS))} for layer in range(2, LAYERS)]}
            for name, f in FORMATS.items()
        ],
    }


def load_layer(layer, spread):
    raw = [math.exp(spread * rng.gauss(0, 1)) for _ in range(EXPERTS)]
    load = [digits(x / sum(raw)) for x in raw]
    entropy = -sum(x * math.log(x) for x in load)
    deviation = math.sqrt(sum((x * EXPERTS - 1) ** 2 for x in load) / EXPERTS)
    return {"layer": layer, "experts": EXPERTS, "top_k": TOP_K, "load": load, "mean_weight": [digits(1 / TOP_K)] * EXPERTS,
            "entropy": digits(entropy), "entropy_normalized": digits(entropy / math.log(EXPERTS)),
            "effective_experts": digits(math.exp(entropy)), "cv": digits(deviation), "gini": digits(deviation * 0.55),
            "max_violation": digits(max(load) * EXPERTS - 1), "margin_median": 0.0432}


def routing():
    names = ["reference", *FORMATS]
    base = [load_layer(layer, 0.15 + 0.05 * layer) for layer in range(2, LAYERS)]
    files = []
    for name in names:
        weights = "bf16" if name == "reference" else name
        drift = 0 if name == "reference" else (1 - FORMATS[name]["overlap"])
        layers = [{**row, "entropy_normalized": digits(row["entropy_normalized"] * (1 - 0.2 * drift * rng.random()))} for row in base]
        files.append({"file": f"{name}.h5", "name": "demo-model", "weights": weights, "tokens": 4096, "layers": layers})
    pairs = [
        {"reference": "reference.h5", "candidate": f"{name}.h5",
         "layers": [{"layer": layer, **shift(1 - (1 - f["overlap"]) * (0.5 + layer / LAYERS))} for layer in range(2, LAYERS)]}
        for name, f in FORMATS.items()
    ]
    return {"schema": "lfmscope-routing", "version": "0.1.0", "note": NOTE,
            "command": "lfmscope routing reference.h5 q8_0.h5 fp8_e4m3.h5 q4_0.h5 --json", "traces": files, "pairs": pairs}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for name, document in {"compare": compare(), "traces": traces(), "routing": routing()}.items():
        (OUT / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
