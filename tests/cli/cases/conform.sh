# pack and conform: the same bytes for the same seed, the program's own engine conforms to it from either file, errors are
# found and named.
gives 0 lfmscope pack one
gives 0 lfmscope pack two --json --threads 1
has_keys out schema version command output manifest.seed manifest.cases.router manifest.classes.f32.relative manifest.files.0.sha256
[ "$(json out schema)" = lfmscope-pack ] || fail "$(json out schema)"
[ "$(json out manifest.near_ties)" -ge 4 ] && [ "$(json out manifest.bias_decides)" -gt 100 ] || fail "$(cat out)"
diff -r one two
gives 0 lfmscope pack other --seed 5
cmp -s one/model.gguf other/model.gguf && fail "another seed gave the same model"

# Every near tie was made: the margins of the last tokens, and the last is below what FP32 is required to tell apart.
for tie in 1:0.00095:0.00105 2:0.000095:0.000105 3:0.000038:0.000042 4:-0.0000003:0.0000004; do
    l=${tie%%:*}
    bounds=${tie#*:}
    margin=$(sed -n "s|.*\"id\":\"tie-$l/$l/2\".*\"margin\":\([-0-9.e]*\),.*|\1|p" one/router.jsonl)
    holds "$margin >= ${bounds%:*} && $margin <= ${bounds#*:}"
done

gives 0 lfmscope conform one --model one/model --json --write-results results.jsonl
has_keys out schema version command pack runtime class relative margin logit passed checks.9.name checks.4.worst
[ "$(json out passed) $(json out checks.4.name) $(json out checks.4.verdict) $(json out checks.4.not_required)" = "true router choice pass 1" ] ||
    fail "$(cat out)"
gives 0 lfmscope conform one --model one/model.gguf
grep -qx conforms out || fail "$(cat out)"
gives 0 lfmscope conform one results.jsonl
gives 3 lfmscope conform one --model other/model
grep -q '^hidden states: .* fail; first ' out || fail "$(cat out)"

# One wrong id, one missing line, one section alone.
sed 's/^\({"section":"tokenizer","id":"plain","ids":\[\)[0-9]*/\19/' results.jsonl >wrong.jsonl
gives 3 lfmscope conform one wrong.jsonl
grep -q "^tokenizer ids: 1 fail; first 'plain': id 0 is 9, expected " out || fail "$(cat out)"
grep -qx 'does not conform' out || fail "$(cat out)"
grep -v '"id":"long/47"' results.jsonl >short.jsonl
gives 3 lfmscope conform one short.jsonl
grep -q '^logits .*incomplete$' out || fail "$(cat out)"
grep '"section":"template"' results.jsonl >part.jsonl
gives 0 lfmscope conform one part.jsonl
grep -q '^logits .*not given$' out || fail "$(cat out)"
{ echo '['; sed '$!s/$/,/' part.jsonl; echo ']'; } >array.json
gives 0 lfmscope conform one array.json

# Routers that are wrong in known ways, made from right results: the weights of the first layers with the bias in them.
grep '"section":"router"' results.jsonl | sed 's/"weights":\[[^]]*\]/"weights":[0.5,0.25,0.25]/' >router.jsonl
gives 3 lfmscope conform one router.jsonl
grep -q '^router weights .*FAIL$' out || fail "$(cat out)"
grep -q '^router choice .*pass$' out || fail "$(cat out)"
