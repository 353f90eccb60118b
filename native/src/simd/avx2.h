// The operations of simd/scalar.h on 256-bit vectors. Include inside a target region for avx2, fma and f16c, after
// <immintrin.h>.
#pragma once

#include "two_sum.h"

namespace kernels::simd {

struct avx2_f32 {
    using element = float;
    using vector = __m256;
    struct wide {
        __m256d low, high;
    };
    static constexpr int64_t width = 8;

    static vector load(const float* from) { return _mm256_loadu_ps(from); }
    static vector load(const f16* from) { return _mm256_cvtph_ps(load_bits(from)); }
    static vector load(const bf16* from) {
        return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(load_bits(from)), 16));
    }
    static vector load_first(const float* from, int64_t count, float fill) {
        const __m256i lanes = first(count);
        return _mm256_blendv_ps(set(fill), _mm256_maskload_ps(from, lanes), _mm256_castsi256_ps(lanes));
    }
    template <class Stored> static vector load_first(const Stored* from, int64_t count, float fill) {
        Stored padded[width];
        for (int64_t i = 0; i < width; i++)
            if (i < count)
                padded[i] = from[i];
            else
                narrow(fill, padded[i]);
        return load(padded);
    }

    static void store(float* to, vector v) { _mm256_storeu_ps(to, v); }
    static void store(f16* to, vector v) { store_bits(to, _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT)); }
    static void store(bf16* to, vector v) {
        const __m256i bits = _mm256_castps_si256(v);
        const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
        const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7FFF)));
        const __m256i quiet = _mm256_or_si256(bits, _mm256_set1_epi32(1 << 22));
        const __m256 nan = _mm256_cmp_ps(v, v, _CMP_UNORD_Q);
        const __m256i kept = _mm256_srli_epi32(_mm256_blendv_epi8(rounded, quiet, _mm256_castps_si256(nan)), 16);
        store_bits(to, _mm_packus_epi32(_mm256_castsi256_si128(kept), _mm256_extracti128_si256(kept, 1)));
    }
    static void store_first(float* to, vector v, int64_t count) { _mm256_maskstore_ps(to, first(count), v); }
    template <class Stored> static void store_first(Stored* to, vector v, int64_t count) {
        Stored padded[width];
        store(padded, v);
        for (int64_t i = 0; i < count; i++)
            to[i] = padded[i];
    }
    static void stream(float* to, vector v) { _mm256_stream_ps(to, v); }
    static void fence() { _mm_sfence(); }

    static vector set(float x) { return _mm256_set1_ps(x); }
    static vector add(vector a, vector b) { return _mm256_add_ps(a, b); }
    static vector subtract(vector a, vector b) { return _mm256_sub_ps(a, b); }
    static vector multiply(vector a, vector b) { return _mm256_mul_ps(a, b); }
    static vector divide(vector a, vector b) { return _mm256_div_ps(a, b); }
    static vector maximum(vector a, vector b) { return _mm256_max_ps(a, b); }
    static vector minimum(vector a, vector b) { return _mm256_min_ps(a, b); }
    static vector multiply_add(vector a, vector b, vector c) { return _mm256_fmadd_ps(a, b, c); }
    static vector zero_where_equal(vector v, vector x, vector y) {
        return _mm256_and_ps(_mm256_cmp_ps(x, y, _CMP_NEQ_UQ), v);
    }
    static vector power_of_two(vector z) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(z), 23)); }

    static bool any_nan(vector v) { return _mm256_movemask_ps(_mm256_cmp_ps(v, v, _CMP_UNORD_Q)) != 0; }
    static bool any_greater(vector a, vector b) { return _mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)) != 0; }
    static float greatest(vector v) {
        __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
        m = _mm_max_ps(m, _mm_movehl_ps(m, m));
        return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
    }

    static wide wide_zero() { return {_mm256_setzero_pd(), _mm256_setzero_pd()}; }
    static wide accumulate(wide sum, vector v) {
        return {_mm256_add_pd(sum.low, low_half(v)), _mm256_add_pd(sum.high, high_half(v))};
    }
    static double total(wide sum) {
        const __m256d v = _mm256_add_pd(sum.low, sum.high);
        const __m128d pair = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
        return _mm_cvtsd_f64(_mm_add_sd(pair, _mm_unpackhi_pd(pair, pair)));
    }
    static void store_wide(double* to, wide sum) {
        _mm256_storeu_pd(to, sum.low);
        _mm256_storeu_pd(to + width / 2, sum.high);
    }

    static vector subtract_wide(vector v, double first, double second) {
        const __m256d a = _mm256_set1_pd(first), b = _mm256_set1_pd(second);
        return rounded(subtract(low_half(v), a, b), subtract(high_half(v), a, b));
    }
    static vector subtract_wide(vector v, const double* first, const double* second) {
        constexpr int64_t half = width / 2;
        return rounded(subtract(low_half(v), _mm256_loadu_pd(first), _mm256_loadu_pd(second)),
                       subtract(high_half(v), _mm256_loadu_pd(first + half), _mm256_loadu_pd(second + half)));
    }

  private:
    static __m256i first(int64_t count) {
        return _mm256_cmpgt_epi32(_mm256_set1_epi32(int(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
    }
    static __m256d low_half(vector v) { return _mm256_cvtps_pd(_mm256_castps256_ps128(v)); }
    static __m256d high_half(vector v) { return _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1)); }
    static __m256d subtract(__m256d v, __m256d first, __m256d second) {
        return _mm256_sub_pd(_mm256_sub_pd(v, first), second);
    }
    static vector rounded(__m256d low, __m256d high) {
        return _mm256_set_m128(_mm256_cvtpd_ps(high), _mm256_cvtpd_ps(low));
    }
    static __m128i load_bits(const void* from) { return _mm_loadu_si128(static_cast<const __m128i*>(from)); }
    static void store_bits(void* to, __m128i v) { _mm_storeu_si128(static_cast<__m128i*>(to), v); }
};

