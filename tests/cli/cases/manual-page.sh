# Every option that --help lists stands in the manual page.
sed 's|\\||g' "$ROOT/docs/lfmscope.1" >page
for command in $(lfmscope --help | sed -n 's/^  \([a-z]*\) .*/\1/p'); do
    for option in $(lfmscope "$command" --help | sed -n 's/^  \(--[a-z-]*\) .*/\1/p'); do
        grep -q -e "$option\b" page || fail "docs/lfmscope.1 lacks $option of lfmscope $command"
    done
done
