/* transfer.c: one try at one file through libcurl; see transfer.h.
 *
 * The range is asked for by hand ("Range: bytes=N-") instead of by CURLOPT_RESUME_FROM, which fails where a server
 * ignores ranges: here such an answer starts the file anew. TLS certificates are always checked. */
#include "transfer.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rs/host.h"
#include "rs/version.h"

enum { CONNECT_SECONDS = 20, SLOWEST_BYTES_PER_SECOND = 1024, MOST_REDIRECTS = 5 };

typedef struct download {
    const rs__transfer *transfer;
    CURL *easy;
    int file;
    uint64_t there;      /* bytes in X.part */
    bool answered;       /* the first bytes of the body have come and belong to the file */
    rs_status status;    /* of writing */
    const char *refusal; /* why the body is not wanted; or NULL */
    rs_error *error;
    char reason[CURL_ERROR_SIZE];
} download;

/* --- the body ------------------------------------------------------------------------------------------------------ */

static rs_status start_anew(download *d)
{
    d->there = 0;
    return ftruncate(d->file, 0) == 0 && lseek(d->file, 0, SEEK_SET) == 0
               ? RS_OK
               : RS_FAIL(d->error, RS_IO, "%s: %s", d->transfer->path, strerror(errno));
}

static bool range_is_ours(const download *d)
{
    struct curl_header *range = NULL;
    uint64_t first = 0;
    return curl_easy_header(d->easy, "Content-Range", 0, CURLH_HEADER, -1, &range) == CURLHE_OK &&
           sscanf(range->value, "bytes %" SCNu64 "-", &first) == 1 && first == d->there;
}

/* Whether the answer is the rest of the file, or the whole file, and has its size. */
static rs_status judge_answer(download *d)
{
    long code = 0;
    curl_off_t length = -1;
    (void)curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &code);
    (void)curl_easy_getinfo(d->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (code == 206 && !range_is_ours(d)) {
        d->refusal = "answers with another part of the file than it was asked for";
        return RS_OK;
    }
    if (code != 206 && d->there > 0) {
        RS_TRY(start_anew(d));
    }
    if (length >= 0 && d->there + (uint64_t)length != d->transfer->bytes) {
        d->refusal = "has another size than the file of the catalog";
    }
    d->answered = !d->refusal;
    return RS_OK;
}

static rs_status append(download *d, const char *bytes, size_t count)
{
    while (count > 0) {
        ssize_t written = rs_files()->write(d->file, bytes, count);
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return RS_FAIL(d->error, RS_IO,
                           "writing %s: %s; make room, or choose another place with --data-dir DIR",
                           d->transfer->path, strerror(written < 0 ? errno : ENOSPC));
        }
        bytes += written;
        count -= (size_t)written;
        d->there += (uint64_t)written;
    }
    return RS_OK;
}

/* libcurl breaks off when this returns less than it was given. */
static size_t take_body(char *bytes, size_t size, size_t count, void *context)
{
    download *d = context;
    size_t total = size * count; /* size is 1 by libcurl's promise */
    if (!d->answered) {
        d->status = judge_answer(d);
    }
    if (!d->status && !d->refusal && total > d->transfer->bytes - d->there) {
        d->refusal = "is larger than the file of the catalog";
    }
    if (!d->status && !d->refusal) {
        d->status = append(d, bytes, total);
    }
    return d->status || d->refusal ? 0 : total;
}

static int show_progress(void *context, curl_off_t total, curl_off_t now, curl_off_t up_total,
                         curl_off_t up_now)
{
    const download *d = context;
    (void)total, (void)now, (void)up_total, (void)up_now;
    rs__meter_show(d->transfer->meter, d->there);
    return d->transfer->stop && *d->transfer->stop; /* not 0: break off */
}

/* --- settings ------------------------------------------------------------------------------------------------------ */

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static CURLcode curl_ready;

static void start_curl(void)
{
    curl_ready = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static CURLcode set_trust(CURL *easy, const char *url)
{
    const char *certificates = getenv("CURL_CA_BUNDLE");
    bool https = strncasecmp(url, "https:", 6) == 0;
    CURLcode code = curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https,file");
    code = code ? code : curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, https ? "https" : "http,https");
    if (!code && certificates && *certificates) {
        code = curl_easy_setopt(easy, CURLOPT_CAINFO, certificates);
    }
    return code;
}

static CURLcode set_bounds(CURL *easy, const rs__transfer *transfer)
{
    CURLcode code = curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)SLOWEST_BYTES_PER_SECOND);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)transfer->stall_seconds);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 1L);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_MAXREDIRS, (long)MOST_REDIRECTS);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    return code ? code : curl_easy_setopt(easy, CURLOPT_FAILONERROR, 1L);
}

