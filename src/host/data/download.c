/* download.c: transfers through libcurl; see download.h.
 *
 *   for each URL:  transfer (again, while it gets further or attempts are left) -> size -> checksum -> rename
 *
 * A .part survives a broken transfer and the end of the program; it is removed only when it can't be the
 * beginning of the right file. */
#include "download.h"

#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "digest.h"
#include "download_meter.h"
#include "folder.h"
#include "rs/host.h"
#include "rs/text.h"
#include "rs/version.h"

enum { ATTEMPTS = 3, CONNECT_SECONDS = 20, STALL_BYTES_PER_SECOND = 200 };

typedef enum outcome {
    WHOLE,
    BROKEN,   /* may work when tried again */
    REFUSED,  /* this URL will not do */
    UNRELATED /* what came can't be the file: the .part is to go */
} outcome;

typedef struct transfer {
    const rs__download *order;
    char part[PATH_MAX];
    int file;
    uint64_t begin, have, most; /* bytes: at the start of this attempt, now, at most */
    rs_status status;           /* not RS_OK: storing failed, with *error filled */
    rs_error *error;
    bool too_large;
    char reason[CURL_ERROR_SIZE + 64];
    rs__download_meter meter;
} transfer;

static void start_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool is_stopped(const rs__download *order)
{
    return order->stop && *order->stop;
}

static size_t store(char *bytes, size_t size, size_t count, void *context)
{
    transfer *now = context;
    size_t total = size * count;
    if (total > now->most - now->have) {
        now->too_large = true;
        return 0;
    }
    now->status = rs__write_all(now->file, now->part, bytes, total, now->error);
    now->have += now->status == RS_OK ? total : 0;
    return now->status == RS_OK ? total : 0;
}

static int show(void *context, curl_off_t total, curl_off_t done, curl_off_t up_total, curl_off_t up_done)
{
    transfer *now = context;
    (void)done;
    (void)up_total;
    (void)up_done;
    rs__download_meter_show(&now->meter, now->have, total > 0 ? now->begin + (uint64_t)total : 0);
    return is_stopped(now->order); /* true breaks it off */
}

/* A redirect never leaves HTTPS. */
static CURLcode set_protocols(CURL *curl, const char *url)
{
    bool secure = strncasecmp(url, "https:", 6) == 0;
#if LIBCURL_VERSION_NUM >= 0x075500
    CURLcode first = curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https,file");
    CURLcode second = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
#else
    long both = CURLPROTO_HTTP | CURLPROTO_HTTPS, redirects = secure ? CURLPROTO_HTTPS : both;
    CURLcode first = curl_easy_setopt(curl, CURLOPT_PROTOCOLS, both | CURLPROTO_FILE);
    CURLcode second = curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS, redirects);
#endif
    return first != CURLE_OK ? first : second;
}

/* As the curl program does, for networks that inspect TLS with a certificate of their own. */
static CURLcode set_certificates(CURL *curl)
{
    const char *bundle = getenv("CURL_CA_BUNDLE");
    CURLcode peer = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L);
    CURLcode host = curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L);
    CURLcode file = bundle && *bundle ? curl_easy_setopt(curl, CURLOPT_CAINFO, bundle) : CURLE_OK;
    return peer != CURLE_OK ? peer : host != CURLE_OK ? host : file;
}

#define SET(option, value)                                                                                   \
    do {                                                                                                     \
        CURLcode set_code_ = curl_easy_setopt(curl, option, value);                                          \
        if (set_code_ != CURLE_OK) {                                                                         \
            return set_code_;                                                                                \
        }                                                                                                    \
    } while (0)

static CURLcode set_up(CURL *curl, const char *url, transfer *now)
{
    char agent[64];
    (void)snprintf(agent, sizeof agent, "resnet_study/%s", rs_version());
    SET(CURLOPT_URL, url);
    SET(CURLOPT_USERAGENT, agent);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_FAILONERROR, 1L);
    SET(CURLOPT_FOLLOWLOCATION, 1L);
    SET(CURLOPT_MAXREDIRS, 10L);
    SET(CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
    SET(CURLOPT_LOW_SPEED_TIME, (long)now->order->stall_seconds);
    SET(CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES_PER_SECOND);
    SET(CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)now->most); /* where the server says it; store() sees to it */
    SET(CURLOPT_RESUME_FROM_LARGE, (curl_off_t)now->have);
    SET(CURLOPT_WRITEFUNCTION, store);
    SET(CURLOPT_WRITEDATA, now);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, show);
    SET(CURLOPT_XFERINFODATA, now);
    SET(CURLOPT_ERRORBUFFER, now->reason);
    CURLcode code = set_protocols(curl, url);
    return code != CURLE_OK ? code : set_certificates(curl);
}

