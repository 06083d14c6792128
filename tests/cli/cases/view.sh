# A page of samples: one file, from a run, an unfinished run, two runs, and what --against leaves.
line() { printf '{"id": "%s", "sample": 0, "raw": "%s", "text": "%s", "finish": "stop", "verdict": {"correct": %s}}\n' "$1" "$2" "$2" "$3"; }
run() {
    mkdir -p "$1"
    printf '{"suite": "some", "data_sha256": "%s", "weights": "%s"}\n' "${2:-d}" "${1##*/}" >"$1/run.json"
    cat >"$1/samples.jsonl"
}
{ line 1 '</script><script>alert(1)</script>' true; line 2 x true; } | run one
gives 0 lfmscope view one
grep -q '2 samples, 2 right' out || fail "no counts: $(cat out)"
grep -q 'not finished' out || fail "an unfinished run is not called so"
[ "$(grep -o '<script' one/view.html | wc -l)" = 2 ] || fail "an answer opened a script"
[ ! -e one/view.html.partial ] || fail "a partial page was left behind"
cp one/view.html first.html
gives 0 lfmscope view one --output again.html --json
same first.html again.html
has_keys out schema version command output runs.0.name runs.0.samples runs.0.right pairs
[ "$(json out schema)" = lfmscope-view ] || fail "schema is $(json out schema)"

# A line that a kill cut short is left out, and nothing else.
printf '{"id": "3", "sam' >>one/samples.jsonl
gives 0 lfmscope view one --json
[ "$(json out runs.0.samples)" = 2 ] && [ "$(json out runs.0.damaged_lines)" = 1 ] || fail "torn line: $(cat out)"
tail -c 5 one/samples.jsonl | grep -q sam || fail "view changed the log"

{ line 2 y false; line 1 y true; } | run two
gives 0 lfmscope view one two --output pair.html --json
[ "$(json out pairs.0.lost)" = 1 ] && [ "$(json out pairs.0.gained)" = 0 ] || fail "flips: $(cat out)"
holds "$(json out pairs.0.mcnemar_exact) == 1"

# What eval writes, several runs in one directory.
cat >data.jsonl <<'END'
{"key": 1, "prompt": "Say no commas.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}
{"key": 2, "prompt": "Say a title.", "instruction_id_list": ["detectable_format:title"], "kwargs": [{}]}
END
gives 0 lfmscope eval ifeval --model "$DEMO" --data data.jsonl --max-tokens 8 --against q4_0 --output group
gives 0 lfmscope view group --json
[ "$(json out runs)" = "array 2" ] && [ "$(json out runs.0.finished)" = true ] || fail "group: $(cat out)"
grep -q 'punctuation:no_comma' group/view.html || fail "the page does not name the instructions"
