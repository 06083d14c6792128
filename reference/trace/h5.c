/* HDF5, silent and with one-line errors: see h5.h. */
#include "reference/trace/h5.h"

#include "reference/base/file.h"
#include "reference/base/memory.h"

#include <hdf5_hl.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TEXT = 1 << 24 };

void lfm_h5_start(void)
{
    H5dont_atexit();
    H5open();
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

static herr_t take_innermost(unsigned n, const H5E_error2_t *entry, void *context)
{
    if (n == 0 && entry->desc) snprintf(context, 256, "%s", entry->desc);
    return 0;
}

/* The system's own words, when the library quotes them ("... error message = 'No space left on device', ..."). */
static void reduce_to_system_message(char *reason)
{
    static const char mark[] = "error message = '";
    char *from = strstr(reason, mark);
    if (!from) return;
    from += sizeof mark - 1;
    char *to = strchr(from, '\'');
    if (to) *to = '\0';
    memmove(reason, from, strlen(from) + 1);
}

enum lfm_status lfm_h5_fail(struct lfm_error *error, enum lfm_status status, const char *verb, const char *object,
                            const char *path)
{
    char reason[256] = "the HDF5 library gives no reason";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_innermost, reason);
    reduce_to_system_message(reason);
    for (char *at = reason; *at; at++)
        if ((unsigned char)*at < ' ') *at = ' ';
    if (object) return lfm_fail(error, status, "cannot %s '%s' in '%s': %s", verb, object, path, reason);
    return lfm_fail(error, status, "cannot %s '%s': %s", verb, path, reason);
}

void lfm_h5_close(hid_t id)
{
    if (id <= 0) return;
    switch (H5Iget_type(id)) {
    case H5I_FILE: H5Fclose(id); break;
    case H5I_GROUP: H5Gclose(id); break;
    case H5I_DATASET: H5Dclose(id); break;
    case H5I_DATASPACE: H5Sclose(id); break;
    case H5I_DATATYPE: H5Tclose(id); break;
    case H5I_ATTR: H5Aclose(id); break;
    case H5I_GENPROP_LST: H5Pclose(id); break;
    default: break;
    }
}

enum lfm_status lfm_h5_check_target(const char *path, struct lfm_error *error)
{
    lfm_h5_start();
    if (lfm_is_directory(path)) return lfm_fail(error, LFM_ERROR_IO, "cannot write '%s': it is a directory", path);
    if (!lfm_file_exists(path) || H5Fis_hdf5(path) > 0) return LFM_OK;
    struct lfm_mapping mapping;
    LFM_TRY(lfm_mapping_open(&mapping, path, error));
    size_t size = mapping.size;
    lfm_mapping_close(&mapping);
    if (size == 0) return LFM_OK;
    return lfm_fail(error, LFM_ERROR_IO, "cannot write '%s': a file of that name exists and is not HDF5", path);
}

enum lfm_status lfm_h5_create(hid_t *file, const char *path, struct lfm_error *error)
{
    lfm_h5_start();
    *file = -1;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS), creation = H5Pcreate(H5P_FILE_CREATE);
    H5Pset_obj_track_times(creation, false);
    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);
    H5Pset_fclose_degree(access, H5F_CLOSE_STRONG);
    *file = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
    enum lfm_status status = *file < 0 ? lfm_h5_fail(error, LFM_ERROR_IO, "create", NULL, path) : LFM_OK;
    lfm_h5_close(creation);
    lfm_h5_close(access);
    return status;
}

enum lfm_status lfm_h5_group(hid_t *group, hid_t parent, const char *name, const char *path, struct lfm_error *error)
{
    hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(creation, false);
    *group = H5Gcreate2(parent, name, H5P_DEFAULT, creation, H5P_DEFAULT);
    enum lfm_status status = *group < 0 ? lfm_h5_fail(error, LFM_ERROR_IO, "create", name, path) : LFM_OK;
    lfm_h5_close(creation);
    return status;
}

