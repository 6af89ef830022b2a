/* results.c: what `export` writes of such a record, in every format, and what `analyze` computes of its snapshots. */
#include "bases.h"
#include "fuzz.h"
#include "rs/analyze.h"
#include "rs/inspect.h"

#include <stdlib.h>
#include <string.h>

enum { WORDS = 8, TEXT = 160 };

static const struct {
    int (*run)(int argc, char **argv);
    const char *words[WORDS + 1]; /* RECORD, FOLDER and FILE, in the folder, stand for paths */
} commands[] = {
    {rs_command_export, {"export", "RECORD", "--overwrite", "--format", "csv,json,yaml", "-o", "FOLDER"}},
    {rs_command_export,
     {"export", "RECORD", "--overwrite", "--format", "safetensors,npy", "--gradients", "-o", "FOLDER"}},
    {rs_command_analyze, {"analyze", "pca", "RECORD", "--overwrite", "-o", "FILE"}},
    {rs_command_analyze, {"analyze", "distances", "RECORD", "--overwrite", "-o", "FILE"}},
};
enum { COMMANDS = sizeof commands / sizeof commands[0] };

/* What the commands say is not looked at: their exit statuses are. */
static void be_silent(void)
{
    static bool silent;
    if (!silent) {
        silent = freopen("/dev/null", "w", stdout) != NULL;
        RS_ASSERT(silent);
    }
}

static bool succeeds(int number, const char *record)
{
    char words[WORDS][TEXT], *arguments[WORDS + 1] = {NULL};
    int count = 0;
    for (; count < WORDS && commands[number].words[count]; count++) {
        const char *word = commands[number].words[count];
        (void)snprintf(words[count], TEXT, "%s%s",
                       strcmp(word, "RECORD") == 0                                ? record
                       : strcmp(word, "FOLDER") == 0 || strcmp(word, "FILE") == 0 ? rs_fuzz_folder()
                                                                                  : word,
                       strcmp(word, "FILE") == 0 ? "/result.h5" : "");
        arguments[count] = words[count];
    }
    const int status = commands[number].run(count, arguments);
    RS_ASSERT(status >= 0 && status <= 3);
    return status == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    be_silent();
    const char *path = rs_fuzz_edited(data, size);
    bool good = false;
    for (int i = 0; i < COMMANDS; i++) {
        if (rs_fuzz_thorough || data[0] / 16 % COMMANDS == i) {
            good = succeeds(i, path) || good;
        }
    }
    if (good) {
        rs_fuzz_accept();
    }
    return 0;
}
