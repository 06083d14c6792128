# A quantized file opens again and is the model that --weights makes in memory.
documents 2 text.jsonl
gives 0 lfmscope quantize "$DEMO" q8_0.gguf --type q8_0
gives 0 lfmscope quantize "$DEMO" q4_0.gguf --type q4_0
gives 0 lfmscope quantize "$DEMO" fp8_e4m3 --type fp8_e4m3 --embedding
for type in q8_0 q4_0 fp8_e4m3; do
    file=$type
    [ -e "$file" ] || file=$type.gguf
    gives 0 lfmscope info "$file"
    gives 0 lfmscope compare "$DEMO" $type "$file" --file text.jsonl --context 64 --special --json
    for key in perplexity kld.mean kld.max top1_agreement; do
        memory=$(json out candidates.0.$key) stored=$(json out candidates.1.$key)
        [ "$memory" = "$stored" ] || fail "$type: $key is $memory in memory and $stored from the file"
    done
    holds "$(json out candidates.0.kld.mean) > 0"
done
