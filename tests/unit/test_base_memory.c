/* Checked allocation. */
#include "reference/base/memory.h"
#include "tests/unit/assert.h"

#include <stdint.h>
#include <stdlib.h>

static struct lfm_error error;

Test(memory, is_zeroed_and_aligned_to_a_cache_line)
{
    for (size_t count = 0; count < 200; count += 7) {
        float *values;
        assert_ok(LFM_ALLOC(&values, count, &error));
        cr_assert_not_null(values);
        cr_assert_eq((uintptr_t)values % 64, 0);
        for (size_t i = 0; i < count; i++) cr_assert_eq(values[i], 0.0f);
        free(values);
    }
}

Test(memory, a_product_that_overflows_is_refused)
{
    void *memory = &error;
    assert_fails(lfm_alloc(&memory, SIZE_MAX / 4, 8, &error), LFM_ERROR_MEMORY, "overflows");
    cr_assert_null(memory);
    assert_fails(lfm_alloc(&memory, SIZE_MAX, 1, &error), LFM_ERROR_MEMORY, "overflows");
    assert_fails(lfm_alloc(&memory, 1, SIZE_MAX - 8, &error), LFM_ERROR_MEMORY, "overflows");
}

Test(memory, growth_keeps_contents_and_at_least_doubles)
{
    int *array = NULL;
    size_t capacity = 0;
    for (size_t i = 0; i < 1000; i++) {
        size_t before = capacity;
        assert_ok(LFM_GROW(&array, &capacity, i + 1, &error));
        cr_assert(capacity == before || capacity >= 2 * before);
        array[i] = (int)i;
    }
    for (size_t i = 0; i < 1000; i++) cr_assert_eq(array[i], (int)i);
    free(array);
}

Test(memory, growth_that_overflows_leaves_the_array_alone)
{
    int *array = NULL;
    size_t capacity = 0;
    assert_ok(LFM_GROW(&array, &capacity, 4, &error));
    array[3] = 42;
    size_t before = capacity;
    assert_fails(LFM_GROW(&array, &capacity, SIZE_MAX / sizeof *array + 1, &error), LFM_ERROR_MEMORY, "cannot grow");
    assert_fails(LFM_GROW(&array, &capacity, SIZE_MAX, &error), LFM_ERROR_MEMORY, "cannot grow");
    cr_assert_eq(capacity, before);
    cr_assert_eq(array[3], 42);
    free(array);
}

Test(memory, copies_a_part_of_a_text)
{
    char *copy;
    assert_ok(lfm_copy_string(&copy, "tensor.weight", 6, &error));
    cr_assert_str_eq(copy, "tensor");
    free(copy);
}
