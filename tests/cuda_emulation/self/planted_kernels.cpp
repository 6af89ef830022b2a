/* planted_kernels.cpp: the CPU build of the planted kernels. planted_unlisted (planted.cu) is left out on
 * purpose. */
#include "shim.h"

#include "planted.cuh"

RS_EMU_KERNEL(planted_double)
RS_EMU_KERNEL(planted_double_4)
RS_EMU_KERNEL(planted_twice)
RS_EMU_KERNEL(planted_past_end)
RS_EMU_KERNEL(planted_block_sum)
RS_EMU_KERNEL(planted_block_sum_race)
RS_EMU_KERNEL(planted_warp_turn)
RS_EMU_KERNEL(planted_warp_turn_race)
RS_EMU_KERNEL(planted_device_turn)
RS_EMU_KERNEL(planted_device_turn_race)
RS_EMU_KERNEL(planted_blocks_write)
RS_EMU_KERNEL(planted_shared_unwritten)
RS_EMU_KERNEL(planted_shared_outside)
RS_EMU_KERNEL(planted_half_barrier)
RS_EMU_KERNEL(planted_two_barriers)
RS_EMU_KERNEL(planted_warp_sum)
RS_EMU_KERNEL(planted_shuffle_ended)
RS_EMU_KERNEL(planted_last_wins)
RS_EMU_KERNEL(planted_much_shared)
