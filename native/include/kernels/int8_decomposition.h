/*
 * Integer products of LLM.int8(): the micro-kernel alone. Exact for all bytes from -128 to 127; sums are modulo 2^32,
 * so every instruction set gives the same bits.
 */
#ifndef KERNELS_INT8_DECOMPOSITION_H
#define KERNELS_INT8_DECOMPOSITION_H

#include <kernels/kernels.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Outputs of a panel, inputs of a step, and rows of a tile of activations. */
#define KERNELS_INT8_PANEL_COLUMNS 32
#define KERNELS_INT8_STEP_INPUTS 4
#define KERNELS_INT8_TILE_ROWS 6

/*
 * Some steps of a panel of weights, and the same steps of rows of activations.
 *
 * weights      [step][32 outputs][4 inputs], signed bytes
 * activations  [tile][step][row of tile][4 inputs], where an input is, by instruction set,
 *                scalar                signed byte a
 *                AVX2                  16-bit integer a
 *                AVX-VNNI, AVX-512     byte a + 128: vpdpbusd wants one side unsigned. The product then has 128 times
 *                                      the sum of the weights too much, which the caller takes off
 */
typedef struct kernels_int8_block {
    const uint8_t* weights;
    const void* activations;
    int64_t step_bytes; /* of activations, from a step of a tile to the next */
    int64_t tile_bytes; /* of activations, from a tile to the next */
    int32_t row_count;  /* at least 0; nothing is read beyond the last row */
    int32_t step_count; /* at least 0 */
} kernels_int8_block;

/* sums[row][output] += sum over the inputs of activations times weights; sums are [row_count][32]. */
KERNELS_API int32_t kernels_int8_add(int32_t isa, const kernels_int8_block* block, int32_t* sums);

#ifdef __cplusplus
}
#endif

#endif
