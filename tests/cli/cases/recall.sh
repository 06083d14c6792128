# Recall on the demo model with a variant beside it, the page made of the run, and grids that are refused.
gives 0 lfmscope eval recall --model "$DEMO" --data "$ROOT/datasets/tasks/recall" --ids needle-50-0-1,variables-50-100-2 \
    --max-tokens 16 --against q4_0 --output run
has_keys run/summary.json schema suite items reference.correct.n variants.0.difference.value
has_keys run/reference/summary.json needle.n variables.n cells.0.kind cells.1.correct.low
[ "$(wc -l <run/q4_0/samples.jsonl)" = 2 ] || fail "$(wc -l <run/q4_0/samples.jsonl) samples"
gives 0 lfmscope report run --output page --no-plots
grep -q '^variables,50,100,' page/data/recall-cells.csv || fail "no cell of the run in recall-cells.csv"
grep -q 'Recall: 2 items' page/index.md || fail "the page does not show the run"
gives 0 lfmscope report run/q4_0 --output page --no-plots
refuses 1 '*holds no result of compare, *routing*' lfmscope report page --output page
printf '{"seed": 1, "wording": "demo", "lengths": [50], "depths": [0], "kinds": [{"kind": "hay"}]}' >bad.json
refuses 1 "*bad.json: kinds?0?: unknown kind 'hay'*" lfmscope eval recall --model "$DEMO" --data bad.json --output bad
[ ! -e bad ] || fail "a grid that was refused left a run"
