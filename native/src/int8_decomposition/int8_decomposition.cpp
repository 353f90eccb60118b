// The export: validation and dispatch.
#include <kernels/int8_decomposition.h>

#include "../select.h"
#include "kernel_table.h"

namespace kernels::int8 {

namespace {

constexpr isa_kernels<add_function> kernels_by_isa[] = {
    {KERNELS_SCALAR, add_scalar},
#if defined(KERNELS_X86)
    {KERNELS_AVX2, add_avx2},
    {KERNELS_AVX_VNNI, add_avx_vnni},
    {KERNELS_AVX512_VNNI, add_avx512_vnni},
#endif
};

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
    add_function* const add = kernels::select<kernels_by_isa>(isa);
    if (add == nullptr)
        return KERNELS_UNSUPPORTED_ISA;
    add(*block, sums);
    return KERNELS_OK;
}

} // extern "C"
