#include "../target.h"
#include "kernel_table.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <immintrin.h>
#include <utility>

KERNELS_TARGET_BEGIN("avx2,fma,f16c,avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")

#include "tiles.h"

namespace kernels::int8 {

namespace {

// vpdpbusd on 512 bits: a panel is two registers. Of the 32 registers 24 are totals, 2 weights and 2 activations.
struct avx512_vnni {
    using ints = __m512i;
    static constexpr int lanes = 16, activation_bytes = sizeof(uint8_t), longest_tile = 12;

    static ints zero() { return _mm512_setzero_si512(); }
    static ints load_weights(const uint8_t* from) { return _mm512_loadu_si512(from); }
    static ints load_activations(const uint8_t* from) {
        int32_t row;
        std::memcpy(&row, from, sizeof row);
        return _mm512_set1_epi32(row);
    }
    static ints add(ints totals, ints weights, ints activations) {
        return _mm512_dpbusd_epi32(totals, activations, weights);
    }
    static void add_to(ints totals, int32_t* sums) {
        _mm512_storeu_si512(sums, _mm512_add_epi32(_mm512_loadu_si512(sums), totals));
    }
    static void keep(ints& totals) { keep_in_register(totals); }
    KERNELS_INLINE static void prefetch(const uint8_t* from, int64_t ahead) {
        // The address may lie beyond the weights: an integer, since a pointer may not.
        _mm_prefetch(reinterpret_cast<const char*>(reinterpret_cast<uintptr_t>(from) + uintptr_t(ahead)), _MM_HINT_T1);
    }
};

} // namespace

void add_avx512_vnni(const kernels_int8_block& block, int32_t* sums) {
    add<avx512_vnni>(block, sums);
}

} // namespace kernels::int8

KERNELS_TARGET_END
