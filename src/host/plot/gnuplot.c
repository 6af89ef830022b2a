/* gnuplot.c: see gnuplot.h. Its three streams are files in memory, so that neither side ever waits for the other. */
#include "gnuplot.h"

#include <errno.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rs/host.h"
#include "rs/plot.h"

extern char **environ;

enum { STREAMS = 3 };

static const char *program(void)
{
    const char *named = getenv("RS_GNUPLOT");
    return named && *named ? named : "gnuplot";
}

static rs_status missing(rs_error *error)
{
    return RS_FAIL(
        error, RS_UNSUPPORTED,
        "%s was not found, and figures are drawn by it: install it (Debian, Ubuntu: apt-get install "
        "gnuplot-nox) or name it in $RS_GNUPLOT; --script FILE.gp keeps the script for another machine",
        program());
}

/* Whether a file of that name in the PATH, or at that path, can be executed. */
static bool is_there(const char *name)
{
    char path[4096];
    if (strchr(name, '/')) {
        return access(name, X_OK) == 0;
    }
    for (const char *at = getenv("PATH"); at && *at;) {
        const size_t length = strcspn(at, ":");
        (void)snprintf(path, sizeof path, "%.*s/%s", (int)length, at, name);
        if (access(path, X_OK) == 0) {
            return true;
        }
        at += length + (at[length] == ':');
    }
    return false;
}

rs_status rs_plot_available(rs_error *error)
{
    return is_there(program()) ? RS_OK : missing(error);
}

/* Starts it with the three files as its streams; errno of posix_spawn. */
static int start(const int files[STREAMS], pid_t *pid)
{
    char *const arguments[] = {(char *)program(), "--default-settings", NULL};
    posix_spawn_file_actions_t actions;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed) {
        return failed;
    }
    for (int i = 0; i < STREAMS && !failed; i++) {
        failed = posix_spawn_file_actions_adddup2(&actions, files[i], i);
    }
    failed = failed ? failed : posix_spawnp(pid, arguments[0], &actions, NULL, arguments, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed;
}

static rs_status put_script(int file, const char *script, rs_error *error)
{
    for (size_t left = strlen(script); left > 0;) {
        const ssize_t written = write(file, script, left);
        if (written < 0) {
            return RS_FAIL(error, RS_MEMORY, "no memory for gnuplot's script: %s", strerror(errno));
        }
        script += written;
        left -= (size_t)written;
    }
    return lseek(file, 0, SEEK_SET) == 0 ? RS_OK
                                         : RS_FAIL(error, RS_IO, "gnuplot's script: %s", strerror(errno));
}

/* All of a file, with a zero behind it. */
static rs_status take(int file, char **text, size_t *length, rs_error *error)
{
    const off_t size = lseek(file, 0, SEEK_END);
    *length = size > 0 ? (size_t)size : 0;
    *text = rs_alloc_zero(*length + 1);
    if (!*text || size < 0 || (size > 0 && pread(file, *text, *length, 0) != (ssize_t)*length)) {
        rs_free(*text);
        *text = NULL;
        return RS_FAIL(error, RS_MEMORY, "no memory for what gnuplot wrote");
    }
    return RS_OK;
}

/* The line of its complaint that says what was wrong, without the script's text around it. */
static void shorten(char *text)
{
    char *line = strstr(text, "line ");
    if (line) {
        memmove(text, line, strlen(line) + 1);
    }
    for (char *c = text; *c; c++) {
        *c = *c == '\n' || *c == '\t' ? ' ' : *c;
    }
    const size_t length = strlen(text);
    text[length > 400 ? 400 : length] = '\0';
}

static rs_status wait_for(pid_t pid, const int files[STREAMS], char **output, size_t *length, rs_error *error)
{
    int state = 0;
    char *said = NULL;
    size_t said_length;
    while (waitpid(pid, &state, 0) < 0) {
        if (errno != EINTR) {
            return RS_FAIL(error, RS_FAILED, "waiting for gnuplot: %s", strerror(errno));
        }
    }
    RS_TRY(take(files[1], output, length, error));
    if (WIFEXITED(state) && WEXITSTATUS(state) == 0 && *length > 0) {
        return RS_OK;
    }
    rs_free(*output);
    *output = NULL;
    if (WIFEXITED(state) && WEXITSTATUS(state) == 127) {
        return missing(error);
    }
    RS_TRY(take(files[2], &said, &said_length, error));
    shorten(said);
    rs_status status =
        WIFSIGNALED(state)
            ? RS_FAIL(error, RS_FAILED, "gnuplot was ended by signal %d", WTERMSIG(state))
            : RS_FAIL(error, RS_FAILED, "gnuplot failed: %s", *said ? said : "it wrote nothing");
    rs_free(said);
    return status;
}

rs_status rs__gnuplot_run(const char *script, char **output, size_t *length, rs_error *error)
{
    int files[STREAMS] = {-1, -1, -1};
    pid_t pid;
    *output = NULL;
    rs_status status = rs_plot_available(error);
    for (int i = 0; i < STREAMS && !status; i++) {
        files[i] = memfd_create("gnuplot", MFD_CLOEXEC);
        status = files[i] >= 0 ? RS_OK : RS_FAIL(error, RS_FAILED, "a file in memory: %s", strerror(errno));
    }
    status = status ? status : put_script(files[0], script, error);
    if (!status) {
        const int failed = start(files, &pid);
        status = failed == ENOENT ? missing(error)
                 : failed ? RS_FAIL(error, RS_FAILED, "gnuplot cannot be started: %s", strerror(failed))
                          : wait_for(pid, files, output, length, error);
    }
    for (int i = 0; i < STREAMS; i++) {
        if (files[i] >= 0) {
            (void)close(files[i]);
        }
    }
    return status;
}
