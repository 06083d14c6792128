#!/usr/bin/env python3
"""Makes tests/golden/chat/cases.json: what transformers' apply_chat_template makes of conversations.

The templates are the demo model's own and further ones in the family's forms, written for this test: with tool_list and
tool_response tokens, with tool calls in front of or behind the content, with a date, with a thinking field; and plain ChatML.
cases.json: {"templates": {name: text}, "conversations": {name: {"messages", "tools"}}, "cases": [{"template",
"conversation", "keep", "prompt", "expected"}]}. Today is 2026-05-04. Made with transformers 5.23. Needs: transformers.

    scripts/golden/chat.py [--output F] [TEMPLATE.jinja...]     with further templates, for a look at published ones
"""
import argparse
import datetime
import json
import pathlib

import transformers.utils.chat_template_utils as chat_template_utils
from transformers import PreTrainedTokenizerFast

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "tests" / "golden" / "chat" / "cases.json"
DEMO = ROOT / "datasets" / "demo-model"

START = """\
{{- bos_token -}}
{%- set ns = namespace(system_prompt="", last_assistant_index=-1, last_user_index=-1) -%}
"""
SYSTEM = """\
{%- if messages[0]["role"] == "system" -%}
    {%- set ns.system_prompt = messages[0]["content"] -%}
    {%- set messages = messages[1:] -%}
{%- endif -%}
"""
SYSTEM_PARTS = """\
{%- if messages[0]["role"] == "system" -%}
    {%- if messages[0].get("content") -%}
        {%- set ns.system_prompt = parse_content(messages[0]["content"]) -%}
    {%- endif -%}
    {%- set messages = messages[1:] -%}
{%- endif -%}
"""
TOOLS = """\
{%- if tools -%}
    {%- set ns.system_prompt = ns.system_prompt + ("\\n" if ns.system_prompt else "") + "List of tools: OPEN[" -%}
    {%- for tool in tools -%}
        {%- set text = tool if tool is string else tool | tojson -%}
        {%- set ns.system_prompt = ns.system_prompt + text + ("" if loop.last else ", ") -%}
    {%- endfor -%}
    {%- set ns.system_prompt = ns.system_prompt + "]CLOSE" -%}
{%- endif -%}
"""
DATED_TOOLS = """\
{%- if tools -%}
    {%- set ns.system_prompt = ns.system_prompt + ("\\n\\n" if ns.system_prompt else "") +
        "Today's date: " + strftime_now("%Y-%m-%d") + "\\n\\nList of tools: " + (tools | tojson) -%}
{%- endif -%}
"""
TURNS = """\
{%- if ns.system_prompt -%}
    {{- "<|im_start|>system\\n" + ns.system_prompt + "<|im_end|>\\n" -}}
{%- endif -%}
{%- for message in messages -%}
    {%- if message["role"] == "assistant" -%}{%- set ns.last_assistant_index = loop.index0 -%}{%- endif -%}
    {%- if message["role"] == "user" -%}{%- set ns.LAST_USER = loop.index0 -%}{%- endif -%}
{%- endfor -%}
{%- for message in messages -%}
    {{- "<|im_start|>" + message["role"] + "\\n" -}}
"""
END = """\
{%- endfor -%}
{%- if add_generation_prompt -%}{{- "<|im_start|>assistant\\n" -}}{%- endif -%}
"""
CONTENT = """\
    {%- set content = message["content"] -%}
    {%- if content is not string -%}{%- set content = content | tojson -%}{%- endif -%}
"""
PARSE = """\
{%- macro parse_content(content) -%}
    {%- if content is string -%}{{- content -}}
    {%- else -%}
        {%- for item in content -%}
            {%- if item["type"] == "image" -%}{{- "<image>" -}}
            {%- elif item["type"] == "text" -%}{{- item["text"] -}}
            {%- else -%}{{- item | tojson -}}{%- endif -%}
        {%- endfor -%}
    {%- endif -%}
{%- endmacro -%}
"""
CALLS = """\
{%- macro format_arg_value(arg_value) -%}
    {%- if arg_value is string -%}{{- QUOTED -}}
    {%- elif arg_value is mapping -%}{{- arg_value | tojson -}}
    {%- else -%}{{- arg_value | string -}}{%- endif -%}
{%- endmacro -%}
{%- macro render_tool_calls(tool_calls) -%}
    {%- set calls = namespace(list=[]) -%}
    {%- for tool_call in tool_calls -%}
        {%- set args = namespace(list=[]) -%}
        {%- for arg_name, arg_value in tool_call["function"]["arguments"].items() -%}
            {%- set args.list = args.list + [arg_name + "=" + format_arg_value(arg_value)] -%}
        {%- endfor -%}
        {%- set calls.list = calls.list + [tool_call["function"]["name"] + "(" + (args.list | join(", ")) + ")"] -%}
    {%- endfor -%}
    {{- "<|tool_call_start|>[" + (calls.list | join(", ")) + "]<|tool_call_end|>" -}}
{%- endmacro -%}
"""
INLINE_CALLS = """\
    {%- if message.get("tool_calls") -%}
        {%- set calls = namespace(list=[]) -%}
        {%- for tool_call in message["tool_calls"] -%}
            {%- set args = namespace(list=[]) -%}
            {%- for arg_name, arg_value in tool_call["function"]["arguments"].items() -%}
                {%- if arg_value is none -%}{%- set value = "null" -%}
                {%- elif arg_value is boolean -%}{%- set value = "True" if arg_value else "False" -%}
                {%- elif arg_value is string -%}{%- set value = '"' ~ arg_value ~ '"' -%}
                {%- elif arg_value is mapping or arg_value is iterable -%}{%- set value = arg_value | tojson -%}
                {%- else -%}{%- set value = arg_value | string -%}{%- endif -%}
                {%- set args.list = args.list + [arg_name ~ "=" ~ value] -%}
            {%- endfor -%}
            {%- set calls.list = calls.list + [tool_call["function"]["name"] + "(" + (args.list | join(", ")) + ")"] -%}
        {%- endfor -%}
        {{- "<|tool_call_start|>[" + (calls.list | join(", ")) + "]<|tool_call_end|>" -}}
    {%- endif -%}
"""
STRIP = """\
    {%- if message["role"] == "assistant" and not keep_past_thinking and loop.index0 != ns.last_assistant_index -%}
        {%- if "</think>" in content -%}{%- set content = content.split("</think>")[-1] | trim -%}{%- endif -%}
    {%- endif -%}
"""
CLOSE = """    {{- content + "<|im_end|>\\n" -}}\n"""
DATED_TURN = """\
    {%- if message.role == "assistant" -%}
        {%- if message.thinking is defined and (keep_past_thinking or loop.index0 == ns.last_assistant_index) -%}
            {{- "<think>" + message.thinking + "</think>" -}}
        {%- endif -%}
        {%- if message.tool_calls is defined -%}{{- render_tool_calls(message.tool_calls) -}}{%- endif -%}
        {%- if message.content is defined -%}
            {%- set content = parse_content(message.content) -%}
            {%- if not keep_past_thinking and loop.index0 != ns.last_assistant_index and "</think>" in content -%}
                {%- set content = content.split("</think>")[-1] | trim -%}
            {%- endif -%}
            {{- content + "<|im_end|>\\n" -}}
        {%- endif -%}
    {%- elif message.content is defined -%}
        {{- parse_content(message.content) + "<|im_end|>\\n" -}}
    {%- endif -%}
"""
REASONING_TURN = """\
    {%- if message.role == "assistant" -%}
        {%- set keep = preserve_thinking or loop.index0 > ns.last_user_index -%}
        {%- if message.thinking is defined and keep -%}{{- "<think>" + message.thinking + "</think>" -}}{%- endif -%}
        {%- if message.content is defined -%}
            {%- set content = parse_content(message.content) -%}
            {%- if not keep and "</think>" in content -%}
                {%- set content = content.split("</think>")[-1] | trim -%}
            {%- endif -%}
            {{- content -}}
        {%- endif -%}
        {%- if message.tool_calls is defined -%}{{- render_tool_calls(message.tool_calls) -}}{%- endif -%}
    {%- elif message.get("content") -%}
        {{- parse_content(message["content"]) -}}
    {%- endif -%}
    {{- "<|im_end|>\\n" -}}
"""
PLAIN = """{% for message in messages %}DEFAULT\
{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n'}}\
{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"""
DEFAULT = """{% if loop.first and messages[0]['role'] != 'system' %}\
{{ '<|im_start|>system\\nYou are a small test.<|im_end|>\\n' }}{% endif %}"""


