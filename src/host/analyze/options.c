/* options.c: see options.h. */
#include "options.h"

#include <stddef.h>
#include <string.h>

#include "rs/text.h"

static const rs__kind kinds[] = {
    {"pca", "RUN.h5...", "principal components of the weights of all snapshots of all runs together", "all",
     rs__analyze_pca},
    {"interpolate", "A.h5 B.h5", "loss and accuracy along the line between two states", "last",
     rs__analyze_interpolate},
    {"distances", "RUN.h5...", "how far blocks moved, from the snapshots, by any metric", "all",
     rs__analyze_distances},
    {"hessian", "RUN.h5...", "second derivatives: signs and eigenvalues, or both ends of the spectrum",
     "last", rs__analyze_hessian},
    {"sensitivity", "RUN.h5...", "norm of the gradient of the loss by the input", "last",
     rs__analyze_sensitivity},
    {"predict", "RUN.h5...", "what the network gives for every sample, beside what it should", "last",
     rs__analyze_predict},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

typedef enum value_type { NOTHING, TEXT, CHOICE, INTEGER, REAL } value_type;

typedef struct option {
    const char *name, *value, *help;
    const char *kinds; /* that have it, NULL: all */
    value_type type;
    size_t offset;
    const char *allowed; /* CHOICE: the words; checked by what follows */
    int64_t least;       /* INTEGER */
} option;

#define AT(field) offsetof(rs__command, field)

static const option options[] = {
    {"--layer", "GLOBS",
     "only these parameters, as in fc1.weight,layer1.* (default: all, without classifiers beside the "
     "network)",
     "pca distances hessian", TEXT, AT(analysis.layer), NULL, 0},
    {"--metric", "LIST",
     "distances: minkowski:P euclidean manhattan chebyshev cosine correlation (default: the run's)",
     "distances", TEXT, AT(analysis.metric), NULL, 0},
    {"--points", "LIST",
     "numbers and ranges FROM..TO/COUNT, as in 0..10/100,-0.5..1.5/41 (default: -0.5..1.5/41)", "interpolate",
     TEXT, AT(analysis.points), NULL, 0},
    {"--bn", "HOW",
     "statistics of batch norm: interpolate (default): as the weights are; estimate: from the training "
     "samples at every point; "
     "of hessian: running (default), or batch: those of each batch",
     "interpolate hessian", CHOICE, AT(analysis.statistics), "interpolate|estimate|running|batch", 0},
    {"--method", "HOW", "auto (default): exact up to 2500 weights; exact; lanczos", "hessian", CHOICE,
     AT(analysis.method), "auto|exact|lanczos", 0},
    {"--eigenvalues", "N", "how many at each end of the spectrum by Lanczos (default: 5)", "hessian", INTEGER,
     AT(analysis.eigenvalues), NULL, 1},
    {"--iterations", "N", "products that Lanczos takes at most (default: 200)", "hessian", INTEGER,
     AT(analysis.iterations), NULL, 1},
    {"--tolerance", "R", "residual over the largest eigenvalue at which Lanczos ends (default: 1e-6)",
     "hessian", REAL, AT(analysis.tolerance), NULL, 0},
    {"--seed", "N", "of Lanczos' first direction (default: 1)", "hessian", INTEGER, AT(analysis.seed), NULL,
     0},
    {"--labels", "WHOSE", "true, predicted (default: the network's own), or both, added", "sensitivity",
     CHOICE, AT(analysis.labels), "true|predicted|both", 0},
    {"--split", "NAME", "train (default; of predict: test), valid or test", "hessian sensitivity predict",
     CHOICE, AT(analysis.split), "train|valid|test", 0},
    {"--samples", "N", "only the first N samples of a split (default: all)",
     "interpolate hessian sensitivity predict", INTEGER, AT(analysis.samples), NULL, 1},
    {"--batch-size", "N", "samples of a batch, 0: all (default: the run's)",
     "interpolate hessian sensitivity predict", INTEGER, AT(analysis.batch_size), NULL, 0},
    {"--device", "D", "auto (default), cpu, cuda, cuda:N or ref; hessian always runs on the CPU in double",
     "interpolate sensitivity predict", TEXT, AT(analysis.device), NULL, 0},
    {"--threads", "N", "CPU threads (default: one per core)", "interpolate hessian sensitivity predict", TEXT,
     AT(analysis.threads), NULL, 0},
    {"--data-dir", "DIR", "where data sets lie (default: as the run says)",
     "interpolate hessian sensitivity predict", TEXT, AT(analysis.data_dir), NULL, 0},
    {"--no-download", "", "never fetch a missing data set", "interpolate hessian sensitivity predict",
     NOTHING, AT(analysis.no_download), NULL, 0},
    {"-o", "FILE.h5", "the result (default: the first run's name with .KIND.h5)", NULL, TEXT, AT(out), NULL,
     0},
    {"--out", "FILE.h5", "the same", NULL, TEXT, AT(out), NULL, 0},
    {"--overwrite", "", "replace an existing result", NULL, NOTHING, AT(overwrite), NULL, 0},
    {"--help", "", "print this", NULL, NOTHING, AT(help), NULL, 0},
};
enum { INDENT = 6 };
enum { OPTIONS = sizeof options / sizeof options[0] };

const rs__kind *rs__kind_at(int index)
{
    return index < KINDS ? &kinds[index] : NULL;
}

/* Whether `word` of `length` is one of `words`, which `separator` stands between. */
static bool among(const char *words, char separator, const char *word, size_t length)
{
    for (const char *at = words; at; at = strchr(at, separator)) {
        at += *at == separator;
        if (strncmp(at, word, length) == 0 && (at[length] == separator || at[length] == '\0')) {
            return true;
        }
    }
    return false;
}

static rs_status find_kind(rs__command *c, const char *word, rs_error *error)
{
    const char *names[KINDS];
    for (int i = 0; i < KINDS; i++) {
        names[i] = kinds[i].name;
        if (strcmp(word, names[i]) == 0) {
            c->kind = &kinds[i];
            c->analysis.kind = names[i];
            return RS_OK;
        }
    }
    const char *nearest = rs_text_nearest(word, names, KINDS);
    return RS_FAIL(
        error, RS_USAGE,
        "%s: no kind of analysis; there are pca, interpolate, distances, hessian, sensitivity, predict%s%s",
        word, nearest ? "; nearest " : "", nearest ? nearest : "");
}

static rs_status find_option(const char *text, size_t length, const option **found, rs_error *error)
{
    const char *names[OPTIONS];
    char word[80];
    for (int i = 0; i < OPTIONS; i++) {
        names[i] = options[i].name;
        if (strlen(names[i]) == length && strncmp(names[i], text, length) == 0) {
            *found = &options[i];
            return RS_OK;
        }
    }
    (void)snprintf(word, sizeof word, "%.*s", (int)length, text);
    const char *nearest = rs_text_nearest(word, names, OPTIONS);
    return RS_FAIL(error, RS_USAGE,
                   "%s: unknown option of analyze%s%s; resnet_study analyze --help lists them", word,
                   nearest ? "; nearest " : "", nearest ? nearest : "");
}

static rs_status take_number(const option *o, const char *value, void *field, rs_error *error)
{
    if (o->type == REAL) {
        double *real = field;
        return rs_text_real(value, real) && *real > 0.0
                   ? RS_OK
                   : RS_FAIL(error, RS_USAGE, "%s %.60s: not a number above 0", o->name, value);
    }
    int64_t *integer = field;
    return rs_text_int(value, integer) && *integer >= o->least && *integer <= INT32_MAX
               ? RS_OK
               : RS_FAIL(error, RS_USAGE, "%s %.60s: not a whole number from %lld on", o->name, value,
                         (long long)o->least);
}

static rs_status take_value(rs__command *c, const option *o, const char *value, rs_error *error)
{
    void *field = (char *)c + o->offset;
    if (o->type == NOTHING) {
        *(bool *)field = true;
        return RS_OK;
    }
    if (o->type == INTEGER || o->type == REAL) {
        return take_number(o, value, field, error);
    }
    if (*value == '\0' || (o->type == CHOICE && !among(o->allowed, '|', value, strlen(value)))) {
        return RS_FAIL(error, RS_USAGE, "%s %.60s: must be %s", o->name, value,
                       o->allowed ? o->allowed : o->value);
    }
    *(const char **)field = value;
    return RS_OK;
}

/* "--name value" or "--name=value" at argv[*i]. */
static rs_status take_option(rs__command *c, int argc, char **argv, int *i, rs_error *error)
{
    const char *text = strcmp(argv[*i], "-h") == 0 ? "--help" : argv[*i];
    const size_t length = strcspn(text, "=");
    const option *o = NULL;
    RS_TRY(find_option(text, length, &o, error));
    if (o->type != NOTHING && text[length] == '\0' && *i + 1 == argc) {
        return RS_FAIL(error, RS_USAGE, "%s needs %s", o->name, o->value);
    }
    if (o->type == NOTHING && text[length] != '\0') {
        return RS_FAIL(error, RS_USAGE, "%s takes no value", o->name);
    }
    if (o->kinds && c->kind && !among(o->kinds, ' ', c->kind->name, strlen(c->kind->name))) {
        return RS_FAIL(error, RS_USAGE, "%s is no option of %s, but of: %s", o->name, c->kind->name,
                       o->kinds);
    }
    const char *value = o->type == NOTHING ? "" : text[length] ? text + length + 1 : argv[++*i];
    return take_value(c, o, value, error);
}

/* The words of --bn are each of one kind alone. */
static rs_status check_statistics(const rs__command *c, rs_error *error)
{
    const bool hessian = strcmp(c->kind->name, "hessian") == 0;
    const char *allowed = hessian ? "running|batch" : "interpolate|estimate";
    const char *given = c->analysis.statistics;
    return !given || among(allowed, '|', given, strlen(given))
               ? RS_OK
               : RS_FAIL(error, RS_USAGE, "--bn %s: must be %s for %s", given, allowed, c->kind->name);
}

rs_status rs__analyze_parse(rs__command *c, int argc, char **argv, rs_error *error)
{
    c->analysis.batch_size = -1;
    c->analysis.eigenvalues = 5;
    c->analysis.iterations = 200;
    c->analysis.tolerance = 1e-6;
    c->analysis.seed = 1;
    for (int i = 1; i < argc && !c->help; i++) {
        if (argv[i][0] == '-' && argv[i][1] != '\0') {
            RS_TRY(take_option(c, argc, argv, &i, error));
        } else if (!c->kind) {
            RS_TRY(find_kind(c, argv[i], error));
        } else {
            c->arguments[c->argument_count++] = argv[i];
        }
    }
    if (c->help) {
        return RS_OK;
    }
    if (!c->kind || c->argument_count == 0) {
        return RS_FAIL(error, RS_USAGE, "%s; see resnet_study analyze --help",
                       c->kind ? "which runs? RUN.h5 is missing"
                               : "which kind? pca, interpolate, distances, hessian, sensitivity, predict");
    }
    return check_statistics(c, error);
}

static void print_options(FILE *stream)
{
    for (int i = 0; i < OPTIONS; i++) {
        const option *o = &options[i];
        const char *value = o->type == CHOICE ? o->allowed : o->value;
        (void)fprintf(stream, "  %s%s%s\n", o->name, *value ? " " : "", value);
        rs_text_print_wrapped(stream, o->help, 0, INDENT);
        if (o->kinds) {
            (void)fprintf(stream, "      [%s]\n", o->kinds);
        }
    }
}

void rs__analyze_help(FILE *stream)
{
    (void)fputs(
        "usage: resnet_study analyze KIND RUN.h5[@SNAPSHOT]... [OPTIONS]\n\n"
        "Computes something from finished runs, prints a table and writes an HDF5 file with all numbers,\n"
        "their units and where they come from. SNAPSHOT is last, a number from 0, a range as in 1..8, or\n"
        "all.\n\nKinds:\n",
        stream);
    for (int i = 0; i < KINDS; i++) {
        (void)fprintf(stream, "  %s %s\n      %s (without @: %s)\n", kinds[i].name, kinds[i].arguments,
                      kinds[i].summary, kinds[i].snapshots);
    }
    (void)fputs("\nOptions, with the kinds that have them:\n", stream);
    print_options(stream);
    (void)fputs(
        "\nExamples:\n"
        "  resnet_study analyze pca runs/mlp/*.h5 --layer fc1.weight -o fc1.h5\n"
        "      tracks of several runs in one plane, of the first layer's weights without its bias\n"
        "  resnet_study analyze interpolate large.h5 small.h5 --points 0..10/100,-0.5..1.5/41\n"
        "      the loss between, and beyond, two trained states\n"
        "  resnet_study analyze hessian fit.h5@all\n"
        "      after every recorded epoch all eigenvalues, and the signs of the second derivatives;\n"
        "      ratio is the share of positive ones: zero, as of a unit that no sample reaches, is not\n"
        "  resnet_study analyze hessian resnet.h5 --samples 512 --bn batch --iterations 60\n"
        "      both ends of the spectrum of a network with many weights\n"
        "  resnet_study analyze distances run.h5 --metric cosine,chebyshev\n"
        "      what training did not measure, from its snapshots\n"
        "  resnet_study analyze predict fit.h5@all\n"
        "      how the network's curve came nearer to the function, at every snapshot\n",
        stream);
}
