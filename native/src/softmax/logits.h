// The logits of a problem after scale, cap and masks in the compute type, and where outputs go. Include inside a target
// region.
#pragma once

namespace kernels::softmax {

// Logits are staged in blocks of half of the smallest level 1 cache (32 KiB), so that a block stays there.
inline constexpr int64_t block_bytes = 16 * 1024;

template <class V> inline constexpr int64_t block_length = block_bytes / sizeof(typename V::element);

template <class V> struct block_buffer { alignas(64) typename V::element values[block_length<V>]; };

// soft_cap tanh(z / soft_cap)
template <class V> struct capped {
    typename V::vector cap;
    auto operator()(typename V::vector z) const { return V::multiply(cap, hyperbolic_tangent<V>(V::divide(z, cap))); }
};

// One outer index of a problem. Offsets count elements from its start.
template <class V, class T> class slab_view {
    using element = typename V::element;

  public:
    slab_view(const kernels_softmax_rows& rows, int64_t outer) : rows_(rows), is_plain_(is_plain(rows)) {
        input_ = static_cast<const T*>(rows.input) + outer * rows.input_row_stride;
        output_ = static_cast<T*>(rows.output) + outer * rows.output_row_stride;
        if (rows.mask != nullptr)
            mask_ = static_cast<const T*>(rows.mask) + outer * rows.mask_row_stride;
        if (rows.boolean_mask != nullptr)
            boolean_mask_ = rows.boolean_mask + outer * rows.boolean_mask_row_stride;
    }

    T* output() const { return output_; }

    // The logits at [offset, offset + count): where they stand, or else in the buffer, which has room for count.
    const element* logits(int64_t offset, int64_t count, element* buffer) const {
        if constexpr (std::is_same_v<T, element>)
            if (is_plain_)
                return input_ + offset;
        widen_into<V>(buffer, input_ + offset, count);
        if (rows_.scale != 1)
            transform<V>(buffer, buffer, count, scaled<V>{V::set(element(rows_.scale))});
        if (rows_.soft_cap != 0)
            transform<V>(buffer, buffer, count, capped<V>{V::set(element(rows_.soft_cap))});
        if (mask_ != nullptr)
            for (int64_t i = 0; i < count; i++)
                buffer[i] += widen(mask_[offset + i]);
        if (boolean_mask_ != nullptr)
            for (int64_t i = 0; i < count; i++)
                buffer[i] = boolean_mask_[offset + i] ? buffer[i] : -std::numeric_limits<element>::infinity();
        return buffer;
    }

    element logit(int64_t offset) const {
        element buffer[1];
        return *logits(offset, 1, buffer);
    }

  private:
    static bool is_plain(const kernels_softmax_rows& rows) {
        return rows.scale == 1 && rows.soft_cap == 0 && rows.mask == nullptr && rows.boolean_mask == nullptr;
    }

    const kernels_softmax_rows& rows_;
    const bool is_plain_;
    const T *input_, *mask_ = nullptr;
    const uint8_t* boolean_mask_ = nullptr;
    T* output_;
};

// A row of adjacent elements: the slab of a problem with inner_count 1.
template <class V, class T> class row_view : public slab_view<V, T> {
  public:
    row_view(const kernels_softmax_rows& rows, int64_t row)
        : slab_view<V, T>(rows, row), length_(live_length(rows, row)) {}

    // The number of leading positions that take part.
    int64_t length() const { return length_; }

  private:
    static int64_t live_length(const kernels_softmax_rows& rows, int64_t row) {
        const int64_t length = rows.row_lengths == nullptr ? rows.row_length : rows.row_lengths[row];
        if (!rows.causal)
            return length;
        const int64_t visible = row % rows.causal_query_count + 1 + int64_t(rows.row_length) - rows.causal_query_count;
        return visible < 0 ? 0 : visible < length ? visible : length;
    }

    int64_t length_;
};

} // namespace kernels::softmax
