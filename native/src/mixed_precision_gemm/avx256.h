// Eight lanes: what AVX2 and AVX-VNNI have in common. Include inside a target region, after <immintrin.h>.
#pragma once

#include "../simd/unroll.h"

namespace kernels::gemm {

struct avx256 {
    using ints = __m256i;
    using floats = __m256;
    static constexpr int lanes = 8, registers = 2;

    static ints zero() { return _mm256_setzero_si256(); }
    static ints load(const uint8_t* from) { return _mm256_loadu_si256(reinterpret_cast<const ints*>(from)); }
    static ints broadcast(const int8_t* from) {
        int32_t lane;
        std::memcpy(&lane, from, sizeof lane);
        return _mm256_set1_epi32(lane);
    }
    static ints low_nibbles(ints v) { return _mm256_and_si256(v, _mm256_set1_epi8(15)); }
    static ints high_nibbles(ints v) { return low_nibbles(_mm256_srli_epi32(v, 4)); }

    static floats set(float x) { return _mm256_set1_ps(x); }
    static floats load_floats(const float* from) { return _mm256_loadu_ps(from); }
    static floats load_floats(const f16* from) { return _mm256_cvtph_ps(load_shorts(from)); }
    static floats load_floats(const bf16* from) {
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load_shorts(from)), 16));
    }
    static floats load_bytes(const uint8_t* from) {
        return to_float(_mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from))));
    }
    static void store(float* to, floats v) { _mm256_storeu_ps(to, v); }
    static floats to_float(ints v) { return _mm256_cvtepi32_ps(v); }
    static floats subtract(floats a, floats b) { return _mm256_sub_ps(a, b); }
    static floats multiply(floats a, floats b) { return _mm256_mul_ps(a, b); }
    static floats multiply_add(floats a, floats b, floats c) { return _mm256_fmadd_ps(a, b, c); }
    static void keep(ints& totals) { keep_in_register(totals); }
    KERNELS_INLINE static void prefetch(const uint8_t* from, int64_t ahead) {
        // The address may lie beyond the weights: an integer, since a pointer may not.
        _mm_prefetch(reinterpret_cast<const char*>(reinterpret_cast<uintptr_t>(from) + uintptr_t(ahead)), _MM_HINT_T0);
    }

  private:
    static __m128i load_shorts(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }
};

} // namespace kernels::gemm
