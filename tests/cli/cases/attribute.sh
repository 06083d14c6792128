# attribute: the whole is what compare says of the format, parts are all there, what cannot be is refused in one line.
documents 2 text.jsonl
gives 0 lfmscope compare "$DEMO" q4_0 --file text.jsonl --context 64 --special --json
cp out compare.json
gives 0 lfmscope attribute "$DEMO" --type q4_0 --by layer --file text.jsonl --context 64 --special --json
has_keys out schema version command positions documents reference.name reference.bytes type by whole.kld whole.kld_stderr \
    whole.top1_agreement whole.bytes_saved parts_kld parts.0.name parts.8.kld parts.8.kld_per_mib parts.8.share parts.8.matrices
[ "$(json out schema) $(json out type) $(json out by)" = "lfmscope-attribute q4_0 layer" ] || fail "$(json out schema)"
[ "$(json out whole.kld)" = "$(json compare.json candidates.0.kld.mean)" ] || fail "the whole is not what compare says"
[ "$(json out whole.kld_stderr)" = "$(json compare.json candidates.0.kld.stderr)" ] || fail "nor is its error"
holds "$(json out reference.bytes) - $(json out whole.bytes_saved) == $(json compare.json candidates.0.bytes)"
[ "$(json out parts.0.name) $(json out parts.8.name)" = "embed_tokens layers.7" ] || fail "parts: $(json out parts.8.name)"
gives 0 lfmscope attribute "$DEMO" --type q8_0 --file text.jsonl --context 64 --special
grep -q "^feed_forward.experts.w2 " out || fail "no row of experts: $(cat out)"
grep -q "^whole  *15400960 " out || fail "no row of the whole: $(cat out)"
refuses 2 "*'--type' is missing*" lfmscope attribute "$DEMO" --file text.jsonl
refuses 2 "*unknown division 'head'*" lfmscope attribute "$DEMO" --type q8_0 --by head --file text.jsonl
refuses 2 "*unknown weight type 'q9'*" lfmscope attribute "$DEMO" --type q9 --file text.jsonl
refuses 1 "*has no experts*--by layer*" lfmscope attribute "$TINY/lfm2-legacy-keys" --type q8_0 --by expert --file "$TEXT"
