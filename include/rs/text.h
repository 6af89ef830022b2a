/* rs/text.h: small text services: nearest word, lists, escapes. */
#ifndef RS_TEXT_H
#define RS_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* The word of the list with the fewest edits (insert, delete, replace, swap of neighbours) from `word`,
 * where even that is further than 1 of up to four letters, 2 of up to eight, a third of more, the shortest that begins with
 * `word` or with which it begins, of three letters at least; else NULL. */
const char *rs_text_nearest(const char *word, const char *const *list, int count);

/* The same of devices: what is called a GPU elsewhere is cuda here. */
const char *rs_text_nearest_device(const char *word);

/* As strcmp, but two numbers by size: the order of settings in tables and keys. */
int rs_text_compare(const char *a, const char *b);

/* Copies the next part of a list, without blanks around it, and moves *at behind its separator; false at the
 * end. Empty parts are skipped; a part longer than the capacity is cut. */
bool rs_text_next_word(const char **at, char separator, char *word, size_t capacity);

/* Whole text as a number; false when it is none, or has anything behind it, or overflows. */
bool rs_text_int(const char *text, int64_t *value);
bool rs_text_real(const char *text, double *value);

/* "1.5 GiB", "640 KiB", "12 bytes". */
void rs_text_bytes(uint64_t bytes, char *text, size_t capacity);

/* "1 thread", "8 threads"; "" for none. */
void rs_text_threads(int threads, char *text, size_t capacity);

/* What the name of `count` things ends in: "" for one, else "s". */
const char *rs_text_s(int64_t count);

/* "7 s", "1m20s", "2h05m", "3d04h"; "?" for what is no time (negative, not finite). */
void rs_text_duration(double seconds, char *text, size_t capacity);

/* Shell-style match: '*' any run, '?' any one character, all else itself. */
bool rs_text_glob(const char *pattern, const char *text);

/* Bytes of the UTF-8 character at `text`, 1 to 4; 0 where there is none: cut off, overlong, a surrogate or beyond U+10FFFF. */
int rs_text_letter(const char *text);

/* Prints a text from column `indent` on, where the stream stands at `column` before it, and ends the line: no line beyond 100
 * columns, broken between words or, in a longer word, behind a '|'; later lines begin at `indent`, too. */
void rs_text_print_wrapped(FILE *stream, const char *text, int column, int indent);

/* The value, NaN without a sign: printf writes that of a NaN, and 0.0 / 0.0 has one. */
double rs_text_plain(double value);
/* How YAML has a value that is not finite: ".nan", ".inf", "-.inf". */
const char *rs_text_yaml_special(double value);

#endif
