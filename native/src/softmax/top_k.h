// The largest probabilities of a row. The row of indices that the caller gives is the heap: its root is the one to give
// up next, the smallest logit kept, and among equals the one with the highest index. Include inside a target region.
#pragma once

namespace kernels::softmax {

template <class V, class T> class top_k_heap {
    using element = typename V::element;

  public:
    top_k_heap(const row_view<V, T>& row, int32_t* indices) : row_(row), indices_(indices) {}

    void collect(int32_t count) {
        count_ = count;
        for (int32_t i = 0; i < count; i++)
            indices_[i] = i;
        for (int32_t i = count / 2 - 1; i >= 0; i--)
            sift_down(i);
        block_buffer<V> buffer;
        for (int64_t begin = count; begin < row_.length(); begin += block_length<V>) {
            const int64_t left = row_.length() - begin, here = left < block_length<V> ? left : block_length<V>;
            offer(row_.logits(begin, here, buffer.values), begin, here);
        }
        sort_descending();
    }

  private:
    // Indices come in ascending order: only a strictly larger logit displaces one that is kept.
    void offer(const element* logits, int64_t begin, int64_t count) {
        element least = row_.logit(indices_[0]);
        for (int64_t i = 0; i < count; i += V::width) {
            const int64_t end = count - i < V::width ? count : i + V::width;
            const auto x =
                end - i == V::width ? V::load(logits + i) : V::load_first(logits + i, end - i, masked_logit<V>);
            if (!V::any_greater(x, V::set(least)))
                continue;
            for (int64_t k = i; k < end; k++)
                if (logits[k] > least) {
                    indices_[0] = int32_t(begin + k);
                    sift_down(0);
                    least = row_.logit(indices_[0]);
                }
        }
    }

    bool goes_first(int32_t a, int32_t b) const {
        const element x = row_.logit(a), y = row_.logit(b);
        return x < y || (x == y && a > b);
    }

    void sift_down(int32_t parent) {
        for (int64_t child = 2 * int64_t(parent) + 1; child < count_; child = 2 * int64_t(parent) + 1) {
            if (child + 1 < count_ && goes_first(indices_[child + 1], indices_[child]))
                child++;
            if (!goes_first(indices_[child], indices_[parent]))
                return;
            exchange(parent, int32_t(child));
            parent = int32_t(child);
        }
    }

    void sort_descending() {
        while (count_ > 1) {
            exchange(0, --count_);
            sift_down(0);
        }
    }

    void exchange(int32_t a, int32_t b) {
        const int32_t kept = indices_[a];
        indices_[a] = indices_[b];
        indices_[b] = kept;
    }

    const row_view<V, T>& row_;
    int32_t* indices_;
    int32_t count_ = 0;
};

template <class V, class T>
void top_k_row(const kernels_softmax_rows& rows, int64_t index, T* values, int32_t* indices, int32_t count) {
    using element = typename V::element;
    const row_view<V, T> row(rows, index);
    const kernels_softmax_sum sum = sum_of(rows, row);
    const bool has_sum = std::isfinite(sum.mantissa) && sum.mantissa != 0;
    const bool is_zero = has_sum || (sum.mantissa == 0 && rows.safe);
    const int32_t found = !has_sum ? 0 : row.length() < count ? int32_t(row.length()) : count;
    // Positions without a probability of their own follow in ascending order.
    for (int32_t i = found; i < count; i++) {
        indices[i] = i;
        narrow(is_zero ? element(0) : std::numeric_limits<element>::quiet_NaN(), values[i]);
    }
    if (found == 0)
        return;
    top_k_heap<V, T>(row, indices).collect(found);
    const probability<V> probability_of(sum);
    for (int32_t i = 0; i < found; i++) {
        const element logit = row.logit(indices[i]);
        V::store_first(values + i, probability_of(V::load_first(&logit, 1, 0)), 1);
    }
}

template <class V, class T>
void top_k(const kernels_softmax_rows& rows, int64_t row_begin, int64_t row_end, void* values, int32_t* indices,
           int32_t count) {
    for (int64_t row = row_begin; row < row_end; row++)
        top_k_row<V, T>(rows, row, static_cast<T*>(values) + row * count, indices + row * count, count);
}

} // namespace kernels::softmax
