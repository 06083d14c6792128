#!/usr/bin/env python3
"""Makes tests/golden/checkpoint/: files that the formats' own libraries wrote, of every type they have.

types.gguf and split-0000N-of-00002.gguf by the gguf package, directory/ by safetensors. Element i of a tensor of floats is
i/4 - 1, rounded where the type demands it, and i of a tensor of integers. Made with gguf 0.19.0, safetensors 0.8.0 and
torch 2.15.0. Needs: gguf, safetensors, torch, numpy.
"""
import json
import pathlib

import gguf
import numpy as np
import torch
from gguf.quants import quantize
from safetensors.torch import save_file

OUT = pathlib.Path(__file__).resolve().parents[2] / "tests" / "golden" / "checkpoint"
TYPES = gguf.GGMLQuantizationType


def ramp(*shape):
    return (np.arange(np.prod(shape), dtype=np.float32) / 4 - 1).reshape(shape)


def write_gguf(path, split_max_tensors):
    writer = gguf.GGUFWriter(str(path), "lfm2moe", split_max_tensors=split_max_tensors)
    writer.add_uint8("u8", 200)
    writer.add_int8("i8", -3)
    writer.add_uint16("u16", 60000)
    writer.add_int16("i16", -300)
    writer.add_uint64("u64", 2**40)
    writer.add_int64("i64", -(2**40))
    writer.add_float32("f32", 0.25)
    writer.add_float64("f64", 0.1)
    writer.add_bool("bool", True)
    writer.add_string("text", "naïve")
    writer.add_array("integers", [0, 8, -1])
    writer.add_array("floats", [0.5, -2.0])
    writer.add_array("truths", [True, False])
    writer.add_array("words", ["one", "", "drei"])
    for kind in (TYPES.F32, TYPES.F16, TYPES.BF16, TYPES.Q8_0, TYPES.Q4_0, TYPES.Q5_1):
        writer.add_tensor(kind.name.lower(), quantize(ramp(2, 3, 32), kind), raw_dtype=kind)
    for dtype in (np.int8, np.int32, np.int64, np.float64):
        writer.add_tensor(np.dtype(dtype).name, np.arange(5, dtype=dtype))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def write_directory(path):
    path.mkdir(exist_ok=True)
    floats = (torch.float32, torch.float16, torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2, torch.float64)
    others = (torch.int64, torch.int32, torch.int16, torch.int8, torch.uint8, torch.bool, torch.complex64)
    tensors = {str(t).removeprefix("torch."): torch.from_numpy(ramp(2, 3)).to(t) for t in floats}
    tensors |= {str(t).removeprefix("torch."): torch.arange(6).reshape(2, 3).to(t) for t in others}
    tensors |= {"scalar": torch.tensor(0.75), "empty": torch.zeros(0, 4), "four": torch.from_numpy(ramp(1, 2, 3, 4))}
    save_file(tensors, path / "model.safetensors", metadata={"format": "pt"})
    (path / "model.safetensors").chmod(0o644)
    (path / "config.json").write_text(json.dumps({"model_type": "none"}) + "\n")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    write_gguf(OUT / "types.gguf", 0)
    write_gguf(OUT / "split.gguf", 5)
    write_directory(OUT / "directory")


if __name__ == "__main__":
    main()
