# Ctrl-C and SIGTERM: exit status 1, one line, and no file that looks finished and is not.
interrupted() {
    status=0
    "$@" >out 2>err &
    pid=$!
    sleep 1
    kill -"$signal" $pid 2>/dev/null || :
    wait $pid || status=$?
    [ $status = 0 ] && return
    [ $status = 1 ] || fail "exit status $status after SIG$signal: $*"
    [ "$(wc -l <err)" = 1 ] && grep -q interrupted err || fail "stderr '$(cat err)' after SIG$signal: $*"
}
signal=INT
interrupted lfmscope perplexity "$DEMO" --file "$TEXT"
interrupted lfmscope compare "$DEMO" q4_0 --file "$TEXT"
interrupted lfmscope trace "$DEMO" --file "$TEXT" --output trace.h5 --yes --quiet
[ ! -e trace.h5 ] || gives 0 lfmscope routing trace.h5
for signal in INT TERM; do
    interrupted lfmscope logits "$DEMO" --file "$TEXT" --output logits.h5
    [ $status = 0 ] || absent logits.h5 logits.h5.partial
    rm -f logits.h5
done