static outcome judge(CURL *curl, CURLcode code, transfer *now)
{
    long http = 0;
    curl_off_t connected = 0; /* microseconds it took; 0: never was */
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &http);
    if (now->too_large || code == CURLE_FILESIZE_EXCEEDED) {
        (void)snprintf(now->reason, sizeof now->reason, "sends more than %" PRIu64 " bytes: not this file",
                       now->most);
        return UNRELATED;
    }
    if (code == CURLE_OK) {
        return WHOLE; /* 416 included: there is nothing behind what we have */
    }
    if (!*now->reason) {
        (void)snprintf(now->reason, sizeof now->reason, "%s", curl_easy_strerror(code));
    }
    switch (code) {
    case CURLE_RANGE_ERROR: /* the server can't go on in the middle */
    case CURLE_BAD_DOWNLOAD_RESUME:
        return UNRELATED;
    case CURLE_HTTP_RETURNED_ERROR:
        return http >= 500 || http == 429 || http == 408 ? BROKEN : REFUSED;
    case CURLE_OPERATION_TIMEDOUT: /* a host that can't be reached is left for the next */
        (void)curl_easy_getinfo(curl, CURLINFO_CONNECT_TIME_T, &connected);
        return connected > 0 ? BROKEN : REFUSED;
    case CURLE_PARTIAL_FILE:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return BROKEN;
    default: /* no such host, no route, bad certificate, bad URL */
        return REFUSED;
    }
}

static outcome transfer_once(const char *url, transfer *now)
{
    CURL *curl = curl_easy_init();
    *now->reason = '\0';
    now->too_large = false;
    now->begin = now->have;
    if (!curl) {
        (void)snprintf(now->reason, sizeof now->reason, "libcurl can't start");
        return REFUSED;
    }
    rs__download_meter_start(&now->meter, now->order->progress, strrchr(now->order->path, '/') + 1,
                             now->have);
    CURLcode code = set_up(curl, url, now);
    if (code == CURLE_OK) {
        code = curl_easy_perform(curl);
    }
    rs__download_meter_end(&now->meter);
    outcome result = judge(curl, code, now);
    curl_easy_cleanup(curl);
    return result;
}

static rs_status truncate_part(transfer *now)
{
    if (ftruncate(now->file, 0) != 0) {
        return RS_FAIL(now->error, RS_IO, "can't empty %s: %s", now->part, strerror(errno));
    }
    now->have = 0;
    return RS_OK;
}

static rs_status open_part(transfer *now)
{
    struct stat status;
    if (snprintf(now->part, sizeof now->part, "%s.part", now->order->path) >= (int)sizeof now->part) {
        return RS_FAIL(now->error, RS_DATA, "path too long: %.300s", now->order->path);
    }
    now->file = rs_files()->open(now->part, O_WRONLY | O_CREAT | O_APPEND, 0666);
    if (now->file < 0 || fstat(now->file, &status) != 0) {
        return RS_FAIL(now->error, RS_IO, "can't write %s: %s", now->part, strerror(errno));
    }
    now->have = (uint64_t)status.st_size;
    return now->have > now->most ? truncate_part(now) : RS_OK;
}

rs_status rs__download_check(const char *path, const rs__download_item *expected, rs_error *error)
{
    struct stat status;
    char hex[RS__HEX_MAX];
    if (stat(path, &status) != 0) {
        return RS_FAIL(error, RS_DATA, "%s: %s", path, strerror(errno));
    }
    if ((uint64_t)status.st_size != expected->bytes) {
        return RS_FAIL(error, RS_DATA, "%s: %jd bytes, but %s has %" PRIu64, path, (intmax_t)status.st_size,
                       expected->file, expected->bytes);
    }
    const char *wanted = expected->sha256 ? expected->sha256 : expected->md5;
    rs__digest_kind kind = expected->sha256 ? RS__SHA256 : RS__MD5;
    RS_ASSERT(wanted);
    RS_TRY(rs__digest_file(kind, path, hex, error));
    if (strcmp(hex, wanted) != 0) {
        return RS_FAIL(error, RS_DATA, "%s: wrong content: its %s is %s, but %s has %s", path,
                       kind == RS__MD5 ? "MD5" : "SHA-256", hex, expected->file, wanted);
    }
    return RS_OK;
}

