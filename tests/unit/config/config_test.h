/* config_test.h: what the tests of config share: cmocka and comparing error messages. */
#ifndef RS_TESTS_CONFIG_TEST_H
#define RS_TESTS_CONFIG_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "rs/config.h"

/* Fails unless the call was refused as USAGE with exactly that text. */
#define ASSERT_REFUSED(call, message)                                                                        \
    do {                                                                                                     \
        rs_error error = {0};                                                                                \
        assert_int_equal((call), RS_USAGE);                                                                  \
        assert_int_equal(error.status, RS_USAGE);                                                            \
        assert_string_equal(error.text, message);                                                            \
    } while (0)

/* Fails, with the message, unless the call succeeds. */
#define ASSERT_TAKEN(call)                                                                                   \
    do {                                                                                                     \
        rs_error error = {0};                                                                                \
        rs_status taken_ = (call);                                                                           \
        if (taken_ != RS_OK) {                                                                               \
            print_error("%s\n", error.text);                                                                 \
        }                                                                                                    \
        assert_int_equal(taken_, RS_OK);                                                                     \
    } while (0)

#endif
