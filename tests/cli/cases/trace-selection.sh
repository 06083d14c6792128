# What a trace records is what was asked for; its size comes first, and too much needs a --yes.
documents 2 text.jsonl
trace() { lfmscope trace "$DEMO" --file text.jsonl --special --output t.h5 "$@"; }
gives 0 trace --json
[ "$(wc -l <err)" = 1 ] && grep -q 't.h5: [0-9.]* MB of values of [0-9]* tokens before compression$' err || fail "stderr: $(cat err)"
has_keys out points.0 value_bytes tokens bytes
holds "$(json out value_bytes) > 1e6"
plain=$(json out tokens)
gives 0 trace --quiet --statistics-only --json
[ ! -s err ] || fail "stderr under --quiet: $(cat err)"
[ "$(json out value_bytes)" = 0 ] || fail "statistics only, and $(json out value_bytes) bytes of values"
gives 0 trace --tokens 3-5,10 --points residual,experts --layers 2-3 --json --quiet
[ "$(json out tokens)" = 8 ] || fail "two documents, four tokens of each: $(json out tokens)"
[ "$(json out value_bytes)" = $((8 * 2 * 4 * (256 + 3 * (256 + 256 + 256)))) ] || fail "value_bytes: $(json out value_bytes)"
gives 0 trace --attention-spans 0-3,10-20 --points attention_weights --half --quiet
gives 0 lfmscope trace "$DEMO" --file text.jsonl --special --output routed.h5 --tokens 0-99 --points router --quiet
gives 0 lfmscope routing routed.h5 --json
[ "$(json out traces.0.tokens)" = 200 ] || [ "$plain" -lt 200 ] || fail "routing of chosen tokens: $(json out traces.0.tokens)"

# The same bytes again, whatever is recorded.
for name in one two; do
    SOURCE_DATE_EPOCH=0 lfmscope trace "$DEMO" --file text.jsonl --special --output $name.h5 --quiet --layers 2-3 \
        --points router,experts,attention_weights --attention-spans 0-3 --tokens 20- >out
done
same one.h5 two.h5

# More than 1 GB.
refuses 1 "*GB of values*--yes*" lfmscope trace "$DEMO" --file "$TEXT" --special --output large.h5
absent large.h5

# Requests that make no sense: one line, and the trace that is there stays.
cp t.h5 before.h5
refuses 2 "*unknown point 'expert'*" trace --points expert
refuses 2 "*'attention_weights/span_mass' needs spans*" trace --points attention_weights/span_mass
refuses 2 "*cannot read the tokens '5-3'*" trace --tokens 5-3
refuses 2 "*cannot read the attention spans 'x'*" trace --attention-spans x
refuses 2 "*no document has any of the wanted tokens*" trace --tokens 5000-
refuses 2 "*attention span 0 goes to position 4000*" trace --attention-spans 0-4000
refuses 2 "*layers 0 to 7*" trace --layers 8
refuses 2 "*nothing to record*" trace --points experts --layers 0
refuses 2 "*--tokens*" trace --tokens
printf 'not a trace' >text.h5
refuses 1 "*text.h5*not HDF5*" lfmscope trace "$DEMO" --file text.jsonl --output text.h5
refuses 1 "*cannot create 'nowhere/t.h5'*" lfmscope trace "$DEMO" --file text.jsonl --output nowhere/t.h5
same t.h5 before.h5