struct avx2_f64 {
    using element = double;
    using vector = __m256d;
    using wide = two_sum<avx2_f64>;
    static constexpr int64_t width = 4;

    static vector load(const double* from) { return _mm256_loadu_pd(from); }
    static vector load_first(const double* from, int64_t count, double fill) {
        const __m256i lanes = first(count);
        return _mm256_blendv_pd(set(fill), _mm256_maskload_pd(from, lanes), _mm256_castsi256_pd(lanes));
    }
    static void store(double* to, vector v) { _mm256_storeu_pd(to, v); }
    static void store_first(double* to, vector v, int64_t count) { _mm256_maskstore_pd(to, first(count), v); }
    static void stream(double* to, vector v) { _mm256_stream_pd(to, v); }
    static void fence() { _mm_sfence(); }

    static vector set(double x) { return _mm256_set1_pd(x); }
    static vector add(vector a, vector b) { return _mm256_add_pd(a, b); }
    static vector subtract(vector a, vector b) { return _mm256_sub_pd(a, b); }
    static vector multiply(vector a, vector b) { return _mm256_mul_pd(a, b); }
    static vector divide(vector a, vector b) { return _mm256_div_pd(a, b); }
    static vector maximum(vector a, vector b) { return _mm256_max_pd(a, b); }
    static vector minimum(vector a, vector b) { return _mm256_min_pd(a, b); }
    static vector multiply_add(vector a, vector b, vector c) { return _mm256_fmadd_pd(a, b, c); }
    static vector zero_where_equal(vector v, vector x, vector y) {
        return _mm256_and_pd(_mm256_cmp_pd(x, y, _CMP_NEQ_UQ), v);
    }
    static vector power_of_two(vector z) { return _mm256_castsi256_pd(_mm256_slli_epi64(_mm256_castpd_si256(z), 52)); }

    static bool any_nan(vector v) { return _mm256_movemask_pd(_mm256_cmp_pd(v, v, _CMP_UNORD_Q)) != 0; }
    static bool any_greater(vector a, vector b) { return _mm256_movemask_pd(_mm256_cmp_pd(a, b, _CMP_GT_OQ)) != 0; }
    static double greatest(vector v) {
        const __m128d m = _mm_max_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
        return _mm_cvtsd_f64(_mm_max_sd(m, _mm_unpackhi_pd(m, m)));
    }

    static wide wide_zero() { return {_mm256_setzero_pd(), _mm256_setzero_pd()}; }
    static wide accumulate(wide sum, vector v) { return sum.plus(v); }
    static double total(wide sum) { return sum.total(); }
    static void store_wide(double* to, wide sum) { store(to, sum.lanes()); }
    static double total_lanes(vector v) {
        const __m128d pair = _mm_add_pd(_mm256_castpd256_pd128(v), _mm256_extractf128_pd(v, 1));
        return _mm_cvtsd_f64(_mm_add_sd(pair, _mm_unpackhi_pd(pair, pair)));
    }

    static vector subtract_wide(vector v, double first, double second) {
        return subtract(subtract(v, set(first)), set(second));
    }
    static vector subtract_wide(vector v, const double* first, const double* second) {
        return subtract(subtract(v, load(first)), load(second));
    }

  private:
    static __m256i first(int64_t count) {
        return _mm256_cmpgt_epi64(_mm256_set1_epi64x(count), _mm256_setr_epi64x(0, 1, 2, 3));
    }
};

} // namespace kernels::simd
