# Weights, activations and cache are varied one by one, and every result says what it was computed with.
documents 2 text.jsonl
compare() { gives 0 lfmscope compare "$DEMO" "$@" --file text.jsonl --context 64 --special --json; }
compare stored stored/f32/f16 q8_0/f32/q8_0 q8_0
[ "$(json out reference.weights) $(json out reference.activations) $(json out reference.kv)" = "bf16 f32 f32" ] ||
    fail "the reference is $(json out reference.weights) $(json out reference.activations) $(json out reference.kv)"
holds "$(json out candidates.0.kld.max) == 0"
holds "$(json out candidates.1.kld.mean) > 0 && $(json out candidates.1.kld.mean) < 1e-4"
[ "$(json out candidates.1.name)" = stored/f32/f16 ] || fail "name is $(json out candidates.1.name)"
[ "$(json out candidates.1.weights) $(json out candidates.1.kv)" = "bf16 f16" ] || fail "candidate 1 is $(json out candidates.1.kv)"
[ "$(json out candidates.2.weights) $(json out candidates.2.kv)" = "q8_0 q8_0" ] || fail "candidate 2 is $(json out candidates.2.kv)"
holds "$(json out candidates.2.bits_per_weight) == $(json out candidates.3.bits_per_weight)"
compare q8_0 --kv f16 --activations q8
[ "$(json out reference.activations) $(json out candidates.0.activations)" = "q8 q8" ] || fail "activations differ"
[ "$(json out reference.kv) $(json out candidates.0.kv)" = "f16 f16" ] || fail "caches differ"

gives 0 lfmscope perplexity "$DEMO" --file text.jsonl --context 64 --kv fp8_e4m3 --json
[ "$(json out weights) $(json out activations) $(json out kv)" = "bf16 f32 fp8_e4m3" ] || fail "perplexity: $(json out kv)"
gives 0 lfmscope generate "$DEMO" --prompt 'Nora kept' --max-tokens 3 --kv q8_0 --weights q4_0 --json
[ "$(json out weights) $(json out kv)" = "q4_0 q8_0" ] || fail "generate: $(json out weights) $(json out kv)"
gives 0 lfmscope logits "$DEMO" --tokens 1,2,3 --output l.h5 --json --kv f16
[ "$(json out weights) $(json out kv)" = "bf16 f16" ] || fail "logits: $(json out weights) $(json out kv)"
gives 0 lfmscope trace "$DEMO" --file text.jsonl --output t.h5 --statistics-only --json --activations fp8
[ "$(json out weights) $(json out activations)" = "bf16 fp8" ] || fail "trace: $(json out activations)"

gives 0 lfmscope info "$DEMO" --context 100 --json
plain=$(json out memory.kv_cache)
gives 0 lfmscope info "$DEMO" --context 100 --kv f16 --json
holds "2 * $(json out memory.kv_cache) == $plain"

refuses 2 "*'q8_0/q9'*f32, q8 or fp8*" lfmscope compare "$DEMO" q8_0/q9 --file "$TEXT"
refuses 2 "*too many parts*" lfmscope compare "$DEMO" q8_0/q8/f16/f32 --file "$TEXT"
refuses 2 "*'bf16'*f32, f16, q8_0 or fp8_e4m3*" lfmscope perplexity "$DEMO" --file "$TEXT" --kv bf16
refuses 2 "*heads have 8 elements*multiple of 32*" lfmscope generate "$TINY/moe-bf16" --prompt a --kv q8_0

# What cannot be quantized is said, not passed over: rows of 36 and 20 are no multiple of 32.
gives 0 lfmscope logits "$TINY/moe-odd-sizes" --tokens 1,2,3 --output l.h5 --json --weights q8_0
holds "$(json out fallback_matrices) > 0"
grep -q "^fallback: $(json out fallback_matrices) matrices of .* rows are no multiple of 32, the block of q8_0" err || fail "no fallback said"
gives 0 lfmscope logits "$DEMO" --tokens 1,2,3 --output l.h5 --json --weights q8_0
holds "$(json out fallback_matrices) == 0"
! grep -q fallback err || fail "a fallback where there is none"
