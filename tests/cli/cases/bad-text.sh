# Text with nothing to score, and JSON lines that are none.
: >empty.txt
refuses 1 "*empty.txt*" lfmscope perplexity "$DEMO" --file empty.txt
refuses 1 "*empty.txt*" lfmscope compare "$DEMO" q8_0 --file empty.txt
refuses 1 "*empty.txt*" lfmscope trace "$DEMO" --file empty.txt --output trace.h5
printf 'word' >short.txt
refuses 1 "*short.txt*" lfmscope perplexity "$DEMO" --file short.txt
printf '{"text": "a b c", "label": "x"}\n{"text": \n' >broken.jsonl
refuses 1 "*broken.jsonl:2*" lfmscope perplexity "$DEMO" --file broken.jsonl
printf '{"txet": "a b c"}\n' >keyless.jsonl
refuses 1 "*keyless.jsonl:1*text*" lfmscope perplexity "$DEMO" --file keyless.jsonl
printf '{"text": 3}\n' >typed.jsonl
refuses 1 "*typed.jsonl:1*text*" lfmscope perplexity "$DEMO" --file typed.jsonl
only empty.txt short.txt broken.jsonl keyless.jsonl typed.jsonl

# A label is text, whatever it says.
printf '{"text": "Nora kept a rabbit.", "label": "x\\u001b[31m\\n"}\n' >control.jsonl
for command in perplexity "compare q8_0" "ledger q8_0"; do
    # shellcheck disable=SC2086 # words
    set -- $command
    gives 0 lfmscope "$1" "$DEMO" ${2:+"$2"} --file control.jsonl --context 16 --score all
    grep -q 'x?\[31m?' out && ! grep -q "$(printf '\033')" out || fail "$1: a label reached the terminal: $(cat out)"
done

# JSON Lines are known by their first line where no name says so.
documents 2 two.jsonl
gives 0 lfmscope perplexity "$DEMO" --file two.jsonl --context 64 --special --json
grep -v '"command"' out >named
cp two.jsonl two.txt
for file in two.txt -; do
    lfmscope perplexity "$DEMO" --file $file --context 64 --special --json <two.jsonl >out || fail "refused $file"
    grep -v '"command"' out >unnamed
    same named unnamed
done
