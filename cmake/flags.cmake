# Compiler settings for all of our own code, carried by the target rs_flags.
set(CMAKE_C_STANDARD 11)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS ON) # C11 and the POSIX and GNU interfaces of glibc
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
set(CMAKE_C_FLAGS_RELEASE "-O3") # no NDEBUG: RS_ASSERT and assert stay on

option(RS_WERROR "Warnings are errors" ON)
set(RS_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize=")

add_library(rs_flags INTERFACE)
target_compile_options(rs_flags INTERFACE -Wall -Wextra -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes
                       -Wvla -Wno-format-truncation -ffp-contract=off -fno-math-errno -fstack-protector-strong -fvisibility=hidden)
target_compile_definitions(rs_flags INTERFACE _GNU_SOURCE)
target_include_directories(rs_flags INTERFACE ${PROJECT_SOURCE_DIR}/include)
if(RS_WERROR)
  target_compile_options(rs_flags INTERFACE -Werror)
endif()
if(RS_SANITIZE)
  target_compile_options(rs_flags INTERFACE -fsanitize=${RS_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  target_link_options(rs_flags INTERFACE -fsanitize=${RS_SANITIZE})
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_definitions(rs_flags INTERFACE _FORTIFY_SOURCE=2)
  target_link_options(rs_flags INTERFACE -Wl,-z,relro,-z,now)
endif()
include(CheckPIESupported)
check_pie_supported()
