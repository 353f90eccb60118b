#include "../elements.h"
#include "kernel_table.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <utility>

#include "tiles.h"

namespace kernels::gemm {

namespace {

// One lane, without SIMD.
struct scalar {
    using ints = uint32_t;
    using floats = float;
    static constexpr int lanes = 1, registers = 2, longest_tile = 4, steps_per_flush = KERNELS_GEMM_LONGEST_SEGMENT;

    static ints zero() { return 0; }
    static ints load(const uint8_t* from) { return broadcast(from); }
    static ints broadcast(const void* from) {
        ints lane;
        std::memcpy(&lane, from, sizeof lane);
        return lane;
    }
    static ints low_nibbles(ints v) { return v & 0x0F0F0F0F; }
    static ints high_nibbles(ints v) { return v >> 4 & 0x0F0F0F0F; }
    static ints add_bytes(ints total, ints weights, ints activations) {
        for (int i = 0; i < lane_inputs; i++)
            total += uint32_t(uint8_t(weights >> 8 * i) * int8_t(activations >> 8 * i));
        return total;
    }
    static ints add_nibbles(ints partial, ints weights, ints activations) {
        return add_bytes(partial, weights, activations);
    }

    static floats set(float x) { return x; }
    template <class Stored> static floats load_floats(const Stored* from) { return widen(*from); }
    static floats load_bytes(const uint8_t* from) { return *from; }
    static void store(float* to, floats v) { *to = v; }
    static floats to_float(ints v) { return float(int32_t(v)); }
    static floats subtract(floats a, floats b) { return a - b; }
    static floats multiply(floats a, floats b) { return a * b; }
    // The product is exact in double; the sum is rounded to double first, which moves the result only where it lies
    // within 2^-53 of the midpoint of two floats.
    static floats multiply_add(floats a, floats b, floats c) { return float(double(a) * double(b) + double(c)); }
    static void keep(ints&) {}
    static void prefetch(const uint8_t*, int64_t) {}
};

} // namespace

const int8_kernels scalar_kernels = kernels_of<scalar>;

} // namespace kernels::gemm
