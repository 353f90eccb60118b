// What the tests of the two families of integer micro-kernels share.
#pragma once

#include <kernels/kernels.h>

#include <cstdint>
#include <random>
#include <vector>

namespace integer_kernels {

inline constexpr int32_t all_isas[] = {KERNELS_SCALAR, KERNELS_AVX2, KERNELS_AVX_VNNI, KERNELS_AVX512_VNNI};

template <class Theory> void on_every_isa(const Theory& theory) {
    for (const int32_t isa : all_isas)
        if (kernels_cpu_supports(isa) == KERNELS_OK)
            theory(isa);
}

// Integers from first to last.
template <class Element> void fill(std::vector<Element>& elements, std::mt19937& random, int first, int last) {
    for (auto& element : elements)
        element = Element(first + int(random() % uint32_t(last - first + 1)));
}

} // namespace integer_kernels
