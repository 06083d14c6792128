# routing --load: the keys that others rely on, what must hold between them, the same bytes for any number of threads.
documents 2 text.jsonl
lfmscope trace "$DEMO" --file text.jsonl --special --points router/selected --output t.h5 --quiet >log 2>&1
gives 0 lfmscope routing --load t.h5 --json --resamples 20
cp out load.json
has_keys load.json schema version command draw resamples steps seed traces.0.file traces.0.bits_per_weight traces.0.tokens \
    traces.0.documents traces.0.complete traces.0.experts traces.0.top_k traces.0.expert_bytes traces.0.shared_bytes \
    traces.0.batches.0.batch traces.0.batches.1.distinct_experts traces.0.batches.1.distinct_experts_low \
    traces.0.batches.1.distinct_experts_high traces.0.batches.1.distinct_experts_uniform \
    traces.0.batches.1.distinct_experts_own_load traces.0.batches.1.expert_bytes_per_token \
    traces.0.batches.1.bytes_per_token traces.0.batches.1.worst_layer traces.0.placements.0.devices \
    traces.0.placements.0.placement traces.0.placements.0.straggler traces.0.placements.0.straggler_p95 \
    traces.0.placements.0.straggler_even traces.0.dropped.0.capacity_factor traces.0.dropped.0.capacity \
    traces.0.dropped.0.dropped traces.0.caches.0.size traces.0.caches.0.hit_rate.lru traces.0.caches.0.hit_rate.lfu \
    traces.0.caches.0.hit_rate.static traces.0.caches.0.hit_rate.belady traces.0.caches.0.bytes_per_token.lru \
    traces.0.caches.0.coverage_held_out traces.0.layers.5.layer traces.0.layers.5.load.9 \
    traces.0.layers.5.batches.1.distinct_experts traces.0.layers.5.balanced.0.device_of_expert.9
[ "$(json load.json schema)" = lfmscope-routing-load ] || fail "the schema is $(json load.json schema)"
# Ten experts: devices 2, 4 and 8, three placements each, nine batch sizes or fewer; a cache of each size.
[ "$(json load.json traces.0.caches)" = "array 10" ] || fail "caches: $(json load.json traces.0.caches)"
[ "$(json load.json traces.0.batches.0.distinct_experts)" = 3 ] || fail "a token alone has three experts"
# An expert: 3 matrices of 256 x 256 in bf16. A token alone reads three in each of six layers.
holds "$(json load.json traces.0.expert_bytes) / (3 * 256 * 256 * 2) - 1 < 0.001"
holds "$(json load.json traces.0.batches.0.expert_bytes_per_token) / $(json load.json traces.0.expert_bytes) == 18"
holds "$(json load.json traces.0.batches.3.distinct_experts_low) < $(json load.json traces.0.batches.3.distinct_experts)"
holds "$(json load.json traces.0.batches.3.distinct_experts) < $(json load.json traces.0.batches.3.distinct_experts_high)"
for size in 0 3 9; do
    for policy in lru lfu static; do
        holds "$(json load.json traces.0.caches.$size.hit_rate.$policy) <= $(json load.json traces.0.caches.$size.hit_rate.belady)"
    done
done

gives 0 lfmscope routing --load t.h5 --batch 4 --devices 5 --cache 2,6 --capacity 1.1 --resamples 10 --steps 3 --json
[ "$(json out traces.0.batches) $(json out traces.0.placements) $(json out traces.0.caches) $(json out traces.0.dropped)" = \
    "array 1 array 3 array 2 array 1" ] || fail "the lists were not taken"
# Six experts hold what six held before; a seed decides, threads do not.
[ "$(json out traces.0.caches.1.hit_rate.lru)" = "$(json load.json traces.0.caches.5.hit_rate.lru)" ] || fail "other hits"
# Positions with a gap between them are no neighbours, and the page of a route says where each run of them begins.
lfmscope trace "$DEMO" --file text.jsonl --special --points router --tokens 0-9,100-109 --output gap.h5 --quiet >log 2>&1
gives 0 lfmscope routing --load gap.h5 --draw consecutive --batch 10 --resamples 5 --json
refuses 2 "*a batch of 11: between 1 and 10 is possible*" lfmscope routing --load gap.h5 --draw consecutive --batch 11 --json
gives 0 lfmscope routing gap.h5 --route gap.html
grep -q '"first":10,"position":100,"tokens":10,' gap.html || fail "the page goes on after a gap as if there were none"
for run in 1 2; do
    gives 0 lfmscope routing --load t.h5 --threads $run --resamples 10 --draw tokens --seed 5
    mv out table.$run
done
same table.1 table.2
grep -q '^  256 \|^  128 ' table.1 || fail "no row for a large batch"
gives 0 lfmscope routing --load t.h5 --resamples 10 --draw consecutive
gives 0 lfmscope routing --load t.h5 --resamples 10 --seed 6 --draw tokens
cmp -s out table.1 && fail "another seed changed nothing"

# A part of the layers: what all layers read cannot be said.
lfmscope trace "$DEMO" --file text.jsonl --special --points router/selected --layers 3 --output part.h5 --quiet >log 2>&1
gives 0 lfmscope routing --load part.h5 t.h5 --resamples 5 --batch 1 --json
[ "$(json out traces.0.batches.0.bytes_per_token)" = null ] || fail "bytes of layers that were not recorded"
[ "$(json out traces.0.layers_recorded) $(json out traces.0.layers_with_experts)" = "1 6" ] || fail "layers"
gives 0 lfmscope routing --load part.h5 --resamples 5
grep -q '^1 of 6 layers with experts' out || fail "unrecorded layers are not named"

refuses 2 "*belong to --load*" lfmscope routing t.h5 --batch 4
refuses 2 "*'--batch': '' is not a whole number*" lfmscope routing --load t.h5 --batch 1,,2
refuses 2 "*'--cache': 'x' is not a whole number*" lfmscope routing --load t.h5 --cache x
refuses 2 "*'--capacity': 'nan' is not a number*" lfmscope routing --load t.h5 --capacity 1,nan
refuses 2 "*'--draw': 'random' is none of*" lfmscope routing --load t.h5 --draw random
refuses 2 "*'t.h5': a batch of 0: between 1 and*" lfmscope routing --load t.h5 --batch 0
refuses 2 "*'t.h5': a batch of 100000: between 1 and*tokens of the trace*" lfmscope routing --load t.h5 --batch 100000
refuses 2 "*'t.h5': a cache of 11: between 1 and 10*" lfmscope routing --load t.h5 --cache 11
refuses 2 "*'t.h5': devices: 16: between 1 and 10*" lfmscope routing --load t.h5 --devices 16
refuses 2 "*0 resamples*" lfmscope routing --load t.h5 --resamples 0
refuses 1 "*more than*tokens; take fewer*" lfmscope routing --load t.h5 --resamples 100000 --steps 10 --batch 256
lfmscope trace "$DEMO" --file text.jsonl --special --points residual --output r.h5 --quiet >log 2>&1
refuses 1 "*'r.h5' has no 'router/selected'*" lfmscope routing --load r.h5
refuses 1 "*cannot*'none.h5'*" lfmscope routing --load none.h5
