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
    probability<V> exp{kernels_softmax_sum{1, 0, 0, 0}};
    auto operator()(typename V::vector l) const { return exp(V::minimum(V::set(typename V::element(limit)), l)); }
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
                evaluate(log_gradient<V>{V::set(element(sum)), V::set(element(rows_.scale)), {}});
            else
                evaluate(centered_gradient<V>{V::set(element(sum)), V::set(element(rows_.scale))});
            write(begin);
        }
    }

  private:
    void stage(int64_t begin) {
        const int64_t left = rows_.row_length - begin;
        count_ = left < block_length<V> ? left : block_length<V>;
        g_ = staged<V>(gradient_ + begin, count_, first_.values);
        r_ = staged<V>(result_ + begin, count_, second_.values);
    }

    vector load(const element* x, int64_t i) const {
        return i + V::width <= count_ ? V::load(x + i) : V::load_first(x + i, count_ - i, 0);
    }

    // formula(g, result), but 0 where the position took no part.
    template <class Formula> vector taking_part(const Formula& formula, int64_t i) const {
        const vector r = load(r_, i);
        return V::zero_where_equal(formula(load(g_, i), r), r, excluded_);
    }

    // In vectors of the element type and over vectors in double.
    template <class Formula> double total(const Formula& formula) const {
        auto sum = V::wide_zero();
        for (int64_t i = 0; i < count_; i += V::width)
            sum = V::accumulate(sum, taking_part(formula, i));
        return V::total(sum);
    }

    // The buffer has room for whole vectors.
    template <class Formula> void evaluate(const Formula& formula) {
        for (int64_t i = 0; i < count_; i += V::width)
            V::store(first_.values + i, taking_part(formula, i));
    }

    void write(int64_t begin) {
        if (logits_ != nullptr) {
            const element* x = staged<V>(logits_ + begin, count_, second_.values);
            const cap_slope<V> slope = {V::set(element(rows_.scale)), V::set(element(rows_.soft_cap))};
            transform<V>(x, second_.values, count_, slope);
            for (int64_t i = 0; i < count_; i++) {
                const element capped = first_.values[i] * second_.values[i];
                first_.values[i] = first_.values[i] == 0 ? 0 : capped;
            }
        }
        transform<V>(first_.values, to_ + begin, count_, unchanged<V>());
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
