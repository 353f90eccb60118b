// Softmax along another axis than the last: tiles of adjacent columns, where each lane is a row of its own. Three
// sweeps down the axis: largest logits, sums of exponentials, results. Include inside a target region.
#pragma once

namespace kernels::softmax {

// Positions done at a time: what a lane keeps is loaded once for all of them. Like in a block_sum two terms are added
// in the element type before they go to a sum in double.
inline constexpr int band_height = 4;

// At most longest_tile columns of one outer index.
template <class V, class T> class column_tile {
    using element = typename V::element;
    using vector = typename V::vector;
    static constexpr int64_t w = V::width;

  public:
    column_tile(const kernels_softmax_rows& rows, int64_t first_row, int64_t count)
        : rows_(rows), slab_(rows, first_row / rows.inner_count), first_row_(first_row),
          column_(first_row % rows.inner_count), count_(count), lane_count_((count + w - 1) / w * w) {}

    void compute() {
        find_largest();
        set_references();
        sum_terms();
        switch (rows_.operation) {
        case KERNELS_SOFTMAX_PROBABILITIES:
            return write_probabilities();
        case KERNELS_SOFTMAX_LOG_PROBABILITIES:
            return write_log_probabilities();
        default:
            return write_log_sum_exps();
        }
    }

  private:
    template <int height> struct band { const element* logits[height]; };

    // Calls step(height, position) down the axis; height is a constant.
    template <class Step> void sweep(const Step& step) {
        int64_t position = 0;
        for (; position + band_height <= rows_.row_length; position += band_height)
            step(std::integral_constant<int, band_height>(), position);
        for (; position < rows_.row_length; position++)
            step(std::integral_constant<int, 1>(), position);
    }

    int64_t offset(int64_t position) const { return position * rows_.inner_count + column_; }

    template <int height> band<height> load_band(int64_t position) {
        band<height> loaded;
        for (int h = 0; h < height; h++)
            loaded.logits[h] = slab_.logits(offset(position + h), count_, staged_[h]);
        return loaded;
    }

    vector load(const element* logits, int64_t i) const {
        return i + w <= count_ ? V::load(logits + i) : V::load_first(logits + i, count_ - i, 0);
    }

    void store(T* to, int64_t i, vector v) const {
        i + w <= count_ ? V::store(to + i, v) : V::store_first(to + i, v, count_ - i);
    }

    void find_largest() {
        for (int64_t i = 0; i < count_; i += w)
            V::store(largest_ + i, V::set(masked_logit<V>));
        sweep([this](auto height, int64_t position) {
            const auto band = load_band<height>(position);
            for (int64_t i = 0; i < count_; i += w) {
                vector top = V::load(largest_ + i);
                for (int h = 0; h < height; h++)
                    top = V::maximum(load(band.logits[h], i), top);
                V::store(largest_ + i, top);
            }
        });
    }

    // A column without a finite largest logit is summed as if that were 0: its sum is looked at for NaN only.
    double reference_logit(int64_t i) const { return std::isfinite(largest_[i]) ? double(largest_[i]) : 0; }

    void set_references() {
        for (int64_t i = 0; i < lane_count_; i++) {
            const double maximum = reference_logit(i), shift = shift_for(maximum);
            const double exponent = exponent_for(maximum, shift);
            shifts_[i] = element(shift);
            floors_[i] = exponential<V>::floor_of(exponent);
            magics_[i] = exponential<V>::magic_of(exponent);
        }
    }

    exponential<V> reference(int64_t i) const {
        return exponential<V>(V::load(shifts_ + i), V::load(floors_ + i), V::load(magics_ + i));
    }

    void sum_terms() {
        typename V::wide sums[longest_tile / w];
        for (int64_t i = 0; i < count_; i += w)
            sums[i / w] = V::wide_zero();
        sweep([&](auto height, int64_t position) {
            const auto band = load_band<height>(position);
            for (int64_t i = 0; i < count_; i += w) {
                const exponential<V> exp = reference(i);
                for (int h = 0; h < height; h += 2) {
                    vector term = exp.term(load(band.logits[h], i));
                    if (h + 1 < height)
                        term = exp.add_term(term, load(band.logits[h + 1], i));
                    sums[i / w] = V::accumulate(sums[i / w], term);
                }
            }
        });
        for (int64_t i = 0; i < count_; i += w)
            V::store_wide(sums_ + i, sums[i / w]);
    }

    bool is_masked(int64_t i) const { return largest_[i] == masked_logit<V> && !std::isnan(sums_[i]); }

    // log(sum) - largest logit, as of a row; NaN where the sum is.
    void find_excesses(double* excesses) const {
        alignas(64) element terms[longest_tile];
        for (int64_t i = 0; i < lane_count_; i++)
            terms[i] = element(reference_logit(i));
        for (int64_t i = 0; i < count_; i += w)
            V::store(terms + i, reference(i).term(V::load(terms + i)));
        for (int64_t i = 0; i < count_; i++)
            excesses[i] = std::log(sums_[i] / double(terms[i]));
    }

    void write_probabilities() {
        alignas(64) element high[longest_tile], low[longest_tile];
        for (int64_t i = 0; i < lane_count_; i++) {
            const split_reciprocal<V> reciprocal(sums_[i]);
            high[i] = is_masked(i) ? masked_constant() : reciprocal.high;
            low[i] = is_masked(i) ? 0 : reciprocal.low;
        }
        sweep([&](auto height, int64_t position) {
            const auto band = load_band<height>(position);
            T* output = slab_.output() + offset(position);
            for (int64_t i = 0; i < count_; i += w) {
                const exponential<V> exp = reference(i);
                const divided<V> by_sum(V::load(high + i), V::load(low + i));
                for (int h = 0; h < height; h++)
                    store(output + h * rows_.inner_count, i, by_sum(exp.term(load(band.logits[h], i))));
            }
        });
    }

    void write_log_probabilities() {
        alignas(64) double maxima[longest_tile] = {}, excesses[longest_tile] = {};
        find_excesses(excesses);
        for (int64_t i = 0; i < count_; i++) {
            maxima[i] = reference_logit(i);
            excesses[i] = is_masked(i) ? masked_constant() : excesses[i];
        }
        sweep([&](auto height, int64_t position) {
            const auto band = load_band<height>(position);
            T* output = slab_.output() + offset(position);
            for (int64_t i = 0; i < count_; i += w)
                for (int h = 0; h < height; h++)
                    store(output + h * rows_.inner_count, i,
                          V::subtract_wide(load(band.logits[h], i), maxima + i, excesses + i));
        });
    }

    void write_log_sum_exps() {
        T* output = static_cast<T*>(rows_.output) + first_row_;
        double excesses[longest_tile];
        find_excesses(excesses);
        for (int64_t i = 0; i < count_; i++)
            narrow(element(log_sum_exp(i, excesses[i])), output[i]);
    }

    double log_sum_exp(int64_t i, double excess) const {
        if (is_masked(i) || (std::isinf(largest_[i]) && !contains_nan(i)))
            return double(largest_[i]);
        return reference_logit(i) + excess;
    }

    // Plus infinity makes a sum NaN as well: only the logits tell.
    bool contains_nan(int64_t i) const {
        for (int64_t position = 0; position < rows_.row_length; position++)
            if (std::isnan(slab_.logit(offset(position) + i)))
                return true;
        return false;
    }

    // The reciprocal, or the excess, that makes a column of zeros or minus infinities, or of NaN, of a fully masked
    // one.
    element masked_constant() const { return rows_.safe ? element(0) : std::numeric_limits<element>::quiet_NaN(); }

    const kernels_softmax_rows& rows_;
    const slab_view<V, T> slab_;
    const int64_t first_row_, column_, count_;

    // Columns in whole vectors: lanes beyond the last column stand for columns of zeros.
    const int64_t lane_count_;

    // Of each column.
    alignas(64) element largest_[longest_tile], shifts_[longest_tile], floors_[longest_tile], magics_[longest_tile];
    alignas(64) double sums_[longest_tile];

    // Of each position of a band.
    alignas(64) element staged_[band_height][longest_tile];
};

template <class V, class T> void compute_columns(const kernels_softmax_rows& rows, int64_t row_begin, int64_t row_end) {
    const int64_t tile = tile_length(rows.row_length, sizeof(T));
    for (int64_t row = row_begin, end; row < row_end; row = end) {
        const int64_t slab_end = (row / rows.inner_count + 1) * rows.inner_count;
        end = row + tile < slab_end ? row + tile : slab_end;
        end = end < row_end ? end : row_end;
        column_tile<V, T>(rows, row, end - row).compute();
    }
}

} // namespace kernels::softmax
