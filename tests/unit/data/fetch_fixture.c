/* fetch_fixture.c: see fetch_fixture.h. */
#include "fetch_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "digest.h"
#include "load.h"
#include "rs/host.h"

static const char *const tiny_files[] = {"train.bin", "test.bin"};
static const char *const tiny_folders[] = {"tiny-bin", NULL};
static const char *const idx_files[] = {"train-images-idx3-ubyte", "train-labels-idx1-ubyte",
                                        "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"};
const char *const idx_packed[4] = {"train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz",
                                   "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"};
static const char *const idx_folders[] = {"digits", NULL};
static char sum[4][RS__HEX_MAX], tiny_sum[RS__HEX_MAX];
rs__download_item tiny_item = {.file = "tiny.tar.gz", .sha256 = tiny_sum};
static rs__download_item idx_items[4];
char base_text[MOST_BASES][128];
const char *bases[MOST_BASES + 1];

rs__set tiny = {.name = "tiny",
                .title = "two small files",
                .page = "",
                .format = RS__FORMAT_CIFAR,
                .channels = 3,
                .height = 32,
                .width = 32,
                .classes = 10,
                .mean = 0.5F,
                .std = 0.5F,
                .class_names = rs__cifar10_names,
                .files = tiny_files,
                .file_count = 2,
                .file_limit = 1 << 20,
                .folders = tiny_folders,
                .train_records = 100,
                .test_records = 20,
                .label_bytes = 1,
                .bases = bases,
                .downloads = &tiny_item,
                .download_count = 1};
rs__set digits = {.name = "digits",
                  .title = "four small files",
                  .page = "",
                  .format = RS__FORMAT_IDX,
                  .channels = 1,
                  .height = 28,
                  .width = 28,
                  .classes = 10,
                  .mean = 0.5F,
                  .std = 0.5F,
                  .class_names = rs__mnist_names,
                  .files = idx_files,
                  .file_count = 4,
                  .file_limit = 1 << 20,
                  .folders = idx_folders,
                  .bases = bases,
                  .downloads = idx_items,
                  .download_count = 4};

/* --- the server -----------------------------------------------------------------------------------------------------
 */

const char *python, *script;
static pid_t server;
int port, tls_port;
static int server_input;
static char served[64]; /* the server's folder */
char directory[96], said[4096];

static void listen_to_log(void *context, rs_log_level level, const char *text)
{
    size_t used = strlen(said);
    (void)context;
    (void)level;
    (void)snprintf(said + used, sizeof said - used, "%s\n", text);
}

