# Results go to stdout; without a terminal no progress is drawn on stderr.
documents 1 text.jsonl
gives 0 lfmscope perplexity "$DEMO" --file text.jsonl --context 64 --special
[ -s out ] || fail "no result on stdout"
[ ! -s err ] || fail "stderr: $(cat err)"
gives 0 lfmscope compare "$DEMO" q8_0 --file text.jsonl --context 64 --special
[ -s out ] || fail "no result on stdout"
[ ! -s err ] || fail "stderr: $(cat err)"
