# The disk fills up while a file is written: exit status 1, one line, no file under the final name
# and no remains.
documents 2 text.jsonl
limited() { (trap '' XFSZ; ulimit -f 64; exec "$@"); }
refuses 1 "*cannot write*" limited lfmscope quantize "$DEMO" out.gguf --type q8_0
refuses 1 "*cannot write*" limited lfmscope quantize "$DEMO" fp8 --type fp8_e4m3
absent out.gguf out.gguf.partial fp8 fp8.partial
refuses 1 "*" limited lfmscope logits "$DEMO" --file text.jsonl --special --output logits.h5
absent logits.h5
# A trace keeps what it has when that can be read, and says so.
refuses 1 "*" limited lfmscope trace "$DEMO" --file text.jsonl --special --output trace.h5 --quiet
[ ! -e trace.h5 ] || {
    grep -q "'trace.h5' is incomplete" err || fail "a part was left and not named: $(cat err)"
    gives 0 lfmscope routing trace.h5
}
