#include "../elements.h"
#include "../target.h"
#include "kernel_table.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <immintrin.h>
#include <utility>

KERNELS_TARGET_BEGIN("avx2,fma,f16c")

#include "avx256.h"
#include "tiles.h"

namespace kernels::gemm {

namespace {

// vpmaddubsw: sums of two products in 16-bit lanes; vpmaddwd brings them to 32 bits. Eight pairs of 2 * 15 * 127 fit:
// a step has two.
struct avx2 : avx256 {
    static constexpr int longest_tile = 5, steps_per_flush = INT16_MAX / (2 * 15 * 127) / 2;

    static ints add_nibbles(ints partial, ints weights, ints activations) {
        return _mm256_add_epi16(partial, _mm256_maddubs_epi16(weights, activations));
    }
    static ints flush(ints total, ints partial) {
        return _mm256_add_epi32(total, _mm256_madd_epi16(partial, _mm256_set1_epi16(1)));
    }
    static ints add_bytes(ints total, ints weights, ints activations) {
        const ints low = _mm256_maddubs_epi16(low_nibbles(weights), activations);
        const ints high = _mm256_maddubs_epi16(high_nibbles(weights), activations);
        return _mm256_add_epi32(flush(total, low), _mm256_madd_epi16(high, _mm256_set1_epi16(16)));
    }
};

} // namespace

const int8_kernels avx2_kernels = kernels_of<avx2>;

} // namespace kernels::gemm

KERNELS_TARGET_END
