// The operations of simd/scalar.h on 512-bit vectors. Include inside a target region for avx512f, bw, vl and dq, after
// <immintrin.h>.
#pragma once

#include "two_sum.h"

namespace kernels::simd {

struct avx512_f32 {
    using element = float;
    using vector = __m512;
    struct wide {
        __m512d low, high;
    };
    static constexpr int64_t width = 16;

    static vector load(const float* from) { return _mm512_loadu_ps(from); }
    static vector load(const f16* from) { return widen_bits(from, _mm256_loadu_epi16(from)); }
    static vector load(const bf16* from) { return widen_bits(from, _mm256_loadu_epi16(from)); }
    static vector load_first(const float* from, int64_t count, float fill) {
        return _mm512_mask_loadu_ps(set(fill), first(count), from);
    }
    template <class Stored> static vector load_first(const Stored* from, int64_t count, float fill) {
        const __m256i bits = _mm256_maskz_loadu_epi16(first(count), from);
        return _mm512_mask_mov_ps(set(fill), first(count), widen_bits(from, bits));
    }

    static void store(float* to, vector v) { _mm512_storeu_ps(to, v); }
    static void store(f16* to, vector v) { _mm256_storeu_epi16(to, narrow_bits(to, v)); }
    static void store(bf16* to, vector v) { _mm256_storeu_epi16(to, narrow_bits(to, v)); }
    static void store_first(float* to, vector v, int64_t count) { _mm512_mask_storeu_ps(to, first(count), v); }
    template <class Stored> static void store_first(Stored* to, vector v, int64_t count) {
        _mm256_mask_storeu_epi16(to, first(count), narrow_bits(to, v));
    }
    static void stream(float* to, vector v) { _mm512_stream_ps(to, v); }
    static void fence() { _mm_sfence(); }

    static vector set(float x) { return _mm512_set1_ps(x); }
    static vector add(vector a, vector b) { return _mm512_add_ps(a, b); }
    static vector subtract(vector a, vector b) { return _mm512_sub_ps(a, b); }
    static vector multiply(vector a, vector b) { return _mm512_mul_ps(a, b); }
    static vector divide(vector a, vector b) { return _mm512_div_ps(a, b); }
    static vector maximum(vector a, vector b) { return _mm512_max_ps(a, b); }
    static vector minimum(vector a, vector b) { return _mm512_min_ps(a, b); }
    static vector multiply_add(vector a, vector b, vector c) { return _mm512_fmadd_ps(a, b, c); }
    static vector zero_where_equal(vector v, vector x, vector y) {
        return _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(x, y, _CMP_NEQ_UQ), v);
    }
    static vector power_of_two(vector z) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(z), 23)); }

    static bool any_nan(vector v) { return _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q) != 0; }
    static bool any_greater(vector a, vector b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ) != 0; }
    static float greatest(vector v) { return _mm512_reduce_max_ps(v); }

    static wide wide_zero() { return {_mm512_setzero_pd(), _mm512_setzero_pd()}; }
    static wide accumulate(wide sum, vector v) {
        return {_mm512_add_pd(sum.low, low_half(v)), _mm512_add_pd(sum.high, high_half(v))};
    }
    static double total(wide sum) { return _mm512_reduce_add_pd(_mm512_add_pd(sum.low, sum.high)); }
    static void store_wide(double* to, wide sum) {
        _mm512_storeu_pd(to, sum.low);
        _mm512_storeu_pd(to + width / 2, sum.high);
    }

    static vector subtract_wide(vector v, double first, double second) {
        const __m512d a = _mm512_set1_pd(first), b = _mm512_set1_pd(second);
        return rounded(subtract(low_half(v), a, b), subtract(high_half(v), a, b));
    }
    static vector subtract_wide(vector v, const double* first, const double* second) {
        constexpr int64_t half = width / 2;
        return rounded(subtract(low_half(v), _mm512_loadu_pd(first), _mm512_loadu_pd(second)),
                       subtract(high_half(v), _mm512_loadu_pd(first + half), _mm512_loadu_pd(second + half)));
    }

  private:
    static __mmask16 first(int64_t count) { return __mmask16((1u << count) - 1); }
    static __m512d low_half(vector v) { return _mm512_cvtps_pd(_mm512_castps512_ps256(v)); }
    static __m512d high_half(vector v) { return _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1)); }
    static __m512d subtract(__m512d v, __m512d first, __m512d second) {
        return _mm512_sub_pd(_mm512_sub_pd(v, first), second);
    }
    static vector rounded(__m512d low, __m512d high) {
        return _mm512_insertf32x8(_mm512_castps256_ps512(_mm512_cvtpd_ps(low)), _mm512_cvtpd_ps(high), 1);
    }

    // The pointer only names the type of the bits.
    static vector widen_bits(const f16*, __m256i bits) { return _mm512_cvtph_ps(bits); }
    static vector widen_bits(const bf16*, __m256i bits) {
        return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
    }
    static __m256i narrow_bits(const f16*, vector v) { return _mm512_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT); }
    static __m256i narrow_bits(const bf16*, vector v) {
        const __m512i bits = _mm512_castps_si512(v);
        const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
        const __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
        const __m512i quiet = _mm512_or_si512(bits, _mm512_set1_epi32(1 << 22));
        const __mmask16 nan = _mm512_cmp_ps_mask(v, v, _CMP_UNORD_Q);
        return _mm512_cvtepi32_epi16(_mm512_srli_epi32(_mm512_mask_mov_epi32(rounded, nan, quiet), 16));
    }
};

