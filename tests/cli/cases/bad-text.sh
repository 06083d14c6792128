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
