/* inputs.c: which files the arguments mean: records, folders of them, a study by its summary. */
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "report.h"
#include "rs/host.h"

static const char summary_ending[] = "_summary.h5";

rs_status rs__report_add_text(rs__texts *texts, const char *text, rs_error *error)
{
    if (texts->count == texts->capacity) {
        int capacity = texts->capacity ? 2 * texts->capacity : 16;
        char **grown = rs_alloc_array((size_t)capacity, sizeof *grown);
        if (!grown) {
            return RS_FAIL(error, RS_MEMORY, "no memory for a list of %d texts", capacity);
        }
        for (int i = 0; i < texts->count; i++) {
            grown[i] = texts->list[i];
        }
        rs_free(texts->list);
        texts->list = grown;
        texts->capacity = capacity;
    }
    char *copy = rs_strdup(text);
    if (!copy) {
        return RS_FAIL(error, RS_MEMORY, "no memory for a text");
    }
    texts->list[texts->count++] = copy;
    return RS_OK;
}

void rs__report_clear_texts(rs__texts *texts)
{
    for (int i = 0; i < texts->count; i++) {
        rs_free(texts->list[i]);
    }
    rs_free(texts->list);
    *texts = (rs__texts){0};
}

static bool has(const rs__texts *texts, const char *text)
{
    for (int i = 0; i < texts->count; i++) {
        if (strcmp(texts->list[i], text) == 0) {
            return true;
        }
    }
    return false;
}

static bool ends(const char *text, const char *ending)
{
    size_t length = strlen(text), end = strlen(ending);
    return length > end && strcmp(text + length - end, ending) == 0;
}

static bool is_folder(const char *path)
{
    struct stat about;
    return stat(path, &about) == 0 && S_ISDIR(about.st_mode);
}

static rs_status add_once(rs__texts *texts, const char *path, rs_error *error)
{
    return has(texts, path) ? RS_OK : rs__report_add_text(texts, path, error);
}

/* Records lie in files *.h5; summaries of studies lie beside their folders. */
static int wanted(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && ends(entry->d_name, ".h5") && !ends(entry->d_name, summary_ending);
}

static rs_status add_entries(rs__inputs *inputs, const char *folder, struct dirent **entries, int count,
                             rs_error *error)
{
    for (int i = 0; i < count; i++) {
        char path[RS_TEXT_MAX + 256];
        (void)snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        if (!has(&inputs->given, path)) {
            RS_TRY(add_once(&inputs->found, path, error));
        }
    }
    return RS_OK;
}

static rs_status add_folder(rs__inputs *inputs, const char *folder, rs_error *error)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, wanted, alphasort);
    rs_status status = count < 0    ? RS_FAIL(error, RS_DATA, "%s cannot be read", folder)
                       : count == 0 ? RS_FAIL(error, RS_DATA,
                                              "%s holds no records (files *.h5); give a study's own folder, "
                                              "runs/STUDY, or records",
                                              folder)
                                    : add_entries(inputs, folder, entries, count, error);
    for (int i = 0; i < count; i++) {
        free(entries[i]);
    }
    free(entries);
    return status;
}

/* "runs/x/" -> "runs/x" and, where that is a file, its summary "runs/x_summary.h5". */
static rs_status add_study_folder(rs__inputs *inputs, const char *argument, rs_error *error)
{
    char folder[RS_TEXT_MAX], summary[RS_TEXT_MAX + 32];
    struct stat about;
    (void)snprintf(folder, sizeof folder, "%s", argument);
    for (size_t end = strlen(folder); end > 1 && folder[end - 1] == '/'; end--) {
        folder[end - 1] = '\0';
    }
    (void)snprintf(summary, sizeof summary, "%s%s", folder, summary_ending);
    if (stat(summary, &about) == 0) {
        RS_TRY(add_once(&inputs->summaries, summary, error));
    }
    return add_folder(inputs, folder, error);
}

/* "runs/STUDY_summary.h5", also of a part, "runs/STUDY.case=nn_summary.h5" -> "runs/STUDY". */
static rs_status add_summary(rs__inputs *inputs, const char *path, rs_error *error)
{
    char folder[RS_TEXT_MAX];
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strlen(path) - strlen(summary_ending)), path);
    char *slash = strrchr(folder, '/'), *dot = strchr(slash ? slash : folder, '.');
    if (!is_folder(folder) && dot) {
        *dot = '\0';
    }
    if (!is_folder(folder)) {
        return RS_FAIL(error, RS_DATA, "%s is a study's summary, but its records are not beside it, in %s/",
                       path, folder);
    }
    RS_TRY(add_once(&inputs->summaries, path, error));
    return add_folder(inputs, folder, error);
}

/* The last part of a folder's path, where all is in that folder. */
static void name_inputs(rs__inputs *inputs)
{
    const char *first = inputs->found.count > 0 ? inputs->found.list[0] : "";
    const char *end = strrchr(first, '/'), *start = end;
    while (start && start > first && start[-1] != '/') {
        start--;
    }
    bool one = end && end > start && inputs->given.count == 0;
    for (int i = 1; one && i < inputs->found.count; i++) {
        const char *other = strrchr(inputs->found.list[i], '/');
        one = other && other - inputs->found.list[i] == end - first &&
              strncmp(inputs->found.list[i], first, (size_t)(end - first)) == 0;
    }
    if (one && strncmp(start, ".", 1) != 0) {
        (void)snprintf(inputs->name, sizeof inputs->name, "%.*s", (int)(end - start), start);
    }
}

rs_status rs__report_find_inputs(rs__inputs *inputs, const char *const *arguments, int count, rs_error *error)
{
    for (int i = 0; i < count; i++) {
        if (strlen(arguments[i]) >= RS_TEXT_MAX) {
            return RS_FAIL(error, RS_DATA, "a path is too long: %.60s...", arguments[i]);
        }
        if (is_folder(arguments[i])) {
            RS_TRY(add_study_folder(inputs, arguments[i], error));
        } else if (ends(arguments[i], summary_ending)) {
            RS_TRY(add_summary(inputs, arguments[i], error));
        } else {
            RS_TRY(add_once(&inputs->given, arguments[i], error));
        }
    }
    name_inputs(inputs);
    return RS_OK;
}

void rs__report_clear_inputs(rs__inputs *inputs)
{
    rs__report_clear_texts(&inputs->given);
    rs__report_clear_texts(&inputs->found);
    rs__report_clear_texts(&inputs->summaries);
}
