# Sharded checkpoints: a shard that is missing, cut, or contradicts the index.
checkpoint moe-12-experts-sharded good
gives 0 lfmscope info good
cp -r good bad
rm bad/model-00002-of-00003.safetensors
refuses 1 "*model-00002-of-00003.safetensors*" lfmscope info bad
cp good/model-00001-of-00003.safetensors bad/model-00002-of-00003.safetensors
refuses 1 "*bad*" lfmscope info bad
rm -rf bad
cp -r good bad
cut_to bad/model-00003-of-00003.safetensors -10
refuses 1 "*model-00003-of-00003.safetensors*" lfmscope info bad
rm -rf bad
cp -r good bad
printf '{"weight_map": 3}' >bad/model.safetensors.index.json
refuses 1 "*model.safetensors.index.json*" lfmscope info bad
printf '{"weight_map": {"model.embed_tokens.weight": "../good/model-00001-of-00003.safetensors"}}' >bad/model.safetensors.index.json
refuses 1 "*model.safetensors.index.json*" lfmscope info bad
