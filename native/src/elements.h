// The 16-bit storage types: widening without loss, and rounding to nearest, ties to even.
#pragma once

#include <bit>
#include <cstdint>

namespace kernels {

struct f16 {
    uint16_t bits;
};

struct bf16 {
    uint16_t bits;
};

inline float widen(float value) {
    return value;
}
inline double widen(double value) {
    return value;
}
inline float widen(bf16 value) {
    return std::bit_cast<float>(uint32_t{value.bits} << 16);
}

inline float widen(f16 value) {
    constexpr uint32_t exponent_mask = 0x7C00, rebias = (127 - 15) << 23, infinite = 255u << 23;
    constexpr float smallest_denormal = 0x1p-24f;
    const uint32_t sign = uint32_t(value.bits & 0x8000) << 16, magnitude = value.bits & 0x7FFF;
    if (magnitude < 0x0400)
        return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(float(magnitude) * smallest_denormal));
    const uint32_t shifted = magnitude << 13;
    return std::bit_cast<float>(sign | (magnitude >= exponent_mask ? shifted | infinite : shifted + rebias));
}

// Adds half of the last kept place less one, plus the last kept bit: carries exactly when the dropped bits are above
// half, or half and odd.
inline uint32_t round_off(uint32_t bits, int dropped) {
    return (bits + ((1u << (dropped - 1)) - 1) + ((bits >> dropped) & 1)) >> dropped;
}

inline void narrow(float value, float& result) {
    result = value;
}
inline void narrow(double value, double& result) {
    result = value;
}

inline void narrow(float value, bf16& result) {
    const uint32_t bits = std::bit_cast<uint32_t>(value);
    constexpr uint32_t quiet = 1u << 22;
    result.bits = uint16_t(value != value ? (bits | quiet) >> 16 : round_off(bits, 16));
}

inline void narrow(float value, f16& result) {
    constexpr uint32_t infinite = 0x7C00, quiet_nan = 0x7E00, rebias = (127 - 15) << 23;
    constexpr float smallest_normal = 0x1p-14f, overflow = 65520.0f; // the midpoint of 65504 and 2^16
    // The last place of a float in [1/2, 1) is 2^-24, that of a denormal half: the addition rounds.
    constexpr float denormal_magic = 0.5f;
    const uint32_t bits = std::bit_cast<uint32_t>(value), sign = bits >> 16 & 0x8000;
    const float magnitude = std::bit_cast<float>(bits & 0x7FFFFFFF);
    uint32_t half;
    if (value != value)
        half = quiet_nan;
    else if (magnitude >= overflow)
        half = infinite;
    else if (magnitude < smallest_normal)
        half = std::bit_cast<uint32_t>(magnitude + denormal_magic) - std::bit_cast<uint32_t>(denormal_magic);
    else
        half = round_off(std::bit_cast<uint32_t>(magnitude) - rebias, 13);
    result.bits = uint16_t(sign | half);
}

} // namespace kernels
