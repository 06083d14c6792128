# Damaged GGUF: one line that names the file, no crash.
gives 0 lfmscope quantize "$DEMO" good.gguf --type q4_0
try() { refuses 1 "*bad.gguf*" lfmscope info bad.gguf; }
fresh() { cp good.gguf bad.gguf; }

for size in 0 3 4 8 20 24 30 1000 100000; do
    fresh; cut_to bad.gguf $size; try
done
fresh; cut_to bad.gguf -1; try
fresh; patch bad.gguf 0 'GGML'; try
fresh; patch bad.gguf 4 '\1\0\0\0'; try
fresh; patch bad.gguf 4 '\143\0\0\0'; try
fresh; patch bad.gguf 4 '\0\0\0\3'; try
fresh; patch bad.gguf 8 '\377\377\377\377\377\377\377\377'; try
fresh; patch bad.gguf 8 '\0'; try
fresh; patch bad.gguf 16 '\377\377\377\377\377\377\377\177'; try
fresh; patch bad.gguf 16 '\0'; try
fresh; patch bad.gguf 24 '\377\377\377\377\377\377\377\377'; try
fresh; patch bad.gguf 31 '\1'; try
renamed() { sed "s/$1/$2/" good.gguf >bad.gguf; cmp -s good.gguf bad.gguf && fail "no '$1' to change"; try; }
renamed 'lfm2moe.block_count' 'lfm2moe.block_cuont'
renamed 'blk.3.ffn_norm.weight' 'blk.3.ffn_nerm.weight'
renamed 'token_embd.weight' 'token_embp.weight'
