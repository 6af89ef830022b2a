/* fault.c: a library to preload (LD_PRELOAD) under the program: the n-th call of a kind fails, or is the last thing that the
 * process does. Processes that the program starts are left alone.
 *
 *   RS_FAULT=KIND:N[+][:HOW]  KIND: write sync rename truncate open unlink reserve, disk (any of these), memory; N counts from 1, with +
 *                             all later calls too. HOW: the name of an errno (default EIO, of memory ENOMEM), or
 *                             kill, after, half (SIGKILL before the call, after it, when half of its pages are written: a kill
 *                             stops a write between two of them), and as planted faults flip (one bit is written wrong), drop
 *                             (success without doing it), leak, crash (of memory); fill: after it succeeded all that is left
 *                             of the disk is taken, but while the program looks at it, or reserves, again; steal: the same without
 *                             having reserved anything
 *   RS_FAULT_IN=TEXT          only files whose path contains it (needed for all but memory)
 *   RS_FAULT_NOT=TEXT         but none whose path contains this
 *   RS_FAULT_FILL=FILE        what the disk is filled with
 *   RS_FAULT_TOTALS=FILE      how many calls of each kind there were, at exit
 *   RS_FAULT_STACKS=FILE      one line for each allocation: a number that says by which calls it came about
 *
 * Memory counts where the program itself asks for it, which is rs_alloc's aligned_alloc alone. `open` is of files to be written. */
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SEEN __attribute__((visibility("default")))

enum { PAGE = 4096 };

typedef enum kind { WRITE, SYNC, RENAME, TRUNCATE, OPEN, UNLINK, RESERVE, MEMORY, KINDS } kind;
typedef enum deed { PASS, FAIL, DIE, DIE_AFTER, DIE_HALFWAY, FLIP, DROP, LEAK, CRASH, FILL, STEAL } deed;

static const char *const kind_name[KINDS] = {"write", "sync",   "rename",  "truncate",
                                             "open",  "unlink", "reserve", "memory"};

static struct {
    bool of[KINDS]; /* kinds that count towards `at` */
    bool onwards;
    long at;
    deed deed;
    int reason; /* errno of FAIL */
    char in[PATH_MAX], not_in[PATH_MAX], totals[PATH_MAX], fill[PATH_MAX];
    int stacks; /* file descriptor or -1 */
} plan = {.stacks = -1};
static atomic_long counted, totals[KINDS];
static uintptr_t program_from, program_to;

/* --- the plan --- */

static const struct {
    const char *name;
    deed deed;
    int reason;
} ways[] = {
    {"EIO", FAIL, EIO},       {"ENOSPC", FAIL, ENOSPC}, {"EACCES", FAIL, EACCES}, {"EROFS", FAIL, EROFS},
    {"EMFILE", FAIL, EMFILE}, {"EDQUOT", FAIL, EDQUOT}, {"ENOMEM", FAIL, ENOMEM}, {"kill", DIE, 0},
    {"after", DIE_AFTER, 0},  {"half", DIE_HALFWAY, 0}, {"flip", FLIP, 0},        {"drop", DROP, 0},
    {"leak", LEAK, 0},        {"crash", CRASH, 0},      {"fill", FILL, 0},        {"steal", STEAL, 0},
};

static _Noreturn void bad_plan(const char *text)
{
    (void)fprintf(stderr, "fault: RS_FAULT=%s makes no sense; see tests/faults/fault.c\n", text);
    _exit(99);
}

static bool take_kind(const char *word)
{
    bool found = false;
    for (int k = 0; k < KINDS; k++) {
        plan.of[k] = strcmp(word, kind_name[k]) == 0 || (strcmp(word, "disk") == 0 && k != MEMORY);
        found = found || plan.of[k];
    }
    return found;
}

static bool take_way(const char *word)
{
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        if (strcmp(word, ways[i].name) == 0) {
            plan.deed = ways[i].deed;
            plan.reason = ways[i].reason;
            return true;
        }
    }
    return false;
}

