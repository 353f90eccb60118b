// Query codes times planes of four bits, tokens in lanes. Include inside a target region, after <utility>.
//
// S gives: ints, registers of 32-bit totals; lanes; load, low_nibbles and high_nibbles of bytes; broadcast of four
// query codes; add(totals, nibbles, codes), products of four bytes added to each total; floats, widen(totals),
// load_floats, store, set, multiply and multiply_add; prefetch.
#pragma once

namespace kernels::attention {

inline constexpr int block_tokens = KERNELS_ATTENTION_BLOCK_TOKENS, step_codes = KERNELS_ATTENTION_STEP_DIMENSIONS;
inline constexpr int lane_bytes = KERNELS_ATTENTION_LANE_BYTES, step_bytes = block_tokens * lane_bytes;
inline constexpr int most_heads = 4;

template <int... i> using indices = std::integer_sequence<int, i...>;
template <int count> using up_to = std::make_integer_sequence<int, count>;

// Blocks side by side for some heads: two registers of tokens, so that codes are broadcast once for both. Totals are
// [register][head].
template <class S, int heads, int blocks> class plane_tile {
    using ints = typename S::ints;
    static constexpr int registers_of_block = block_tokens / S::lanes, registers = blocks * registers_of_block;

  public:
    static void score(const kernels_attention_planes& planes, int first_head, int first_block) {
        score(planes, first_head, first_block, up_to<registers>(), up_to<registers * heads>());
    }

  private:
    template <int... r, int... n>
    static void score(const kernels_attention_planes& planes, int head, int block, indices<r...>, indices<n...>) {
        const uint8_t* const high[] = {register_of(planes.high + block, r)...};
        const uint8_t* const ahead[] = {register_of(planes.ahead + block, r)...};
        const int64_t codes_of_head = int64_t{planes.step_count} * step_codes;
        const int8_t* codes = planes.codes + head * codes_of_head;
        ints totals[] = {(void(n), S::zero())...};
        for (int step = 0; step < planes.step_count; step++, codes += step_codes) {
            if (head == 0)
                (S::prefetch(ahead[r] + int64_t{step} * step_bytes), ...);
            const ints bytes[] = {S::load(high[r] + int64_t{step} * step_bytes)...};
            ((totals[n] = add(totals[n], bytes[n / heads], codes + n % heads * codes_of_head)), ...);
        }
        (finish(planes, head + n % heads, block, n / heads, S::widen(totals[n])), ...);
    }

    static const uint8_t* register_of(const uint8_t* const* blocks_of_plane, int number) {
        return blocks_of_plane[number / registers_of_block] + number % registers_of_block * S::lanes * lane_bytes;
    }

    static ints add(ints totals, ints bytes, const int8_t* codes) {
        totals = S::add(totals, S::low_nibbles(bytes), S::broadcast(codes));
        return S::add(totals, S::high_nibbles(bytes), S::broadcast(codes + step_codes / 2));
    }

    // The low planes are wanted seldom: a register at a time.
    static void finish(const kernels_attention_planes& planes, int head, int block, int number,
                       typename S::floats high) {
        constexpr float weight = 16;
        const int token = number * S::lanes;
        auto rest = S::set(planes.offsets[head]);
        if (planes.low != nullptr)
            rest = S::add_floats(rest, S::widen(low_totals(planes, head, register_of(planes.low + block, number))));
        const float* const token_scales = planes.token_scales[block + token / block_tokens] + token % block_tokens;
        const auto scale = S::multiply(S::set(planes.scales[head]), S::load_floats(token_scales));
        float* const to = planes.scores + head * planes.stride + block * block_tokens + token;
        S::store(to, S::multiply(S::multiply_add(S::set(weight), high, rest), scale));
    }

    static ints low_totals(const kernels_attention_planes& planes, int head, const uint8_t* low) {
        const int8_t* const codes = planes.codes + int64_t{head} * planes.step_count * step_codes;
        ints totals = S::zero();
        for (int step = 0; step < planes.step_count; step++)
            totals = add(totals, S::load(low + int64_t{step} * step_bytes), codes + step * step_codes);
        return totals;
    }
};

template <class S, int heads> void score_heads(const kernels_attention_planes& planes, int head) {
    constexpr int blocks = 2 * S::lanes / block_tokens;
    int block = 0;
    for (; block + blocks <= planes.block_count; block += blocks)
        plane_tile<S, heads, blocks>::score(planes, head, block);
    if constexpr (blocks > 1)
        for (; block < planes.block_count; block++)
            plane_tile<S, heads, 1>::score(planes, head, block);
}

// Groups of four heads, and the rest one by one.
template <class S> void score_planes(const kernels_attention_planes& planes) {
    int head = 0;
    for (; head + most_heads <= planes.head_count; head += most_heads)
        score_heads<S, most_heads>(planes, head);
    for (; head < planes.head_count; head++)
        score_heads<S, 1>(planes, head);
}

} // namespace kernels::attention
