#include "tiles.h"

#include <algorithm>

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

namespace kernels::softmax {

namespace {

constexpr int64_t line_bytes = 64;

// Of a core of this machine; where the system does not say, of the smallest cores in use, as in MachineInfo.
int64_t level2_bytes() {
#if defined(_SC_LEVEL2_CACHE_SIZE)
    // Asked once: the C library looks it up with an instruction that traps on virtual machines.
    static const int64_t known = sysconf(_SC_LEVEL2_CACHE_SIZE);
    if (known > 0)
        return known;
#endif
    return 256 * 1024;
}

} // namespace

int64_t tile_length(int64_t row_length, int64_t element_bytes) {
    const int64_t line = line_bytes / element_bytes;
    const int64_t column_bytes = std::max<int64_t>(row_length, 1) * element_bytes;
    const int64_t fitting = level2_bytes() / 2 / column_bytes;
    return std::clamp(fitting / line * line, line, longest_tile);
}

} // namespace kernels::softmax
