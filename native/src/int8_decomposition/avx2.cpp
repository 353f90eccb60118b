#include "../target.h"
#include "kernel_table.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <immintrin.h>
#include <utility>

KERNELS_TARGET_BEGIN("avx2")

#include "avx256.h"
#include "tiles.h"

namespace kernels::int8 {

namespace {

// vpmaddwd: pairs of 16-bit products are added in 32 bits, where nothing can saturate. An output has two lanes.
struct avx2 : avx256 {
    static constexpr int lanes = 4, activation_bytes = sizeof(int16_t);

    static ints load_weights(const uint8_t* from) {
        return _mm256_cvtepi8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    }
    static ints load_activations(const uint8_t* from) {
        int64_t row;
        std::memcpy(&row, from, sizeof row);
        return _mm256_set1_epi64x(row);
    }
    static ints add(ints totals, ints weights, ints activations) {
        return _mm256_add_epi32(totals, _mm256_madd_epi16(weights, activations));
    }
    static void add_to(ints totals, int32_t* sums) {
        const ints pairs = _mm256_add_epi32(totals, _mm256_srli_epi64(totals, 32));
        const ints columns = _mm256_permutevar8x32_epi32(pairs, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
        auto* const to = reinterpret_cast<__m128i*>(sums);
        _mm_storeu_si128(to, _mm_add_epi32(_mm_loadu_si128(to), _mm256_castsi256_si128(columns)));
    }
};

} // namespace

void add_avx2(const kernels_int8_block& block, int32_t* sums) {
    add<avx2>(block, sums);
}

} // namespace kernels::int8

KERNELS_TARGET_END
