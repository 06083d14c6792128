/* silu(gate) * up, for all sets alike. The including file has what exp.h needs, and load_vector, store_vector and WIDTH. */

static void silu_multiply(float *gate, const float *up, size_t n)
{
    for (size_t i = 0; i < n; i += WIDTH) {
        size_t count = n - i < WIDTH ? n - i : WIDTH;
        float last_gate[WIDTH] = {0}, last_up[WIDTH] = {0};
        float *gate_i = count < WIDTH ? memcpy(last_gate, gate + i, count * sizeof *gate) : gate + i;
        const float *up_i = count < WIDTH ? memcpy(last_up, up + i, count * sizeof *up) : up + i;
        vector x = load_vector(gate_i);
        store_vector(gate_i, x * sigmoid_vector(x) * load_vector(up_i));
        if (count < WIDTH) memcpy(gate + i, last_gate, count * sizeof *gate);
    }
}
