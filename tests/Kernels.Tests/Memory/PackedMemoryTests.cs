using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Kernels.Core.Machine;

namespace Kernels.Tests;

/// <summary>
/// The owner of packed bytes: pages of its own, a mapped file, or an address of somebody else. Sizes and alignment are checked, and the memory is given back
/// once, when nobody uses it.
/// </summary>
public sealed unsafe class PackedMemoryTests
{
    private const int Outputs = 70, Inputs = 96;

    private static readonly float[] s_weights = MixedPrecisionGemmCases.Normal(Outputs * Inputs, 3), s_activations = MixedPrecisionGemmCases.Normal(Inputs, 4);

    public static TheoryData<string> Kinds => ["own", "borrowed", "mapped", "loaded"];

    private static QuantizedWeights FourBits(PackedMemory? destination = null) =>
        QuantizedWeights.Pack(s_weights, Outputs, Inputs, new(QuantizedType.U4, 32), destination: destination);

    private static Int8Weights EightBits(PackedMemory? destination = null) => Int8Weights.Pack(s_weights, Outputs, Inputs, destination: destination);

    private static float[] Product(QuantizedWeights weights) => MixedPrecisionGemmCases.Multiply<float>(s_activations, weights, GemmArithmetic.Exact, default);

    private static float[] Product(Int8Weights weights) => Int8DecompositionCases.Multiply<float>(s_activations, weights, default);

