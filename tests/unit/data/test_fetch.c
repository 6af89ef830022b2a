/* test_fetch.c: fetching from a server on loopback that breaks, stalls, lies and refuses: what is in place afterwards is
 * the set, whole, or nothing; and what has come is not fetched twice.
 *
 *   test_fetch PYTHON fetch_server.py */
#include "fetch_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "digest.h"
#include "rs/host.h"

enum { TRAIN_BYTES = 100 * 3073 };

/* --- downloads ------------------------------------------------------------------------------------------------------
 */

static void test_download(void **state)
{
    (void)state;
    ok(fetch_in_modes("plain", NULL));
    check_there();
    assert_string_equal(requests(), "plain/tiny.tar.gz -\n");
    assert_non_null(strstr(said, "fetching tiny into"));
    assert_non_null(strstr(said, " KiB"));
    assert_int_equal(bytes_of(in_directory("tiny-bin/train.bin")), TRAIN_BYTES);
    ok(fetch(&tiny)); /* there already */
    assert_int_equal(count_requests(), 1);
}

static void test_redirect(void **state)
{
    (void)state;
    ok(fetch_in_modes("redirect", NULL));
    check_there();
}

static void test_breaks_and_goes_on(void **state)
{
    (void)state;
    ok(fetch_in_modes("breakonce", NULL));
    check_there();
    assert_string_equal(requests(), "breakonce/tiny.tar.gz -\nbreakonce/tiny.tar.gz bytes=100000-\n");
}

/* Each attempt gets further, so none of them counts as a failure: more breaks than attempts. */
static void test_breaks_often(void **state)
{
    (void)state;
    ok(fetch_in_modes("breakoften", NULL));
    check_there();
    assert_true(count_requests() >= 6);
}

static void test_goes_on_later(void **state)
{
    (void)state;
    refused(fetch_in_modes("breakat", NULL), RS_DATA, "no source delivered tiny.tar.gz");
    check_nothing();
    assert_int_equal(part_bytes(), BREAK_AT);
    forget_requests();
    ok(fetch_in_modes("plain", NULL));
    check_there();
    assert_string_equal(requests(), "plain/tiny.tar.gz bytes=100000-\n");
}

static void test_goes_on_at_next_source(void **state)
{
    (void)state;
    ok(fetch_in_modes("breakat", "plain"));
    check_there();
    assert_non_null(strstr(requests(), "plain/tiny.tar.gz bytes=100000-\n"));
    assert_non_null(strstr(said, "trying the next source"));
}

static void test_server_without_ranges(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        (void)set_up(NULL);
        refused(fetch_in_modes("breakat", NULL), RS_DATA, "no source delivered");
        assert_int_equal(part_bytes(), BREAK_AT);
        ok(fetch_in_modes(i ? "norange" : "otherrange", "norange"));
        check_there();
    }
}

/* What is there is garbage of some earlier time: seen by the checksum, and all is fetched anew. */
static void test_part_of_another_file(void **state)
{
    static unsigned char garbage[600000];
    static const size_t sizes[] = {1, 1000, sizeof garbage};
    (void)state;
    memset(garbage, 0x5a, sizeof garbage);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        (void)set_up(NULL);
        put_part(garbage, sizes[i]);
        ok(fetch_in_modes("plain", NULL));
        check_there();
    }
    (void)set_up(NULL);
    put_part(garbage, tiny_item.bytes); /* as long as the file itself */
    ok(fetch_in_modes("plain", NULL));
    check_there();
}

static void test_stalled_transfer(void **state)
{
    double began = rs_seconds();
    (void)state;
    ok(fetch_in_modes("stallonce", NULL));
    check_there();
    assert_true(rs_seconds() - began < 15.0); /* the server sleeps for 20 s */
    assert_non_null(strstr(requests(), "bytes=100000-"));
}

static void test_busy_server(void **state)
{
    (void)state;
    ok(fetch_in_modes("busyonce", NULL));
    check_there();
    assert_int_equal(count_requests(), 2);
}

