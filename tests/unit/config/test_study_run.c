/* test_study_run.c: the command `run`: what it starts, skips, resumes, reports and how it ends.
 *
 * This executable plays three parts: the tests, the program (first argument `run`) and the trainer that the
 * program starts from /proc/self/exe (first argument an option). */
#include "config_test.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "pretended_trainer.h"
#include "rs/host.h"
#include "rs/recorder.h"

/* --- the pretended record (in place of rs_record) --------------------------------------------------------- */

const char *rs_run_state_name(rs_run_state state)
{
    static const char *const names[] = {"running", "done", "stopped", "diverged", "interrupted"};
    return names[state];
}

rs_status rs_record_summarize(const char *path, rs_record_summary *summary, rs_error *error)
{
    char text[8192];
    int yaml = 0;
    FILE *file = fopen(path, "r");
    if (!file) {
        return RS_FAIL(error, RS_DATA, "%s: no record", path);
    }
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    if (sscanf(text, "%15s %" SCNd64 "\n%n", summary->state, &summary->committed.epochs, &yaml) != 2) {
        return RS_FAIL(error, RS_DATA, "%s: no record", path);
    }
    summary->config_yaml = rs_strdup(text + yaml);
    return RS_OK;
}

/* --- running the program ---------------------------------------------------------------------------------- */

static char folder[] = "/tmp/rs_study_run_XXXXXX";
static char said[65536]; /* by the program last run: output and errors */

static pid_t start(const char *line, int channel)
{
    char words[512];
    static char name[] = "resnet_study", command[] = "run";
    char *argv[24] = {name, command};
    int argc = 2;
    (void)snprintf(words, sizeof words, "%s", line);
    for (char *word = strtok(words, " "); word && argc < 23; word = strtok(NULL, " ")) {
        argv[argc++] = word;
    }
    pid_t pid = fork();
    if (pid == 0) {
        (void)setpgid(0, 0);
        if (dup2(channel, STDOUT_FILENO) >= 0 && dup2(channel, STDERR_FILENO) >= 0) {
            (void)execv("/proc/self/exe", argv);
        }
        _exit(125);
    }
    assert_true(pid > 0);
    return pid;
}

static void read_all(int channel)
{
    size_t length = 0;
    for (;;) {
        ssize_t count = read(channel, said + length, sizeof said - 1 - length);
        if (count <= 0) {
            break;
        }
        length += (size_t)count;
    }
    said[length] = '\0';
}

static int finish(pid_t pid)
{
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* Runs `run LINE`; its exit status. */
static int run(const char *line)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = start(line, ends[1]);
    (void)close(ends[1]);
    read_all(ends[0]);
    (void)close(ends[0]);
    return finish(pid);
}

static void assert_said(const char *part)
{
    if (!strstr(said, part)) {
        print_error("\"%s\" is not in:\n%s\n", part, said);
    }
    assert_non_null(strstr(said, part));
}

static void assert_not_said(const char *part)
{
    if (strstr(said, part)) {
        print_error("\"%s\" is in:\n%s\n", part, said);
    }
    assert_null(strstr(said, part));
}

static int remove_entry(const char *path, const struct stat *information, int flag, struct FTW *place)
{
    (void)information, (void)flag, (void)place;
    return strcmp(path, ".") == 0 ? 0 : remove(path);
}

