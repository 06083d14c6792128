# A trace whose run is killed can be read, whatever it records.
lfmscope trace "$DEMO" --file "$TEXT" --special --context 1024 --output trace.h5 --points router,experts,attention_weights \
    --attention-spans 0-3 --layers 2-3 --yes --quiet >out 2>err &
pid=$!
tries=0
until [ -e trace.h5 ] && [ "$(size_of trace.h5)" -gt 20000000 ]; do # some 5 MB of statistics, 8 of each 512 tokens
    tries=$((tries + 1))
    [ $tries -lt 600 ] || fail "nothing was written"
    sleep 0.1
done
kill -KILL $pid
wait $pid 2>/dev/null || :
gives 0 lfmscope routing trace.h5 --json
holds "$(json out traces.0.tokens) >= 256"
