/* acquire.c: from a source to files in place; see acquire.h.
 *
 *   DIR/.NAME.fetch/           work folder: downloads and their .part, and the lock of this set
 *   DIR/.NAME.fetch/files/     candidates: emptied first; checked; then renamed to
 *   DIR/<first folder of the set>/
 *
 * So a set is either as it was or whole and checked, wherever the program is stopped. */
#include "acquire.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "download.h"
#include "extract.h"
#include "folder.h"
#include "load.h"
#include "locate.h"
#include "rs/host.h"
#include "rs/text.h"

enum { MOST_URLS = 8, URL_MAX = 1024, STALL_SECONDS = 30 };
static const double retry_seconds = 1.0;

typedef struct fetching {
    const rs__set *set;
    const rs__acquire_options *options;
    char directory[PATH_MAX], work[PATH_MAX], files[PATH_MAX];
} fetching;

static bool is_url(const char *text)
{
    return strstr(text, "://") != NULL;
}

/* BASE/FOLDER FILE; with `folder` NULL: BASE as it is. */
static rs_status join_url(char *url, const char *base, const char *folder, const char *file, rs_error *error)
{
    bool slash = folder && !(*base && base[strlen(base) - 1] == '/');
    int length = snprintf(url, URL_MAX, "%s%s%s%s", base, slash ? "/" : "", folder ? folder : "", file);
    return length > 0 && length < URL_MAX ? RS_OK : RS_FAIL(error, RS_USAGE, "URL too long: %.200s...", base);
}

/* Data files are candidates as they are; an archive gives its files. */
static rs_status take_file(const fetching *job, const char *path, const char *name, rs_error *error)
{
    char to[PATH_MAX];
    if (!rs__locate_is_file(job->set, name)) {
        RS_TRY(rs__extract(path, job->set, job->files, error));
        (void)rs_files()->unlink(path);
        return RS_OK;
    }
    RS_TRY(rs__path_join(to, sizeof to, job->files, name, error));
    return rs__rename(path, to, error);
}

static rs_status download_item(const fetching *job, const rs__download_item *item, const char *const *urls,
                               rs_error *error)
{
    char path[PATH_MAX];
    rs_error ignored;
    const rs__acquire_options *options = job->options;
    RS_TRY(rs__path_join(path, sizeof path, job->work, item->file, error));
    const rs__download order = {
        .urls = urls,
        .path = path,
        .expected = item,
        .progress = options->progress,
        .retry_seconds = options->retry_seconds > 0.0 ? options->retry_seconds : retry_seconds,
        .stall_seconds = options->stall_seconds ? options->stall_seconds : STALL_SECONDS,
        .stop = options->stop};
    if (rs__download_check(path, item, &ignored) != RS_OK) { /* else: left by a kill */
        RS_TRY(rs__download_run(&order, error));
    }
    return take_file(job, path, item->file, error);
}

/* Every official file, from each of the base URLs in turn. `folder` of the mirror is the set's name. */
static rs_status download_official(const fetching *job, rs_error *error)
{
    const rs__set *set = job->set;
    const char *mirror = getenv("RS_DATA_MIRROR");
    char folder[64];
    (void)snprintf(folder, sizeof folder, "%s/", set->name);
    for (int i = 0; i < set->download_count; i++) {
        char url[MOST_URLS][URL_MAX];
        const char *urls[MOST_URLS + 1] = {NULL};
        int count = 0;
        if (mirror && *mirror) {
            RS_TRY(join_url(url[count++], mirror, folder, set->downloads[i].file, error));
        }
        for (int b = 0; set->bases[b] && count < MOST_URLS; b++) {
            RS_TRY(join_url(url[count++], set->bases[b], "", set->downloads[i].file, error));
        }
        for (int u = 0; u < count; u++) {
            urls[u] = url[u];
        }
        RS_TRY(download_item(job, &set->downloads[i], urls, error));
    }
    return RS_OK;
}

