// Products of bytes in registers with vpdpbusd on 512 bits, for Kernels.Perf: managed code has the instruction on 256 bits only.
#include <immintrin.h>

namespace {

// As many independent chains as the managed loops have.
constexpr int chain_count = 12;

}

extern "C" int vnni_is_supported() { return __builtin_cpu_supports("avx512vnni") != 0; }

// Each step adds x y, four products in each of 16 lanes, to every chain. Returns the largest lane: all are equal, unless one is wrong.
extern "C" __attribute__((target("avx512f,avx512vnni"))) int vnni_run(long steps, int x, int y) {
    const __m512i left = _mm512_set1_epi32(x), right = _mm512_set1_epi32(y);
    __m512i chains[chain_count];
    for (__m512i &chain : chains)
        chain = _mm512_setzero_si512();
    for (; steps > 0; steps--) {
#pragma GCC unroll 12
        for (int i = 0; i < chain_count; i++)
            chains[i] = _mm512_dpbusd_epi32(chains[i], left, right);
    }
    __m512i largest = chains[0];
    for (const __m512i &chain : chains)
        largest = _mm512_max_epi32(largest, chain);
    return _mm512_reduce_max_epi32(largest);
}