static void start_server(void)
{
    int in[2], out[2];
    char answer[64] = "";
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    server = fork();
    assert_true(server >= 0);
    if (server == 0) {
        (void)dup2(in[0], STDIN_FILENO);
        (void)dup2(out[1], STDOUT_FILENO);
        (void)close(in[1]);
        (void)close(out[0]);
        (void)execlp(python, python, "-B", script, served, (char *)NULL);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    server_input = in[1];
    for (size_t used = 0; used < sizeof answer - 1 && !strchr(answer, '\n');) {
        ssize_t got = read(out[0], answer + used, sizeof answer - 1 - used);
        assert_true(got > 0);
        used += (size_t)got;
    }
    (void)close(out[0]);
    assert_int_equal(sscanf(answer, "%d %d", &port, &tls_port), 2);
}

const char *served_path(const char *name)
{
    static char path[4][160];
    static int next;
    next = (next + 1) % 4;
    (void)snprintf(path[next], sizeof path[next], "%s/%s", served, name);
    return path[next];
}

uint64_t bytes_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

int fetch_begin(void **state)
{
    static const char *const disturbing[] = {"RS_DATA_MIRROR", "http_proxy", "https_proxy",   "HTTPS_PROXY",
                                             "all_proxy",      "ALL_PROXY",  "CURL_CA_BUNDLE"};
    (void)state;
    for (size_t i = 0; i < sizeof disturbing / sizeof *disturbing; i++) {
        (void)unsetenv(disturbing[i]);
    }
    rs_log_set_sink(listen_to_log, NULL);
    (void)snprintf(served, sizeof served, "%s/served", folder());
    assert_int_equal(mkdir(served, 0777), 0);
    start_server();
    tiny_item.bytes = bytes_of(served_path("tiny.tar.gz"));
    assert_true(tiny_item.bytes > 3 * BREAK_AT);
    ok(rs__digest_file(RS__SHA256, served_path("tiny.tar.gz"), tiny_sum, &error));
    for (int i = 0; i < 4; i++) {
        idx_items[i] = (rs__download_item){idx_packed[i], bytes_of(served_path(idx_packed[i])), sum[i], NULL};
        ok(rs__digest_file(RS__MD5, served_path(idx_packed[i]), sum[i], &error));
    }
    return 0;
}

int fetch_end(void **state)
{
    int status;
    (void)state;
    (void)close(server_input);
    rs_log_set_sink(NULL, NULL);
    return waitpid(server, &status, 0) == server && WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : 1;
}

void forget_requests(void)
{
    FILE *file = fopen(served_path("requests"), "w");
    assert_non_null(file);
    (void)fclose(file);
}

int set_up(void **state)
{
    static int tests;
    (void)state;
    (void)snprintf(directory, sizeof directory, "%s/data%d", folder(), tests++);
    forget_requests();
    said[0] = '\0';
    error = (rs_error){0};
    return 0;
}

const char *requests(void)
{
    static char text[8192];
    FILE *file = fopen(served_path("requests"), "r");
    size_t used = file ? fread(text, 1, sizeof text - 1, file) : 0;
    text[used] = '\0';
    if (file) {
        (void)fclose(file);
    }
    return text;
}

int count_requests(void)
{
    int lines = 0;
    for (const char *at = requests(); *at; at++) {
        lines += *at == '\n';
    }
    return lines;
}

/* --- fetching and looking -------------------------------------------------------------------------------------------
 */

const char *url(const char *mode, const char *name)
{
    static char text[4][160];
    static int next;
    next = (next + 1) % 4;
    (void)snprintf(text[next], sizeof text[next], "http://127.0.0.1:%d/%s/%s", port, mode, name);
    return text[next];
}

void set_bases(const char *const modes[])
{
    int i = 0;
    for (; modes[i]; i++) {
        assert_true(i < MOST_BASES);
        (void)snprintf(base_text[i], sizeof base_text[i], "%s", url(modes[i], ""));
        bases[i] = base_text[i];
    }
    bases[i] = NULL;
}

const rs__acquire_options quickly = {.retry_seconds = 0.01, .stall_seconds = 1};

rs_status fetch(const rs__set *set)
{
    return rs__acquire(set, directory, &quickly, &error);
}

rs_status fetch_in_modes(const char *first, const char *second)
{
    const char *const modes[] = {first, second, NULL};
    set_bases(modes);
    return fetch(&tiny);
}

rs_status fetch_from(const rs__set *set, const char *from)
{
    rs__acquire_options options = quickly;
    options.from = from;
    return rs__acquire(set, directory, &options, &error);
}

const char *in_directory(const char *name)
{
    static char path[4][160];
    static int next;
    next = (next + 1) % 4;
    (void)snprintf(path[next], sizeof path[next], "%s/%s", directory, name);
    return path[next];
}

bool exists(const char *name)
{
    return access(in_directory(name), F_OK) == 0;
}

void check_same_bytes(const char *a, const char *b)
{
    char one[RS__HEX_MAX], other[RS__HEX_MAX];
    ok(rs__digest_file(RS__SHA256, a, one, &error));
    ok(rs__digest_file(RS__SHA256, b, other, &error));
    assert_string_equal(one, other);
}

void check_there(void)
{
    rs__location location;
    assert_true(rs__locate(&tiny, directory, &location));
    assert_string_equal(location.folder, in_directory("tiny-bin"));
    check_same_bytes(in_directory("tiny-bin/train.bin"), served_path("train.bin"));
    check_same_bytes(in_directory("tiny-bin/test.bin"), served_path("test.bin"));
    assert_false(exists(".tiny.fetch"));
}

void check_nothing(void)
{
    assert_false(exists("tiny-bin"));
    assert_false(exists(".tiny.fetch/files"));
}

uint64_t part_bytes(void)
{
    return bytes_of(in_directory(".tiny.fetch/tiny.tar.gz.part"));
}

void put_part(const void *bytes, size_t count)
{
    char name[64];
    (void)snprintf(name, sizeof name, "%s/.tiny.fetch/tiny.tar.gz.part", strrchr(directory, '/') + 1);
    write_file(name, bytes, count);
}
