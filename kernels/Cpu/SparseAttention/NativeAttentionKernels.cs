using Kernels.Core.Machine;
using Kernels.Native.Library;
using Kernels.Native.SparseAttention;

namespace Kernels.Cpu.SparseAttention;

/// <summary>
/// Native micro-kernels under the managed driver: products with keys and sums of values as they are stored, which it widens by instructions that .NET lacks.
/// All else is as <typeparamref name="TManaged"/>, managed code for the same registers, has it. <typeparamref name="TPlanes"/> has the eight-bit dot products
/// for planes of keys, where the processor has them; scalar code has none.
/// </summary>
internal readonly unsafe struct NativeAttentionKernels<TManaged, TSet, TPlanes> : IAttentionKernels
    where TManaged : struct, IAttentionKernels
    where TSet : struct, INativeInstructionSet
    where TPlanes : struct, INativeInstructionSet
{
    private static readonly bool s_hasPlanes = typeof(TPlanes) != typeof(InstructionSets.Scalar)
        && InstructionSets.NativeAbsence<TPlanes>(NativeKernels.AbsenceOf(TPlanes.NativeNumber)).Length == 0;

    public static int SliverWidth => TManaged.SliverWidth;

    public static void Multiply(in TileProduct product) => TManaged.Multiply(product);

    public static int AddTerms(float* logits, long stride, AttentionRow* rows, int first, int count) => TManaged.AddTerms(logits, stride, rows, first, count);

    public static float Max(float* scores) => TManaged.Max(scores);

    public static float Exponentiate(float* scores, float origin, int exponent) => TManaged.Exponentiate(scores, origin, exponent);

    public static void CopyScaled(float* x, float* destination, long count, float factor) => TManaged.CopyScaled(x, destination, count, factor);

    public static void AddScaled(float* x, float* sums, long count, float factor) => TManaged.AddScaled(x, sums, count, factor);

    public static void AddToDoubles(float* scores, double* sums) => TManaged.AddToDoubles(scores, sums);

    public static void Cap(float* scores, float cap) => TManaged.Cap(scores, cap);

    public static void ScoreKeys<TFormat>(byte** keys, int keyCount, in StreamedRows rows) where TFormat : struct, IKeyValueFormat
    {
        NativeAttentionRows native = Describe(keys, keyCount, rows);
        NativeKernels.Check(SparseAttentionNativeMethods.ScoreKeys(TSet.NativeNumber, TypeOf<TFormat>(), &native));
    }

    public static void AddValues<TFormat>(byte** values, int keyCount, in StreamedRows rows) where TFormat : struct, IKeyValueFormat
    {
        NativeAttentionRows native = Describe(values, keyCount, rows);
        NativeKernels.Check(SparseAttentionNativeMethods.AddValues(TSet.NativeNumber, TypeOf<TFormat>(), &native));
    }

    public static void ScorePlanes(in PlaneTile tile)
    {
        if (!s_hasPlanes)
        {
            TManaged.ScorePlanes(tile);
            return;
        }
        var native = new NativeAttentionPlanes
        {
            High = tile.High,
            Low = tile.Low,
            Ahead = tile.Ahead,
            TokenScales = tile.TokenScales,
            Codes = tile.Codes,
            Scales = tile.Scales,
            Offsets = tile.Offsets,
            Scores = tile.Scores,
            Stride = tile.Stride,
            BlockCount = tile.BlockCount,
            StepCount = tile.StepCount,
            HeadCount = tile.HeadCount,
        };
        NativeKernels.Check(SparseAttentionNativeMethods.ScorePlanes(TPlanes.NativeNumber, &native));
    }

    private static NativeAttentionRows Describe(byte** stored, int count, in StreamedRows rows) => new()
    {
        Stored = stored,
        Ahead = rows.Ahead,
        Queries = rows.Queries,
        Scores = rows.Scores,
        Output = rows.Output,
        StoredCount = count,
        QueryCount = rows.Count,
        HeadDimension = rows.HeadDimension,
        Stride = rows.Stride,
    };

    private static NativeElementType TypeOf<TFormat>() where TFormat : struct, IKeyValueFormat => TFormat.Type switch
    {
        KeyValueType.Float32 => NativeElementType.F32,
        KeyValueType.Float16 => NativeElementType.F16,
        KeyValueType.BFloat16 => NativeElementType.BF16,
        _ => NativeElementType.I8,
    };
}
