/* archive.c: archives as the downloader unpacks them. Whatever they hold, nothing but the set's own files, no larger than
 * they may be, comes out of them, and nothing outside the folder. */
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "extract.h"
#include "fuzz.h"
#include "rs/host.h"

enum { LIMIT = 4096 };

static const char *const names[] = {"a.bin", "b.bin"};
static const rs__set set = {
    .name = "small", .title = "small", .files = names, .file_count = 2, .file_limit = LIMIT};
static char around[64], folder[80];

/* On a disk every file would be waited for. */
static int no_sync(int file)
{
    (void)file;
    return 0;
}

static void make_folders(void)
{
    static rs_file_operations operations;
    operations = *rs_files();
    operations.fsync = no_sync;
    rs_set_files(&operations);
    (void)snprintf(around, sizeof around, "%s/resnet_study_fuzz.XXXXXX", rs_fuzz_folder());
    RS_ASSERT(mkdtemp(around));
    (void)snprintf(folder, sizeof folder, "%s/in", around);
}

/* Removes what lies in a folder; how many there were. */
static int empty(const char *path, bool whole)
{
    DIR *stream = opendir(path);
    int count = 0;
    RS_ASSERT(stream);
    for (struct dirent *entry; (entry = readdir(stream));) {
        struct stat about;
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
            continue;
        }
        RS_ASSERT(strcmp(entry->d_name, names[0]) == 0 || strcmp(entry->d_name, names[1]) == 0 ||
                  strcmp(entry->d_name, "a.bin.gz") == 0 || strcmp(entry->d_name, "b.bin.gz") == 0);
        RS_ASSERT(fstatat(dirfd(stream), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0);
        RS_ASSERT(S_ISREG(about.st_mode) && about.st_nlink == 1 && (about.st_mode & 07111) == 0);
        RS_ASSERT(!whole || about.st_size <= LIMIT);
        RS_ASSERT(unlinkat(dirfd(stream), entry->d_name, 0) == 0);
        count++;
    }
    (void)closedir(stream);
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    rs_error error;
    if (!around[0]) {
        make_folders();
    } else {
        RS_ASSERT(mkdir(around, 0700) == 0);
    }
    RS_ASSERT(mkdir(folder, 0700) == 0);
    rs_status status = rs__extract(rs_fuzz_file(0, data, size), &set, folder, &error);
    rs_fuzz_settle(status, &error);
    if (empty(folder, status == RS_OK) > 0 && !status) {
        rs_fuzz_accept();
    }
    RS_ASSERT(rmdir(folder) == 0 && rmdir(around) == 0); /* nothing beside it either */
    return 0;
}
