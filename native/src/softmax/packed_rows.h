// Rows too short to fill vectors: many of them are transposed into a tile and done as its columns. Include inside a
// target region.
#pragma once

namespace kernels::softmax {

// Up to this length rows were measured faster so by factors, transposition included. Longer ones fill most of a vector.
inline constexpr int64_t packed_length = 8;

// Asks for the length and for options of the call, not for the number of rows: a row is its own.
template <class V> bool is_packed(const kernels_softmax_rows& rows) {
    const bool is_tiny = rows.row_length > 0 && rows.row_length <= packed_length;
    return V::width > 1 && is_tiny && !rows.causal && rows.row_lengths == nullptr;
}

template <class V, class T> class row_pack {
    using element = typename V::element;

  public:
    row_pack(const kernels_softmax_rows& rows, int64_t first_row, int64_t count)
        : rows_(rows), first_row_(first_row), count_(count) {}

    // Logits of a row stand count_ apart.
    static int64_t longest(int64_t row_length) {
        const int64_t fitting = block_length<V> / row_length;
        return fitting < longest_tile ? fitting : longest_tile;
    }

    void compute() {
        gather();
        kernels_softmax_rows columns = {};
        columns.input = columns.output = tile_.values;
        columns.operation = rows_.operation;
        columns.outer_count = columns.causal_query_count = 1;
        columns.row_length = rows_.row_length;
        columns.inner_count = int32_t(count_);
        columns.scale = 1;
        columns.safe = rows_.safe;
        element sums[longest_tile];
        if (rows_.operation != KERNELS_SOFTMAX_LOG_SUM_EXP) {
            column_tile<V, element>(columns, 0, count_).compute();
            return scatter();
        }
        columns.output = sums;
        column_tile<V, element>(columns, 0, count_).compute();
        for (int64_t r = 0; r < count_; r++)
            narrow(sums[r], static_cast<T*>(rows_.output)[first_row_ + r]);
    }

  private:
    void gather() {
        element staged[packed_length > V::width ? packed_length : V::width];
        for (int64_t r = 0; r < count_; r++) {
            const element* logits = row_view<V, T>(rows_, first_row_ + r).logits(0, rows_.row_length, staged);
            for (int64_t i = 0; i < rows_.row_length; i++)
                tile_.values[i * count_ + r] = logits[i];
        }
    }

    void scatter() {
        for (int64_t r = 0; r < count_; r++) {
            T* to = static_cast<T*>(rows_.output) + (first_row_ + r) * rows_.output_row_stride;
            for (int64_t i = 0; i < rows_.row_length; i++)
                narrow(tile_.values[i * count_ + r], to[i]);
        }
    }

    const kernels_softmax_rows& rows_;
    const int64_t first_row_, count_;
    block_buffer<V> tile_;
};

template <class V, class T> void compute_packed(const kernels_softmax_rows& rows, int64_t row_begin, int64_t row_end) {
    const int64_t longest = row_pack<V, T>::longest(rows.row_length);
    for (int64_t row = row_begin; row < row_end; row += longest)
        row_pack<V, T>(rows, row, row_end - row < longest ? row_end - row : longest).compute();
}

} // namespace kernels::softmax
