using Kernels.Core.Machine;
using Kernels.Native.Int8Decomposition;
using Kernels.Native.Library;

namespace Kernels.Cpu.Int8Decomposition;

/// <summary>
/// Native micro-kernels under the managed driver: the integer product. Activations are packed as <typeparamref name="TPacking"/> has them, which is the form
/// that the native code of the same instructions reads.
/// </summary>
internal readonly unsafe struct NativeInt8Kernels<TPacking, TSet> : IInt8Kernels
    where TPacking : struct, IInt8Kernels
    where TSet : struct, INativeInstructionSet
{
    public static int ActivationBytes => TPacking.ActivationBytes;

    public static int ActivationShift => TPacking.ActivationShift;

    public static void Pack(sbyte* values, byte* packed, nint stepBytes, int count) => TPacking.Pack(values, packed, stepBytes, count);

    public static void Clear(byte* step, int inStep) => TPacking.Clear(step, inStep);

    public static void Add(byte* weights, byte* activations, nint stepBytes, nint tileBytes, int rowCount, int stepCount, int* sums)
    {
        var block = new NativeInt8Block
        {
            Weights = weights,
            Activations = activations,
            StepBytes = stepBytes,
            TileBytes = tileBytes,
            RowCount = rowCount,
            StepCount = stepCount,
        };
        NativeKernels.Check(Int8DecompositionNativeMethods.Add(TSet.NativeNumber, &block, sums));
    }
}