/* Begins a test in an empty folder with the study of these seeds. */
static void begin(const char *seeds)
{
    (void)nftw(".", remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    FILE *file = fopen("s.yaml", "w");
    assert_non_null(file);
    assert_true(fprintf(file, "study: s\nsettings: {dataset: shapes, epochs: 4}\nseeds: %s\n", seeds) > 0);
    assert_int_equal(fclose(file), 0);
}

/* Path of the record of a seed, with something behind it. */
static const char *record_path(int64_t seed, const char *behind)
{
    static char path[512];
    char name[128];
    rs_config c;
    rs_config_default(&c);
    ASSERT_TAKEN(rs_config_set(&c, "dataset", "shapes", NULL, &error));
    c.epochs = 4;
    c.seed = seed;
    rs_config_run_name(&c, name, sizeof name);
    (void)snprintf(path, sizeof path, "runs/s/%s%s", name, behind);
    return path;
}

static bool exists(int64_t seed, const char *behind)
{
    return access(record_path(seed, behind), F_OK) == 0;
}

static void assert_file(const char *path, const char *expected)
{
    char text[8192];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    assert_string_equal(text, expected);
}

static void wait_for(int64_t seed, const char *behind)
{
    for (int i = 0; i < 1000 && !exists(seed, behind); i++) {
        (void)usleep(10000);
    }
    assert_true(exists(seed, behind));
}

/* --- tests ------------------------------------------------------------------------------------------------ */

static void a_dry_run_lists_and_starts_nothing(void **state)
{
    (void)state;
    begin("[1, 2]");
    assert_int_equal(run("s.yaml --dry-run"), 0);
    assert_said("s: 2 runs\n[1/2] new ");
    assert_said("(seed 2)");
    assert_int_equal(access("runs", F_OK), -1);
    assert_int_equal(run("s.yaml --list --set depth=34 --seeds 1..12"), 0);
    assert_said("[ 1/12] new ");
}

static void every_run_is_started_once_with_what_differs(void **state)
{
    (void)state;
    char expected[1024];
    begin("[1, 2]");
    assert_int_equal(run("s.yaml"), 0);
    assert_said("s: 2 runs: 2 done, 0 done before, 0 failed, 0 left; records in runs/s\n");
    (void)snprintf(expected, sizeof expected, "--dataset=shapes --epochs=4 --seed=2 --out=%s \nno terminal",
                   record_path(2, ".h5"));
    assert_file(record_path(2, ".h5.args"), expected);
    assert_int_equal(unlink(record_path(2, ".h5.args")), 0);
    assert_int_equal(run("s.yaml"), 0);
    assert_said("s: 2 runs: 0 done, 2 done before, 0 failed, 0 left");
    assert_said("done already");
    assert_false(exists(2, ".h5.args"));
}

static void a_failure_is_reported_and_the_others_go_on(void **state)
{
    (void)state;
    begin("[13, 14, 15, 1]");
    assert_int_equal(run("s.yaml"), 1);
    assert_said("(seed 13): failed (exit status 3): resnet_study: error: an unlucky number\n");
    assert_said("(seed 14): failed (exit status 4): resnet_study: error: loss is nan\n");
    assert_said("(seed 15): failed (exit status 137): epoch 1/5  1/9\n");
    assert_said("s: 4 runs: 1 done, 0 done before, 3 failed, 0 left");
    const char *end = strstr(said, "resnet_study: error: [1/4]"); /* once more at the end, as errors */
    assert_non_null(end);
    assert_non_null(strstr(end, "resnet_study: error: [3/4]"));
    assert_true(exists(1, ".h5"));
    assert_int_equal(run("s.yaml --quiet --seeds 14"), 1); /* a diverged run is not trained again */
    assert_said("diverged earlier");
}

static void a_failed_run_is_tried_again_when_asked(void **state)
{
    (void)state;
    begin("[13, 14, 16, 17]");
    assert_int_equal(run("s.yaml --retry 2"), 1);
    assert_said("s: 4 runs: 1 done, 0 done before, 3 failed, 0 left");
    int tries = 0;
    for (const char *at = said; (at = strstr(at, "is tried again")) != NULL; at++) {
        tries++;
    }
    assert_int_equal(tries, 3); /* 16 once, 17 twice; 13 and 14 would fail again */
    begin("[16]");
    assert_int_equal(run("s.yaml"), 1);
    assert_not_said("is tried again");
}

/* The study of `begin`, of two stages. */
static void stages_follow_each_other_and_a_failure_ends_the_chain(void **state)
{
    (void)state;
    begin("[1, 2]\nstages: [{name: a, seed: 13}, {name: b}]");
    assert_int_equal(run("s.yaml --jobs 3"), 1);
    assert_said("the run it begins from failed");
    assert_said("s: 3 runs: 0 done, 0 done before, 3 failed, 0 left");
    begin("[1, 2]\nstages: [{name: a, seed: 7}, {name: b}]");
    assert_int_equal(run("s.yaml --jobs 3"), 0);
    assert_said("s: 3 runs: 3 done, 0 done before, 0 failed, 0 left");
    assert_int_equal(run("s.yaml --shard 2/2"), 0);
    assert_said("no runs in part 2 of 2");
    assert_int_equal(run("s.yaml --shard 3/2"), 2);
    assert_said("--shard 3/2: not I/N");
}

static void cases_can_be_chosen(void **state)
{
    (void)state;
    begin("[1]\ncases: [{name: a, depth: 18}, {name: bee, depth: 34}, {name: c, depth: 68}]");
    assert_int_equal(run("s.yaml --dry-run --case c,a"), 0);
    assert_said("s: 2 runs");
    assert_said("(a)");
    assert_said("(c)");
    assert_int_equal(run("s.yaml --dry-run --case be"), 2);
    assert_said("--case be: s.yaml has no such case; nearest bee");
    assert_int_equal(run("s.yaml --dry-run --case other"), 2);
    assert_said("--case other: s.yaml has no such case; it has a, bee, c");
}

static void assert_in_file(const char *path, const char *part)
{
    char text[8192];
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    if (!strstr(text, part)) {
        print_error("\"%s\" is not in:\n%s\n", part, text);
    }
    assert_non_null(strstr(text, part));
}

/* Losses of seed s in epoch e (from 0) are s + e / 10: of seeds 1, 2, 6 the mean is 3, the deviation sqrt(7). */
static void whole_runs_are_summed_up_over_their_seeds(void **state)
{
    (void)state;
    begin("[1, 2, 6, 14]\ncases: [{name: a}, {name: b, depth: 34}]");
    assert_int_equal(run("s.yaml --case a"), 1);
    assert_said("summed up 3 of 4 runs in 1 groups: runs/s.case=a_summary.h5 and .csv");
    const char *part = "runs/s.case=a_summary.csv";
    assert_in_file(part, "group,quantity,epoch,mean,std,min,max,n,planned,diverged,changed,study\n");
    assert_in_file(part, "\n\"a\",train_loss,1,3,2.64575131,1,6,3,4,1,\"\",s\n");
    assert_in_file(part, "\n\"a\",valid_loss,last,3.3,2.64575131,1.3,6.3,3,4,1,\"\",s\n");
    assert_int_equal(access("runs/s.case=a_summary.h5", R_OK), 0);
    assert_int_equal(access("runs/s_summary.csv", F_OK), -1); /* a part is not the whole */
    assert_int_equal(run("s.yaml --aggregate-only --seeds 2,3 --set threads=1"), 0);
    assert_said("summed up 1 of 4 runs in 2 groups: runs/s.seeds=2+3_summary.h5");
    assert_in_file("runs/s.seeds=2+3_summary.csv", "\n\"a\",train_loss,2,2.1,,2.1,2.1,1,2,0,\"\",s\n");
    assert_in_file("runs/s.seeds=2+3_summary.csv", "\n\"b\",epochs,last,,,,,0,2,0,\"\",s\n");
    assert_int_equal(run("s.yaml --aggregate-only"), 0);
    assert_said("summed up 3 of 8 runs in 2 groups: runs/s_summary.h5 and .csv");
    begin("[1]");
    assert_int_equal(run("s.yaml --aggregate-only"), 0);
    assert_said("no whole record to sum up");
    assert_int_equal(access("runs/s_summary.csv", F_OK), -1);
}

/* 4 epochs of 3 steps; step t of seed s is s + t / 10, of the second layer 100 more. */
static void series_of_steps_are_summed_up_by_window(void **state)
{
    (void)state;
    begin("[1, 3]");
    assert_int_equal(run("s.yaml"), 0);
    const char *csv = "runs/s_summary.csv";
    assert_in_file(csv, "\n\"s\",gradient_norm,last,3,1.41421356,2,4,2,");
    assert_in_file(csv, "\n\"s\",gradient_norm,first-5,2.2,1.41421356,1.2,3.2,2,");
    assert_in_file(csv, "\n\"s\",gradient_norm,last-5,2.9,1.41421356,1.9,3.9,2,");
    assert_in_file(csv, "\n\"s\",layer_loss/fc1,first-5,2.2,");
    assert_in_file(csv, "\n\"s\",seconds,last,25.8,16.9705627,13.8,37.8,2,"); /* 3 series of 4 epochs */
    assert_in_file(csv, "\n\"s\",layer_loss/fc2,last,103,");
}

/* A damaged record, and one without an epoch, leave the others' summary as it is. */
static void what_cannot_be_summed_up_is_left_out(void **state)
{
    (void)state;
    begin("[1, 5]");
    assert_int_equal(run("s.yaml"), 0);
    assert_said("is left out of the summary: epochs/train_loss cannot be read");
    assert_said("summed up 1 of 2 runs in 1 groups");
    assert_in_file("runs/s_summary.csv", "\n\"s\",train_loss,1,1,,1,1,1,2,0,");
    begin("[1]");
    assert_int_equal(run("s.yaml --set epochs=0"), 0);
    assert_in_file("runs/s.epochs=0_summary.csv", "\n\"s\",epochs,last,0,,0,0,1,1,0,\"epochs 0\",s\n");
    begin("[14]\ngrid: {depth: [18, 34]}");
    assert_int_equal(run("s.yaml"), 1); /* all diverge: no summary */
    assert_int_equal(access("runs/s_summary.csv", F_OK), -1);
}

static void fail_fast_ends_the_study(void **state)
{
    (void)state;
    begin("[13, 1]");
    assert_int_equal(run("s.yaml --fail-fast"), 1);
    assert_said("s: 2 runs: 0 done, 0 done before, 1 failed, 1 left");
    assert_false(exists(1, ".h5"));
    begin("[20, 13, 1]"); /* the first runs beside the second and is told to end */
    assert_int_equal(run("s.yaml --fail-fast --jobs 2"), 1);
    assert_said("s: 3 runs: 0 done, 0 done before, 1 failed, 2 left");
    assert_false(exists(1, ".h5"));
}

static void an_unfinished_run_is_resumed(void **state)
{
    (void)state;
    begin("[1]");
    assert_int_equal(run("s.yaml"), 0);
    FILE *file = fopen(record_path(1, ".h5"), "r+");
    assert_non_null(file);
    assert_true(fputs("torn", file) >= 0); /* "torn 4": neither done nor diverged */
    assert_int_equal(fclose(file), 0);
    assert_int_equal(run("s.yaml --dry-run"), 0);
    assert_said("4/4 epochs");
    assert_int_equal(run("s.yaml"), 0);
    assert_said("goes on after epoch 4/4");
    char expected[1024];
    (void)snprintf(expected, sizeof expected, "--dataset=shapes --epochs=4 --out=%s --resume \nno terminal",
                   record_path(1, ".h5"));
    assert_file(record_path(1, ".h5.args"), expected);
    assert_int_equal(truncate(record_path(1, ".h5"), 0), 0); /* no record at all: the trainer decides */
    assert_int_equal(run("s.yaml"), 0);
    assert_file(record_path(1, ".h5.args"), expected);
}

static void a_record_of_another_run_is_not_touched(void **state)
{
    (void)state;
    char other[512];
    begin("[1, 2]");
    assert_int_equal(run("s.yaml"), 0);
    (void)snprintf(other, sizeof other, "%s", record_path(2, ".h5"));
    assert_int_equal(rename(other, record_path(1, ".h5")), 0);
    assert_int_equal(run("s.yaml --seeds 1"), 1);
    assert_said("failed: the record exists but is of another run (differs in seed); move it away: runs/s/");
}

/* Starts the study of one long run, sends `number` when it is under way; the exit status. */
static int interrupt(const char *line, int number)
{
    int ends[2];
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    pid_t pid = start(line, ends[1]);
    (void)close(ends[1]);
    wait_for(20, ".h5.started");
    assert_int_equal(kill(-pid, number), 0); /* to the whole group, as a terminal does */
    read_all(ends[0]);
    (void)close(ends[0]);
    return finish(pid);
}

static void a_signal_reaches_the_runs_once_and_they_go_on_later(void **state)
{
    (void)state;
    static const struct {
        int number, exit_status;
        const char *line;
    } cases[] = {{SIGINT, 130, "s.yaml"},
                 {SIGTERM, 143, "s.yaml"},
                 {SIGINT, 130, "s.yaml --jobs 2"},
                 {SIGHUP, 143, "s.yaml"},
                 {SIGUSR1, 143, "s.yaml --jobs 2"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        begin("[20, 1, 2]");
        assert_int_equal(interrupt(cases[i].line, cases[i].number), cases[i].exit_status);
        assert_said("(seed 20): interrupted, resumable");
        assert_said("the same command goes on where this one ended");
        assert_said(" 0 failed, ");
        assert_int_equal(run("s.yaml"), 0);
        assert_said("(seed 20): goes on after epoch 2/4");
        assert_said(" 0 failed, 0 left");
    }
}

/* The runs must not outlive a killed runner: they are told to end. */
static void runs_end_when_the_runner_is_killed(void **state)
{
    (void)state;
    begin("[20]");
    assert_int_equal(interrupt("s.yaml", SIGKILL), 137);
    wait_for(20, ".h5");
    (void)usleep(50000);
    assert_int_equal(run("s.yaml"), 0);
    assert_said("goes on after epoch 2/4");
}

static void several_runs_share_the_cores_and_keep_logs(void **state)
{
    (void)state;
    char text[8192];
    begin("[13, 1, 2, 3, 4]");
    assert_int_equal(run("s.yaml --jobs 3"), 1);
    assert_said("4 done, 0 done before, 1 failed");
    assert_not_said("epoch 1/5"); /* their progress goes to their logs */
    FILE *file = fopen(record_path(13, ".log"), "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    assert_non_null(strstr(text, "an unlucky number"));
    file = fopen(record_path(1, ".h5.args"), "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    assert_non_null(strstr(text, "--threads="));
    begin("[1]");
    assert_int_equal(run("s.yaml --jobs 3 --set threads=7"), 0);
    file = fopen(record_path(1, ".h5.args"), "r");
    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    (void)fclose(file);
    assert_non_null(strstr(text, "--threads=7 "));
}

static void quiet_says_nothing_when_all_is_well(void **state)
{
    (void)state;
    begin("[1, 2]");
    assert_int_equal(run("s.yaml --quiet"), 0);
    assert_not_said("resnet_study:");
    assert_not_said("runs");
}

/* With one run at a time its progress shows as if it ran alone. */
static void progress_passes_through_to_a_terminal(void **state)
{
    (void)state;
    int ours, theirs;
    begin("[13]");
    if (openpty(&ours, &theirs, NULL, NULL, NULL) != 0) {
        print_message("skipped: this machine has no pseudo-terminals (/dev/pts)\n");
        skip();
    }
    pid_t pid = start("s.yaml", theirs);
    (void)close(theirs);
    read_all(ours);
    (void)close(ours);
    assert_int_equal(finish(pid), 1);
    assert_said("\repoch 1/5  1/9\033[K\r\033[Kresnet_study: error: an unlucky number");
    assert_said("failed (exit status 3): resnet_study: error: an unlucky number");
    char expected[1024];
    (void)snprintf(expected, sizeof expected, "--dataset=shapes --epochs=4 --seed=13 --out=%s \nterminal",
                   record_path(13, ".h5"));
    assert_file(record_path(13, ".h5.args"), expected);
}

static void bad_usage_is_exit_status_2(void **state)
{
    (void)state;
    static const struct {
        const char *line, *message;
        int exit_status;
    } cases[] = {
        {"", "which study? as in: resnet_study run experiments/minkowski_even.yaml --dry-run", 2},
        {"none.yaml", "none.yaml: cannot be opened: No such file or directory", 3},
        {"s.yaml t.yaml", "t.yaml: a second study file; one at a time", 2},
        {"s.yaml --depth 18", "--depth: in a study it is written --set depth=VALUE", 2},
        {"s.yaml --job 3", "--job: unknown option of run; nearest --jobs; resnet_study run --help lists them",
         2},
        {"s.yaml --jobs 0", "--jobs 0: not a whole number from 1 to 256", 2},
        {"s.yaml --jobs", "--jobs: its value N is missing", 2},
        {"s.yaml --quiet=1", "--quiet: takes no value; it stands alone", 2},
        {"s.yaml --set depth", "--set depth: not KEY=VALUE, as in --set depth=18,34", 2},
        {"s.yaml --set =3", "--set =3: not KEY=VALUE, as in --set depth=18,34", 2},
        {"s.yaml --set depth=67", "--set depth 67: not one of 18, 26, 34, 50, 68, 101; nearest 68", 2},
        {"s.yaml --out-dir=", "--out-dir: names no folder; the default is runs", 2},
    };
    begin("[1]");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char expected[256];
        assert_int_equal(run(cases[i].line), cases[i].exit_status);
        (void)snprintf(expected, sizeof expected, "resnet_study: error: %s\n", cases[i].message);
        assert_string_equal(said, expected);
    }
    assert_int_equal(run("--help"), 0);
    assert_said("Usage: resnet_study run STUDY.yaml [OPTIONS]");
    assert_int_equal(access("runs", F_OK), -1);
}

static void a_folder_that_cannot_be_made_fails_the_run(void **state)
{
    (void)state;
    begin("[1]");
    assert_int_equal(run("s.yaml --out-dir s.yaml/x"), 1);
    assert_said("failed: s.yaml/x: the folder cannot be made: ");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dry_run_lists_and_starts_nothing),
        cmocka_unit_test(every_run_is_started_once_with_what_differs),
        cmocka_unit_test(a_failure_is_reported_and_the_others_go_on),
        cmocka_unit_test(a_failed_run_is_tried_again_when_asked),
        cmocka_unit_test(stages_follow_each_other_and_a_failure_ends_the_chain),
        cmocka_unit_test(cases_can_be_chosen),
        cmocka_unit_test(whole_runs_are_summed_up_over_their_seeds),
        cmocka_unit_test(series_of_steps_are_summed_up_by_window),
        cmocka_unit_test(what_cannot_be_summed_up_is_left_out),
        cmocka_unit_test(fail_fast_ends_the_study),
        cmocka_unit_test(an_unfinished_run_is_resumed),
        cmocka_unit_test(a_record_of_another_run_is_not_touched),
        cmocka_unit_test(a_signal_reaches_the_runs_once_and_they_go_on_later),
        cmocka_unit_test(runs_end_when_the_runner_is_killed),
        cmocka_unit_test(several_runs_share_the_cores_and_keep_logs),
        cmocka_unit_test(quiet_says_nothing_when_all_is_well),
        cmocka_unit_test(progress_passes_through_to_a_terminal),
        cmocka_unit_test(bad_usage_is_exit_status_2),
        cmocka_unit_test(a_folder_that_cannot_be_made_fails_the_run),
    };
    if (argc > 1) {
        return strcmp(argv[1], "run") == 0 ? rs_command_run(argc - 1, argv + 1)
                                           : pretend_to_train(argc, argv);
    }
    if (!mkdtemp(folder) || chdir(folder) != 0) {
        return 1;
    }
    int failed = cmocka_run_group_tests_name("studies", tests, NULL, NULL);
    (void)nftw(".", remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return chdir("/") == 0 && rmdir(folder) == 0 ? failed : failed + 1;
}
