# The AVX-512 kernels give the bits of plain C where the processor lacks the instructions, too: there they are emulated.
command -v unit-tests-avx512 >/dev/null || { echo "built only for x86-64"; exit 77; }
unit-tests-avx512 --filter 'kernels/*' --color=never >log 2>&1 || cat log
grep -q 'Passing: [1-9].*Failing: 0 | Crashing: 0' log
