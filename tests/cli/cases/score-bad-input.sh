# Bad responses and data are refused with one line that says where; hostile calls are only wrong.
item() { # KEY ID KWARGS
    printf '{"key": %s, "prompt": "p%s", "instruction_id_list": ["%s"], "kwargs": [%s]}\n' "$1" "$1" "$2" "$3"
}
item 1 punctuation:no_comma '{}' >data.jsonl
item 2 length_constraints:number_words '{"num_words": 3, "relation": "at least"}' >>data.jsonl
score() { # PATTERN: of r.jsonl
    refuses 1 "lfmscope: $1" lfmscope score ifeval --responses r.jsonl --data data.jsonl --verdicts v.jsonl
    absent v.jsonl v.jsonl.partial
}
good='{"key": 1, "response": "x"}'
printf '%s\n{"key": 2, "response": "x"\n' "$good" >r.jsonl
score "r.jsonl:2:*not valid JSON*"
printf '%s\n[1]\n' "$good" >r.jsonl
score "r.jsonl:2: expected a JSON object"
printf '%s\n{"key": 2, "response": "\377"}\n' "$good" >r.jsonl
score "r.jsonl:2: not valid UTF-8"
printf '{"key": 1, "response": "a\0b"}\n' >r.jsonl
score "r.jsonl:1: a zero byte"
awk 'BEGIN { printf "{\"key\": 1, \"response\": "; for (i = 0; i < 100000; i++) printf "["; print "}" }' >r.jsonl
score "r.jsonl:1:*not valid JSON*"
printf '%s\n{"key": 3, "response": "x"}\n' "$good" >r.jsonl
score "r.jsonl:2: the data set has no key 3"
echo '{"prompt": "nobody asked", "response": "x"}' >r.jsonl
score "r.jsonl:1: the data set has no such prompt"
echo '{"id": 1, "response": "x"}' >r.jsonl
score "r.jsonl:1: neither 'key' (a number) nor 'prompt' (a string)"
echo '{"key": 1, "response": null}' >r.jsonl
score "r.jsonl:1: *'response'*"
printf '%s\n\n%s\n' "$good" "$good" >r.jsonl
score "r.jsonl:3: a second response to the item of line 1; --many allows several"
gives 0 lfmscope score ifeval --responses r.jsonl --data data.jsonl --many
: >r.jsonl
score "r.jsonl: there are no responses"
rm r.jsonl
score "cannot open 'r.jsonl': *"

# The data set.
echo "$good" >r.jsonl
data() { # PATTERN ID KWARGS: of the second line
    item 1 punctuation:no_comma '{}' >bad.jsonl
    item 2 "$2" "$3" >>bad.jsonl
    refuses 1 "lfmscope: bad.jsonl:2: $1" lfmscope score ifeval --responses r.jsonl --data bad.jsonl
}
data "unknown instruction 'punctuation:no_dots'" punctuation:no_dots '{}'
data "punctuation:no_comma takes no argument 'n' (it takes none)" punctuation:no_comma '{"n": 1}'
data "length_constraints:number_words takes no argument 'words' (num_words relation)" \
    length_constraints:number_words '{"words": 3, "relation": "at least"}'
data "length_constraints:number_words: *'num_words'*" length_constraints:number_words '{"relation": "at least"}'
data "length_constraints:number_words: *'num_words'*" length_constraints:number_words '{"num_words": "3", "relation": "at least"}'
data "length_constraints:number_words: *'relation' is 'about', expected*" \
    length_constraints:number_words '{"num_words": 3, "relation": "about"}'
data "keywords:existence: *'keywords' must be a list of strings" keywords:existence '{"keywords": [1]}'
data "keywords:existence: cannot use the pattern '(': *" keywords:existence '{"keywords": ["("]}'
data "the arguments of 'detectable_format:title' must be an object" detectable_format:title null
item 1 punctuation:no_comma '{}' >>bad.jsonl
sed -i 2d bad.jsonl
refuses 1 "lfmscope: bad.jsonl: key 1 stands there twice" lfmscope score ifeval --responses r.jsonl --data bad.jsonl
mkdir empty
refuses 1 "lfmscope: the directory 'empty' has no input_data.jsonl" lfmscope score ifeval --responses r.jsonl --data empty
refuses 1 "lfmscope: no BFCL questions in 'empty'*" lfmscope score bfcl --responses r.jsonl --data empty
refuses 2 "lfmscope score: unknown suite 'mmlu': expected ifeval or bfcl*" lfmscope score mmlu --responses r.jsonl

# Calls.
tasks="$ROOT/datasets/tasks/bfcl"
calls() { # PATTERN
    refuses 1 "lfmscope: $1" lfmscope score bfcl --responses r.jsonl --data "$tasks"
}
echo '{"id": "simple_python_0", "result": "x"}' >r.jsonl
calls "r.jsonl:1: *'mode'*"
echo '{"id": "simple_python_0", "result": "x", "mode": "chat"}' >r.jsonl
calls "r.jsonl:1: 'mode' is 'chat', expected lfm2, prompt or openai"
echo '{"id": "simple_python_0", "mode": "lfm2"}' >r.jsonl
calls "r.jsonl:1: 'result' is missing"
echo '{"id": "simple_ruby_0", "result": "x", "mode": "lfm2"}' >r.jsonl
calls "r.jsonl:1: the data set has no id 'simple_ruby_0'"
deep=$(awk 'BEGIN { for (i = 0; i < 50000; i++) printf "f(a=[" }')
for mode in lfm2 prompt openai; do
    for result in "$deep" 'f(' 'f(a=1' '\\u0000' '"' '[1, 2' '10**10**10' 'f(a=9**9**9)'; do
        printf '{"id": "simple_python_0", "mode": "%s", "result": "%s"}\n' "$mode" "$(printf '%s' "$result" | sed 's/"/\\"/g')" >r.jsonl
        gives 0 lfmscope score bfcl --responses r.jsonl --data "$tasks" --json
        [ "$(json out categories.simple_python.right)" = 0 ] || fail "$mode took '$(head -c 40 r.jsonl)'"
    done
done
