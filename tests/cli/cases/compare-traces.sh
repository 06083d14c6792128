# compare of traces: where they part, which channels stand out, and what is refused or left out with a word about it.
documents 2 text.jsonl
gives 0 lfmscope trace "$DEMO" --file text.jsonl --output a.h5 --points operator,feed_forward,residual,router --layers 0-3
gives 0 lfmscope trace "$DEMO" --file text.jsonl --output b.h5 --points operator,residual,router,q --layers 1-3 --weights q4_0
gives 0 lfmscope compare a.h5 b.h5 --tolerance 0.05 --outliers 1.5 --json
candidate=candidates.0
has_keys out tolerance outlier_multiple $candidate.first.value $candidate.first.document $candidate.first.position \
    $candidate.first.id $candidate.first_in_text.value $candidate.tokens_planned $candidate.tokens_readable \
    $candidate.points.0.tokens_above $candidate.points.0.max_token_error $candidate.points.0.max_token \
    $candidate.points.0.error_outliers.median $candidate.points.0.magnitude_outliers.count
holds "$(json out tolerance) == 0.05 && $(json out outlier_multiple) == 1.5"
[ "$(json out $candidate.first.layer) $(json out $candidate.first.point)" = "1 operator" ] || fail "first: $(json out $candidate.first)"
holds "$(json out $candidate.first.value) > 0.05 && $(json out $candidate.first_in_text.value) > 0.05"
holds "$(json out $candidate.first_in_text.token) <= $(json out $candidate.first.token)"
[ "$(json out $candidate.first.token)" = "$(json out $candidate.points.0.first_token)" ] || fail "two first tokens"
# Layer 0 is only in a.h5, q of layer 2 only in b.h5; feed_forward is missing in three layers.
[ "$(json out $candidate.missing.0.layer) $(json out $candidate.missing.0.point) $(json out $candidate.missing.0.only_in)" = \
    "0 operator reference" ] || fail "missing: $(json out $candidate.missing.0)"
gives 0 lfmscope compare a.h5 b.h5
grep -q '^the first by layer, point and token: layer 1, operator, token ' out || fail "no first token"
grep -q '^only in the reference, not compared: operator (layer 0), feed_forward (layer 0, 1, 2, 3), residual (layer 0)$' out ||
    fail "$(grep '^only' out)"
grep -q '^only in the candidate, not compared: q (layer 2)$' out || fail "$(grep '^only' out)"
grep -q "times their point's median RMS of the error" out || fail "no outliers"

gives 0 lfmscope compare a.h5 a.h5 --tolerance 0
grep -q '^no token is above the tolerance of 0 at any point$' out || fail "a trace differs from itself"
gives 0 lfmscope compare a.h5 a.h5 --tolerance 0 --json
[ "$(json out $candidate.first) $(json out $candidate.points.0.first_token)" = "null null" ] || fail "$(json out $candidate.first)"

cp a.h5 cut.h5
cut_to cut.h5 -100
refuses 1 "*'cut.h5' is truncated: it has * of * bytes; * of * tokens are still there, at * of * points*" lfmscope compare a.h5 cut.h5
cut_to cut.h5 2000
refuses 1 "*'cut.h5' is truncated: it has 2000 of * bytes, and no token in it can be read" lfmscope compare a.h5 cut.h5
gives 0 lfmscope trace "$DEMO" --file text.jsonl --output only-v.h5 --points v
refuses 1 "*no point in common: the one has values of operator, *, the other of v" lfmscope compare a.h5 only-v.h5
gives 0 lfmscope trace "$DEMO" --file text.jsonl --output short.h5 --context 20
refuses 1 "*'a.h5' has * tokens, 'short.h5' has 40" lfmscope compare a.h5 short.h5
refuses 2 "*'--tolerance' must be a number from 0 up*" lfmscope compare a.h5 b.h5 --tolerance -1
refuses 2 "*'--outliers' must be a number from 1 up*" lfmscope compare a.h5 b.h5 --outliers 0.5
refuses 2 "*'--inject' runs models*" lfmscope compare a.h5 b.h5 --inject
refuses 2 "*'--tolerance' is for traces*" lfmscope compare "$DEMO" q8_0 --file text.jsonl --tolerance 0.1
