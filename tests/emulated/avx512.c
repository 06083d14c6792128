/* The AVX-512 kernels for any x86-64 processor with AVX2, so that their tests run where the instructions are missing. */
#include "tests/emulated/avx512.h"

#include "quant/kernels/avx512.c"
