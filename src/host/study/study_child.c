/* study_child.c: see study_child.h. */
#include "study_child.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- starting --------------------------------------------------------------------------------------------
 */

/* Ends of the channel that carries its standard error. A pseudo terminal passes its progress line through. */
static rs_status open_channel(bool terminal, int *ours, int *theirs, rs_error *error)
{
    struct winsize size = {0};
    struct termios raw = {0};
    int ends[2];
    cfmakeraw(&raw);
    (void)ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
    if (!(terminal && openpty(ours, theirs, NULL, &raw, &size) == 0)) {
        if (pipe2(ends, O_CLOEXEC) != 0) {
            return RS_FAIL(error, RS_FAILED, "no pipe for a run: %s", strerror(errno));
        }
        *ours = ends[0];
        *theirs = ends[1];
    }
    (void)fcntl(*ours, F_SETFD, FD_CLOEXEC);
    (void)fcntl(*theirs, F_SETFD, FD_CLOEXEC);
    (void)fcntl(*ours, F_SETFL, O_NONBLOCK);
    return RS_OK;
}

/* In the child, between fork and exec: only what is safe there. */
static _Noreturn void become(char *const *arguments, int channel, bool with_output, const sigset_t *mask,
                             pid_t parent)
{
    int nothing = open("/dev/null", O_RDONLY);
    (void)setpgid(0, 0);
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent) {
        _exit(128 + SIGTERM); /* it died before we asked to be told */
    }
    bool connected = nothing >= 0 && dup2(nothing, STDIN_FILENO) >= 0 && dup2(channel, STDERR_FILENO) >= 0 &&
                     (!with_output || dup2(channel, STDOUT_FILENO) >= 0);
    if (connected && sigprocmask(SIG_SETMASK, mask, NULL) == 0) {
        (void)execv("/proc/self/exe", arguments); /* this very build, also when its file was replaced */
    }
    _exit(126);
}

rs_status rs_child_start(rs_child *child, char *const *arguments, const char *log, const sigset_t *mask,
                         rs_error *error)
{
    int ours = -1, theirs = -1, sink = STDERR_FILENO;
    pid_t self = getpid();
    *child = (rs_child){.source = -1};
    if (log && (sink = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666)) < 0) {
        return RS_FAIL(error, RS_IO, "%s: cannot be opened for the run's messages: %s", log, strerror(errno));
    }
    rs_status status = open_channel(!log && isatty(STDERR_FILENO), &ours, &theirs, error);
    if (status == RS_OK) {
        (void)fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
            become(arguments, theirs, log != NULL, mask, self);
        }
        if (pid > 0) {
            (void)setpgid(pid, pid); /* whoever of us comes first */
            *child = (rs_child){.pid = pid, .source = ours, .sink = sink, .own_sink = log != NULL};
        } else {
            status = RS_FAIL(error, RS_FAILED, "no process for a run: %s", strerror(errno));
            (void)close(ours);
        }
        (void)close(theirs);
    }
    if (status != RS_OK && log) {
        (void)close(sink);
    }
    return status;
}

/* --- listening -------------------------------------------------------------------------------------------
 */

static void end_line(rs_child *child)
{
    while (child->length > 0 && child->line[child->length - 1] == ' ') {
        child->length--;
    }
    if (child->length > 0) {
        child->line[child->length] = '\0';
        memcpy(child->last, child->line, sizeof child->last);
    }
    child->length = 0;
}

/* Keeps the last line that has anything on it. Terminal escapes are ESC [ digits letter. */
static void listen_to(rs_child *child, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c == 033) {
            child->escape = 1;
        } else if (child->escape) {
            child->escape = c == '[' || (c >= '0' && c <= '9') || c == ';';
        } else if (c == '\n' || c == '\r') {
            end_line(child);
        } else if (child->length + 1 < sizeof child->line && (c >= 0x20 && c != 0x7F)) {
            child->line[child->length++] = (char)c;
        }
    }
}

/* A log on a full disk or a closed terminal must not stop a study: what cannot be written is dropped. */
static void pass_bytes(int sink, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t written = write(sink, bytes, count);
        if (written < 0 && errno != EINTR) {
            return;
        }
        bytes += written > 0 ? written : 0;
        count -= written > 0 ? (size_t)written : 0;
    }
}

void rs_child_pass(rs_child *child)
{
    char bytes[4096];
    while (child->source >= 0) {
        ssize_t count = read(child->source, bytes, sizeof bytes);
        if (count > 0) {
            listen_to(child, bytes, (size_t)count);
            pass_bytes(child->sink, bytes, (size_t)count);
        } else if (count < 0 && (errno == EAGAIN || errno == EINTR)) {
            return;
        } else { /* the end; a pseudo terminal says EIO */
            (void)close(child->source);
            child->source = -1;
        }
    }
}

bool rs_child_ended(rs_child *child, int *exit_status)
{
    int status = 0;
    if (child->pid <= 0 || waitpid(child->pid, &status, WNOHANG) != child->pid) {
        return false;
    }
    rs_child_pass(child);
    end_line(child);
    if (child->source >= 0) {
        (void)close(child->source);
        child->source = -1;
    }
    if (child->own_sink) {
        (void)close(child->sink);
    }
    child->pid = 0;
    *exit_status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    return true;
}

void rs_child_resize(const rs_child *child)
{
    struct winsize size;
    if (child->source >= 0 && ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0) {
        (void)ioctl(child->source, TIOCSWINSZ, &size); /* fails on a pipe, rightly */
    }
}