/* Nothing of what a source sends for the file is taken, for these reasons. */
static void test_refused_contents(void **state)
{
    static const struct {
        const char *mode, *says;
    } cases[] = {{"wrong", "wrong content: its SHA-256 is"},
                 {"longer", "not this file"},
                 {"endless", "not this file"},
                 {"shorter", "not this file"},
                 {"absent", "404"},
                 {"error503", "503"},
                 {"nothing", "Empty reply"},
                 {"loop", "redirects"},
                 {"tofile", "rotocol"}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        (void)set_up(NULL);
        refused(fetch_in_modes(cases[i].mode, NULL), RS_DATA, cases[i].says);
        says("no source delivered tiny.tar.gz");
        check_nothing();
        assert_int_equal(part_bytes(), 0);
        assert_true(count_requests() <= 12);
        ok(fetch_in_modes(cases[i].mode, "plain")); /* and the next source is asked */
        check_there();
    }
}

static void test_says_what_to_do_by_hand(void **state)
{
    (void)state;
    refused(fetch_in_modes("absent", NULL), RS_DATA, "; by hand: get http://127.0.0.1:");
    says("/absent/tiny.tar.gz, on any machine, and run resnet_study data fetch tiny --from FILE_OR_DIR, or "
         "put train.bin, "
         "... into ");
    says(in_directory("tiny-bin"));
}

static void test_nobody_answers(void **state)
{
    (void)state;
    bases[0] = "http://127.0.0.1:1/"; /* no one listens there */
    bases[1] = NULL;
    refused(fetch(&tiny), RS_DATA, "127.0.0.1");
    check_nothing();
}

static void test_md5_where_there_is_no_sha256(void **state)
{
    char md5[RS__HEX_MAX];
    const rs__download_item saved = tiny_item;
    (void)state;
    ok(rs__digest_file(RS__MD5, served_path("tiny.tar.gz"), md5, &error));
    tiny_item.sha256 = NULL;
    tiny_item.md5 = md5;
    rs_status right = fetch_in_modes("wrong", "plain");
    tiny_item = saved;
    ok(right);
    check_there();
    assert_non_null(strstr(said, "wrong content: its MD5 is"));
}

static void test_mirror(void **state)
{
    (void)state;
    (void)setenv("RS_DATA_MIRROR", url("plain", "m"), 1);
    rs_status first = fetch_in_modes("wrong", NULL);
    (void)setenv("RS_DATA_MIRROR", url("wrong", ""), 1);
    char log[256];
    (void)snprintf(log, sizeof log, "%s", requests());
    ok(first);
    check_there();
    assert_string_equal(log, "plain/m/tiny/tiny.tar.gz -\n");
    (void)set_up(NULL);
    rs_status second = fetch_in_modes("plain", NULL);
    (void)unsetenv("RS_DATA_MIRROR");
    ok(second); /* a mirror with wrong content: the official source */
    check_there();
    assert_string_equal(requests(), "wrong/tiny/tiny.tar.gz -\nplain/tiny.tar.gz -\n");
}

static void test_certificates(void **state)
{
    (void)state;
    if (tls_port == 0) {
        print_message("no openssl program to make a certificate with\n");
        skip();
    }
    (void)snprintf(base_text[0], sizeof base_text[0], "https://127.0.0.1:%d/plain/", tls_port);
    bases[0] = base_text[0];
    bases[1] = NULL;
    refused(fetch(&tiny), RS_DATA, "certificate");
    check_nothing();
    assert_string_equal(requests(), "");
    (void)setenv("CURL_CA_BUNDLE", served_path("cert.pem"), 1);
    rs_status trusted = fetch(&tiny);
    (void)snprintf(base_text[0], sizeof base_text[0], "https://127.0.0.1:%d/tohttp/", tls_port);
    ok(trusted);
    check_there();
    (void)set_up(NULL);
    rs_status downgraded = fetch(&tiny);
    (void)unsetenv("CURL_CA_BUNDLE");
    refused(downgraded, RS_DATA, "rotocol"); /* never from https to http */
    check_nothing();
}

