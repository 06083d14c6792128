# Results that could not be printed are a failure, not a success.
documents 1 text.jsonl
try() {
    status=0
    "$@" >/dev/full 2>err || status=$?
    [ $status = 1 ] || fail "exit status $status with a full stdout: $*"
    [ "$(wc -l <err)" = 1 ] || fail "$(wc -l <err) lines on stderr: $*"
}
try lfmscope info "$DEMO"
try lfmscope info "$DEMO" --json
try lfmscope perplexity "$DEMO" --file text.jsonl --context 64
try lfmscope tokenize "$DEMO" --text word
try lfmscope generate "$DEMO" --prompt The --max-tokens 3
try lfmscope --help
try lfmscope info --help
