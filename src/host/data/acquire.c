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

enum { MOST_URLS = 8, URL_MAX = 1024 };
static const uint64_t most_unofficial = UINT64_C(2) << 30; /* bytes of an archive nothing is known of */

typedef struct fetching {
    const rs__set *set;
    const rs__acquire_options *options;
    char directory[PATH_MAX], work[PATH_MAX], files[PATH_MAX];
} fetching;

static bool is_url(const char *text)
{
    return strstr(text, "://") != NULL;
}

static rs_status join_url(char *url, const char *base, const char *folder, const char *file, rs_error *error)
{
    const char *slash = *base && base[strlen(base) - 1] == '/' ? "" : "/";
    int length = snprintf(url, URL_MAX, "%s%s%s%s", base, slash, folder, file);
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
    RS_TRY(rs__path_join(path, sizeof path, job->work, item->file, error));
    rs__download order = {.urls = urls,
                          .path = path,
                          .expected = item->md5 || item->sha256 ? item : NULL,
                          .most = most_unofficial,
                          .progress = job->options->progress,
                          .retry_seconds = job->options->retry_seconds};
    if (!order.expected || rs__download_check(path, item, &ignored) != RS_OK) { /* else: left by a kill */
        RS_TRY(rs__download_run(&order, error));
    }
    return take_file(job, path, item->file, error);
}

/* Every official file, from each of the base URLs in turn. `folder` of the mirror is the set's name. */
static rs_status download_official(const fetching *job, const char *only_base, rs_error *error)
{
    const rs__set *set = job->set;
    const char *mirror = getenv("RS_DATA_MIRROR");
    char folder[64];
    (void)snprintf(folder, sizeof folder, "%s/", set->name);
    for (int i = 0; i < set->download_count; i++) {
        char url[MOST_URLS][URL_MAX];
        const char *urls[MOST_URLS + 1] = {NULL};
        int count = 0;
        if (only_base) {
            RS_TRY(join_url(url[count++], only_base, "", set->downloads[i].file, error));
        } else if (mirror && *mirror) {
            RS_TRY(join_url(url[count++], mirror, folder, set->downloads[i].file, error));
        }
        for (int b = 0; !only_base && set->bases[b] && count < MOST_URLS; b++) {
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

/* A URL given by the user: a base URL, an official file at another place, or an archive of their own. */
static rs_status download_given(const fetching *job, const char *url, rs_error *error)
{
    char name[128], base[URL_MAX];
    const char *end = url + strcspn(url, "?#");
    const char *begin = end;
    while (begin > url && begin[-1] != '/') {
        begin--;
    }
    if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0) {
        return RS_FAIL(error, RS_USAGE,
                       "--from %.200s: http:// and https:// can be fetched, or give a local path", url);
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)(end - begin), begin);
    if (!*name || is_official_name(job->set, name)) {
        (void)snprintf(base, sizeof base, "%.*s", (int)(begin - url), url);
        return download_official(job, base, error);
    }
    const char *urls[] = {url, NULL};
    const rs__download_item unknown = {.file = "given-archive"};
    rs_log(RS_LOG_WARNING,
           "%s is no official file of %s: its format is checked, but there is no checksum for it", name,
           job->set->name);
    return download_item(job, &unknown, urls, error);
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

/* A folder with the files (also in the usual places below it), or with the official archive. */
static rs_status take_folder(const fetching *job, const char *folder, rs_error *error)
{
    rs__location location;
    const char *missing = job->set->files[0];
    char archive[PATH_MAX];
    if (rs__locate_in(job->set, folder, &location, &missing) || rs__locate(job->set, folder, &location)) {
        return copy_files(job, &location, error);
    }
    RS_TRY(rs__path_join(archive, sizeof archive, folder, job->set->downloads[0].file, error));
    if (!rs__locate_is_file(job->set, job->set->downloads[0].file) && access(archive, R_OK) == 0) {
        return rs__extract(archive, job->set, job->files, error);
    }
    return RS_FAIL(error, RS_DATA, "%s: %s is missing there; %s needs %s%s", folder, missing, job->set->name,
                   job->set->files[0], job->set->file_count > 1 ? " and the others of the set" : "");
}

static rs_status take_source(const fetching *job, rs_error *error)
{
    const char *from = job->options->from;
    struct stat status;
    if (!from) {
        return download_official(job, NULL, error);
    }
    if (is_url(from)) {
        return download_given(job, from, error);
    }
    if (stat(from, &status) != 0) {
        return RS_FAIL(error, RS_DATA, "--from %s: %s", from, strerror(errno));
    }
    return S_ISDIR(status.st_mode) ? take_folder(job, from, error)
                                   : rs__extract(from, job->set, job->files, error);
}

/* Loads the candidates as a run would. */
static rs_status check_files(const fetching *job, rs__location *location, rs_error *error)
{
    const char *missing = NULL;
    const rs_dataset_request whole = {.name = job->set->name};
    rs_dataset *dataset = NULL;
    if (!rs__locate_in(job->set, job->files, location, &missing)) {
        return RS_FAIL(error, RS_DATA, "%s is missing in what was fetched", missing ? missing : "a file");
    }
    RS_TRY(rs__dataset_load_from(job->set, &whole, location, &dataset, error));
    rs_dataset_destroy(dataset);
    return RS_OK;
}

/* Other forms of a file just put in place would be found first, or confuse. */
static void remove_variants(const fetching *job, const char *folder, int index, const char *kept)
{
    char name[64], path[PATH_MAX];
    rs_error ignored;
    for (int v = 0; rs__locate_variant(job->set, index, v, name, sizeof name); v++) {
        if (strcmp(name, kept) != 0 && rs__path_join(path, sizeof path, folder, name, &ignored) == RS_OK) {
            (void)rs_files()->unlink(path);
        }
    }
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
        remove_variants(job, folder, i, location->file[i]);
    }
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

static rs_status fetch_locked(const fetching *job, rs_error *error)
{
    rs__location location;
    char size[32];
    if (!job->options->replace && rs__locate(job->set, job->directory, &location)) {
        return RS_OK;
    }
    rs__folder_clear(job->files, false); /* left by a kill */
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

static rs_status set_paths(fetching *job, const char *directory, char *lock, rs_error *error)
{
    char name[64];
    (void)snprintf(name, sizeof name, ".%s.fetch", job->set->name);
    RS_TRY(rs__path_join(job->directory, sizeof job->directory, directory, "", error));
    RS_TRY(rs__path_join(job->work, sizeof job->work, directory, name, error));
    RS_TRY(rs__path_join(job->files, sizeof job->files, job->work, "files", error));
    return rs__path_join(lock, PATH_MAX, job->work, "lock", error);
}

rs_status rs__acquire(const rs__set *set, const char *directory, const rs__acquire_options *options,
                      rs_error *error)
{
    char lock_path[PATH_MAX];
    int lock = -1;
    fetching *job = rs_alloc_zero(sizeof *job);
    if (!job) {
        return RS_FAIL(error, RS_MEMORY, "out of memory");
    }
    job->set = set;
    job->options = options;
    rs_status status = set_paths(job, directory, lock_path, error);
    if (status == RS_OK) {
        status = rs__folder_create(job->work, error);
    }
    if (status == RS_OK) {
        status = rs__lock(lock_path, &lock, error);
    }
    if (status == RS_OK) {
        status = fetch_locked(job, error);
        rs__folder_clear(job->files, true);
    }
    if (status == RS_OK) {
        rs__folder_clear(job->work, true);
    }
    if (lock >= 0) {
        (void)close(lock);
    }
    rs_free(job);
    return status;
}
