/* extract.c: reading archives through libarchive; see extract.h.
 *
 * Names in the archive never become paths: a file is written under its last name only, when that is one of the
 * set's own, into a folder made for it, with O_EXCL and O_NOFOLLOW. So nothing can be written elsewhere,
 * whatever the archive says; absolute names, ".." and links are refused all the same, because no honest
 * archive of these sets has them. */
#include "extract.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "folder.h"
#include "locate.h"
#include "rs/host.h"

enum { READ_BYTES = 1 << 16, MOST_ENTRIES = 10000 };

typedef struct unpacking {
    const char *path;
    const rs__set *set;
    const char *folder;
    struct archive *archive;
    uint64_t total, most; /* unpacked bytes of all entries; their bound */
} unpacking;

static rs_status fail_library(const unpacking *work, rs_error *error)
{
    const char *text = archive_error_string(work->archive);
    return RS_FAIL(error, RS_DATA, "%s: byte %" PRId64 ": damaged, cut off or no archive (%s)", work->path,
                   (int64_t)archive_filter_bytes(work->archive, -1), text ? text : "no details");
}

static bool leaves_folder(const char *name)
{
    for (const char *at = name; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (strncmp(at, "..", 2) == 0 && (at[2] == '/' || !at[2])) {
            return true;
        }
    }
    return *name == '/' || strchr(name, '\\') != NULL;
}

/* Regular files and folders with names that stay inside; nothing else. */
static rs_status check_entry(const unpacking *work, struct archive_entry *entry, const char **name,
                             rs_error *error)
{
    *name = archive_entry_pathname(entry);
    if (!*name) {
        return RS_FAIL(error, RS_DATA, "%s: an entry without a readable name; refused", work->path);
    }
    if (leaves_folder(*name)) {
        return RS_FAIL(error, RS_DATA, "%s: \"%.200s\" would lie outside its folder; refused", work->path,
                       *name);
    }
    if (archive_entry_hardlink(entry) || archive_entry_symlink(entry)) {
        return RS_FAIL(error, RS_DATA, "%s: \"%.200s\" is a link; refused", work->path, *name);
    }
    if (archive_entry_filetype(entry) != AE_IFREG && archive_entry_filetype(entry) != AE_IFDIR) {
        return RS_FAIL(error, RS_DATA, "%s: \"%.200s\" is neither file nor folder; refused", work->path,
                       *name);
    }
    return RS_OK;
}

/* Reads an entry to its end, to `file` or (-1) to nowhere; limits are checked as bytes come out, because what
 * an archive says of sizes proves nothing. */
static rs_status pass_entry(unpacking *work, const char *name, int file, const char *to, rs_error *error)
{
    unsigned char bytes[READ_BYTES];
    uint64_t size = 0;
    for (;;) {
        la_ssize_t got = archive_read_data(work->archive, bytes, sizeof bytes);
        if (got == 0) {
            return RS_OK;
        }
        if (got < 0) {
            return fail_library(work, error);
        }
        size += (uint64_t)got;
        work->total += (uint64_t)got;
        if (work->total > work->most || (file >= 0 && size > work->set->file_limit)) {
            return RS_FAIL(error, RS_DATA, "%s: \"%.200s\" unpacks to more than any file of %s; refused",
                           work->path, name, work->set->name);
        }
        if (file >= 0) {
            RS_TRY(rs__write_all(file, to, bytes, (size_t)got, error));
        }
    }
}

static rs_status write_entry(unpacking *work, const char *name, const char *file_name, rs_error *error)
{
    char path[PATH_MAX];
    rs_error closing;
    RS_TRY(rs__path_join(path, sizeof path, work->folder, file_name, error));
    int file = rs_files()->open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
    if (file < 0 && errno == EEXIST) {
        return RS_FAIL(error, RS_DATA, "%s: holds %s twice (\"%.200s\"): which one is meant?", work->path,
                       file_name, name);
    }
    if (file < 0) {
        return RS_FAIL(error, RS_IO, "can't make %s: %s", path, strerror(errno));
    }
    rs_status status = pass_entry(work, name, file, path, error);
    if (rs__close_synced(file, path, &closing) != RS_OK && status == RS_OK) {
        *error = closing;
        status = closing.status;
    }
    return status;
}

static rs_status unpack_entries(unpacking *work, rs_error *error)
{
    for (int entries = 0;; entries++) {
        struct archive_entry *entry;
        const char *name = NULL;
        int result = archive_read_next_header(work->archive, &entry);
        if (result == ARCHIVE_EOF) {
            return RS_OK;
        }
        if (result < ARCHIVE_WARN) {
            return fail_library(work, error);
        }
        if (entries == MOST_ENTRIES) {
            return RS_FAIL(error, RS_DATA, "%s: more than %d entries; refused", work->path, MOST_ENTRIES);
        }
        RS_TRY(check_entry(work, entry, &name, error));
        const char *slash = strrchr(name, '/'), *file_name = slash ? slash + 1 : name;
        bool wanted = archive_entry_filetype(entry) == AE_IFREG && rs__locate_is_file(work->set, file_name);
        RS_TRY(wanted ? write_entry(work, name, file_name, error) : pass_entry(work, name, -1, "", error));
    }
}

static rs_status open_archive(unpacking *work, rs_error *error)
{
    struct stat status;
    if (stat(work->path, &status) != 0) {
        return RS_FAIL(error, RS_DATA, "%s: %s", work->path, strerror(errno));
    }
    work->archive = archive_read_new();
    if (!work->archive) {
        return RS_FAIL(error, RS_MEMORY, "out of memory");
    }
    (void)archive_read_support_filter_gzip(work->archive); /* not all there are: some start other programs */
    (void)archive_read_support_filter_bzip2(work->archive);
    (void)archive_read_support_filter_xz(work->archive);
    (void)archive_read_support_filter_zstd(work->archive);
    if (archive_read_support_format_tar(work->archive) != ARCHIVE_OK ||
        archive_read_support_format_zip(work->archive) != ARCHIVE_OK ||
        archive_read_open_filename(work->archive, work->path, READ_BYTES) != ARCHIVE_OK) {
        return fail_library(work, error);
    }
    return RS_OK;
}

rs_status rs__extract(const char *archive, const rs__set *set, const char *folder, rs_error *error)
{
    unpacking work = {.path = archive, .set = set, .folder = folder};
    work.most = set->file_limit * (uint64_t)set->file_count * 2;
    rs_status status = open_archive(&work, error);
    if (status == RS_OK) {
        status = unpack_entries(&work, error);
    }
    if (work.archive) {
        (void)archive_read_free(work.archive);
    }
    return status;
}
