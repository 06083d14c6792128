/* SHA-256, against the examples of FIPS 180-4 as NIST publishes them. */
#include "reference/base/file.h"
#include "reference/base/hash.h"
#include "tests/unit/assert.h"
#include "tests/unit/directory.h"

#include <stdlib.h>
#include <unistd.h>

static struct lfm_error error;

static const struct {
    const char *text, *digest;
} vectors[] = {
    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
};

Test(hash, agrees_with_the_published_examples)
{
    char text[LFM_SHA256_TEXT];
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        assert_ok(lfm_sha256(vectors[i].text, strlen(vectors[i].text), text, &error));
        cr_assert_str_eq(text, vectors[i].digest);
    }
}

Test(hash, pieces_give_the_digest_of_the_whole)
{
    struct lfm_hash *hash;
    char text[LFM_SHA256_TEXT];
    assert_ok(lfm_hash_new(&hash, &error));
    for (int i = 0; i < 1000000; i++) assert_ok(lfm_hash_update(hash, "a", 1, &error));
    assert_ok(lfm_hash_finish(hash, text, &error));
    lfm_hash_free(hash);
    cr_assert_str_eq(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

Test(hash, of_a_file_and_of_an_empty_file, .init = make_directory, .fini = remove_directory)
{
    const char *path = in_directory("file");
    char text[LFM_SHA256_TEXT];
    write_text("file", "");
    assert_ok(lfm_sha256_file(path, text, &error));
    cr_assert_str_eq(text, vectors[0].digest);
    write_text("file", "abc");
    assert_ok(lfm_sha256_file(path, text, &error));
    cr_assert_str_eq(text, vectors[1].digest);
    unlink(path);
    assert_fails(lfm_sha256_file(path, text, &error), LFM_ERROR_IO, path);
}
