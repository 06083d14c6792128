# score: verdicts and figures of recorded responses, from a file, from a directory, and the project's own tasks.
printf '%s\n' '{"key": 7, "prompt": "Quote a title.", "instruction_id_list": ["startend:quotation", "detectable_format:title"], "kwargs": [{}, {"num_words": null}]}' \
    '{"key": 9, "prompt": "No commas.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}' >input_data.jsonl
printf '%s\n' '{"key": 9, "response": "one two"}' '' '{"prompt": "Quote a title.", "response": "\"no title\""}' >responses.jsonl
gives 0 lfmscope score ifeval --responses responses.jsonl --data input_data.jsonl --verdicts verdicts.jsonl --json
[ "$(json out suite) $(json out responses)" = "ifeval 2" ] || fail "$(cat out)"
[ "$(json out prompt_level_strict.right) of $(json out prompt_level_strict.n)" = "1 of 2" ] || fail "$(cat out)"
[ "$(json out instruction_level_loose.right) of $(json out instruction_level_loose.n)" = "2 of 3" ] || fail "$(cat out)"
printf '%s\n' '{"line":1,"key":9,"strict":[true],"loose":[true]}' '{"line":3,"key":7,"strict":[true,false],"loose":[true,false]}' >expected
same verdicts.jsonl expected
gives 0 lfmscope score ifeval --responses responses.jsonl --data .
grep -q '^prompt, strict  *50.00 %' out || fail "$(cat out)"

# Responses to the project's own BFCL tasks, made from their answers: all are right.
mkdir -p data
cp -r "$ROOT/datasets/tasks/bfcl" data/
sed -E 's/.*"id": "([a-z_0-9]+)".*"ground_truth": \[\{"([a-z_]+)": \{"([a-z]+)": \[("[^"]*"|[0-9.]+)\]\}\}\]\}$/{"id": "\1", "mode": "lfm2", "result": [{"name": "\2", "arguments": {"\3": \4}}]}/; t; d' \
    data/bfcl/possible_answer/BFCL_v4_simple_python.json | sed 's/"lfm2"/"openai"/' >calls.jsonl
echo '{"id": "irrelevance_3", "mode": "lfm2", "result": "<|tool_call_start|>[f(a=1)]<|tool_call_end|>"}' >>calls.jsonl
LFMSCOPE_DATA="$PWD/data" gives 0 lfmscope score bfcl --responses calls.jsonl --json --verdicts verdicts.jsonl
right=$(json out categories.simple_python.right)
[ "$right" -gt 0 ] && [ "$right" = "$(json out categories.simple_python.n)" ] || fail "$(cat out)"
[ "$(json out categories.irrelevance.right)" = 0 ] || fail "$(cat out)"
tail -n 1 verdicts.jsonl | grep -q '"valid":false,"error_type":"irrelevance_error:decoder_success"' || fail "$(cat verdicts.jsonl)"
