/* unpack.c: takes a set's files out of an archive with libarchive; see unpack.h.
 *
 * No name of the archive is ever used as a path: entries are compared with the names of the set, and what matches is
 * written under our own name, newly created, in our own folder. So nothing can land elsewhere. Archives that try are
 * refused all the same: somebody meant harm, or they are not what the user thinks. */
#include "unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "rs/host.h"
#include "rs/text.h"

enum { PIECE = 1 << 18, MOST_ENTRIES = 100000 };
static const uint64_t room_for_others = UINT64_C(256) << 20; /* bytes of files that are not the set's */

typedef struct unpacker {
    const rs__stage *stage;
    const char *path;
    struct archive *archive;
    char *bytes;                   /* [PIECE] */
    uint64_t total;                /* bytes unpacked so far, also those that are skipped */
    uint64_t most;                 /* of them */
    char taken[RS__MAX_FILES][64]; /* names found, "" for not yet */
} unpacker;

static const char *reason(const unpacker *u)
{
    const char *text = archive_error_string(u->archive);
    return text ? text : "unknown trouble";
}

static rs_status fail_to_read(const unpacker *u, rs_error *error)
{
    return RS_FAIL(error, RS_DATA,
                   "%s: not an archive of %s, or damaged: %s; wanted: a tar or zip file, or a folder",
                   u->path, u->stage->set->name, reason(u));
}

/* --- entries ------------------------------------------------------------------------------------------------------- */

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* Folders are named with a slash at the end, which is no part of the name. */
static int wanted_index(const unpacker *u, const char *path)
{
    char name[256];
    size_t length = strlen(path);
    while (length > 0 && path[length - 1] == '/') {
        length--;
    }
    if (length >= sizeof name) { /* the end is what counts */
        path += length - (sizeof name - 1);
        length = sizeof name - 1;
    }
    (void)snprintf(name, sizeof name, "%.*s", (int)length, path);
    return rs__file_index(u->stage->set, base_name(name));
}

static bool climbs(const char *path)
{
    char part[256];
    const char *at = path;
    while (rs_text_next_word(&at, '/', part, sizeof part)) {
        if (strcmp(part, "..") == 0) {
            return true;
        }
    }
    return false;
}

static rs_status check_entry(const unpacker *u, struct archive_entry *entry, const char *path, int index,
                             rs_error *error)
{
    const char *what = NULL;
    if (path[0] == '/' || climbs(path)) {
        what = "is named with a path out of the archive";
    } else if (archive_entry_symlink(entry) || archive_entry_hardlink(entry)) {
        what = "is a link";
    } else if (archive_entry_filetype(entry) != S_IFREG) {
        what = "is no regular file";
    } else if (*u->taken[index]) {
        what = "is there twice";
    } else if (archive_entry_is_encrypted(entry)) {
        what = "is encrypted";
    }
    return what ? RS_FAIL(error, RS_DATA, "%s: refused: %.200s in it %s", u->path, path, what) : RS_OK;
}

/* --- contents ------------------------------------------------------------------------------------------------------ */

static rs_status count_bytes(unpacker *u, uint64_t in_file, uint64_t limit, size_t more, rs_error *error)
{
    u->total += more;
    if (in_file <= limit && u->total <= u->most) {
        return RS_OK;
    }
    char most[32];
    rs_text_bytes(in_file > limit ? limit : u->most, most, sizeof most);
    return RS_FAIL(error, RS_DATA, "%s: refused: unpacks to more than %s%s, which %s never needs", u->path,
                   most, in_file > limit ? " in one file" : "", u->stage->set->name);
}

/* Passes an entry's bytes on to `file`, or drops them when that is -1. */
static rs_status pass_bytes(unpacker *u, int file, uint64_t limit, rs_error *error)
{
    for (uint64_t in_file = 0;;) {
        la_ssize_t got = archive_read_data(u->archive, u->bytes, PIECE);
        if (got == ARCHIVE_RETRY) {
            continue;
        }
        if (got < 0) {
            return fail_to_read(u, error);
        }
        if (got == 0) {
            return RS_OK;
        }
        in_file += (uint64_t)got;
        RS_TRY(count_bytes(u, in_file, limit, (size_t)got, error));
        if (file >= 0) {
            RS_TRY(rs__stage_write(u->stage, file, u->bytes, (size_t)got, error));
        }
    }
}

static rs_status take_entry(unpacker *u, const char *path, int index, rs_error *error)
{
    int file = -1;
    (void)snprintf(u->taken[index], sizeof u->taken[index], "%s", base_name(path));
    RS_TRY(rs__stage_create(u->stage, u->taken[index], &file, error));
    rs_status status = pass_bytes(u, file, u->stage->set->file_limit, error);
    rs__stage_finish(u->stage, file, &status, error);
    return status;
}

static rs_status read_entries(unpacker *u, rs_error *error)
{
    for (int i = 0; i < MOST_ENTRIES; i++) {
        struct archive_entry *entry = NULL;
        int result = archive_read_next_header(u->archive, &entry);
        if (result == ARCHIVE_EOF) {
            return RS_OK;
        }
        if (result < ARCHIVE_WARN) {
            return fail_to_read(u, error);
        }
        const char *path = archive_entry_pathname(entry);
        int index = path ? wanted_index(u, path) : -1;
        if (index < 0) {
            RS_TRY(pass_bytes(u, -1, u->most, error));
        } else {
            RS_TRY(check_entry(u, entry, path, index, error));
            RS_TRY(take_entry(u, path, index, error));
        }
    }
    return RS_FAIL(error, RS_DATA, "%s: refused: more than %d entries", u->path, MOST_ENTRIES);
}

static rs_status check_complete(const unpacker *u, rs_error *error)
{
    for (int i = 0; i < u->stage->set->file_count; i++) {
        if (!*u->taken[i]) {
            return RS_FAIL(error, RS_DATA, "%s: %s is not in it, so it is no archive of %s", u->path,
                           u->stage->set->files[i], u->stage->set->name);
        }
    }
    return RS_OK;
}

/* --- the archive --------------------------------------------------------------------------------------------------- */

/* Only what needs no other program to run: "all filters" may start one. */
static rs_status open_archive(unpacker *u, rs_error *error)
{
    u->archive = archive_read_new();
    u->bytes = rs_alloc(PIECE);
    if (!u->archive || !u->bytes) {
        return RS_FAIL(error, RS_MEMORY, "out of memory");
    }
    (void)archive_read_support_filter_gzip(u->archive);
    (void)archive_read_support_filter_bzip2(u->archive);
    (void)archive_read_support_filter_xz(u->archive);
    (void)archive_read_support_filter_zstd(u->archive);
    (void)archive_read_support_format_tar(u->archive);
    (void)archive_read_support_format_zip(u->archive);
    return archive_read_open_filename(u->archive, u->path, PIECE) == ARCHIVE_OK ? RS_OK
                                                                                : fail_to_read(u, error);
}

rs_status rs__unpack(const rs__stage *stage, const char *path, rs_error *error)
{
    unpacker u = {.stage = stage,
                  .path = path,
                  .most = (uint64_t)stage->set->file_count * stage->set->file_limit + room_for_others};
    rs_status status = open_archive(&u, error);
    if (status == RS_OK) {
        status = read_entries(&u, error);
    }
    if (status == RS_OK) {
        status = check_complete(&u, error);
    }
    if (u.archive) {
        (void)archive_read_free(u.archive);
    }
    rs_free(u.bytes);
    return status;
}
