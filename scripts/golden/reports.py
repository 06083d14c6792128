#!/usr/bin/env python3
"""Writes tests/golden/reports: synthetic result files, and runs of tasks, for the tests of `lfmscope report`.

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
TOLERANCE = 0.01
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
        "inject": inject(f),
    }


def inject(f):
    """Own errors that stay as they are and inherited ones that grow; routers that err only where they inherit."""
    modules = []
    for layer in range(LAYERS):
        for module in ("operator", "feed_forward", "layer"):
            own = f["error"] * {"operator": 1.1, "feed_forward": 0.8, "layer": 0.5}[module]
            inherited = f["error"] * 0.12 * layer * {"operator": 1, "feed_forward": 1.6, "layer": 1}[module]
            entry = {"layer": layer, "module": module, "injected": digits(own), "inherited": digits(inherited),
                     "propagated": digits(math.sqrt(inherited * (2 * own + inherited))), "total": digits(own + inherited)}
            if module == "operator":
                entry["kind"] = "attention" if layer in ATTENTION else "conv"
            if module == "feed_forward":
                entry["kind"] = "moe" if layer >= 2 else "dense"
                if layer >= 2:
                    entry["router"] = {"injected": shift(1.0), "total": shift(f["overlap"])}
            modules.append(entry)
    return {"positions": 10240, "embedding": {"injected": f["error"], "inherited": 0, "propagated": 0, "total": f["error"]},
            "modules": modules}


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
            above = error > TOLERANCE
            rows[-1] |= {"tokens_above": 4096 if above else 0, "first_token": layer if above else None,
                         "first_value": digits(error * 1.2) if above else None, "max_token_error": digits(error * 3), "max_token": 17,
                         "error_outliers": outliers(error, 2 if point == "feed_forward" and layer == 7 else 0),
                         "magnitude_outliers": outliers(1.0, 1 if point == "residual" else 0)}
    return rows


def outliers(median, count):
    """Channels 89, 90, ... at five, four, ... times the median."""
    return {"median": digits(median), "count": count,
            "channels": [{"channel": 89 + i, "rms": digits(median * (5 - i)), "times_median": 5 - i} for i in range(count)]}


def first(rows):
    """The first row above the tolerance, which has its token in the first document."""
    for row in rows:
        if row["first_token"] is not None:
            token = row["first_token"]
            return {"layer": row["layer"], "point": row["point"], "token": token, "document": 0, "position": token, "id": 300 + token,
                    "value": row["first_value"]}
    return None


def traces():
    rows = {name: points(f) for name, f in FORMATS.items()}
    return {
        "schema": "lfmscope-trace-compare", "version": "0.1.0", "note": NOTE,
        "command": "lfmscope compare reference.h5 q8_0.h5 fp8_e4m3.h5 q4_0.h5 --json",
        "tolerance": TOLERANCE, "outlier_multiple": 3,
        "reference": {"file": "reference.h5", "name": "demo-model", "weights": "bf16"},
        "candidates": [
            {"file": f"{name}.h5", "name": "demo-model", "weights": name, "tokens": 4096, "points": rows[name],
             "first": first(rows[name]), "first_in_text": first(rows[name]), "missing": [],
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


def add_structure(files, pairs):
    """What choices go by, and how they flip; numbers of their own, so that those of other documents stay."""
    chance, even = random.Random(11), EXPERTS * (TOP_K - 1) / (TOP_K * (EXPERTS - 1))
    for file in files:
        file["chance"] = {"method": "simulation", "draws": 1000, "seed": 0, "lift": digits(even), "share": TOP_K / EXPERTS}
        for row in file["layers"]:
            depth = row["layer"] / LAYERS
            row["chance"] = {"cv": 0.0233, "effective_experts": 9.995}
            row["coactivation"] = [{"a": a, "b": b, "tokens": 300, "lift": digits(even * math.exp(chance.gauss(0, 0.4)))}
                                   for a in range(EXPERTS) for b in range(a + 1, EXPERTS)]
            row["domains"] = [{"label": label, "share": [digits(0.3 * math.exp(chance.gauss(0, 0.6 * depth))) for _ in range(EXPERTS)]}
                              for label in LABELS]
            row["mutual_information"] = {"domain": {"excess": digits(0.12 * depth)}, "token": {"excess": digits(0.6 - 0.3 * depth)}}
            row["persistence"] = {"next_token": {"overlap": digits(0.3 + 0.2 * depth), "chance_load": 0.302}}
    edges = [0, 1e-4, *(10 ** (-3.5 + i / 2) for i in range(6)), None]
    for i, pair in enumerate(pairs):
        width, left, firsts = 0.004 * 2 ** i, 1.0, []
        bins = []
        for low, high in zip(edges, edges[1:]):
            seen = 0.5 * math.exp(-(low + (high or 0.3)) / 2 / width / 3)
            bins.append({"from": digits(low), "to": high and digits(high), "tokens": 2000, "shared": digits(1 - seen / 3), "weight_l1": digits(seen / 2),
                         "flips": {"observed": digits(seen * 1.1), "predicted_empirical": digits(seen), "predicted_normal": digits(seen * 1.05)}})
        for layer in range(2, LAYERS):
            firsts.append({"layer": layer, "tokens": int(4096 * left * width), "share": digits(left * width * 4)})
            left -= left * width * 4
        pair["all"] = {"margin_bins": bins}
        pair["first_divergence"] = {"layers": firsts, "never": int(4096 * left), "never_share": digits(left)}


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
    add_structure(files, pairs)
    return {"schema": "lfmscope-routing", "version": "0.1.0", "note": NOTE,
            "command": "lfmscope routing reference.h5 q8_0.h5 fp8_e4m3.h5 q4_0.h5 --json", "traces": files, "pairs": pairs}


def rate(right, n):
    """Wilson's 95 % interval."""
    share, z = right / n, 1.959963984540054
    centre, half = share + z * z / (2 * n), z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    low, high = (centre - half) / (1 + z * z / n), (centre + half) / (1 + z * z / n)
    return {"accuracy": digits(share), "right": right, "n": n, "low": digits(max(low, 0)), "high": digits(min(high, 1))}


