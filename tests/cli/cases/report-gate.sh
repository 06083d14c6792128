# A gate: 3 when a figure is worse than the rule allows, with the page written all the same.
documents 1 text.jsonl
compare() { gives 0 lfmscope compare "$DEMO" "$@" --file text.jsonl --context 64 --special --json; }
compare q8_0 && cp out before.json
cp before.json now.json
gives 0 lfmscope report now.json --baseline before.json --gate kld=+0,top1_agreement=-0 --gate kld=0.1 --output page --no-plots
grep -q "^The gate holds: 3 checks of 3 rules" out || fail "the gate does not hold: $(cat out)"
sed 's/"mean":[^,]*/"mean": 0/' before.json >better.json
gives 3 lfmscope report now.json --baseline better.json --gate kld=+5% --output worse --no-plots --json
[ "$(json out gate.holds) $(json out gate.checks.0.verdict)" = "false fails" ] || fail "gate: $(json out gate.checks.0.verdict)"
holds "$(json out gate.checks.0.baseline) == 0 && $(json out gate.checks.0.value) > 0"
grep -q "The gate does not hold" worse/index.md || fail "the page does not say that the gate does not hold"
gives 0 lfmscope report now.json --baseline better.json --output beside --no-plots
grep -q "Of 5 figures that the baseline has too, 1 changed" out || fail "not said what changed: $(head -n 1 out)"
refuses 2 "*wants an earlier report*" lfmscope report now.json --gate kld=+5% --output none
refuses 2 "*expected METRIC=LIMIT*" lfmscope report now.json --gate kld --output none
refuses 1 "*judges nothing*" lfmscope report now.json --gate score=0.5 --output none
absent none
