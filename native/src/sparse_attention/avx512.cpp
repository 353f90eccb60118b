#include "../elements.h"
#include "../target.h"
#include "kernel_table.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <immintrin.h>

KERNELS_TARGET_BEGIN("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq")

#include "../simd/avx512.h"
#include "streams.h"

namespace kernels::attention {

namespace {

// Of the 32 registers up to 16 are sums.
struct avx512 : simd::avx512_f32 {
    using simd::avx512_f32::load;
    using simd::avx512_f32::load_first;

    static constexpr int keys_beside(int queries) { return queries > 2 ? 4 : 8; }
    static constexpr int registers_beside(int queries) { return queries > 2 ? 4 : 8; }

    static vector load(const int8_t* from) {
        return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
    }
    static vector load_first(const int8_t* from, int64_t count, float) {
        const __m128i bytes = _mm_maskz_loadu_epi8(__mmask16((1u << count) - 1), from);
        return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(bytes));
    }

    // Quarters are added across the four registers, so that each is left with a quarter of its own in one register; its
    // four lanes then are added, and one lane of each is kept.
    static void store_totals(float* to, vector a, vector b, vector c, vector d) {
        const vector first = add_halves(a, b), second = add_halves(c, d);
        vector sum =
            add(_mm512_shuffle_f32x4(first, second, 0b10'00'10'00), _mm512_shuffle_f32x4(first, second, 0b11'01'11'01));
        sum = add(sum, _mm512_permute_ps(sum, 0b01'00'11'10));
        sum = add(sum, _mm512_permute_ps(sum, 0b10'11'00'01));
        const __m512i one_of_each = _mm512_setr_epi32(0, 4, 8, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
        _mm_storeu_ps(to, _mm512_castps512_ps128(_mm512_permutexvar_ps(one_of_each, sum)));
    }

    static void prefetch(const uint8_t* address) { _mm_prefetch(reinterpret_cast<const char*>(address), _MM_HINT_T1); }

  private:
    static vector add_halves(vector a, vector b) {
        return add(_mm512_shuffle_f32x4(a, b, 0b01'00'01'00), _mm512_shuffle_f32x4(a, b, 0b11'10'11'10));
    }
};

} // namespace

const kernel_table avx512_kernels = table_of<avx512>;

} // namespace kernels::attention

KERNELS_TARGET_END