static void read_plan(const char *text)
{
    char word[32], sign[2] = "", way[16] = "";
    int used = 0;
    if (sscanf(text, "%31[a-z]:%ld%n", word, &plan.at, &used) != 2 || plan.at < 1 || !take_kind(word)) {
        bad_plan(text);
    }
    if (text[used] == '+') {
        plan.onwards = true;
        used++;
    }
    if (text[used] &&
        (sscanf(text + used, "%1[:]%15[A-Za-z]", sign, way) != 2 || strlen(way) + 1 != strlen(text + used))) {
        bad_plan(text);
    }
    if (!take_way(*way ? way : plan.of[MEMORY] ? "ENOMEM" : "EIO") || (!plan.of[MEMORY] && !*plan.in)) {
        bad_plan(text);
    }
}

static int find_program(struct dl_phdr_info *info, size_t size, void *context)
{
    (void)size;
    (void)context;
    for (int i = 0; i < info->dlpi_phnum; i++) { /* the first object is the program itself */
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && (part->p_flags & PF_X)) {
            program_from = info->dlpi_addr + part->p_vaddr;
            program_to = program_from + part->p_memsz;
        }
    }
    return 1;
}

static void copy_variable(const char *name, char *to)
{
    const char *value = getenv(name);
    (void)snprintf(to, PATH_MAX, "%s", value ? value : "");
}

