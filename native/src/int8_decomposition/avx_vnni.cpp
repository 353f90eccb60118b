#include "../target.h"
#include "kernel_table.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <immintrin.h>
#include <utility>

KERNELS_TARGET_BEGIN("avx2,avxvnni")

#include "avx256.h"
#include "tiles.h"

namespace kernels::int8 {

namespace {

// vpdpbusd on 256 bits: four products added to 32-bit lanes, without saturation on the way.
struct avx_vnni : avx256 {
    static constexpr int lanes = 8, activation_bytes = sizeof(uint8_t);

    static ints load_weights(const uint8_t* from) { return _mm256_loadu_si256(reinterpret_cast<const ints*>(from)); }
    static ints load_activations(const uint8_t* from) {
        int32_t row;
        std::memcpy(&row, from, sizeof row);
        return _mm256_set1_epi32(row);
    }
    static ints add(ints totals, ints weights, ints activations) {
        return _mm256_dpbusd_avx_epi32(totals, activations, weights);
    }
    static void add_to(ints totals, int32_t* sums) {
        auto* const to = reinterpret_cast<ints*>(sums);
        _mm256_storeu_si256(to, _mm256_add_epi32(_mm256_loadu_si256(to), totals));
    }
};

} // namespace

void add_avx_vnni(const kernels_int8_block& block, int32_t* sums) {
    add<avx_vnni>(block, sums);
}

} // namespace kernels::int8

KERNELS_TARGET_END
