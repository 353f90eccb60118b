// Regions of code that may use an instruction set beyond the ABI's baseline. Translation units stay at the baseline, so
// no inline function of a standard header is ever compiled for more than the oldest processor has: include every such
// header before the region begins.
#pragma once

#define KERNELS_PRAGMA(text) _Pragma(#text)

#if defined(__clang__)
#define KERNELS_TARGET_BEGIN(features)                                                                                 \
    KERNELS_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define KERNELS_TARGET_END KERNELS_PRAGMA(clang attribute pop)
#else
#define KERNELS_TARGET_BEGIN(features) KERNELS_PRAGMA(GCC push_options) KERNELS_PRAGMA(GCC target(features))
#define KERNELS_TARGET_END KERNELS_PRAGMA(GCC pop_options)
#endif
