#include "../elements.h"
#include "kernel_table.h"
#include "sums.h"
#include "tiles.h"

#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>
#include "../simd/scalar.h"
#include "kernels.h"

namespace kernels::softmax {

const kernel_table scalar_kernels[type_count] = {
    kernels_of<simd::scalar<float>, float>,
    kernels_of<simd::scalar<double>, double>,
    kernels_of<simd::scalar<float>, f16>,
    kernels_of<simd::scalar<float>, bf16>,
};

} // namespace kernels::softmax
