// The gradients: scale (g - sum(g p)) p for a softmax p, scale (g - exp(l) sum(g)) for a log-softmax l, times the slope
// 1 - tanh^2(scale x / soft_cap) of the cap. Positions that the forward pass gave 0, or minus infinity for a
// logarithm, took no part: their gradient is 0 and nothing that stands there counts. Include inside a target region.
#pragma once

namespace kernels::softmax {

// Elements [begin, begin + count) of a contiguous array in the compute type: where they stand, or else in the buffer.
template <class V, class T>
const typename V::element* staged(const T* from, int64_t count, typename V::element* buffer) {
    if constexpr (std::is_same_v<T, typename V::element>)
        return from;
    widen_into<V>(buffer, from, count);
    return buffer;
}

// exp(l). No log-probability is above 0 but for rounding; beyond the limit exp(l) leaves the range of terms.
template <class V> struct exp_of_log {
    static constexpr double limit = rebase_window / log2_e;
    exponential<V, false> reference{0, 0};
    typename V::vector unbias = V::set(typename V::element(1 / headroom_factor));
    auto operator()(typename V::vector l) const {
        return V::multiply(reference.term(V::minimum(V::set(typename V::element(limit)), l)), unbias);
    }
};

// Of a position's gradient g and result: what is summed over the row, and what comes of it.
template <class V> struct gradient_alone {
    auto operator()(typename V::vector g, typename V::vector) const { return g; }
};

template <class V> struct weighted_gradient {
    auto operator()(typename V::vector g, typename V::vector p) const { return V::multiply(g, p); }
};

// scale (g - sum) p
template <class V> struct centered_gradient {
    typename V::vector sum, scale;
    auto operator()(typename V::vector g, typename V::vector p) const {
        return V::multiply(scale, V::multiply(V::subtract(g, sum), p));
    }
};

// scale (g - exp(l) sum)
template <class V> struct log_gradient {
    typename V::vector sum, scale;
    exp_of_log<V> exp;
    auto operator()(typename V::vector g, typename V::vector l) const {
        return V::multiply(scale, V::subtract(g, V::multiply(exp(l), sum)));
    }
};

// 1 - tanh^2(scale x / soft_cap), as a product that keeps the small difference.
template <class V> struct cap_slope {
    typename V::vector scale, cap;
    auto operator()(typename V::vector x) const {
        const auto t = hyperbolic_tangent<V>(V::divide(V::multiply(scale, x), cap)), one = V::set(1);
        return V::multiply(V::subtract(one, t), V::add(one, t));
    }
};

template <class V, class T> class gradient_row {
    using element = typename V::element;
    using vector = typename V::vector;

  public:
    gradient_row(const kernels_softmax_gradient_rows& rows, int64_t row)
        : rows_(rows), excluded_(V::set(rows.is_log ? masked_logit<V> : element(0))) {
        const int64_t offset = row * rows.row_length;
        gradient_ = static_cast<const T*>(rows.output_gradient) + offset;
        result_ = static_cast<const T*>(rows.result) + offset;
        logits_ = rows.soft_cap == 0 ? nullptr : static_cast<const T*>(rows.logits) + offset;
        to_ = static_cast<T*>(rows.logit_gradient) + offset;
    }

    void compute() {
        double sum = 0;
        for (int64_t begin = 0; begin < rows_.row_length; begin += count_) {
            stage(begin);
            sum += rows_.is_log ? total(gradient_alone<V>()) : total(weighted_gradient<V>());
        }
        for (int64_t begin = 0; begin < rows_.row_length; begin += count_) {
            stage(begin);
            if (rows_.is_log)
                write(log_gradient<V>{V::set(element(sum)), V::set(element(rows_.scale)), {}}, begin);
            else
                write(centered_gradient<V>{V::set(element(sum)), V::set(element(rows_.scale))}, begin);
        }
    }

  private:
    void stage(int64_t begin) {
        const int64_t left = rows_.row_length - begin;
        count_ = left < block_length<V> ? left : block_length<V>;
        g_ = staged<V>(gradient_ + begin, count_, first_.values);
        r_ = staged<V>(result_ + begin, count_, second_.values);
    }

    // step(i, value, count) for each vector of values formula(g, result), 0 where the position took no part; of the
    // last vector only the first count values stand for positions.
    template <class Formula, class Step> void each(const Formula& formula, const Step& step) const {
        constexpr int64_t w = V::width;
        const element *g = g_, *result = r_;
        const vector excluded = excluded_;
        const int64_t count = count_;
        int64_t i = 0;
        for (; i + w <= count; i += w) {
            const vector r = V::load(result + i);
            step(i, V::zero_where_equal(formula(V::load(g + i), r), r, excluded), w);
        }
        if (i < count) {
            const vector r = V::load_first(result + i, count - i, 0);
            step(i, V::zero_where_equal(formula(V::load_first(g + i, count - i, 0), r), r, excluded), count - i);
        }
    }

    // In vectors of the element type and over vectors in double. Beyond the last position g is 0, and so is its share.
    template <class Formula> double total(const Formula& formula) const {
        auto sum = V::wide_zero();
        each(formula, [&sum](int64_t, vector value, int64_t) { sum = V::accumulate(sum, value); });
        return V::total(sum);
    }

    template <class Formula> void write(const Formula& formula, int64_t begin) {
        T* to = to_ + begin;
        if (logits_ == nullptr)
            return each(formula, [to](int64_t i, vector value, int64_t count) {
                count == V::width ? V::store(to + i, value) : V::store_first(to + i, value, count);
            });
        // The buffer has room for whole vectors.
        element* values = first_.values;
        each(formula, [values](int64_t i, vector value, int64_t) { V::store(values + i, value); });
        const element* x = staged<V>(logits_ + begin, count_, second_.values);
        const cap_slope<V> slope = {V::set(element(rows_.scale)), V::set(element(rows_.soft_cap))};
        transform<V>(x, second_.values, count_, slope);
        for (int64_t i = 0; i < count_; i++) {
            const element capped = values[i] * second_.values[i];
            values[i] = values[i] == 0 ? 0 : capped;
        }
        transform<V>(values, to, count_, unchanged<V>());
    }

    const kernels_softmax_gradient_rows& rows_;
    // The result at positions that took no part.
    const vector excluded_;
    const T *gradient_, *result_, *logits_;
    T* to_;
    // The block at hand in the compute type.
    const element *g_, *r_;
    int64_t count_;
    block_buffer<V> first_, second_;
};

template <class V, class T>
void backward(const kernels_softmax_gradient_rows& rows, int64_t row_begin, int64_t row_end) {
    for (int64_t row = row_begin; row < row_end; row++)
        gradient_row<V, T>(rows, row).compute();
}

} // namespace kernels::softmax
