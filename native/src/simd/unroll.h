// Loops over the registers of a tile, unrolled by the language rather than by the optimiser's limits: beyond some
// number of registers GCC keeps an array that a loop runs over in memory. Include inside a target region, after
// <utility>.
#pragma once

namespace kernels {

#define KERNELS_INLINE __attribute__((always_inline))

template <class Body, int... i> KERNELS_INLINE inline void unroll(const Body& body, std::integer_sequence<int, i...>) {
    (body(std::integral_constant<int, i>{}), ...);
}

// body(0), body(1), ... body(count - 1), with constants for arguments. Bodies are to be KERNELS_INLINE.
template <int count, class Body> KERNELS_INLINE inline void unroll(const Body& body) {
    unroll(body, std::make_integer_sequence<int, count>{});
}

// A value that a loop has summed up is in a register here. Without a word GCC 12 makes room for what follows the loop
// by storing such sums within it, once in every turn, when they fill most of the registers.
template <class Register> KERNELS_INLINE inline void keep_in_register(Register& value) {
    asm volatile("" : "+v"(value));
}

} // namespace kernels
