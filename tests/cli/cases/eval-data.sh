# Which data a suite takes, several suites in one command, and what is refused in one line.
mkdir -p all/ifeval
printf '{"key": %d, "prompt": "Describe a garden. Do not use any commas.", "instruction_id_list": ["punctuation:no_comma"], "kwargs": [{}]}\n' 3 8 >all/ifeval/input_data.jsonl
cp -r "$ROOT/datasets/tasks/bfcl" all/bfcl
evaluate() { lfmscope eval "$@" --model "$DEMO" --max-tokens 8 --limit 2 --quiet; }

# The same data by five names are the same data.
gives 0 evaluate ifeval --data all/ifeval/input_data.jsonl --output run
for way in "--data all/ifeval" "--data all/ifeval/input_data.jsonl"; do
    # shellcheck disable=SC2086 # two words
    gives 0 evaluate ifeval $way --output run
done
export LFMSCOPE_DATA="$PWD/all"
gives 0 evaluate ifeval --output run
unset LFMSCOPE_DATA
mkdir -p datasets
ln -s ../all datasets/tasks
gives 0 evaluate ifeval --output run --json
cp out summary.json
same summary.json run/summary.json
[ "$(wc -l <run/samples.jsonl)" = 2 ] || fail "the run was not continued"
rm -r datasets
refuses 1 "*no data for ifeval: there is no 'datasets/tasks/ifeval' (the built-in tasks); name a data set with --data*" \
    evaluate ifeval --output none
refuses 1 "*no data for ifeval: there is no 'nowhere' (--data)" evaluate ifeval --data nowhere --output none
LFMSCOPE_DATA=elsewhere
export LFMSCOPE_DATA
refuses 1 "*there is no 'elsewhere/bfcl' (LFMSCOPE_DATA)*" evaluate bfcl --output none
unset LFMSCOPE_DATA

# Several suites, each in its directory, the same as alone.
gives 0 evaluate ifeval,bfcl --data all --output both
grep -q '^ifeval, ' out && grep -q '^bfcl, ' out || fail "both suites are to be printed: $(cat out)"
gives 0 evaluate bfcl --data all/bfcl --output alone
same both/bfcl/summary.json alone/summary.json
gives 0 evaluate ifeval,bfcl --data all --output both --json
has_keys out schema suites.0.correct.accuracy suites.1.correct.accuracy
[ "$(json out suites.1.suite)" = bfcl ] || fail "the second suite is not bfcl"

# Every variant of every suite, with its activations and its cache.
gives 0 evaluate ifeval,bfcl --data all --output against --against q8_0/q8/f16 --kv f16
for run in ifeval/reference ifeval/q8_0+q8+f16 bfcl/reference bfcl/q8_0+q8+f16; do
    [ "$(json against/$run/run.json kv)" = f16 ] || fail "$run: kv is not f16"
done
[ "$(json against/bfcl/q8_0+q8+f16/run.json activations)" = q8 ] || fail "activations are not q8"
[ "$(json against/bfcl/summary.json variants.0.name)" = q8_0/q8/f16 ] || fail "the variant has another name"
grep -q "reference, weights bf16, kv f16" out || fail "the cache type is not shown: $(cat out)"

# Data of another suite, suites and variants that do not exist, a model that cannot answer: nothing is made.
refuses 1 "*'all/bfcl' has no input_data.jsonl*" evaluate ifeval --data all/bfcl --output none
refuses 1 "*not the data of ifeval*BFCL_v4_simple_python.json:1*" evaluate ifeval --data all/bfcl/BFCL_v4_simple_python.json --output none
refuses 1 "*not the data of bfcl*" evaluate bfcl --data all/ifeval --output none
refuses 2 "*unknown suite 'ifevel': expected ifeval, *" evaluate ifevel --output none
refuses 2 "*the suite 'bfcl' is named twice*" evaluate bfcl,ifeval,bfcl --data all --output none
refuses 2 "*unknown suite ''*" evaluate ifeval, --data all --output none
refuses 2 "*--ids: the data set has no item '4'" evaluate ifeval --data all/ifeval --ids 4 --output none
refuses 2 "*'--shard' needs i/n*not '3/2'*" evaluate ifeval --data all/ifeval --shard 3/2 --output none
refuses 2 "*unknown weight type 'q9'*" evaluate ifeval --data all/ifeval --against q9 --output none
refuses 2 "*unknown activation type 'q7'*" evaluate ifeval --data all/ifeval --against q8_0/q7 --output none
refuses 2 "*names 'q8_0' twice" evaluate ifeval --data all/ifeval --against q8_0,q8_0 --output none
mkdir bare
ln -s "$DEMO/config.json" "$DEMO/tokenizer.json" "$DEMO/model.safetensors" bare
refuses 1 "*the model has no chat template*" lfmscope eval ifeval --data all/ifeval --model bare --output none
absent none

# A model here or a server there.
refuses 2 "*either --model or --endpoint is needed*" lfmscope eval ifeval --data all/ifeval --output none
refuses 2 "*--model and --endpoint exclude each other*" evaluate ifeval --endpoint http://127.0.0.1:1/v1 --output none
remote() { lfmscope eval ifeval --data all/ifeval --output none --quiet --endpoint "$@"; }
refuses 2 "*'--weights' quantizes a model in this process*" remote http://127.0.0.1:1/v1 --weights q8_0
refuses 2 "*'--against' quantizes a model in this process*" remote http://127.0.0.1:1/v1 --against q8_0
refuses 2 "*'--activations' and '--kv' go with --model*" remote http://127.0.0.1:1/v1 --kv f16
refuses 2 "*'--batch' goes with --model*" remote http://127.0.0.1:1/v1 --batch 2
refuses 2 "*'--concurrency' goes with --endpoint*" evaluate ifeval --concurrency 2 --output none
refuses 2 "*begins with http*" remote nonsense
absent none

# What is secret stands nowhere in the run.
LFMSCOPE_API_KEY=sk-secret
export LFMSCOPE_API_KEY
refuses 1 "*" remote http://me:hidden@127.0.0.1:1/v1?token=hidden --model-name m --retries 0 --timeout 2
[ -e none/run.json ] || fail "there is no run.json"
! grep -rE 'sk-secret|hidden' none err || fail "a secret was written"

# What is out of range is refused before a run begins, also where it is the mark of what was not said.
out_of_range() { # PATTERN OPTION VALUE
    refuses 2 "*$1*" evaluate ifeval --data all/ifeval --output refused "$2" "$3"
}
out_of_range "top-p must be above 0 and at most 1, not 2" --top-p 2
out_of_range "top-p must be above 0 and at most 1, not -1" --top-p -1
out_of_range "temperature must be 0 or larger, not -1" --temperature -1
out_of_range "min-p must be from 0 to 1, not -1" --min-p -1
out_of_range "the repetition penalty must be above 0, not 0" --repetition-penalty 0
out_of_range "the repetition penalty must be above 0, not -1" --repetition-penalty -1
out_of_range "'--date' needs a date such as 2026-05-04" --date soon
refuses 2 "*timeout*" lfmscope eval ifeval --data all/ifeval --endpoint http://localhost:1/v1 --output refused --timeout -1
absent refused

# A run of one model and a comparison do not share a directory.
refuses 1 "*'run' holds a run without --against; choose another --output*" evaluate ifeval --data all/ifeval --output run --against q8_0
gives 0 evaluate ifeval --data all/ifeval --output compared --against q8_0
refuses 1 "*'compared' holds runs that were made with --against*" evaluate ifeval --data all/ifeval --output compared
