# What view refuses: one line, and no page.
run() {
    mkdir -p "$1"
    printf '{"suite": "%s", "data_sha256": "%s"}\n' "$2" "$3" >"$1/run.json"
}
run one some d
run other else d
run data some e
mkdir empty
printf x >file
printf '[' >bad.json
mkdir damaged && mv bad.json damaged/run.json
refuses 2 "*missing argument*--help*" lfmscope view
refuses 2 "*too many arguments*" lfmscope view one one one
refuses 1 "*cannot open 'nowhere'*" lfmscope view nowhere
refuses 1 "*'file' is not the directory of a run*" lfmscope view file
refuses 1 "*'empty' is not the directory of a run*run.json*" lfmscope view empty
refuses 1 "*damaged/run.json:1: not valid JSON*" lfmscope view damaged
refuses 1 "*cannot compare 'one' with 'other': their suite differs, some and else*" lfmscope view one other
refuses 1 "*cannot compare 'one' with 'data': their data (SHA-256) differs, d and e*" lfmscope view one data
refuses 1 "*cannot*nowhere/page.html*" lfmscope view one --output nowhere/page.html
limited() { (trap '' XFSZ; ulimit -f 8; exec "$@"); }
refuses 1 "*cannot write*page.html*" limited lfmscope view one --output page.html
absent one/view.html empty/view.html page.html page.html.partial
