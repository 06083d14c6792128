# A weight that is no number: quantizing and measuring say where it is instead of spreading it.
checkpoint moe-bf16 model
size=$(size_of model/model.safetensors)
patch model/model.safetensors $((size - 2)) '\300\177'
refuses 1 "*cannot quantize*nan*" lfmscope quantize model out.gguf --type q8_0
only model
