# With SOURCE_DATE_EPOCH the same command writes the same bytes.
export SOURCE_DATE_EPOCH=1700000000
documents 2 text.jsonl
for run in 1 2; do
    mkdir $run
    cd $run
    lfmscope quantize "$DEMO" q8.gguf --type q8_0 --quiet >log 2>&1
    lfmscope quantize "$DEMO" fp8 --type fp8_e4m3 --quiet >>log 2>&1
    lfmscope trace "$DEMO" --file ../text.jsonl --special --output trace.h5 --quiet >>log 2>&1
    lfmscope trace "$DEMO" --file ../text.jsonl --special --weights q4_0 --output q4.h5 --quiet >>log 2>&1
    lfmscope logits "$DEMO" --tokens 1,2,3 --output logits.h5 --quiet >>log 2>&1
    lfmscope compare "$DEMO" q4_0 --file ../text.jsonl --context 64 --special --json --quiet >compare.json
    lfmscope compare trace.h5 q4.h5 --json --quiet >traces.json
    lfmscope routing trace.h5 q4.h5 --json --quiet >routing.json
    lfmscope routing --load trace.h5 --resamples 20 --json --quiet >load.json
    lfmscope report compare.json traces.json routing.json load.json --output report --quiet >>log 2>&1
    rm log
    cd ..
done
diff -r 1 2 || fail "a second run wrote other bytes"
