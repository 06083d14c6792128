/* The pool of objects for reuse. */
#include "reference/model/pool.h"
#include "tests/unit/assert.h"

#include <stdlib.h>

static struct lfm_error error;
static size_t destroyed;

static void destroy(void *object)
{
    free(object);
    destroyed++;
}

Test(pool, what_is_given_is_taken_once)
{
    struct lfm_pool *pool;
    assert_ok(lfm_pool_new(&pool, &error));
    cr_assert_null(lfm_pool_take(pool));
    void *object = malloc(1);
    lfm_pool_give(pool, object, destroy);
    cr_assert_eq(lfm_pool_take(pool), object);
    cr_assert_null(lfm_pool_take(pool));
    lfm_pool_give(pool, object, destroy);
    lfm_pool_free(pool);
    cr_assert_eq(destroyed, 1);
}

Test(pool, keeps_a_bounded_number_of_objects)
{
    struct lfm_pool *pool;
    assert_ok(lfm_pool_new(&pool, &error));
    for (size_t i = 0; i < 100; i++) lfm_pool_give(pool, malloc(1), destroy);
    cr_assert_geq(destroyed, 50);
    lfm_pool_free(pool);
    cr_assert_eq(destroyed, 100);
}
