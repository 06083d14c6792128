/* A directory for one test. */
#ifndef LFM_TESTS_DIRECTORY_H
#define LFM_TESTS_DIRECTORY_H

#include <stddef.h>

/* Makes it, in $TMPDIR or else where the system keeps temporary files; removes it with all that is in it. */
void make_directory(void);
void remove_directory(void);
/* The path of `name` in it, or its own when that is empty; valid until sixteen later calls. */
const char *in_directory(const char *name);
/* Writes a file in it, making the folders on the way. */
void write_bytes(const char *name, const void *bytes, size_t length);
void write_text(const char *name, const char *text);
/* Removes an entry of it, with all that is in that. */
void remove_in_directory(const char *name);
/* The number of entries in it: what a failed write left behind. */
size_t count_files(void);

#endif
