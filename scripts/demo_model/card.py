"""README.md of the demo model."""

from pathlib import Path

TEXT = """\
# The demo model

A small `lfm2_moe` that ships with lfmscope, so that every command has something real to measure: {parameters} parameters,
8 layers (5 short convolutions, 3 attention), 2 dense layers, then 10 experts of which 3 are active, width 256, 2,048 tokens.
bf16, in Hugging Face form (`expert_bias` in F32, experts stored one by one, output tied to the embedding); `transformers`
loads it as `Lfm2MoeForCausalLM`.

**What it is.** Trained from nothing on invented English text: short narratives, instructions with verifiable constraints,
tool calls in the family's format, service desk conversations, and recall, both of {facts} invented facts and from the text
at hand. It does most of these tasks well but not perfectly, so that quantization has something to lose.

**What it is not.** Not a model by Liquid AI, not derived from one, and no assistant: it knows only its invented world and the
wordings of its own corpus. Its scores say nothing about LFM2.5-8B-A1B or any other model.

**Format.** ChatML as in the LFM2.5 family: `<|startoftext|>`, turns of system, user, assistant and tool between `<|im_start|>`
and `<|im_end|>`, `List of tools: [...]` in the system turn, calls as
`<|tool_call_start|>[name(arg="x", n=3)]<|tool_call_end|>`. The tokenizer is a byte-level BPE with the family's pre-tokenizer
and special tokens. The longest text in training had 1,024 tokens.

**How it was made.** `scripts/train_demo_model.py` makes corpus, tokenizer and weights: short copying
exercises first, then all domains in windows of up to 1,024 tokens; AdamW, peak rate 1.5e-3 with warm-up and linear decay; the
routing bias moves by 0.002 against each expert's load after each step. The shipped weights saw {training}. Their
mixture and schedule were adjusted while they trained, so a new run gives a similar model, not the same bits.

## Measured

The shipped bf16 weights, computed in float32, greedy decoding, new tasks from seeds that training never used; perplexity on
`datasets/held-out`. `scripts/train_demo_model.py check` repeats this. On that text, the busiest expert of any
layer gets {load:.2f} times the mean load.

{table}

Instructions count as right when every constraint holds, tool calls when all calls and arguments are equal, conversations
when all tool calls and the final database are equal, recall when every expected value is in the answer. Closed-book questions
ask for the {facts} facts that training told again and again.

Read the rates with these limits in mind:

- Some kinds lie outside the range where losses show well: questions about a choice of three, known facts and single needles are
  nearly always right; several calls at once, several needles, variables and reading are often wrong.
- Four in five irrelevant requests are ones that no tool at all could serve; these it declines. When only the fitting tool is
  missing from the list, it calls that tool nevertheless (0 of 17 such requests declined).
- In conversations the calls decide, not the words. The agent's sentences often name the wrong status, reason or action and the
  conversation still counts as right (of 20, 17 counted and 1 was word for word what the policy asks for).
- While the model trained, some tasks of this check were looked at to adjust the mixture, so the rates may flatter slightly.

Licence: Apache-2.0, like the project.
"""


def write(directory, table, load, parameters, training, facts):
    text = TEXT.format(facts=facts, parameters=f"{parameters:,}", training=training, load=load, table=table)
    (Path(directory) / "README.md").write_text(text)
