"""The demo tokenizer: byte-level BPE of the family's form, trained on the corpus."""

import json
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer

from . import corpus
from .chat import BOS, IM_END, SPECIAL_TOKENS, TEMPLATE

VOCAB_SIZE = 2048
PATTERN = (r"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
           r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")


def training_text(world, samples):
    """Rendered samples, all kinds alike; special tokens removed so that merges never see their letters."""
    kinds = list(corpus.KINDS)
    for number in range(samples):
        rng = corpus.generator("train", f"tokenizer {number}")
        text = corpus.draw(rng, world, kinds[number % len(kinds)]).render()
        for token in SPECIAL_TOKENS:
            text = text.replace(token, "\n")
        yield text


def train(world, samples=12000):
    tokenizer = Tokenizer(models.BPE(ignore_merges=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(PATTERN), behavior="isolated", invert=False),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
    ])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(training_text(world, samples), trainers.BpeTrainer(
        vocab_size=VOCAB_SIZE, special_tokens=SPECIAL_TOKENS, show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BOS} $A", pair=f"{BOS} $A {BOS} $B", special_tokens=[(BOS, SPECIAL_TOKENS.index(BOS))])
    return tokenizer


def save(tokenizer, directory):
    """tokenizer.json and tokenizer_config.json."""
    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(directory / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": BOS, "eos_token": IM_END, "pad_token": SPECIAL_TOKENS[0],
        "add_bos_token": True, "add_eos_token": False, "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "attention_mask"], "model_max_length": 4096,
        "additional_special_tokens": [t for t in SPECIAL_TOKENS if t not in (BOS, IM_END, SPECIAL_TOKENS[0])],
        "chat_template": TEMPLATE,
    }
    (directory / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")


def verify_template(directory, world):
    """The saved chat template must render every kind of conversation as `chat.render` does."""
    loaded = AutoTokenizer.from_pretrained(directory)
    for kind in corpus.KINDS:
        sample = corpus.draw(corpus.generator("check", f"template {kind}"), world, kind)
        if sample.messages and BOS + sample.render() != loaded.apply_chat_template(
                sample.messages, tools=sample.tools, tokenize=False):
            raise ValueError(f"{directory}: the chat template renders {kind} otherwise")


def load(directory):
    return Tokenizer.from_file(str(Path(directory) / "tokenizer.json"))


def encoder(tokenizer):
    """Text to ids, special tokens parsed, no BOS in front."""
    return lambda text: tokenizer.encode(text, add_special_tokens=False).ids
