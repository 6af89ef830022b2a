/* study_command.c: the command `run STUDY.yaml`: its own options, the listing, exit status. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "../cli/commands.h"
#include "rs/host.h"
#include "rs/random.h"
#include "rs/text.h"
#include "study.h"
#include "study_aggregate.h"

enum { MOST_OVERRIDES = 64 };

typedef struct command {
    const char *path, *out_dir, *cases;
    rs_study_override overrides[MOST_OVERRIDES];
    char keys[MOST_OVERRIDES][64];
    int override_count;
    bool list, aggregate_only, help;
    int turns, shard, shards;
    rs_study_options options;
} command;

/* --- options of `run` ------------------------------------------------------------------------------------
 */

static rs_status add_override(command *c, const char *key, size_t key_length, const char *value, bool ranges,
                              rs_error *error)
{
    if (c->override_count == MOST_OVERRIDES) {
        return RS_FAIL(error, RS_USAGE, "more than %d --set; write them into the study file", MOST_OVERRIDES);
    }
    char *copy = c->keys[c->override_count];
    (void)snprintf(copy, sizeof c->keys[0], "%.*s", (int)key_length, key);
    c->overrides[c->override_count++] = (rs_study_override){.key = copy, .value = value, .ranges = ranges};
    return RS_OK;
}

static rs_status take_set(command *c, const char *value, rs_error *error)
{
    const char *equals = strchr(value, '=');
    return equals && equals > value
               ? add_override(c, value, (size_t)(equals - value), equals + 1, false, error)
               : RS_FAIL(error, RS_USAGE, "--set %.60s: not KEY=VALUE, as in --set depth=18,34", value);
}

static rs_status take_seeds(command *c, const char *value, rs_error *error)
{
    return add_override(c, "seed", strlen("seed"), value, true, error);
}

static rs_status take_number(const char *option, const char *value, int64_t least, int64_t most, int *number,
                             rs_error *error)
{
    int64_t taken = 0;
    if (!rs_text_int(value, &taken) || taken < least || taken > most) {
        return RS_FAIL(error, RS_USAGE, "%s %.40s: not a whole number from %" PRId64 " to %" PRId64, option,
                       value, least, most);
    }
    *number = (int)taken;
    return RS_OK;
}

static rs_status take_jobs(command *c, const char *value, rs_error *error)
{
    return take_number("--jobs", value, 1, 256, &c->options.jobs, error);
}

static rs_status take_retry(command *c, const char *value, rs_error *error)
{
    return take_number("--retry", value, 0, 100, &c->options.retry, error);
}

static rs_status take_turns(command *c, const char *value, rs_error *error)
{
    return take_number("--turns", value, 1, 1000, &c->turns, error);
}

/* "2/8": the second of eight parts. */
static rs_status take_shard(command *c, const char *value, rs_error *error)
{
    char part[32];
    int64_t number = 0, parts = 0;
    const char *slash = strchr(value, '/');
    (void)snprintf(part, sizeof part, "%.*s", slash ? (int)(slash - value) : 0, value);
    if (!slash || !rs_text_int(part, &number) || !rs_text_int(slash + 1, &parts) || number < 1 ||
        number > parts || parts > RS_STUDY_MAX_RUNS) {
        return RS_FAIL(error, RS_USAGE, "--shard %.40s: not I/N with I from 1 to N, as in 2/8", value);
    }
    c->shard = (int)number;
    c->shards = (int)parts;
    return RS_OK;
}

static rs_status take_case(command *c, const char *value, rs_error *error)
{
    (void)error;
    c->cases = value;
    return RS_OK;
}

static rs_status take_out_dir(command *c, const char *value, rs_error *error)
{
    c->out_dir = value;
    return *value ? RS_OK : RS_FAIL(error, RS_USAGE, "--out-dir: names no folder; the default is runs");
}

static rs_status take_list(command *c, const char *value, rs_error *error)
{
    (void)value, (void)error;
    c->list = true;
    return RS_OK;
}

static rs_status take_aggregate_only(command *c, const char *value, rs_error *error)
{
    (void)value, (void)error;
    c->aggregate_only = true;
    return RS_OK;
}

static rs_status take_keep_going(command *c, const char *value, rs_error *error)
{
    (void)value, (void)error;
    c->options.fail_fast = false;
    return RS_OK;
}

static rs_status take_fail_fast(command *c, const char *value, rs_error *error)
{
    (void)value, (void)error;
    c->options.fail_fast = true;
    return RS_OK;
}

static rs_status take_quiet(command *c, const char *value, rs_error *error)
{
    (void)value, (void)error;
    c->options.quiet = true;
    return RS_OK;
}

