using ILGPU;

namespace Kernels.Gpu;

/// <summary>
/// What the threads of a group find out together. Groups have a power of two of threads, at most <see cref="MaxSize"/>, and every thread calls.
/// </summary>
internal static class GpuGroup
{
    /// <summary>Every CUDA and nearly every OpenCL device runs groups of this size.</summary>
    public const int MaxSize = 256;

    /// <summary>The largest group that a device runs.</summary>
    public static int SizeOn(ILGPU.Runtime.Accelerator accelerator)
    {
        int size = MaxSize;
        while (size > accelerator.MaxNumThreadsPerGroup)
            size /= 2;
        return size;
    }

    /// <summary>The largest of the threads' numbers, in every thread.</summary>
    /// <param name="own">This thread's.</param>
    /// <param name="shared">[MaxSize]; free again afterwards.</param>
    public static int Largest(int own, ArrayView<int> shared)
    {
        shared[Group.IdxX] = own;
        GpuOps.Barrier();
        for (int half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (Group.IdxX < half)
                shared[Group.IdxX] = IntrinsicMath.Max(shared[Group.IdxX], shared[Group.IdxX + half]);
            GpuOps.Barrier();
        }
        int largest = shared[0];
        GpuOps.Barrier();
        return largest;
    }

    /// <summary>The sum of the threads' numbers, in every thread: pairwise, always in the same order.</summary>
    /// <param name="own">This thread's.</param>
    /// <param name="shared">[MaxSize]; free again afterwards.</param>
    public static float Sum(float own, ArrayView<float> shared)
    {
        shared[Group.IdxX] = own;
        GpuOps.Barrier();
        for (int half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (Group.IdxX < half)
                shared[Group.IdxX] += shared[Group.IdxX + half];
            GpuOps.Barrier();
        }
        float sum = shared[0];
        GpuOps.Barrier();
        return sum;
    }

    /// <summary>The sum of the threads' numbers, in every thread.</summary>
    /// <param name="own">This thread's.</param>
    /// <param name="shared">[MaxSize]; free again afterwards.</param>
    public static int Sum(int own, ArrayView<int> shared)
    {
        shared[Group.IdxX] = own;
        GpuOps.Barrier();
        for (int half = Group.DimX >> 1; half > 0; half >>= 1)
        {
            if (Group.IdxX < half)
                shared[Group.IdxX] += shared[Group.IdxX + half];
            GpuOps.Barrier();
        }
        int sum = shared[0];
        GpuOps.Barrier();
        return sum;
    }
}
