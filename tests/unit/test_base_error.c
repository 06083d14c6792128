/* Error messages. */
#include "tests/unit/assert.h"

static struct lfm_error error;

Test(error, keeps_status_and_formatted_message)
{
    cr_assert_eq(lfm_fail(&error, LFM_ERROR_LIMIT, "limit of %d at '%s'", 3, "x"), LFM_ERROR_LIMIT);
    cr_assert_eq(error.status, LFM_ERROR_LIMIT);
    cr_assert_str_eq(error.message, "limit of 3 at 'x'");
}

Test(error, a_prefix_names_where_it_happened_and_keeps_the_status)
{
    lfm_fail(&error, LFM_ERROR_MISMATCH, "found 3");
    cr_assert_eq(lfm_fail_in(&error, "file '%s'", "m"), LFM_ERROR_MISMATCH);
    cr_assert_str_eq(error.message, "file 'm': found 3");
}

Test(error, too_long_messages_are_cut_and_terminated)
{
    char text[3000];
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    lfm_fail(&error, LFM_ERROR_IO, "%s", text);
    cr_assert_eq(strlen(error.message), sizeof error.message - 1);
    lfm_fail_in(&error, "%s", text);
    cr_assert_eq(strlen(error.message), sizeof error.message - 1);
    cr_assert_eq(error.status, LFM_ERROR_IO);
}

Test(error, control_characters_from_a_file_do_not_break_the_line)
{
    lfm_fail(&error, LFM_ERROR_FORMAT, "found '%s'", "a\nb\t\033[31m\x7f\xc3\xa9");
    cr_assert_str_eq(error.message, "found 'a?b?\?[31m?\xc3\xa9'");
    lfm_fail_in(&error, "tensor '%s'", "x\r\n");
    cr_assert_str_eq(error.message, "tensor 'x?\?': found 'a?b?\?[31m?\xc3\xa9'");
}

Test(error, nobody_has_to_listen)
{
    cr_assert_eq(lfm_fail(NULL, LFM_ERROR_IO, "unheard"), LFM_ERROR_IO);
}

static enum lfm_status two_steps(enum lfm_status first, int *reached)
{
    LFM_TRY(first);
    ++*reached;
    return LFM_OK;
}

Test(error, try_returns_a_failure_and_goes_on_otherwise)
{
    int reached = 0;
    cr_assert_eq(two_steps(LFM_ERROR_FORMAT, &reached), LFM_ERROR_FORMAT);
    cr_assert_eq(reached, 0);
    cr_assert_eq(two_steps(LFM_OK, &reached), LFM_OK);
    cr_assert_eq(reached, 1);
}
