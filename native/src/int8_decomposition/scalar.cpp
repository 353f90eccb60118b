#include "kernel_table.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <utility>

#include "tiles.h"

namespace kernels::int8 {

namespace {

// One lane, without SIMD.
struct scalar {
    // Unsigned, since sums wrap.
    using ints = uint32_t;
    static constexpr int lanes = 1, activation_bytes = sizeof(int8_t), longest_tile = 6;

    static ints zero() { return 0; }
    static ints load_weights(const uint8_t* from) { return load(from); }
    static ints load_activations(const uint8_t* from) { return load(from); }
    static ints add(ints totals, ints weights, ints activations) {
        for (int i = 0; i < lane_bytes; i++)
            totals += ints(int8_t(weights >> 8 * i) * int8_t(activations >> 8 * i));
        return totals;
    }
    static void add_to(ints totals, int32_t* sums) { *sums = int32_t(ints(*sums) + totals); }
    static void keep(ints&) {}
    static void prefetch(const uint8_t*, int64_t) {}

  private:
    // The order of the bytes does not matter, as long as it is the same on both sides.
    static ints load(const uint8_t* from) {
        ints lane;
        std::memcpy(&lane, from, sizeof lane);
        return lane;
    }
};

} // namespace

void add_scalar(const kernels_int8_block& block, int32_t* sums) {
    add<scalar>(block, sums);
}

} // namespace kernels::int8
