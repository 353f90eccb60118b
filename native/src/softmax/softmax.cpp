// The exports: validation and dispatch.
#include <kernels/softmax.h>

#include "../select.h"
#include "kernel_table.h"
#include "sums.h"
#include "tiles.h"

#include <cmath>

namespace kernels::softmax {

namespace {

bool is_type(int32_t type) {
    return type >= 0 && type < type_count;
}

// Of each instruction set, the tables of all element types.
using type_tables = const kernel_table[type_count];

constexpr isa_kernels<type_tables> kernels_by_isa[] = {
    {KERNELS_SCALAR, &scalar_kernels},
#if defined(KERNELS_X86)
    {KERNELS_AVX2, &avx2_kernels},
    {KERNELS_AVX512, &avx512_kernels},
#endif
};

int32_t find(int32_t isa, int32_t type, const kernel_table** table) {
    if (!is_type(type))
        return KERNELS_UNSUPPORTED_TYPE;
    type_tables* const tables = select<kernels_by_isa>(isa);
    if (tables == nullptr)
        return KERNELS_UNSUPPORTED_ISA;
    *table = &(*tables)[type];
    return KERNELS_OK;
}

bool is_range(int64_t begin, int64_t end, int64_t count) {
    return begin >= 0 && begin <= end && end <= count;
}

int64_t row_count(const kernels_softmax_rows& rows) {
    return int64_t(rows.outer_count) * rows.inner_count;
}

bool is_valid(const kernels_softmax_rows* rows) {
    if (rows == nullptr || rows->outer_count < 0 || rows->row_length < 0 || rows->inner_count < 0)
        return false;
    if (row_count(*rows) == 0)
        return true;
    if (rows->inner_count != 1 && (rows->causal || rows->row_lengths != nullptr))
        return false;
    if (rows->operation < KERNELS_SOFTMAX_PROBABILITIES || rows->operation > KERNELS_SOFTMAX_LOG_SUM_EXP)
        return false;
    return (rows->input != nullptr || rows->row_length == 0) && rows->input_row_stride >= 0 &&
           rows->output_row_stride >= 0 && rows->mask_row_stride >= 0 && rows->boolean_mask_row_stride >= 0 &&
           std::isfinite(rows->scale) && std::isfinite(rows->soft_cap) && rows->causal_query_count >= 1;
}

bool is_part(const kernels_softmax_rows* rows, int64_t row, int64_t begin, int64_t end) {
    return is_valid(rows) && rows->inner_count == 1 && is_range(row, row + 1, row_count(*rows)) &&
           is_range(begin, end, rows->row_length);
}

bool has_output(const kernels_softmax_rows& rows) {
    const bool nothing_written = rows.row_length == 0 && rows.operation != KERNELS_SOFTMAX_LOG_SUM_EXP;
    return rows.output != nullptr || nothing_written;
}

} // namespace

} // namespace kernels::softmax

using namespace kernels::softmax;

extern "C" {

int32_t kernels_softmax_compute(int32_t isa, int32_t type, const kernels_softmax_rows* rows, int64_t row_begin,
                                int64_t row_end) {
    const kernel_table* table;
    if (const int32_t status = find(isa, type, &table); status != KERNELS_OK)
        return status;
    if (!is_valid(rows) || !is_range(row_begin, row_end, row_count(*rows)))
        return KERNELS_INVALID_ARGUMENT;
    if (row_begin == row_end)
        return KERNELS_OK;
    if (!has_output(*rows))
        return KERNELS_INVALID_ARGUMENT;
    table->compute(*rows, row_begin, row_end);
    return KERNELS_OK;
}

int64_t kernels_softmax_tile_length(int32_t type, int64_t row_length) {
    return is_type(type) ? tile_length(row_length, scalar_kernels[type].element_bytes) : 0;
}

int64_t kernels_softmax_chunk_length(int64_t row_length) {
    return chunk_length(row_length);
}

int32_t kernels_softmax_partial_sum(int32_t isa, int32_t type, const kernels_softmax_rows* rows, int64_t row,
                                    int64_t begin, int64_t end, kernels_softmax_sum* sum) {
    const kernel_table* table;
    if (const int32_t status = find(isa, type, &table); status != KERNELS_OK)
        return status;
    if (!is_part(rows, row, begin, end) || sum == nullptr)
        return KERNELS_INVALID_ARGUMENT;
    *sum = table->partial_sum(*rows, row, begin, end);
    return KERNELS_OK;
}

int32_t kernels_softmax_combine(const kernels_softmax_sum* parts, int64_t count, kernels_softmax_sum* sum) {
    if (sum == nullptr || count < 0 || (parts == nullptr && count > 0))
        return KERNELS_INVALID_ARGUMENT;
    *sum = combine(parts, count);
    return KERNELS_OK;
}

int32_t kernels_softmax_normalize(int32_t isa, int32_t type, const kernels_softmax_rows* rows, int64_t row,
                                  int64_t begin, int64_t end, const kernels_softmax_sum* sum) {
    const kernel_table* table;
    if (const int32_t status = find(isa, type, &table); status != KERNELS_OK)
        return status;
    if (!is_part(rows, row, begin, end) || sum == nullptr || !has_output(*rows))
        return KERNELS_INVALID_ARGUMENT;
    table->normalize(*rows, row, begin, end, *sum);
    return KERNELS_OK;
}

int32_t kernels_softmax_backward(int32_t isa, int32_t type, const kernels_softmax_gradient_rows* rows,
                                 int64_t row_begin, int64_t row_end) {
    const kernel_table* table;
    if (const int32_t status = find(isa, type, &table); status != KERNELS_OK)
        return status;
    if (rows == nullptr || rows->row_count < 0 || rows->row_length < 0 ||
        !is_range(row_begin, row_end, rows->row_count) || !std::isfinite(rows->scale) || !std::isfinite(rows->soft_cap))
        return KERNELS_INVALID_ARGUMENT;
    if (row_begin == row_end || rows->row_length == 0)
        return KERNELS_OK;
    if (rows->output_gradient == nullptr || rows->result == nullptr || rows->logit_gradient == nullptr ||
        (rows->soft_cap != 0 && rows->logits == nullptr))
        return KERNELS_INVALID_ARGUMENT;
    table->backward(*rows, row_begin, row_end);
    return KERNELS_OK;
}

int32_t kernels_softmax_top_k(int32_t isa, int32_t type, const kernels_softmax_rows* rows, int64_t row_begin,
                              int64_t row_end, void* values, int32_t* indices, int32_t count) {
    const kernel_table* table;
    if (const int32_t status = find(isa, type, &table); status != KERNELS_OK)
        return status;
    if (!is_valid(rows) || rows->inner_count != 1 || !is_range(row_begin, row_end, row_count(*rows)) || count < 0 ||
        count > rows->row_length)
        return KERNELS_INVALID_ARGUMENT;
    if (row_begin == row_end || count == 0)
        return KERNELS_OK;
    if (values == nullptr || indices == nullptr)
        return KERNELS_INVALID_ARGUMENT;
    table->top_k(*rows, row_begin, row_end, values, indices, count);
    return KERNELS_OK;
}

} // extern "C"
