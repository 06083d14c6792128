# The same weights in both containers are the same model: nothing differs, to the last bit.
documents 2 text.jsonl
gives 0 lfmscope quantize "$DEMO" demo.gguf --type bf16
gives 0 lfmscope compare "$DEMO" demo.gguf --file text.jsonl --context 64 --special --json
for key in kld.mean kld.max; do
    [ "$(json out candidates.0.$key)" = 0 ] || fail "$key is $(json out candidates.0.$key)"
done
[ "$(json out candidates.0.top1_agreement)" = 1 ] || fail "top1_agreement is $(json out candidates.0.top1_agreement)"
[ "$(json out candidates.0.router.exact_set)" = 1 ] || fail "exact_set is $(json out candidates.0.router.exact_set)"
gives 0 lfmscope tokenize "$DEMO" --file text.jsonl --json
grep -v '"command"' out >hugging-face
gives 0 lfmscope tokenize demo.gguf --file text.jsonl --json
grep -v -e '"command"' out >gguf
same hugging-face gguf