    private static byte[] BytesOf(Int8Weights weights)
    {
        using PackedLease lease = weights.Acquire();
        return new ReadOnlySpan<byte>(lease.Start, (int)weights.ByteCount).ToArray();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void BytesAndProductsAreTheSameWhoeverOwnsThem(string kind)
    {
        using var folder = new TemporaryFolder();
        using QuantizedWeights four = FourBits(), otherFour = Place(folder, kind, four);
        Assert.Equal(QuantizedWeightsTests.BytesOf(four), QuantizedWeightsTests.BytesOf(otherFour));
        Assert.Equal(four.Description, otherFour.Description);
        Assert.Equal(Product(four), Product(otherFour));
        using Int8Weights eight = EightBits(), otherEight = Place(folder, kind, eight);
        Assert.Equal(BytesOf(eight), BytesOf(otherEight));
        Assert.Equal(Int8DecompositionCases.AbsMaxOf(eight), Int8DecompositionCases.AbsMaxOf(otherEight));
        Assert.Equal(Product(eight), Product(otherEight));
    }

    private static QuantizedWeights Place(TemporaryFolder folder, string kind, QuantizedWeights weights)
    {
        string path = folder.File("four.safetensors");
        weights.Save(path, "w");
        return kind switch
        {
            "own" => FourBits(Dirty(PackedMemory.Allocate(weights.ByteCount))),
            "borrowed" => FourBits(Dirty(Borrowed(weights.ByteCount))),
            "mapped" => QuantizedWeights.Map(path, "w"),
            _ => QuantizedWeights.Load(path, "w"),
        };
    }

    private static Int8Weights Place(TemporaryFolder folder, string kind, Int8Weights weights)
    {
        string path = folder.File("eight.safetensors");
        weights.Save(path, "w");
        return kind switch
        {
            "own" => EightBits(Dirty(PackedMemory.Allocate(weights.ByteCount))),
            "borrowed" => EightBits(Dirty(Borrowed(weights.ByteCount))),
            "mapped" => Int8Weights.Map(path, "w"),
            _ => Int8Weights.Load(path, "w"),
        };
    }

    private static PackedMemory Borrowed(long bytes, Action? released = null)
    {
        void* memory = NativeMemory.AlignedAlloc((nuint)bytes, PackedMemory.Alignment);
        return PackedMemory.Borrow((nint)memory, bytes, owner: null, () =>
        {
            NativeMemory.AlignedFree(memory);
            released?.Invoke();
        });
    }

    // Whatever was there before: padding must not keep it.
    private static PackedMemory Dirty(PackedMemory memory)
    {
        memory.WriteSpan<byte>(0, [.. Enumerable.Repeat((byte)0xFF, (int)memory.ByteCount)]);
        return memory;
    }

    [Fact]
    public void BytesReplacedInPlaceAreSeenByTheNextCall()
    {
        // What load_state_dict does to a module's buffer of bytes.
        float[] others = MixedPrecisionGemmCases.Normal(Outputs * Inputs, 9);
        using QuantizedWeights four = FourBits(), otherFour = QuantizedWeights.Pack(others, Outputs, Inputs, four.Format);
        PackedMemory buffer = Borrowed(four.ByteCount);
        buffer.WriteSpan<byte>(0, QuantizedWeightsTests.BytesOf(four));
        using QuantizedWeights over = QuantizedWeights.Over(buffer, four.Description);
        Assert.Equal(Product(four), Product(over));
        buffer.WriteSpan<byte>(0, QuantizedWeightsTests.BytesOf(otherFour));
        Assert.Equal(Product(otherFour), Product(over));

        using Int8Weights eight = EightBits(), otherEight = Int8Weights.Pack(others, Outputs, Inputs);
        PackedMemory bytes = Borrowed(eight.ByteCount);
        bytes.WriteSpan<byte>(0, BytesOf(eight));
        using Int8Weights overEight = Int8Weights.Over(bytes, Outputs, Inputs);
        Assert.Equal(Product(eight), Product(overEight));
        bytes.WriteSpan<byte>(0, BytesOf(otherEight));
        Assert.Equal(Product(otherEight), Product(overEight));
        Assert.Equal(Int8DecompositionCases.AbsMaxOf(otherEight), Int8DecompositionCases.AbsMaxOf(overEight));
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void NothingWorksAfterDispose(string kind)
    {
        using var folder = new TemporaryFolder();
        QuantizedWeights four = Place(folder, kind, FourBits());
        Int8Weights eight = Place(folder, kind, EightBits());
        var layer = new Int8Linear(eight);
        float[] output = new float[Outputs];
        Action[] calls =
        [
            () => Product(four),
            () => MixedPrecisionGemm.Multiply<float>(s_activations, four, output),
            () => four.Dequantize(new float[Outputs * Inputs]),
            () => four.Unpack(new byte[Outputs * Inputs], new float[Outputs * four.GroupCount], []),
            () => four.Save(folder.File("late.safetensors"), "w"),
            () => Product(eight),
            () => Int8Decomposition.MultiplyInt8(new sbyte[Inputs], eight, new int[Outputs]),
            () => eight.Dequantize(new float[Outputs * Inputs]),
            () => eight.CopyValuesTo(new sbyte[Outputs * Inputs]),
            () => eight.CopyAbsMaxTo(output),
            () => eight.Save(folder.File("late.safetensors"), "w"),
            () => layer.Forward<float>(s_activations, output),
            () => layer.Backward<float>(output, [], new float[Inputs]),
            () => Int8Linear.Save(folder.File("late.safetensors"), new Dictionary<string, Int8Linear> { [""] = layer }),
        ];
        Assert.All(calls, call => call());
        four.Dispose();
        eight.Dispose();
        four.Dispose();
        eight.Dispose();
        Assert.All(calls, call => Assert.Contains("Weights", Assert.Throws<ObjectDisposedException>(call).ObjectName, StringComparison.Ordinal));
    }

    [Fact]
    public void MemoryInUseIsGivenBackAfterTheLastCall()
    {
        int released = 0;
        QuantizedWeights weights = FourBits(Borrowed(FourBits().ByteCount, () => released++));
        PackedLease first = weights.Acquire(), second = weights.Acquire();
        weights.Dispose();
        Assert.Equal(0, released);
        Assert.Throws<ObjectDisposedException>(() => weights.Acquire().Dispose());
        first.Dispose();
        Assert.Equal(0, released);
        second.Dispose();
        Assert.Equal(1, released);
        weights.Dispose();
        Assert.Equal(1, released);
    }

    [SkippableFact]
    public void CallsThatRunWhileAnotherThreadDisposesAreRight()
    {
        Skip.IfNot(GuardedMemory<byte>.IsSupported, "no memory protection");
        const int rounds = 50, callers = 3;
        float[] expected = Product(FourBits());
        for (int round = 0; round < rounds; round++)
        {
            // Released pages are unmapped: to touch them would end the process.
            int bytes = (int)QuantizedWeights.PackedByteCount(Outputs, Inputs, new(QuantizedType.U4, 32));
            var pages = new GuardedMemory<byte>(bytes, guardAfter: true);
            QuantizedWeights weights = FourBits(PackedMemory.Borrow((nint)Unsafe.AsPointer(ref pages.Span[0]), bytes, pages, pages.Dispose));
            using var started = new Barrier(callers + 1);
            Task[] calls = [.. Enumerable.Range(0, callers).Select(_ => Task.Factory.StartNew(
                () =>
                {
                    started.SignalAndWait();
                    try
                    {
                        while (true)
                            Assert.Equal(expected, Product(weights));
                    }
                    catch (ObjectDisposedException)
                    {
                    }
                },
                CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))];
            started.SignalAndWait();
            Thread.Sleep(round % 3);
            weights.Dispose();
            Assert.True(Task.WaitAll(calls, TimeSpan.FromMinutes(1)));
        }
    }

    [Fact]
    public void AnOwnerLivesAsLongAsTheWeights()
    {
        var released = new StrongBox<int>();
        (QuantizedWeights weights, WeakReference owner) = Make(released);
        Collect();
        Assert.True(owner.IsAlive);
        Assert.Equal(Product(FourBits()), Product(weights));
        weights.Dispose();
        Assert.Equal(1, released.Value);
        // Without Dispose the finaliser does it.
        owner = Drop(released);
        for (int i = 0; i < 10 && released.Value < 2; i++)
            Collect();
        Assert.Equal(2, released.Value);
        Collect();
        Assert.False(owner.IsAlive);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static (QuantizedWeights Weights, WeakReference Owner) Make(StrongBox<int> released)
        {
            byte[] array = GC.AllocateArray<byte>((int)QuantizedWeights.PackedByteCount(Outputs, Inputs, new(QuantizedType.U4, 32)) + PackedMemory.Alignment,
                pinned: true);
            nint address = (Marshal.UnsafeAddrOfPinnedArrayElement(array, 0) + PackedMemory.Alignment - 1) & -PackedMemory.Alignment;
            return (FourBits(PackedMemory.Borrow(address, array.Length - PackedMemory.Alignment, array, () => released.Value++)), new WeakReference(array));
        }

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference Drop(StrongBox<int> released) => Make(released).Owner;

        static void Collect()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
        }
    }

    [Fact]
    public void SizesAndAddressesAreChecked()
    {
        QuantizationFormat format = new(QuantizedType.U4, 32);
        long bytes = QuantizedWeights.PackedByteCount(Outputs, Inputs, format), int8Bytes = Int8Weights.PackedByteCount(Outputs, Inputs);
        Assert.Equal(FourBits().ByteCount, bytes);
        Assert.Equal(EightBits().ByteCount, int8Bytes);
        Refused("byteCount", () => PackedMemory.Allocate(0));
        Refused("address", () => PackedMemory.Borrow(0, bytes));
        Refused("address", () => PackedMemory.Borrow(PackedMemory.Alignment + 8, bytes));
        Refused("byteCount", () => PackedMemory.Borrow(PackedMemory.Alignment, 0));
        foreach (long wrong in new[] { bytes - 1, bytes + 1, bytes + PackedMemory.Alignment })
        {
            using PackedMemory memory = PackedMemory.Allocate(wrong);
            Refused("destination", () => FourBits(memory));
            Refused("memory", () => QuantizedWeights.Over(memory, Outputs, Inputs, format));
            Refused("memory", () => QuantizedWeights.Over(memory, FourBits().Description));
        }
        foreach (long wrong in new[] { int8Bytes - 1, int8Bytes + PackedMemory.Alignment })
        {
            using PackedMemory memory = PackedMemory.Allocate(wrong);
            Refused("destination", () => EightBits(memory));
            Refused("memory", () => Int8Weights.Over(memory, Outputs, Inputs));
        }
        PackedMemory given = PackedMemory.Allocate(bytes);
        Refused("description", () => QuantizedWeights.Over(given, EightBits().Description));
        Refused("description", () => QuantizedWeights.Over(given, FourBits().Description.Replace(" 1 ", " 2 ", StringComparison.Ordinal)));
        Refused("description", () => Int8Weights.Over(given, "kernels.int8_weights 1 70 -96"));
        Refused("hasInputOrder", () =>
            QuantizedWeights.PackedByteCount(64, 64, new(QuantizedType.U4, 32, ScaleType.Float16, WeightSparsity.TwoOfFour), hasInputOrder: true));
        Refused("inputCount", () => Int8Weights.PackedByteCount(1, Int8Weights.LargestInputCount + 1));
        Assert.Throws<ArgumentNullException>(() => QuantizedWeights.Over(null!, Outputs, Inputs, format));
        Assert.Throws<ArgumentNullException>(() => Int8Weights.Over(null!, Outputs, Inputs));
        given.Dispose();
        Assert.Throws<ObjectDisposedException>(() => QuantizedWeights.Over(given, Outputs, Inputs, format));
        Assert.Throws<ObjectDisposedException>(() => FourBits(given));
    }

    private static void Refused(string parameter, Func<object> call) => Assert.Equal(parameter, Assert.ThrowsAny<ArgumentException>(call).ParamName);

    [Fact]
    public void AnOrderOfInputsIsHeldWithinTheMatrix()
    {
        // It addresses activations: whoever writes over it may not make a product read elsewhere.
        (byte[] values, float[] scales, byte[] zeros) = MixedPrecisionGemmCases.Quantized(Outputs, Inputs, new(QuantizedType.U4, 32), seed: 2);
        int[] groups = [.. Enumerable.Range(0, Inputs).Select(input => input % 3)];
        long bytes = QuantizedWeights.PackedByteCount(Outputs, Inputs, new(QuantizedType.U4, 32), hasInputOrder: true);
        PackedMemory memory = Borrowed(bytes);
        using QuantizedWeights weights = QuantizedWeights.FromQuantized(values, scales, zeros, Outputs, Inputs, new(QuantizedType.U4, 32), groups,
            destination: memory);
        float[] expected = Product(weights);
        ulong order = (ulong)(bytes - Inputs * sizeof(int));
        int first = memory.Read<int>(order);
        foreach (int wrong in new[] { -1, Inputs, int.MinValue, int.MaxValue })
        {
            memory.Write(order, wrong);
            Assert.Throws<InvalidOperationException>(() => Product(weights));
            Assert.Throws<InvalidOperationException>(() => weights.Dequantize(new float[Outputs * Inputs]));
            Refused("memory", () => QuantizedWeights.Over(memory, weights.Description));
        }
        memory.Write(order, first);
        Assert.Equal(expected, Product(weights));
    }

    [SkippableFact]
    public void LargeMatricesLieInHugePages()
    {
        Skip.IfNot(OperatingSystem.IsLinux() && Directory.Exists("/sys/kernel/mm/transparent_hugepage"), "no Linux kernel with transparent huge pages");
        const int size = 2048;
        using QuantizedWeights four = MixedPrecisionGemmCases.Weights(2 * size, size, new());
        using Int8Weights eight = Int8DecompositionCases.Weights(size, size);
        Assert.True(four.ByteCount >= LargeMemory.HugePageBytes && eight.ByteCount >= LargeMemory.HugePageBytes);
        Assert.Contains("hg", LargeMemoryTests.FlagsOfMapping((long)four.Packed).Split(' '));
        Assert.Contains("hg", LargeMemoryTests.FlagsOfMapping((long)eight.Panels).Split(' '));
    }

    [SkippableFact]
    public void PagesGoBackToTheSystem()
    {
        Skip.IfNot(OperatingSystem.IsLinux(), "/proc is Linux's");
        const int rounds = 2000;
        long before = MappedBytes();
        for (int i = 0; i < rounds; i++)
            PackedMemory.Allocate(LargeMemory.HugePageBytes + 5 + i * 777).Dispose();
        // Address space, of which each round reserves 4 MiB at least: what other tests take meanwhile is little beside 8 GiB.
        Assert.InRange(MappedBytes() - before, long.MinValue, 2L * rounds * LargeMemory.HugePageBytes / 4);

        static long MappedBytes() => long.Parse(File.ReadAllText("/proc/self/statm").Split(' ')[0], CultureInfo.InvariantCulture) * Environment.SystemPageSize;
    }
}