def templates():
    turns = TURNS.replace("LAST_USER", "ignored").replace("last_user_index", "ignored")
    start = START.replace("last_user_index", "ignored")
    plain_tools = TOOLS.replace("OPEN", "").replace("CLOSE", "")
    token_tools = TOOLS.replace("OPEN", "<|tool_list_start|>").replace("CLOSE", "<|tool_list_end|>")
    response = """    {%- if message["role"] == "tool" -%}
        {%- set content = "<|tool_response_start|>" + content + "<|tool_response_end|>" -%}
    {%- endif -%}
"""
    double, single = """'"' + arg_value + '"'""", '''"'" + arg_value + "'"'''
    parts = CONTENT.replace("content | tojson", "parse_content(content)")
    return {
        "demo": json.loads((DEMO / "tokenizer_config.json").read_text())["chat_template"],
        "tokens": start + SYSTEM + token_tools + turns + CONTENT + response + CLOSE + END,
        "calls": PARSE + start + SYSTEM_PARTS + plain_tools + turns + INLINE_CALLS + parts + STRIP + CLOSE + END,
        "dated": PARSE + CALLS.replace("QUOTED", double) + start + SYSTEM_PARTS + DATED_TOOLS + turns + DATED_TURN + END,
        "reasoning": PARSE + CALLS.replace("QUOTED", single) + START + SYSTEM_PARTS + plain_tools +
                     TURNS.replace("LAST_USER", "last_user_index") + REASONING_TURN + END,
        "plain": PLAIN.replace("DEFAULT", DEFAULT),
        "plain-bos": "{{ bos_token }}" + PLAIN.replace("DEFAULT", ""),
    }