static enum lfm_status put_attribute(hid_t object, const char *name, hid_t type, hid_t memory_type, const void *value,
                                     const char *path, struct lfm_error *error)
{
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    enum lfm_status status = LFM_OK;
    if (attribute < 0 || H5Awrite(attribute, memory_type, value) < 0)
        status = lfm_h5_fail(error, LFM_ERROR_IO, "write attribute", name, path);
    lfm_h5_close(attribute);
    lfm_h5_close(space);
    return status;
}

enum lfm_status lfm_h5_put_text(hid_t object, const char *name, const char *text, const char *path,
                                struct lfm_error *error)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    enum lfm_status status = put_attribute(object, name, type, type, &text, path, error);
    lfm_h5_close(type);
    return status;
}

static hid_t fixed_text_type(size_t size)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

enum lfm_status lfm_h5_put_fixed_text(hid_t object, const char *name, const char *text, const char *path,
                                      struct lfm_error *error)
{
    hid_t type = fixed_text_type(strlen(text) > 0 ? strlen(text) : 1);
    enum lfm_status status = put_attribute(object, name, type, type, text, path, error);
    lfm_h5_close(type);
    return status;
}

enum lfm_status lfm_h5_put_whole(hid_t object, const char *name, int64_t value, const char *path,
                                 struct lfm_error *error)
{
    return put_attribute(object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, &value, path, error);
}

enum lfm_status lfm_h5_put_double(hid_t object, const char *name, double value, const char *path,
                                  struct lfm_error *error)
{
    return put_attribute(object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, &value, path, error);
}

enum lfm_status lfm_h5_set_whole(hid_t object, const char *name, int64_t value, const char *path,
                                 struct lfm_error *error)
{
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    enum lfm_status status = LFM_OK;
    if (attribute < 0 || H5Awrite(attribute, H5T_NATIVE_INT64, &value) < 0)
        status = lfm_h5_fail(error, LFM_ERROR_IO, "write attribute", name, path);
    lfm_h5_close(attribute);
    return status;
}

/* Opens an attribute and checks that it holds one value of the class. */
static enum lfm_status open_scalar(hid_t object, const char *name, H5T_class_t class, const char *kind,
                                   hid_t *attribute, hid_t *type, const char *path, struct lfm_error *error)
{
    *attribute = *type = -1;
    if (H5Aexists(object, name) <= 0)
        return lfm_fail(error, LFM_ERROR_FORMAT, "'%s': the attribute '%s' is missing", path, name);
    *attribute = H5Aopen(object, name, H5P_DEFAULT);
    if (*attribute < 0) return lfm_h5_fail(error, LFM_ERROR_FORMAT, "read attribute", name, path);
    *type = H5Aget_type(*attribute);
    hid_t space = H5Aget_space(*attribute);
    bool fits = H5Tget_class(*type) == class && H5Sget_simple_extent_npoints(space) == 1;
    lfm_h5_close(space);
    if (!fits) return lfm_fail(error, LFM_ERROR_FORMAT, "'%s': the attribute '%s' must be %s", path, name, kind);
    return LFM_OK;
}

enum lfm_status lfm_h5_get_fixed_text(hid_t object, const char *name, char **text, const char *path,
                                      struct lfm_error *error)
{
    hid_t attribute, type;
    *text = NULL;
    enum lfm_status status = open_scalar(object, name, H5T_STRING, "a text", &attribute, &type, path, error);
    size_t size = status == LFM_OK ? H5Tget_size(type) : 0;
    if (status == LFM_OK && (H5Tis_variable_str(type) != 0 || size == 0 || size > MAX_TEXT))
        status =
            lfm_fail(error, LFM_ERROR_FORMAT, "'%s': the attribute '%s' must be a text of fixed length", path, name);
    if (status == LFM_OK) status = lfm_alloc((void **)text, size + 1, 1, error);
    if (status == LFM_OK && H5Aread(attribute, type, *text) < 0) {
        status = lfm_h5_fail(error, LFM_ERROR_FORMAT, "read attribute", name, path);
        free(*text);
        *text = NULL;
    }
    lfm_h5_close(type);
    lfm_h5_close(attribute);
    return status;
}

