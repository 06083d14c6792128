# The number of threads changes no bit of any result.
documents 2 text.jsonl
results() { grep -v -e '"command"' -e '"created"' -e '"threads"' -e '"seconds' -e '_seconds"' "$1"; }
for threads in 1 2 3; do
    gives 0 lfmscope compare "$DEMO" q4_0 --file text.jsonl --context 64 --special --json --threads $threads
    results out >compare.$threads
    gives 0 lfmscope quantize "$DEMO" model.$threads.gguf --type q4_0 --threads $threads
    gives 0 lfmscope quantize "$DEMO" model.$threads --type fp8_e4m3 --threads $threads
    gives 0 lfmscope generate "$DEMO" --prompt 'Nora kept' --max-tokens 20 --temperature 0.8 --seed 7 --threads $threads
    mv out text.$threads
done
for threads in 2 3; do
    same compare.1 compare.$threads
    same model.1.gguf model.$threads.gguf
    same model.1/model.safetensors model.$threads/model.safetensors
    same text.1 text.$threads
done

# Threads that are to be bound to cores are not all bound to the first one.
for binding in NONE=1 OMP_PROC_BIND=true OMP_PLACES=cores; do
    gives 0 env $binding lfmscope bench "$DEMO" --prompt-tokens 1 --decode-tokens 1 --repeats 1 --json
    json out threads >used.$binding
    same used.NONE=1 used.$binding
done