__attribute__((constructor)) static void begin(void)
{
    char text[PATH_MAX], stacks[PATH_MAX];
    void *frame;
    (void)backtrace(&frame, 1); /* the first call allocates */
    (void)dl_iterate_phdr(find_program, NULL);
    copy_variable("RS_FAULT_IN", plan.in);
    copy_variable("RS_FAULT_NOT", plan.not_in);
    copy_variable("RS_FAULT_TOTALS", plan.totals);
    copy_variable("RS_FAULT_STACKS", stacks);
    copy_variable("RS_FAULT_FILL", plan.fill);
    copy_variable("RS_FAULT", text);
    if (*text) {
        read_plan(text);
    }
    if (*stacks) {
        plan.stacks =
            (int)syscall(SYS_openat, AT_FDCWD, stacks, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    }
    (void)unsetenv("LD_PRELOAD");
    (void)unsetenv("RS_FAULT");
}

__attribute__((destructor)) static void end(void)
{
    char text[64 * KINDS];
    size_t length = 0;
    if (!*plan.totals) {
        return;
    }
    for (int k = 0; k < KINDS; k++) {
        length += (size_t)snprintf(text + length, sizeof text - length, "%s %ld\n", kind_name[k],
                                   atomic_load(&totals[k]));
    }
    int file =
        (int)syscall(SYS_openat, AT_FDCWD, plan.totals, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    (void)syscall(SYS_write, file, text, length);
    (void)syscall(SYS_close, file);
}

/* --- what is to be done --- */

static _Noreturn void die(void)
{
    (void)kill(getpid(), SIGKILL);
    for (;;) {
        (void)pause();
    }
}

static deed planned(kind which, const char *path)
{
    char line[PATH_MAX + 64];
    (void)atomic_fetch_add(&totals[which], 1);
    if (!plan.at || !plan.of[which]) {
        return PASS;
    }
    const long number = atomic_fetch_add(&counted, 1) + 1;
    if (number != plan.at && !(plan.onwards && number > plan.at)) {
        return PASS;
    }
    const int length =
        snprintf(line, sizeof line, "fault: %s, call %ld, %s\n", kind_name[which], number, path);
    (void)syscall(SYS_write, STDERR_FILENO, line, (size_t)length);
    if (plan.deed == DIE) {
        die();
    }
    if (plan.deed == CRASH) {
        abort();
    }
    errno = plan.reason;
    return plan.deed;
}

static deed planned_of_path(kind which, const char *path)
{
    const bool meant = *plan.in && strstr(path, plan.in) && !(*plan.not_in && strstr(path, plan.not_in));
    return meant ? planned(which, path) : PASS;
}

static deed planned_of_file(kind which, int file)
{
    char link[64], path[PATH_MAX] = "";
    const int kept = errno;
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    errno = kept;
    return length > 0 ? planned_of_path(which, path) : PASS;
}

/* The function behind this one. */
#define REAL(name)                                                                                           \
    static __typeof__(&(name)) real;                                                                         \
    if (!real) {                                                                                             \
        *(void **)&real = dlsym(RTLD_NEXT, #name);                                                           \
    }

/* Does a call as planned: `call` gives its result, `nothing` is what success without doing it returns. */
#define AS_PLANNED(what, type, call, nothing)                                                                \
    const deed todo = (what);                                                                                \
    if (todo == FAIL) {                                                                                      \
        return -1;                                                                                           \
    }                                                                                                        \
    if (todo == DROP) {                                                                                      \
        return nothing;                                                                                      \
    }                                                                                                        \
    const type result = (call);                                                                              \
    if (todo == DIE_AFTER || todo == DIE_HALFWAY) {                                                          \
        die();                                                                                               \
    }                                                                                                        \
    return result

/* --- the calls --- */

typedef ssize_t (*write_function)(int, const void *, size_t);
typedef ssize_t (*pwrite_function)(int, const void *, size_t, off_t);

/* One bit in the middle of what is written is another. */
static const void *flipped(const void *bytes, size_t count, char **copy)
{
    *copy = count ? malloc(count) : NULL;
    if (!*copy) {
        return bytes;
    }
    memcpy(*copy, bytes, count);
    (*copy)[count / 2] = (char)((*copy)[count / 2] ^ 4);
    return *copy;
}

/* What lies before the last border of two pages in its first half, or nothing. */
static size_t half_of(size_t count, off_t at)
{
    const size_t begin = at < 0 ? 0 : (size_t)at, border = (begin + count / 2) / PAGE * PAGE;
    return border > begin ? border - begin : 0;
}

static ssize_t write_as_planned(int file, const void *bytes, size_t count, off_t at, write_function plain,
                                pwrite_function placed)
{
    const deed todo = planned_of_file(WRITE, file);
    char *copy = NULL;
    if (todo == FAIL) {
        return -1;
    }
    if (todo == DROP) {
        return (ssize_t)count;
    }
    if (todo == FLIP) {
        bytes = flipped(bytes, count, &copy);
    }
    if (todo == DIE_HALFWAY) {
        count = half_of(count, plain ? lseek(file, 0, SEEK_CUR) : at);
    }
    const ssize_t written = plain ? plain(file, bytes, count) : placed(file, bytes, count, at);
    if (todo == DIE_AFTER || todo == DIE_HALFWAY) {
        die();
    }
    free(copy);
    return written;
}

SEEN ssize_t write(int file, const void *bytes, size_t count)
{
    REAL(write)
    return write_as_planned(file, bytes, count, 0, real, NULL);
}

SEEN ssize_t pwrite(int file, const void *bytes, size_t count, off_t at)
{
    REAL(pwrite)
    return write_as_planned(file, bytes, count, at, NULL, real);
}

SEEN ssize_t pwrite64(int file, const void *bytes, size_t count, off64_t at)
{
    REAL(pwrite64)
    return write_as_planned(file, bytes, count, at, NULL, real);
}

SEEN int fsync(int file)
{
    REAL(fsync)
    AS_PLANNED(planned_of_file(SYNC, file), int, real(file), 0);
}

SEEN int fdatasync(int file)
{
    REAL(fdatasync)
    AS_PLANNED(planned_of_file(SYNC, file), int, real(file), 0);
}

SEEN int rename(const char *from, const char *to)
{
    REAL(rename)
    AS_PLANNED(planned_of_path(RENAME, to), int, real(from, to), 0);
}

SEEN int unlink(const char *path)
{
    REAL(unlink)
    AS_PLANNED(planned_of_path(UNLINK, path), int, real(path), 0);
}

SEEN int ftruncate(int file, off_t length)
{
    REAL(ftruncate)
    AS_PLANNED(planned_of_file(TRUNCATE, file), int, real(file, length), 0);
}

SEEN int ftruncate64(int file, off64_t length)
{
    REAL(ftruncate64)
    AS_PLANNED(planned_of_file(TRUNCATE, file), int, real(file, length), 0);
}

static int open_as_planned(const char *path, int flags, mode_t mode)
{
    const bool writes = (flags & O_ACCMODE) != O_RDONLY;
    AS_PLANNED(writes ? planned_of_path(OPEN, path) : PASS, int,
               (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode), -1);
}

#define OPEN_FUNCTION(name)                                                                                  \
    SEEN int name(const char *path, int flags, ...)                                                          \
    {                                                                                                        \
        mode_t mode = 0;                                                                                     \
        if (flags & O_CREAT) {                                                                               \
            va_list rest;                                                                                    \
            va_start(rest, flags);                                                                           \
            mode = va_arg(rest, mode_t);                                                                     \
            va_end(rest);                                                                                    \
        }                                                                                                    \
        return open_as_planned(path, flags, mode);                                                           \
    }
OPEN_FUNCTION(open)
OPEN_FUNCTION(open64)

/* --- room --- */

static void take_all(void)
{
    const int file = (int)syscall(SYS_openat, AT_FDCWD, plan.fill, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    off_t at = 0;
    for (off_t piece = (off_t)1 << 30; file >= 0 && piece >= PAGE;) {
        if (syscall(SYS_fallocate, file, 0, at, piece) == 0) {
            at += piece;
        } else {
            piece /= 2;
        }
    }
    (void)syscall(SYS_close, file);
}

static bool give_back(void)
{
    return *plan.fill && syscall(SYS_unlinkat, AT_FDCWD, plan.fill, 0) == 0;
}

SEEN int fallocate(int file, int mode, off_t from, off_t bytes)
{
    (void)give_back();
    const deed todo = planned_of_file(RESERVE, file);
    if (todo == FAIL) {
        return -1;
    }
    const int result =
        todo == DROP || todo == STEAL ? 0 : (int)syscall(SYS_fallocate, file, mode, from, bytes);
    if (todo == DIE_AFTER || todo == DIE_HALFWAY) {
        die();
    }
    if ((todo == FILL || todo == STEAL) && result == 0) {
        take_all();
    }
    return result;
}

SEEN int statvfs(const char *path, struct statvfs *about)
{
    REAL(statvfs)
    const bool filled = give_back();
    const int result = real(path, about);
    if (filled) {
        take_all();
    }
    return result;
}

/* --- memory --- */

static void note_stack(void)
{
    void *frames[32];
    uint64_t sum = 14695981039346656037u;
    char line[32];
    const int depth = backtrace(frames, 32);
    for (int i = 0; i < depth; i++) {
        const uintptr_t at = (uintptr_t)frames[i];
        if (at >= program_from && at < program_to) { /* the same wherever the program lies */
            sum = (sum ^ (at - program_from)) * 1099511628211u;
        }
    }
    const int length = snprintf(line, sizeof line, "%016lx\n", (unsigned long)sum);
    (void)syscall(SYS_write, plan.stacks, line, (size_t)length);
}

SEEN void *aligned_alloc(size_t alignment, size_t size)
{
    REAL(aligned_alloc)
    const uintptr_t caller = (uintptr_t)__builtin_return_address(0);
    deed todo = PASS;
    if (caller >= program_from && caller < program_to) {
        todo = planned(MEMORY, "");
        if (plan.stacks >= 0) {
            note_stack();
        }
    }
    if (todo == FAIL) {
        return NULL;
    }
    if (todo == LEAK) {
        memset(real(alignment, size), 0, size);
    }
    return real(alignment, size);
}
