/* Mutual information against tables that can be summed by hand. */
#include "quant/mutual_information.h"
#include "tests/unit/assert.h"

Test(mutual_information, of_a_table_where_one_decides_the_other_is_the_entropy)
{
    /* H(row) = H(column) = H(row, column) = ln 2; two rows, two columns, two cells: + (2 + 2 - 2 - 1) / (2 * 4). */
    const uint32_t counts[2][2] = {{2, 0}, {0, 2}};
    struct lfm_mutual_information information = lfm_mutual_information(counts[0], 2, 2);
    assert_near(information.plugin, log(2), 1e-15);
    assert_near(information.corrected, log(2) + 1.0 / 8, 1e-15);
    assert_near(information.entropy_rows, log(2), 1e-15);
    cr_assert_eq(information.observations, 4);
    cr_assert_eq(information.occupied_cells, 2);
}

Test(mutual_information, of_independent_properties_is_zero_and_below_after_the_correction)
{
    const uint32_t counts[2][2] = {{1, 1}, {1, 1}};
    struct lfm_mutual_information information = lfm_mutual_information(counts[0], 2, 2);
    assert_near(information.plugin, 0, 1e-15);
    assert_near(information.corrected, -1.0 / 8, 1e-15);
}

Test(mutual_information, of_an_uneven_table_by_hand)
{
    /* Rows 4 and 2 of 6, columns 3, 2, 1, 0; cells 3, 1, 1, 1. */
    const uint32_t counts[2][4] = {{3, 1, 0, 0}, {0, 1, 1, 0}};
    struct lfm_mutual_information information = lfm_mutual_information(counts[0], 2, 4);
    double rows = 4.0 / 6 * log(6.0 / 4) + 2.0 / 6 * log(6.0 / 2);
    double columns = 3.0 / 6 * log(2) + 2.0 / 6 * log(3) + 1.0 / 6 * log(6);
    double cells = 3.0 / 6 * log(2) + 3 * (1.0 / 6 * log(6));
    assert_near(information.entropy_rows, rows, 1e-15);
    assert_near(information.entropy_columns, columns, 1e-15);
    assert_near(information.plugin, rows + columns - cells, 1e-15);
    assert_near(information.corrected, rows + columns - cells + (2 + 3 - 4 - 1) / 12.0, 1e-15);
    cr_assert_eq(information.occupied_columns, 3);
}

Test(mutual_information, of_nothing_is_no_number)
{
    const uint32_t counts[2] = {0, 0};
    cr_assert(isnan(lfm_mutual_information(counts, 1, 2).plugin));
    cr_assert(isnan(lfm_mutual_information(NULL, 0, 0).corrected));
}
