/*
 * Attention of a few query rows over keys and values as they are stored: the micro-kernels alone. Each stored row is
 * widened in registers, once for up to four query rows; sums are f32. A sum does not depend on how many query rows or
 * stored rows there are beside it.
 */
#ifndef KERNELS_SPARSE_ATTENTION_H
#define KERNELS_SPARSE_ATTENTION_H

#include <kernels/kernels.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Stored rows at most, and the floats from a query row's scores to the next one's. */
#define KERNELS_ATTENTION_TILE 64

/*
 * Query rows and a tile of keys, or of values.
 *
 * stored   [64] addresses of rows of head_dimension elements: all of them can be read, stored_count of them matter
 * ahead    [64] addresses of rows of the same length that will be wanted next, and are fetched meanwhile
 * queries  [query_count][stride], zeros from the head dimension on
 * scores   [query_count][64]
 * output   [query_count][stride]
 * stride   in elements, at least the head dimension rounded up to a multiple of 16
 */
typedef struct kernels_attention_rows {
    const uint8_t* const* stored;
    const uint8_t* const* ahead;
    const float* queries;
    float* scores;
    float* output;
    int32_t stored_count;   /* at least 0, at most 64 */
    int32_t query_count;    /* at least 0 */
    int32_t head_dimension; /* at least 1 */
    int32_t stride;
} kernels_attention_rows;

/* scores[q][j] = queries[q] times key j, for KERNELS_F32, F16, BF16 and I8. Scores of rows that do not matter may be
   written as well. The output is not used. */
KERNELS_API int32_t kernels_attention_score_keys(int32_t isa, int32_t type, const kernels_attention_rows* rows);

/* output[q] += sum over j of scores[q][j] times value j, in the order of j. The queries are not used. */
KERNELS_API int32_t kernels_attention_add_values(int32_t isa, int32_t type, const kernels_attention_rows* rows);

/* Tokens of a block of a plane, dimensions of a step, and bytes of a token's lane of a step. */
#define KERNELS_ATTENTION_BLOCK_TOKENS 16
#define KERNELS_ATTENTION_STEP_DIMENSIONS 8
#define KERNELS_ATTENTION_LANE_BYTES 4

/*
 * Query codes and blocks of keys in planes of four bits.
 *
 * high, low     [block_count] addresses of blocks [step_count][16 tokens][4 bytes]: the low nibbles of the bytes are
 *               dimensions 0 to 3 of the step, the high ones 4 to 7; low may be null, and counts as zeros then
 * ahead         [block_count] addresses of high blocks that will be wanted next, and are fetched meanwhile
 * token_scales  [block_count] addresses of 16 floats
 * codes         [head_count][step_count][8]: -127 to 127
 * scales, offsets  [head_count]
 */
typedef struct kernels_attention_planes {
    const uint8_t* const* high;
    const uint8_t* const* low;
    const uint8_t* const* ahead;
    const float* const* token_scales;
    const int8_t* codes;
    const float* scales;
    const float* offsets;
    float* scores;
    int64_t stride;      /* of scores, from a head to the next */
    int32_t block_count; /* at least 0 */
    int32_t step_count;  /* at least 0 */
    int32_t head_count;  /* at least 0 */
} kernels_attention_planes;

/* scores[h stride + 16 b + t] = scales[h] token_scales[b][t] (16 sum of high codes + sum of low codes + offsets[h]) for
   KERNELS_AVX_VNNI and KERNELS_AVX512_VNNI. */
KERNELS_API int32_t kernels_attention_score_planes(int32_t isa, const kernels_attention_planes* planes);

#ifdef __cplusplus
}
#endif

#endif