/* A whole .part against the checksum. What does not match was no beginning of the file. */
static outcome verify(transfer *now)
{
    rs_error found;
    if (now->have < now->most) {
        (void)snprintf(now->reason, sizeof now->reason,
                       "sends only %" PRIu64 " of %" PRIu64 " bytes: not this file", now->have, now->most);
        return UNRELATED;
    }
    rs_status status = rs__download_check(now->part, now->order->expected, &found);
    if (status == RS_OK) {
        return WHOLE;
    }
    if (status != RS_DATA) {
        now->status = status;
        *now->error = found;
    }
    const char *wrong = strstr(found.text, "wrong content");
    (void)snprintf(now->reason, sizeof now->reason, "%s", wrong ? wrong : found.text);
    return UNRELATED;
}

/* In pieces, so that an interrupt is soon seen. */
static void pause_for(const rs__download *order, double seconds)
{
    static const double piece = 0.1;
    while (seconds > 0.0 && !is_stopped(order)) {
        double now = seconds < piece ? seconds : piece;
        const struct timespec time = {.tv_nsec = (long)(now * 1e9)};
        (void)nanosleep(&time, NULL);
        seconds -= piece;
    }
}

/* One URL until it has delivered, or will not. Attempts that get further than ever before are not counted. */
static rs_status try_url(const char *url, transfer *now, bool *delivered)
{
    uint64_t furthest = now->have;
    double pause = now->order->retry_seconds;
    *delivered = false;
    for (int attempt = 0; attempt < ATTEMPTS;) {
        bool resumed = now->have > 0;
        outcome result = now->have == now->most ? WHOLE : transfer_once(url, now);
        if (result == WHOLE && now->status == RS_OK) {
            result = verify(now);
        }
        RS_TRY(now->status);
        if (is_stopped(now->order)) {
            return RS_FAIL(now->error, RS_INTERRUPTED,
                           "interrupted while fetching %s; the same command goes on with it", url);
        }
        if (result == WHOLE) {
            *delivered = true;
            return RS_OK;
        }
        if (result == UNRELATED) {
            RS_TRY(truncate_part(now));
        }
        if (result == REFUSED || (result == UNRELATED && !resumed)) {
            return RS_OK;
        }
        attempt = now->have > furthest ? 0 : attempt + 1;
        furthest = now->have > furthest ? now->have : furthest;
        if (result == BROKEN && attempt < ATTEMPTS) {
            rs_log(RS_LOG_INFO, "%s: %s; trying again", url, now->reason);
            pause_for(now->order, pause);
            pause = pause * 2 > 30 ? 30 : pause * 2;
        }
    }
    return RS_OK;
}

static rs_status try_all(transfer *now)
{
    char reasons[700] = "";
    for (int i = 0; now->order->urls[i]; i++) {
        bool delivered;
        size_t used = strlen(reasons);
        RS_TRY(try_url(now->order->urls[i], now, &delivered));
        if (delivered) {
            return RS_OK;
        }
        (void)snprintf(reasons + used, sizeof reasons - used, "%s%s: %s", i ? "; " : "", now->order->urls[i],
                       now->reason);
        if (now->order->urls[i + 1]) {
            rs_log(RS_LOG_WARNING, "%s: %s; trying the next source", now->order->urls[i], now->reason);
        }
    }
    return RS_FAIL(now->error, RS_DATA, "no source delivered %s (%s)", strrchr(now->order->path, '/') + 1,
                   reasons);
}

rs_status rs__download_run(const rs__download *download, rs_error *error)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    transfer *now = rs_alloc_zero(sizeof *now);
    if (!now) {
        return RS_FAIL(error, RS_MEMORY, "out of memory");
    }
    (void)pthread_once(&once, start_curl);
    now->order = download;
    now->file = -1;
    now->error = error;
    now->most = download->expected->bytes;
    rs_status status = open_part(now);
    if (status == RS_OK) {
        status = try_all(now);
    }
    if (now->file >= 0) {
        rs_error closing;
        rs_status closed = rs__close_synced(now->file, now->part, &closing);
        if (status == RS_OK && closed != RS_OK) {
            *error = closing;
            status = closed;
        }
        struct stat left;
        if (status != RS_OK && stat(now->part, &left) == 0 && left.st_size == 0) {
            (void)rs_files()->unlink(now->part);
        }
    }
    if (status == RS_OK) {
        status = rs__rename(now->part, download->path, error);
    }
    rs_free(now);
    return status;
}
