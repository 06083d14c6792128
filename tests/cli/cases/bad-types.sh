# Number formats that do not exist: the line lists those that do.
refuses 2 "*'q9_9'*q8_0*" lfmscope quantize "$DEMO" out.gguf --type q9_9
refuses 2 "*'q9_9'*q8_0*" lfmscope perplexity "$DEMO" --file "$TEXT" --weights q9_9
refuses 2 "*q9_9*" lfmscope compare "$DEMO" q9_9 --file "$TEXT"
refuses 2 "*'sideways'*channel*" lfmscope perplexity "$DEMO" --file "$TEXT" --weights fp8_e4m3 --scale sideways
refuses 2 "*'sideways'*channel*" lfmscope quantize "$DEMO" out --type fp8_e4m3 --scale sideways
only
