// Eight lanes: what AVX2 and AVX-VNNI have in common. Include inside a target region, after <immintrin.h>.
#pragma once

#include "../simd/unroll.h"

namespace kernels::int8 {

// Sixteen registers: 12 totals, 2 of weights, 1 of activations.
struct avx256 {
    using ints = __m256i;
    static constexpr int longest_tile = 6;

    static ints zero() { return _mm256_setzero_si256(); }
    static void keep(ints& totals) { keep_in_register(totals); }
    KERNELS_INLINE static void prefetch(const uint8_t* from, int64_t ahead) {
        // The address may lie beyond the weights: an integer, since a pointer may not.
        _mm_prefetch(reinterpret_cast<const char*>(reinterpret_cast<uintptr_t>(from) + uintptr_t(ahead)), _MM_HINT_T1);
    }
};

} // namespace kernels::int8
