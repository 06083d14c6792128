# What the command-line cases use. Loaded by tests/cli/run, which sets:
#   ROOT   the project      TINY   directory of small random checkpoints (tests/golden/model)
#   DEMO   the demo model   TEXT   the held-out text
# shellcheck shell=sh

fail() {
    echo "$*"
    exit 1
}

# gives STATUS COMMAND...: runs it, output to ./out and ./err, and checks the exit status ("1 2": either).
gives() {
    want=$1
    shift
    got=0
    "$@" >out 2>err </dev/null || got=$?
    case " $want " in
    *" $got "*) ;;
    *)
        echo "exit status $got, expected $want: $*"
        sed 's/^/  stderr: /' err
        exit 1
        ;;
    esac
}

# refuses STATUS PATTERN COMMAND...: it exits so, prints nothing on stdout and one line on stderr that matches. (What
# quantize says about matrices it keeps, "fallback: ...", comes before and is no complaint.)
refuses() {
    want_status=$1 pattern=$2
    shift 2
    gives "$want_status" "$@"
    [ ! -s out ] || fail "a refusal printed on stdout: $*"
    grep -v '^fallback: ' err >complaint || :
    [ "$(wc -l <complaint)" = 1 ] || {
        sed 's/^/  stderr: /' err
        fail "expected one line on stderr: $*"
    }
    # shellcheck disable=SC2254 # a pattern
    case $(cat complaint) in
    $pattern) ;;
    *) fail "stderr '$(cat complaint)' does not match '$pattern': $*" ;;
    esac
}

# has_keys FILE PATH...: the file is a JSON document with all these values (see json_get.c).
has_keys() {
    json_get "$@" >/dev/null || fail "keys are missing in $1"
}

# json FILE PATH: one value.
json() {
    json_get "$1" "$2"
}

same() {
    cmp "$1" "$2" || fail "$1 and $2 differ"
}

# holds CONDITION...: an awk expression is true; for numbers that are no integers.
holds() {
    awk "BEGIN { exit !($*) }" || fail "not true: $*"
}

absent() {
    for path in "$@"; do
        [ ! -e "$path" ] || fail "$path was left behind"
    done
}

# only NAMES...: the current directory holds these files and nothing else but what the functions above leave.
only() {
    found=$(find . -mindepth 1 -maxdepth 1 ! -name out ! -name err ! -name complaint | sed 's,^\./,,' | sort | tr '\n' ' ')
    wanted=$(for name in "$@"; do echo "$name"; done | sort | tr '\n' ' ')
    [ "$found" = "$wanted" ] || fail "the directory holds '$found', expected '$wanted'"
}

# checkpoint NAME [AS]: a writable copy of a small checkpoint, without its expected results.
checkpoint() {
    cp -r "$TINY/$1" "${2:-$1}"
    chmod -R u+w "${2:-$1}"
    rm -rf "${2:-$1}/expected"
}

# patch FILE OFFSET BYTES: overwrites bytes in place; BYTES as printf takes them ('\377\0').
patch() {
    # shellcheck disable=SC2059 # the bytes are a format
    printf "$3" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

# cut_to FILE SIZE: the first SIZE bytes; a negative size leaves off so many.
cut_to() {
    head -c "$2" "$1" >"$1.cut"
    mv "$1.cut" "$1"
}

size_of() {
    wc -c <"$1" | tr -d ' '
}

# documents N FILE: the first N documents of the held-out text, cut to 500 characters each (some 160 tokens).
documents() {
    head -n "$1" "$TEXT" | sed -E 's/("text": ")(([^\\]|\\.){500}).*(", "label")/\1\2\4/' >"$2"
}
