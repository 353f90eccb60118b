// Tiles of rows times registers of outputs, written once for every instruction set. Include inside a target region.
//
// S, a register of 32-bit totals, gives: ints; lanes (outputs of a register); activation_bytes; longest_tile (rows
// whose totals two registers wide stay in registers: whole tiles of activations); load_weights, load_activations
// (4 inputs of one row, for every output), add(totals, weights, activations), add_to(totals, sums), keep and prefetch.
#pragma once

#include "../simd/unroll.h"

namespace kernels::int8 {

inline constexpr int panel_columns = KERNELS_INT8_PANEL_COLUMNS, tile_rows = KERNELS_INT8_TILE_ROWS;
inline constexpr int lane_bytes = KERNELS_INT8_STEP_INPUTS, step_bytes = panel_columns * lane_bytes, line_bytes = 64;

template <class S, int rows, int registers> class tile {
    using ints = typename S::ints;
    static constexpr int row_bytes = S::activation_bytes * KERNELS_INT8_STEP_INPUTS;

  public:
    static void add(const kernels_int8_block& block, int32_t* sums, int first_row, int column) {
        ints totals[rows][registers];
        unroll<rows>([&](auto r) KERNELS_INLINE {
            unroll<registers>([&](auto c) KERNELS_INLINE { totals[r][c] = S::zero(); });
        });
        add_steps(totals, block, first_row, column);
        unroll<rows>([&](auto r) KERNELS_INLINE {
            unroll<registers>([&](auto c) KERNELS_INLINE {
                S::keep(totals[r][c]);
                S::add_to(totals[r][c], sums + int64_t{first_row + r} * panel_columns + column + c * S::lanes);
            });
        });
    }

  private:
    KERNELS_INLINE static void add_steps(ints (&totals)[rows][registers], const kernels_int8_block& block,
                                         int first_row, int column) {
        const uint8_t* weights = block.weights + column * lane_bytes;
        const auto* activations = static_cast<const uint8_t*>(block.activations) +
                                  first_row / tile_rows * block.tile_bytes + first_row % tile_rows * row_bytes;
        const int64_t next_block = int64_t{block.step_count} * step_bytes;
        for (int step = 0; step < block.step_count; step++) {
            // At small batch weights come from memory, in an order that hardware does not foresee.
            if (first_row == 0)
                prefetch(weights, next_block);
            ints lanes[registers];
            unroll<registers>([&](auto c)
                                  KERNELS_INLINE { lanes[c] = S::load_weights(weights + c * S::lanes * lane_bytes); });
            unroll<rows>([&](auto r) KERNELS_INLINE {
                const ints a =
                    S::load_activations(activations + r / tile_rows * block.tile_bytes + r % tile_rows * row_bytes);
                unroll<registers>([&](auto c) KERNELS_INLINE { totals[r][c] = S::add(totals[r][c], lanes[c], a); });
            });
            weights += step_bytes;
            activations += block.step_bytes;
        }
    }

    // Inlined before GCC looks for calls without an effect, for which it takes one that only prefetches.
    KERNELS_INLINE static void prefetch(const uint8_t* weights, int64_t ahead) {
        constexpr int bytes = registers * S::lanes * lane_bytes;
        for (int byte = 0; byte < bytes; byte += line_bytes)
            S::prefetch(weights, ahead + byte);
    }
};

// One or two rows have four registers side by side, if a panel has as many: enough chains of additions to hide their
// latency.
template <class S, int rows> inline constexpr int registers_of = rows <= 2 ? std::min(4, panel_columns / S::lanes) : 2;

template <class S, int rows = S::longest_tile>
void add_rows(const kernels_int8_block& block, int32_t* sums, int first_row, int count) {
    if (count == rows) {
        for (int column = 0; column < panel_columns; column += registers_of<S, rows> * S::lanes)
            tile<S, rows, registers_of<S, rows>>::add(block, sums, first_row, column);
    } else if constexpr (rows > 1) {
        add_rows<S, rows - 1>(block, sums, first_row, count);
    }
}

// As many whole tiles of activations as registers have room for, and what is left of the rows.
template <class S> void add(const kernels_int8_block& block, int32_t* sums) {
    static_assert(S::longest_tile % tile_rows == 0);
    int row = 0;
    for (; block.row_count - row > S::longest_tile; row += S::longest_tile)
        add_rows<S>(block, sums, row, S::longest_tile);
    add_rows<S>(block, sums, row, block.row_count - row);
}

} // namespace kernels::int8
