# --help works everywhere, goes to stdout and names every command.
gives 0 lfmscope --help
cp out help
gives 0 lfmscope help
same out help
[ ! -s err ] || fail "--help printed on stderr"
commands=$(sed -n 's/^  \([a-z]*\) .*/\1/p' help)
for command in info tokenize generate logits trace perplexity quantize compare ledger attribute routing score report; do
    echo "$commands" | grep -qx "$command" || fail "--help lacks $command"
done
for command in $commands; do
    gives 0 lfmscope "$command" --help
    [ ! -s err ] || fail "$command --help printed on stderr"
    head -n 1 out | grep -q "^usage: lfmscope $command " || fail "$command --help starts with $(head -n 1 out)"
    for option in --json --threads --seed --quiet; do
        grep -q -e "$option" out || fail "$command --help lacks $option"
    done
done
