// Tiles of rows times registers of outputs, written once for every instruction set. Include inside a target region.
//
// S, a register of 32-bit lanes, each a float, an int32, or 4 inputs of one output, gives: ints, floats, lanes,
// longest_tile (rows whose sums two registers wide fit the register file), steps_per_flush (steps that may be added to
// one partial sum; a whole segment where it is a total), the dot products add_nibbles(partial, weights, activations)
// and add_bytes(total, weights, activations), flush(total, partial) where partial sums are not totals, and the
// operations used below.
#pragma once

namespace kernels::gemm {

// Hardware prefetchers stop at the end of a page, and a segment is one: weights are asked for two pages ahead.
inline constexpr int64_t prefetch_bytes = 8192;
inline constexpr int64_t line_bytes = 64;
inline constexpr int lane_inputs = 4;
inline constexpr int half_step_bytes = KERNELS_GEMM_PANEL_COLUMNS * lane_inputs;

template <class S, int bits> struct weight_format;

template <class S> struct weight_format<S, 4> {
    using ints = typename S::ints;
    static constexpr int step_bytes = half_step_bytes;
    static constexpr int steps_per_flush = S::steps_per_flush;
    static ints first(const uint8_t* step) { return S::low_nibbles(S::load(step)); }
    static ints second(const uint8_t* step) { return S::high_nibbles(S::load(step)); }
    static ints add(ints partial, ints weights, ints activations) {
        return S::add_nibbles(partial, weights, activations);
    }
};

// Partial sums are the totals.
template <class S> struct weight_format<S, 8> {
    using ints = typename S::ints;
    static constexpr int step_bytes = 2 * half_step_bytes;
    static constexpr int steps_per_flush = KERNELS_GEMM_LONGEST_SEGMENT;
    static ints first(const uint8_t* step) { return S::load(step); }
    static ints second(const uint8_t* step) { return S::load(step + half_step_bytes); }
    static ints add(ints partial, ints weights, ints activations) {
        return S::add_bytes(partial, weights, activations);
    }
};

template <class S> typename S::floats load_scales(const kernels_gemm_segment& segment, int column) {
    switch (segment.scale_type) {
    case KERNELS_F16:
        return S::load_floats(static_cast<const f16*>(segment.scales) + column);
    case KERNELS_BF16:
        return S::load_floats(static_cast<const bf16*>(segment.scales) + column);
    default:
        return S::load_floats(static_cast<const float*>(segment.scales) + column);
    }
}

template <class S> typename S::floats load_zeros(const kernels_gemm_segment& segment, int column) {
    return segment.zero_points == nullptr ? S::set(float(segment.symmetric_zero))
                                          : S::load_bytes(segment.zero_points + column);
}

template <class S, int bits, int rows, int columns> class tile {
    using ints = typename S::ints;
    using format = weight_format<S, bits>;

  public:
    static void add(const kernels_gemm_segment& segment, const kernels_gemm_activations& activations, float* sums,
                    int64_t row, int column) {
        const int64_t length = int64_t{segment.step_count} * KERNELS_GEMM_STEP_INPUTS;
        const int8_t* activation = static_cast<const int8_t*>(activations.values) + row * length;
        const uint8_t* weights = segment.weights + column * lane_inputs;
        const bool is_first = row == 0 && column == 0;
        ints totals[rows][columns];
        clear(totals);
        if constexpr (format::steps_per_flush >= KERNELS_GEMM_LONGEST_SEGMENT) {
            add_steps(totals, weights, activation, segment.step_count, length, is_first);
        } else {
            for (int step = 0; step < segment.step_count; step += format::steps_per_flush) {
                const int count = std::min(segment.step_count - step, format::steps_per_flush);
                ints partial[rows][columns];
                clear(partial);
                add_steps(partial, weights + step * format::step_bytes, activation + step * KERNELS_GEMM_STEP_INPUTS,
                          count, length, is_first);
                for (int r = 0; r < rows; r++)
                    for (int c = 0; c < columns; c++)
                        totals[r][c] = S::flush(totals[r][c], partial[r][c]);
            }
        }
        add_scaled(segment, activations, totals, sums, row, column);
    }

  private:
    static void clear(ints (&values)[rows][columns]) {
        for (int r = 0; r < rows; r++)
            for (int c = 0; c < columns; c++)
                values[r][c] = S::zero();
    }

    static void add_steps(ints (&sums)[rows][columns], const uint8_t* weights, const int8_t* activation, int count,
                          int64_t length, bool is_first) {
        for (int step = 0; step < count; step++) {
            if (is_first)
                prefetch(weights);
            ints lanes[columns];
            for (int c = 0; c < columns; c++)
                lanes[c] = format::first(weights + c * S::lanes * lane_inputs);
            add_half(sums, lanes, activation, length);
            for (int c = 0; c < columns; c++)
                lanes[c] = format::second(weights + c * S::lanes * lane_inputs);
            add_half(sums, lanes, activation + lane_inputs, length);
            activation += KERNELS_GEMM_STEP_INPUTS;
            weights += format::step_bytes;
        }
    }

    static void prefetch(const uint8_t* step) {
        for (int64_t line = 0; line < format::step_bytes; line += line_bytes)
            S::prefetch(step, prefetch_bytes + line);
    }

    static void add_half(ints (&partial)[rows][columns], const ints (&weights)[columns], const int8_t* activation,
                         int64_t length) {
        for (int r = 0; r < rows; r++) {
            const ints a = S::broadcast(activation + r * length);
            for (int c = 0; c < columns; c++)
                partial[r][c] = format::add(partial[r][c], weights[c], a);
        }
    }

    static void add_scaled(const kernels_gemm_segment& segment, const kernels_gemm_activations& activations,
                           const ints (&totals)[rows][columns], float* sums, int64_t row, int column) {
        const float* scales = static_cast<const float*>(activations.scales) + row;
        const float* row_sums = static_cast<const float*>(activations.sums) + row;
        for (int c = 0; c < columns; c++) {
            const int from = column + c * S::lanes;
            const auto scale = load_scales<S>(segment, from);
            const auto minus_zero = S::subtract(S::set(0), load_zeros<S>(segment, from));
            for (int r = 0; r < rows; r++) {
                float* to = sums + (row + r) * KERNELS_GEMM_PANEL_COLUMNS + from;
                const auto product = S::multiply_add(minus_zero, S::set(row_sums[r]), S::to_float(totals[r][c]));
                S::store(to, S::multiply_add(S::multiply(product, S::set(scales[r])), scale, S::load_floats(to)));
            }
        }
    }
};

template <class S, int bits, int rows = S::longest_tile>
void add_rows(int64_t count, const kernels_gemm_segment& segment, const kernels_gemm_activations& activations,
              float* sums, int64_t row, int column) {
    if (count == rows)
        return tile<S, bits, rows, 2>::add(segment, activations, sums, row, column);
    if constexpr (rows > 1)
        add_rows<S, bits, rows - 1>(count, segment, activations, sums, row, column);
}

// The fewest tiles of at most longest_tile rows, which then differ by one row at most; a single row has more outputs
// side by side instead, whose chains of additions overlap.
template <class S, int bits>
void add_int8(const kernels_gemm_segment& segment, const kernels_gemm_activations& activations, float* sums) {
    if (activations.row_count == 1) {
        for (int column = 0; column < KERNELS_GEMM_PANEL_COLUMNS; column += 4 * S::lanes)
            tile<S, bits, 1, 4>::add(segment, activations, sums, 0, column);
        return;
    }
    const int64_t tiles = (activations.row_count + S::longest_tile - 1) / S::longest_tile;
    for (int column = 0; column < KERNELS_GEMM_PANEL_COLUMNS; column += 2 * S::lanes) {
        for (int64_t i = 0, row = 0; i < tiles; i++) {
            const int64_t end = activations.row_count * (i + 1) / tiles;
            add_rows<S, bits>(end - row, segment, activations, sums, row, column);
            row = end;
        }
    }
}

template <class S> inline constexpr int8_kernels kernels_of = {add_int8<S, 4>, add_int8<S, 8>};

} // namespace kernels::gemm
