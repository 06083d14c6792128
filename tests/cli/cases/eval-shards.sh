# Shards that are merged give the run in one piece: samples in order, summaries and comparisons byte for byte.
mkdir -p all
cp -r "$ROOT/datasets/tasks/ifeval" "$ROOT/datasets/tasks/bfcl" all
evaluate() { lfmscope eval "$@" --model "$DEMO" --data all --max-tokens 24 --limit 5 --quiet; }
content() { sed 's/,"prompt_tokens_reused":[^,]*,"seconds":[^,]*,/,/' "$1/samples.jsonl"; }
gives 0 evaluate ifeval,bfcl --output whole --batch 1 --against q4_0
for shard in 1 2 3; do gives 0 evaluate ifeval,bfcl --output shard-$shard --shard $shard/3 --against q4_0; done
[ "$(json shard-2/bfcl/q4_0/run.json shard.index)" = 2 ] || fail "run.json does not name the shard"

refuses 1 "*bfcl: q4_0: shard 2/3 is missing; --partial*" lfmscope merge shard-1 shard-3 --output merged
absent merged
gives 0 lfmscope merge shard-3 shard-1 shard-2 --output merged
for run in ifeval/reference ifeval/q4_0 bfcl/reference bfcl/q4_0; do
    content whole/$run >whole.lines
    content merged/$run >merged.lines
    same whole.lines merged.lines
    same whole/$run/summary.json merged/$run/summary.json
done
same whole/ifeval/summary.json merged/ifeval/summary.json
same whole/bfcl/summary.json merged/bfcl/summary.json
refuses 1 "*'merged/bfcl/q4_0' holds a run already*" lfmscope merge shard-1 shard-2 shard-3 --output merged

# What is there of one suite, and the rest later.
gives 0 lfmscope merge shard-1/ifeval/q4_0 shard-3/ifeval/q4_0 --output part --partial
[ "$(json part/summary.json items)" = 3 ] || fail "the partial run has $(json part/summary.json items) items"
gives 0 lfmscope merge part shard-2/ifeval/q4_0 --output rest --json
cp out rest.json
same rest.json rest/summary.json
for key in correct.right instruction_level_strict.low generated_tokens; do
    [ "$(json rest.json $key)" = "$(json whole/ifeval/q4_0/summary.json $key)" ] || fail "$key differs"
done

refuses 1 "*do not belong together*suite*" lfmscope merge shard-1/ifeval/q4_0 shard-2/bfcl/q4_0 --output none
refuses 1 "*do not belong together*weights*" lfmscope merge shard-1/ifeval/q4_0 shard-2/ifeval/reference --output none
refuses 1 "*do not hold the same runs: only one has 'bfcl'*" lfmscope merge shard-1 shard-1/ifeval --output none
refuses 1 "*holds no run: there is no run.json" lfmscope merge all --output none
refuses 1 "*'nowhere' is not the directory of a run" lfmscope merge nowhere --output none
echo >>all/ifeval/input_data.jsonl
refuses 1 "*is not the data of these runs*" lfmscope merge shard-1/ifeval/q4_0 shard-2/ifeval/q4_0 --partial --output none
absent none