static rs_status take_help(command *c, const char *value, rs_error *error)
{
    (void)value, (void)error;
    c->help = true;
    return RS_OK;
}

static const struct {
    const char *name, *value, *help;
    rs_status (*take)(command *c, const char *value, rs_error *error);
} options[] = {
    {"--set", "KEY=VALUES", "replace the values of an option; commas make several, as in depth=18,34",
     take_set},
    {"--seeds", "LIST", "replace the seeds: 1,2,5 or 1..5", take_seeds},
    {"--case", "LIST", "only these cases", take_case},
    {"--out-dir", "DIR", "records go to DIR/STUDY/ (default: runs)", take_out_dir},
    {"--jobs", "N", "N runs at a time, each with its share of the cores and a .log beside its record",
     take_jobs},
    {"--shard", "I/N",
     "only the I-th of N parts, as for task I of a job array; what depends on each other stays together",
     take_shard},
    {"--retry", "N",
     "begin a run that failed again, N times at most; not after bad usage, bad data or divergence",
     take_retry},
    {"--turns", "N", "at most N turns of a stage that is repeated", take_turns},
    {"--dry-run", "", "list the runs and what is done, train nothing", take_list},
    {"--list", "", "as --dry-run", take_list},
    {"--aggregate-only", "", "train nothing; sum up what is whole", take_aggregate_only},
    {"--keep-going", "", "go on after a failure (the default)", take_keep_going},
    {"--fail-fast", "", "end the study at the first failure", take_fail_fast},
    {"--quiet", "", "print nothing but errors", take_quiet},
    {"--help", "", "print this", take_help},
};
enum { OPTIONS = sizeof options / sizeof options[0] };

static rs_status unknown_option(const char *text, rs_error *error)
{
    const char *names[OPTIONS];
    char word[80];
    size_t count;
    const rs_option *table = rs_option_table(&count);
    (void)snprintf(word, sizeof word, "%.*s", (int)strcspn(text, "="), text);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(word, "-h") != 0 && strcmp(word + strspn(word, "-"), table[i].name) == 0) {
            return RS_FAIL(error, RS_USAGE, "%s: in a study it is written --set %s=VALUE", word,
                           table[i].name);
        }
    }
    for (int i = 0; i < OPTIONS; i++) {
        names[i] = options[i].name;
    }
    const char *nearest = rs_text_nearest(word, names, OPTIONS);
    return RS_FAIL(error, RS_USAGE, "%s: unknown option of run%s%s; resnet_study run --help lists them", word,
                   nearest ? "; nearest " : "", nearest ? nearest : "");
}

/* "--name value" or "--name=value" at argv[*i]. */
static rs_status take_option(command *c, int argc, char **argv, int *i, rs_error *error)
{
    const char *text = argv[*i];
    size_t length = strcspn(text, "=");
    int which = 0;
    while (which < OPTIONS &&
           !(strlen(options[which].name) == length && strncmp(options[which].name, text, length) == 0)) {
        which++;
    }
    if (which == OPTIONS) {
        return unknown_option(text, error);
    }
    const char *value = text[length] == '=' ? text + length + 1 : NULL;
    if (!*options[which].value) {
        return value ? RS_FAIL(error, RS_USAGE, "%s: takes no value; it stands alone", options[which].name)
                     : options[which].take(c, "", error);
    }
    if (!value && *i + 1 < argc && strncmp(argv[*i + 1], "--", 2) != 0) {
        value = argv[++*i];
    }
    return value ? options[which].take(c, value, error)
                 : RS_FAIL(error, RS_USAGE, "%s: its value %s is missing", options[which].name,
                           options[which].value);
}

static rs_status parse(command *c, int argc, char **argv, rs_error *error)
{
    *c = (command){.out_dir = "runs", .options = {.jobs = 1}};
    for (int i = 1; i < argc && !c->help; i++) {
        if (strcmp(argv[i], "-h") == 0) {
            c->help = true;
        } else if (argv[i][0] == '-') {
            RS_TRY(take_option(c, argc, argv, &i, error));
        } else if (c->path) {
            return RS_FAIL(error, RS_USAGE, "%.100s: a second study file; one at a time", argv[i]);
        } else {
            c->path = argv[i];
        }
    }
    return c->help || c->path ? RS_OK
                              : RS_FAIL(error, RS_USAGE,
                                        "which study? as in: resnet_study run "
                                        "experiments/minkowski_even.yaml --dry-run");
}

