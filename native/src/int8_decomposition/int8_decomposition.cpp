// The export: validation and dispatch.
#include <kernels/int8_decomposition.h>

#include "kernel_table.h"

namespace kernels::int8 {

namespace {

add_function* find(int32_t isa) {
    if (kernels_cpu_supports(isa) != KERNELS_OK)
        return nullptr;
    switch (isa) {
#if defined(KERNELS_X86)
    case KERNELS_AVX512_VNNI:
        return add_avx512_vnni;
    case KERNELS_AVX_VNNI:
        return add_avx_vnni;
    case KERNELS_AVX2:
        return add_avx2;
#endif
    case KERNELS_SCALAR:
        return add_scalar;
    default:
        return nullptr;
    }
}

bool is_valid(const kernels_int8_block* block) {
    return block != nullptr && block->weights != nullptr && block->activations != nullptr && block->step_bytes >= 0 &&
           block->tile_bytes >= 0 && block->row_count >= 0 && block->step_count >= 0;
}

} // namespace

} // namespace kernels::int8

extern "C" {

int32_t kernels_int8_add(int32_t isa, const kernels_int8_block* block, int32_t* sums) {
    using namespace kernels::int8;
    if (!is_valid(block) || sums == nullptr)
        return KERNELS_INVALID_ARGUMENT;
    add_function* const add = find(isa);
    if (add == nullptr)
        return KERNELS_UNSUPPORTED_ISA;
    add(*block, sums);
    return KERNELS_OK;
}

} // extern "C"
