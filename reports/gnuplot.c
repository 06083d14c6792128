/* gnuplot as a child process: see gnuplot.h. */
#include "reports/gnuplot.h"

#include "reference/base/buffer.h"
#include "reference/base/memory.h"
#include "reference/base/progress.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { EXIT_NO_DIRECTORY = 126, EXIT_NOT_FOUND = 127 };

static void be_gnuplot(const char *directory, char **arguments, int complaints)
{
    int nothing = open("/dev/null", O_RDWR);
    if (nothing >= 0) {
        dup2(nothing, STDIN_FILENO);
        dup2(nothing, STDOUT_FILENO);
    }
    dup2(complaints, STDERR_FILENO);
    if (chdir(directory) != 0) _exit(EXIT_NO_DIRECTORY);
    execvp(arguments[0], arguments);
    _exit(EXIT_NOT_FOUND);
}

/* Everything the child writes until it closes its end. */
static enum lfm_status read_all(int descriptor, struct lfm_buffer *text, struct lfm_error *error)
{
    char block[4096];
    for (;;) {
        ssize_t got = read(descriptor, block, sizeof block);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return lfm_fail(error, LFM_ERROR_IO, "cannot read what gnuplot says: %s", strerror(errno));
        if (got == 0) return LFM_OK;
        if (text->length < 65536) LFM_TRY(lfm_buffer_append(text, block, (size_t)got, error));
    }
}

/* gnuplot echoes the line it stumbled over, a caret, and the message; they become one line. */
static void on_one_line(struct lfm_buffer *text)
{
    size_t used = 0;
    for (size_t i = 0; i < text->length; i++) {
        unsigned char c = (unsigned char)text->data[i];
        bool blank = c <= ' ' || c == 0x7f;
        if (blank && (used == 0 || text->data[used - 1] == ' ')) continue;
        text->data[used++] = blank ? ' ' : (char)c;
    }
    text->length = used;
    if (text->data) text->data[used] = '\0';
}

static enum lfm_status judge(int state, struct lfm_buffer *complaints, const char *directory, struct lfm_error *error)
{
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0) return LFM_OK;
    if (lfm_interrupted()) return lfm_fail(error, LFM_ERROR_STOPPED, "interrupted while gnuplot was drawing");
    if (WIFEXITED(state) && WEXITSTATUS(state) == EXIT_NOT_FOUND)
        return lfm_fail(error, LFM_ERROR_IO, "cannot run 'gnuplot': it is not installed; install it (Debian, Ubuntu: "
                                             "apt-get install gnuplot-nox) or use --no-plots");
    if (WIFEXITED(state) && WEXITSTATUS(state) == EXIT_NO_DIRECTORY)
        return lfm_fail(error, LFM_ERROR_IO, "cannot draw in '%s': the directory cannot be entered", directory);
    on_one_line(complaints);
    return lfm_fail(error, LFM_ERROR_IO, "gnuplot failed in '%s': %.400s", directory,
                    complaints->length ? complaints->data : "it ended without a message");
}

enum lfm_status lfm_gnuplot_run(const char *directory, const char *const *scripts, size_t count,
                                struct lfm_error *error)
{
    char **arguments = NULL;
    struct lfm_buffer complaints = {0};
    int ends[2] = {-1, -1}, state = 0;
    enum lfm_status status;
    if (count == 0) return LFM_OK;
    LFM_TRY_DONE(LFM_ALLOC(&arguments, count + 3, error));
    for (size_t i = 0; i < count + 2; i++) {
        const char *word = i == 0 ? "gnuplot" : i == 1 ? "--default-settings" : scripts[i - 2];
        LFM_TRY_DONE(lfm_copy_string(&arguments[i], word, strlen(word), error));
    }
    if (pipe(ends) != 0) {
        status = lfm_fail(error, LFM_ERROR_IO, "cannot start gnuplot: %s", strerror(errno));
        goto done;
    }
    pid_t child = fork();
    if (child < 0) {
        status = lfm_fail(error, LFM_ERROR_IO, "cannot start gnuplot: %s", strerror(errno));
        goto done;
    }
    if (child == 0) be_gnuplot(directory, arguments, ends[1]);
    close(ends[1]);
    ends[1] = -1;
    status = read_all(ends[0], &complaints, error);
    while (waitpid(child, &state, 0) < 0 && errno == EINTR) continue;
    if (status == LFM_OK) status = judge(state, &complaints, directory, error);

done:
    for (int i = 0; i < 2; i++)
        if (ends[i] >= 0) close(ends[i]);
    for (size_t i = 0; arguments && i < count + 2; i++) free(arguments[i]);
    free(arguments);
    lfm_buffer_release(&complaints);
    return status;
}
