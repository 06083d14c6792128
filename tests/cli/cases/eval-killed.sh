# An evaluation that is killed at any moment, or whose disk fills up, goes on with the same command to the same samples
# and the same summary; one process at a time.
prompt() { printf '{"key": %d, "prompt": "%s", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}\n' "$1" "$2"; }
key=0
for about in winter bread rivers tea cities gardens stones music; do
    key=$((key + 1))
    prompt $key "Write a short text about $about. Do not use any commas."
done >input_data.jsonl
how=
evaluate() {
    output=$1
    shift
    $how lfmscope eval ifeval --model "$DEMO" --data . --output "$output" --samples 3 --temperature 0.8 --seed 5 \
        --max-tokens 40 --batch 3 --quiet "$@"
}
lines() { wc -l 2>/dev/null <"$1/samples.jsonl" || echo 0; }
# What does not depend on the circumstances, whatever the order.
content() { sed 's/,"prompt_tokens_reused":[^,]*,"seconds":[^,]*,/,/' "$1/samples.jsonl" | sort; }
same_run() {
    content whole >whole.lines
    content "$1" >other.lines
    same whole.lines other.lines
    same whole/summary.json "$1/summary.json"
}
gives 0 evaluate whole
[ "$(lines whole)" = 24 ] || fail "$(lines whole) samples"

# Killed again and again, whenever so many samples are there; at 0 at once.
kills=0 held=no
for at in 0 1 4 9 15 22; do
    how=exec # $! is the program, not a shell that waits for it
    evaluate killed >/dev/null 2>&1 &
    pid=$! how=
    while [ "$(lines killed)" -lt $at ] && kill -0 $pid 2>/dev/null; do sleep 0.01; done
    kill -STOP $pid 2>/dev/null || :
    if [ $at = 4 ] && [ ! -e killed/summary.json ]; then
        refuses 1 "*'killed' is in use by another process ($pid)" evaluate killed
        held=yes
    fi
    kill -9 $pid 2>/dev/null || :
    wait $pid 2>/dev/null || :
    [ -e killed/summary.json ] || kills=$((kills + 1))
done
[ "$held" = yes ] || fail "the second process was not tried"
[ $kills -ge 3 ] || fail "only $kills of 6 kills came before the end"
gives 0 evaluate killed --batch 2
same_run killed

# Half a line, as a kill in the middle of a write leaves it.
cp -r whole torn
cut_to torn/samples.jsonl -20
rm torn/summary.json
gives 0 evaluate torn
same_run torn

# The disk fills up, here at a few KiB per file: nothing written is lost.
limited() { (trap '' XFSZ; ulimit -f 8; evaluate "$@"); }
refuses 1 "*cannot write 'full/samples.jsonl'*" limited full
[ "$(lines full)" -gt 0 ] && [ ! -e full/summary.json ] || fail "a full disk left $(lines full) samples"
[ "$(tail -c 1 full/samples.jsonl)" = "" ] || fail "a torn line was left behind"
gives 0 evaluate full
same_run full

# A sample that failed is told of, stays in the log, and is run again on demand.
cp -r whole failed
rm failed/summary.json
sed -i '2s/"finish":"[a-z]*"/"finish":"error","error":"HTTP 500"/' failed/samples.jsonl
gives 0 evaluate failed
grep -q "error 1; " out && grep -q "^1 of them failed and count as wrong: .*--retry-failed asks again" out || fail "$(cat out)"
[ "$(lines failed)" = 24 ] || fail "a failed sample was run again unasked"
gives 0 evaluate failed --retry-failed
! grep -q "failed and count" out || fail "$(cat out)"
[ "$(lines failed)" = 25 ] || fail "$(lines failed) samples after --retry-failed"
same whole/summary.json failed/summary.json

# Other questions do not go into this run.
refuses 1 "*begun with seed 5, not 6;*" evaluate whole --seed 6
refuses 1 "*begun with weights \"bf16\", not \"q8_0\";*" evaluate whole --weights q8_0
refuses 1 "*begun with kv \"f32\", not \"f16\";*" evaluate whole --kv f16
printf '\n' >>input_data.jsonl
refuses 1 "*begun with data_sha256*" evaluate whole

# Nothing can be written.
printf x >file
refuses 1 "*file/run*" evaluate file/run
if [ "$(id -u)" != 0 ]; then
    mkdir closed
    chmod a-w closed
    refuses 1 "*closed*" evaluate closed
fi