def add(rates):
    """One rate over what several rates count."""
    return rate(sum(r["right"] for r in rates), sum(r["n"] for r in rates))


def tier(name, right, n):
    return {"name": name, "n": n, "strict": digits(right / n), "loose": digits(min(right + 1, n) / n)}


def ifeval_figures(drop):
    kinds = [("detectable_format:title", 12, 14), ("length_constraints:number_words", 9, 15), ("punctuation:no_comma", 13, 13)]
    tiers = [tier(name, right - drop * (i == 1), n) for i, (name, right, n) in enumerate(kinds)]
    right = sum(r for _, r, _ in kinds) - drop
    return rate(34 - drop, 40), {"prompt_level_strict": rate(34 - drop, 40), "instruction_level_strict": rate(right, 42),
                                 "prompt_level_loose": rate(36 - drop, 40), "tier1": tiers}


def recall_figures(drop):
    cells = []
    for kind, hard in (("needle", 0), ("all_of_several", 2)):
        for i, length in enumerate((100, 400, 1000)):
            for depth in (0, 50, 100):
                right = max(0, 4 - max(0, i * (1 + hard) - depth // 50) - (drop if i else 0))
                cells.append({"kind": kind, "length": length, "depth": depth, "correct": rate(right, 4)})
    kinds = {kind: add([c["correct"] for c in cells if c["kind"] == kind]) for kind in ("needle", "all_of_several")}
    return add(list(kinds.values())), {"length_unit": "words", **kinds, "cells": cells}


def task_run(suite, weights, figures):
    correct, parts = figures
    return {"schema": "lfmscope-eval", "version": "0.1.0", "note": NOTE, "command": f"lfmscope eval {suite} --model datasets/demo-model",
            "suite": suite, "model": "demo-model", "weights": weights, "items": correct["n"], "samples_per_item": 1,
            "correct": correct, **parts}


def variant(name, reference, correct, lost, gained, verdict, needed):
    n, change = correct["n"], correct["accuracy"] - reference["accuracy"]
    return {"name": name, "bits_per_weight": FORMATS[name]["bits"], "correct": correct,
            "lost": [f"item-{i}" for i in range(lost)], "gained": [f"item-{50 + i}" for i in range(gained)],
            "difference": {"value": digits(change), "low": digits(change - 2 / n), "high": digits(change + 3 / n)},
            "mcnemar_exact": 0.5, "mcnemar_mid_p": 0.375, "holm": 1,
            "equivalence": {"verdict": verdict, "low": digits(change - 1 / n), "high": digits(change + 2 / n), "items_needed": needed}}


def tasks(suite, figures):
    """A comparison and the runs below it."""
    runs = {"reference": figures(0), "q8_0": figures(0), "q4_0": figures(1)}
    reference = runs["reference"][0]
    lost = reference["right"] - runs["q4_0"][0]["right"] + 1
    comparison = {"schema": "lfmscope-eval-against", "version": "0.1.0", "note": NOTE,
                  "command": f"lfmscope eval {suite} --model datasets/demo-model --against q8_0,q4_0", "suite": suite,
                  "model": "demo-model", "items": reference["n"], "margin": 0.02,
                  "reference": {"name": "reference", "weights": "bf16", "bits_per_weight": 16, "correct": reference},
                  "variants": [variant("q8_0", reference, runs["q8_0"][0], 0, 0, "PASS", 0),
                               {**variant("q4_0", reference, runs["q4_0"][0], lost, 1, "UNDECIDED", 1234.4),
                                "finish": {"stop": reference["n"] - 5, "length": 3, "context": 2, "error": 0}}]}
    documents = {f"{suite}/{name}/summary": task_run(suite, "stored" if name == "reference" else name, f) for name, f in runs.items()}
    return {f"{suite}/summary": comparison, **documents}


def bench():
    """Two formats, two kinds of activations, one sequence and eight, at two depths."""
    rows = []
    for weights, size in (("q8_0", 1.80e9), ("q4_0", 1.02e9)):
        for activations in ("f32", "q8"):
            for context in (0, 2048):
                for batch, read in ((1, size), (8, size * 0.28)):
                    rate = 31e9 / read * (0.9 if activations == "q8" else 0.84) * (1 if batch == 1 else 0.6)
                    prefill = 60 if activations == "q8" else 41
                    rows.append({"format": weights, "activations": activations, "kv": "f32", "batch": batch, "context": context,
                                 "prefill_tps": prefill, "prefill_tps_min": prefill - 2, "prefill_tps_max": prefill + 1,
                                 "decode_tps": digits(rate), "decode_tps_min": digits(rate * 0.96),
                                 "decode_tps_max": digits(rate * 1.02), "bytes_per_token": digits(read),
                                 "bandwidth_share": digits(rate * read / 31e9),
                                 "distinct_experts": 4 if batch == 1 else 20.9})
    return {"schema": "lfmscope-bench", "version": "0.1.0", "note": NOTE, "command": "lfmscope bench model.gguf --activations f32,q8",
            "name": "model", "cpu": "a processor", "threads": 2, "repeats": 3, "prompt_tokens": 512, "decode_tokens": 64,
            "bandwidth_read": 31e9, "bandwidth_read_min": 29e9, "bandwidth_read_max": 33e9, "rows": rows}


def account(ref_cand, cand_ref, loss):
    """The split of a loss whose cells these are, with errors of a tenth."""
    routing, interaction = (ref_cand + loss - cand_ref) / 2, loss - cand_ref - ref_cand
    return {"loss": digits(loss), "loss_stderr": digits(loss / 10),
            "phi": {"routing": digits(routing), "routing_stderr": digits(abs(routing) / 10),
                    "arithmetic": digits(loss - routing), "arithmetic_stderr": digits((loss - routing) / 10)},
            "shares": {"routing": digits(routing / loss), "arithmetic": digits(1 - routing / loss)}, "shares_stderr": 0.04,
            "interaction": digits(interaction), "interaction_stderr": digits(abs(interaction) / 5)}


def ledger():
    """Four runs, the split by label, by layer and by margin; the first layer's routing does some good."""
    loss = 0.0031

    def cell(kld):
        return {"kld": digits(kld), "kld_stderr": digits(kld / 10), "perplexity": digits(1.7603 * math.exp(kld / 4)),
                "perplexity_stderr": 0.127, "nll_mean": digits(math.log(1.7603) + kld / 4)}

    def part(adds, repairs, decisions, changed):
        routing = (adds + repairs) / 2
        return {"decisions": decisions, "changed": changed, "cells": {"ref_cand": cell(adds), "cand_ref": cell(loss - repairs)},
                "phi": {"routing": digits(routing), "routing_stderr": digits(abs(routing) / 5), "rest": digits(loss - routing),
                        "rest_stderr": digits(loss / 10)},
                "share": digits(routing / loss), "share_stderr": 0.01, "interaction": digits(repairs - adds), "interaction_stderr": 1e-6}

    layers = [{"layer": l, "operator": "attention" if l in ATTENTION else "conv",
               **part(1.4e-5 * (l - 1), 3.5e-5 * (l - 1) - 6e-5, 19000, 1000 + 150 * l)} for l in range(2, LAYERS)]
    edges = [0, 0.001, 0.003, 0.01, 0.03, 0.1, None]
    costs = [(4e-5, 8e-5, 2200, 1400), (2e-5, 4e-5, 3200, 1450), (9e-5, 1.1e-4, 11000, 3900), (1.3e-4, 2.9e-4, 24000, 3600),
             (6e-5, 1.3e-4, 44000, 700), (0, 1e-7, 29600, 5)]
    margins = [{"low": edges[i], "high": edges[i + 1], **part(*cost)} for i, cost in enumerate(costs)]
    return {"schema": "lfmscope-ledger", "version": "0.1.0", "note": NOTE,
            "command": "lfmscope ledger datasets/demo-model q4_0 --file held-out.jsonl --layers all --margins default",
            "positions": 9435, "documents": 37, "context": 512, "score": "half", "errors_by": "documents", "tokens": 18944,
            "replay": "set", "decisions": 114000, "changed": 11055,
            "reference": {"name": "demo-model", "weights": "bf16", "bits_per_weight": 16, "bytes": 30846208},
            "candidate": {"name": "q4_0", "weights": "q4_0", "bits_per_weight": 4.5, "bytes": 8711424},
            "cells": {"ref_ref": cell(0), "ref_cand": cell(3.7e-4), "cand_ref": cell(2.46e-3), "cand_cand": cell(loss)},
            **account(3.7e-4, 2.46e-3, loss), "layers": layers, "margins": margins,
            "layers_total": {"parts": 6, "routing": 5.2e-4, "routing_stderr": 2e-5, "remainder": -1.2e-5, "remainder_stderr": 8e-6},
            "margins_total": {"parts": 6, "routing": 5.1e-4, "routing_stderr": 2e-5, "remainder": -2e-6, "remainder_stderr": 3e-6},
            "labels": [{"label": label, "positions": 1887, "documents": 7, **account(3.7e-4 * f, 2.46e-3 * f, loss * f)}
                       for label, f in LABELS.items()]}


def routing_load():
    """One trace: batches to 64, two numbers of devices, all sizes of caches."""
    def band(key, value, width):
        return {key: digits(value), f"{key}_low": digits(value - width), f"{key}_high": digits(value + width),
                f"{key}_p95": digits(value + 2 * width)}

    batches, placements, dropped, caches = [], [], [], []
    for b in (1, 4, 16, 64):
        uniform = EXPERTS * (1 - (1 - TOP_K / EXPERTS) ** b)
        distinct = uniform if b == 1 else uniform * 0.97
        batches.append({"batch": b, **band("distinct_experts", distinct, 0 if b == 1 else 0.2),
                        "distinct_experts_uniform": digits(uniform), "distinct_experts_own_load": digits(distinct),
                        "expert_bytes_per_token": digits(2.36e6 * distinct / b), "bytes_per_token": digits(2.36e6 * distinct / b + 7.2e6 / b),
                        "worst_layer": 3, "worst_layer_value": digits(distinct * 1.02)})
        for devices in (2, 4):
            for placement, excess in (("contiguous", 0.3), ("round_robin", 0.2), ("balanced", 0.05)):
                even = 1 + 0.4 * devices / 2 / math.sqrt(b)
                placements.append({"devices": devices, "placement": placement, "batch": b, **band("straggler", even + excess, 0.02),
                                   "straggler_even": digits(even), "worst_layer": 5, "worst_layer_value": digits(even + 1.5 * excess)})
        for factor in (1, 2):
            dropped.append({"capacity_factor": factor, "batch": b, "capacity": math.ceil(factor * b * TOP_K / EXPERTS),
                            **band("dropped", 0.1 / factor ** 3, 0.01), "dropped_even": digits(0.04 / factor ** 3),
                            "worst_layer": 4, "worst_layer_value": digits(0.2 / factor ** 3)})
    for size in range(1, EXPERTS + 1):
        rates = {name: digits((size / EXPERTS) ** power) for name, power in (("lru", 1), ("lfu", 0.9), ("static", 0.85), ("belady", 0.55))}
        caches.append({"size": size, "hit_rate": rates,
                       "bytes_per_token": {name: digits(7.1e6 * (1 - rate)) for name, rate in rates.items()},
                       "coverage": rates["static"], "coverage_held_out": digits(rates["static"] * 0.95),
                       "worst_layer": 2, "worst_layer_value": digits(rates["lru"] * 0.9)})
    return {"schema": "lfmscope-routing-load", "version": "0.1.0", "note": NOTE, "command": "lfmscope routing --load demo.h5 --json",
            "draw": "sequences", "resamples": 200, "steps": 16, "seed": 0,
            "traces": [{"file": "demo.h5", "name": "demo-model", "weights": "bf16", "bits_per_weight": 16, "tokens": 8940,
                        "documents": 12, "complete": True, "experts": EXPERTS, "top_k": TOP_K, "batches": batches,
                        "placements": placements, "dropped": dropped, "caches": caches}]}


def attribute():
    """Q4_0 by module: the embedding costs most."""
    parts = [("embed_tokens", 1, 524288, 2.9e-3), ("conv.in_proj", 5, 983040, 6.6e-4), ("conv.out_proj", 5, 327680, 8.6e-4),
             ("self_attn.q_proj", 3, 196608, 2.7e-4), ("self_attn.k_proj", 3, 98304, 4.1e-4), ("feed_forward.w1", 2, 393216, 2.8e-4),
             ("feed_forward.experts.w1", 60, 3932160, 1.3e-4), ("feed_forward.experts.w2", 60, 3932160, 3.7e-4)]
    total = sum(part[3] for part in parts)

    def part(matrices, parameters, kld):
        saved = parameters * (16 - 4.5) / 8
        return {"matrices": matrices, "parameters": parameters, "fallback_matrices": 0, "bytes_saved": saved, "kld": kld,
                "kld_stderr": digits(kld / 8), "kld_per_mib": digits(kld / saved * 2 ** 20), "top1_agreement": digits(1 - 15 * kld),
                "perplexity_ratio": digits(1 + kld), "perplexity_ratio_stderr": digits(kld)}

    return {"schema": "lfmscope-attribute", "version": "0.1.0", "note": NOTE, "command": "lfmscope attribute datasets/demo-model --type q4_0",
            "positions": 9435, "documents": 37, "context": 512, "score": "half", "errors_by": "documents",
            "reference": {"name": "demo-model", "weights": "bf16", "bits_per_weight": 16, "bytes": 30846208}, "type": "q4_0", "by": "module",
            "whole": part(139, sum(p[2] for p in parts), 4.5e-3), "parts_kld": digits(total),
            "parts": [{"name": name, **part(*rest), "share": digits(rest[2] / total)} for name, *rest in parts]}


def conform():
    """A runtime whose routers norm wrongly, seen by three checks; two were not given."""
    checks = [("tokenizer ids", 50, 50, 0, None, None, "pass"), ("template text", 0, 0, 0, None, None, "not given"),
              ("router choice", 543, 318, 1, 0.41, 2.5e-5, "fail"), ("logits", 19, 0, 1, 4.2, 3e-5, "fail"),
              ("greedy", 0, 0, 0, None, 1.5e-4, "not given")]
    return {"schema": "lfmscope-conform", "version": "0.1.0", "note": NOTE, "command": "lfmscope conform pack results.jsonl",
            "pack": "pack", "runtime": "a runtime 1.0", "class": "f32", "relative": 3e-5, "passed": False,
            "diagnosis": "the weights are not divided by their sum",
            "checks": [{"name": name, "verdict": verdict, "required": n, "given": n, "agree": agree, "not_required": beyond,
                        "worst": worst, "tolerance": tolerance}
                       for name, n, agree, beyond, worst, tolerance, verdict in checks]}


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for name, document in (tasks("ifeval", ifeval_figures) | tasks("recall", recall_figures)).items():
        path = OUT / f"tasks/{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document, indent=1) + "\n")
    for name, document in {"compare": compare(), "traces": traces(), "routing": routing(), "bench": bench(),
                           "routing-load": routing_load(), "ledger": ledger(), "conform": conform(),
                           "attribute": attribute()}.items():
        (OUT / f"{name}.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    main()
