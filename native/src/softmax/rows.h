// Softmax along the last axis: which way a row is done, and its two passes. Include inside a target region.
#pragma once

namespace kernels::softmax {

// Outputs of this size or more are written past the caches: more than the level 2 cache of any core keeps for a reader,
// and an ordinary store would first read the line it overwrites.
inline constexpr int64_t streaming_bytes = 4 << 20;

template <class V, class T> write_policy policy_of(const kernels_softmax_rows& rows) {
    const int64_t bytes = rows.outer_count * int64_t(rows.row_length) * int64_t(sizeof(T));
    const bool is_streamed = rows.output != rows.input && bytes >= streaming_bytes;
    return is_streamed ? write_policy::streaming : write_policy::cached;
}

template <class V, class T> kernels_softmax_sum sum_of(const row_view<V, T>& row, int64_t begin, int64_t end) {
    block_buffer<V> buffer;
    row_sum<V> sum;
    for (int64_t i = begin; i < end; i += block_length<V>) {
        const int64_t count = end - i < block_length<V> ? end - i : block_length<V>;
        sum.add(row.logits(i, count, buffer.values), count);
    }
    return sum.result();
}

// The sum of a whole row: of its chunks, so that it is the same when threads share them.
template <class V, class T> kernels_softmax_sum sum_of(const kernels_softmax_rows& rows, const row_view<V, T>& row) {
    const int64_t chunk = chunk_length(rows.row_length);
    kernels_softmax_sum parts[KERNELS_SOFTMAX_CHUNK_LIMIT];
    int64_t count = 0;
    for (int64_t begin = 0; begin < row.length(); begin += chunk)
        parts[count++] = sum_of(row, begin, begin + chunk < row.length() ? begin + chunk : row.length());
    return combine(parts, count);
}

// A row of one block: largest logit, terms and their sum, division. The terms never leave the level 1 cache.
template <class V, class T>
bool write_short_probabilities(const kernels_softmax_rows& rows, const row_view<V, T>& row, write_policy policy) {
    block_buffer<V> buffer;
    const auto* logits = row.logits(0, row.length(), buffer.values);
    const double maximum = greatest<V>(logits, row.length());
    if (!std::isfinite(maximum))
        return false;
    const double shift = shift_for(maximum), exponent = exponent_for(maximum, shift);
    const double sum = with_reference<V>(shift, exponent, [&](const auto& reference) {
        return block_sum<V, true>(reference, logits, row.length(), buffer.values).sum;
    });
    if (std::isnan(sum))
        return false;
    const divided<V> by_sum{split_reciprocal<V>(sum)};
    transform<V>(buffer.values, row.output(), row.length(), by_sum, policy);
    fill(row, row.length(), rows.row_length, 0);
    return true;
}

template <class V, class T> void compute_row(const kernels_softmax_rows& rows, int64_t index, write_policy policy) {
    const row_view<V, T> row(rows, index);
    if (rows.operation == KERNELS_SOFTMAX_PROBABILITIES && rows.row_length <= block_length<V> &&
        write_short_probabilities(rows, row, policy))
        return;
    write_row<V, T>(rows, index, 0, rows.row_length, sum_of(rows, row), policy);
}

template <class V, class T> void compute_rows(const kernels_softmax_rows& rows, int64_t row_begin, int64_t row_end) {
    const write_policy policy = policy_of<V, T>(rows);
    for (int64_t row = row_begin; row < row_end; row++)
        compute_row<V, T>(rows, row, policy);
    V::fence();
}

template <class V, class T>
kernels_softmax_sum partial_sum(const kernels_softmax_rows& rows, int64_t row, int64_t begin, int64_t end) {
    const row_view<V, T> view(rows, row);
    return sum_of(view, begin, end < view.length() ? end : view.length());
}

template <class V, class T>
void normalize(const kernels_softmax_rows& rows, int64_t row, int64_t begin, int64_t end,
               const kernels_softmax_sum& sum) {
    write_row<V, T>(rows, row, begin, end, sum, policy_of<V, T>(rows));
    V::fence();
}

} // namespace kernels::softmax
