/* fetch.c: a set from its sources into the data directory; see fetch.h.
 *
 *   lock -> every file: source by source, tries -> checksum -> stage -> read as the set -> rename into place */
#include "fetch.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "digest.h"
#include "fetch_internal.h"
#include "load.h"
#include "meter.h"
#include "rs/dataset.h"
#include "rs/host.h"
#include "rs/text.h"
#include "transfer.h"
#include "unpack.h"

enum {
    URL_MAX = 2048,
    LONGEST_BASE = 1500,
    FRUITLESS_TRIES = 3,
    MOST_TRIES = 200,
    STALL_SECONDS = 30,
    PAUSE_MS = 2000
};
static const uint64_t worth_a_try = UINT64_C(1) << 20; /* bytes that make a broken try count as progress */

/* --- sources ------------------------------------------------------------------------------------------------------- */

typedef struct job {
    rs__stage *stage;
    const rs__set *set;
    const rs__fetch_options *options;
    const char *from; /* the only source, given by the user; or NULL */
    int source;       /* the one that gave the last file: asked first for the next */
} job;

static const char *last_part(const char *url)
{
    const char *slash = strrchr(url, '/');
    return slash ? slash + 1 : url;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcasecmp(text + length - tail, end) == 0;
}

/* The user's URL is that of a file, or of the folder of all. */
static void url_from_user(const job *j, const char *file, char *url)
{
    const char *name = last_part(j->from);
    bool is_file = rs__is_archive(j->set) &&
                   (ends_with(name, "gz") || ends_with(name, ".tar") || ends_with(name, ".zip"));
    for (int i = 0; i < j->set->download_count && !is_file; i++) {
        is_file = strcmp(name, j->set->downloads[i].file) == 0;
    }
    if (is_file && rs__is_archive(j->set)) {
        (void)snprintf(url, URL_MAX, "%s", j->from);
    } else {
        int length = is_file ? (int)(name - j->from) : (int)strlen(j->from);
        bool slash = length > 0 && j->from[length - 1] == '/';
        (void)snprintf(url, URL_MAX, "%.*s%s%s", length, j->from, slash ? "" : "/", file);
    }
}

/* URL of a file at a source, counted from 0; false behind the last source. */
static bool source_url(const job *j, int source, const char *file, char *url)
{
    const char *mirror = j->options->mirror;
    if (j->from) {
        url_from_user(j, file, url);
        return source == 0;
    }
    if (mirror && *mirror) {
        bool slash = mirror[strlen(mirror) - 1] == '/';
        (void)snprintf(url, URL_MAX, "%s%s%s/%s", mirror, slash ? "" : "/", j->set->name, file);
        if (source-- == 0) {
            return true;
        }
    }
    int count = 0;
    while (j->set->bases[count]) {
        count++;
    }
    if (source < count) {
        (void)snprintf(url, URL_MAX, "%s%s", j->set->bases[source], file);
    }
    return source < count;
}

/* --- one file ------------------------------------------------------------------------------------------------------ */

