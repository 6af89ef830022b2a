/* kernel_table.cpp: the CPU build of all our kernels, registered under the names that nvcc's stubs use. */
#include "shim.h"

#include "kernels.cuh"

#define RS_CU_KERNEL(name) RS_EMU_KERNEL(name)
#include "kernel_list.def"
