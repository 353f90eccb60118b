// The kernels of one instruction set, behind plain function pointers.
#pragma once

#include <kernels/mixed_precision_gemm.h>

namespace kernels::gemm {

using add_int8_function = void (*)(const kernels_gemm_segments& segments, const kernels_gemm_activations& activations,
                                   float* sums);

// By the width of the weights.
struct int8_kernels {
    add_int8_function four_bits, eight_bits;
};

extern const int8_kernels scalar_kernels, avx2_kernels, avx_vnni_kernels, avx512_vnni_kernels;

} // namespace kernels::gemm