/* --- several files --------------------------------------------------------------------------------------------------
 */

static void check_digits(void)
{
    rs__location location;
    char path[256];
    assert_true(rs__locate(&digits, directory, &location));
    for (int i = 0; i < 4; i++) {
        assert_string_equal(location.file[i], idx_packed[i]);
        (void)snprintf(path, sizeof path, "digits/%s", idx_packed[i]);
        check_same_bytes(served_path(idx_packed[i]), in_directory(path));
    }
    assert_false(exists(".digits.fetch"));
}

static void test_four_files(void **state)
{
    static const char *const modes[] = {"absent", "plain", NULL}, *const wrong[] = {"wrong", NULL};
    (void)state;
    set_bases(wrong);
    refused(fetch(&digits), RS_DATA, "wrong content: its MD5 is");
    says("(and the other files there)");
    assert_false(exists("digits"));
    set_bases(modes);
    ok(fetch(&digits));
    check_digits();
}

/* --- URLs given by the user -----------------------------------------------------------------------------------------
 */

static void test_given_urls(void **state)
{
    char file_url[256];
    (void)state;
    bases[0] = NULL; /* the official sources are not asked */
    const char *const archives[] = {url("plain", ""), url("plain", "a/b"), url("plain", "tiny.tar.gz"),
                                    url("redirect", "tiny.tar.gz")};
    for (size_t i = 0; i < sizeof archives / sizeof *archives; i++) {
        (void)set_up(NULL);
        ok(fetch_from(&tiny, archives[i]));
        check_there();
    }
    (void)set_up(NULL);
    (void)snprintf(file_url, sizeof file_url, "file://%s", served_path("tiny.tar.gz"));
    ok(fetch_from(&tiny, file_url));
    check_there();
    *strrchr(file_url, '/') = '\0';
    (void)set_up(NULL);
    ok(fetch_from(&digits, file_url));
    check_digits();
    (void)set_up(NULL);
    ok(fetch_from(&digits, url("plain", idx_packed[2]))); /* one of the files: the folder it is in */
    check_digits();
}

static void test_given_urls_need_the_checksum(void **state)
{
    (void)state;
    bases[0] = NULL;
    refused(fetch_from(&tiny, url("wrong", "tiny.tar.gz")), RS_DATA, "wrong content");
    refused(fetch_from(&tiny, url("wrong", "")), RS_DATA, "wrong content");
    refused(fetch_from(&tiny, url("plain", "good.zip")), RS_DATA,
            "not this file"); /* the same files, but who knows */
    refused(fetch_from(&tiny, url("absent", "")), RS_DATA, "404");
    refused(fetch_from(&tiny, "ftp://127.0.0.1/tiny.tar.gz"), RS_USAGE,
            "begins with https://, http:// or file://");
    assert_null(strstr(error.text, "by hand"));
    check_nothing();
}

/* --- several processes, interrupts, trouble with the disk -----------------------------------------------------------
 */

static void test_two_processes_fetch_once(void **state)
{
    enum { PROCESSES = 3 };
    pid_t child[PROCESSES];
    (void)state;
    set_bases((const char *const[]){"slow", NULL});
    for (int i = 0; i < PROCESSES; i++) {
        child[i] = fork();
        assert_true(child[i] >= 0);
        if (child[i] == 0) {
            rs_status status = fetch(&tiny);
            bool waited = strstr(said, "waiting for it") != NULL;
            _exit(status != RS_OK ? 10 : waited ? 1 : 0);
        }
    }
    int waited = 0;
    for (int i = 0; i < PROCESSES; i++) {
        int status;
        assert_int_equal(waitpid(child[i], &status, 0), child[i]);
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
        waited += WEXITSTATUS(status);
    }
    assert_int_equal(waited, PROCESSES - 1);
    check_there();
    assert_string_equal(requests(), "slow/tiny.tar.gz -\n");
}

