using Kernels.Managed;

namespace Kernels.Tests;

/// <summary>Threads, neighbours, guarded memory, allocation, special values, shared prefixes and bad arguments.</summary>
[Collection(AloneInTheProcess.Name)]
public sealed class SparseAttentionMemoryTests
{
    private static readonly AttentionShape s_shape = new(4, 2, 40);

    public static TheoryData<string> Variants => SparseAttentionCases.Variants;

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NeitherThreadsNorBatchMatesChangeABit(string variant)
    {
        int[] queryOffsets = [0, 1, 3, 3, 140], keyOffsets = [0, 5000, 5100, 5100, 5240];
        (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(s_shape, 140, 5240);
        float[] expected = [], gradients = SparseAttentionCases.Normal(q.Length, 2);
        float[][] expectedGradients = [];
        foreach (int threads in new[] { 1, 2, 3, 7 })
        {
            KernelOptions kernel = SparseAttentionCases.Force(variant, threads: threads);
            float[] output = new float[q.Length], sums = new float[140 * 4];
            float[][] made = [new float[q.Length], new float[k.Length], new float[v.Length]];
            SparseAttention.Attend<float>(q, k, v, output, s_shape,
                new() { Causal = true, QueryOffsets = queryOffsets, KeyOffsets = keyOffsets, LogSumExp = sums, Kernel = kernel });
            SparseAttention.Backward<float>(gradients, q, k, v, output, sums, made[0], made[1], made[2], s_shape,
                new() { Causal = true, QueryOffsets = queryOffsets, KeyOffsets = keyOffsets, Kernel = kernel });
            expected = expected.Length == 0 ? output : expected;
            expectedGradients = expectedGradients.Length == 0 ? made : expectedGradients;
            SparseAttentionCases.AssertSameBits(expected, output, $"{threads} threads");
            for (int i = 0; i < 3; i++)
                SparseAttentionCases.AssertSameBits(expectedGradients[i], made[i], $"gradient {i}, {threads} threads");
        }
        for (int i = 0; i < 4; i++)
        {
            int begin = queryOffsets[i] * 160, end = queryOffsets[i + 1] * 160;
            float[] alone = new float[end - begin];
            SparseAttention.Attend<float>(
                q.AsSpan(begin, end - begin), k.AsSpan(keyOffsets[i] * 80, (keyOffsets[i + 1] - keyOffsets[i]) * 80),
                v.AsSpan(keyOffsets[i] * 80, (keyOffsets[i + 1] - keyOffsets[i]) * 80), alone, s_shape,
                new() { Causal = true, Kernel = SparseAttentionCases.Force(variant) });
            SparseAttentionCases.AssertSameBits(expected.AsSpan(begin, end - begin), alone, $"sequence {i} alone");
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NothingIsTouchedBeyondTheSpans(string variant)
    {
        Skip.IfNot(GuardedMemory<float>.IsSupported, "guard pages are set with mmap and mprotect as Linux numbers their flags");
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        foreach ((int queries, int keys, int d) in new[] { (1, 3, 5), (1, 66, 33), (20, 70, 9), (65, 64, 16) })
        {
            foreach (bool guardAfter in new[] { true, false })
            {
                var shape = new AttentionShape(2, 1, d);
                (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(shape, queries, keys);
                using GuardedMemory<float> gq = new(q.Length, guardAfter), gk = new(k.Length, guardAfter), gv = new(v.Length, guardAfter),
                    output = new(q.Length, guardAfter), sums = new(queries * 2, guardAfter), columns = new(2 * keys, guardAfter);
                q.CopyTo(gq.Span);
                k.CopyTo(gk.Span);
                v.CopyTo(gv.Span);
                float[] expected = new float[q.Length];
                SparseAttention.Attend<float>(gq.Span, gk.Span, gv.Span, output.Span, shape,
                    new() { Causal = true, LogSumExp = sums.Span, ColumnSums = columns.Span, Kernel = kernel });
                SparseAttention.Attend<float>(q, k, v, expected, shape,
                    new() { Causal = true, LogSumExp = new float[queries * 2], ColumnSums = new float[2 * keys], Kernel = kernel });
                SparseAttentionCases.AssertSameBits(expected, output.Span, $"{queries} x {keys}, d {d}");
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void WhatIsLeftOutNeverLeaks(string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        foreach (float special in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            foreach ((int queries, int keys) in new[] { (1, 100), (3, 100), (100, 100) })
            {
                (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(s_shape, queries, keys);
                bool[] mask = [.. Enumerable.Range(0, queries * keys).Select(i => i % keys != 37 && (i / keys != 0 || i % keys > 50))];
                float[] clean = new float[q.Length], dirty = new float[q.Length], sums = new float[queries * 4];
                SparseAttention.Attend<float>(q, k, v, clean, s_shape, new() { BooleanMask = mask, Kernel = kernel });
                Array.Fill(k, special, 37 * 80, 80);
                Array.Fill(v, special, 37 * 80, 80);
                SparseAttention.Attend<float>(q, k, v, dirty, s_shape, new() { BooleanMask = mask, LogSumExp = sums, Kernel = kernel });
                SparseAttentionCases.AssertClose(Element.ToDoubles<float>(clean), dirty, $"{special} at key 37, {queries} queries");
                float[] dq = new float[q.Length], dk = new float[k.Length], dv = new float[v.Length];
                SparseAttention.Backward<float>(q, q, k, v, dirty, sums, dq, dk, dv, s_shape, new() { BooleanMask = mask, Kernel = kernel });
                Assert.All(dq, x => Assert.True(float.IsFinite(x)));
                Assert.All(dk, x => Assert.True(float.IsFinite(x)));
                Assert.All(dv, x => Assert.True(float.IsFinite(x)));
                // Where it takes part it shows.
                SparseAttention.Attend<float>(q, k, v, dirty, s_shape, new() { Kernel = kernel });
                Assert.All(dirty, x => Assert.False(float.IsFinite(x)));
            }
        }
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void RowsOfAnySizeOfLogitsAreExact(string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant);
        foreach (double spread in new[] { 1e-3, 1, 10, 300, 3e3 })
        {
            foreach (int queries in new[] { 1, 40 })
            {
                // Logits are single products, exact in float, ascending so that references move.
                float[] q = [.. Enumerable.Repeat(1f, queries)],
                    k = [.. Enumerable.Range(0, 300).Select(i => (float)Math.Round(spread * (i - 200) / 100 * 1024) / 1024)],
                    v = SparseAttentionCases.Normal(300, 3), output = new float[queries], sums = new float[queries];
                SparseAttention.Attend<float>(q, k, v, output, new(1, 1, 1), new() { Scale = 1, LogSumExp = sums, Kernel = kernel });
                SparseAttentionOracle oracle = new SparseAttentionOracle(new(1, 1, 1), q, Element.ToDoubles<float>(k),
                    Element.ToDoubles<float>(v))
                { Scale = 1 }.Run();
                SparseAttentionCases.AssertClose(oracle.Output, output, $"spread {spread}");
                SparseAttentionCases.AssertClose(oracle.LogSumExp, sums, $"spread {spread}, log-sum-exp");
            }
        }
        float[] huge = new float[1];
        SparseAttention.Attend<float>([1], [3e6f], [1], huge, new(1, 1, 1), new() { Kernel = kernel });
        Assert.Equal(float.NaN, huge[0]);
    }

    [Fact]
    public void SharedPrefixIsTheRepeatedForm()
    {
        // A prefix of 70, suffixes of 5, 1 and 90 tokens.
        int[] offsets = [0, 70, 75, 76, 166], lengths = [5, 1, 90];
        (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(s_shape, 166, 166);
        float[] output = new float[q.Length], sums = new float[166 * 4], gradient = SparseAttentionCases.Normal(q.Length, 8);
        float[] dq = new float[q.Length], dk = new float[k.Length], dv = new float[v.Length];
        SparseAttention.Attend<float>(q, k, v, output, s_shape, new()
        {
            Causal = true,
            SharedPrefix = true,
            QueryOffsets = offsets,
            KeyOffsets = offsets,
            LogSumExp = sums
        });
        SparseAttention.Backward<float>(gradient, q, k, v, output, sums, dq, dk, dv, s_shape,
            new() { Causal = true, SharedPrefix = true, QueryOffsets = offsets, KeyOffsets = offsets });
        double[] expectedK = new double[k.Length], expectedV = new double[v.Length];
        for (int i = 0; i < 4; i++)
        {
            int begin = offsets[i], count = offsets[i + 1] - begin;
            float[] own = q.AsSpan(begin * 160, count * 160).ToArray(), ownGradient = gradient.AsSpan(begin * 160, count * 160).ToArray();
            float[] keys = i == 0 ? k[..(70 * 80)] : [.. k[..(70 * 80)], .. k.AsSpan(begin * 80, count * 80)], values = i == 0 ? v[..(70 * 80)]
                : [.. v[..(70 * 80)], .. v.AsSpan(begin * 80, count * 80)];
            float[] repeated = new float[own.Length], ownSums = new float[count * 4], rq = new float[own.Length], rk = new float[keys.Length],
                rv = new float[keys.Length];
            SparseAttention.Attend<float>(own, keys, values, repeated, s_shape, new() { Causal = true, LogSumExp = ownSums });
            SparseAttentionCases.AssertSameBits(repeated, output.AsSpan(begin * 160, count * 160), $"sequence {i}");
            SparseAttention.Backward<float>(ownGradient, own, keys, values, repeated, ownSums, rq, rk, rv, s_shape, new() { Causal = true });
            SparseAttentionCases.AssertSameBits(rq, dq.AsSpan(begin * 160, count * 160), $"query gradient of sequence {i}");
            for (int j = 0; j < rk.Length; j++)
            {
                int at = j < 70 * 80 ? j : begin * 80 + j - 70 * 80;
                expectedK[at] += rk[j];
                expectedV[at] += rv[j];
            }
        }
        Assert.Equal(3, lengths.Length);
        SparseAttentionCases.AssertClose(expectedK, dk, "key gradient");
        SparseAttentionCases.AssertClose(expectedV, dv, "value gradient");
    }

    [Fact]
    public void NoScoreMatrixIsEverMade()
    {
        // 32,768 x 32,768 scores would be 4 GiB; a window keeps the work short.
        const int count = 32768, d = 8;
        float[] rows = SparseAttentionCases.Normal(count * d, 1), output = new float[rows.Length], columns = new float[count];
        long before = GC.GetTotalAllocatedBytes(precise: true);
        SparseAttention.Attend<float>(rows, rows, rows, output, new(1, 1, d), new() { Causal = true, Window = 128, ColumnSums = columns });
        long allocated = GC.GetTotalAllocatedBytes(precise: true) - before;
        // Packed keys and values in slivers of at most 32 floats, log-sum-exps, and what the runtime makes beside; pools round up to powers of two.
        Assert.InRange(allocated, 0, 4L * 2 * count * 32 * sizeof(float));
        double seen = columns.Sum(x => (double)x);
        Assert.InRange(seen, count * (1 - 4e-6), count * (1 + 4e-6));
    }

    [SkippableTheory]
    [MemberData(nameof(Variants))]
    public void NothingIsAllocatedOnceWarm(string variant)
    {
        KernelOptions kernel = SparseAttentionCases.Force(variant, threads: 2);
        Skip.If(
            SparseAttentionVariants.Of(KeyValueType.Float32).Entries.ToArray()
            .Single(e => SparseAttentionCases.NameOf(e.Variant) == variant).Variant.Availability != VariantAvailability.Available,
            "the runtime's vectors in software allocate until they are compiled a second time");
        (float[] q, float[] k, float[] v) = SparseAttentionCases.Inputs(s_shape, 70, 70);
        float[] output = new float[q.Length];
        Assert.Equal(0, AllocationMeter.LeastPerRound(() =>
        {
            SparseAttention.Attend<float>(q, k, v, output, s_shape, new() { Causal = true, Kernel = kernel });
            SparseAttention.Attend<float>(q.AsSpan(0, 160), k, v, output, s_shape, new() { Kernel = kernel });
        }));
    }

    public static TheoryData<string, string> BadCalls => new()
    {
        { "heads", "shape" }, { "no dimension", "shape" }, { "queries", "queries" }, { "keys", "keys" }, { "values", "values" }, { "output", "output" },
            { "overlap", "output" }, { "scale", "Scale" }, { "cap", "SoftCap" },
        { "window", "Window" }, { "sinks", "SinkTokens" }, { "slopes", "AlibiSlopes" }, { "additive", "AdditiveMask" }, { "boolean", "BooleanMask" },
            { "sums", "LogSumExp" }, { "columns", "ColumnSums" },
        { "query offsets", "QueryOffsets" }, { "key offsets", "KeyOffsets" }, { "offsets differ", "KeyOffsets" }, { "prefix alone", "SharedPrefix" },
            { "threads", "MaxDegreeOfParallelism" }, { "variant", "Variant" },
    };

    [Theory]
    [MemberData(nameof(BadCalls))]
    public void BadArgumentsAreRefusedByName(string call, string parameter)
    {
        float[] q = new float[3 * 8], k = new float[5 * 4], output = [.. Enumerable.Repeat(42f, 3 * 8)];
        ArgumentException refused = Assert.ThrowsAny<ArgumentException>(() => Make(call, q, k, output));
        Assert.Equal(parameter, refused.ParamName);
        Assert.All(output, x => Assert.Equal(42f, x));
    }

    private static void Make(string call, float[] q, float[] k, float[] output)
    {
        var shape = new AttentionShape(2, 1, 4);
        int[] down = [0, 2, 1, 3], fine = [0, 3];
        switch (call)
        {
            case "heads": SparseAttention.Attend<float>(q, k, k, output, new(3, 2, 4)); break;
            case "no dimension": SparseAttention.Attend<float>(q, k, k, output, new(2, 1, 0)); break;
            case "queries": SparseAttention.Attend<float>(q.AsSpan(1), k, k, output, shape); break;
            case "keys": SparseAttention.Attend<float>(q, k.AsSpan(1), k, output, shape); break;
            case "values": SparseAttention.Attend<float>(q, k, k.AsSpan(4), output, shape); break;
            case "output": SparseAttention.Attend<float>(q, k, k, output.AsSpan(1), shape); break;
            case "overlap": SparseAttention.Attend<float>(output, k, k, output, shape); break;
            case "scale": SparseAttention.Attend<float>(q, k, k, output, shape, new() { Scale = double.NaN }); break;
            case "cap": SparseAttention.Attend<float>(q, k, k, output, shape, new() { SoftCap = -1 }); break;
            case "window": SparseAttention.Attend<float>(q, k, k, output, shape, new() { Window = -1 }); break;
            case "sinks": SparseAttention.Attend<float>(q, k, k, output, shape, new() { SinkTokens = -1 }); break;
            case "slopes": SparseAttention.Attend<float>(q, k, k, output, shape, new() { AlibiSlopes = new float[3] }); break;
            case "additive": SparseAttention.Attend<float>(q, k, k, output, shape, new() { AdditiveMask = new float[14] }); break;
            case "boolean": SparseAttention.Attend<float>(q, k, k, output, shape, new() { BooleanMask = new bool[14] }); break;
            case "sums": SparseAttention.Attend<float>(q, k, k, output, shape, new() { LogSumExp = new float[5] }); break;
            case "columns": SparseAttention.Attend<float>(q, k, k, output, shape, new() { ColumnSums = new float[9] }); break;
            case "query offsets": SparseAttention.Attend<float>(q, k, k, output, shape, new() { QueryOffsets = down, KeyOffsets = new int[4] }); break;
            case "key offsets": SparseAttention.Attend<float>(q, k, k, output, shape, new() { QueryOffsets = fine, KeyOffsets = fine }); break;
            case "offsets differ": SparseAttention.Attend<float>(q, k, k, output, shape, new() { QueryOffsets = fine }); break;
            case "prefix alone": SparseAttention.Attend<float>(q, k, k, output, shape, new() { SharedPrefix = true }); break;
            case "threads": SparseAttention.Attend<float>(q, k, k, output, shape, new() { Kernel = new() { MaxDegreeOfParallelism = -1 } }); break;
            default: SparseAttention.Attend<float>(q, k, k, output, shape, new() { Kernel = new() { Variant = "sparse_attention/f32/cpu/abacus" } }); break;
        }
    }
}
