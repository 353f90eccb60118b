#include "../elements.h"
#include "../target.h"
#include "kernel_table.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <immintrin.h>
#include <utility>

KERNELS_TARGET_BEGIN("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")

#include "tiles.h"

namespace kernels::gemm {

namespace {

// Sixteen lanes; vpdpbusd adds four products to 32-bit lanes, without saturation on the way. A panel is four registers:
// of 32 registers 24 are totals, 4 weights, and few instructions besides vpdpbusd are left to do.
struct avx512_vnni {
    using ints = __m512i;
    using floats = __m512;
    static constexpr int lanes = 16, registers = 4, longest_tile = 6, steps_per_flush = KERNELS_GEMM_LONGEST_SEGMENT;

    static ints zero() { return _mm512_setzero_si512(); }
    static ints load(const uint8_t* from) { return _mm512_loadu_si512(from); }
    static ints broadcast(const int8_t* from) {
        int32_t lane;
        std::memcpy(&lane, from, sizeof lane);
        return _mm512_set1_epi32(lane);
    }
    static ints low_nibbles(ints v) { return _mm512_and_si512(v, _mm512_set1_epi8(15)); }
    static ints high_nibbles(ints v) { return low_nibbles(_mm512_srli_epi32(v, 4)); }
    static ints add_bytes(ints total, ints weights, ints activations) {
        return _mm512_dpbusd_epi32(total, weights, activations);
    }
    static ints add_nibbles(ints partial, ints weights, ints activations) {
        return add_bytes(partial, weights, activations);
    }

    static floats set(float x) { return _mm512_set1_ps(x); }
    static floats load_floats(const float* from) { return _mm512_loadu_ps(from); }
    static floats load_floats(const f16* from) { return _mm512_cvtph_ps(load_shorts(from)); }
    static floats load_floats(const bf16* from) {
        return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(load_shorts(from)), 16));
    }
    static floats load_bytes(const uint8_t* from) {
        return to_float(_mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from))));
    }
    static void store(float* to, floats v) { _mm512_storeu_ps(to, v); }
    static floats to_float(ints v) { return _mm512_cvtepi32_ps(v); }
    static floats subtract(floats a, floats b) { return _mm512_sub_ps(a, b); }
    static floats multiply(floats a, floats b) { return _mm512_mul_ps(a, b); }
    static floats multiply_add(floats a, floats b, floats c) { return _mm512_fmadd_ps(a, b, c); }
    static void keep(ints& totals) { keep_in_register(totals); }
    KERNELS_INLINE static void prefetch(const uint8_t* from, int64_t ahead) {
        // The address may lie beyond the weights: an integer, since a pointer may not.
        _mm_prefetch(reinterpret_cast<const char*>(reinterpret_cast<uintptr_t>(from) + uintptr_t(ahead)), _MM_HINT_T0);
    }

  private:
    static __m256i load_shorts(const void* from) { return _mm256_loadu_si256(static_cast<const __m256i*>(from)); }
};

} // namespace

const int8_kernels avx512_vnni_kernels = kernels_of<avx512_vnni>;

} // namespace kernels::gemm

KERNELS_TARGET_END
