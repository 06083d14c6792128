# compare --inject: a model injects nothing into itself; the parts of a quantized model's error have their keys and their table.
documents 2 text.jsonl
gives 0 lfmscope compare "$DEMO" stored q4_0 --file text.jsonl --context 64 --special --inject --json
same_model=candidates.0.inject q4_0=candidates.1.inject
has_keys out candidates.0.kld.mean $q4_0.positions $q4_0.embedding.total $q4_0.modules.0.injected $q4_0.modules.0.inherited \
    $q4_0.modules.0.propagated $q4_0.modules.0.total $q4_0.modules.7.router.injected.exact_set $q4_0.modules.7.router.total.overlap
[ "$(json out $q4_0.modules)" = "array 24" ] || fail "expected three modules for each of 8 layers: $(json out $q4_0.modules)"
[ "$(json out $q4_0.positions)" = "$(json out positions)" ] || fail "other positions"
[ "$(json out $q4_0.modules.7.layer) $(json out $q4_0.modules.7.module) $(json out $q4_0.modules.7.kind)" = "2 feed_forward moe" ] ||
    fail "another order of modules"
for module in 0 7 23; do
    for key in injected inherited propagated total; do
        [ "$(json out $same_model.modules.$module.$key)" = 0 ] || fail "a model differs from itself in module $module"
    done
    holds "$(json out $q4_0.modules.$module.injected) > 0.001 && $(json out $q4_0.modules.$module.total) < 1"
    holds "$(json out $q4_0.modules.$module.injected) + $(json out $q4_0.modules.$module.inherited) - $(json out $q4_0.modules.$module.total) < 1e-12"
done
# The router is not quantized: what it chooses otherwise it has inherited.
[ "$(json out $q4_0.modules.7.router.injected.exact_set)" = 1 ] || fail "the router chose otherwise on the same input"
holds "$(json out $q4_0.modules.7.router.total.exact_set) < 1"
# The stream after a layer is what compare has by layer.
holds "($(json out $q4_0.modules.2.total) / $(json out candidates.1.layers.0.relative_l2) - 1)^2 < 1e-24"

# With the embedding as it was, the first operator has nothing to inherit.
gives 0 lfmscope compare "$DEMO" stored/q8 --file text.jsonl --context 64 --special --inject --json
[ "$(json out candidates.0.inject.embedding.total)" = 0 ] || fail "an embedding changed"
[ "$(json out candidates.0.inject.modules.0.inherited)" = 0 ] || fail "the first operator inherits"
holds "$(json out candidates.0.inject.modules.0.injected) > 0 && $(json out candidates.0.inject.modules.1.inherited) != 0"

gives 0 lfmscope compare "$DEMO" q8_0 --file text.jsonl --context 64 --special --inject
grep -q '^q8_0: relative L2 error of each module' out || fail "no heading"
grep -q '^    2 feed_forward moe ' out || fail "no row"
