namespace Kernels.Native.Library;

/// <summary>The element types of <c>kernels.h</c>.</summary>
internal enum NativeElementType
{
    F32 = 0,
    F64 = 1,
    F16 = 2,
    BF16 = 3,
    I8 = 4,
}

/// <summary>From a managed element type to its number in the C ABI.</summary>
internal static class NativeElement
{
    public static NativeElementType TypeOf<T>() =>
        typeof(T) == typeof(float) ? NativeElementType.F32 :
        typeof(T) == typeof(double) ? NativeElementType.F64 :
        typeof(T) == typeof(Half) ? NativeElementType.F16 :
        typeof(T) == typeof(BrainFloat16) ? NativeElementType.BF16 :
        throw new NotSupportedException($"The element type {typeof(T)} has no native kernels.");
}
