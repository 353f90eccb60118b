using Kernels.Core.Elements;
using Kernels.Gpu;

namespace Kernels.Perf;

/// <summary>
/// The GPU's rows of the showcase: one for each CUDA or OpenCL device that ILGPU opens. Data stay on the device; a call waits for its kernels.
/// </summary>
internal static class SoftmaxOnGpu
{
    // What SoftmaxGpu documents.
    private const double Tolerance = 1e-6;

    public static IEnumerable<IContender> Contenders<T>(SoftmaxBuffers<T> buffers, SoftmaxOracle<T> oracle) where T : unmanaged
    {
        string identity = $"{SoftmaxContenders.Family}/{TypeName.Of<T>()}/gpu/ilgpu";
        IReadOnlyList<GpuDeviceInfo> devices = GpuDevice.Enumerate();
        if (!GpuVariants.On(devices).Any(variant => variant.Identity == identity && variant.Availability == VariantAvailability.Available))
            yield break;
        foreach (GpuDeviceInfo device in devices.Where(device => device.IsPresent && device.Kind != GpuDeviceKind.Cpu))
            yield return Contender(device, identity, buffers, oracle);
    }

    private static CallContender Contender<T>(GpuDeviceInfo info, string identity, SoftmaxBuffers<T> buffers, SoftmaxOracle<T> oracle) where T : unmanaged
    {
        GpuDevice device = GpuDevice.Open(info.Kind, info.Index);
        var softmax = new SoftmaxGpu(device);
        GpuBuffer<T> logits = device.Allocate<T>(buffers.Input(0).Span), probabilities = device.Allocate<T>(buffers.Case.ElementCount);
        double tolerance = typeof(T) == typeof(float) ? Tolerance : Tolerance + Element<T>.UnitRoundoff;
        return new CallContender(identity, threads: 1, buffers.Count, tolerance, _ => Call(), () =>
        {
            probabilities.CopyTo(buffers.Output(0).Span);
            return oracle.LargestError(buffers.Output(0));
        }, Release);

        void Call()
        {
            softmax.Compute(logits, probabilities, buffers.Case.RowLength, buffers.Case.Options<T>(null, 0));
            device.Synchronize();
        }

        void Release()
        {
            logits.Dispose();
            probabilities.Dispose();
            softmax.Dispose();
            device.Dispose();
        }
    }
}
