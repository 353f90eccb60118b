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
        const double reciprocal = 1 / sum;
        high = element(reciprocal * (1 - epsilon));
        low = element(std::fma(-double(high), sum, 1) * (reciprocal * (1 + 4 * epsilon)));
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
template <class V, bool is_shifted = true> struct probability {
    exponential<V, is_shifted> reference;
    divided<V> by_sum;

    explicit probability(const kernels_softmax_sum& sum)
        : reference(sum.shift, sum.exponent), by_sum(split_reciprocal<V>(sum.mantissa * headroom_factor)) {}

    auto operator()(typename V::vector x) const { return by_sum(reference.term(x)); }
};

// log(sum) - maximum. Where little stands beside the largest logit, its term is taken as it was rounded in the sum, so
// that the difference is never negative, and exactly 0 of a row with a single term.
template <class V> double log_excess(const kernels_softmax_sum& sum) {
    constexpr double little = 0x1p-10; // far above the roundings of the sum
    const double distance = sum.maximum - sum.shift;
    const double reduced = (distance - sum.exponent * ln2_high) - sum.exponent * ln2_low;
    const double excess = std::log(sum.mantissa) - reduced;
    if (excess >= little)
        return excess;
    return std::log(sum.mantissa * headroom_factor / term_of(exponential<V>(sum.shift, sum.exponent), sum.maximum));
}

// x - log(sum) = (x - maximum) - excess in double, rounded once: for any maximum, however large.
template <class V> struct wide_log_probability {
    double maximum, excess;
    auto operator()(typename V::vector x) const { return V::subtract_wide(x, maximum, excess); }
};

// The same of f32 without double: log(sum) = high + low, x - high with what it loses by rounding (Knuth's TwoSum), and
// low, so that only the last addition rounds. Below the limit low is at most 1/2 and rounded by u / 4 at most.
template <class V> struct log_probability {
    static constexpr double limit = 0x1p23;
    typename V::vector high, low;

    log_probability(double maximum, double excess) {
        const float rounded = float(maximum + excess);
        high = V::set(rounded);
        low = V::set(float((maximum - rounded) + excess));
    }

    auto operator()(typename V::vector x) const {
        const auto d = V::subtract(x, high), back = V::subtract(d, x);
        const auto lost = V::subtract(V::subtract(x, V::subtract(d, back)), V::add(high, back));
        // Of a logit of minus infinity NaN is lost, which the maximum drops.
        const auto least = V::set(std::numeric_limits<float>::lowest());
        return V::add(d, V::maximum(V::subtract(lost, low), least));
    }
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

template <class V, class T>
void write_probabilities(const row_view<V, T>& row, int64_t begin, int64_t end, const kernels_softmax_sum& sum,
                         write_policy policy) {
    if (sum.shift == 0)
        write_blocks(row, begin, end, probability<V, false>(sum), policy);
    else
        write_blocks(row, begin, end, probability<V>(sum), policy);
}

template <class V, class T>
void write_log_probabilities(const row_view<V, T>& row, int64_t begin, int64_t end, const kernels_softmax_sum& sum,
                             write_policy policy) {
    const double excess = log_excess<V>(sum);
    if constexpr (std::is_same_v<typename V::element, float>)
        if (std::abs(sum.maximum) < log_probability<V>::limit)
            return write_blocks(row, begin, end, log_probability<V>(sum.maximum, excess), policy);
    write_blocks(row, begin, end, wide_log_probability<V>{sum.maximum, excess}, policy);
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
        write_log_probabilities(row, begin, live_end, sum, policy);
    else
        write_probabilities(row, begin, live_end, sum, policy);
    fill(row, begin < live_end ? live_end : begin, end, masked);
}

} // namespace kernels::softmax
