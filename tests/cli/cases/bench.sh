# bench: the keys that others rely on, one row for each variant, depth and batch; a table otherwise.
gives 0 lfmscope bench "$TINY/moe-bf16" --weights stored,q8_0 --activations f32,q8 --batch 1,3 --context 0,4 \
    --prompt-tokens 8 --decode-tokens 4 --repeats 2 --json
has_keys out schema version command bandwidth_read bandwidth_read_max bandwidth_samples threads cpu rows \
    rows.0.format rows.0.activations rows.0.kv rows.0.batch rows.0.context rows.0.prefill_tps rows.0.prefill_tps_min \
    rows.0.decode_tps rows.0.decode_tps_max rows.0.bytes_per_token rows.0.bytes_per_step.experts \
    rows.0.distinct_experts rows.0.bandwidth_share variants.3.bits_per_weight
[ "$(json out schema)" = lfmscope-bench ] || fail "the schema is $(json out schema)"
[ "$(json out rows)" = "array 16" ] || fail "expected 16 rows, found $(json out rows)"
[ "$(json out rows.15.format) $(json out rows.15.activations) $(json out rows.15.context) $(json out rows.15.batch)" = "q8_0 q8 4 3" ] ||
    fail "the last row is another"
# Most matrices have eight bits a weight instead of sixteen.
holds "$(json out rows.8.bytes_per_token) < 0.7 * $(json out rows.0.bytes_per_token)"

gives 0 lfmscope bench "$TINY/moe-bf16" --prompt-tokens 8 --decode-tokens 4 --repeats 1 --batch 2
grep -q '^memory is read at' out || fail "no bandwidth"
grep -q '^bf16  *f32  *f32  *0  *2 ' out || fail "no row"

refuses 2 "*unknown weight type 'q9'*" lfmscope bench "$TINY/moe-bf16" --weights q9
refuses 2 "*'--batch': 'x' is not a whole number*" lfmscope bench "$TINY/moe-bf16" --batch 1,x
refuses 2 "*at least one sequence*" lfmscope bench "$TINY/moe-bf16" --batch 0
refuses 1 "*exceed the model's limit*" lfmscope bench "$TINY/moe-bf16" --context 100000000
