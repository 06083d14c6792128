# Options that a command cannot do without.
refuses 2 "*--file*" lfmscope perplexity "$DEMO"
refuses 2 "*--file*" lfmscope compare "$DEMO" q8_0
refuses 2 "*--type*" lfmscope quantize "$DEMO" out.gguf
refuses 2 "*--output*" lfmscope trace "$DEMO" --file "$TEXT"
refuses 2 "*--output*" lfmscope logits "$DEMO" --tokens 1
refuses 2 "*--prompt*" lfmscope generate "$DEMO"
refuses 2 "*missing argument*" lfmscope routing
refuses 2 "*missing argument*" lfmscope report --output x
only
