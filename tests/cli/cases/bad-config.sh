# A configuration that is broken or contradicts the tensors: the line names the file, or the tensor with both shapes.
checkpoint moe-bf16 good
setting() {
    rm -rf bad
    cp -r good bad
    sed -E "s/\"$1\": *(\"[^\"]*\"|[^,{}]*)/\"$1\": $2/" good/config.json >bad/config.json
    cmp -s good/config.json bad/config.json && fail "config.json has no '$1' to change"
    return 0
}
try() { refuses 1 "$1" lfmscope info bad; }

setting hidden_size 64;          try "*bad*model.embed_tokens.weight*160,32*160,64*"
setting hidden_size 33;          try "*bad*"
setting hidden_size 0;           try "*hidden_size*"
setting hidden_size -32;         try "*hidden_size*"
setting hidden_size 9e18;        try "*hidden_size*"
setting hidden_size '"32"';      try "*hidden_size*"
setting vocab_size 161;          try "*bad*model.embed_tokens.weight*"
setting num_experts 9;           try "*bad*"
setting num_experts_per_tok 9;   try "*num_experts_per_tok*"
setting num_experts_per_tok 0;   try "*num_experts_per_tok*"
setting num_hidden_layers 6;     try "*bad*"
setting num_hidden_layers 1e12;  try "*bad*"
setting num_attention_heads 5;   try "*bad*"
setting num_attention_heads 0;   try "*num_attention_heads*"
setting num_key_value_heads 3;   try "*bad*"
setting moe_intermediate_size 25; try "*bad*feed_forward.experts.0.w1.weight*"
setting model_type '"bert"';     try "*'bert'*lfm2_moe*"

rm -rf bad; cp -r good bad
printf '{"hidden_size": 32,\n "vocab_size": }\n' >bad/config.json
try "*bad/config.json:2:*not valid JSON*"
printf '[]' >bad/config.json
try "*bad/config.json*"
: >bad/config.json
try "*bad/config.json*"
rm bad/config.json
try "*bad*config.json*"
