// What is written for a position, given the row's sum. Include inside a target region.
#pragma once

namespace kernels::softmax {

// exp(x) / sum
template <class V> struct probability {
    exponential<V> reference;
    typename V::vector inverse;

    explicit probability(const kernels_softmax_sum& sum)
        : reference(sum.shift, sum.exponent), inverse(V::set(inverse_of(sum.mantissa))) {}

    auto operator()(typename V::vector x) const { return V::multiply(reference.term(x), inverse); }

    static typename V::element inverse_of(double mantissa) {
        return typename V::element(std::ldexp(1 / mantissa, -int(headroom)));
    }
};

// x - log(sum) = (x - maximum) - excess
template <class V> struct log_probability {
    double maximum, excess;
    explicit log_probability(const kernels_softmax_sum& sum) : maximum(sum.maximum), excess(log_excess(sum)) {}
    auto operator()(typename V::vector x) const { return V::subtract_wide(x, maximum, excess); }
};

template <class V, class T>
void fill(const row_view<V, T>& row, int64_t begin, int64_t end, typename V::element value) {
    T stored;
    narrow(value, stored);
    for (int64_t i = begin; i < end; i++)
        row.output()[i] = stored;
}

template <class V, class T, class Operation>
void write_blocks(const row_view<V, T>& row, int64_t begin, int64_t end, const Operation& operation,
                  write_policy policy) {
    block_buffer<V> buffer;
    for (int64_t i = begin; i < end; i += block_length<V>) {
        const int64_t count = end - i < block_length<V> ? end - i : block_length<V>;
        transform<V>(row.logits(i, count, buffer.values), row.output() + i, count, operation, policy);
    }
}

template <class V, class T>
void write_log_sum_exp(const kernels_softmax_rows& rows, int64_t row, const kernels_softmax_sum& sum) {
    const bool has_sum = std::isfinite(sum.mantissa) && sum.mantissa != 0;
    // Otherwise NaN or an infinity, which the sum of the two keeps: 0 stands beside a maximum of -inf.
    const double log = has_sum ? sum.maximum + log_excess(sum) : sum.mantissa + sum.maximum;
    narrow(typename V::element(log), static_cast<T*>(rows.output)[row]);
}

// The second pass over [begin, end) of a row.
template <class V, class T>
void write_row(const kernels_softmax_rows& rows, int64_t row_index, int64_t begin, int64_t end,
               const kernels_softmax_sum& sum, write_policy policy) {
    using element = typename V::element;
    if (rows.operation == KERNELS_SOFTMAX_LOG_SUM_EXP)
        return write_log_sum_exp<V, T>(rows, row_index, sum);
    const row_view<V, T> row(rows, row_index);
    const bool is_log = rows.operation == KERNELS_SOFTMAX_LOG_PROBABILITIES;
    const element masked = is_log ? masked_logit<V> : element(0), nan = std::numeric_limits<element>::quiet_NaN();
    if (sum.mantissa == 0)
        return fill(row, begin, end, rows.safe ? masked : nan);
    const int64_t live_end = end < row.length() ? end : row.length();
    if (!std::isfinite(sum.mantissa))
        fill(row, begin, live_end, nan);
    else if (is_log)
        write_blocks(row, begin, live_end, log_probability<V>(sum), policy);
    else
        write_blocks(row, begin, live_end, probability<V>(sum), policy);
    fill(row, begin < live_end ? live_end : begin, end, masked);
}

} // namespace kernels::softmax
