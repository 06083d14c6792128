# conform: results that cannot be judged, packs that are none or were changed, and command lines: one line each.
gives 0 lfmscope pack one
cp -r one two
cp -r one other
grep '"section":"tokenizer"' one/tokenizer.jsonl >results.jsonl
gives 0 lfmscope conform one results.jsonl
head -c 900 results.jsonl >truncated.jsonl
refuses 1 "*truncated.jsonl:*: not valid JSON*" lfmscope conform one truncated.jsonl
: >empty.jsonl
refuses 1 "*empty.jsonl: there are no results*" lfmscope conform one empty.jsonl
echo '{"section":"about","runtime":"x"}' >about.jsonl
refuses 1 "*about.jsonl: there are no results*" lfmscope conform one about.jsonl
echo '{"section":"tokenizer","id":"none","ids":[1]}' >unknown.jsonl
refuses 1 "*unknown.jsonl:1: the pack has no tokenizer case 'none'*" lfmscope conform one unknown.jsonl
refuses 1 "*is no conformance pack: it has no manifest.json*" lfmscope conform "$DEMO" results.jsonl
refuses 1 "*is not the model of the pack*" lfmscope conform one --model "$DEMO"
refuses 1 "*cannot write a pack to 'one': the directory is not empty*" lfmscope pack one
refuses 1 "*cannot write a pack to 'empty.jsonl'*" lfmscope pack empty.jsonl
refuses 2 "*expected one of RESULTS, --endpoint and --model*" lfmscope conform one
refuses 2 "*expected one of RESULTS, --endpoint and --model*" lfmscope conform one results.jsonl --model one/model
refuses 2 "*unknown class 'f8'*" lfmscope conform one results.jsonl --class f8
refuses 2 "*begins with http*" lfmscope conform one --endpoint localhost:80
printf ' ' >>two/router.jsonl
refuses 1 "*'two/router.jsonl' is not the file of the pack: its SHA-256 differs*" lfmscope conform two results.jsonl
rm other/greedy.jsonl
refuses 1 "*other/greedy.jsonl*" lfmscope conform other results.jsonl
sed 's/"version":[^,]*,/"version": 2,/' one/manifest.json >manifest && mv manifest two/manifest.json
refuses 1 "*a pack of version 2, expected 1*" lfmscope conform two results.jsonl
