# Places where nothing can be written: one line, nothing left behind.
documents 1 text.jsonl
printf x >file
refuses 1 "*file/out.gguf*" lfmscope quantize "$DEMO" file/out.gguf --type q8_0
refuses 1 "*nowhere/out.gguf*" lfmscope quantize "$DEMO" nowhere/out.gguf --type q8_0
refuses 1 "*file/out*" lfmscope quantize "$DEMO" file/out --type fp8_e4m3
refuses 1 "*file/out.h5*" lfmscope trace "$DEMO" --file text.jsonl --output file/out.h5
refuses 1 "*nowhere/out.h5*" lfmscope logits "$DEMO" --tokens 1,2 --output nowhere/out.h5
gives 0 lfmscope compare "$DEMO" q4_0 --file text.jsonl --context 64 --special --json
cp out compare.json
refuses 1 "*file*" lfmscope report compare.json --output file/report
only text.jsonl file compare.json