static volatile sig_atomic_t stopped;

static void note_stop(int number)
{
    stopped = number;
}

static rs_status fetch_until_stopped(double seconds)
{
    rs__acquire_options options = quickly;
    const struct itimerval timer = {.it_value = {(time_t)seconds, (suseconds_t)(seconds * 1e6) % 1000000}};
    struct sigaction action = {.sa_handler = note_stop};
    options.stop = &stopped;
    stopped = 0;
    assert_int_equal(sigaction(SIGALRM, &action, NULL), 0);
    assert_int_equal(setitimer(ITIMER_REAL, &timer, NULL), 0);
    return rs__acquire(&tiny, directory, &options, &error);
}

static void test_interrupt(void **state)
{
    double began = rs_seconds();
    (void)state;
    set_bases((const char *const[]){"slow", NULL});
    refused(fetch_until_stopped(0.5), RS_INTERRUPTED, "goes on with it");
    assert_true(rs_seconds() - began < 5.0);
    check_nothing();
    assert_true(part_bytes() > 0 && part_bytes() < tiny_item.bytes);
    set_bases((const char *const[]){"plain", NULL});
    ok(fetch(&tiny));
    check_there();
    assert_non_null(strstr(requests(), "plain/tiny.tar.gz bytes="));
}

/* A process that is killed leaves its lock to the next, and its download. */
static void test_kill(void **state)
{
    int status;
    (void)state;
    set_bases((const char *const[]){"slow", NULL});
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(fetch(&tiny) == RS_OK ? 0 : 1);
    }
    for (int i = 0; i < 500 && part_bytes() == 0; i++) {
        (void)usleep(10000);
    }
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_false(exists("tiny-bin"));
    set_bases((const char *const[]){"plain", NULL});
    ok(fetch(&tiny));
    check_there();
    assert_non_null(strstr(requests(), "plain/tiny.tar.gz bytes="));
}

static int bytes_left;
static uint64_t room;

static ssize_t write_until_full(int file, const void *bytes, size_t count)
{
    if ((int)count > bytes_left) {
        errno = ENOSPC;
        return -1;
    }
    bytes_left -= (int)count;
    return write(file, bytes, count);
}

static int tell_room(const char *path, uint64_t *bytes)
{
    (void)path;
    *bytes = room;
    return 0;
}

static void test_full_disk(void **state)
{
    rs_file_operations operations = *rs_files();
    (void)state;
    operations.write = write_until_full;
    set_bases((const char *const[]){"plain", NULL});
    for (bytes_left = 0; bytes_left < 700000; bytes_left += 150000) { /* in the download, in unpacking */
        int limit = bytes_left;
        (void)set_up(NULL);
        rs_set_files(&operations);
        rs_status status = fetch(&tiny);
        rs_set_files(NULL);
        bytes_left = limit;
        refused(status, RS_IO, "No space left");
        says("--data-dir DIR");
        check_nothing();
        ok(fetch(&tiny));
        check_there();
    }
}

static void test_too_little_room(void **state)
{
    rs_file_operations operations = *rs_files();
    (void)state;
    operations.free_bytes = tell_room;
    room = 1000;
    set_bases((const char *const[]){"plain", NULL});
    rs_set_files(&operations);
    rs_status status = fetch(&tiny);
    rs_set_files(NULL);
    refused(status, RS_IO, "needed, 1000 bytes free");
    assert_string_equal(requests(), "");
    check_nothing();
}

static void test_no_such_directory(void **state)
{
    (void)state;
    write_file("a_file", "x", 1);
    (void)snprintf(directory, sizeof directory, "%s", path_of("a_file"));
    set_bases((const char *const[]){"plain", NULL});
    refused(fetch(&tiny), RS_IO, "--data-dir DIR or RS_DATA_DIR");
}

