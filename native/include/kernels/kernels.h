/*
 * What every family of the C ABI shares: status codes, element types, instruction sets, the version handshake.
 *
 * Conventions: integers have fixed widths; every function validates its arguments and returns a status; none
 * allocates, throws, starts a thread or keeps a pointer after it returns.
 */
#ifndef KERNELS_KERNELS_H
#define KERNELS_KERNELS_H

#include <stdint.h>

#if defined(_WIN32)
#define KERNELS_API __declspec(dllexport)
#else
#define KERNELS_API __attribute__((visibility("default")))
#endif

/* Changes whenever a signature, a struct or a constant of these headers does. */
#define KERNELS_ABI_VERSION 5

#ifdef __cplusplus
extern "C" {
#endif

enum {
    KERNELS_OK = 0,
    KERNELS_INVALID_ARGUMENT = 1,
    KERNELS_UNSUPPORTED_TYPE = 2,
    KERNELS_UNSUPPORTED_ISA = 3,
};

/* Element types. Those of 8 and 16 bits are storage: arithmetic on them is done in f32, with one rounding at the end.
   Which of them a family takes is its own affair. */
enum {
    KERNELS_F32 = 0,
    KERNELS_F64 = 1,
    KERNELS_F16 = 2,
    KERNELS_BF16 = 3,
    KERNELS_I8 = 4,
};

/*
 * Instruction sets that the caller chooses among: AVX2 with FMA and F16C; AVX-512 F, BW, VL and DQ with those; either
 * with the eight-bit dot products of VNNI. A family need not have kernels for each.
 */
enum {
    KERNELS_SCALAR = 0,
    KERNELS_AVX2 = 1,
    KERNELS_AVX512 = 2,
    KERNELS_AVX_VNNI = 3,
    KERNELS_AVX512_VNNI = 4,
};

/* KERNELS_ABI_VERSION as the library was built; the caller compares it with its own before the first call. */
KERNELS_API int32_t kernels_abi_version(void);

/* KERNELS_OK if the library holds this instruction set and the processor and operating system support it. */
KERNELS_API int32_t kernels_cpu_supports(int32_t isa);

/* A static English text for a status, never null. */
KERNELS_API const char* kernels_status_message(int32_t status);

#ifdef __cplusplus
}
#endif

#endif
