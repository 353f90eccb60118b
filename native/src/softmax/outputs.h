// What is written for a position, given the row's sum. Include inside a target region.
#pragma once

namespace kernels::softmax {

// 1 / sum as high + low, so that x high + x low has the rounding of the last operation alone. With x = sum that is
// exactly 1, fused or not: x high lies below 1 by at most 3 units u, where it rounds by at most u / 2, and low, too
// large by 8 u of itself, outweighs its own roundings. As x <= sum, no quotient is above 1.
template <class V> struct split_reciprocal {
    using element = typename V::element;
    element high, low;

    explicit split_reciprocal(double sum) {
        constexpr double epsilon = std::numeric_limits<element>::epsilon();
        high = element(1 / sum * (1 - epsilon));
        low = element(std::fma(-double(high), sum, 1) / sum * (1 + 4 * epsilon));
    }
};

// x / sum
template <class V> struct divided {
    typename V::vector high, low;
    explicit divided(const split_reciprocal<V>& r) : high(V::set(r.high)), low(V::set(r.low)) {}
    divided(typename V::vector high, typename V::vector low) : high(high), low(low) {}
    auto operator()(typename V::vector x) const { return V::multiply_add(x, high, V::multiply(x, low)); }
};

// exp(x) / sum
template <class V> struct probability {
    exponential<V> reference;
    divided<V> by_sum;

    explicit probability(const kernels_softmax_sum& sum)
        : reference(sum.shift, sum.exponent), by_sum(split_reciprocal<V>(sum.mantissa * headroom_factor)) {}

    auto operator()(typename V::vector x) const { return by_sum(reference.term(x)); }
};

// log(sum) - maximum. Of a row with a single term exactly 0, as that term is the sum; and never less, since no rounding
// takes a sum below one of its terms.
template <class V> double log_excess(const kernels_softmax_sum& sum) {
    return std::log(sum.mantissa * headroom_factor / term_of(exponential<V>(sum.shift, sum.exponent), sum.maximum));
}

// x - log(sum) = (x - maximum) - excess
template <class V> struct log_probability {
    double maximum, excess;
    explicit log_probability(const kernels_softmax_sum& sum) : maximum(sum.maximum), excess(log_excess<V>(sum)) {}
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
    const double log = has_sum ? sum.maximum + log_excess<V>(sum) : sum.mantissa + sum.maximum;
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
