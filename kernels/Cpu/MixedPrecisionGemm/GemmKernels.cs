using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Kernels.Core.MixedPrecisionGemm;

namespace Kernels.Cpu.MixedPrecisionGemm;

/// <summary>The kernels for one register width, one dot product and one weight format. A tile is up to 6 rows times two registers of outputs.</summary>
internal readonly unsafe partial struct GemmKernels<V, TSimd, TDot, TFormat> : IGemmKernels
    where V : unmanaged
    where TSimd : struct, IGemmSimd<V>
    where TDot : struct, IGemmDot<V>
    where TFormat : struct, IWeightFormat
{
    private const int PanelColumns = QuantizedWeightsLayout.PanelColumns, StepInputs = QuantizedWeightsLayout.StepInputs,
        LaneInputs = QuantizedWeightsLayout.LaneInputs;

    // Hardware prefetchers stop at the end of a page, and a segment is one. So weights are asked for two pages ahead when they are first met. On Zen 5 the
    // single row gains a fifth, 2 to 8 rows up to two thirds; 4 KiB ahead does nearly as well, 2 KiB or less does harm.
    private const int PrefetchBytes = 8192;

    public static void AddExact(in GemmRun run, float* sums)
    {
        for (int i = 0; i < run.Count; i++)
            AddExact(run.Segment(i), run.Activations(i), sums);
    }

    public static void AddInt8(in GemmRun run, float* sums)
    {
        for (int i = 0; i < run.Count; i++)
            AddInt8(run.Segment(i), run.Activations(i), sums);
    }

    private static int TileColumns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 2 * TSimd.Lanes;
    }

    // A single row has more outputs side by side instead: their chains of additions overlap.
    private static int RowColumns
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => 4 * TSimd.Lanes;
    }

    /// <summary>Asks for the lines of the step that lies <see cref="PrefetchBytes"/> ahead. Beyond the end of the weights that does nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void PrefetchStep(byte* step)
    {
        if (!Sse.IsSupported)
            return;
        for (int line = 0; line < TFormat.StepBytes; line += QuantizedWeightsLayout.Alignment)
            Sse.Prefetch0(step + PrefetchBytes + line);
    }
}
