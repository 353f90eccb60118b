namespace Kernels.Native.Library;

/// <summary>The instruction sets of <c>kernels.h</c>.</summary>
internal enum NativeIsa
{
    Scalar = 0,
    Avx2 = 1,
    Avx512 = 2,
    AvxVnni = 3,
    Avx512Vnni = 4,
}
