# The style check sees what it is there for, and fails.
mkdir -p reference/base docs
cp "$ROOT/Makefile" .
good='static int zero(void)\n{\n    return 0;\n}\n'
# shellcheck disable=SC2059 # a format
fresh() { printf "$good" >reference/base/x.c; printf '# text\n' >docs/x.md; }
refused() {
    "$ROOT/scripts/check_style" . >found 2>&1 && fail "not seen: $1"
    grep -q "$1" found || fail "'$1' is missing in: $(cat found)"
    fresh
}
fresh
"$ROOT/scripts/check_style" . >found 2>&1 || fail "a tree in order was refused: $(cat found)"
printf 'int x; \n' >>reference/base/x.c
refused 'blanks at the end'
printf '\tint x;\n' >>reference/base/x.c
refused 'a tab'
printf '/* %0140d */\n' 0 >>reference/base/x.c
refused 'a line over 140 columns'
printf '#pragma STDC FP_CONTRACT ON\n' >>reference/base/x.c
refused 'floating-point arithmetic'
printf 'see [y](y.md)\n' >>docs/x.md
refused 'a link that leads nowhere'
printf 'look into %shome/someone/notes\n' / >>docs/x.md
refused 'a path of one machine'
{ printf 'void f(void)\n{\n'; yes '    g();' | head -n 131; printf '}\n'; } >>reference/base/x.c
refused 'a function over 130 lines'
sed -i 's/-ffp-contract=off/-ffp-contract=fast/' Makefile
refused 'no -ffp-contract=off'
