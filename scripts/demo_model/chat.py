"""Chat form of the family: the template for tokenizer_config.json and the same rendering in Python."""

import json
from dataclasses import dataclass, field

BOS, EOT, IM_START, IM_END = "<|startoftext|>", "<|endoftext|>", "<|im_start|>", "<|im_end|>"
CALL_START, CALL_END = "<|tool_call_start|>", "<|tool_call_end|>"
SPECIAL_TOKENS = [
    "<|pad|>", BOS, EOT, "<|fim_pre|>", "<|fim_mid|>", "<|fim_suf|>", IM_START, IM_END,
    "<|tool_list_start|>", "<|tool_list_end|>", CALL_START, CALL_END,
    "<|tool_response_start|>", "<|tool_response_end|>",
]

TEMPLATE = """\
{{- bos_token -}}
{%- set keep_past_thinking = keep_past_thinking | default(false) -%}
{%- set ns = namespace(system_prompt="", last_assistant_index=-1) -%}
{%- if messages[0]["role"] == "system" -%}
    {%- set ns.system_prompt = messages[0]["content"] -%}
    {%- set messages = messages[1:] -%}
{%- endif -%}
{%- if tools -%}
    {%- set ns.system_prompt = ns.system_prompt + ("\\n" if ns.system_prompt else "") + "List of tools: [" -%}
    {%- for tool in tools -%}
        {%- if tool is not string -%}
            {%- set tool = tool | tojson -%}
        {%- endif -%}
        {%- set ns.system_prompt = ns.system_prompt + tool -%}
        {%- if not loop.last -%}
            {%- set ns.system_prompt = ns.system_prompt + ", " -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set ns.system_prompt = ns.system_prompt + "]" -%}
{%- endif -%}
{%- if ns.system_prompt -%}
    {{- "<|im_start|>system\\n" + ns.system_prompt + "<|im_end|>\\n" -}}
{%- endif -%}
{%- for message in messages -%}
    {%- if message["role"] == "assistant" -%}
        {%- set ns.last_assistant_index = loop.index0 -%}
    {%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
    {{- "<|im_start|>" + message["role"] + "\\n" -}}
    {%- set content = message["content"] -%}
    {%- if content is not string -%}
        {%- set content = content | tojson -%}
    {%- endif -%}
    {%- if message["role"] == "assistant" and not keep_past_thinking and loop.index0 != ns.last_assistant_index -%}
        {%- if "</think>" in content -%}
            {%- set content = content.split("</think>")[-1] | trim -%}
        {%- endif -%}
    {%- endif -%}
    {{- content + "<|im_end|>\\n" -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{- "<|im_start|>assistant\\n" -}}
{%- endif -%}
"""


@dataclass
class Sample:
    """One training or check item: a conversation, or plain text when `messages` is None."""
    label: str
    kind: str
    messages: list | None = None
    tools: list | None = None
    text: str | None = None
    task: dict = field(default_factory=dict)   # what a check needs to judge a new answer

    def render(self):
        """The text without BOS."""
        if self.messages is None:
            return self.text + EOT
        return render(self.messages, self.tools)

    def prompt(self):
        """Everything before the last assistant turn, ready for generation, without BOS."""
        return render(self.messages[:-1], self.tools, add_generation_prompt=True)


def render(messages, tools=None, add_generation_prompt=False):
    """What TEMPLATE gives, without BOS (conversations of this corpus hold no thinking)."""
    system = ""
    if messages[0]["role"] == "system":
        system, messages = messages[0]["content"], messages[1:]
    if tools:
        system += ("\n" if system else "") + "List of tools: [" + ", ".join(map(json.dumps, tools)) + "]"
    parts = [f"{IM_START}system\n{system}{IM_END}\n"] if system else []
    parts += [f"{IM_START}{m['role']}\n{m['content']}{IM_END}\n" for m in messages]
    return "".join(parts) + (f"{IM_START}assistant\n" if add_generation_prompt else "")


def turn(role, content):
    return {"role": role, "content": content}


def literal(value):
    """A value as the family's Pythonic call writes it."""
    return json.dumps(value) if isinstance(value, str) else repr(value)


def call_block(calls):
    """[(name, {argument: value})] as one tool call turn."""
    inner = ", ".join(f"{name}({', '.join(f'{k}={literal(v)}' for k, v in args.items())})" for name, args in calls)
    return f"{CALL_START}[{inner}]{CALL_END}"


def schema(name, description, params, optional=()):
    """A function's JSON schema; params is {name: JSON type}."""
    return {"name": name, "description": description,
            "parameters": {"type": "object", "properties": {p: {"type": t} for p, t in params.items()},
                           "required": [p for p in params if p not in optional]}}
