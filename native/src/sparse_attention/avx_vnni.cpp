#include "../target.h"
#include "kernel_table.h"

#include <cstdint>
#include <cstring>
#include <utility>
#include <immintrin.h>

KERNELS_TARGET_BEGIN("avx2,fma,avxvnni")

#include "planes.h"

namespace kernels::attention {

namespace {

// vpdpbusd on 256 bits: four products added to 32-bit lanes.
struct avx_vnni {
    using ints = __m256i;
    using floats = __m256;
    static constexpr int lanes = 8;

    static ints zero() { return _mm256_setzero_si256(); }
    static ints load(const uint8_t* from) { return _mm256_loadu_si256(reinterpret_cast<const ints*>(from)); }
    static ints low_nibbles(ints bytes) { return _mm256_and_si256(bytes, _mm256_set1_epi8(0x0F)); }
    static ints high_nibbles(ints bytes) { return low_nibbles(_mm256_srli_epi16(bytes, 4)); }
    static ints broadcast(const int8_t* codes) {
        int32_t four;
        std::memcpy(&four, codes, sizeof four);
        return _mm256_set1_epi32(four);
    }
    static ints add(ints totals, ints nibbles, ints codes) { return _mm256_dpbusd_avx_epi32(totals, nibbles, codes); }

    static floats widen(ints totals) { return _mm256_cvtepi32_ps(totals); }
    static floats load_floats(const float* from) { return _mm256_loadu_ps(from); }
    static void store(float* to, floats v) { _mm256_storeu_ps(to, v); }
    static floats set(float x) { return _mm256_set1_ps(x); }
    static floats add_floats(floats a, floats b) { return _mm256_add_ps(a, b); }
    static floats multiply(floats a, floats b) { return _mm256_mul_ps(a, b); }
    static floats multiply_add(floats a, floats b, floats c) { return _mm256_fmadd_ps(a, b, c); }

    static void prefetch(const uint8_t* address) { _mm_prefetch(reinterpret_cast<const char*>(address), _MM_HINT_T0); }
};

} // namespace

void score_planes_avx_vnni(const kernels_attention_planes& planes) {
    score_planes<avx_vnni>(planes);
}

} // namespace kernels::attention

KERNELS_TARGET_END