static void print_lists(void)
{
    size_t count;
    const rs_option *table = rs_option_table(&count);
    const char *between = "";
    for (size_t i = 0; i < count; i++) {
        if (rs_study_value_is_list(&table[i]) && table[i].scope == RS_SCOPE_RESULT) {
            (void)printf("%s%s", between, table[i].name);
            between = ", ";
        }
    }
    (void)printf("\n");
}

static void print_examples(void)
{
    (void)printf(
        "\nExamples:\n"
        "  resnet_study run experiments/minkowski_even.yaml --dry-run\n"
        "      the runs of a study, and which are done\n"
        "  resnet_study run experiments/minkowski_even.yaml --set dataset=cifar10 --set depth=18,34\n"
        "      a part of it\n"
        "  resnet_study run experiments/learning_rates.yaml --seeds 1..3 --jobs 2\n"
        "      three seeds, two runs at a time\n"
        "  resnet_study run experiments/mnist_cnns.yaml --set train-limit=2000 --set epochs=2 --out-dir "
        "small\n"
        "      the same on less, into a folder of its own\n"
        "\n");
}

static void print_help(void)
{
    (void)printf(
        "Usage: resnet_study run STUDY.yaml [OPTIONS]\n\n"
        "Runs every case of a study, grid and seeds, each recorded in DIR/STUDY/NAME-HASH.h5. What is\n"
        "done already is skipped, what was cut off goes on where it ended. Ctrl-C and SIGTERM reach\n"
        "the runs, which commit and can be gone on with by the same command.\n\n");
    for (int i = 0; i < OPTIONS; i++) {
        char head[40];
        (void)snprintf(head, sizeof head, "%s%s%s", options[i].name, *options[i].value ? " " : "",
                       options[i].value);
        (void)printf("  %-24s %s\n", head, options[i].help);
    }
    (void)printf(
        "\nAfterwards what is whole is summed up over its seeds: DIR/STUDY_summary.h5 and .csv. Of a part\n"
        "(--case, --seeds, --shard, --turns, --set of what changes results) the file's name says which:\n"
        "STUDY.case=NAME_summary.csv; the summary of the whole study stays as it is.\n"
        "The first --set of an option replaces what the study says of it; another adds values. Options\n"
        "that may hold commas take one value per --set:\n");
    print_lists();
    print_examples();
    (void)printf(
        "Exit status: 0 all done; 1 at least one run failed; 2 bad usage or study; 130, 143 interrupted.\n");
}

/* --- doing -----------------------------------------------------------------------------------------------
 */

static void print_list(const rs_study *study, rs_study_run *runs, int count)
{
    int digits = snprintf(NULL, 0, "%d", count);
    (void)printf("%s: %d run%s\n", study->name, count, count == 1 ? "" : "s");
    for (int i = 0; i < count; i++) {
        char state[64];
        rs_study_examine(&runs[i]);
        if (runs[i].state == RS_STUDY_RESUMABLE) {
            (void)snprintf(state, sizeof state, "%" PRId64 "/%" PRId64 " epochs", runs[i].epochs_done,
                           runs[i].config.epochs);
        } else {
            (void)snprintf(state, sizeof state, "%s",
                           runs[i].state == RS_STUDY_SKIPPED  ? "done"
                           : runs[i].state == RS_STUDY_FAILED ? "failed"
                                                              : "new");
        }
        (void)printf("[%*d/%d] %-12s %s%s%s%s%s%s\n", digits, i + 1, count, state, runs[i].config.out,
                     *runs[i].label ? "  (" : "", runs[i].label, *runs[i].label ? ")" : "",
                     *runs[i].message ? "  " : "", runs[i].message);
    }
}

static bool changes_results(const char *key)
{
    size_t count;
    const rs_option *table = rs_option_table(&count);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(table[i].name, key) == 0) {
            return table[i].scope == RS_SCOPE_RESULT;
        }
    }
    return false;
}

/* Appends "KEY=VALUE" behind a newline, in characters that every file system takes; the hash goes over all. */
static void add_part(char *parts, size_t capacity, const char *key, const char *value, uint64_t *hash)
{
    char piece[2 * RS_TEXT_MAX];
    size_t length = strlen(parts);
    (void)snprintf(piece, sizeof piece, "%s%s=%s", length ? "." : "", key, value);
    *hash = *hash * 31 + rs_hash64(piece);
    for (char *c = piece; *c; c++) {
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.=_-", *c)) {
            *c = *c == ',' ? '+' : '-';
        }
    }
    (void)snprintf(parts + length, capacity - length, "%s%s", length ? "\n" : "", piece + (length ? 1 : 0));
}

enum { READABLE = 72, HASH = 9 };

