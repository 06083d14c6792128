#!/usr/bin/env python3
"""Makes datasets/punkt and datasets/langdetect: the tables that eval/text compiles into the program.

    pip install langdetect==1.0.9
    pip download --no-deps llama-index-core==0.14.25 && unzip llama_index_core-*.whl '*/punkt_tab/english/*'
    scripts/text_tables.py llama_index/core/_static/nltk_cache/tokenizers/punkt_tab/english

Sources, checked against their SHA-256 where one file stands for all: NLTK's punkt_tab, English (that wheel carries the
four files unchanged), and the 55 profiles and the character classes of langdetect 1.0.9. The results are the same bytes on
every machine; the READMEs beside them describe the formats.
"""
import argparse
import hashlib
import json
import pathlib
import struct

import langdetect
from langdetect.utils.ngram import NGram

DATASETS = pathlib.Path(__file__).resolve().parents[1] / "datasets"
PUNKT = {
    "abbrev_types.txt": "92a3e070f43d9b4c5534758ca40ad7343b04e7e29bfe0c2eb658a39445a4f779",
    "collocations.tab": "8e2da1225e4dd2cc9dba261ee231ccb134859e21b46006e7f472c5ee269af0cf",
    "ortho_context.tab": "4bbcca25ed3d3f06c02402abf8419b9f033b8adc06e7b482eca4e45f81a5dc4c",
    "sent_starters.txt": "f3f8535483e1dba487241b764945168123bca3209a9645e59acd1225dc76edac",
}


def write_punkt(source):
    """The lines of NLTK's files, sorted by their bytes, each ended by a newline."""
    for name, digest in PUNKT.items():
        data = (source / name).read_bytes()
        found = hashlib.sha256(data).hexdigest()
        if found != digest:
            raise SystemExit(f"{source / name}: SHA-256 is {found}, expected {digest}")
        lines = sorted(line for line in data.split(b"\n") if line)
        (DATASETS / "punkt" / name).write_bytes(b"".join(line + b"\n" for line in lines))


def read_profiles():
    directory = pathlib.Path(langdetect.__file__).parent / "profiles"
    profiles = [json.loads(path.read_text("utf-8")) for path in sorted(directory.iterdir())]
    assert len(profiles) == 55 and all(len(profile["n_words"]) == 3 for profile in profiles)
    return profiles


def write_profiles(profiles):
    """Header, languages, n-grams in order of their code points, then the counts they point to (see the README)."""
    counts_of = {}
    for index, profile in enumerate(profiles):
        for gram, count in profile["freq"].items():
            points = [ord(c) for c in gram]
            assert 1 <= len(points) <= 3 and max(points) < 0x10000 and min(points) > 0 and count < 1 << 26
            counts_of.setdefault(tuple(points + [0] * (3 - len(points))), []).append(index << 26 | count)
    grams, counts = bytearray(), bytearray()
    for gram in sorted(counts_of):
        grams += struct.pack("<3HI", *gram, len(counts) // 4)
        counts += struct.pack(f"<{len(counts_of[gram])}I", *counts_of[gram])
    header = struct.pack("<8s3I", b"LFMLANG1", len(profiles), len(counts_of), len(counts) // 4)
    languages = b"".join(struct.pack("<8s3I", p["name"].encode(), *p["n_words"]) for p in profiles)
    end = struct.pack("<3HI", 0xFFFF, 0xFFFF, 0xFFFF, len(counts) // 4)
    (DATASETS / "langdetect" / "profiles.bin").write_bytes(header + languages + grams + end + counts)


def write_kanji():
    """Chinese characters and the one that stands for their class: NGram.CJK_MAP without what maps to itself."""
    pairs = sorted((a, b) for a, b in NGram.CJK_MAP.items() if a != b)
    text = "".join(f"{a}\t{b}\n" for a, b in pairs)
    (DATASETS / "langdetect" / "kanji.tab").write_text(text, "utf-8", newline="\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("punkt", type=pathlib.Path, help="the directory with NLTK's four English files")
    write_punkt(parser.parse_args().punkt)
    write_profiles(read_profiles())
    write_kanji()


if __name__ == "__main__":
    main()
