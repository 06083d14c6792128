/* What is left of a truncated trace: see truncated.h.
 *
 * HDF5 refuses such a file. Told not to look at the length (the generic property "skip_eof_check", which the library's
 * own h5clear sets), it opens the file as far as metadata goes, and the addresses of chunks tell which rows are there. */
#include "reference/trace/truncated.h"

#include "reference/model/config.h"
#include "reference/model/observer.h"
#include "reference/trace/h5.h"

#include <stdio.h>
#include <string.h>

#define SKIP_CHECK "skip_eof_check"

struct remains {
    hid_t file;
    hsize_t bytes;          /* that the file has */
    size_t points, readable; /* datasets of the layers: all, and those whose first rows are there */
    hsize_t tokens, left;   /* rows: claimed, and those at every readable point */
};

static hid_t open_unchecked(const char *path)
{
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), file = -1;
    hbool_t on = true;
    size_t size = 0;
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    if (H5Pexist(access, SKIP_CHECK) > 0 && H5Pget_size(access, SKIP_CHECK, &size) >= 0 && size == sizeof on &&
        H5Pset(access, SKIP_CHECK, &on) >= 0)
        file = H5Fopen(path, H5F_ACC_RDONLY, access);
    lfm_h5_close(access);
    return file;
}

/* Rows before the first chunk that is not wholly in the file. */
static hsize_t rows_there(hid_t dataset, hid_t space, hsize_t rows, hsize_t bytes)
{
    hsize_t chunks = 0, left = 0, first_missing = rows;
    if (H5Dget_num_chunks(dataset, space, &chunks) < 0) return 0;
    for (hsize_t i = 0; i < chunks; i++) {
        hsize_t offset[2] = {0, 0}, stored = 0;
        haddr_t address = HADDR_UNDEF;
        unsigned mask;
        if (H5Dget_chunk_info(dataset, space, i, offset, &mask, &address, &stored) < 0) return 0;
        bool there = address != HADDR_UNDEF && address <= bytes && stored <= bytes - address;
        if (!there && offset[0] < first_missing) first_missing = offset[0];
        left++;
    }
    return left > 0 ? first_missing : 0;
}

/* Rows of a dataset: claimed, or 0 when it cannot even be opened; *left of them are there. */
static hsize_t look_at(const struct remains *remains, const char *name, hsize_t *left)
{
    hsize_t extent[2] = {0, 0};
    *left = 0;
    hid_t dataset = H5Dopen2(remains->file, name, H5P_DEFAULT);
    if (dataset < 0) return 0;
    hid_t space = H5Dget_space(dataset);
    int rank = space >= 0 ? H5Sget_simple_extent_ndims(space) : 0;
    if (rank >= 1 && rank <= 2 && H5Sget_simple_extent_dims(space, extent, NULL) == rank)
        *left = rows_there(dataset, space, extent[0], remains->bytes);
    lfm_h5_close(space);
    lfm_h5_close(dataset);
    return extent[0];
}

static void count_points(struct remains *remains)
{
    for (size_t layer = 0; layer < LFM_MAX_LAYERS; layer++)
        for (int p = 0; p < LFM_POINT_COUNT; p++) {
            char group[32], name[64];
            hsize_t left;
            snprintf(group, sizeof group, "/layers/%02zu", layer);
            snprintf(name, sizeof name, "%s/%s", group, lfm_point_name((enum lfm_point)p));
            if (H5Lexists(remains->file, "/layers", H5P_DEFAULT) <= 0 ||
                H5Lexists(remains->file, group, H5P_DEFAULT) <= 0)
                return;
            if (look_at(remains, name, &left) == 0) continue;
            remains->points++;
            remains->readable += left > 0;
            if (left > 0 && left < remains->left) remains->left = left;
        }
}

static enum lfm_status tell(const struct remains *remains, const char *path, haddr_t claimed, struct lfm_error *error)
{
    unsigned long long bytes = remains->bytes, all = claimed;
    if (remains->left == 0 || remains->readable == 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "'%s' is truncated: it has %llu of %llu bytes, and no token in it can be "
                        "read", path, bytes, all);
    return lfm_fail(error, LFM_ERROR_FORMAT, "'%s' is truncated: it has %llu of %llu bytes; %llu of %llu tokens are still "
                    "there, at %zu of %zu points; copy it again, or trace anew", path, bytes, all,
                    (unsigned long long)remains->left, (unsigned long long)remains->tokens, remains->readable,
                    remains->points);
}

enum lfm_status lfm_trace_explain_truncation(const char *path, size_t bytes, struct lfm_error *error)
{
    enum lfm_status status = LFM_ERROR_FORMAT;
    struct remains remains = {.bytes = bytes};
    haddr_t claimed = 0;
    remains.file = open_unchecked(path);
    if (remains.file < 0)
        return lfm_fail(error, status, "'%s' is truncated: it has %zu bytes, and nothing in it can be read", path, bytes);
    if (H5Fget_eoa(remains.file, &claimed) >= 0 && claimed > bytes) {
        if (H5Aexists(remains.file, "header") > 0) {
            remains.tokens = look_at(&remains, "/tokens/id", &remains.left);
            count_points(&remains);
        }
        status = tell(&remains, path, claimed, error);
    }
    lfm_h5_close(remains.file);
    return status;
}