static uint64_t size_of(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static rs_status pause_before_retry(const job *j, rs_error *error)
{
    int left = j->options->pause_ms ? j->options->pause_ms : PAUSE_MS;
    const volatile sig_atomic_t *stop = j->options->stop;
    for (; left > 0 && !(stop && *stop); left -= 100) {
        const struct timespec piece = {.tv_nsec = (left < 100 ? left : 100) * 1000000L};
        (void)nanosleep(&piece, NULL);
    }
    return stop && *stop ? RS_FAIL(error, RS_INTERRUPTED, "interrupted while fetching %s", j->set->name)
                         : RS_OK;
}

/* SHA-256 where it is known, else MD5: the publishers of some sets give no other. */
static rs_status check_sum(const rs__download_item *item, const char *url, const char *path, bool *good,
                           rs_error *error)
{
    char hex[RS__HEX_MAX];
    const char *wanted = item->sha256 ? item->sha256 : item->md5;
    RS_TRY(rs__digest_file(item->sha256 ? RS__SHA256 : RS__MD5, path, hex, error));
    *good = strcmp(hex, wanted) == 0;
    if (!*good) {
        (void)RS_FAIL(error, RS_DATA, "%s: %s %s instead of %s: not the published file", url,
                      item->sha256 ? "SHA-256" : "MD5", hex, wanted);
    }
    return RS_OK;
}

/* After a whole transfer. What was gone on with may be of two different files: then it is worth starting anew. */
static rs_status accept(const rs__transfer *transfer, const rs__download_item *item, bool resumed,
                        rs__transfer_end *end, rs_error *error)
{
    bool good = false;
    RS_TRY(check_sum(item, transfer->url, transfer->path, &good, error));
    if (!good) {
        (void)rs_files()->unlink(transfer->path);
        *end = resumed ? RS__TRANSFER_BROKEN : RS__TRANSFER_REFUSED;
    }
    return RS_OK;
}

/* Tries one source until the file is there, good, or the source is given up. */
static rs_status try_source(const job *j, const rs__download_item *item, const char *url, const char *path,
                            bool *good, rs_error *error)
{
    rs__meter meter = {.terminal = j->options->terminal, .name = item->file};
    const rs__transfer transfer = {.url = url,
                                   .path = path,
                                   .bytes = item->bytes,
                                   .stall_seconds =
                                       j->options->stall_seconds ? j->options->stall_seconds : STALL_SECONDS,
                                   .meter = &meter,
                                   .stop = j->options->stop};
    int fruitless = 0;
    for (int i = 0; i < MOST_TRIES; i++) {
        rs__transfer_end end = RS__TRANSFER_REFUSED;
        uint64_t before = size_of(path);
        RS_TRY(rs__transfer_try(&transfer, &end, error));
        uint64_t after = size_of(path);
        if (end == RS__TRANSFER_DONE) {
            RS_TRY(accept(&transfer, item, before > 0, &end, error));
        }
        *good = end == RS__TRANSFER_DONE;
        fruitless = after >= before + worth_a_try ? 0 : fruitless + 1;
        if (end != RS__TRANSFER_BROKEN || fruitless == FRUITLESS_TRIES) {
            break;
        }
        rs_log(RS_LOG_WARNING, "%s; trying again", error->text);
        RS_TRY(pause_before_retry(j, error));
    }
    return RS_OK;
}

/* Source by source, beginning with the one that served before. When none has it, the last reason is in the error. */
static rs_status download(job *j, const rs__download_item *item, const char *path, bool *good,
                          rs_error *error)
{
    char url[URL_MAX];
    int count = 0;
    while (source_url(j, count, item->file, url)) {
        count++;
    }
    for (int i = 0; i < count; i++) {
        int source = (j->source + i) % count;
        (void)source_url(j, source, item->file, url);
        RS_TRY(try_source(j, item, url, path, good, error));
        if (*good) {
            j->source = source;
            return RS_OK;
        }
        rs_log(RS_LOG_WARNING, "%s%s", error->text, i + 1 < count ? "; trying the next source" : "");
    }
    return RS_OK;
}

/* --- a whole set --------------------------------------------------------------------------------------------------- */

/* Text that was made by RS_FAIL before is an argument here, so it is copied first. */
static rs_status fail_by_hand(const job *j, rs_error *error)
{
    const rs__set *set = j->set;
    rs_error last = *error;
    if (j->from) {
        return RS_FAIL(error, RS_DATA, "can't fetch %s from %.300s: %.400s", set->name, j->from, last.text);
    }
    return RS_FAIL(error, RS_DATA,
                   "can't fetch %s: %.300s; by hand: get %s%s%s on any machine and run resnet_study data "
                   "fetch %s --from "
                   "FILE_OR_DIR here, or put %s%s into %.200s",
                   set->name, last.text, set->bases[0], set->downloads[0].file,
                   set->download_count > 1 ? " (and the other files there)" : "", set->name, set->files[0],
                   set->file_count > 1 ? ", ..." : "", j->stage->target);
}

static rs_status take_item(job *j, const rs__download_item *item, rs_error *error)
{
    char part[PATH_MAX], whole[PATH_MAX];
    bool good = false;
    RS_TRY(rs__stage_path(j->stage, item->file, ".part", part, error));
    RS_TRY(rs__stage_path(j->stage, item->file, "", whole, error));
    RS_TRY(download(j, item, part, &good, error));
    if (!good) {
        return fail_by_hand(j, error);
    }
    if (rs__is_archive(j->set)) {
        return rs__unpack(j->stage, part, error);
    }
    return rs_files()->rename(part, whole) == 0 ? RS_OK : RS_FAIL(error, RS_IO, "can't rename %s", part);
}

static uint64_t total_bytes(const rs__set *set)
{
    uint64_t total = 0;
    for (int i = 0; i < set->download_count; i++) {
        total += set->downloads[i].bytes;
    }
    return total;
}

/* A full disk is better known before than after the download. An archive and its content lie there together. */
static rs_status check_room(const job *j, rs_error *error)
{
    uint64_t available = 0, needed = total_bytes(j->set);
    char have[32], need[32];
    needed += rs__is_archive(j->set) ? needed + needed / 4 : 0;
    if (rs_files()->free_bytes(j->stage->directory, &available) != 0 || available >= needed) {
        return RS_OK;
    }
    rs_text_bytes(available, have, sizeof have);
    rs_text_bytes(needed, need, sizeof need);
    return RS_FAIL(error, RS_IO,
                   "%s: %s free, but %s takes %s; make room, or choose another place with --data-dir DIR",
                   j->stage->directory, have, j->set->name, need);
}

static rs_status gather(job *j, rs_error *error)
{
    char bytes[32], url[URL_MAX];
    RS_TRY(check_room(j, error));
    rs_text_bytes(total_bytes(j->set), bytes, sizeof bytes);
    (void)source_url(j, 0, j->set->downloads[0].file, url);
    rs_log(RS_LOG_INFO, "%s: fetching %s from %.*s into %s", j->set->name, bytes, (int)(last_part(url) - url),
           url, j->stage->target);
    for (int i = 0; i < j->set->download_count; i++) {
        RS_TRY(take_item(j, &j->set->downloads[i], error));
    }
    return RS_OK;
}

rs_status rs__inspect(const rs__set *set, const rs__location *location, rs_error *error)
{
    const rs_dataset_request all = {.name = set->name};
    rs_dataset *dataset = NULL;
    rs_status status = rs__dataset_load_from(set, &all, location, &dataset, error);
    rs_dataset_destroy(dataset);
    return status;
}

/* The staged files are read as the set, then put in place. */
static rs_status install(rs__stage *stage, rs__location *location, rs_error *error)
{
    rs__location staged;
    const char *missing = "";
    if (!rs__locate_in(stage->set, stage->folder, &staged, &missing)) {
        return RS_FAIL(error, RS_DATA, "%s is missing", missing);
    }
    RS_TRY(rs__inspect(stage->set, &staged, error));
    RS_TRY(rs__stage_install(stage, &staged, error));
    return rs__locate_in(stage->set, stage->target, location, &missing)
               ? RS_OK
               : RS_FAIL(error, RS_IO, "%s: %s vanished while it was put in place", stage->target, missing);
}

/* Under the lock: it may have come while we waited. */
static bool is_there(const job *j, rs__location *location)
{
    rs_error damage = {0};
    if (!rs__locate(j->set, j->options->directory, location)) {
        return false;
    }
    if (!j->options->inspect || rs__inspect(j->set, location, &damage) == RS_OK) {
        return true;
    }
    rs_log(RS_LOG_WARNING, "%s; fetching %s anew", damage.text, j->set->name);
    return false;
}

rs_status rs__fetch(const rs__set *set, const rs__fetch_options *options, rs__location *location,
                    bool *fetched, rs_error *error)
{
    rs__stage stage;
    job j = {.stage = &stage, .set = set, .options = options};
    if (options->mirror && strlen(options->mirror) > LONGEST_BASE) {
        return RS_FAIL(error, RS_USAGE, "RS_DATA_MIRROR: longer than %d characters", LONGEST_BASE);
    }
    *fetched = false;
    rs_status status = rs__stage_open(set, options->directory, options->stop, &stage, error);
    if (!status && !is_there(&j, location)) {
        *fetched = true;
        status = gather(&j, error);
        status = status ? status : install(&stage, location, error);
    }
    rs__stage_close(&stage);
    return status;
}

static rs_status check_url(const char *url, rs_error *error)
{
    static const char *const schemes[] = {"https://", "http://", "file://"};
    if (strlen(url) > LONGEST_BASE) {
        return RS_FAIL(error, RS_USAGE, "--from: a URL of more than %d characters", LONGEST_BASE);
    }
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        if (strncasecmp(url, schemes[i], strlen(schemes[i])) == 0) {
            return RS_OK;
        }
    }
    return RS_FAIL(error, RS_USAGE,
                   "--from %.200s: not one of https://, http://, file://, or a folder or archive", url);
}

rs_status rs__fetch_from(const rs__set *set, const char *from, const rs__fetch_options *options,
                         rs__location *location, rs_error *error)
{
    rs__stage stage;
    job j = {.stage = &stage, .set = set, .options = options, .from = from};
    bool is_url = strstr(from, "://") != NULL;
    if (is_url) {
        RS_TRY(check_url(from, error));
    }
    rs_status status = rs__stage_open(set, options->directory, options->stop, &stage, error);
    if (!status) {
        status = is_url ? gather(&j, error) : rs__fetch_local(&stage, from, error);
    }
    if (!status && (status = install(&stage, location, error)) == RS_DATA) {
        (void)rs_error_prefix(error, "%.200s", from);
    }
    rs__stage_close(&stage);
    return status;
}
