using Kernels.Core.Machine;
using Kernels.Cpu.Memory;

namespace Kernels.Tests;

/// <summary>The one form of scratch: pieces are aligned and apart at any size, and what memory cannot hold is refused in bytes.</summary>
public sealed unsafe class RentedScratchTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(RentedScratch.LargestFrameBytes)]
    [InlineData(5_000_000)]
    public void PiecesAreWholeLinesApart(int count)
    {
        long bytes = RentedScratch.Bytes<byte>(count) + RentedScratch.Bytes<double>(count);
        byte* frame = stackalloc byte[RentedScratch.FrameBytes(bytes)];
        using var scratch = new RentedScratch(frame, bytes);
        byte* first = scratch.Take<byte>(count);
        double* second = scratch.Take<double>(count);
        Assert.Equal(0, (nint)first % CacheLine.Bytes);
        Assert.Equal(0, (nint)second % CacheLine.Bytes);
        new Span<byte>(first, count).Fill(1);
        new Span<double>(second, count).Fill(2);
        Assert.Equal(-1, new Span<byte>(first, count).IndexOfAnyExcept((byte)1));
        Assert.Equal(-1, new Span<double>(second, count).IndexOfAnyExcept(2.0));
    }

    /// <summary>What no array holds comes from the system, which gives pages when they are touched: two of them here.</summary>
    [SkippableFact]
    public void MoreThanAnArrayHoldsComesFromTheSystem()
    {
        long count = Array.MaxLength + 1L;
        Skip.If(RentedScratch.Bytes<byte>(count) > RentedScratch.AvailableBytes, "the process may not use 2 GiB");
        using RentedScratch scratch = RentedScratch.Of(count, out byte* piece);
        Assert.Equal(0, (nint)piece % CacheLine.Bytes);
        (piece[0], piece[count - 1]) = (3, 4);
        Assert.Equal((3, 4), (piece[0], piece[count - 1]));
    }

    [Theory]
    [InlineData(1L << 42)]
    [InlineData(1L << 50)]
    [InlineData(1L << 54)]
    [InlineData(1L << 61)]
    [InlineData(long.MaxValue)]
    public void WhatMemoryCannotHoldIsRefusedInBytes(long count)
    {
        UInt128 bytes = (UInt128)count * sizeof(double);
        var refusal = Assert.Throws<InsufficientMemoryException>(() => RentedScratch.Of(count, out double* _));
        Assert.Contains(BytesOf(refusal.Message), asked => asked >= bytes && asked <= bytes + 2 * CacheLine.Bytes);
    }

    /// <summary>
    /// A shared sequence under many queries: each of 67 million rows keeps a partial result, its sums beside it, for each of 64 chunks of keys. That is 172 GB
    /// with scalars, whose rows are the shortest.
    /// </summary>
    [SkippableFact]
    public void DecodingOverOneLongSequenceManyTimesIsRefusedBeforeAnythingIsWritten()
    {
        const int tokens = 1 << 17, keyHeads = 64, queryHeads = 4096, queries = 16_383;
        Skip.If(RentedScratch.AvailableBytes > 128L << 30, "this machine holds the scratch");
        using var cache = new KvCache(new() { KeyValueHeads = keyHeads, HeadDimension = 1, PageCount = tokens / 16, PageSize = 16 });
        int sequence = cache.CreateSequence();
        var keys = new float[tokens * keyHeads];
        cache.Append(sequence, keys, keys);
        var sequences = new int[queries];
        Array.Fill(sequences, sequence);
        var output = new float[queries * queryHeads];
        Array.Fill(output, 7f);
        Assert.Throws<InsufficientMemoryException>(() => SparseAttention.Attend(new float[output.Length], cache, sequences, output, queryHeads));
        Assert.Equal(-1, output.AsSpan().IndexOfAnyExcept(7f));
    }

    private static IEnumerable<UInt128> BytesOf(string message) => message.Split(' ', ';').Where(word => UInt128.TryParse(word, out _)).Select(UInt128.Parse);
}