def turn(role, content=None, **more):
    return {"role": role, **({"content": content} if content is not None else {}), **more}


def call(name, **arguments):
    return {"type": "function", "function": {"name": name, "arguments": arguments}}


WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "The weather \"now\" in a place: température, 天気\n<b>&</b>",
    "parameters": {"type": "object", "properties": {"place": {"type": "string"}, "days": {"type": "integer", "minimum": 1},
                                                     "scale": {"enum": ["C", "F", None], "default": "C"},
                                                     "limit": {"type": "number", "maximum": 0.1, "multipleOf": 1e-07}},
                   "required": [], "additionalProperties": False}}}
ARGUMENTS = {"text": "it's \"so\"", "none": None, "yes": True, "no": False, "whole": 12, "negative": -3, "part": 0.1, "small": 1e-07,
             "large": 1.5e+300,
             "list": ["a", "it's", "\"", "both ' and \"", 1, 2.5, None, True, {"k": "v"}, [], "né\u00ad\u200b\n\t\\\x7f🙂"],
             "map": {"a": 1, "b": [1, 2], "c": "é\"\\\n"}, "empty": {}, "unicode": "naïve 天気 🙂"}


def conversations():
    hello = [turn("user", "Hello")]
    thinking = [turn("user", "One?"), turn("assistant", "<think>hm</think>\n\n Uno. \u00a0"), turn("user", "Two?"),
                turn("assistant", "<think>a</think>b</think> Dos.\x1c"), turn("user", "Three?"),
                turn("assistant", "<think>x</think> Tres.")]
    tool_turns = [turn("user", "Weather?"),
                  turn("assistant", "Let me see.", tool_calls=[call("get_weather", **ARGUMENTS), call("other")]),
                  turn("tool", '{"temperature": 20}'), turn("assistant", "20 degrees.")]
    return {
        "hello": {"messages": hello},
        "system": {"messages": [turn("system", "Be brief."), *hello]},
        "empty-system": {"messages": [turn("system", ""), *hello]},
        "late-system": {"messages": [*hello, turn("assistant", "Hi"), turn("system", "Stop."), turn("user", "Why?")]},
        "tools": {"messages": hello, "tools": [WEATHER]},
        "system-tools": {"messages": [turn("system", "Be brief."), *hello],
                         "tools": [WEATHER, {"name": "f", "x": [1, -2.5, 1e20]}]},
        "no-tools": {"messages": hello, "tools": []},
        "only-system": {"messages": [turn("system", "Be brief.")]},
        "thinking": {"messages": thinking},
        "thinking-question": {"messages": thinking[:-1]},
        "thinking-field": {"messages": [turn("user", "1?"), turn("assistant", "uno", thinking="a"), turn("user", "2?"),
                                        turn("assistant", "dos", thinking="b")]},
        "answer": {"messages": [turn("user", "Weather?"), turn("assistant", "Let me see."), turn("tool", '{"temperature": 20}'),
                                turn("assistant", "20 degrees.")], "tools": [WEATHER]},
        "calls": {"messages": tool_turns, "tools": [WEATHER]},
        "calls-question": {"messages": tool_turns[:3]},
        "calls-alone": {"messages": [turn("user", "Weather?"),
                                     turn("assistant", tool_calls=[call("f", x="1")]), turn("tool", "ok")]},
        "no-calls": {"messages": [*hello, turn("assistant", "Hi", tool_calls=[])]},
        "parts": {"messages": [turn("user", [{"type": "text", "text": "What is "}, {"type": "image"},
                                             {"type": "text", "text": "this?"},
                                             {"type": "audio", "url": "a"}])]},
        "null": {"messages": [{"role": "user", "content": None}]},
        "object": {"messages": [turn("user", "x"), turn("tool", {"a": [1, 0.5, "é"]})]},
        "unicode": {"messages": [turn("user", "naïve\r\n天気 👩‍👩‍👧‍👦\t\x0b"), turn("assistant", "\u2028")]},
    }


