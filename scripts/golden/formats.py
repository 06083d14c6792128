#!/usr/bin/env python3
"""Makes tests/golden/formats/: what other implementations make of the same numbers.

FP8 by ml_dtypes, f16 and bf16 by numpy and ml_dtypes, ggml's block formats by the gguf package. With
--ggml LIBRARY (a built libggml-base.so) the block formats are also checked against ggml's own C code.
All files are plain little-endian arrays without a header. Needs: numpy, ml_dtypes, gguf.
"""
import argparse
import ctypes
import pathlib

import gguf
import ml_dtypes
import numpy as np
from gguf.quants import dequantize, quantize

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "formats"
TYPES = gguf.GGMLQuantizationType


def float_inputs(rng):
    """Numbers around every code of both FP8 formats, the ties between them, subnormals, and beyond the range."""
    parts = []
    for dtype in (ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2):
        values = np.arange(256, dtype=np.uint8).view(dtype).astype(np.float32)
        values = np.unique(values[np.isfinite(values)])
        ties = ((values[1:].astype(np.float64) + values[:-1]) / 2).astype(np.float32)
        for exact in (values, ties):
            parts += [exact, np.nextafter(exact, np.float32(np.inf)), np.nextafter(exact, np.float32(-np.inf))]
    parts.append(np.array([0.0, -0.0, 1e-45, -1e-45, 1e-38, 1e-10, 448, 464, 464.1, 480, 1e4, -1e4, 57344, 61440, 61441,
                           65504, 65519.99, 65520, 65536, 1e30, -3.4028235e38, 3.4028235e38], dtype=np.float32))
    parts.append(rng.standard_normal(400).astype(np.float32))
    parts.append((rng.standard_normal(400) * 2.0 ** rng.integers(-20, 18, 400)).astype(np.float32))
    return np.concatenate(parts).astype(np.float32)


def saturating_cast(x, dtype):
    largest = float(ml_dtypes.finfo(dtype).max)
    return np.clip(x, -largest, largest).astype(dtype)


def block_inputs(rng):
    """Blocks of 32: random ones at many magnitudes, then the odd cases."""
    f = np.float32
    blocks = [(rng.standard_normal(32) * 2.0 ** e).astype(f) for e in rng.integers(-30, 12, 60)]
    blocks += [rng.standard_normal(32).astype(ml_dtypes.bfloat16).astype(f) for _ in range(40)]
    ramp = np.arange(32, dtype=f)
    odd = [
        np.zeros(32), -np.zeros(32), np.ones(32), -np.ones(32),
        ramp - 16, 16 - ramp, ramp - 15.5,                      # two values of the largest magnitude
        np.where(ramp % 2, 127, -127), ramp * 4 + 3,
        np.concatenate([[127], np.arange(31) - 15.5]),          # ties of q8_0: halves of d = 1
        np.concatenate([[-8], (np.arange(31) - 15.5) / 2]),     # ties of q4_0: halves of d = 1
        np.concatenate([[8], (np.arange(31) - 15.5) / 2]),
        (ramp - 16) * 1e-8, (ramp - 16) * 1e-7, (ramp - 16) * 4e-7,  # d rounds to zero or to a subnormal of f16
        (ramp - 16) * 1e-39, (ramp - 16) * 1e-42, (ramp - 16) * 1.4e-45,  # 1/d overflows
        (ramp - 16) * 1e5, (ramp - 16) * 1e6, (ramp - 16) * 1e37, np.full(32, 3.4028235e38),  # d overflows f16
        np.concatenate([[65504 * 127], ramp[1:] * 1e5]), np.concatenate([[65519.9 * 127], ramp[1:]]),
        np.concatenate([np.zeros(31), [1e-3]]), np.concatenate([[-1e-3], np.zeros(31)]),
        np.concatenate([[0.49999997 * 2, 127], np.full(30, 0.49999997)]),
    ]
    return np.concatenate([np.stack(blocks), np.stack(odd).astype(f)]).astype(f)


def random_blocks(rng, kind, count):
    """Blocks of random bytes; only the f16 fields are made finite."""
    size = gguf.GGML_QUANT_SIZES[kind][1]
    blocks = rng.integers(0, 256, (count, size), dtype=np.uint8)
    halves = {"Q5_0": [0], "Q5_1": [0, 2], "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [size - 2]}[kind.name]
    for offset in halves:
        blocks[:, offset:offset + 2] = rng.standard_normal((count, 1)).astype(np.float16).view(np.uint8)
    return blocks


def check_with_ggml(path, x, name, expected):
    library = ctypes.CDLL(path)
    out = np.zeros_like(expected)
    function = getattr(library, f"quantize_row_{name}_ref")
    function(x.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(x.size))
    rows = np.nonzero((out.reshape(len(x), -1) != expected.reshape(len(x), -1)).any(axis=1))[0]
    if rows.size:
        raise SystemExit(f"{name}: gguf and ggml differ in blocks {rows.tolist()}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ggml", help="path of libggml-base.so, to check the block formats against")
    arguments = parser.parse_args()
    rng = np.random.default_rng(20261122)
    OUT.mkdir(parents=True, exist_ok=True)

    def save(name, array):
        np.ascontiguousarray(array).tofile(OUT / name)

    x = float_inputs(rng)
    save("floats.f32", x)
    for name, dtype in (("fp8_e4m3", ml_dtypes.float8_e4m3fn), ("fp8_e5m2", ml_dtypes.float8_e5m2)):
        save(f"{name}.values.f32", np.arange(256, dtype=np.uint8).view(dtype).astype(np.float32))
        save(f"floats.{name}", saturating_cast(x, dtype))
    with np.errstate(over="ignore"):
        save("floats.f16", x.astype(np.float16))
    save("floats.bf16", x.astype(ml_dtypes.bfloat16))

    blocks = block_inputs(rng)
    save("blocks.f32", blocks)
    with np.errstate(all="ignore"):
        for name, kind in (("q8_0", TYPES.Q8_0), ("q4_0", TYPES.Q4_0), ("q4_1", TYPES.Q4_1)):
            # In ggml the scale of an all-zero block of q4_0 does not depend on the sign of the zeros.
            encoded = quantize(blocks + np.float32(0) if name == "q4_0" else blocks, kind)
            if arguments.ggml:
                check_with_ggml(arguments.ggml, blocks, name, encoded)
            save(f"blocks.{name}", encoded)
            save(f"blocks.{name}.f32", dequantize(encoded, kind))
    for name, kind in (("q5_0", TYPES.Q5_0), ("q5_1", TYPES.Q5_1), ("q4_k", TYPES.Q4_K), ("q5_k", TYPES.Q5_K),
                       ("q6_k", TYPES.Q6_K)):
        encoded = random_blocks(rng, kind, 6)
        save(f"random.{name}", encoded)
        save(f"random.{name}.f32", dequantize(encoded, kind))


if __name__ == "__main__":
    main()
