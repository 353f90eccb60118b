/*
 * Products of eight-bit activations with quantised weights: the micro-kernel of the eight-bit arithmetic. With
 * activations s_a a (a in -127..127) and weights s_w (q - z), a segment adds
 *
 *   sums[row][column] += s_w (s_a (sum a q - z sum a))
 *
 * over its inputs, one segment after another. The integers in parentheses are below 2^24, so floats hold them exactly;
 * then a product and a fused multiply-add round. Every instruction set gives the same bits, and a row's do not depend
 * on the other rows.
 *
 * No intermediate saturates: four-bit weights stay unsigned, two products are at most 2 * 15 * 127 = 3810 in magnitude
 * and eight pairs 30480 < 32767; eight-bit weights are cut into nibbles where there is no 32-bit dot product.
 */
#ifndef KERNELS_MIXED_PRECISION_GEMM_H
#define KERNELS_MIXED_PRECISION_GEMM_H

#include <kernels/kernels.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Outputs of a panel, inputs of a step, and the most steps of a segment. */
#define KERNELS_GEMM_PANEL_COLUMNS 64
#define KERNELS_GEMM_STEP_INPUTS 8
#define KERNELS_GEMM_LONGEST_SEGMENT 16

/*
 * A run of segments of a panel of 64 outputs, each of as many steps of 8 inputs. A step stands as 64 lanes of 4 bytes:
 *   4 bits: byte i of lane c = q[input i][output c] | q[input i + 4][output c] << 4
 *   8 bits: 64 lanes with inputs 0 to 3, then 64 with inputs 4 to 7
 */
typedef struct kernels_gemm_segments {
    const uint8_t* weights;     /* [segment][step] */
    const void* scales;         /* 64 of scale_type for each group */
    const uint8_t* zero_points; /* 64 for each group, or null: symmetric_zero for all */
    int32_t scale_type;         /* KERNELS_F32, KERNELS_F16 or KERNELS_BF16; finite scales */
    int32_t symmetric_zero;     /* 0 to 255 */
    int32_t step_count;         /* of a segment: 1 to 16 */
    int32_t bits;               /* 4 or 8 */
    int32_t segment_count;      /* at least 0 */
    int32_t group_stride; /* outputs from a segment's scales to the next one's: 64, or 0 if all are of one group */
} kernels_gemm_segments;

/* What meets each segment: rows of activations, one after another, each of 8 step_count signed bytes from -127 to 127.
 */
typedef struct kernels_gemm_activations {
    const void* values; /* [segment][row][8 step_count] */
    const void* scales; /* f32 [segment][row] */
    const void* sums;   /* f32 [segment][row]: the sum of the row's values in the segment */
    int64_t row_count;  /* at least 0 */
} kernels_gemm_activations;

/* Adds the segments, in order, to sums, f32 [row_count][64]. */
KERNELS_API int32_t kernels_gemm_add_int8(int32_t isa, const kernels_gemm_segments* segments,
                                          const kernels_gemm_activations* activations, void* sums);

#ifdef __cplusplus
}
#endif

#endif
