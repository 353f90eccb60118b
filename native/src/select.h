// Dispatch on the instruction set that a caller names, the same for every family.
#pragma once

#include <kernels/kernels.h>

#include <cstddef>

namespace kernels {

// What a family has for one instruction set: a function, or a table of them.
template <typename Kernels> struct isa_kernels {
    int32_t isa;
    Kernels* kernels;
};

// The kernels for an instruction set; null where the family has none for it or the processor lacks it. Asking the
// processor is a look at a variable that the C++ runtime fills at start.
template <auto& table> auto select(int32_t isa) -> decltype(table[0].kernels) {
    if (kernels_cpu_supports(isa) != KERNELS_OK)
        return nullptr;
    for (const auto& entry : table)
        if (entry.isa == isa)
            return entry.kernels;
    return nullptr;
}

} // namespace kernels
