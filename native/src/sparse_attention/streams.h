// Query rows times stored rows, written once for every instruction set. Include inside a target region, after a
// simd/*.h and <utility>.
//
// S, registers of floats, gives besides what simd/scalar.h lists: load and load_first of int8_t; keys_beside(queries)
// and registers_beside(queries), which keep the sums in registers; store_totals(to, a, b, c, d), the sum of the lanes
// of each of four registers; prefetch(address).
//
// Arrays of registers stay in registers only where every index is a constant before loops are unrolled: hence packs of
// indices instead of loops.
#pragma once

namespace kernels::attention {

inline constexpr int tile = KERNELS_ATTENTION_TILE, most_queries = 4, line_bytes = 64;

template <int count> using up_to = std::make_integer_sequence<int, count>;
template <int... i> using indices = std::integer_sequence<int, i...>;

template <class S, class Stored, int queries> class stream {
    using vector = typename S::vector;
    static constexpr int width = S::width, keys = S::keys_beside(queries), element_bytes = sizeof(Stored);

  public:
    static void score_keys(const kernels_attention_rows& rows, int first_query) {
        static_assert(tile % keys == 0);
        for (int key = 0; key < rows.stored_count; key += keys) {
            for (int j = 0; first_query == 0 && j < keys; j++)
                for (int byte = 0; byte < rows.head_dimension * element_bytes; byte += line_bytes)
                    S::prefetch(rows.ahead[key + j] + byte);
            score(rows, first_query, key, up_to<keys>(), up_to<keys * queries>());
        }
    }

    static void add_values(const kernels_attention_rows& rows, int first_query) {
        constexpr int registers = S::registers_beside(queries);
        int column = 0;
        for (; column + registers * width <= rows.head_dimension; column += registers * width)
            add(rows, first_query, column, up_to<registers>(), up_to<registers * queries>());
        for (; column < rows.head_dimension; column += width)
            add(rows, first_query, column, up_to<1>(), up_to<queries>());
    }

  private:
    static const Stored* at(const uint8_t* row, int element) { return reinterpret_cast<const Stored*>(row) + element; }

    // Sums are [key][query].
    template <int... j, int... n>
    static void score(const kernels_attention_rows& rows, int first_query, int first_key, indices<j...>,
                      indices<n...>) {
        const int64_t stride = rows.stride;
        const float* const query = rows.queries + first_query * stride;
        const uint8_t* const key[] = {rows.stored[first_key + j]...};
        vector sums[] = {(void(n), S::set(0))...};
        int i = 0;
        for (; i + width <= rows.head_dimension; i += width) {
            const vector k[] = {S::load(at(key[j], i))...};
            ((sums[n] = S::multiply_add(S::load(query + n % queries * stride + i), k[n / queries], sums[n])), ...);
        }
        if (i < rows.head_dimension) {
            const vector k[] = {S::load_first(at(key[j], i), rows.head_dimension - i, 0)...};
            ((sums[n] = S::multiply_add(S::load(query + n % queries * stride + i), k[n / queries], sums[n])), ...);
        }
        store(sums, rows.scores + first_query * tile + first_key, up_to<queries * keys / 4>());
    }

    template <int... fourth>
    static void store(const vector (&sums)[keys * queries], float* scores, indices<fourth...>) {
        static_assert(queries * keys % 4 == 0);
        float totals[queries * keys]; // [query][key]
        (S::store_totals(totals + fourth * 4, sums[place(fourth * 4)], sums[place(fourth * 4 + 1)],
                         sums[place(fourth * 4 + 2)], sums[place(fourth * 4 + 3)]),
         ...);
        for (int q = 0; q < queries; q++)
            std::memcpy(scores + q * tile, totals + q * keys, keys * sizeof(float));
    }

    static constexpr int place(int total) { return total % keys * queries + total / keys; }

    // Sums are [register][query].
    template <int... r, int... n>
    static void add(const kernels_attention_rows& rows, int first_query, int column, indices<r...>, indices<n...>) {
        constexpr int registers = sizeof...(r), bytes = registers * width * element_bytes;
        const float* const weights = rows.scores + first_query * tile;
        const int left = rows.head_dimension - column, begin = column * element_bytes;
        const bool fetches = first_query == 0 && (bytes >= line_bytes || begin % line_bytes == 0);
        vector sums[] = {(void(n), S::set(0))...};
        for (int j = 0; j < rows.stored_count; j++) {
            for (int byte = 0; fetches && byte < bytes; byte += line_bytes)
                S::prefetch(rows.ahead[j] + begin + byte);
            const Stored* const value = at(rows.stored[j], column);
            const vector values[] = {
                (registers > 1 || left >= width ? S::load(value + r * width) : S::load_first(value, left, 0))...};
            ((sums[n] = S::multiply_add(S::set(weights[n % queries * tile + j]), values[n / queries], sums[n])), ...);
        }
        float* const output = rows.output + int64_t{first_query} * rows.stride + column;
        (add_to(output + n % queries * int64_t{rows.stride} + n / queries * width, sums[n]), ...);
    }

    static void add_to(float* to, vector sum) { S::store(to, S::add(S::load(to), sum)); }
};

// Groups of four query rows, and the rest together.
template <class S, class Stored> void score_keys(const kernels_attention_rows& rows) {
    int query = 0;
    for (; query + most_queries <= rows.query_count; query += most_queries)
        stream<S, Stored, most_queries>::score_keys(rows, query);
    switch (rows.query_count - query) {
    case 3:
        return stream<S, Stored, 3>::score_keys(rows, query);
    case 2:
        return stream<S, Stored, 2>::score_keys(rows, query);
    case 1:
        return stream<S, Stored, 1>::score_keys(rows, query);
    }
}

template <class S, class Stored> void add_values(const kernels_attention_rows& rows) {
    int query = 0;
    for (; query + most_queries <= rows.query_count; query += most_queries)
        stream<S, Stored, most_queries>::add_values(rows, query);
    switch (rows.query_count - query) {
    case 3:
        return stream<S, Stored, 3>::add_values(rows, query);
    case 2:
        return stream<S, Stored, 2>::add_values(rows, query);
    case 1:
        return stream<S, Stored, 1>::add_values(rows, query);
    }
}

template <class S, class Stored> constexpr stream_kernels kernels_of = {score_keys<S, Stored>, add_values<S, Stored>};

template <class S>
constexpr kernel_table table_of = {kernels_of<S, float>, kernels_of<S, f16>, kernels_of<S, bf16>,
                                   kernels_of<S, int8_t>};

} // namespace kernels::attention
