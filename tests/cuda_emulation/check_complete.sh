#!/bin/sh
# Every function of CUDA, cuDNN and cuBLAS that the module imports is answered by the stand-in, or stands on the list below of
# those that the real libraries answer without a GPU: check_complete.sh MODULE STANDIN
set -eu
if [ $# -ne 2 ]; then
    echo "usage: check_complete.sh MODULE STANDIN" >&2
    exit 2
fi
# The texts and names of errors are tables; properties are the library's own version; the math type is read from a
# descriptor, which stays with the real library.
allowed='cudaGetErrorName cudaGetErrorString cudnnGetErrorString cudnnGetConvolutionMathType cublasGetProperty
cublasGetStatusName cublasGetStatusString'
imports=$(nm -D --undefined-only "$1" | grep -oE '\b(__)?(cuda|cudnn|cublas)[A-Za-z0-9_]+' | sort -u)
answers=$(nm -D --defined-only "$2" | awk '{print $3}')
count=0
status=0
for name in $imports; do
    count=$((count + 1))
    if ! printf '%s\n' "$answers" $allowed | grep -qx "$name"; then
        echo "check_complete.sh: the module calls $name, which the stand-in does not answer"
        status=1
    fi
done
if [ "$count" -lt 20 ]; then
    echo "check_complete.sh: only $count imports: is $1 the module, linked to the shared runtime?"
    status=1
fi
[ "$status" -ne 0 ] || echo "check_complete.sh: $count imports, all answered"
exit "$status"
