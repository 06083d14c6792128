# --json prints one document with the keys that other programs rely on.
# shellcheck disable=SC2086 # $common is a list
documents 2 text.jsonl
printf '{"text": "%s"}\n' "$(yes 'Nora kept a rabbit.' | head -n 40 | tr '\n' ' ')" >plain.jsonl
common='schema version command'
gives 0 lfmscope info "$DEMO" --json
has_keys out $common architecture parameters active_parameters tensors memory
[ "$(json out schema)" = lfmscope-info ] || fail "schema is $(json out schema)"
gives 0 lfmscope perplexity "$DEMO" --file text.jsonl --context 64 --special --json
has_keys out $common tokens nll_mean perplexity perplexity_stderr
holds "$(json out perplexity) > 1 && $(json out perplexity_stderr) > 0"
gives 0 lfmscope compare "$DEMO" q8_0 q4_0 --file text.jsonl --context 64 --special --json
has_keys out $common positions documents reference.name reference.perplexity candidates.0.name candidates.0.bits_per_weight \
    candidates.0.bytes candidates.0.perplexity candidates.0.perplexity_ratio candidates.0.kld.mean candidates.0.kld.stderr \
    candidates.0.kld.median candidates.0.kld.p90 candidates.0.kld.p95 candidates.0.kld.p99 candidates.0.kld.p99_9 \
    candidates.0.kld.max candidates.0.top1_agreement candidates.0.router.overlap candidates.0.router.exact_set candidates.1.name
[ "$(json out candidates)" = "array 2" ] || fail "candidates: $(json out candidates)"
[ "$(json out documents)" = 2 ] || fail "documents: $(json out documents)"
gives 0 lfmscope trace "$DEMO" --file plain.jsonl --output a.h5 --json
has_keys out $common
gives 0 lfmscope trace "$DEMO" --file plain.jsonl --output b.h5 --weights q4_0
gives 0 lfmscope compare a.h5 b.h5 --json
has_keys out $common reference.file candidates.0.points.0.relative_l2 candidates.0.points.0.cosine candidates.0.routers.0.overlap
gives 0 lfmscope routing a.h5 b.h5 --json
has_keys out $common traces.0.layers.0.load.0 traces.1.layers.0.entropy pairs.0.layers.0.overlap
gives 0 lfmscope tokenize "$DEMO" --text 'Nora kept a rabbit.' --json
has_keys out $common
gives 0 lfmscope generate "$DEMO" --prompt 'Nora kept' --max-tokens 4 --json
has_keys out $common
gives 0 lfmscope quantize "$DEMO" q.gguf --type q8_0 --json
has_keys out $common
gives 0 lfmscope logits "$DEMO" --tokens 1,2,3 --output l.h5 --json
has_keys out $common

# Whatever the words of a command are, the document is UTF-8, and the command can be run again as it stands there.
words=$(printf "it's \377 \"here\"")
gives 0 lfmscope generate "$DEMO" --prompt "$words" --max-tokens 2 --json
iconv -f UTF-8 -t UTF-8 out >decoded || fail "the document is not UTF-8"
gives 0 lfmscope generate "$DEMO" --prompt "it's a \$here" --max-tokens 2 --json
cp out first
command=$(json first command)
eval "gives 0 $command"
[ "$(json out text)" = "$(json first text)" ] || fail "run again: $command"
