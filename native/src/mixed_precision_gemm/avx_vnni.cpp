#include "../elements.h"
#include "../target.h"
#include "kernel_table.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <immintrin.h>
#include <utility>

KERNELS_TARGET_BEGIN("avx2,fma,f16c,avxvnni")

#include "avx256.h"
#include "tiles.h"

namespace kernels::gemm {

namespace {

// vpdpbusd on 256 bits: four products added to 32-bit lanes, without saturation on the way.
struct avx_vnni : avx256 {
    static constexpr int longest_tile = 6, steps_per_flush = KERNELS_GEMM_LONGEST_SEGMENT;

    static ints add_bytes(ints total, ints weights, ints activations) {
        return _mm256_dpbusd_avx_epi32(total, weights, activations);
    }
    static ints add_nibbles(ints partial, ints weights, ints activations) {
        return add_bytes(partial, weights, activations);
    }
};

} // namespace

const int8_kernels avx_vnni_kernels = kernels_of<avx_vnni>;

} // namespace kernels::gemm

KERNELS_TARGET_END
