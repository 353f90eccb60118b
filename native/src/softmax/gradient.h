// The gradients: scale (g - sum(g p)) p for a softmax p, scale (g - exp(l) sum(g)) for a log-softmax l, times the slope
// 1 - tanh^2(scale x / soft_cap) of the cap. Include inside a target region.
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

// sum of g, or of g p where p is not null, in vectors of the element type and over vectors in double.
template <class V> double dot(const typename V::element* g, const typename V::element* p, int64_t count) {
    auto sum = V::wide_zero();
    for (int64_t i = 0; i < count; i += V::width) {
        const int64_t here = count - i < V::width ? count - i : V::width;
        auto product = here == V::width ? V::load(g + i) : V::load_first(g + i, here, 0);
        if (p != nullptr)
            product = V::multiply(product, here == V::width ? V::load(p + i) : V::load_first(p + i, here, 0));
        sum = V::accumulate(sum, product);
    }
    return V::total(sum);
}

// exp(l). No log-probability is above 0 but for rounding; beyond the limit exp(l) leaves the range of terms.
template <class V> struct exp_of_log {
    static constexpr double limit = rebase_window / log2_e;
    probability<V> exp{kernels_softmax_sum{1, 0, 0, 0}};
    auto operator()(typename V::vector l) const { return exp(V::minimum(V::set(typename V::element(limit)), l)); }
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

  public:
    gradient_row(const kernels_softmax_gradient_rows& rows, int64_t row) : rows_(rows) {
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
            sum += dot<V>(g_, rows_.is_log ? nullptr : r_, count_);
        }
        for (int64_t begin = 0; begin < rows_.row_length; begin += count_) {
            stage(begin);
            rows_.is_log ? subtract_scaled_exp(element(sum)) : multiply_centered(element(sum));
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

    // scale (g - sum) p
    void multiply_centered(element sum) {
        const element scale = element(rows_.scale);
        for (int64_t i = 0; i < count_; i++)
            first_.values[i] = scale * ((g_[i] - sum) * r_[i]);
    }

    // scale (g - exp(l) sum)
    void subtract_scaled_exp(element sum) {
        transform<V>(r_, second_.values, count_, exp_of_log<V>());
        const element scale = element(rows_.scale);
        for (int64_t i = 0; i < count_; i++)
            first_.values[i] = scale * (g_[i] - second_.values[i] * sum);
    }

    void write(int64_t begin) {
        if (logits_ != nullptr) {
            const element* x = staged<V>(logits_ + begin, count_, second_.values);
            const cap_slope<V> slope = {V::set(element(rows_.scale)), V::set(element(rows_.soft_cap))};
            transform<V>(x, second_.values, count_, slope);
            for (int64_t i = 0; i < count_; i++)
                first_.values[i] *= second_.values[i];
        }
        transform<V>(first_.values, to_ + begin, count_, unchanged<V>());
    }

    const kernels_softmax_gradient_rows& rows_;
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
