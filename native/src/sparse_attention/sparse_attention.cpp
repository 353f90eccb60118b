// The exports: validation and dispatch.
#include <kernels/sparse_attention.h>

#include "../select.h"
#include "kernel_table.h"

namespace kernels::attention {

namespace {

constexpr isa_kernels<const kernel_table> streams_by_isa[] = {
    {KERNELS_SCALAR, &scalar_kernels},
#if defined(KERNELS_X86)
    {KERNELS_AVX2, &avx2_kernels},
    {KERNELS_AVX512, &avx512_kernels},
#endif
};

// Integer dot products alone: scalar code has none.
#if defined(KERNELS_X86)
constexpr isa_kernels<plane_function> planes_by_isa[] = {
    {KERNELS_AVX_VNNI, score_planes_avx_vnni},
    {KERNELS_AVX512_VNNI, score_planes_avx512_vnni},
};
#endif

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

plane_function* find_planes([[maybe_unused]] int32_t isa) {
#if defined(KERNELS_X86)
    return select<planes_by_isa>(isa);
#else
    return nullptr;
#endif
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
    const kernel_table* const table = select<streams_by_isa>(isa);
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
