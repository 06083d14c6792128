# Files that are not there are named.
refuses 1 "*'nowhere'*No such file*" lfmscope info nowhere
refuses 1 "*'nowhere.gguf'*No such file*" lfmscope info nowhere.gguf
refuses 1 "*'nowhere.txt'*No such file*" lfmscope perplexity "$DEMO" --file nowhere.txt
refuses 2 "*nowhere*" lfmscope compare "$DEMO" nowhere.gguf --file "$TEXT"
refuses 1 "*'nowhere.h5'*" lfmscope routing nowhere.h5
refuses 1 "*'nowhere.json'*No such file*" lfmscope report nowhere.json --output report
absent report
mkdir empty
refuses 1 "*empty*config.json*" lfmscope info empty
printf 'plain text' >text
refuses 1 "*text*" lfmscope info text
: >nothing
refuses 1 "*nothing*" lfmscope info nothing
