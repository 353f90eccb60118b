// Tiles of rows times registers of outputs, written once for every instruction set. Include inside a target region.
//
// S, a register of 32-bit lanes, each a float, an int32, or 4 inputs of one output, gives: ints, floats, lanes,
// registers (side by side in a tile of several rows), longest_tile (rows whose sums then fit the register file),
// steps_per_flush (steps that may be added to one partial sum; a whole segment where it is a total), the dot products
// add_nibbles(partial, weights, activations) and add_bytes(total, weights, activations), flush(total, partial) where
// partial sums are not totals, keep, and the operations used below.
#pragma once

#include "../simd/unroll.h"

namespace kernels::gemm {

// Segments that all rows pass before the next: so sums stay in level 1 for some segments, and hardware prefetchers,
// which stop at the end of a page, are helped: every tile asks for its share of the block that follows.
inline constexpr int64_t block_bytes = 8192;
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

// Of output `at`, counted from the first segment's first.
template <class S> typename S::floats load_scales(const kernels_gemm_segments& segments, int64_t at) {
    switch (segments.scale_type) {
    case KERNELS_F16:
        return S::load_floats(static_cast<const f16*>(segments.scales) + at);
    case KERNELS_BF16:
        return S::load_floats(static_cast<const bf16*>(segments.scales) + at);
    default:
        return S::load_floats(static_cast<const float*>(segments.scales) + at);
    }
}

template <class S> typename S::floats load_zeros(const kernels_gemm_segments& segments, int64_t at) {
    return segments.zero_points == nullptr ? S::set(float(segments.symmetric_zero))
                                           : S::load_bytes(segments.zero_points + at);
}

// The part of a run of segments that a tile works on, and its share of the prefetching: steps [begin, end) of each.
struct work {
    const kernels_gemm_segments& segments;
    const kernels_gemm_activations& activations;
    float* sums;
    int64_t first_segment, last_segment;
    int first_prefetched, last_prefetched;