enum lfm_status lfm_h5_get_whole(hid_t object, const char *name, int64_t *value, const char *path,
                                 struct lfm_error *error)
{
    hid_t attribute, type;
    enum lfm_status status = open_scalar(object, name, H5T_INTEGER, "a whole number", &attribute, &type, path, error);
    if (status == LFM_OK && H5Aread(attribute, H5T_NATIVE_INT64, value) < 0)
        status = lfm_h5_fail(error, LFM_ERROR_FORMAT, "read attribute", name, path);
    lfm_h5_close(type);
    lfm_h5_close(attribute);
    return status;
}

enum lfm_status lfm_h5_put_array(hid_t *dataset, hid_t parent, const char *name, hid_t type, size_t rank,
                                 const size_t *dimensions, const void *values, const char *units, const char *path,
                                 struct lfm_error *error)
{
    hsize_t extent[3];
    for (size_t i = 0; i < rank; i++) extent[i] = dimensions[i];
    hid_t space = H5Screate_simple((int)rank, extent, NULL);
    hid_t creation = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(creation, false);
    H5Pset_alloc_time(creation, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(creation, H5D_FILL_TIME_ALLOC);
    hid_t id = H5Dcreate2(parent, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    enum lfm_status status = LFM_OK;
    if (id < 0 || (values && H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0))
        status = lfm_h5_fail(error, LFM_ERROR_IO, "write", name, path);
    if (status == LFM_OK && units) status = lfm_h5_put_text(id, "units", units, path, error);
    lfm_h5_close(creation);
    lfm_h5_close(space);
    if (status == LFM_OK && dataset)
        *dataset = id;
    else
        lfm_h5_close(id);
    return status;
}

enum lfm_status lfm_h5_put_texts(hid_t *dataset, hid_t parent, const char *name, const char *const *texts, size_t count,
                                 const char *path, struct lfm_error *error)
{
    size_t size = 1;
    for (size_t i = 0; i < count; i++) size = strlen(texts[i]) > size ? strlen(texts[i]) : size;
    char *padded;
    LFM_TRY(lfm_alloc((void **)&padded, count, size, error));
    for (size_t i = 0; i < count; i++) memcpy(padded + i * size, texts[i], strlen(texts[i]));
    hid_t type = fixed_text_type(size);
    enum lfm_status status = lfm_h5_put_array(dataset, parent, name, type, 1, &count, padded, NULL, path, error);
    lfm_h5_close(type);
    free(padded);
    return status;
}

enum lfm_status lfm_h5_attach(hid_t dataset, size_t axis, hid_t scale, const char *label, const char *path,
                              struct lfm_error *error)
{
    if (H5DSattach_scale(dataset, scale, (unsigned)axis) < 0 || H5DSset_label(dataset, (unsigned)axis, label) < 0)
        return lfm_h5_fail(error, LFM_ERROR_IO, "attach dimension scale", label, path);
    return LFM_OK;
}

enum lfm_status lfm_h5_declare_scale(hid_t dataset, const char *name, const char *path, struct lfm_error *error)
{
    if (H5DSset_scale(dataset, name) < 0)
        return lfm_h5_fail(error, LFM_ERROR_IO, "declare dimension scale", name, path);
    return LFM_OK;
}

hid_t lfm_h5_half_type(void)
{
    hid_t type = H5Tcopy(H5T_IEEE_F32LE);
    if (type < 0) return type;
    bool made = H5Tset_fields(type, 15, 10, 5, 0, 10) >= 0 && H5Tset_size(type, 2) >= 0 && H5Tset_ebias(type, 15) >= 0;
    if (made) return type;
    lfm_h5_close(type);
    return -1;
}
