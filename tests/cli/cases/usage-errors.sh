# What the user typed wrong: exit status 2, one line, a hint at --help.
gives 2 lfmscope
[ ! -s out ] || fail "usage went to stdout"
grep -q '^usage: lfmscope COMMAND' err || fail "no usage line"
refuses 2 "lfmscope: unknown command 'inof'*--help*" lfmscope inof model
refuses 2 "*unknown option '--no-such'*--help*" lfmscope info "$DEMO" --no-such
refuses 2 "*unknown option '-x'*" lfmscope info -x "$DEMO"
refuses 2 "*missing argument*" lfmscope info
refuses 2 "*too many arguments*" lfmscope info "$DEMO" "$DEMO"
refuses 2 "*'--context' needs a whole number*" lfmscope info "$DEMO" --context
refuses 2 "*'--context' needs a whole number, not '-1'*" lfmscope info "$DEMO" --context -1
refuses 2 "*'--threads' must be at most 4096*" lfmscope info "$DEMO" --threads 99999
refuses 2 "*'--json' takes no value*" lfmscope info "$DEMO" --json=yes
refuses 2 "*'--threads' needs a whole number, not 'two'*" lfmscope perplexity "$DEMO" --file "$TEXT" --threads two
refuses 2 "*'--seed' needs a whole number*" lfmscope perplexity "$DEMO" --file "$TEXT" --seed 1.5
refuses 2 "*LFMSCOPE_KERNELS is 'bogus'; this processor runs *plain*" env LFMSCOPE_KERNELS=bogus lfmscope info "$DEMO"
refuses 2 "*unknown command 'nothing'*" lfmscope help nothing
gives 0 lfmscope help info
grep -q '^usage: lfmscope info' out || fail "help info: $(head -1 out)"
