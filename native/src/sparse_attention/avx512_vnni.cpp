#include "../target.h"
#include "kernel_table.h"

#include <cstdint>
#include <cstring>
#include <utility>
#include <immintrin.h>

KERNELS_TARGET_BEGIN("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")

#include "planes.h"

namespace kernels::attention {

namespace {

// vpdpbusd on 512 bits: four products added to 32-bit lanes.
struct avx512_vnni {
    using ints = __m512i;
    using floats = __m512;
    static constexpr int lanes = 16;

    static ints zero() { return _mm512_setzero_si512(); }
    static ints load(const uint8_t* from) { return _mm512_loadu_si512(from); }
    static ints low_nibbles(ints bytes) { return _mm512_and_si512(bytes, _mm512_set1_epi8(0x0F)); }
    static ints high_nibbles(ints bytes) { return low_nibbles(_mm512_srli_epi16(bytes, 4)); }
    static ints broadcast(const int8_t* codes) {
        int32_t four;
        std::memcpy(&four, codes, sizeof four);
        return _mm512_set1_epi32(four);
    }
    static ints add(ints totals, ints nibbles, ints codes) { return _mm512_dpbusd_epi32(totals, nibbles, codes); }

    static floats widen(ints totals) { return _mm512_cvtepi32_ps(totals); }
    static floats load_floats(const float* from) { return _mm512_loadu_ps(from); }
    static void store(float* to, floats v) { _mm512_storeu_ps(to, v); }
    static floats set(float x) { return _mm512_set1_ps(x); }
    static floats add_floats(floats a, floats b) { return _mm512_add_ps(a, b); }
    static floats multiply(floats a, floats b) { return _mm512_mul_ps(a, b); }
    static floats multiply_add(floats a, floats b, floats c) { return _mm512_fmadd_ps(a, b, c); }

    static void prefetch(const uint8_t* address) { _mm_prefetch(reinterpret_cast<const char*>(address), _MM_HINT_T0); }
};

} // namespace

void score_planes_avx512_vnni(const kernels_attention_planes& planes) {
    score_planes<avx512_vnni>(planes);
}

} // namespace kernels::attention

KERNELS_TARGET_END
