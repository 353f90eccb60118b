// The exports: validation and dispatch.
#include <kernels/mixed_precision_gemm.h>

#include "../select.h"
#include "kernel_table.h"

namespace kernels::gemm {

namespace {

constexpr isa_kernels<const int8_kernels> kernels_by_isa[] = {
    {KERNELS_SCALAR, &scalar_kernels},
#if defined(KERNELS_X86)
    {KERNELS_AVX2, &avx2_kernels},
    {KERNELS_AVX_VNNI, &avx_vnni_kernels},
    {KERNELS_AVX512_VNNI, &avx512_vnni_kernels},
#endif
};

bool is_scale_type(int32_t type) {
    return type == KERNELS_F32 || type == KERNELS_F16 || type == KERNELS_BF16;
}

bool is_valid(const kernels_gemm_segments* segments) {
    return segments != nullptr && segments->weights != nullptr && segments->scales != nullptr &&
           segments->symmetric_zero >= 0 && segments->symmetric_zero <= UINT8_MAX && segments->step_count >= 1 &&
           segments->step_count <= KERNELS_GEMM_LONGEST_SEGMENT && (segments->bits == 4 || segments->bits == 8) &&
           segments->segment_count >= 0 && segments->group_stride >= 0;
}

bool is_valid(const kernels_gemm_activations* activations) {
    return activations != nullptr && activations->row_count >= 0 &&
           (activations->row_count == 0 ||
            (activations->values != nullptr && activations->scales != nullptr && activations->sums != nullptr));
}

} // namespace

} // namespace kernels::gemm

extern "C" {

int32_t kernels_gemm_add_int8(int32_t isa, const kernels_gemm_segments* segments,
                              const kernels_gemm_activations* activations, void* sums) {
    using namespace kernels::gemm;
    if (!is_valid(segments) || !is_valid(activations))
        return KERNELS_INVALID_ARGUMENT;
    if (!is_scale_type(segments->scale_type))
        return KERNELS_UNSUPPORTED_TYPE;
    const int8_kernels* kernels = kernels::select<kernels_by_isa>(isa);
    if (kernels == nullptr)
        return KERNELS_UNSUPPORTED_ISA;
    if (activations->row_count == 0 || segments->segment_count == 0)
        return KERNELS_OK;
    if (sums == nullptr)
        return KERNELS_INVALID_ARGUMENT;
    const add_int8_function add = segments->bits == 4 ? kernels->four_bits : kernels->eight_bits;
    add(*segments, *activations, static_cast<float*>(sums));
    return KERNELS_OK;
}

} // extern "C"