struct avx512_f64 {
    using element = double;
    using vector = __m512d;
    using wide = two_sum<avx512_f64>;
    static constexpr int64_t width = 8;

    static vector load(const double* from) { return _mm512_loadu_pd(from); }
    static vector load_first(const double* from, int64_t count, double fill) {
        return _mm512_mask_loadu_pd(set(fill), first(count), from);
    }
    static void store(double* to, vector v) { _mm512_storeu_pd(to, v); }
    static void store_first(double* to, vector v, int64_t count) { _mm512_mask_storeu_pd(to, first(count), v); }
    static void stream(double* to, vector v) { _mm512_stream_pd(to, v); }
    static void fence() { _mm_sfence(); }

    static vector set(double x) { return _mm512_set1_pd(x); }
    static vector add(vector a, vector b) { return _mm512_add_pd(a, b); }
    static vector subtract(vector a, vector b) { return _mm512_sub_pd(a, b); }
    static vector multiply(vector a, vector b) { return _mm512_mul_pd(a, b); }
    static vector divide(vector a, vector b) { return _mm512_div_pd(a, b); }
    static vector maximum(vector a, vector b) { return _mm512_max_pd(a, b); }
    static vector minimum(vector a, vector b) { return _mm512_min_pd(a, b); }
    static vector multiply_add(vector a, vector b, vector c) { return _mm512_fmadd_pd(a, b, c); }
    static vector zero_where_equal(vector v, vector x, vector y) {
        return _mm512_maskz_mov_pd(_mm512_cmp_pd_mask(x, y, _CMP_NEQ_UQ), v);
    }
    static vector power_of_two(vector z) { return _mm512_castsi512_pd(_mm512_slli_epi64(_mm512_castpd_si512(z), 52)); }

    static bool any_nan(vector v) { return _mm512_cmp_pd_mask(v, v, _CMP_UNORD_Q) != 0; }
    static bool any_greater(vector a, vector b) { return _mm512_cmp_pd_mask(a, b, _CMP_GT_OQ) != 0; }
    static double greatest(vector v) { return _mm512_reduce_max_pd(v); }

    static wide wide_zero() { return {_mm512_setzero_pd(), _mm512_setzero_pd()}; }
    static wide accumulate(wide sum, vector v) { return sum.plus(v); }
    static double total(wide sum) { return sum.total(); }
    static void store_wide(double* to, wide sum) { store(to, sum.lanes()); }
    static double total_lanes(vector v) { return _mm512_reduce_add_pd(v); }

    static vector subtract_wide(vector v, double first, double second) {
        return subtract(subtract(v, set(first)), set(second));
    }
    static vector subtract_wide(vector v, const double* first, const double* second) {
        return subtract(subtract(v, load(first)), load(second));
    }

  private:
    static __mmask8 first(int64_t count) { return __mmask8((1u << count) - 1); }
};

} // namespace kernels::simd
