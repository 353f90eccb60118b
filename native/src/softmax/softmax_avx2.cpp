#include "../elements.h"
#include "../target.h"
#include "kernel_table.h"
#include "sums.h"
#include "tiles.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include <immintrin.h>

KERNELS_TARGET_BEGIN("avx2,fma,f16c")

#include "../simd/avx2.h"
#include "kernels.h"

namespace kernels::softmax {

const kernel_table avx2_kernels[type_count] = {
    kernels_of<simd::avx2_f32, float>,
    kernels_of<simd::avx2_f64, double>,
    kernels_of<simd::avx2_f32, f16>,
    kernels_of<simd::avx2_f32, bf16>,
};

} // namespace kernels::softmax

KERNELS_TARGET_END
