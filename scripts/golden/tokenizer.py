#!/usr/bin/env python3
"""Makes tests/golden/tokenizer/: small tokenizers of several kinds, and the ids that the tokenizers library gives texts.

Each directory holds tokenizer.json, tokenizer_config.json and cases.json: {"cases": [{"hex", "special", "ids"}]}, the
texts as hexadecimal bytes (not all are UTF-8; the library saw them with errors="replace"), no BOS in front.
demo/cases.json belongs to the tokenizer of datasets/demo-model. Made with tokenizers 0.23.3. Needs: tokenizers.
"""
import hashlib
import json
import pathlib
import random
import sys

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import check_tokenizer  # noqa: E402

OUT = ROOT / "tests" / "golden" / "tokenizer"
WORDS = """the of and to in is you that it he was for on are as with his they at be this have from or one had by word but not what
all were we when your can said there use an each which she do how their if will up other about out many then them these so some
her would make like him into time has look two more write go see number no way could people my than first water been call who oil
its now find long down day did get come made may part expert router token weight quantize layer convolution attention""".split()

LLAMA3 = check_tokenizer.LLAMA3
FOLDED = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s")
POSSESSIVE = (r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+"
              r"| ?[^\s\p{L}\p{N}]++[\r\n]*+|\s++$|\s*[\r\n]|\s+(?!\S)|\s")


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(pattern, behavior, invert)


def byte_level(prefix=False, regex=False):
    return pre_tokenizers.ByteLevel(add_prefix_space=prefix, use_regex=regex)


# name: (pre-tokenizer, ignore_merges, added tokens, merges written as strings)
KINDS = {
    "folded": ([split(Regex(FOLDED)), byte_level()], True,
               [AddedToken("<|tool|>", special=False, normalized=False), AddedToken("<|to", special=False, normalized=False)], False),
    "gpt2": ([byte_level(prefix=True, regex=True)], False,
             [AddedToken("<left>", special=True, lstrip=True), AddedToken("<right>", special=True, rstrip=True),
              AddedToken("   ", special=False, normalized=True),
              AddedToken("<mask>", special=False, normalized=True, lstrip=True)], True),
    "digits": ([pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.Digits(individual_digits=True), byte_level(regex=True)], False,
               [], False),
    "steps": ([split(Regex(r"[\r\n]")), split(Regex(r"\s?\p{L}+")), split(Regex(r"\s?[[!-/][:-~]]+")), split(Regex(r"\s+$")),
               split(" t", "merged_with_previous"), split("e", "merged_with_next"), split(Regex("[xX]"), "removed"),
               split(Regex(r"\S+"), "contiguous", True), byte_level()], False, [], False),
    "possessive": ([split(Regex(POSSESSIVE)), byte_level()], False, [], True),
    "scripts": ([split(Regex(r"\p{Han}{,2}")), split(Regex(r"[\p{Hiragana}\p{^Katakana}]+?\P{Latin}")), split(Regex("t{,}|o{,1}n")),
                 byte_level()], False, [], False),
}


def training_text(seed):
    rng = random.Random(seed)
    for _ in range(600):
        yield " ".join(rng.choice(WORDS) for _ in range(12)) + ". "
    yield from (text.decode("utf-8", errors="replace") for text in check_tokenizer.corpus(seed, 700))


def train(steps, ignore_merges, added):
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(steps)
    tokenizer.decoder = decoders.ByteLevel()
    specials = ["<|pad|>", "<|startoftext|>", "<|im_start|>", "<|im_end|>"]
    tokenizer.train_from_iterator(training_text(7), trainers.BpeTrainer(
        vocab_size=640, special_tokens=specials, show_progress=False, initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.add_tokens([token for token in added if not token.special])
    tokenizer.add_special_tokens([token for token in added if token.special])
    tokenizer.post_processor = processors.TemplateProcessing(single="<|startoftext|> $A", special_tokens=[("<|startoftext|>", 1)])
    return tokenizer


def save(tokenizer, name, merges_as_text):
    directory = OUT / name
    directory.mkdir(parents=True, exist_ok=True)
    document = json.loads(tokenizer.to_str())
    if merges_as_text:
        document["model"]["merges"] = [" ".join(merge) for merge in document["model"]["merges"]]
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    (directory / "tokenizer.json").write_text(text + "\n")
    (directory / "tokenizer_config.json").write_text(
        json.dumps({"bos_token": "<|startoftext|>", "eos_token": {"content": "<|im_end|>"}, "pad_token": "<|pad|>"}) + "\n")
    return Tokenizer.from_str(text)


def texts():
    """All short texts of the corpus once, and some of each longer kind."""
    chosen = [text for text in check_tokenizer.corpus(3, 2000) if len(text) <= 160]
    rng = random.Random(5)
    special = [b"<|im_start|>user\nhi<|im_end|>", b"a <left> b <right> c", b"  <left>\t\n<right>  <mask>x",
               b"a    b", b"<|tool|><|tool<|to",
               b"<|im_start|><|im_start|>", b"<|startoftext|>", "\u3000<left>\u3000<right>\u3000".encode(),
               b"   ", b"<mask>   <mask>"]
    fixed = chosen[:700]
    drawn = rng.sample(fixed, 150) + rng.sample(chosen[700:], 90)
    return special + drawn + [b"\0a\0\0 b\0", b"a" * 300, b" " * 300, b"\xff" * 40,
                              "、。〈漢字〉漢字漢ひらがなー、カタカナー ・ the onto ªº t{,} on".encode()]


def cases(tokenizer):
    found = []
    for number, text in enumerate(texts()):
        for special in ((False, True) if number < 10 else (number % 2 == 0,)):
            tokenizer.encode_special_tokens = not special
            ids = tokenizer.encode(text.decode("utf-8", errors="replace"), add_special_tokens=False).ids
            found.append({"hex": text.hex(), "special": special, "ids": ids})
    return found


def write_cases(name, tokenizer, **more):
    directory = OUT / name
    directory.mkdir(parents=True, exist_ok=True)
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases(tokenizer))
    head = "".join(f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in more.items())
    (directory / "cases.json").write_text("{" + head + '"cases": [\n' + lines + "\n]}\n")


def main():
    for name, (steps, ignore_merges, added, merges_as_text) in KINDS.items():
        write_cases(name, save(train(steps, ignore_merges, added), name, merges_as_text))
    demo = ROOT / "datasets" / "demo-model" / "tokenizer.json"
    write_cases("demo", Tokenizer.from_file(str(demo)), sha256=hashlib.sha256(demo.read_bytes()).hexdigest())


if __name__ == "__main__":
    main()
