# Writes a C file that holds a text file as an array of characters with a zero at its end: -DINPUT -DOUTPUT -DNAME -DHEADER.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "((0x..,){24})" "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "/* made from ${INPUT} by cmake/embed.cmake */\n#include \"${HEADER}\"\nconst char ${NAME}[] = {\n${bytes}0x00};\n")
