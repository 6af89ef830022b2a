/* locate.c: finding the files of a set; see locate.h.
 *
 * A set is found only where all its files are: training on half of one would be training on something else.
 */
#include "locate.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

rs_status rs__path_join(char *path, size_t capacity, const char *directory, const char *name, rs_error *error)
{
    bool bare = !*name || (*directory && directory[strlen(directory) - 1] == '/');
    int length = snprintf(path, capacity, "%s%s%s", directory, bare ? "" : "/", name);
    if (length < 0 || (size_t)length >= capacity) {
        return RS_FAIL(error, RS_DATA, "path too long: %.200s.../%s", directory, name);
    }
    return RS_OK;
}

rs_status rs__data_directory(const char *given, char *path, size_t capacity, rs_error *error)
{
    const char *own = getenv("RS_DATA_DIR");
    if (*given || (own && *own)) {
        return rs__path_join(path, capacity, *given ? given : own, "", error);
    }
    const char *cache = getenv("XDG_CACHE_HOME");
    if (cache && *cache == '/') { /* relative values are void by the XDG rules */
        return rs__path_join(path, capacity, cache, "resnet_study", error);
    }
    const char *home = getenv("HOME");
    if (!home || !*home) {
        const struct passwd *user = getpwuid(getuid());
        home = user ? user->pw_dir : NULL;
    }
    if (!home || !*home) {
        return RS_FAIL(error, RS_DATA, "no home directory to keep data sets in: give --data-dir DIR");
    }
    return rs__path_join(path, capacity, home, ".cache/resnet_study", error);
}

static bool is_file(const char *folder, const char *name)
{
    char path[PATH_MAX];
    struct stat status;
    rs_error ignored;
    return rs__path_join(path, sizeof path, folder, name, &ignored) == RS_OK && stat(path, &status) == 0 &&
           S_ISREG(status.st_mode);
}

/* IDX files come packed or not, and with a dot for the last dash from unpacking them on Windows. */
bool rs__locate_variant(const rs__set *set, int index, int variant, char *name, size_t capacity)
{
    if (variant >= (set->format == RS__FORMAT_IDX ? 4 : 1)) {
        return false;
    }
    (void)snprintf(name, capacity, "%s%s", set->files[index], variant % 2 ? ".gz" : "");
    char *dash = variant / 2 ? strstr(name, "-idx") : NULL;
    if (dash) {
        *dash = '.';
    }
    return true;
}

bool rs__locate_is_file(const rs__set *set, const char *name)
{
    char allowed[64];
    for (int i = 0; i < set->file_count; i++) {
        for (int v = 0; rs__locate_variant(set, i, v, allowed, sizeof allowed); v++) {
            if (strcmp(name, allowed) == 0) {
                return true;
            }
        }
    }
    return false;
}

static bool find_file(const rs__set *set, const char *folder, int index, char *found, size_t capacity)
{
    for (int v = 0; rs__locate_variant(set, index, v, found, capacity); v++) {
        if (is_file(folder, found)) {
            return true;
        }
    }
    return false;
}

bool rs__locate_in(const rs__set *set, const char *folder, rs__location *location, const char **missing)
{
    rs_error ignored;
    if (rs__path_join(location->folder, sizeof location->folder, folder, "", &ignored) != RS_OK) {
        return false;
    }
    for (int i = 0; i < set->file_count; i++) {
        if (!find_file(set, folder, i, location->file[i], sizeof location->file[i])) {
            if (missing) {
                *missing = set->files[i];
            }
            return false;
        }
    }
    return true;
}

/* DIR itself may be Fashion-MNIST's own folder, whose files bear MNIST's names. */
static bool is_other_set(const rs__set *set, const char *directory)
{
    return strcmp(set->name, "mnist") == 0 && strcasestr(directory, "fashion") != NULL;
}

bool rs__locate(const rs__set *set, const char *directory, rs__location *location)
{
    for (int i = 0; set->folders[i]; i++) {
        char folder[PATH_MAX];
        rs_error ignored;
        if (!*set->folders[i] && is_other_set(set, directory)) {
            continue;
        }
        if (rs__path_join(folder, sizeof folder, directory, set->folders[i], &ignored) == RS_OK &&
            rs__locate_in(set, folder, location, NULL)) {
            return true;
        }
    }
    return false;
}

/* The folder that has some files, but not all: the likeliest place of an accident. */
static bool find_partial(const rs__set *set, const char *directory, char *folder, size_t capacity,
                         const char **missing)
{
    for (int i = 0; set->folders[i]; i++) {
        rs_error ignored;
        rs__location location;
        char found[64];
        if (rs__path_join(folder, capacity, directory, set->folders[i], &ignored) != RS_OK) {
            continue;
        }
        for (int j = 0; j < set->file_count; j++) {
            if (find_file(set, folder, j, found, sizeof found)) {
                return !rs__locate_in(set, folder, &location, missing);
            }
        }
    }
    return false;
}

rs_status rs__locate_fail(const rs__set *set, const char *directory, rs_error *error)
{
    char folder[PATH_MAX], other[PATH_MAX], what[PATH_MAX + 128];
    const char *missing = "";
    struct stat status;
    rs_error ignored;
    if (find_partial(set, directory, folder, sizeof folder, &missing)) {
        bool exists = rs__path_join(other, sizeof other, folder, missing, &ignored) == RS_OK &&
                      stat(other, &status) == 0;
        (void)snprintf(what, sizeof what, "%s: %s/%s is %s", set->name, folder, missing,
                       exists ? "not a regular file" : "missing");
    } else if (set->look_alike &&
               rs__path_join(folder, sizeof folder, directory, set->look_alike, &ignored) == RS_OK &&
               stat(folder, &status) == 0) {
        (void)snprintf(what, sizeof what, "%s: %s is the Python version, the binary version is needed",
                       set->name, folder);
    } else {
        (void)snprintf(what, sizeof what, "data set %s is not in %s", set->name, directory);
    }
    return RS_FAIL(
        error, RS_DATA,
        "%.300s; fetch it: resnet_study data fetch %s --data-dir %.200s; by hand: get %s%s%s and add --from "
        "FILE_OR_DIR to that; or put %s%s into %.200s/%s",
        what, set->name, directory, set->bases[0], set->downloads[0].file,
        set->download_count > 1 ? " (and the other files there)" : "", set->files[0],
        set->file_count > 1 ? ", ..." : "", directory, set->folders[0]);
}
