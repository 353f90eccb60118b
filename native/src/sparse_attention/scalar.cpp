#include "kernel_table.h"

#include <cstring>
#include <utility>

#include "../simd/scalar.h"
#include "streams.h"

namespace kernels::attention {

namespace {

struct scalar : simd::scalar<float> {
    using simd::scalar<float>::load;
    using simd::scalar<float>::load_first;

    static constexpr int keys_beside(int) { return 4; }
    static constexpr int registers_beside(int) { return 4; }

    static vector load(const int8_t* from) { return *from; }
    static vector load_first(const int8_t* from, int64_t, float) { return *from; }
    static void store_totals(float* to, vector a, vector b, vector c, vector d) {
        const vector totals[] = {a, b, c, d};
        std::memcpy(to, totals, sizeof totals);
    }
    static void prefetch(const uint8_t*) {}
};

} // namespace

const kernel_table scalar_kernels = table_of<scalar>;

} // namespace kernels::attention
