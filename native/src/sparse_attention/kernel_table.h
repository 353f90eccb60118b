// The kernels of each instruction set.
#pragma once

#include <kernels/sparse_attention.h>

namespace kernels::attention {

using stream_function = void(const kernels_attention_rows& rows);

struct stream_kernels {
    stream_function *score_keys, *add_values;
};

// For one instruction set: a pair for each type of stored elements.
struct kernel_table {
    stream_kernels f32, f16, bf16, i8;
};

using plane_function = void(const kernels_attention_planes& planes);

plane_function score_planes_avx_vnni, score_planes_avx512_vnni;

extern const kernel_table scalar_kernels, avx2_kernels, avx512_kernels;

} // namespace kernels::attention