/* Whether the line at `piece` has room in `name`, behind a dot; then it stands there. */
static bool append_piece(char name[READABLE + 1], size_t room, const char *piece)
{
    const size_t length = strlen(name), more = strcspn(piece, "\n") + (length ? 1 : 0);
    if (length + more > room) {
        return false;
    }
    (void)snprintf(name + length, READABLE + 1 - length, "%s%.*s", length ? "." : "",
                   (int)strcspn(piece, "\n"), piece);
    return true;
}

/* The first pieces that have room beside a hash, none of them cut, and the seeds where they are short. */
static void shorten(const char *parts, char name[READABLE + 1])
{
    size_t room = READABLE - HASH;
    const char *seeds = strncmp(parts, "seeds=", 6) == 0 ? parts : strstr(parts, "\nseeds=");
    seeds += seeds && *seeds == '\n' ? 1 : 0;
    const size_t kept = seeds ? strcspn(seeds, "\n") + 1 : 0;
    seeds = kept > 0 && kept <= READABLE / 2 ? seeds : NULL;
    room -= seeds ? kept : 0;
    bool fits = true;
    for (const char *piece = parts; fits && *piece; piece += strcspn(piece, "\n"), piece += *piece == '\n') {
        fits = piece == seeds || append_piece(name, room, piece);
    }
    if (seeds) {
        (void)append_piece(name, READABLE - HASH, seeds);
    }
}

/* Names what the command line takes of the study, so that the summary of a part does not replace that of the whole. */
static void name_part(const command *c, char *part, size_t capacity)
{
    char parts[8 * RS_TEXT_MAX] = "", number[32], name[READABLE + 1] = "";
    uint64_t hash = 0;
    if (c->cases) {
        add_part(parts, sizeof parts, "case", c->cases, &hash);
    }
    for (int i = 0; i < c->override_count; i++) {
        const rs_study_override *o = &c->overrides[i];
        if (changes_results(o->key)) {
            add_part(parts, sizeof parts, o->ranges ? "seeds" : o->key, o->value, &hash);
        }
    }
    if (c->turns) {
        (void)snprintf(number, sizeof number, "%d", c->turns);
        add_part(parts, sizeof parts, "turns", number, &hash);
    }
    if (c->shards) {
        (void)snprintf(number, sizeof number, "%d-of-%d", c->shard, c->shards);
        add_part(parts, sizeof parts, "shard", number, &hash);
    }
    if (strlen(parts) <= READABLE) {
        (void)snprintf(part, capacity, "%s", parts);
        for (char *at = strchr(part, '\n'); at; at = strchr(at, '\n')) {
            *at = '.';
        }
    } else {
        shorten(parts, name);
        (void)snprintf(part, capacity, "%s%s%08x", name, *name ? "-" : "",
                       (unsigned)(uint32_t)(hash ^ hash >> 32));
    }
}

static rs_status run_study(const command *c, int *exit_status, rs_error *error)
{
    rs_study study;
    rs_study_run *runs = NULL;
    int count = 0;
    rs_status status = rs_study_read(&study, c->path, c->overrides, c->override_count, error);
    study.most_turns = c->turns;
    name_part(c, study.part, sizeof study.part);
    status = status || !c->cases ? status : rs_study_take_cases(&study, c->cases, error);
    status = status ? status : rs_study_expand(&study, c->out_dir, &runs, &count, error);
    if (!status && c->shards) {
        rs_study_take_shard(runs, &count, c->shard - 1, c->shards);
    }
    if (!status && count == 0) {
        (void)printf("%s: no runs in part %d of %d\n", study.name, c->shard, c->shards);
    } else if (!status && c->list) {
        print_list(&study, runs, count);
    } else if (!status) {
        if (!c->aggregate_only) {
            *exit_status = rs_study_run_all(study.name, runs, count, &c->options);
        }
        /* a part would leave out the others; whoever interrupts wants an end */
        bool sums = c->aggregate_only || (!c->shards && *exit_status < 128);
        status = !sums ? RS_OK : rs_study_aggregate(&study, c->out_dir, runs, count, c->options.quiet, error);
    }
    rs_free(runs);
    rs_study_clear(&study);
    return status;
}

int rs_command_run(int argc, char **argv)
{
    command c;
    rs_error error = {0};
    int exit_status = 0;
    rs_status status = parse(&c, argc, argv, &error);
    if (!status && c.help) {
        print_help();
        return 0;
    }
    if (!status) {
        rs_log_set_level(c.options.quiet ? RS_LOG_ERROR : RS_LOG_INFO);
        status = run_study(&c, &exit_status, &error);
    }
    if (status) {
        rs_log(RS_LOG_ERROR, "%s", error.text);
        return rs_status_exit_code(status);
    }
    return exit_status;
}
