// How the columns of a softmax along another axis than the last are cut into tiles.
#pragma once

#include <cstdint>

namespace kernels::softmax {

// The most columns of a tile: their state, some 40 bytes each, and four rows of staged logits fit the level 1 cache.
inline constexpr int64_t longest_tile = 256;

// Adjacent columns done at a time: few enough that the logits of all of them stay in level 2 from one sweep down the
// axis to the next, and no fewer than a cache line holds.
int64_t tile_length(int64_t row_length, int64_t element_bytes);

} // namespace kernels::softmax