    int64_t row_bytes() const { return int64_t{segments.step_count} * KERNELS_GEMM_STEP_INPUTS; }
};

template <class S, int bits, int rows, int registers> class tile {
    using ints = typename S::ints;
    using floats = typename S::floats;
    using format = weight_format<S, bits>;

  public:
    // A function of its own: registers are given out well where there is one loop to give them to.
    [[gnu::noinline]] static void add(const work& w, int64_t row, int column) {
        for (int64_t segment = w.first_segment; segment < w.last_segment; segment++) {
            add(w, segment, row, column);
            // GCC would carry the sums from segment to segment in registers, which it has none left of.
            std::atomic_signal_fence(std::memory_order_seq_cst);
        }
    }

  private:
    KERNELS_INLINE static void add(const work& w, int64_t segment, int64_t row, int column) {
        const int steps = w.segments.step_count;
        const int8_t* activation = static_cast<const int8_t*>(w.activations.values) +
                                   (segment * w.activations.row_count + row) * w.row_bytes();
        const uint8_t* weights = w.segments.weights + segment * steps * format::step_bytes + column * lane_inputs;
        ints totals[rows][registers];
        clear(totals);
        if constexpr (format::steps_per_flush >= KERNELS_GEMM_LONGEST_SEGMENT) {
            add_steps(totals, weights, activation, w, 0, steps);
            each([&](auto r, auto c) KERNELS_INLINE { S::keep(totals[r][c]); });
        } else {
            for (int step = 0; step < steps; step += format::steps_per_flush) {
                ints partial[rows][registers];
                clear(partial);
                add_steps(partial, weights, activation, w, step, std::min(steps, step + format::steps_per_flush));
                each([&](auto r, auto c) KERNELS_INLINE { totals[r][c] = S::flush(totals[r][c], partial[r][c]); });
            }
        }
        add_scaled(w, totals, segment, row, column);
    }

    template <class Body> KERNELS_INLINE static void each(const Body& body) {
        unroll<rows>([&](auto r) KERNELS_INLINE { unroll<registers>([&](auto c) KERNELS_INLINE { body(r, c); }); });
    }

    KERNELS_INLINE static void clear(ints (&values)[rows][registers]) {
        each([&](auto r, auto c) KERNELS_INLINE { values[r][c] = S::zero(); });
    }

    KERNELS_INLINE static void add_steps(ints (&partial)[rows][registers], const uint8_t* weights,
                                         const int8_t* activation, const work& w, int begin, int end) {
        const int64_t length = w.row_bytes();
        const uint8_t* step_weights = weights + int64_t{begin} * format::step_bytes;
        const int8_t* inputs = activation + int64_t{begin} * KERNELS_GEMM_STEP_INPUTS;
        for (int step = begin; step < end; step++) {
            if (step >= w.first_prefetched && step < w.last_prefetched)
                prefetch(step_weights);
            ints lanes[registers];
            unroll<registers>(
                [&](auto c) KERNELS_INLINE { lanes[c] = format::first(step_weights + c * S::lanes * lane_inputs); });
            add_half(partial, lanes, inputs, length);
            unroll<registers>(
                [&](auto c) KERNELS_INLINE { lanes[c] = format::second(step_weights + c * S::lanes * lane_inputs); });
            add_half(partial, lanes, inputs + lane_inputs, length);
            inputs += KERNELS_GEMM_STEP_INPUTS;
            step_weights += format::step_bytes;
        }
    }

    // Inlined before GCC looks for calls without an effect, for which it takes one that only prefetches.
    KERNELS_INLINE static void prefetch(const uint8_t* step) {
        for (int64_t line = 0; line < format::step_bytes; line += line_bytes)
            S::prefetch(step, block_bytes + line);
    }

    KERNELS_INLINE static void add_half(ints (&partial)[rows][registers], const ints (&weights)[registers],
                                        const int8_t* activation, int64_t length) {
        unroll<rows>([&](auto r) KERNELS_INLINE {
            const ints a = S::broadcast(activation + r * length);
            unroll<registers>([&](auto c)
                                  KERNELS_INLINE { partial[r][c] = format::add(partial[r][c], weights[c], a); });
        });
    }

    KERNELS_INLINE static void add_scaled(const work& w, const ints (&totals)[rows][registers], int64_t segment,
                                          int64_t row, int column) {
        const int64_t at = segment * w.segments.group_stride + column, row_at = segment * w.activations.row_count + row;
        floats scales[registers], minus_zeros[registers];
        unroll<registers>([&](auto c) KERNELS_INLINE {
            scales[c] = load_scales<S>(w.segments, at + c * S::lanes);
            minus_zeros[c] = S::subtract(S::set(0), load_zeros<S>(w.segments, at + c * S::lanes));
        });
        unroll<rows>([&](auto r) KERNELS_INLINE {
            const floats row_scale = S::set(static_cast<const float*>(w.activations.scales)[row_at + r]);
            const floats row_sum = S::set(static_cast<const float*>(w.activations.sums)[row_at + r]);
            unroll<registers>([&](auto c) KERNELS_INLINE {
                float* to = w.sums + (row + r) * KERNELS_GEMM_PANEL_COLUMNS + column + c * S::lanes;
                const floats product = S::multiply_add(minus_zeros[c], row_sum, S::to_float(totals[r][c]));
                S::store(to, S::multiply_add(S::multiply(product, row_scale), scales[c], S::load_floats(to)));
            });
        });
    }
};

template <class S, int bits, int registers, int rows> void add_rows(int64_t count, const work& w, int64_t row) {
    if (count == rows) {
        for (int column = 0; column < KERNELS_GEMM_PANEL_COLUMNS; column += registers * S::lanes)
            tile<S, bits, rows, registers>::add(w, row, column);
    } else if constexpr (rows > 1) {
        add_rows<S, bits, registers, rows - 1>(count, w, row);
    }
}

// A single row has four registers side by side everywhere: their chains of additions overlap.
inline constexpr int registers_of_a_row = 4;

// The fewest tiles of at most longest_tile rows, which then differ by one row at most.
template <class S, int bits> void add_block(work& w) {
    const int64_t rows = w.activations.row_count, tiles = (rows + S::longest_tile - 1) / S::longest_tile;
    for (int64_t i = 0, row = 0; i < tiles; i++) {
        w.first_prefetched = int(w.segments.step_count * i / tiles);
        w.last_prefetched = int(w.segments.step_count * (i + 1) / tiles);
        const int64_t end = rows * (i + 1) / tiles;
        if (rows == 1)
            add_rows<S, bits, registers_of_a_row, 1>(1, w, row);
        else
            add_rows<S, bits, S::registers, S::longest_tile>(end - row, w, row);
        row = end;
    }
}

template <class S, int bits>
void add_int8(const kernels_gemm_segments& segments, const kernels_gemm_activations& activations, float* sums) {
    const int64_t segment_bytes = int64_t{segments.step_count} * weight_format<S, bits>::step_bytes;
    const int64_t count = segments.segment_count, of_block = std::max<int64_t>(1, block_bytes / segment_bytes);
    work w{segments, activations, sums, 0, 0, 0, 0};
    for (; w.first_segment < count; w.first_segment = w.last_segment) {
        w.last_segment = std::min(count, w.first_segment + of_block);
        add_block<S, bits>(w);
    }
}

template <class S> inline constexpr int8_kernels kernels_of = {add_int8<S, 4>, add_int8<S, 8>};

} // namespace kernels::gemm
