// Element types of the ABI as the tests see them: how to make one from a number and to read it back, exactly.
#pragma once

#include "../src/elements.h"

#include <kernels/kernels.h>

// accuracy: of a ratio, relative. rounding: to the storage type, relative; log_rounding: of a logarithm, which in f64
// is the difference of a difference. smallest: the distance between denormals.
template <class T> struct element;

template <> struct element<float> {
    static constexpr int32_t type = KERNELS_F32;
    using compute = float;
    static constexpr long double rounding = 0, log_rounding = 0x1p-24L, accuracy = 3e-7L, smallest = 0x1p-149L;
};

template <> struct element<double> {
    static constexpr int32_t type = KERNELS_F64;
    using compute = double;
    static constexpr long double rounding = 0, log_rounding = 0x1p-52L, accuracy = 6 * 0x1p-53L, smallest = 0x1p-1074L;
};

template <> struct element<kernels::f16> {
    static constexpr int32_t type = KERNELS_F16;
    using compute = float;
    static constexpr long double rounding = 0x1p-11L, log_rounding = 0x1p-11L, accuracy = 3e-7L, smallest = 0x1p-24L;
};

template <> struct element<kernels::bf16> {
    static constexpr int32_t type = KERNELS_BF16;
    using compute = float;
    static constexpr long double rounding = 0x1p-8L, log_rounding = 0x1p-8L, accuracy = 3e-7L, smallest = 0x1p-133L;
};

template <class T> T make(double value) {
    T result;
    kernels::narrow(typename element<T>::compute(value), result);
    return result;
}

template <class T> long double read(T value) {
    return kernels::widen(value);
}