static CURLcode set_up(download *d)
{
    char range[32], agent[64];
    CURL *easy = d->easy;
    (void)snprintf(range, sizeof range, "%" PRIu64 "-", d->there);
    (void)snprintf(agent, sizeof agent, "resnet_study/%s", rs_version());
    CURLcode code = curl_easy_setopt(easy, CURLOPT_URL, d->transfer->url);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_USERAGENT, agent);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_RANGE, d->there > 0 ? range : NULL);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, d->reason);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_WRITEDATA, d);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_NOPROGRESS, 0L);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_XFERINFOFUNCTION, show_progress);
    code = code ? code : curl_easy_setopt(easy, CURLOPT_XFERINFODATA, d);
    code = code ? code : set_trust(easy, d->transfer->url);
    return code ? code : set_bounds(easy, d->transfer);
}

/* --- the end ------------------------------------------------------------------------------------------------------- */

/* Whether the same source may do better at another time. One that can't be reached is left for the next one. */
static bool is_passing_trouble(const download *d, CURLcode code, long answer)
{
    curl_off_t connected = 0;
    switch (code) {
    case CURLE_OK: /* ended early without having said its length */
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return true;
    case CURLE_OPERATION_TIMEDOUT:
        (void)curl_easy_getinfo(d->easy, CURLINFO_CONNECT_TIME_T, &connected);
        return connected > 0;
    case CURLE_HTTP_RETURNED_ERROR:
        return answer == 408 || answer == 416 || answer == 429 || answer >= 500;
    default:
        return false;
    }
}

static rs_status conclude(download *d, CURLcode code, rs__transfer_end *end)
{
    const rs__transfer *t = d->transfer;
    long answer = 0;
    (void)curl_easy_getinfo(d->easy, CURLINFO_RESPONSE_CODE, &answer);
    if (code == CURLE_ABORTED_BY_CALLBACK) {
        return RS_FAIL(d->error, RS_INTERRUPTED,
                       "interrupted while fetching %s; the same command goes on with it", t->url);
    }
    RS_TRY(d->status);
    if (code == CURLE_OK && d->there == t->bytes) {
        *end = RS__TRANSFER_DONE;
        return rs_files()->fsync(d->file) == 0 ? RS_OK
                                               : RS_FAIL(d->error, RS_IO, "%s: %s", t->path, strerror(errno));
    }
    if (code == CURLE_HTTP_RETURNED_ERROR && answer == 416) {
        RS_TRY(start_anew(d)); /* what is there is no beginning of the file that the server has */
    }
    *end = !d->refusal && is_passing_trouble(d, code, answer) ? RS__TRANSFER_BROKEN : RS__TRANSFER_REFUSED;
    const char *reason = d->refusal         ? d->refusal
                         : code == CURLE_OK ? "the transfer ended too early"
                         : *d->reason       ? d->reason
                                            : curl_easy_strerror(code);
    bool mistrust = code == CURLE_PEER_FAILED_VERIFICATION;
    (void)RS_FAIL(d->error, RS_DATA, "%s: %s%s", t->url, reason,
                  mistrust ? " (name the certificates to trust in CURL_CA_BUNDLE)" : "");
    return RS_OK;
}

static rs_status open_part(download *d)
{
    struct stat status;
    const char *path = d->transfer->path;
    d->file = rs_files()->open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (d->file < 0 || fstat(d->file, &status) != 0 || lseek(d->file, 0, SEEK_END) < 0) {
        return RS_FAIL(d->error, RS_IO, "%s: %s", path, strerror(errno));
    }
    d->there = (uint64_t)status.st_size;
    return d->there > d->transfer->bytes ? start_anew(d) : RS_OK;
}

static rs_status run(download *d, rs__transfer_end *end)
{
    RS_TRY(open_part(d));
    rs__meter *meter = d->transfer->meter;
    rs__meter_start(meter, meter->terminal, meter->name, d->there, d->transfer->bytes);
    if (d->there == d->transfer->bytes) {
        *end = RS__TRANSFER_DONE;
        return RS_OK;
    }
    (void)pthread_once(&curl_once, start_curl);
    d->easy = curl_ready == CURLE_OK ? curl_easy_init() : NULL;
    if (!d->easy || set_up(d) != CURLE_OK) {
        return RS_FAIL(d->error, RS_UNSUPPORTED, "libcurl can't be set up here: %s",
                       *d->reason ? d->reason : "out of memory, or built without HTTPS");
    }
    CURLcode code = curl_easy_perform(d->easy);
    rs__meter_stop(meter);
    return conclude(d, code, end);
}

rs_status rs__transfer_try(const rs__transfer *transfer, rs__transfer_end *end, rs_error *error)
{
    download d = {.transfer = transfer, .file = -1, .error = error};
    rs_status status = run(&d, end);
    if (d.easy) {
        curl_easy_cleanup(d.easy);
    }
    if (d.file >= 0) {
        (void)close(d.file);
    }
    return status;
}
