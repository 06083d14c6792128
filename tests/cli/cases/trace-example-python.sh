# The example of docs/trace-format.md has ten lines at most, and prints sense under h5py, which lfmscope itself does not need. (That
# a trace has what the example names is a unit test.)
documents 2 text.jsonl
gives 0 lfmscope trace "$DEMO" --file text.jsonl --special --output trace.h5 --points residual,router --quiet
sed -n '/^```python$/,/^```$/p' "$ROOT/docs/trace-format.md" | sed '1d;$d' >example.py
[ "$(grep -c . example.py)" -le 10 ] || fail "the example has $(grep -c . example.py) lines"
for python in python3 /usr/bin/python3 ''; do # the system's has Debian's packages, whichever comes first
    [ -z "$python" ] || ! "$python" -c 'import h5py' 2>/dev/null || break
done
[ -n "$python" ] || {
    echo "no python3 with h5py (Debian: python3-h5py)"
    exit 77
}
gives 0 "$python" example.py
grep -qx 'demo-model bf16 complete' out || fail "first line: $(head -n 1 out)"
grep -q "^([0-9]*, 256) \['token', 'channel'\]$" out || fail "shape: $(sed -n 2p out)"
grep -qE '^RMS of the first document: [0-9]+\.[0-9]+$' out || fail "RMS: $(sed -n 3p out)"
grep -qE '^closest decision: \[ ?[0-9] +[0-9] +[0-9]\]$' out || fail "decision: $(sed -n 4p out)"
grep -qE '^loudest channel of the last layer: [0-9]+$' out || fail "channel: $(sed -n 5p out)"