/* --- sets that are there already ------------------------------------------------------------------------------------
 */

static rs_status inspect_and_fetch(const rs__set *set)
{
    rs__acquire_options options = quickly;
    options.inspect = true;
    return rs__acquire(set, directory, &options, &error);
}

static void damage(const char *name)
{
    int file = open(in_directory(name), O_WRONLY);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, "\xff", 1, 0), 1);
    assert_int_equal(close(file), 0);
}

static void test_damaged_set_is_fetched_anew(void **state)
{
    (void)state;
    ok(fetch_in_modes("plain", NULL));
    ok(inspect_and_fetch(&tiny));
    assert_int_equal(count_requests(), 1);
    damage("tiny-bin/train.bin");
    ok(inspect_and_fetch(&tiny));
    assert_int_equal(count_requests(), 2);
    assert_non_null(strstr(said, "byte 0: label 255"));
    assert_non_null(strstr(said, "; fetching it again"));
    check_there();
}

/* A damaged file that would be found before the fetched one must not stay in its way. */
static void test_other_forms_are_put_aside(void **state)
{
    char name[128];
    (void)state;
    set_bases((const char *const[]){"plain", NULL});
    for (int i = 0; i < 4; i++) {
        (void)snprintf(name, sizeof name, "%s/digits/%s", strrchr(directory, '/') + 1, digits.files[i]);
        write_file(name, "mine", 4);
    }
    ok(inspect_and_fetch(&digits));
    check_digits();
    assert_int_equal(bytes_of(in_directory("digits/train-images-idx3-ubyte.old")), 4);
    ok(inspect_and_fetch(&digits));
    assert_int_equal(count_requests(), 4);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_download, set_up),
        cmocka_unit_test_setup(test_redirect, set_up),
        cmocka_unit_test_setup(test_breaks_and_goes_on, set_up),
        cmocka_unit_test_setup(test_breaks_often, set_up),
        cmocka_unit_test_setup(test_goes_on_later, set_up),
        cmocka_unit_test_setup(test_goes_on_at_next_source, set_up),
        cmocka_unit_test_setup(test_server_without_ranges, set_up),
        cmocka_unit_test_setup(test_part_of_another_file, set_up),
        cmocka_unit_test_setup(test_stalled_transfer, set_up),
        cmocka_unit_test_setup(test_busy_server, set_up),
        cmocka_unit_test_setup(test_refused_contents, set_up),
        cmocka_unit_test_setup(test_says_what_to_do_by_hand, set_up),
        cmocka_unit_test_setup(test_nobody_answers, set_up),
        cmocka_unit_test_setup(test_md5_where_there_is_no_sha256, set_up),
        cmocka_unit_test_setup(test_mirror, set_up),
        cmocka_unit_test_setup(test_certificates, set_up),
        cmocka_unit_test_setup(test_four_files, set_up),
        cmocka_unit_test_setup(test_given_urls, set_up),
        cmocka_unit_test_setup(test_given_urls_need_the_checksum, set_up),
        cmocka_unit_test_setup(test_two_processes_fetch_once, set_up),
        cmocka_unit_test_setup(test_interrupt, set_up),
        cmocka_unit_test_setup(test_kill, set_up),
        cmocka_unit_test_setup(test_full_disk, set_up),
        cmocka_unit_test_setup(test_too_little_room, set_up),
        cmocka_unit_test_setup(test_no_such_directory, set_up),
        cmocka_unit_test_setup(test_damaged_set_is_fetched_anew, set_up),
        cmocka_unit_test_setup(test_other_forms_are_put_aside, set_up),
    };
    if (argc != 3) {
        (void)fprintf(stderr, "usage: test_fetch PYTHON fetch_server.py\n");
        return 2;
    }
    python = argv[1];
    script = argv[2];
    return cmocka_run_group_tests_name("fetching", tests, fetch_begin, fetch_end);
}
