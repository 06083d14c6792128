# fetch_data takes, checks and names files, from a directory and from URLs; what is wrong never gets a name.
command -v unzip >/dev/null && command -v curl >/dev/null || {
    echo "skipped: no unzip or no curl"
    exit 77
}
mkdir published
printf '{"key": 1}\n{"key": 2}\n' >published/plain.jsonl
echo 'UEsDBBQAAAAAAAAAIVxxo4NrDQAAAA0AAAATAAAAcGtnL2RhdGEvaW5uZXIuanNvbnsiaW5uZXIiOiAxfQpQSwECFAMUAAAAAAAAACFccaODaw0AAAANAAAAEwAAAAAAAAAAAAAAgAEAAAAAcGtnL2RhdGEvaW5uZXIuanNvblBLBQYAAAAAAQABAEEAAAA+AAAAAAA=' |
    base64 -d >published/pkg.whl
row() { # SET FILE SOURCE SHA SIZE
    printf '%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$5" "$4" "$3"
}
plain_sha=$(sha256sum <published/plain.jsonl | cut -d ' ' -f 1)
{
    echo '# set file size sha source'
    row archive downloads/pkg.whl "file://$PWD/published/pkg.whl" \
        c70e274448cc5146ba7d08b8550b577f62d26c6137edc03c9ba8edc0963b69a0 149
    row alpha alpha/plain.jsonl "file://$PWD/published/plain.jsonl" "$plain_sha" 22
    row beta beta/in/inner.json 'pkg.whl!pkg/data/inner.json' \
        9e1ff6618801e58012e964ce319a4b8cb5c377256f7338758f7158432a04e7b7 13
} >list.tsv
export LFMSCOPE_DATA="$PWD/cache"
fetch() { # STATUS ARGUMENTS...
    want=$1
    shift
    gives "$want" "$ROOT/scripts/fetch_data" --manifest list.tsv "$@"
}
complains() { # PATTERN: it said one line on stderr, which matches
    [ "$(wc -l <err)" = 1 ] || fail "expected one line: $(cat err)"
    grep -q -e "$1" err || fail "'$(cat err)' does not match '$1'"
}
no_parts() {
    [ -z "$(find cache -name '*.part*' 2>/dev/null)" ] || fail "parts were left"
}

# From a directory: files by their name, members out of archives, wherever they lie.
mkdir -p at/hand
cp published/pkg.whl at/hand/
cp published/plain.jsonl at/
fetch 0 --from at
grep -q '^alpha: 1 files ready, 1 of them new, 0 missing' out || fail "$(cat out)"
same cache/alpha/plain.jsonl published/plain.jsonl
[ "$(cat cache/beta/in/inner.json)" = '{"inner": 1}' ] || fail "the member differs"
no_parts

# Again: nothing to do. A damaged file is listed as such, and replaced.
fetch 0 --from at
grep -q '^beta: 1 files ready, 0 of them new, 0 missing' out || fail "$(cat out)"
printf 'x' >>cache/alpha/plain.jsonl
rm cache/beta/in/inner.json
fetch 0 --list
grep -q '^damaged .* alpha/plain.jsonl ' out && grep -q '^missing .* beta/in/inner.json ' out || fail "$(cat out)"
fetch 0 --from at
same cache/alpha/plain.jsonl published/plain.jsonl

# Corrupted files are refused with one line, and nothing is left.
rm -r cache
printf '{"key": 1}\n{"key": 3}\n' >at/plain.jsonl
fetch 1 --from at alpha
complains "^fetch_data: at/plain.jsonl: SHA-256 is [0-9a-f]*, expected $plain_sha for alpha/plain.jsonl"
absent cache/alpha/plain.jsonl
patch at/hand/pkg.whl 60 Z
fetch 1 --from at beta
complains '^fetch_data: at/hand/pkg.whl: SHA-256 is .*, expected c70e2744'
absent cache/beta/in/inner.json
rm at/plain.jsonl at/hand/pkg.whl
fetch 1 --from at alpha
complains "plain.jsonl is not below 'at' (published at file://"
fetch 1 --from at beta
complains "neither pkg.whl nor all of its files are below 'at'"
fetch 1 --from nowhere
complains "'nowhere' is no directory"

# From URLs; an interrupted download goes on, a part of something else does not spoil it.
fetch 0
same cache/alpha/plain.jsonl published/plain.jsonl
[ "$(cat cache/beta/in/inner.json)" = '{"inner": 1}' ] || fail "the member differs"
for start in '{"key": 1}' 'something else' 'something else that is longer than the file'; do
    rm cache/alpha/plain.jsonl
    printf '%s' "$start" >cache/alpha/plain.jsonl.part
    fetch 0 alpha
    same cache/alpha/plain.jsonl published/plain.jsonl
    no_parts
done
rm -r cache
printf 'changed\n' >published/plain.jsonl
fetch 1 alpha
complains 'published/plain.jsonl: 8 bytes with SHA-256 .*, expected 22 bytes with'
rm published/plain.jsonl published/pkg.whl
fetch 1 alpha
complains '^fetch_data: cannot download file://.*curl: '
fetch 1 beta
complains '^fetch_data: cannot download file://.*pkg.whl'
absent cache/alpha/plain.jsonl cache/beta/in/inner.json
no_parts

fetch 2 gamma
complains "unknown set 'gamma': expected alpha beta"
fetch 2 --fast
complains "unknown option '--fast'"

# The project's own list: five columns, hashes, archives that are named.
awk -F '\t' '/^#/ { next }
    $1 == "archive" { sub("downloads/", "", $2); archive[$2] = 1 }
    $1 != "archive" && index($5, "!") { used[substr($5, 1, index($5, "!") - 1)] = 1 }
    NF != 5 || $3 !~ /^[0-9]+$/ || $4 !~ /^[0-9a-f]+$/ || length($4) != 64 { print "line " NR ": " $0 }
    END { for (name in used) if (!(name in archive)) print "no archive " name }' "$ROOT/datasets/official.tsv" >wrong
[ ! -s wrong ] || fail "$(cat wrong)"
gives 0 "$ROOT/scripts/fetch_data" --list
for set in ifeval bfcl tau2; do grep -q "^missing .* $set/" out || fail "$set is not listed"; done
