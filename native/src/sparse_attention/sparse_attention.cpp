// The exports: validation and dispatch.
#include <kernels/sparse_attention.h>

#include "kernel_table.h"

namespace kernels::attention {

namespace {

const kernel_table* find(int32_t isa) {
    if (kernels_cpu_supports(isa) != KERNELS_OK)
        return nullptr;
    switch (isa) {
#if defined(KERNELS_X86)
    case KERNELS_AVX512:
        return &avx512_kernels;
    case KERNELS_AVX2:
        return &avx2_kernels;
#endif
    case KERNELS_SCALAR:
        return &scalar_kernels;
    default:
        return nullptr;
    }
}

const stream_kernels* find(const kernel_table& table, int32_t type) {
    switch (type) {
    case KERNELS_F32:
        return &table.f32;
    case KERNELS_F16:
        return &table.f16;
    case KERNELS_BF16:
        return &table.bf16;
    case KERNELS_I8:
        return &table.i8;
    default:
        return nullptr;
    }
}

plane_function* find_planes(int32_t isa) {
    if (kernels_cpu_supports(isa) != KERNELS_OK)
        return nullptr;
    switch (isa) {
#if defined(KERNELS_X86)
    case KERNELS_AVX512_VNNI:
        return score_planes_avx512_vnni;
    case KERNELS_AVX_VNNI:
        return score_planes_avx_vnni;
#endif
    default:
        return nullptr;
    }
}

bool is_valid(const kernels_attention_planes* planes) {
    return planes != nullptr && planes->high != nullptr && planes->ahead != nullptr &&
           planes->token_scales != nullptr && planes->codes != nullptr && planes->scales != nullptr &&
           planes->offsets != nullptr && planes->scores != nullptr && planes->stride >= 0 && planes->block_count >= 0 &&
           planes->step_count >= 0 && planes->head_count >= 0;
}

bool is_valid(const kernels_attention_rows* rows) {
    return rows != nullptr && rows->stored != nullptr && rows->ahead != nullptr && rows->scores != nullptr &&
           rows->stored_count >= 0 && rows->stored_count <= KERNELS_ATTENTION_TILE && rows->query_count >= 0 &&
           rows->head_dimension >= 1 && rows->stride >= rows->head_dimension;
}

int32_t run(int32_t isa, int32_t type, const kernels_attention_rows* rows, stream_function* stream_kernels::*kernel) {
    const kernel_table* const table = find(isa);
    if (table == nullptr)
        return KERNELS_UNSUPPORTED_ISA;
    const stream_kernels* const kernels = find(*table, type);
    if (kernels == nullptr)
        return KERNELS_UNSUPPORTED_TYPE;
    (kernels->*kernel)(*rows);
    return KERNELS_OK;
}

} // namespace

} // namespace kernels::attention

extern "C" {

int32_t kernels_attention_score_keys(int32_t isa, int32_t type, const kernels_attention_rows* rows) {
    using namespace kernels::attention;
    if (!is_valid(rows) || rows->queries == nullptr)
        return KERNELS_INVALID_ARGUMENT;
    return run(isa, type, rows, &stream_kernels::score_keys);
}

int32_t kernels_attention_add_values(int32_t isa, int32_t type, const kernels_attention_rows* rows) {
    using namespace kernels::attention;
    if (!is_valid(rows) || rows->output == nullptr)
        return KERNELS_INVALID_ARGUMENT;
    return run(isa, type, rows, &stream_kernels::add_values);
}

int32_t kernels_attention_score_planes(int32_t isa, const kernels_attention_planes* planes) {
    using namespace kernels::attention;
    if (!is_valid(planes))
        return KERNELS_INVALID_ARGUMENT;
    plane_function* const score = find_planes(isa);
    if (score == nullptr)
        return KERNELS_UNSUPPORTED_ISA;
    score(*planes);
    return KERNELS_OK;
}

} // extern "C"
