// The kernel of each instruction set.
#pragma once

#include <kernels/int8_decomposition.h>

namespace kernels::int8 {

using add_function = void(const kernels_int8_block& block, int32_t* sums);

add_function add_scalar, add_avx2, add_avx_vnni, add_avx512_vnni;

} // namespace kernels::int8
