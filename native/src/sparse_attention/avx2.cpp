#include "../elements.h"
#include "../target.h"
#include "kernel_table.h"

#include <cmath>
#include <cstdint>
#include <cstring>
#include <utility>
#include <immintrin.h>

KERNELS_TARGET_BEGIN("avx2,fma,f16c")

#include "../simd/avx2.h"
#include "streams.h"

namespace kernels::attention {

namespace {

// Of the 16 registers up to 12 are sums.
struct avx2 : simd::avx2_f32 {
    using simd::avx2_f32::load;
    using simd::avx2_f32::load_first;

    static constexpr int keys_beside(int queries) { return queries == 4 ? 2 : queries == 1 ? 8 : 4; }
    static constexpr int registers_beside(int queries) { return queries == 4 ? 2 : queries == 1 ? 8 : 4; }

    static vector load(const int8_t* from) { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadu_si64(from))); }
    static vector load_first(const int8_t* from, int64_t count, float) {
        int8_t first[width] = {};
        std::memcpy(first, from, size_t(count));
        return load(first);
    }

    static void store_totals(float* to, vector a, vector b, vector c, vector d) {
        const vector sum = _mm256_hadd_ps(_mm256_hadd_ps(a, b), _mm256_hadd_ps(c, d));
        _mm_storeu_ps(to, _mm_add_ps(_mm256_castps256_ps128(sum), _mm256_extractf128_ps(sum, 1)));
    }

    static void prefetch(const uint8_t* address) { _mm_prefetch(reinterpret_cast<const char*>(address), _MM_HINT_T1); }
};

} // namespace

const kernel_table avx2_kernels = table_of<avx2>;

} // namespace kernels::attention

KERNELS_TARGET_END
