using ILGPU;

namespace Kernels.Gpu;

/// <summary>What ILGPU compiles for gradients. One group a row, of any length: thread t of a group of g takes the elements t, t + g, t + 2g ...</summary>
internal static class SoftmaxGpuGradientKernels
{
    /// <summary>
    /// Two passes over a row: its sum, then each element's gradient. Every thread writes where it alone has read, so that the output may be an input.
    /// </summary>
    public static void Rows<TStorage, TElement, TGradient>(
        ArrayView<TStorage> outputGradient, ArrayView<TStorage> result, ArrayView<TStorage> logitGradient, int rowLength, float scale)
        where TStorage : unmanaged where TElement : struct, IGpuElement<TStorage> where TGradient : struct, ISoftmaxGpuGradient
    {
        long start = (long)Grid.IdxX * rowLength;
        // Kahan's compensated sum: the error of a thread's part does not grow with its length.
        float own = 0f, excess = 0f;
        for (int i = Group.IdxX; i < rowLength; i += Group.DimX)
        {
            float added = TGradient.Term(TElement.Load(outputGradient[start + i]), TElement.Load(result[start + i])) - excess;
            float next = own + added;
            excess = next - own - added;
            own = next;
        }
        float sum = GpuGroup.Sum(own, SharedMemory.Allocate<float>(GpuGroup.MaxSize));
        for (int i = Group.IdxX; i < rowLength; i += Group.DimX)
        {
            float gradient = TGradient.Of(TElement.Load(outputGradient[start + i]), TElement.Load(result[start + i]), sum);
            // A place that took no part is 0 whatever the scale.
            logitGradient[start + i] = TElement.Store(gradient == 0f ? 0f : gradient * scale);
        }
    }
}
