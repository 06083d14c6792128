# Whatever moment quantize is killed at: under the final name there is nothing, or the whole file.
gives 0 lfmscope quantize "$DEMO" whole.gguf --type q4_0
for delay in 0.00 0.02 0.05 0.1 0.2 0.4; do
    lfmscope quantize "$DEMO" out.gguf --type q4_0 >/dev/null 2>&1 &
    pid=$!
    sleep $delay
    kill -9 $pid 2>/dev/null || :
    wait $pid 2>/dev/null || :
    [ ! -e out.gguf ] || same out.gguf whole.gguf
    rm -f out.gguf
done
