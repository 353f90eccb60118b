#include <kernels/kernels.h>

#if defined(KERNELS_X86)
#include <cpuid.h>

namespace {

// Leaf 7, subleaf 1, EAX; older compilers have no word for it. The operating system saves its registers if it saves
// AVX2's.
bool has_avx_vnni() {
    constexpr unsigned bit = 1u << 4;
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & bit) != 0;
}

const bool avx_vnni = has_avx_vnni();

} // namespace
#endif

extern "C" {

int32_t kernels_abi_version(void) {
    return KERNELS_ABI_VERSION;
}

int32_t kernels_cpu_supports(int32_t isa) {
    switch (isa) {
    case KERNELS_SCALAR:
        return KERNELS_OK;
#if defined(KERNELS_X86)
    case KERNELS_AVX2:
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c")
                   ? KERNELS_OK
                   : KERNELS_UNSUPPORTED_ISA;
    case KERNELS_AVX512:
        return kernels_cpu_supports(KERNELS_AVX2) == KERNELS_OK && __builtin_cpu_supports("avx512f") &&
                       __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                       __builtin_cpu_supports("avx512dq")
                   ? KERNELS_OK
                   : KERNELS_UNSUPPORTED_ISA;
    case KERNELS_AVX_VNNI:
        return kernels_cpu_supports(KERNELS_AVX2) == KERNELS_OK && avx_vnni ? KERNELS_OK : KERNELS_UNSUPPORTED_ISA;
    case KERNELS_AVX512_VNNI:
        return kernels_cpu_supports(KERNELS_AVX512) == KERNELS_OK && __builtin_cpu_supports("avx512vnni")
                   ? KERNELS_OK
                   : KERNELS_UNSUPPORTED_ISA;
#endif
    default:
        return KERNELS_UNSUPPORTED_ISA;
    }
}

const char* kernels_status_message(int32_t status) {
    switch (status) {
    case KERNELS_OK:
        return "success";
    case KERNELS_INVALID_ARGUMENT:
        return "an argument is null, negative or out of range";
    case KERNELS_UNSUPPORTED_TYPE:
        return "the element type is not one that the function takes";
    case KERNELS_UNSUPPORTED_ISA:
        return "the processor lacks the instruction set, or the library was built without it";
    default:
        return "unknown status";
    }
}

} // extern "C"
