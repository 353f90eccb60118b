// The operations that the kernels are written in, on one element at a time: any processor, and the model for the
// vector forms. maximum(a, b) and minimum(a, b) are b if either is NaN, as the x86 instructions have it.
#pragma once

#include "../elements.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

#include "two_sum.h"

namespace kernels::simd {

template <class Element> struct scalar {
    using element = Element;
    using vector = Element;
    using wide = two_sum<scalar<double>>;
    using bits = std::conditional_t<sizeof(Element) == 4, uint32_t, uint64_t>;
    static constexpr int64_t width = 1;
    static constexpr int fraction_bits = sizeof(Element) == 4 ? 23 : 52;

    template <class Stored> static vector load(const Stored* from) { return widen(*from); }
    template <class Stored> static vector load_first(const Stored* from, int64_t, element) { return load(from); }
    template <class Stored> static void store(Stored* to, vector v) { narrow(v, *to); }
    template <class Stored> static void store_first(Stored* to, vector v, int64_t) { store(to, v); }
    static void stream(element* to, vector v) { *to = v; }
    static void fence() {}

    static vector set(element x) { return x; }
    static vector add(vector a, vector b) { return a + b; }
    static vector subtract(vector a, vector b) { return a - b; }
    static vector multiply(vector a, vector b) { return a * b; }
    static vector divide(vector a, vector b) { return a / b; }
    static vector maximum(vector a, vector b) { return a > b ? a : b; }
    static vector minimum(vector a, vector b) { return a < b ? a : b; }

    // a b + c. In f32 the product is exact in double; in f64 it is rounded, which the constants of the range reduction
    // allow for: software emulation of the fused form would cost a hundred times as much.
    static vector multiply_add(vector a, vector b, vector c) { return element(double(a) * double(b) + double(c)); }

    // v, but 0 where x equals y, which NaN does not.
    static vector zero_where_equal(vector v, vector x, vector y) { return x == y ? 0 : v; }

    // 2^k from a number whose lowest bits hold k + exponent bias.
    static vector power_of_two(vector z) { return std::bit_cast<element>(std::bit_cast<bits>(z) << fraction_bits); }

    static bool any_nan(vector v) { return v != v; }
    static bool any_greater(vector a, vector b) { return a > b; }
    static element greatest(vector v) { return v; }

    static wide wide_zero() { return {0, 0}; }
    static wide accumulate(wide sum, vector v) { return sum.plus(v); }
    static double total(wide sum) { return sum.total(); }
    static void store_wide(double* to, wide sum) { *to = sum.lanes(); }
    static double total_lanes(vector v) { return v; }

    // (v - first) - second in double, rounded once to the element.
    static vector subtract_wide(vector v, double first, double second) { return element((double(v) - first) - second); }
    static vector subtract_wide(vector v, const double* first, const double* second) {
        return subtract_wide(v, *first, *second);
    }
};

} // namespace kernels::simd
