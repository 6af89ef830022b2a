/* test_record_kill.c: no committed row is ever lost: a writer is killed with SIGKILL at random moments, many
 * times, also while it resumes a killed file, and after each kill every committed value is compared.
 *
 *     test_record_kill WRITER KILLS CHAINS [CHECKER [PYTHON]]
 *
 * A chain kills, perhaps repairs, resumes and kills the same file eight times over, then lets it finish: it must
 * then be the same as one that was never touched. CHECKER is record_check.py: it opens every fifth file with h5py,
 * too, as it is (swmr=True) and, repaired, in the plain way and with h5dump. */
#include <setjmp.h> /* cmocka.h needs these four first */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "record_check.h"
#include "rs/host.h"
#include "rs/random.h"
#include "verify.h"

extern char **environ;

enum { LINKS = 8, CHAIN_EPOCHS = 30 };

static const char *writer, *checker, *python = "/usr/bin/python3";
static int kills, chains;
static uint64_t moments; /* drawn so far */
static fixture small, large;
static char folder[] = "/tmp/rs_record_kill_XXXXXX";

/* 0 .. limit - 1, the same in every run of the test. */
static uint64_t draw(uint64_t limit)
{
    moments = moments * 6364136223846793005u + 1442695040888963407u;
    return (moments >> 33) % limit;
}

static pid_t start(const char *path, const char *epochs, bool is_large, bool sync)
{
    char *arguments[] = {(char *)writer,           (char *)path, (char *)epochs, is_large ? "large" : "small",
                         sync ? "sync" : "nosync", NULL};
    pid_t child;
    assert_int_equal(posix_spawn(&child, writer, NULL, NULL, arguments, environ), 0);
    return child;
}

static void sleep_microseconds(uint64_t microseconds)
{
    struct timespec time = {(time_t)(microseconds / 1000000), (long)(microseconds % 1000000) * 1000};
    (void)nanosleep(&time, NULL);
}

/* Waits until the record has its name, so that the kill falls into recording. */
static void wait_for_file(const char *path)
{
    for (int i = 0; i < 20000 && access(path, F_OK) != 0; i++) {
        sleep_microseconds(500);
    }
}

/* Kills the writer at a random moment; false when it had ended by itself, in order. */
static bool kill_at_random(pid_t child, uint64_t longest)
{
    int status;
    sleep_microseconds(draw(longest));
    (void)kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFEXITED(status)) {
        assert_int_equal(WEXITSTATUS(status), 0);
        return false;
    }
    assert_int_equal(WTERMSIG(status), SIGKILL);
    return true;
}

static void wait_for_end(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void run_checker(const char *path, const char *how)
{
    enum { NO_H5PY = 77 };
    char *arguments[] = {(char *)python, (char *)checker, (char *)how, (char *)path, NULL};
    int status;
    pid_t child;
    if (!checker) {
        return;
    }
    assert_int_equal(posix_spawn(&child, python, NULL, NULL, arguments, environ), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == NO_H5PY) {
        print_message("skipped: %s has no h5py: files are checked in C only\n", python);
        checker = NULL;
        return;
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Checks all values; returns the committed epochs, or -1 where the kill came before the file had its name. */
static int64_t check(const char *path, const fixture *made)
{
    rs_position committed;
    rs_error error;
    if (access(path, F_OK) != 0) {
        return -1;
    }
    if (record_check(path, made, &committed, &error) != RS_OK) {
        print_error("%s: %s\n", path, error.text);
        fail();
    }
    return committed.epochs;
}

static void repair(const char *path)
{
    rs_error error;
    if (rs_record_repair(path, &error) != RS_OK) {
        print_error("%s: %s\n", path, error.text);
        fail();
    }
}

static void new_path(char *path, size_t capacity, const char *kind, int number)
{
    (void)snprintf(path, capacity, "%s/%s%d.h5", folder, kind, number);
}

static void remove_run(const char *path)
{
    char other[256];
    (void)unlink(path);
    (void)snprintf(other, sizeof other, "%s.ckpt", path);
    (void)unlink(other);
    (void)snprintf(other, sizeof other, "%s.ckpt.part", path);
    (void)unlink(other);
    (void)snprintf(other, sizeof other, "%s.part", path);
    (void)unlink(other);
}

static void test_kills(void **state)
{
    char path[128];
    int64_t epochs = 0, early = 0;
    (void)state;
    for (int i = 0; i < kills; i++) {
        const bool is_large = i % 4 == 3;
        new_path(path, sizeof path, "kill", i);
        pid_t child = start(path, "100000", is_large, i % 2 == 0);
        if (i % 10 != 9) { /* one in ten may fall while the file is made */
            wait_for_file(path);
        }
        (void)kill_at_random(child, 150000);
        int64_t committed = check(path, is_large ? &large : &small);
        if (committed < 0) {
            early++;
        } else {
            epochs += committed;
            if (i % 5 == 0) {
                run_checker(path, "killed");
            }
            repair(path);
            assert_int_equal(check(path, is_large ? &large : &small), committed);
            if (i % 5 == 0) {
                run_checker(path, "repaired");
            }
        }
        remove_run(path);
    }
    print_message("%d kills, %" PRId64 " of them before the file was there; %" PRId64
                  " committed epochs intact\n",
                  kills, early, epochs);
    assert_true(epochs > kills); /* most kills must fall into recording */
}

static void test_chains(void **state)
{
    char path[128], whole[128], epochs[16];
    rs_error error;
    int differences, struck = 0;
    (void)state;
    (void)snprintf(epochs, sizeof epochs, "%d", CHAIN_EPOCHS);
    new_path(whole, sizeof whole, "whole", 0);
    wait_for_end(start(whole, epochs, false, false));
    for (int i = 0; i < chains; i++) {
        int64_t reached = -1;
        new_path(path, sizeof path, "chain", i);
        for (int link = 0; link < LINKS; link++) {
            struck += kill_at_random(start(path, epochs, false, link % 2 == 0), 60000);
            int64_t committed = check(path, &small);
            assert_true(committed >= reached); /* no commit is ever taken back */
            reached = committed;
            if (committed >= 0 && draw(2)) {
                repair(path);
                assert_int_equal(check(path, &small), committed);
            }
        }
        wait_for_end(start(path, epochs, false, true));
        assert_int_equal(check(path, &small), CHAIN_EPOCHS);
        assert_int_equal(rs_record_same(path, whole, stderr, &differences, &error), RS_OK);
        assert_int_equal(differences, 0);
        run_checker(path, "done");
        remove_run(path);
    }
    remove_run(whole);
    print_message("%d chains, %d kills in them\n", chains, struck);
    assert_true(struck > chains);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kills), cmocka_unit_test(test_chains)};
    if (argc < 4 || argc > 6) {
        print_error("usage: test_record_kill WRITER KILLS CHAINS [CHECKER [PYTHON]]\n");
        return 2;
    }
    writer = argv[1];
    kills = atoi(argv[2]);
    chains = atoi(argv[3]);
    checker = argc > 4 ? argv[4] : NULL;
    python = argc > 5 ? argv[5] : python;
    fixture_init(&small, false, 40);
    fixture_init(&large, true, 40);
    if (!mkdtemp(folder)) {
        print_error("%s: %s\n", folder, strerror(errno));
        return 1;
    }
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    (void)rmdir(folder);
    return failed;
}