static bool is_official_name(const rs__set *set, const char *name)
{
    for (int i = 0; i < set->download_count; i++) {
        if (strcmp(set->downloads[i].file, name) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_archive_name(const char *name)
{
    static const char *const ends[] = {".tar.gz", ".tgz", ".tar", ".zip"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t tail = strlen(ends[i]);
        if (length > tail && strcasecmp(name + length - tail, ends[i]) == 0) {
            return true;
        }
    }
    return false;
}

static rs_status check_scheme(const char *url, rs_error *error)
{
    static const char *const schemes[] = {"https://", "http://", "file://"};
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0) {
            return RS_OK;
        }
    }
    return RS_FAIL(error, RS_USAGE, "--from %.200s: a URL begins with https://, http:// or file://", url);
}

/* A URL given by the user: of the official archive, whatever it is called there; of one of the official files; or of
 * the folder they are in. The checksums hold for all. */
static rs_status download_given(const fetching *job, const char *url, rs_error *error)
{
    const rs__set *set = job->set;
    char name[128], base[URL_MAX], item_url[URL_MAX];
    const char *const urls[] = {item_url, NULL};
    const char *end = url + strcspn(url, "?#");
    const char *begin = end;
    while (begin > url && begin[-1] != '/') {
        begin--;
    }
    RS_TRY(check_scheme(url, error));
    (void)snprintf(name, sizeof name, "%.*s", (int)(end - begin), begin);
    bool is_file = is_official_name(set, name);
    if (!rs__locate_is_file(set, set->downloads[0].file) && (is_file || is_archive_name(name))) {
        RS_TRY(join_url(item_url, url, NULL, "", error));
        return download_item(job, &set->downloads[0], urls, error);
    }
    RS_TRY(join_url(base, url, NULL, "", error));
    base[is_file ? begin - url : end - url] = '\0';
    for (int i = 0; i < set->download_count; i++) {
        RS_TRY(join_url(item_url, base, "", set->downloads[i].file, error));
        RS_TRY(download_item(job, &set->downloads[i], urls, error));
    }
    return RS_OK;
}

/* Loads a set as a run would, and drops it: whether it is one. */
static rs_status load_all(const rs__set *set, const rs__location *location, rs_error *error)
{
    const rs_dataset_request whole = {.name = set->name};
    rs_dataset *dataset = NULL;
    RS_TRY(rs__dataset_load_from(set, &whole, location, &dataset, error));
    rs_dataset_destroy(dataset);
    return RS_OK;
}

static rs_status copy_files(const fetching *job, const rs__location *from, rs_error *error)
{
    for (int i = 0; i < job->set->file_count; i++) {
        char source[PATH_MAX], to[PATH_MAX];
        RS_TRY(rs__path_join(source, sizeof source, from->folder, from->file[i], error));
        RS_TRY(rs__path_join(to, sizeof to, job->files, from->file[i], error));
        RS_TRY(rs__copy_file(source, to, job->set->file_limit, error));
    }
    return RS_OK;
}

/* Where the files lie in or below a folder given by the user. Its own files are taken at the user's word, but for
 * sets whose list has "": those rs__locate knows how to tell from others with files of the same names. */
static bool locate_around(const rs__set *set, const char *folder, rs__location *location,
                          const char **missing)
{
    bool bare = false;
    for (int i = 0; set->folders[i]; i++) {
        bare = bare || !*set->folders[i];
    }
    return rs__locate(set, folder, location) || (rs__locate_in(set, folder, location, missing) && !bare);
}

/* A folder with the files (also in the usual places below it), or with the official archive. */
static rs_status take_folder(const fetching *job, const char *folder, rs_error *error)
{
    const rs__set *set = job->set;
    rs__location location;
    const char *missing = NULL;
    char archive[PATH_MAX];
    if (locate_around(set, folder, &location, &missing)) {
        RS_TRY(load_all(set, &location, error)); /* names the user's files, not our copies */
        return copy_files(job, &location, error);
    }
    bool packed = !rs__locate_is_file(set, set->downloads[0].file);
    RS_TRY(rs__path_join(archive, sizeof archive, folder, set->downloads[0].file, error));
    if (packed && access(archive, R_OK) == 0) {
        return rs__extract(archive, set, job->files, error);
    }
    if (!missing) {
        return RS_FAIL(error, RS_DATA,
                       "%s: by its name this is Fashion-MNIST, whose files are called like those of %s",
                       folder, set->name);
    }
    return RS_FAIL(error, RS_DATA, "%s: %s is missing there%s%s; %s needs %s%s", folder, missing,
                   packed ? ", and so is " : "", packed ? set->downloads[0].file : "", set->name,
                   set->files[0], set->file_count > 1 ? " and the others of the set" : "");
}

static rs_status take_source(const fetching *job, rs_error *error)
{
    const char *from = job->options->from;
    struct stat status;
    if (!from) {
        return download_official(job, error);
    }
    if (is_url(from)) {
        return download_given(job, from, error);
    }
    if (stat(from, &status) != 0) {
        return RS_FAIL(error, RS_DATA, "--from %s: %s", from, strerror(errno));
    }
    if (!S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
        return RS_FAIL(error, RS_DATA, "--from %s: neither a folder nor a file", from);
    }
    return S_ISDIR(status.st_mode) ? take_folder(job, from, error)
                                   : rs__extract(from, job->set, job->files, error);
}

static rs_status check_files(const fetching *job, rs__location *location, rs_error *error)
{
    const char *missing = NULL, *from = job->options->from;
    if (!rs__locate_in(job->set, job->files, location, &missing)) {
        return RS_FAIL(error, RS_DATA, "%.300s: %s is missing in it",
                       from ? from : job->set->downloads[0].file, missing ? missing : "a file");
    }
    rs_status status = load_all(job->set, location, error);
    return status ? rs_error_prefix(error, "%.300s", from ? from : job->set->downloads[0].file) : RS_OK;
}

/* Other forms of a file just put in place would be found first, or confuse. They are the user's: renamed, not lost. */
static rs_status put_aside_variants(const fetching *job, const char *folder, int index, const char *kept,
                                    rs_error *error)
{
    char name[64], path[PATH_MAX], aside[PATH_MAX];
    for (int v = 0; rs__locate_variant(job->set, index, v, name, sizeof name); v++) {
        RS_TRY(rs__path_join(path, sizeof path, folder, name, error));
        if (strcmp(name, kept) == 0 || access(path, F_OK) != 0) {
            continue;
        }
        (void)strncat(name, ".old", sizeof name - strlen(name) - 1);
        RS_TRY(rs__path_join(aside, sizeof aside, folder, name, error));
        RS_TRY(rs__rename(path, aside, error));
        rs_log(RS_LOG_INFO, "%s: renamed to %s", path, name);
    }
    return RS_OK;
}

static rs_status put_in_place(const fetching *job, const rs__location *location, rs_error *error)
{
    char folder[PATH_MAX];
    RS_TRY(rs__path_join(folder, sizeof folder, job->directory, job->set->folders[0], error));
    RS_TRY(rs__folder_create(folder, error));
    for (int i = 0; i < job->set->file_count; i++) {
        char from[PATH_MAX], to[PATH_MAX];
        RS_TRY(rs__path_join(from, sizeof from, job->files, location->file[i], error));
        RS_TRY(rs__path_join(to, sizeof to, folder, location->file[i], error));
        RS_TRY(rs__rename(from, to, error));
        RS_TRY(put_aside_variants(job, folder, i, location->file[i], error));
    }
    rs__folder_sync(folder);
    return RS_OK;
}

/* What the official sources need on the disk: the downloads, and what is unpacked from them. */
static uint64_t official_bytes(const rs__set *set)
{
    uint64_t bytes = 0;
    for (int i = 0; i < set->download_count; i++) {
        bytes += set->downloads[i].bytes;
    }
    if (set->format == RS__FORMAT_CIFAR) {
        uint64_t record = (uint64_t)set->label_bytes +
                          (uint64_t)set->channels * (uint64_t)set->height * (uint64_t)set->width;
        bytes += record * ((uint64_t)set->train_records * (uint64_t)(set->file_count - 1) +
                           (uint64_t)set->test_records);
    }
    return bytes;
}

/* Whether nothing is to be done; `level` of the message says why something is, all the same. */
static bool is_there(const fetching *job, rs_log_level level)
{
    rs__location location;
    rs_error damage;
    if (job->options->from || !rs__locate(job->set, job->directory, &location)) {
        return false;
    }
    if (!job->options->inspect || load_all(job->set, &location, &damage) == RS_OK) {
        return true;
    }
    rs_log(level, "%s; fetching it again", damage.text);
    return false;
}

static rs_status fetch_locked(const fetching *job, rs_error *error)
{
    rs__location location;
    char size[32];
    if (is_there(job, RS_LOG_WARNING)) { /* another process may have brought it while we waited */
        return RS_OK;
    }
    rs__folder_clear(job->files, NULL); /* left by a kill */
    RS_TRY(rs__folder_create(job->files, error));
    if (!job->options->from) {
        uint64_t bytes = official_bytes(job->set);
        rs_text_bytes(bytes, size, sizeof size);
        rs_log(RS_LOG_INFO, "fetching %s into %s (%s with what is unpacked), once", job->set->name,
               job->directory, size);
        RS_TRY(rs__need_space(job->directory, bytes, error));
    }
    RS_TRY(take_source(job, error));
    RS_TRY(check_files(job, &location, error));
    return put_in_place(job, &location, error);
}

/* What a user without a network, or with a bad one, can do. */
static rs_status add_remedy(const fetching *job, rs_error *error)
{
    const rs__set *set = job->set;
    size_t used = strlen(error->text);
    (void)snprintf(error->text + used, sizeof error->text - used,
                   "; by hand: get %s%s%s, on any machine, and run resnet_study data fetch %s --from "
                   "FILE_OR_DIR, or put "
                   "%s%s into %s/%s",
                   set->bases[0], set->downloads[0].file,
                   set->download_count > 1 ? " (and the other files there)" : "", set->name, set->files[0],
                   set->file_count > 1 ? ", ..." : "", job->directory, set->folders[0]);
    return error->status;
}

static rs_status set_paths(fetching *job, const char *directory, rs_error *error)
{
    char name[64];
    (void)snprintf(name, sizeof name, ".%s.fetch", job->set->name);
    RS_TRY(rs__path_join(job->directory, sizeof job->directory, directory, "", error));
    RS_TRY(rs__path_join(job->work, sizeof job->work, directory, name, error));
    return rs__path_join(job->files, sizeof job->files, job->work, "files", error);
}

/* Holds the lock while it works. */
static rs_status fetch(const fetching *job, rs_error *error)
{
    int lock = -1;
    rs_status status = rs__lock(job->work, job->options->stop, &lock, error);
    if (status == RS_OK) {
        status = fetch_locked(job, error);
        rs__folder_clear(job->files, NULL);
        status = status == RS_DATA && !job->options->from ? add_remedy(job, error) : status;
    }
    if (lock >= 0) {
        rs__unlock(job->work, status == RS_OK, lock);
    }
    return status;
}

rs_status rs__acquire(const rs__set *set, const char *directory, const rs__acquire_options *options,
                      rs_error *error)
{
    fetching *job = rs_alloc_zero(sizeof *job);
    if (!job) {
        return RS_FAIL(error, RS_MEMORY, "out of memory");
    }
    job->set = set;
    job->options = options;
    rs_status status = set_paths(job, directory, error);
    if (status == RS_OK && !is_there(job, RS_LOG_DEBUG)) {
        status = fetch(job, error);
    }
    rs_free(job);
    return status;
}
