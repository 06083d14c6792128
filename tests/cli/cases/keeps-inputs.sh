# What is written never takes the place of what is read, nor of a device: one line, and the input is as it was.
documents 1 text.jsonl
lfmscope trace "$DEMO" --file text.jsonl --special --points router --output t.h5 --quiet >log 2>&1
cp t.h5 before.h5
ln -s t.h5 link.html
refuses 1 "*cannot write 't.h5': it is 't.h5', which is being read*" lfmscope routing t.h5 --route t.h5
refuses 1 "*cannot write 'link.html': it is 't.h5', which is being read*" lfmscope routing t.h5 --route link.html
same t.h5 before.h5
mkfifo pipe
refuses 1 "*cannot write 'pipe': it is no regular file*" lfmscope routing t.h5 --route pipe
[ -p pipe ] || fail "the pipe is gone"
refuses 1 "*cannot write '/dev/null': it is no regular file*" lfmscope routing t.h5 --route /dev/null

lfmscope eval ifeval --model "$DEMO" --data "$ROOT/datasets/tasks/ifeval" --limit 1 --max-tokens 2 --output run --quiet >log 2>&1
cp -r run before
for file in run.json samples.jsonl summary.json; do
    refuses 1 "*cannot write 'run/$file': it is part of a run*" lfmscope view run --output run/$file
done
diff -r run before

tasks=$ROOT/datasets/tasks/ifeval
cp "$tasks/input_data.jsonl" data.jsonl
sed -n '1s/.*"key": *\([0-9]*\).*/{"key": \1, "response": "x"}/p' data.jsonl >responses.jsonl
cp responses.jsonl kept.jsonl
refuses 1 "*cannot write 'responses.jsonl'*which is being read*" lfmscope score ifeval --data data.jsonl \
    --responses responses.jsonl --verdicts responses.jsonl
refuses 1 "*cannot write 'data.jsonl'*which is being read*" lfmscope score ifeval --data data.jsonl \
    --responses responses.jsonl --verdicts data.jsonl
gives 0 lfmscope score ifeval --data data.jsonl --responses responses.jsonl --verdicts verdicts.jsonl
gives 0 lfmscope score ifeval --data data.jsonl --responses responses.jsonl --verdicts verdicts.jsonl
same responses.jsonl kept.jsonl
same data.jsonl "$tasks/input_data.jsonl"

lfmscope pack pack --quiet >log 2>&1
lfmscope conform pack --model pack/model --write-results pack/results.jsonl --quiet >log 2>&1
cp -r pack kept
for file in manifest.json router.jsonl; do
    refuses 1 "*cannot write 'pack/$file'*which is being read*" lfmscope conform pack pack/results.jsonl \
        --write-results pack/$file
done
diff -r pack kept

cp -r "$ROOT/datasets/tasks/bfcl" bfcl
echo '{"id": "irrelevance_0", "mode": "lfm2", "result": "x"}' >responses.jsonl
for output in bfcl/BFCL_v4_irrelevance.json bfcl/possible_answer/verdicts.jsonl; do
    refuses 1 "*cannot write '$output' into 'bfcl', which is being read*" lfmscope score bfcl --data bfcl \
        --responses responses.jsonl --verdicts $output
done
diff -r bfcl "$ROOT/datasets/tasks/bfcl"
gives 0 lfmscope score bfcl --data bfcl --responses responses.jsonl --verdicts verdicts.jsonl