class FixedDate(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls(2026, 5, 4)


def render(tokenizer, template, conversation, keep, prompt):
    return tokenizer.apply_chat_template(conversation["messages"], tools=conversation.get("tools"), chat_template=template,
                                         tokenize=False, add_generation_prompt=prompt, keep_past_thinking=keep,
                                         preserve_thinking=keep)


# What lfmscope refuses on purpose: calls and tools that a template does not print, an object where parts are expected.
def comparable(name, template, conversation):
    calls = any(message.get("tool_calls") for message in conversation["messages"])
    if calls and "tool_calls" not in template:
        return False
    if '"<image>"' in template and any(isinstance(message.get("content"), dict) for message in conversation["messages"]):
        return False
    return not (conversation.get("tools") and "tools" not in template)


def make(named):
    chat_template_utils.datetime = FixedDate
    tokenizer = PreTrainedTokenizerFast.from_pretrained(str(DEMO))
    chosen, cases = conversations(), []
    for name, template in named.items():
        for conversation_name, conversation in chosen.items():
            for keep, prompt in ((False, True), (True, False)):
                if not comparable(name, template, conversation):
                    continue
                try:
                    expected = render(tokenizer, template, conversation, keep, prompt)
                except Exception as problem:  # the template itself fails: nothing to compare with
                    print(f"  {name}, {conversation_name}: {type(problem).__name__}: {problem}")
                    break
                cases.append({"template": name, "conversation": conversation_name, "keep": keep, "prompt": prompt,
                              "expected": expected})
    return {"templates": named, "conversations": chosen, "cases": cases}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=pathlib.Path, default=OUT)
    parser.add_argument("more", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    named = templates() | {path.stem: path.read_text() for path in options.more}
    options.output.parent.mkdir(parents=True, exist_ok=True)
    document = make(named)
    lines = ",\n".join(json.dumps(case, ensure_ascii=True) for case in document["cases"])
    options.output.write_text('{"templates": ' + json.dumps(named, indent=1) + ',\n"conversations": ' +
                              json.dumps(document["conversations"], indent=1) + ',\n"cases": [\n' + lines + "\n]}\n")
    print(f"{len(document['cases'])} cases")


if __name__ == "__main__":
    main()
