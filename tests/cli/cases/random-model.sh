# random-model: loads, has the shape asked for, and the same bytes for any number of threads and shards.
for threads in 1 2 3; do
    gives 0 random-model "t$threads" --scale small --threads $threads --seed 7
done
same t1/model.safetensors t2/model.safetensors
same t1/model.safetensors t3/model.safetensors
gives 0 random-model other --scale small --seed 8
cmp -s t1/model.safetensors other/model.safetensors && fail "another seed gave the same weights"

gives 0 lfmscope info t1 --json
[ "$(json out architecture)" = lfm2_moe ] || fail "the architecture is $(json out architecture)"
[ "$(json out parameters)" = 576184 ] || fail "$(json out parameters) parameters"
gives 0 lfmscope logits t1 --tokens 1,2,3 --output t1.h5

# Shards hold the same tensors; a tokenizer comes along.
gives 0 random-model sharded --scale small --seed 7 --shard-bytes 300000 --layers 3 --vocabulary 2048 --tokenizer "$DEMO"
gives 0 random-model whole --scale small --seed 7 --layers 3 --vocabulary 2048 --tokenizer "$DEMO"
[ -f sharded/model.safetensors.index.json ] && [ -f sharded/model-00004-of-00004.safetensors ] || fail "$(ls sharded)"
for model in sharded whole; do
    gives 0 lfmscope quantize $model $model.gguf --type q8_0 --quiet
done
[ "$(size_of sharded.gguf)" = "$(size_of whole.gguf)" ] || fail "sharded and whole differ in size"
documents 2 text.jsonl
gives 0 lfmscope perplexity sharded --file text.jsonl --special --context 64 --quiet
mv out first
gives 0 lfmscope perplexity whole --file text.jsonl --special --context 64 --quiet
same first out

refuses 1 "*'t1': it exists*" random-model t1 --scale small
refuses 2 "*unknown scale 'huge'*" random-model new --scale huge
refuses 1 "*'num_experts' is 0*" random-model new --experts 0
refuses 1 "*t1*tokenizer.json*" random-model new --scale small --tokenizer t1
refuses 1 "*has 2048 tokens, the vocabulary only 512*" random-model new --scale small --tokenizer "$DEMO"
refuses 2 "random-model: unknown option '--size'*" random-model new --size 3
refuses 1 "*the disk has*" random-model new --layers 500 --experts 1024 --hidden-size 8192 --heads 32 --intermediate-size 65536 --moe-intermediate-size 65536
absent new
