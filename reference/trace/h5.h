/* HDF5 as this room uses it: silent, with failures as one-line errors. Private to reference/trace: no other room sees
 * hdf5.h. `path` is always the file's name, for messages. */
#ifndef LFM_TRACE_H5_H
#define LFM_TRACE_H5_H

#include "reference/base/error.h"

#include <hdf5.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Turns off the library's printing and its work at exit. To be called before anything else; often is fine. */
void lfm_h5_start(void);

/* "cannot <verb> '<object>' in '<path>': <reason>", the reason being the innermost entry of the library's error stack;
 * object NULL leaves it out. Returns `status`. */
enum lfm_status lfm_h5_fail(struct lfm_error *error, enum lfm_status status, const char *verb, const char *object,
                            const char *path);

/* Closes any identifier that is valid. */
void lfm_h5_close(hid_t id);

/* Fails unless `path` is free, an HDF5 file or empty: results may replace results, but not the model or the text by a
 * slip of the hand. */
enum lfm_status lfm_h5_check_target(const char *path, struct lfm_error *error);

/* A new file, the group "/", and a new group below an object. Written in the format of HDF5 1.8, which keeps a killed
 * run's file readable: there is no mark of an open writer in it. */
enum lfm_status lfm_h5_create(hid_t *file, const char *path, struct lfm_error *error);
enum lfm_status lfm_h5_group(hid_t *group, hid_t parent, const char *name, const char *path, struct lfm_error *error);

/* Attributes of an open object: UTF-8 text, whole number, double. Text has variable length, which h5py reads as str; it
 * lies in a heap that HDF5 reads without checking its lengths, so what lfmscope itself reads is kept as text of fixed
 * length, inside the object's checksummed header. */
enum lfm_status lfm_h5_put_text(hid_t object, const char *name, const char *text, const char *path,
                                struct lfm_error *error);
enum lfm_status lfm_h5_put_whole(hid_t object, const char *name, int64_t value, const char *path,
                                 struct lfm_error *error);
enum lfm_status lfm_h5_put_double(hid_t object, const char *name, double value, const char *path,
                                  struct lfm_error *error);
enum lfm_status lfm_h5_put_fixed_text(hid_t object, const char *name, const char *text, const char *path,
                                      struct lfm_error *error);
/* Replaces the value of a whole number that lfm_h5_put_whole wrote. */
enum lfm_status lfm_h5_set_whole(hid_t object, const char *name, int64_t value, const char *path,
                                 struct lfm_error *error);
/* Text of fixed length; any other is an error. The caller frees *text. */
enum lfm_status lfm_h5_get_fixed_text(hid_t object, const char *name, char **text, const char *path,
                                      struct lfm_error *error);
enum lfm_status lfm_h5_get_whole(hid_t object, const char *name, int64_t *value, const char *path,
                                 struct lfm_error *error);

/* A dataset of fixed size, stored in one piece: values of `type` in memory, `dimensions` of rank 1 to 3. `units`
 * becomes its attribute. The dataset stays open in *dataset when that is not NULL. values NULL: filled with zeros. */
enum lfm_status lfm_h5_put_array(hid_t *dataset, hid_t parent, const char *name, hid_t type, size_t rank,
                                 const size_t *dimensions, const void *values, const char *units, const char *path,
                                 struct lfm_error *error);
/* Fixed-length UTF-8 strings, padded with zeros. */
enum lfm_status lfm_h5_put_texts(hid_t *dataset, hid_t parent, const char *name, const char *const *texts, size_t count,
                                 const char *path, struct lfm_error *error);

/* Makes `scale` the dimension scale of axis `axis` of `dataset` and labels the axis. */
enum lfm_status lfm_h5_attach(hid_t dataset, size_t axis, hid_t scale, const char *label, const char *path,
                              struct lfm_error *error);
/* Declares a dataset to be a dimension scale of that name. */
enum lfm_status lfm_h5_declare_scale(hid_t dataset, const char *name, const char *path, struct lfm_error *error);

/* IEEE half precision, little-endian; the caller closes it. Negative on failure. */
hid_t lfm_h5_half_type(void);

#endif
