/* A thread that writes a piece of the file while the next one is encoded. See quantize_parts.h. */
#include "quant/quantize_parts.h"

#include "reference/base/memory.h"

#include <pthread.h>
#include <stdlib.h>

struct lfm_background_writer {
    struct lfm_data_sink sink;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    const void *bytes; /* what is to be written; NULL when nothing is */
    size_t length;
    bool stop;
    enum lfm_status status; /* the first failure, after which nothing more is written */
    struct lfm_error error;
};

static void *work(void *argument)
{
    struct lfm_background_writer *writer = argument;
    pthread_mutex_lock(&writer->lock);
    for (;;) {
        while (!writer->bytes && !writer->stop) pthread_cond_wait(&writer->changed, &writer->lock);
        if (!writer->bytes) break;
        enum lfm_status status = writer->status;
        pthread_mutex_unlock(&writer->lock);
        if (status == LFM_OK)
            status = writer->sink.write(writer->sink.writer, writer->bytes, writer->length, &writer->error);
        pthread_mutex_lock(&writer->lock);
        writer->status = status;
        writer->bytes = NULL;
        pthread_cond_broadcast(&writer->changed);
    }
    pthread_mutex_unlock(&writer->lock);
    return NULL;
}

enum lfm_status lfm_background_writer_start(struct lfm_background_writer **out, const struct lfm_data_sink *sink,
                                            struct lfm_error *error)
{
    struct lfm_background_writer *writer;
    LFM_TRY(LFM_ALLOC(&writer, 1, error));
    writer->sink = *sink;
    pthread_mutex_init(&writer->lock, NULL);
    pthread_cond_init(&writer->changed, NULL);
    if (pthread_create(&writer->thread, NULL, work, writer) != 0) {
        free(writer);
        return lfm_fail(error, LFM_ERROR_MEMORY, "cannot start a thread to write with");
    }
    *out = writer;
    return LFM_OK;
}

/* Until nothing is being written; the lock is held. */
static enum lfm_status wait_until_idle(struct lfm_background_writer *writer, struct lfm_error *error)
{
    while (writer->bytes) pthread_cond_wait(&writer->changed, &writer->lock);
    if (writer->status != LFM_OK && error) *error = writer->error;
    return writer->status;
}

enum lfm_status lfm_background_writer_write(struct lfm_background_writer *writer, const void *bytes, size_t length,
                                            struct lfm_error *error)
{
    pthread_mutex_lock(&writer->lock);
    enum lfm_status status = wait_until_idle(writer, error);
    if (status == LFM_OK && length > 0) {
        writer->bytes = bytes;
        writer->length = length;
        pthread_cond_broadcast(&writer->changed);
    }
    pthread_mutex_unlock(&writer->lock);
    return status;
}

enum lfm_status lfm_background_writer_finish(struct lfm_background_writer *writer, struct lfm_error *error)
{
    pthread_mutex_lock(&writer->lock);
    enum lfm_status status = wait_until_idle(writer, error);
    writer->stop = true;
    pthread_cond_broadcast(&writer->changed);
    pthread_mutex_unlock(&writer->lock);
    pthread_join(writer->thread, NULL);
    pthread_cond_destroy(&writer->changed);
    pthread_mutex_destroy(&writer->lock);
    free(writer);
    return status;
}
