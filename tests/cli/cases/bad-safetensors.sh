# Damaged safetensors: one line that names the file, no crash.
checkpoint moe-bf16 good
gives 0 lfmscope info good
try() { refuses 1 "*bad*$1*" lfmscope info bad; rm -rf bad; }
fresh() { rm -rf bad; cp -r good bad; }

for size in 0 4 8 100 5000; do
    fresh; cut_to bad/model.safetensors $size; try safetensors
done
fresh; cut_to bad/model.safetensors -1; try safetensors
fresh; patch bad/model.safetensors 0 '\377\377\377\377\377\377\377\377'; try safetensors
fresh; patch bad/model.safetensors 0 '\377\377\377\177\0\0\0\0'; try safetensors
fresh; patch bad/model.safetensors 0 '\0\0\0\0\0\0\0\0'; try safetensors
fresh; patch bad/model.safetensors 8 'x'; try safetensors
fresh; rm bad/model.safetensors; try safetensors
fresh; rm bad/model.safetensors; mkdir bad/model.safetensors; try safetensors

# The header: a tensor of another name, type, shape and place; lengths stay as they are.
header() { fresh; sed "s/$1/$2/" good/model.safetensors >bad/model.safetensors; cmp -s good/model.safetensors bad/model.safetensors && fail "no '$1' to change"; [ "$(size_of good/model.safetensors)" = "$(size_of bad/model.safetensors)" ] || fail "the length changed"; }
header 'model.layers.2.ffn_norm.weight' 'model.layers.2.ffn_nerm.weight'; try 'model.layers.2.ffn_norm.weight'
header '"dtype":"BF16"' '"dtype":"BF61"'; try 'BF61'
header '"shape":\[160,32\]' '"shape":[161,32]'; try '161'
header '"shape":\[160,32\]' '"shape":[-60,32]'; try ''
header '"shape":\[160,32\]' '"shape":[1.0,32]'; try ''
header '"shape":\[160,32\]' '"shape":"160,32"'; try ''
header '"shape":\[160,32\]' '"shape":[9e99,2]'; try ''
header '"data_offsets":\[0,' '"data_offsets":[9,'; try ''
header '"data_offsets":' '"data_offzets":'; try ''
