/*
 * Softmax, log-softmax and log-sum-exp over rows, their gradients, and the largest probabilities of each row.
 *
 * A logit x becomes, each step rounded to the compute type (f32, or f64 for f64): z = scale x; with a soft cap
 * z = soft_cap tanh(z / soft_cap); with a mask z = z + mask; minus infinity where the boolean mask is 0. Positions at
 * or beyond a row's length are left out of the row; they get 0, or -inf for log-probabilities.
 *
 * Special values: a NaN or +inf among a row's logits makes what it gets up to its length NaN; its log-sum-exp is NaN,
 * or +inf if no NaN is among them. A row of nothing but -inf, or of length 0, gets NaN throughout, or if safe what left
 * out positions get; its log-sum-exp is -inf.
 *
 * Results do not depend on how rows or chunks are shared out among threads. Outputs may be exactly their input
 * (same address and strides) but must not overlap it otherwise.
 */
#ifndef KERNELS_SOFTMAX_H
#define KERNELS_SOFTMAX_H

#include <kernels/kernels.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    KERNELS_SOFTMAX_PROBABILITIES = 0,
    KERNELS_SOFTMAX_LOG_PROBABILITIES = 1,
    KERNELS_SOFTMAX_LOG_SUM_EXP = 2,
};

/*
 * Rows of an array. Element a of row r = outer * inner_count + inner stands at
 * outer * row_stride + a * inner_count + inner; a log-sum-exp writes element r of the output. Strides count elements.
 * Pointers to mask, boolean_mask and row_lengths may be null; a mask with row stride 0 serves every outer index.
 */
typedef struct kernels_softmax_rows {
    const void* input;
    void* output;
    const void* mask;
    const uint8_t* boolean_mask;
    const int32_t* row_lengths; /* [rows], each 0 to row_length; only with inner_count 1 */
    int64_t input_row_stride;
    int64_t output_row_stride;
    int64_t mask_row_stride;
    int64_t boolean_mask_row_stride;
    double scale;    /* finite; 1 for none */
    double soft_cap; /* finite; 0 for none */
    int32_t operation;
    int32_t outer_count;
    int32_t row_length;
    int32_t inner_count;
    int32_t causal_query_count; /* at least 1; query q = row mod this sees keys 0 to q + row_length - this */
    int32_t causal;             /* 0 or 1; only with inner_count 1 */
    int32_t safe;               /* 0 or 1 */
    int32_t reserved;           /* 0 */
} kernels_softmax_rows;

/* Contiguous rows of a gradient. result holds what the forward call gave; logits may be null without a soft cap. */
typedef struct kernels_softmax_gradient_rows {
    const void* output_gradient;
    const void* result;
    const void* logits;
    void* logit_gradient;
    double scale;
    double soft_cap;
    int32_t row_count;
    int32_t row_length;
    int32_t is_log;   /* 0 or 1: result holds log-probabilities */
    int32_t reserved; /* 0 */
} kernels_softmax_gradient_rows;

/*
 * The sum of exp(z) over a part of a row: mantissa * 2^exponent * exp(shift), with the largest z of the part.
 * NaN in the part makes the mantissa NaN; a part of only -inf has mantissa 0.
 */
typedef struct kernels_softmax_sum {
    double mantissa;
    double exponent;
    double shift;
    double maximum;
} kernels_softmax_sum;

/*
 * Does the rows [row_begin, row_end) of the operation that rows names. With inner_count above 1 that is fastest where a
 * range begins and ends at a multiple of kernels_softmax_tile_length within its outer index.
 */
KERNELS_API int32_t kernels_softmax_compute(int32_t isa, int32_t type, const kernels_softmax_rows* rows,
                                            int64_t row_begin, int64_t row_end);

/* The number of adjacent columns (rows with inner_count above 1) that are done together; 0 for an unknown type. */
KERNELS_API int64_t kernels_softmax_tile_length(int32_t type, int64_t row_length);

/*
 * The length of the chunks that one row is cut into when it is shared out: a function of the row's length alone, so
 * that results do not depend on threads. At most KERNELS_SOFTMAX_CHUNK_LIMIT chunks; 1 chunk: not worth sharing out.
 */
#define KERNELS_SOFTMAX_CHUNK_LIMIT 1024
KERNELS_API int64_t kernels_softmax_chunk_length(int64_t row_length);

/*
 * The sum over those of the positions [begin, end) of a row that take part. The row's chunks combine to its sum.
 * inner_count must be 1.
 */
KERNELS_API int32_t kernels_softmax_partial_sum(int32_t isa, int32_t type, const kernels_softmax_rows* rows,
                                                int64_t row, int64_t begin, int64_t end, kernels_softmax_sum* sum);

/* The sum of the parts, taken in order. count may be 0: the sum of nothing. */
KERNELS_API int32_t kernels_softmax_combine(const kernels_softmax_sum* parts, int64_t count, kernels_softmax_sum* sum);

/*
 * Writes the outputs at the positions [begin, end) of a row, given the sum over the whole row; positions beyond the
 * row's length get what masked positions get. A log-sum-exp is written whatever the positions are. inner_count must
 * be 1.
 */
KERNELS_API int32_t kernels_softmax_normalize(int32_t isa, int32_t type, const kernels_softmax_rows* rows, int64_t row,
                                              int64_t begin, int64_t end, const kernels_softmax_sum* sum);

/*
 * The gradient by the logits of the rows [row_begin, row_end); logit_gradient may be any of the inputs. It is 0 where
 * the result is 0, or -inf of log-probabilities: such a position took no part, and nothing that stands there counts.
 * Log-probabilities above 22, which no log-softmax gives, count as 22.
 */
KERNELS_API int32_t kernels_softmax_backward(int32_t isa, int32_t type, const kernels_softmax_gradient_rows* rows,
                                             int64_t row_begin, int64_t row_end);

/*
 * The count largest probabilities of the rows [row_begin, row_end), descending, ties by lower index, and their
 * positions. values and indices are [rows, count]; rows->output is not used; inner_count must be 1.
 */
KERNELS_API int32_t kernels_softmax_top_k(int32_t isa, int32_t type, const kernels_softmax_rows* rows,
                                          int64_t row_begin, int64_t row_end, void* values, int32_t* indices,
                                          int32_t count);

#ifdef __cplusplus
}
#endif

#endif
